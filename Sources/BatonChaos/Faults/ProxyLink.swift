import DequeModule
import Glibc
import NIOCore

/// One connection through a proxy: two sockets on one event loop, and what the fault of the moment does to the bytes
/// between them.
///
/// Bytes that were swallowed leave a hole in a stream that promises to have none: such a connection is reset when the
/// fault ends, as no network would let it go on.
final class ProxyLink {
    /// What waits on the way to one end, in bytes; above it the other end is not read.
    static let bufferLimit = 256 * 1024

    /// Who is told what becomes of links, in numbers to be added.
    struct Counts {
        /// Bytes that will not be written.
        let swallowed: (Int) -> Void
        /// Links of which one end does not know that the other is gone.
        let halfOpen: (Int) -> Void
    }

    /// One direction.
    private struct Flow {
        var waiting: Deque<(bytes: ByteBuffer, due: NIODeadline)> = []
        var count = 0
        var timer: Scheduled<Void>?
        /// Bytes were swallowed: what follows them must not arrive either.
        var hasHole = false
        /// The end that it comes from is gone.
        var hasEnded = false
        /// The end that it comes from asked to be read, and was put off.
        var isReadOwed = false
    }

    private let eventLoop: any EventLoop
    private let client: any Channel
    private var server: (any Channel)?
    private let counts: Counts
    private var fault: LinkFault?
    private var fromClient = Flow()
    private var fromServer = Flow()
    /// One of the two was told that the other is gone, and the other was not. It finds out by itself.
    private(set) var isHalfOpen = false
    private var isOver = false

    init(client: any Channel, fault: LinkFault?, counts: Counts) {
        self.counts = counts
        eventLoop = client.eventLoop
        self.client = client
        self.fault = fault
        // Who is not there cannot be spoken to.
        fromClient.hasHole = fault == .blackHole
        fromServer.hasHole = fault == .blackHole
    }

    // MARK: What happens

    func connected(to server: any Channel) {
        guard !isOver else { return server.close(promise: nil) }
        self.server = server
        readAgain(.client)
    }

    /// The server cannot be reached, which its client is to notice.
    func couldNotConnect() { reset() }

    func received(_ bytes: ByteBuffer, from end: LinkEnd) {
        guard !isOver else { return }
        if self[end].hasHole || fault?.swallows(from: end) == true {
            self[end].hasHole = true
            return counts.swallowed(bytes.readableBytes)
        }
        var due = NIODeadline.now()
        switch fault {
        case .reset: return resetAfterHalf(of: bytes, to: end.other)
        case .slow(let latency): due = due + TimeAmount(latency)
        case .blackHole, .oneWay, .dribble, .halfOpen, .refuse, nil: break
        }
        self[end].waiting.append((bytes, due))
        self[end].count += bytes.readableBytes
        pump(end)
    }

    /// An end closed its socket.
    func ended(_ end: LinkEnd) {
        guard !isOver else { return }
        self[end].hasEnded = true
        if end == .client, server == nil { return over() }
        // That an end is gone is a word of it as well.
        if self[end].hasHole || fault?.swallows(from: end) == true {
            self[end].hasHole = true
            if self[end.other].hasEnded { over() }
            return
        }
        pump(end)
    }

    func becameWritable(_ end: LinkEnd) {
        pump(end.other)
        readAgain(end.other)
    }

    /// Whether an end may be read; where it may not, it will be later.
    func mayRead(_ end: LinkEnd) -> Bool {
        let target = channel(end.other)
        let isRoom = self[end].hasHole || target?.isWritable == true && self[end].count < Self.bufferLimit
        if !isRoom { self[end].isReadOwed = true }
        return isRoom
    }

    // MARK: Orders

