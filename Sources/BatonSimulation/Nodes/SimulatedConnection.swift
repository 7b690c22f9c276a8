import BatonClient
import BatonCore
import BatonGateway
import BatonHistory
import BatonProtocol
import BatonTestKit
import NIOCore

/// One client's connection: the node's handlers on a channel, and a wire each way that keeps the order, takes its time,
/// and may break.
final class SimulatedConnection {
    private let life: SimulatedNode.Life
    private let world: SimulatedWorld
    private let channel: SimulatedChannel
    private let handler: RelayHandler
    private let principal: Principal
    private weak var device: SimulatedDevice?
    private var lastArrivalAtNode = NIODeadline.uptimeNanoseconds(0)
    private var lastArrivalAtClient = NIODeadline.uptimeNanoseconds(0)
    /// Bytes that left the node and that the client has not read.
    private var unread = 0
    /// What waits for a client that does not read.
    private var held: [ByteBuffer] = []
    private var isReaderStuck = false
    private var isBroken = false
    private var received = ByteBuffer()
    private let encoding: Subprotocol
    /// Its JSON escapes all that is not ASCII, which means the same.
    private let isEscaped: Bool

    /// Small, so that few events fill it.
    private static let highWatermark = 1_024
    private static let lowWatermark = 256

    init(_ life: SimulatedNode.Life, _ principal: Principal, _ loop: RelayLoop, _ device: SimulatedDevice) {
        self.life = life
        self.principal = principal
        self.device = device
        world = life.world
        channel = SimulatedChannel(on: life.loop)
        encoding = device.encoding
        isEscaped = world.happens(0.5)
        handler = RelayHandler(principal: principal, encoding: encoding, loop: loop)
        channel.onFlush { [weak self] in self?.leftNode($0) }
        channel.onClosed { [weak self] in self?.closedByNode() }
        do {
            try channel.pipeline.syncOperations.addHandlers([WebSocketHandler(), handler])
        } catch {
            preconditionFailure("a fresh channel takes handlers: \(error)")
        }
    }

    /// As the node sees it.
    var isOpen: Bool { channel.isActive }
    var nodeName: String { life.name }
    var user: UserID { principal.user }
    var deviceID: DeviceID { principal.device }
    /// What it stands under in Redis; nil while it does not.
    var generation: ConnectionGeneration? { handler.generation }
    var since: Timestamp { handler.since }

    // MARK: The client's side

    func send(_ frame: WireClientFrame) {
        guard let payload = try? FrameCodec.encode(frame, as: encoding) else { return }
        switch encoding {
        case .proto: send(bytes: ClientFrames.binary(payload))
        case .json: send(bytes: ClientFrames.frame(0x1, isEscaped ? EscapedJSON.escape(payload) : payload))
        }
    }

    func send(bytes: [UInt8]) {
        guard !isBroken else { return }
        lastArrivalAtNode = max(lastArrivalAtNode, world.eventLoop.now + world.microseconds(world.network))
        world.at(lastArrivalAtNode) { [self] in
            life.arrive { [self] in
                if life.isAlive { channel.receive(ByteBuffer(bytes: bytes)) }
            }
        }
    }

    /// The client hangs up: in order behind what it sent, or at once without the node hearing of it for a while.
    func hangUp(afterMilliseconds milliseconds: Int64 = 0) {
        guard !isBroken else { return }
        isBroken = true
        device = nil
        let (life, channel) = (life, channel)
        let noticed = world.eventLoop.now + world.microseconds(world.network) + .milliseconds(milliseconds)
        lastArrivalAtNode = max(lastArrivalAtNode, noticed)
        world.at(lastArrivalAtNode) { [weak self] in
            life.arrive { [weak self] in
                channel.close(promise: nil)
                if let self { life.gone(self) }
            }
        }
    }

    /// The network between breaks: both ends learn it, what was under way is lost.
    func cut() {
        guard !isBroken else { return }
        let device = device
        hangUp()
        device?.connectionEnded(self, .broken("the network broke"))
    }

    /// The client stops reading, or goes on.
    func setStuck(_ isStuck: Bool) {
        isReaderStuck = isStuck
        guard !isStuck else { return }
        let buffers = held
        held = []
        for buffer in buffers { read(buffer) }
    }

    // MARK: The node's side

    /// The process is gone: its kernel closes the socket; what left before still arrives.
    func nodeDied() {
        lastArrivalAtClient = max(lastArrivalAtClient, world.eventLoop.now + world.microseconds(world.network))
        world.at(lastArrivalAtClient) { [self] in
            guard !isBroken else { return }
            isBroken = true
            device?.connectionEnded(self, .broken("the node died"))
        }
        channel.close(promise: nil)
    }

    private func leftNode(_ buffer: ByteBuffer) {
        life.leave { [self] in travel(buffer) }
    }

    private func travel(_ buffer: ByteBuffer) {
        guard life.isAlive, !isBroken else { return }
        unread += buffer.readableBytes
        if channel.isWritable, unread > Self.highWatermark { writabilityChanged(to: false) }
        lastArrivalAtClient = max(lastArrivalAtClient, world.eventLoop.now + world.microseconds(world.network))
        world.at(lastArrivalAtClient) { [self] in
            if isReaderStuck { held.append(buffer) } else { read(buffer) }
        }
    }

    private func read(_ buffer: ByteBuffer) {
        unread -= buffer.readableBytes
        if channel.isActive, !channel.isWritable, unread < Self.lowWatermark { writabilityChanged(to: true) }
        guard !isBroken, let device else { return }
        var buffer = buffer
        received.writeBuffer(&buffer)
        for frame in ServerFrame.readAll(from: &received) {
            guard !isBroken else { return }
            device.received(frame, on: self)
        }
        if !isBroken { device.readEnded(self) }
    }

    private func writabilityChanged(to isWritable: Bool) {
        let (life, channel) = (life, channel)
        world.at(world.eventLoop.now) {
            life.arrive { channel.setWritable(isWritable) }
        }
    }

    private func closedByNode() {
        life.gone(self)
        life.leave { [self] in closingTravels() }
    }

    private func closingTravels() {
        guard life.isAlive, !isBroken else { return }
        lastArrivalAtClient = max(lastArrivalAtClient, world.eventLoop.now + world.microseconds(world.network))
        world.at(lastArrivalAtClient) { [self] in
            guard !isBroken else { return }
            isBroken = true
            device?.connectionEnded(self, .broken("the node closed the connection"))
        }
    }
}

@available(*, unavailable) extension SimulatedConnection: Sendable {}
