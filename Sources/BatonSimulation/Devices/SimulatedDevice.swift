import BatonClient
import BatonCore
import BatonHistory
import BatonProtocol
import BatonTestKit
import NIOCore

/// An installation of the client: the SDK's own machines, driven by virtual time, over simulated connections.
///
/// It sends, applies in its own time, acknowledges, reads, reconnects to any node, and writes down what a person at it
/// would have seen.
final class SimulatedDevice {
    enum Phase {
        case idle
        case connecting
        case connected(SimulatedConnection)
        case waiting
        /// It will not connect again by itself, and why.
        case stopped(String)
    }

    let name: String
    let user: UserID
    let device: DeviceID
    /// What it speaks. Devices of one user may differ.
    let encoding: Subprotocol
    let history: SimulatedHistory
    private(set) var phase = Phase.idle
    private(set) var isCaughtUp = false
    /// What it was told of those whom it watches, on the connection that it has.
    private(set) var known: [UserID: Bool] = [:]
    /// What it does from then on counts no more than what it lacks.
    var isRevoked = false
    /// Whom it watches.
    var watched: [UserID] = []
    /// What it told the relay to have read, since the app was started.
    var told: [ConversationID: ConversationSequence] = [:]
    /// How long applying one event takes.
    var applying: ClosedRange<Int64>

    let world: SimulatedWorld
    private let nodes: [SimulatedNode]
    var session = ClientSession()
    var policy = ReconnectPolicy()
    /// Counts attempts and connections, so that what comes late is recognised.
    var attempt = 0
    private var welcomedAt: Duration?
    private var goAway: Duration?
    private var lastHeard: Duration = .zero
    /// Entries of the inbox that wait to be applied.
    var queue: [(event: ClientEvent, sequence: UInt64?)] = []
    var isApplying = false
    /// Starts of the app: what an earlier one began is void.
    var starts = 0
    var isAckScheduled = false
    var retryAt: Duration?
    /// Messages so far.
    var sent: UInt64 = 0

    /// As the SDK's.
    private static let greetingSeconds: Int64 = 10
    private static let heartbeatSeconds: Int64 = 5
    private static let pingAfter: Duration = .seconds(25)
    private static let giveUpAfter: Duration = .seconds(45)

    init(
        _ name: String, _ user: UserID, _ device: DeviceID, _ encoding: Subprotocol, _ world: SimulatedWorld,
        _ nodes: [SimulatedNode]
    ) {
        self.name = name
        self.user = user
        self.device = device
        self.world = world
        self.nodes = nodes
        applying = 0...200
        self.encoding = encoding
        history = SimulatedHistory(name, user, device, encoding, world)
    }

    var connection: SimulatedConnection? {
        if case .connected(let connection) = phase { connection } else { nil }
    }

    /// Connected, everything applied and nothing left to send.
    var isQuiet: Bool { session.isGreeted && isCaughtUp && queue.isEmpty && session.outbox.count == 0 }

    // MARK: Connecting

    /// Connects for the first time, unless something made it do so before.
    func begin() {
        if case .idle = phase { connect() }
    }

    private func connect() {
        if case .stopped = phase { return }
        if world.isOver { return }
        attempt += 1
        phase = .connecting
        goAway = nil
        welcomedAt = nil
        isCaughtUp = false
        let number = attempt
        let node = nodes[Int.random(in: 0..<nodes.count, using: &world.random)]
        history.connection(number, .opened(address: node.name))
        world.after(world.microseconds(world.network)) { [weak self] in self?.knock(at: node, number) }
        world.after(.seconds(Self.greetingSeconds)) { [weak self] in
            guard let self, number == attempt, welcomedAt == nil else { return }
            if case .stopped = phase { return }
            connection?.hangUp()
            ended(.unreachable("no greeting in time"))
        }
    }

    private func knock(at node: SimulatedNode, _ number: Int) {
        guard number == attempt, case .connecting = phase else { return }
        // Tokens are fresh in a simulation.
        let principal = Principal(
            user: user, device: device, expiresAt: SimulatedWorld.epoch.advanced(byMilliseconds: .max / 2))
        switch node.accept(principal, for: self) {
        case .nobody: later { $0.ended(.unreachable("\(node.name) does not listen")) }
        case .silent(let life):
            life.arrive { [weak self] in self?.knock(at: node, number) }
        case .busy(let milliseconds):
            var error = WireError()
            error.code = ErrorCode.overloaded.rawValue
            error.retryable = true
            error.retryAfterMs = UInt32(clamping: milliseconds)
            let refusal = RelayError(error)
            later { $0.ended(.refused(status: 503, refusal)) }
        case .connected(let connection):
            phase = .connected(connection)
            lastHeard = world.elapsed
            later { $0.opened(connection) }
        }
    }

    private func later(_ body: @escaping (SimulatedDevice) -> Void) {
        let number = attempt
        world.after(world.microseconds(world.network)) { [weak self] in
            if let self, number == attempt { body(self) }
        }
    }

    private func opened(_ connection: SimulatedConnection) {
        guard connection === self.connection else { return }
        let hello = session.hello(client: "simulation")
        // Where it resumes is what it has: the relay takes that for an acknowledgement.
        if hello.hello.hasResume { history.add(.acked(inbox: hello.hello.resume.inboxSequence)) }
        connection.send(hello)
    }