    /// Another fault holds from here on, or none.
    func changed(to fault: LinkFault?) {
        self.fault = fault
        guard !isOver else { return }
        guard !isHalfOpen else { return }
        for end in [LinkEnd.client, .server] where self[end].hasHole && fault?.swallows(from: end) != true {
            return reset()
        }
        switch fault {
        case .refuse: reset()
        case .halfOpen(let end) where server != nil:
            isHalfOpen = true
            counts.halfOpen(1)
            self[end].hasHole = true
            self[end.other].hasHole = true
            channel(end)?.close(promise: nil)
        case .blackHole, .reset, .oneWay, .slow, .dribble, .halfOpen, nil:
            pump(.client)
            pump(.server)
        }
    }

    /// Both sockets are closed.
    var isClosed: Bool { !client.isActive && server?.isActive != true }

    /// Both ends get a reset.
    func reset() {
        for channel in [client, server].compactMap({ $0 }) {
            if let socket = channel as? any SocketOptionProvider {
                _ = socket.setSoLinger(linger(l_onoff: 1, l_linger: 0))
            }
        }
        over()
    }

    // MARK: Private

    private subscript(end: LinkEnd) -> Flow {
        get { end == .client ? fromClient : fromServer }
        _modify { if end == .client { yield &fromClient } else { yield &fromServer } }
    }

    private func channel(_ end: LinkEnd) -> (any Channel)? { end == .client ? client : server }

    /// Writes what is due of what an end said.
    private func pump(_ end: LinkEnd) {
        guard !isOver, self[end].timer == nil, let target = channel(end.other) else { return }
        while let first = self[end].waiting.first, target.isWritable {
            let now = NIODeadline.now()
            guard first.due <= now else { return pumpLater(end, in: first.due - now) }
            if case .dribble(let pause) = fault {
                writeByte(of: end, to: target)
                return pumpLater(end, in: TimeAmount(pause))
            }
            self[end].waiting.removeFirst()
            self[end].count -= first.bytes.readableBytes
            target.writeAndFlush(first.bytes, promise: nil)
        }
        if self[end].waiting.isEmpty, self[end].hasEnded, !self[end].hasHole {
            // Behind all that was written before.
            target.writeAndFlush(ByteBuffer()).assumeIsolated().whenComplete { [self] _ in over() }
        }
        readAgain(end)
    }

    private func resetAfterHalf(of bytes: ByteBuffer, to end: LinkEnd) {
        guard let target = channel(end) else { return reset() }
        let half = ByteBuffer(bytes.readableBytesView.prefix(bytes.readableBytes / 2))
        target.writeAndFlush(half).assumeIsolated().whenComplete { [self] _ in reset() }
    }

    private func writeByte(of end: LinkEnd, to target: any Channel) {
        guard let byte = self[end].waiting[0].bytes.readSlice(length: 1) else { return }
        self[end].count -= 1
        if self[end].waiting[0].bytes.readableBytes == 0 { self[end].waiting.removeFirst() }
        target.writeAndFlush(byte, promise: nil)
    }

    private func pumpLater(_ end: LinkEnd, in delay: TimeAmount) {
        self[end].timer = eventLoop.assumeIsolated().scheduleTask(in: delay) { [self] in
            self[end].timer = nil
            pump(end)
        }
    }

    private func readAgain(_ end: LinkEnd) {
        guard self[end].isReadOwed, !isOver else { return }
        self[end].isReadOwed = false
        channel(end)?.read()
    }

    private func over() {
        guard !isOver else { return }
        isOver = true
        if isHalfOpen { counts.halfOpen(-1) }
        for end in [LinkEnd.client, .server] {
            self[end].timer?.cancel()
            self[end].timer = nil
            self[end].waiting = []
            channel(end)?.close(promise: nil)
        }
    }
}

@available(*, unavailable)
extension ProxyLink: Sendable {}

/// One socket of a link.
final class ProxyHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let link: ProxyLink
    private let end: LinkEnd

    init(_ link: ProxyLink, _ end: LinkEnd) {
        self.link = link
        self.end = end
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        link.received(unwrapInboundIn(data), from: end)
    }

    func read(context: ChannelHandlerContext) {
        if link.mayRead(end) { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { link.becameWritable(end) }
    }

    func channelInactive(context: ChannelHandlerContext) { link.ended(end) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
