import BatonCore
import NIOCore

/// Sends commands and scripts on an event loop's command connection, and tells the node's standing what of it Redis refuses.
final class RedisCommands {
    private let link: RedisLink
    private let standing: RedisStanding
    /// What Redis calls the scripts, as it said when they were loaded on this connection.
    private var hashes: [ScriptFile: [UInt8]] = [:]

    init(link: RedisLink, standing: RedisStanding) {
        self.link = link
        self.standing = standing
    }

    /// Loads all scripts: part of preparing a connection.
    var preparation: [RedisLink.Step] {
        ScriptFile.allCases.map { file in
            var command = RedisCommand("SCRIPT", "LOAD")
            command.append(file.source)
            return RedisLink.Step(command: command) { [unowned self] value in
                hashes[file] = value.bytes
            }
        }
    }

    /// For people who look, whose refusals concern no function of the node.
    func send(_ command: RedisCommand, completion: @escaping RedisHandler.Completion) {
        link.send(command, completion: completion)
    }

    /// - Parameter proves: whether the function works where this does; false for what takes fewer rights, or no memory.
    func send(
        _ command: RedisCommand, for function: RedisFunction, proves: Bool,
        completion: @escaping RedisHandler.Completion = { _ in }
    ) {
        link.send(command) { [standing] result in
            standing.told(result, of: function, proves: proves)
            completion(result)
        }
    }

    /// Runs a script by its hash, and by its text where Redis forgot it (SCRIPT FLUSH).
    func run<Script: RedisScript>(
        _ script: Script, completion: @escaping (Result<Script.Outcome, RedisError>) -> Void
    ) {
        guard let hash = hashes[Script.file] else {
            runText(script, completion: completion)
            return
        }
        link.send(Self.command("EVALSHA", hash, script)) { result in
            if case .failure(let error) = result, error.code == "NOSCRIPT" {
                self.runText(script, completion: completion)
            } else {
                self.completed(script, result, completion)
            }
        }
    }

    private func completed<Script: RedisScript>(
        _ script: Script, _ result: Result<RedisValue, RedisError>,
        _ completion: (Result<Script.Outcome, RedisError>) -> Void
    ) {
        standing.told(result, of: Script.function, proves: Script.proves)
        completion(Self.outcome(of: script, result))
    }

    private func runText<Script: RedisScript>(
        _ script: Script, completion: @escaping (Result<Script.Outcome, RedisError>) -> Void
    ) {
        link.send(Self.command("EVAL", Script.file.source, script)) { result in
            self.completed(script, result, completion)
        }
    }

    private static func command(_ name: String, _ text: [UInt8], _ script: some RedisScript) -> RedisCommand {
        var command = RedisCommand(name)
        command.append(text)
        command.append(script.keys.count)
        for key in script.keys { command.append(key) }
        for argument in script.arguments { command.append(argument) }
        return command
    }

    private static func outcome<Script: RedisScript>(
        of script: Script, _ result: Result<RedisValue, RedisError>
    ) -> Result<Script.Outcome, RedisError> {
        result.flatMap { value in
            guard let outcome = script.outcome(of: value) else {
                return .failure(.brokenReply("\(Script.file) returned what it never returns"))
            }
            return .success(outcome)
        }
    }

    /// Does something for each of many items: a batch is pipelined, the next one follows when all of it is answered, so that
    /// no number of items fills the connection's line. The first failure ends it with the batch it is in.
    func forEach<Item, Value>(
        _ items: [Item],
        _ act: @escaping (Item, @escaping (Result<Value, RedisError>) -> Void) -> Void,
        completion: @escaping (_ done: [(item: Item, value: Value)], _ failure: RedisError?) -> Void
    ) {
        Batches(items: items, act: act, completion: completion).next()
    }
}

/// The state of one `RedisCommands.forEach`; kept by the completions that are under way.
private final class Batches<Item, Value> {
    private var rest: ArraySlice<Item>
    private let act: (Item, @escaping (Result<Value, RedisError>) -> Void) -> Void
    private let completion: ([(item: Item, value: Value)], RedisError?) -> Void
    private var done: [(item: Item, value: Value)] = []
    private var failure: RedisError?
    private var underWay = 0

    init(
        items: [Item], act: @escaping (Item, @escaping (Result<Value, RedisError>) -> Void) -> Void,
        completion: @escaping ([(item: Item, value: Value)], RedisError?) -> Void
    ) {
        rest = items[...]
        self.act = act
        self.completion = completion
    }

    func next() {
        guard failure == nil, !rest.isEmpty else {
            completion(done, failure)
            return
        }
        let batch = rest.prefix(Limits.Redis.batchItems)
        rest = rest.dropFirst(batch.count)
        underWay = batch.count
        for item in batch {
            act(item) { result in
                switch result {
                case .success(let value): self.done.append((item, value))
                case .failure(let error): self.failure = error
                }
                self.underWay -= 1
                if self.underWay == 0 { self.next() }
            }
        }
    }
}

extension RedisStanding {
    fileprivate func told<Value>(_ result: Result<Value, RedisError>, of function: RedisFunction, proves: Bool) {
        switch result {
        case .success: if proves { worked(function) }
        case .failure(let error): failed(function, error)
        }
    }
}
