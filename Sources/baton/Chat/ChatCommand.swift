import ArgumentParser
import BatonClient
import BatonCore
import Foundation
import Logging
import NIOPosix

/// `baton chat`: a terminal client on the SDK.
struct ChatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat", abstract: "Chats in the terminal.",
        discussion: """
            The password is asked for, or taken from the environment (BATON_PASSWORD). Afterwards the device is remembered \
            under $XDG_STATE_HOME/baton or ~/.local/state/baton, with the messages that could not be sent yet. \
            In a pipe, or with --plain, it reads messages and prints what happens as lines: "<" came, ">" went.
            """)

    @Option(name: .customLong("as"), help: "Your name.") var user: String
    @Option(help: "Whom to talk to.") var with: String?
    @Option(help: "The relay, or several of its nodes, separated by commas (environment: BATON_URL).")
    var server: String?
    @Option(help: "Another device of yours, so that two terminals can be open at once.") var profile = "default"
    @Option(help: ArgumentHelp("The environment variable that has the password.", valueName: "name"))
    var passwordEnv = "BATON_PASSWORD"
    @Option(help: ArgumentHelp("A PEM file of certificates to trust, for https.", valueName: "file")) var trust: String?
    @Flag(help: "Makes a new user, where there is none of this name.") var register = false
    @Flag(help: "Lines instead of a screen.") var plain = false

    static let defaultServer = "http://127.0.0.1:8080"

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let isTerminal = TerminalDevice.isInteractive
        let handle = user.hasPrefix("@") ? String(user.dropFirst()).lowercased() : user.lowercased()
        let addresses = try addresses(environment)
        guard let state = ChatState(environment: environment, addresses: addresses, user: handle, profile: profile)
        else {
            throw ValidationError("--as and --profile are names of the letters a-z, digits, \"_\", \"-\" and \".\"")
        }
        try state.prepare()
        while true {
            let client = try open(addresses, state)
            do {
                try await logIn(client, handle, environment, isTerminal: isTerminal)
            } catch {
                await client.close()
                throw CommandFailure(String(describing: error))
            }
            switch await chat(client, handle, isScreen: isTerminal && !plain) {
            case .left: return
            case .unsent(0): throw CommandFailure("what waits for you could not be fetched; it comes next time")
            case .unsent(let count):
                throw CommandFailure("\(count) messages could not be sent yet; they go out next time")
            case .lost(let reason): throw CommandFailure(reason.words)
            case .failed(let why): throw CommandFailure(why)
            case .loggedOut(let reason):
                try await forget(addresses, state)
                guard isTerminal, !plain else { throw CommandFailure(reason.words) }
                Output.line("Not logged in any more: \(reason.words).")
            }
        }
    }

    private func chat(_ client: BatonClient, _ handle: String, isScreen: Bool) async -> ChatSession.Ending {
        guard let tokens = await client.currentTokens else { return .loggedOut(.loggedOut) }
        let isColourful = ProcessInfo.processInfo.environment["NO_COLOR", default: ""].isEmpty
        let session = ChatSession(
            client: client, tokens: tokens, handle: handle,
            partner: with.map { $0.hasPrefix("@") ? String($0.dropFirst()) : $0 }, clock: Self.now
        ) {
            guard isScreen else { return PlainSurface() }
            return ScreenSurface(terminal: TerminalDevice(), zone: .current, colours: isColourful)
        }
        return await session.run(input: InputReader())
    }

    private func logIn(
        _ client: BatonClient, _ handle: String, _ environment: [String: String], isTerminal: Bool
    ) async throws(ChatLogin.Failure) {
        guard await client.currentTokens == nil else { return }
        let host = ProcessInfo.processInfo.hostName.prefix { $0 != "." }
        let device = profile == "default" ? "terminal on \(host)" : "terminal on \(host) (\(profile))"
        try await ChatLogin(
            client: client, handle: handle,
            deviceName: String(device.prefix(Limits.Account.deviceNameCharacters)),
            password: environment[passwordEnv].flatMap { $0.isEmpty ? nil : $0 }, variable: passwordEnv,
            mayRegister: register, isInteractive: isTerminal && !plain
        ).run()
    }

    /// The device is of no more use: its tokens go, what waits in the outbox stays.
    private func forget(_ addresses: [RelayAddress], _ state: ChatState) async throws {
        let client = try open(addresses, state)
        try? await client.logout()
        await client.close()
    }

    private func open(_ addresses: [RelayAddress], _ state: ChatState) throws -> BatonClient {
        var configuration = ClientConfiguration(addresses: addresses)
        configuration.clientName = "baton-chat/1.0"
        configuration.stateFile = state.path
        configuration.trustedCertificates = trust
        // Nothing but the chat writes to the terminal.
        configuration.logger = Logger(label: "baton.chat") { _ in SwiftLogNoOpLogHandler() }
        do {
            return try BatonClient(configuration)
        } catch {
            guard case .stateFile(let why) = error, why.contains("used by another client") else {
                throw CommandFailure(error.words)
            }
            throw CommandFailure(
                "\(user) is open in another terminal; --profile NAME makes this one a device of its own")
        }
    }

    private func addresses(_ environment: [String: String]) throws -> [RelayAddress] {
        let text = server ?? environment["BATON_URL"] ?? Self.defaultServer
        return try text.split(separator: ",").map { part in
            guard let address = RelayAddress(part.trimmed) else {
                throw ValidationError("'\(part)' is not a server's address, such as \(Self.defaultServer)")
            }
            return address
        }
    }

    @Sendable private static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000)
    }
}
