import BatonCore
import Testing

@testable import BatonClient

@Suite("What was read")
struct ReadMarksTests {
    private func message(_ sequence: UInt64, of peer: UInt64 = 2) throws -> MessageID {
        let conversation = try #require(
            ConversationID(between: UserID(rawValue: 1), and: UserID(rawValue: peer)))
        return MessageID(conversation: conversation, sequence: ConversationSequence(rawValue: sequence))
    }

    @Test("It is told again after the end of a connection, once, as far as the user came")
    func again() throws {
        var marks = ReadMarks()
        marks.told(try message(5), now: .zero)
        marks.told(try message(3), now: .zero)
        #expect(marks.due(now: .zero) == [], "nothing is lost while the connection lives")
        marks.disconnected(heardAt: .zero)
        #expect(marks.due(now: .zero) == [try message(5)])
        #expect(marks.due(now: .zero) == [])
    }

    @Test("What a connection lived on after is stored")
    func settled() throws {
        var marks = ReadMarks()
        marks.told(try message(1), now: .seconds(1))
        marks.told(try message(1, of: 3), now: .seconds(2))
        marks.disconnected(heardAt: .seconds(1) + ReadMarks.settledAfter + .milliseconds(1))
        #expect(marks.due(now: .seconds(90)) == [try message(1, of: 3)])
        // Told again at 90 s, and the relay was not heard much longer.
        marks.disconnected(heardAt: .seconds(91))
        #expect(marks.due(now: .seconds(100)) == [try message(1, of: 3)])
    }

    @Test("After an error of the relay, which does not say what of, it is told again on the same connection")
    func failed() throws {
        var marks = ReadMarks()
        marks.told(try message(1), now: .zero)
        marks.failed()
        #expect(marks.due(now: .zero) == [try message(1)])
        #expect(marks.due(now: .zero) == [])
    }

    @Test("So many conversations are kept, those told last")
    func bound() throws {
        var marks = ReadMarks()
        for peer in 0..<UInt64(ReadMarks.conversations + 1) { marks.told(try message(1, of: 10 + peer), now: .zero) }
        marks.disconnected(heardAt: .zero)
        let due = marks.due(now: .zero)
        #expect(due.count == ReadMarks.conversations)
        #expect(due.first == (try message(1, of: 11)))
    }
}
