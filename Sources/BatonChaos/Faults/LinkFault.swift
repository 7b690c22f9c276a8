/// What a `FaultProxy` does to the connections through it.
package enum LinkFault: Hashable, Sendable {
    /// Connections are accepted, and what they carry is swallowed, both ways.
    case blackHole
    /// The next bytes of a connection are cut in the middle, and both ends get a reset.
    case reset
    /// What this end says is swallowed; the other end is heard.
    case oneWay(from: LinkEnd)
    /// Everything comes later by so much.
    case slow(Duration)
    /// A byte at a time.
    case dribble(every: Duration)
    /// This end's sockets are closed, and the others are not told. New connections are left alone.
    case halfOpen(closing: LinkEnd)
    /// Connections are reset, and further ones are refused.
    case refuse

    /// Whether bytes from this end never arrive.
    func swallows(from end: LinkEnd) -> Bool {
        switch self {
        case .blackHole: true
        case .oneWay(let mute): mute == end
        case .reset, .slow, .dribble, .halfOpen, .refuse: false
        }
    }
}

extension LinkFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .blackHole: "black hole"
        case .reset: "resets"
        case .oneWay(let end): "the \(end)'s words lost"
        case .slow(let latency): "\(latency) of latency"
        case .dribble(let pause): "a byte each \(pause)"
        case .halfOpen(let end): "the \(end)'s sockets closed"
        case .refuse: "connections refused"
        }
    }
}

/// The two ends of what goes through a proxy.
package enum LinkEnd: Hashable, Sendable {
    /// Who connected.
    case client
    /// Who listens.
    case server

    var other: LinkEnd { self == .client ? .server : .client }
}
