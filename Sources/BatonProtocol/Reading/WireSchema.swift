import SwiftProtobuf

/// The contract's messages and their fields, as `protoc` described them when it generated the Swift of `relay.proto`.
///
/// The generated code does not expose the names of its fields. The JSON reader and errors that name a field need them.
///
/// One table holds all fields of all messages. Every frame uses it, so its entries contain no references, which would
/// cost reference counting.
package final class WireSchema: Sendable {
    /// A field's type. Only the types in use are listed; a test fails if `relay.proto` gets another one.
    package enum Kind: Hashable, Sendable {
        case string
        case bytes
        case bool
        case uint32
        case uint64
        /// The index of the enumeration.
        case enumeration(UInt8)
        /// The index of the message.
        case message(UInt8)
        case unsupported

        /// The wire type of protobuf.
        package var wireType: UInt8 {
            switch self {
            case .string, .bytes, .message: 2
            case .bool, .uint32, .uint64, .enumeration, .unsupported: 0
            }
        }
    }

    package struct Field: Sendable {
        package let number: UInt32
        /// Its place in the table.
        package let index: UInt16
        /// Its place in its message.
        package let place: UInt8
        package let kind: Kind
        package let isRepeated: Bool
        /// The choice (`oneof`) that it is a part of.
        package let choice: UInt8?
    }

    package struct Message: Sendable {
        /// `baton.v1.Send`.
        package let name: String
        /// The places of its fields in the table.
        package let fields: Range<Int>
        /// The places of its fields' names in the table of names.
        fileprivate let keys: Range<Int>
    }

    private struct Key {
        let name: PackedName
        let field: Int
    }

    package let messages: [Message]
    package let fields: [Field]
    /// The names of the fields, as JSON has them.
    private let names: [String]
    /// The same to look them up, and those of `relay.proto`, which are read too.
    private let keys: [Key]
    /// Of each enumeration its values by their names.
    private let enumerations: [[String: UInt64]]
    private let indices: [String: Int]

    package static let shared = WireSchema(
        (try? Google_Protobuf_FileDescriptorSet(serializedBytes: PackageResources.relay_binpb))
            ?? Google_Protobuf_FileDescriptorSet())

    /// What a client sends: read more often than everything else.
    package static let clientFrame = shared.index(of: WireClientFrame.protoMessageName) ?? 0

    /// The index of a message by its whole name.
    package func index(of name: String) -> Int? { indices[name] }

    func field(named name: PackedName, of message: Int) -> Field? {
        for key in messages[message].keys where keys[key].name == name { return fields[keys[key].field] }
        return nil
    }

    package func field(numbered number: UInt32, of message: Int) -> Field? {
        let places = messages[message].fields
        // Fields are numbered 1, 2, 3 ..., unless one was taken away.
        let likely = places.lowerBound + Int(number) - 1
        if places.contains(likely), fields[likely].number == number { return fields[likely] }
        for place in places where fields[place].number == number { return fields[place] }
        return nil
    }

    package func name(of field: Field) -> String { names[Int(field.index)] }

    package func names(of message: Int) -> [String] { Array(names[messages[message].fields]) }

    /// The number of a value of an enumeration.
    func value(named name: String, of enumeration: UInt8) -> UInt64? { enumerations[Int(enumeration)][name] }

    init(_ set: Google_Protobuf_FileDescriptorSet) {
        var indices: [String: Int] = [:]
        var enumerationIndices: [String: Int] = [:]
        var enumerations: [[String: UInt64]] = []
        for file in set.file {
            for message in file.messageType { indices["\(file.package).\(message.name)"] = indices.count }
            for enumeration in file.enumType {
                enumerationIndices["\(file.package).\(enumeration.name)"] = enumerations.count
                let values = enumeration.value.map { ($0.name, UInt64(clamping: $0.number)) }
                enumerations.append(Dictionary(values) { first, _ in first })
            }
        }
        var messages: [Message] = []
        var fields: [Field] = []
        var names: [String] = []
        var keys: [Key] = []
        for file in set.file {
            for message in file.messageType {
                let (firstField, firstKey) = (fields.count, keys.count)
                for field in message.field {
                    for name in Set([field.jsonName, field.name]) {
                        guard let name = PackedName(name) else { continue }
                        keys.append(Key(name: name, field: fields.count))
                    }
                    fields.append(
                        Field(
                            field, at: fields.count, firstField, messages: indices, enumerations: enumerationIndices))
                    names.append(field.jsonName)
                }
                messages.append(
                    Message(
                        name: "\(file.package).\(message.name)", fields: firstField..<fields.count,
                        keys: firstKey..<keys.count))
            }
        }
        self.indices = indices
        self.enumerations = enumerations
        self.messages = messages
        self.fields = fields
        self.names = names
        self.keys = keys
    }
}

extension WireSchema.Field {
    fileprivate init(
        _ descriptor: Google_Protobuf_FieldDescriptorProto, at index: Int, _ first: Int, messages: [String: Int],
        enumerations: [String: Int]
    ) {
        self.index = UInt16(clamping: index)
        place = UInt8(clamping: index - first)
        number = UInt32(clamping: descriptor.number)
        isRepeated = descriptor.label == .repeated
        // An `optional` field is the only one of a choice of its own, which is no choice.
        choice = descriptor.hasOneofIndex && !descriptor.proto3Optional ? UInt8(clamping: descriptor.oneofIndex) : nil
        // The name of a type begins with a point.
        let type = String(descriptor.typeName.dropFirst())
        kind =
            switch descriptor.type {
            case .string: .string
            case .bytes: .bytes
            case .bool: .bool
            case .uint32: .uint32
            case .uint64: .uint64
            case .enum: enumerations[type].map { .enumeration(UInt8(clamping: $0)) } ?? .unsupported
            case .message: messages[type].map { .message(UInt8(clamping: $0)) } ?? .unsupported
            default: .unsupported
            }
    }
}

/// The name of a field in three words, so that looking it up compares numbers.
struct PackedName: Equatable, Sendable {
    /// The longest name there can be. A test says where the contract has a longer one.
    static let bytes = 24

    private var first: UInt64 = 0
    private var second: UInt64 = 0
    private var third: UInt64 = 0
    private let count: Int

    init?(_ name: String) {
        let bytes = Array(name.utf8)
        self.init(bytes, bytes.indices)
    }

    /// Nil where it is too long to be a name.
    @inline(__always)
    init?(_ bytes: [UInt8], _ range: Range<Int>) {
        guard range.count <= Self.bytes else { return nil }
        count = range.count
        var shift: UInt64 = 0
        for index in range {
            let byte = UInt64(bytes[index]) << (shift & 63)
            switch shift >> 6 {
            case 0: first |= byte
            case 1: second |= byte
            default: third |= byte
            }
            shift += 8
        }
    }
}
