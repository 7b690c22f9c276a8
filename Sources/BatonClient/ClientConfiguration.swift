public import BatonCore
package import BatonProtocol
public import Logging

/// How a client is set up.
public struct ClientConfiguration: Sendable {
    /// The relay's addresses; any will do, the others are tried when one fails.
    public var addresses: [RelayAddress]
    /// What the client calls itself, at most 64 bytes.
    public var clientName = "baton-swift/1.0"
    /// Where outbox, position and tokens survive a restart. nil: they live as long as the client. The file is readable
    /// by its owner only, and belongs to one client at a time.
    public var stateFile: String?
    /// Messages that may wait to be accepted.
    public var outboxMessages = 10_000
    /// Their bytes.
    public var outboxBytes = 16 * 1024 * 1024
    /// Messages of one conversation that are sent before the first of them is accepted. With more than one a message
    /// that is refused for a while may be overtaken by the ones sent after it.
    public var inFlightPerConversation = 1
    /// A PEM file of certificates to trust beside the system's, for TLS.
    public var trustedCertificates: String?
    /// The longest wait between two attempts to connect, which are ever rarer while they fail. In the first two minutes it
    /// is 5 s, where this is more. Where the user sends, reads or types, an attempt is made at once, every 2 s at most.
    public var longestReconnectWait: Duration = .seconds(Limits.Reconnect.longestWaitSeconds)
    /// Where access tokens come from, instead of ``BatonClient/login(handle:password:deviceName:platform:)`` and its
    /// refresh token: for applications whose own server holds the session. Asked whenever one is needed, by one
    /// attempt at a time, which waits for the answer. What it throws is tried again later, but for a
    /// ``ClientError/refused(_:)`` that is not to be repeated: the client then goes offline as logged out.
    public var tokenProvider: (@Sendable () async throws -> IssuedToken)?
    /// Where the client tells what it does; never a message or a token.
    public var logger = Logger(label: "baton.client")

    /// Is told what happens below the events, on the client's event loop: for harnesses that write histories.
    package var observer: (@Sendable (ClientObservation) -> Void)?
    /// What random choices (refs, waiting times, servers) are made from, for harnesses whose runs can be made again.
    package var seed: UInt64?
    /// What its connections speak, for harnesses that use them all.
    package var encoding = Subprotocol.proto
    /// Whether a client that is displaced comes back once. For those that look at one connection: false.
    package var returnsWhenDisplaced = true

    public init(addresses: [RelayAddress]) {
        self.addresses = addresses
    }
}

/// An access token that somebody else asked the relay for, or signed with its keys.
public struct IssuedToken: Hashable, Sendable {
    public let user: UserID
    public let device: DeviceID
    public let accessToken: String
    /// For how long it is valid from now on.
    public let lifetime: Duration

    public init(user: UserID, device: DeviceID, accessToken: String, lifetime: Duration) {
        self.user = user
        self.device = device
        self.accessToken = accessToken
        self.lifetime = lifetime
    }
}

/// A device's session.
public struct Tokens: Hashable, Sendable {
    public let user: UserID
    public let device: DeviceID
    public let accessToken: String
    /// Empty where a ``ClientConfiguration/tokenProvider`` issued it.
    public let refreshToken: String

    public init(user: UserID, device: DeviceID, accessToken: String, refreshToken: String) {
        self.user = user
        self.device = device
        self.accessToken = accessToken
        self.refreshToken = refreshToken
    }

    /// - Returns: nil where an answer is incomplete.
    package init?(_ wire: WireTokens) {
        guard let user = UserID(wire.user), let device = DeviceID(wire.device), !wire.accessToken.isEmpty,
            !wire.refreshToken.isEmpty
        else { return nil }
        self.init(user: user, device: device, accessToken: wire.accessToken, refreshToken: wire.refreshToken)
    }

    var wire: WireTokens {
        var wire = WireTokens()
        wire.user = user.description
        wire.device = device.description
        wire.accessToken = accessToken
        wire.refreshToken = refreshToken
        return wire
    }
}
