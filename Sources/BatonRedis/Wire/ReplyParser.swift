import CHiredis

/// Parses replies with hiredis' reader, one a connection.
///
/// The reader builds no objects of its own: it calls `ReplyBuilder`, which allocates for what has arrived and never by
/// a length that was only declared. What one reply may take, declared or buffered, is bounded.
package struct ReplyParser: ~Copyable {
    private let reader: UnsafeMutablePointer<redisReader>
    private let functions: UnsafeMutablePointer<redisReplyObjectFunctions>
    private let builder: ReplyBuilder

    /// Bytes to feed at once: the reader moves what is left to the front after each reply, so that a large piece
    /// of many small replies would be moved again and again.
    static let pieceBytes = 16 * 1024

    package init(replyBytes: Int) {
        builder = ReplyBuilder(limit: replyBytes)
        functions = .allocate(capacity: 1)
        functions.initialize(to: ReplyBuilder.functions)
        guard let reader = redisReaderCreateWithFunctions(functions) else {
            preconditionFailure("no memory for a reply reader")
        }
        // Without this the reader frees and allocates its buffer whenever it ran empty.
        reader.pointee.maxbuf = 0
        // The builder outlives the reader: both are this parser's own.
        reader.pointee.privdata = Unmanaged.passUnretained(builder).toOpaque()
        self.reader = reader
    }

    deinit {
        redisReaderFree(reader)
        functions.deinitialize(count: 1)
        functions.deallocate()
    }

    package mutating func feed(_ bytes: UnsafeRawBufferPointer) throws(RedisError) {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
        let characters = start.assumingMemoryBound(to: CChar.self)
        guard redisReaderFeed(reader, characters, bytes.count) == REDIS_OK else { throw broken() }
    }

    /// - Returns: the next whole reply, nil where there is none yet. After an error the parser is of no use.
    package mutating func next() throws(RedisError) -> RedisValue? {
        var object: UnsafeMutableRawPointer?
        guard redisReaderGetReply(reader, &object) == REDIS_OK else { throw broken() }
        if object != nil { return builder.finish() }
        let buffered = Int(reader.pointee.len) - Int(reader.pointee.pos)
        guard builder.cost + buffered <= builder.limit else { throw .brokenReply("the reply is too large") }
        return nil
    }

    private func broken() -> RedisError {
        if builder.isOverLimit { return .brokenReply("the reply is too large") }
        let text = withUnsafeBytes(of: reader.pointee.errstr) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return .brokenReply(text)
    }
}

/// Puts one reply together from the reader's calls.
private final class ReplyBuilder {
    private struct Frame {
        var remaining: Int
        var values: [RedisValue] = []
    }

    /// What a value costs besides its bytes.
    private static let valueCost = 32

    let limit: Int
    private(set) var cost = 0
    private(set) var isOverLimit = false
    private var root: RedisValue = .null
    /// The arrays that are not complete yet, outermost first. The reader allows seven.
    private var frames: [Frame] = []

    init(limit: Int) {
        self.limit = limit
    }

    func finish() -> RedisValue {
        let value = root
        root = .null
        cost = 0
        return value
    }

    /// - Returns: false where the reply grew too large.
    private func append(_ value: RedisValue, bytes: Int) -> Bool {
        guard charge(bytes) else { return false }
        add(value)
        return true
    }

    private func begin(count: Int) -> Bool {
        guard charge(0) else { return false }
        if count > 0 { frames.append(Frame(remaining: count)) } else { add(.array([])) }
        return true
    }

    private func charge(_ bytes: Int) -> Bool {
        cost += bytes + Self.valueCost
        isOverLimit = cost > limit
        return !isOverLimit
    }

    private func add(_ value: RedisValue) {
        var value = value
        while let last = frames.indices.last {
            frames[last].values.append(value)
            frames[last].remaining -= 1
            guard frames[last].remaining == 0 else { return }
            value = .array(frames.removeLast().values)
        }
        root = value
    }
}

extension ReplyBuilder {
    /// hiredis keeps what these return as the reply object and takes nil for "no memory": it is a mark only, which
    /// there is nothing to free of.
    static let functions = redisReplyObjectFunctions(
        createString: { task, start, count in
            ReplyBuilder.called(by: task) { builder, type in
                let bytes = UnsafeRawBufferPointer(start: start, count: count)
                let isError = type == REDIS_REPLY_ERROR
                return builder.append(
                    isError ? .error(String(decoding: bytes, as: UTF8.self)) : .string(Array(bytes)), bytes: count)
            }
        },
        createArray: { task, count in
            ReplyBuilder.called(by: task) { builder, _ in builder.begin(count: Int(count)) }
        },
        createInteger: { task, number in
            ReplyBuilder.called(by: task) { builder, _ in builder.append(.integer(Int64(number)), bytes: 0) }
        },
        createNil: { task in
            ReplyBuilder.called(by: task) { builder, _ in builder.append(.null, bytes: 0) }
        },
        freeObject: { _ in }
    )

    private static func called(
        by task: UnsafePointer<redisReadTask>?, _ body: (ReplyBuilder, Int32) -> Bool
    ) -> UnsafeMutableRawPointer? {
        guard let task, let mark = task.pointee.privdata else { return nil }
        let builder = Unmanaged<ReplyBuilder>.fromOpaque(mark).takeUnretainedValue()
        return body(builder, task.pointee.type) ? mark : nil
    }
}
