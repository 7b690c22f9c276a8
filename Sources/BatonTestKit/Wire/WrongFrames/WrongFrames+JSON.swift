import BatonProtocol
import Foundation

extension WrongFrames {
    /// Values of all types, and some that are of none.
    private static let values = [
        "1", "-1", "1.5", "true", "false", #""x""#, #""*""#, "[]", "{}", "[1]", #"["x"]"#, "[null]", "[[]]",
        #"{"a":1}"#, "1e400", "18446744073709551616", #""-1""#, #""1.5""#, #""\ud800""#, #""\udfb7\ud842""#,
    ]
    /// Values that are not JSON: wrong in every field, unknown ones included.
    private static let garbage = [
        "NaN", "Infinity", "-", "nul", "tru", "True", "undefined", "'x'", "01", "+1", ".5", "1.", "1e", "0x1",
        #""\x""#, #""\u12""#, controlCharacter, "[1,tru]",
    ]
    private static let controlCharacter = "\"a\u{1}b\""

    /// Each sample with one thing wrong.
    package static func json(user: String, conversation: String) throws -> [WrongFrame] {
        try samples(user: user, conversation: conversation).flatMap { frame in
            let text = String(decoding: try FrameCodec.encode(frame, as: .json), as: UTF8.self)
            let object = JSONTree(try JSONSerialization.jsonObject(with: Data(text.utf8)))
            guard case .object(let members) = object, let kind = members.first?.name else { return [WrongFrame]() }
            let ref = frame.send.ref.isEmpty ? nil : frame.send.ref
            return wrongValues(object, kind, ref) + twice(object, kind, ref) + wrongTexts(text, kind, ref)
                + cut(text, ref)
        }
    }

    private static func wrongValues(_ object: JSONTree, _ kind: String, _ ref: String?) -> [WrongFrame] {
        paths(of: kind).flatMap { path in
            let wrong = (values + garbage).filter { !isRight($0, for: path.field) }
            let isRefReadable = path.names != ["send"] && path.names != ["send", "ref"]
            let replaced = wrong.flatMap { value in
                [true, false].map { isFirst in
                    let changed = object.replacing(path.names, of: path.choices, by: value, isFirst: isFirst)
                    // A ref that is not JSON for another reason than its end is read all the same.
                    let control = path.names == ["send", "ref"] && value == controlCharacter ? "a\u{1}b" : nil
                    return frame(changed, kind, isRefReadable ? ref : control, path.inFrame)
                }
            }
            guard case .message = path.field.kind else { return replaced }
            // Beside what is right, in a field that nobody knows.
            let unknown = (garbage + ["{\"a\":nope}", "[{}, {\"a\":[nope]}]"]).map { value in
                frame(
                    object.replacing(path.names + ["later"], of: [], by: value, isFirst: true), kind, ref,
                    path.names.count > 1 ? path.inFrame + ".later" : "later")
            }
            return replaced + unknown
        }
    }

