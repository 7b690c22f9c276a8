/// Publish and subscribe between nodes: where hints and control messages travel. Each event loop owns one.
///
/// What it promises: `confirmed` runs after the bus has taken up a subscription, so that everything published later is
/// received, until the bus says `subscriptionsLost`. All calls and callbacks happen on the owning event loop.
///
/// What it does not promise: that a message arrives. Messages are lost while the connection is down, and the bus may
/// not notice at once that it is.
public protocol Bus: AnyObject {
    /// False while the bus knows that it cannot reach its server.
    var isConnected: Bool { get }

    /// False while the bus knows that hints do not travel: it is not connected, or the server refuses to publish or to
    /// subscribe. Deliveries then come from reads of the store.
    var carriesHints: Bool { get }

    /// Gets received messages and changes of the connection's state. The bus holds it weakly.
    var receiver: (any BusReceiver)? { get set }

    /// Subscribes, and subscribes again after each reconnect, until `unsubscribe`.
    ///
    /// - Parameter confirmed: runs once. True: the server has confirmed. False: it did not confirm in time, or the
    ///   connection was lost; the bus keeps trying and reports success with `subscriptionsRestored`.
    func subscribe(_ channel: BusChannel, confirmed: @escaping (Bool) -> Void)

    /// Ends a subscription. A `confirmed` that still waits runs with false.
    func unsubscribe(_ channel: BusChannel)

    /// Sends to all subscribers of a channel.
    ///
    /// - Parameter receivers: gets the number of subscribed connections, or nil if the message could not be sent.
    func publish(_ message: BusMessage, to channel: BusChannel, receivers: ((Int?) -> Void)?)
}

/// Gets what a bus receives. All calls come on the event loop that owns the bus.
public protocol BusReceiver: AnyObject {
    /// A message came on a subscribed channel.
    func received(_ message: BusMessage, on channel: BusChannel)
    /// The subscriber connection is lost. Hints may be missed from now on.
    func subscriptionsLost()
    /// All wanted subscriptions are confirmed again. Missed hints must be read from the store.
    func subscriptionsRestored()
}

/// A channel of the bus: one of two for each user.
public enum BusChannel: Hashable, Sendable {
    /// `user:{<user>}`: hints for the user's connections, and control.
    case user(UserID)
    /// `watch:{<user>}`: presence changes, for connections that watch this user.
    case watch(UserID)
}

/// A message on the bus. The adapter decides its text form, which `redis-cli` can show.
public enum BusMessage: Hashable, Sendable {
    /// An inbox event: its position in the user's inbox, and the binary frame that the client gets. It may be lost.
    case event(InboxSequence, frame: [UInt8])
    /// The user's inbox reaches at least this position. Sent later in place of hints that could not be published.
    case head(InboxSequence)
    /// A user types in a conversation, or has stopped typing.
    case typing(ConversationID, by: UserID, active: Bool)
    /// The device has a new connection. Its connections of lower generations must close.
    case displaced(DeviceID, by: ConnectionGeneration)
    /// The device was revoked. Its connections must close.
    case revoked(DeviceID)
    /// Whether the channel's user and this one are acquaintances may have changed. The receiver asks the store.
    case acquaintance(UserID)
    /// A user's presence changed. The receiver asks the registry, since this message may be late or forged.
    case presence(UserID, Presence)
}
