import ArgumentParser
import BatonCore
import BatonNode
import BatonOperator
import Foundation
import Logging

/// `baton inspect`: what the store and Redis know about one thing, side by side.
struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Shows what the store and Redis know about a user, node, conversation or message.",
        discussion: """
            Reads only. Shows no content of messages unless asked for it. Ends with 1 where there is no such thing, or \
            where Redis could not be asked: what the store knows is printed nevertheless.
            """,
        subcommands: [InspectUser.self, InspectNode.self, InspectConversation.self, InspectMessage.self])
}

struct InspectOptions: ParsableArguments {
    @OptionGroup var configuration: ConfigurationOptions
    @Flag(help: "One JSON object instead of tables.") var json = false

    /// Asks, prints, and fails where there is no such thing.
    func run(_ thing: String, _ question: (Inspector) async throws -> InspectionReport?) async throws {
        let configuration = try configuration.load().configuration
        let logger = Logger(label: "inspect") {
            RelayLogHandler(label: $0, level: .error, format: configuration.log.format)
        }
        let inspector = try await Inspector.open(configuration, logger: logger)
        let answer: InspectionReport?
        do {
            answer = try await question(inspector)
        } catch {
            await inspector.close()
            throw error
        }
        await inspector.close()
        guard let answer else { throw NotThere(thing: thing) }
        if json {
            try Output.object(answer)
        } else {
            Output.text(answer.text())
        }
        guard answer.warnings.isEmpty else {
            for warning in answer.warnings { Output.notice("warning: \(warning)") }
            throw ExitCode.failure
        }
    }

    private struct NotThere: Error, CustomStringConvertible {
        let thing: String
        var description: String { "there is no \(thing)" }
    }
}

struct InspectUser: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "A user's devices, inbox, sessions and presence.")

    @Argument(help: "A handle or a user's id.") var user: String
    @OptionGroup var options: InspectOptions

    func run() async throws { try await options.run("user \(user)") { try await $0.user(user) } }
}

struct InspectNode: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node", abstract: "The nodes that hold a lease, or one of them.")

    @Argument(help: "A node's name; all where it is left out.") var node: String?
    @OptionGroup var options: InspectOptions

    func run() async throws { try await options.run("node \(node ?? "")") { try await $0.nodes(node) } }
}

struct InspectConversation: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conversation", abstract: "A conversation's members and how far it was delivered and read.")

    @Argument(help: "A conversation's id, or two users of a direct one.") var conversation: [String]
    @Option(help: "How many of the last messages.") var messages = 10
    @Flag(help: "Shows what the messages say.") var contents = false
    @OptionGroup var options: InspectOptions

    func validate() throws {
        guard (1...2).contains(conversation.count) else { throw ValidationError("one conversation, or two users") }
        guard (0...1_000).contains(messages) else { throw ValidationError("--messages is 0 to 1000") }
        if conversation.count == 1, ConversationID(conversation[0]) == nil {
            throw ValidationError("'\(conversation[0])' is not a conversation's id: <user>-<user>, or g-<id>")
        }
    }

    func run() async throws {
        try await options.run("conversation \(conversation.joined(separator: " and "))") { inspector in
            let id =
                conversation.count == 1
                ? ConversationID(conversation[0])
                : try inspector.conversationID(between: conversation[0], and: conversation[1])
            guard let id else { return nil }
            return try await inspector.conversation(id, messages: messages, showsContents: contents)
        }
    }
}

struct InspectMessage: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "message", abstract: "Whom a message has reached, and which device has not acknowledged it.")

    @Argument(help: "A message's id.") var message: String
    @OptionGroup var options: InspectOptions

    func run() async throws {
        guard let id = MessageID(message) else {
            throw ValidationError("'\(message)' is not a message's id: <conversation>.<sequence>")
        }
        try await options.run("message \(message)") { try await $0.message(id) }
    }
}
