import BatonCore
import BatonTestKit
import SwiftProtobuf
import Testing

@testable import BatonProtocol

@Suite("The contract's description")
struct WireSchemaTests {
    private let schema = WireSchema.shared

    @Test("It has types that are read, and no message or name that is too long for its tables")
    func bounds() {
        #expect(schema.messages.count > 30 && schema.messages.count < 256)
        for message in schema.messages { #expect(message.fields.count <= 64, "\(message.name)") }
        for field in schema.fields {
            let name = schema.name(of: field)
            #expect(field.kind != .unsupported, "\(name)")
            #expect(name.utf8.count <= PackedName.bytes, "\(name)")
            // A list of numbers would be packed.
            #expect(!field.isRepeated || field.kind.wireType == 2, "\(name)")
        }
    }

    @Test("Each field is found by its number, and by its name as JSON and as the contract have it")
    func lookup() {
        for (index, message) in schema.messages.enumerated() {
            for field in schema.fields[message.fields] {
                let name = schema.name(of: field)
                let snake = name.flatMap { $0.isUppercase ? "_\($0.lowercased())" : "\($0)" }
                #expect(schema.field(numbered: field.number, of: index)?.index == field.index)
                for name in [name, String(snake)] {
                    #expect(PackedName(name).flatMap { schema.field(named: $0, of: index) }?.index == field.index)
                }
            }
            for name in ["", "x", "later", "hello\u{0}", String(repeating: "h", count: 25)] {
                #expect(PackedName(name).flatMap { schema.field(named: $0, of: index) } == nil)
            }
            #expect(schema.field(numbered: 0, of: index) == nil && schema.field(numbered: .max, of: index) == nil)
        }
    }

    @Test("Random frames say the same in both encodings, also when they are read and written again")
    func encodingsAgree() throws {
        var generator = SeededGenerator(seed: 23)
        for _ in 0..<2_000 {
            // Unknown fields do not come through JSON.
            let bytes = random(WireSchema.clientFrame, hasUnknown: false, &generator)
            let frame = try WireClientFrame(serializedBytes: bytes)
            let content = try FrameCodec.decode(bytes, as: .proto)
            #expect(content == frame.frame)
            let json = try FrameCodec.encode(frame, as: .json)
            #expect(try FrameCodec.decode(json, as: .json) == content, "\(String(decoding: json, as: UTF8.self))")
            #expect(try FrameCodec.decode(try FrameCodec.encode(frame, as: .proto), as: .proto) == content)
        }
    }

    @Test("Damaged protobuf is refused wherever the generated code refuses it, and a kept part is always readable")
    func damaged() throws {
        var generator = SeededGenerator(seed: 24)
        var refused = 0
        for _ in 0..<5_000 {
            var bytes = random(WireSchema.clientFrame, hasUnknown: true, &generator)
            guard !bytes.isEmpty else { continue }
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            let isReadable = (try? WireClientFrame(serializedBytes: bytes)) != nil
            let check = ProtobufCheck(bytes, as: WireSchema.clientFrame, .everything)
            if !isReadable {
                refused += 1
                #expect(check.fault != nil, "\(bytes)")
            }
            #expect((try? WireClientFrame(serializedBytes: check.kept)) != nil, "\(bytes)")
            do throws(FrameError) {
                _ = try FrameCodec.decode(bytes, as: .proto)
                #expect(check.fault == nil, "\(bytes)")
            } catch {
                let isUnknown = error.error.code == ErrorCode.unknownFrame.rawValue
                #expect(isUnknown == (check.fault == nil), "\(bytes)")
            }
        }
        #expect(refused > 1_000)
    }

    /// A right message with some of its fields, and some that the contract does not have.
    private func random(_ message: Int, hasUnknown: Bool, _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes: [UInt8] = []
        var choices: Set<UInt8> = []
        for field in schema.fields[schema.messages[message].fields].shuffled(using: &generator) {
            if let choice = field.choice, !choices.insert(choice).inserted { continue }
            guard field.choice != nil || Int.random(in: 0..<3, using: &generator) > 0 else { continue }
            for _ in 0..<(field.isRepeated ? Int.random(in: 0...3, using: &generator) : 1) {
                Varint.append(UInt64(field.number) << 3 | UInt64(field.kind.wireType), to: &bytes)
                let value = value(field.kind, hasUnknown: hasUnknown, &generator)
                if field.kind.wireType == 2 { Varint.append(UInt64(value.count), to: &bytes) }
                bytes += value
            }
        }
        if hasUnknown, Int.random(in: 0..<4, using: &generator) == 0 { bytes += [0xa2, 6, 2, 1, 2, 0xa8, 6, 5] }
        return bytes
    }

    private func value(
        _ kind: WireSchema.Kind, hasUnknown: Bool, _ generator: inout SeededGenerator
    ) -> [UInt8] {
        switch kind {
        case .message(let index): return random(Int(index), hasUnknown: hasUnknown, &generator)
        case .bool: return [UInt8.random(in: 0...1, using: &generator)]
        case .string:
            return Array(
                String(
                    (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                        "ab\"\\\n\u{0}\u{7f}\u{85}é野\u{20BB7}😀\u{10FFFF}".randomElement(using: &generator) ?? "a"
                    }
                ).utf8)
        case .bytes:
            return (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
        case .uint32, .uint64, .enumeration, .unsupported:
            var bytes: [UInt8] = []
            let bits = UInt64.random(in: 0..<(kind == .uint64 ? 64 : 32), using: &generator)
            Varint.append(UInt64.random(in: 0...UInt64.max, using: &generator) >> (63 - bits), to: &bytes)
            return bytes
        }
    }
}