    private func ended(_ ending: RelayEnding) {
        history.ended(attempt, ending)
        attempt += 1
        isCaughtUp = false
        session.disconnected()
        let lived = welcomedAt.map { world.elapsed - $0 } ?? .zero
        switch policy.ended(ending, at: world.elapsed, lived: lived, goAway: goAway, using: &world.random) {
        case .stop(let reason):
            phase = .stopped("\(reason)")
            world.note(name, "stops for good: \(reason)")
        case .retry(let wait):
            phase = .waiting
            world.note(name, "lost its connection (\(ending)), comes back in \(wait.delay)")
            let number = attempt
            world.after(TimeAmount(wait.delay)) { [weak self] in
                if let self, number == attempt { connect() }
            }
        }
    }

    /// The wire's word: the connection is no more.
    func connectionEnded(_ connection: SimulatedConnection, _ ending: RelayEnding) {
        guard connection === self.connection else { return }
        ended(ending)
    }

    /// The user's network, or the app, goes away; it comes back by itself.
    func dropConnection(unnoticedMilliseconds: Int64) {
        guard let connection else { return }
        connection.hangUp(afterMilliseconds: unnoticedMilliseconds)
        ended(.broken("the client's network broke"))
    }

    /// The app is killed and started again: what it had not applied it must be sent again, its outbox is on disk.
    func restart() {
        world.note(name, "is killed and started again")
        connection?.hangUp()
        history.ended(attempt, .broken("the app was killed"))
        let outbox = session.outbox.messages
        starts += 1
        queue = []
        isApplying = false
        session = ClientSession(position: session.position)
        told = [:]
        for message in outbox { _ = session.outbox.enqueue(message, lane: message.send.user) }
        attempt += 1
        isCaughtUp = false
        connect()
    }

    // MARK: Receiving

    func received(_ frame: ServerFrame, on connection: SimulatedConnection) {
        guard connection === self.connection else { return }
        lastHeard = world.elapsed
        switch frame.opcode {
        case 0x1, 0x2:
            guard frame.opcode == (encoding == .json ? 0x1 : 0x2),
                let decoded = try? FrameCodec.decodeServerFrame(frame.payload, as: encoding)
            else { return violated("a frame that is none of \(encoding.rawValue)") }
            if case .event(let event) = decoded.frame {
                history.add(.received(inbox: event.inboxSequence, connection: UInt64(attempt)))
            }
            run(session.received(decoded, now: world.elapsed, using: &world.random))
        case 0x8:
            connection.send(bytes: ClientFrames.close(frame.closeCode))
            connection.hangUp()
            let reason = String(decoding: frame.payload.dropFirst(2), as: UTF8.self)
            ended(.closed(frame.closeCode.flatMap(CloseCode.init(rawValue:)), reason: reason))
        case 0x9: connection.send(bytes: ClientFrames.pong(frame.payload))
        default: break
        }
    }

    func readEnded(_ connection: SimulatedConnection) {
        guard connection === self.connection else { return }
        pump()
        acknowledge()
    }

    private func run(_ action: ClientSession.Action) {
        switch action {
        case .ignore: break
        case .greeted(let node, _, let resync): greeted(by: node, resync: resync)
        case .deliver(let event, let sequence): push(event, sequence)
        case .skip(let sequence): push(.caughtUp, sequence)
        case .tell(.presence(let change)):
            world.note(
                name, "learns that \(SimulationNames.short(change.user)) is \(change.isOnline ? "online" : "offline")")
            known[change.user] = change.isOnline
            history.applied(.presence(change), at: 0)
        case .tell(.typing(let typing)):
            let (typist, id) = (SimulationNames.short(typing.user), SimulationNames.short(typing.conversation))
            world.note(name, "learns that \(typist) \(typing.isActive ? "types" : "stopped to type") in \(id)")
            history.applied(.typing(typing), at: 0)
        case .tell: break
        case .caughtUp:
            isCaughtUp = true
            history.connection(attempt, .live)
        case .settled(let ref, .accepted(let message)):
            world.note(name, "\(ref) is accepted as \(SimulationNames.short(message.id))")
            history.accepted(ref, message.id)
        case .settled(let ref, .rejected(let rejected)):
            world.note(name, "\(ref) is rejected: \(rejected.error)")
            // That the device is revoked says nothing of a message that it sent before.
            let isUnknown = rejected.error.code == .deviceRevoked
            history.add(isUnknown ? .unknown(ref: ref) : .failed(ref: ref, code: rejected.error.codeText))
        case .goAway(let after): goAway = after
        case .violated(let how): violated(how)
        }
    }

    private func violated(_ how: String) {
        world.note(name, "the relay broke the protocol: \(how)")
        history.violated(how)
        connection?.hangUp()
        ended(.broken(how))
    }

    private func greeted(by node: String, resync: ResyncReason?) {
        welcomedAt = world.elapsed
        policy.welcomed()
        known = [:]
        world.note(name, "is welcomed by \(node), stands at \(session.delivered)")
        history.connection(attempt, .welcomed(node: node))
        if let resync {
            for index in queue.indices { queue[index].sequence = nil }
            history.add(.resync("\(resync)"))
        }
        if !watched.isEmpty, let connection {
            var frame = WireClientFrame()
            frame.watch.users = watched.map(\.description)
            history.add(.watching(frame.watch.users))
            connection.send(frame)
        }
        repeatReads()
        beat(attempt)
    }

    private func beat(_ number: Int) {
        world.after(.seconds(Self.heartbeatSeconds)) { [weak self] in
            guard let self, number == attempt, let connection else { return }
            let silence = world.elapsed - lastHeard
            if silence > Self.giveUpAfter {
                connection.hangUp()
                return ended(.broken("the relay was silent for too long"))
            }
            if silence > Self.pingAfter { connection.send(bytes: ClientFrames.ping()) }
            repeatReads()
            beat(number)
        }
    }
}

@available(*, unavailable) extension SimulatedDevice: Sendable {}
