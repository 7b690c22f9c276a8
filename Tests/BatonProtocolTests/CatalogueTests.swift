import BatonCore
import BatonProtocol
import Testing

@Suite("The catalogues of errors and close codes")
struct CatalogueTests {
    @Test("Each error has its own name, which a program can compare")
    func errorNames() {
        let names = ErrorCode.allCases.map(\.rawValue)
        #expect(Set(names).count == names.count)
        for name in names {
            #expect(name.utf8.allSatisfy { ($0 >= 0x61 && $0 <= 0x7a) || $0 == UInt8(ascii: "_") }, "\(name)")
        }
    }

    @Test("Each kind of a client's frame has the number and the name of the contract")
    func frameKinds() throws {
        let schema = WireSchema.shared
        let fields = schema.messages[WireSchema.clientFrame].fields.map { schema.fields[$0] }
        #expect(fields.map(\.number) == ClientFrameKind.allCases.map(\.rawValue))
        #expect(fields.map { schema.name(of: $0) } == ClientFrameKind.allCases.map(\.name))
    }

    @Test("An error says that it may be tried again, and its status says so too")
    func retryable() {
        for code in ErrorCode.allCases {
            #expect((400...599).contains(code.httpStatus))
            #expect(WireError(code, "m").retryable == code.isRetryable)
            let isLater = code.httpStatus >= 500 || code.httpStatus == 429 || code.httpStatus == 408
            #expect(code.isRetryable == isLater, "\(code)")
        }
    }

    @Test("Close codes are ours or RFC 6455's, fit a frame, and none is given twice")
    func closeCodes() {
        let numbers = CloseCode.allCases.map(\.rawValue)
        #expect(Set(numbers).count == numbers.count)
        for number in numbers { #expect((1000...1011).contains(number) || (4000...4999).contains(number)) }
        #expect(!numbers.contains(4004), "it had another meaning")
    }

    @Test("Whom another connection or a revocation ended does not come back by itself")
    func reconnecting() {
        for code: CloseCode in [.displaced, .revoked, .replaced, .misbehaved, .helloExpected] {
            #expect(!code.shouldReconnect)
        }
        for code: CloseCode in [.silent, .stalled, .evacuated, .overloaded, .internalError] {
            #expect(code.shouldReconnect)
        }
    }

    @Test("Every failure of the store may be tried again, no refusal may")
    func storeErrors() {
        for failure: StoreError in [.overloaded, .diskFull, .unavailable("secret path"), .closed] {
            let error = WireError(failure)
            #expect(error.retryable && error.retryAfterMs > 0)
            #expect(!error.message.contains("secret"), "what the log is told is not for clients")
        }
        let first = MessageID(conversation: ConversationID(group: 1), sequence: .init(rawValue: 1))
        let refusals: [Refusal] =
            [
                .unknownConversation, .unknownUser, .blocked, .sameUser, .refReused(first: first), .beyondLast(last: 1),
            ] + RevocationReason.allCases.map { .deviceRevoked($0) }
        for refusal in refusals { #expect(!WireError(refusal).retryable) }
    }
}
