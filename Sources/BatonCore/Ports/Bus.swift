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

    /// False while nothing comes of publishing, as far as the bus knows: it is not connected, or the server refuses. Others, who
    /// share the server, then hear as little from here as is heard from them.
    var carriesHints: Bool { get }

    /// Where received messages and changes of state go. Held weakly.
    var receiver: (any BusReceiver)? { get set }

    /// Subscribes; again and again after each reconnect, until `unsubscribe`. `confirmed` runs once: after the server
    /// has confirmed, or with false where it could not within the command deadline (the subscription stays wanted, and
    /// `subscriptionsRestored` will tell).
    func subscribe(_ channel: BusChannel, confirmed: @escaping (Bool) -> Void)

    func unsubscribe(_ channel: BusChannel)

    /// Sends to all subscribers of a channel.
    ///
    /// - Parameter receivers: gets the number of subscribed connections, or nil where the message could not be sent.
    func publish(_ message: BusMessage, to channel: BusChannel, receivers: ((Int?) -> Void)?)
}

public protocol BusReceiver: AnyObject {
    func received(_ message: BusMessage, on channel: BusChannel)
    /// The subscriber connection is gone: hints may be missed from now on.
    func subscriptionsLost()
    /// All wanted subscriptions are confirmed again: whatever was missed must be looked for in the store.
    func subscriptionsRestored()
}

public enum BusChannel: Hashable, Sendable {
    /// `user:{<user>}`: hints for the user's connections, and control.
    case user(UserID)
    /// `watch:{<user>}`: presence changes for those who look at this user.
    case watch(UserID)
}

/// What travels on the bus. Its text form, readable with `redis-cli`, is the adapter's.
public enum BusMessage: Hashable, Sendable {
    /// An inbox event, as the client's binary frame. `from` is who caused it; never trusted to arrive.
    case event(InboxSequence, frame: [UInt8])
    /// The inbox goes at least this far: what stands for hints that could not be published when it was time.
    case head(InboxSequence)
    /// Somebody types in a conversation, or stopped.
    case typing(ConversationID, by: UserID, active: Bool)
    /// A device connected anew: its connections of lower generations are to be closed.
    case displaced(DeviceID, by: ConnectionGeneration)
    /// A device was revoked: its connections are to be closed.
    case revoked(DeviceID)
    /// The channel's user and this one may have become acquainted, or no longer are: the store knows.
    case acquaintance(UserID)
    /// A user's presence changed. The registry has it by then, and is asked: a message may be late, or lie.
    case presence(UserID, Presence)
}