    /// Whether a value is of a field's type, whatever it says.
    private static func isRight(_ value: String, for field: WireSchema.Field) -> Bool {
        guard !field.isRepeated else { return ["[]", #"["x"]"#].contains(value) }
        return switch field.kind {
        case .string: value.hasPrefix("\"") && !value.contains("\\") && !value.contains("\u{1}")
        case .bool: ["true", "false"].contains(value)
        case .message: ["{}", #"{"a":1}"#].contains(value)
        case .uint32, .uint64: value == "1"
        case .bytes: value == #""-1""#
        case .enumeration, .unsupported: false
        }
    }

    /// A field that stands twice, and two of a choice.
    private static func twice(_ object: JSONTree, _ kind: String, _ ref: String?) -> [WrongFrame] {
        paths(of: kind).flatMap { path -> [WrongFrame] in
            // The first of two is read.
            if let value = object.value(at: path.names) {
                return [value.text, "null"].map { frame(object.adding(path.names, $0), kind, ref, path.inFrame) }
            }
            let isBeside = path.choices.contains { object.value(at: path.names.dropLast() + [$0]) != nil }
            let value = path.field.kind == .bytes ? "\"\"" : #""x""#
            return isBeside ? [frame(object.adding(path.names, value), kind, ref, path.inFrame)] : []
        }
    }

    /// What is wrong with the whole.
    private static func wrongTexts(_ text: String, _ kind: String, _ ref: String?) -> [WrongFrame] {
        let inner = text.dropFirst().dropLast()
        let deep = 64
        let nested =
            String(repeating: "[", count: deep) + "1" + String(repeating: "]", count: deep)
        let readable = [
            text + text, text + " " + text, text + "x", text + ",", text + "\n{}", text + "\u{0}",
            text.dropLast() + ",}",
            text.dropLast() + #", "later":\#(nested)}"#, text.dropLast() + "]", text.dropLast() + " //\n}",
        ]
        let unreadable = [
            "[" + text + "]", "\u{feff}" + text, "\"" + text, "{" + text + "}", "{,\(inner)}", "\u{0}" + text,
            "{later:1,\(inner)}",
        ]
        var frames = readable.map { wrong($0, kind, ref) } + unreadable.map { wrong($0, nil, nil) }
        // A send is answered by its ref wherever it stands; of others the first one is.
        frames.append(wrong(#"{"\#(kind == "ping" ? "typing" : "ping")":{},\#(inner)}"#, ref == nil ? nil : kind, ref))
        return frames
    }

    /// Cut off anywhere.
    private static func cut(_ text: String, _ ref: String?) -> [WrongFrame] {
        let behindRef = ref.flatMap { text.range(of: "\"\($0)\"")?.upperBound }
        return text.indices.map { end in
            wrong(String(text[..<end]), nil, behindRef.map { $0 <= end } == true ? ref : nil)
        }
    }

    private static func frame(_ object: JSONTree, _ kind: String, _ ref: String?, _ field: String?) -> WrongFrame {
        wrong(object.text, kind, ref, field)
    }

    private static func wrong(_ text: String, _ kind: String?, _ ref: String?, _ field: String? = nil) -> WrongFrame {
        WrongFrame(encoding: .json, payload: Array(text.utf8), ref: ref, kind: kind, field: field)
    }
}

extension WrongFrames.Path {
    /// The names of the other fields of its choice.
    var choices: [String] {
        guard fields.count > 1, case .message(let parent) = fields[fields.count - 2].kind,
            let choice = field.choice
        else { return [] }
        let schema = WireSchema.shared
        return schema.fields[schema.messages[Int(parent)].fields]
            .filter { $0.choice == choice && $0.number != field.number }.map { schema.name(of: $0) }
    }
}

/// JSON as text, so that any of its values may be replaced by something that is not JSON.
indirect enum JSONTree {
    struct Member {
        let name: String
        var value: JSONTree
    }

    case object([Member])
    case other(String)

    init(_ value: Any) {
        switch value {
        case let object as [String: Any]:
            self = .object(object.sorted { $0.key < $1.key }.map { Member(name: $0.key, value: JSONTree($0.value)) })
        case let array as [Any]: self = .other("[\(array.map { JSONTree($0).text }.joined(separator: ","))]")
        case let text as String: self = .other("\"\(text)\"")
        case let number as Bool: self = .other("\(number)")
        default: self = .other("\(value)")
        }
    }

    var text: String {
        switch self {
        case .object(let members):
            "{\(members.map { "\"\($0.name)\":\($0.value.text)" }.joined(separator: ","))}"
        case .other(let text): text
        }
    }

    func value(at path: [String]) -> JSONTree? {
        guard let name = path.first else { return self }
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value.value(at: Array(path.dropFirst()))
    }

    /// The same with a value in the place of what stood there, and of the others of its choice.
    func replacing(_ path: [String], of choices: [String], by value: String, isFirst: Bool) -> JSONTree {
        guard let name = path.first, case .object(var members) = self else { return .other(value) }
        guard path.count == 1 else {
            for index in members.indices where members[index].name == name {
                members[index].value = members[index].value.replacing(
                    Array(path.dropFirst()), of: choices, by: value, isFirst: isFirst)
            }
            return .object(members)
        }
        members.removeAll { $0.name == name || choices.contains($0.name) }
        members.insert(Member(name: name, value: .other(value)), at: isFirst ? 0 : members.count)
        return .object(members)
    }

    /// The same with a value besides what stands there.
    func adding(_ path: [String], _ value: String) -> JSONTree {
        guard let name = path.first, case .object(var members) = self else { return self }
        guard path.count > 1 else { return .object(members + [Member(name: name, value: .other(value))]) }
        for index in members.indices where members[index].name == name {
            members[index].value = members[index].value.adding(Array(path.dropFirst()), value)
        }
        return .object(members)
    }
}
