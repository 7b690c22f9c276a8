import NIOCore

/// A channel of a simulated process: handlers run in it as in any, what they flush and that they closed it is told to
/// whoever plays the other end.
final class SimulatedChannel: Channel {
    private let core: NIOLoopBound<Core>
    private let loop: SimulatedEventLoop

    private static let address = try? SocketAddress(unixDomainSocketPath: "/simulated")

    /// It is connected from its beginning.
    init(on loop: SimulatedEventLoop) {
        self.loop = loop
        core = NIOLoopBound(Core(loop), eventLoop: loop)
        core.value.pipeline = ChannelPipeline(channel: self)
    }

    /// Called with what was written up to a flush.
    func onFlush(_ body: @escaping (ByteBuffer) -> Void) { core.value.onFlush = body }

    /// Called once, when either end has closed it.
    func onClosed(_ body: @escaping () -> Void) { core.value.onClosed = body }

    /// Bytes arrive.
    func receive(_ buffer: ByteBuffer) {
        guard isActive else { return }
        pipeline.syncOperations.fireChannelRead(NIOAny(buffer))
        pipeline.syncOperations.fireChannelReadComplete()
    }

    /// The other end takes nothing for now, or does again.
    func setWritable(_ isWritable: Bool) {
        guard isActive, core.value.isWritable != isWritable else { return }
        core.value.isWritable = isWritable
        pipeline.syncOperations.fireChannelWritabilityChanged()
    }

    // MARK: Channel

    var allocator: ByteBufferAllocator { ByteBufferAllocator() }
    var closeFuture: EventLoopFuture<Void> { core.value.closed.futureResult }
    var pipeline: ChannelPipeline { core.value.pipeline ?? ChannelPipeline(channel: self) }
    var localAddress: SocketAddress? { Self.address }
    var remoteAddress: SocketAddress? { Self.address }
    var parent: (any Channel)? { nil }
    var isWritable: Bool { core.value.isWritable }
    var isActive: Bool { core.value.isOpen }
    var eventLoop: any EventLoop { loop }
    var _channelCore: any ChannelCore { core.value }

    func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> EventLoopFuture<Void> {
        loop.makeSucceededVoidFuture()
    }

    func getOption<Option: ChannelOption>(_ option: Option) -> EventLoopFuture<Option.Value> {
        loop.makeFailedFuture(ChannelError.operationUnsupported)
    }
}

extension SimulatedChannel {
    fileprivate final class Core: ChannelCore {
        var pipeline: ChannelPipeline?
        var onFlush: (ByteBuffer) -> Void = { _ in }
        var onClosed: () -> Void = {}
        var isWritable = true
        private(set) var isOpen = true
        let closed: EventLoopPromise<Void>
        private let loop: SimulatedEventLoop
        private var pending = ByteBuffer()

        init(_ loop: SimulatedEventLoop) {
            self.loop = loop
            closed = loop.makePromise()
        }

        func localAddress0() throws -> SocketAddress { throw ChannelError.operationUnsupported }
        func remoteAddress0() throws -> SocketAddress { throw ChannelError.operationUnsupported }
        func register0(promise: EventLoopPromise<Void>?) { promise?.succeed() }
        func registerAlreadyConfigured0(promise: EventLoopPromise<Void>?) { promise?.succeed() }
        func bind0(to: SocketAddress, promise: EventLoopPromise<Void>?) { promise?.succeed() }
        func connect0(to: SocketAddress, promise: EventLoopPromise<Void>?) { promise?.succeed() }
        func read0() {}
        func channelRead0(_ data: NIOAny) {}
        func errorCaught0(error: any Error) {}

        func triggerUserOutboundEvent0(_ event: Any, promise: EventLoopPromise<Void>?) {
            promise?.fail(ChannelError.operationUnsupported)
        }

        func write0(_ data: NIOAny, promise: EventLoopPromise<Void>?) {
            var buffer = unwrapData(data, as: ByteBuffer.self)
            pending.writeBuffer(&buffer)
            promise?.succeed()
        }

        func flush0() {
            guard isOpen, pending.readableBytes > 0 else { return }
            let buffer = pending
            pending = ByteBuffer()
            onFlush(buffer)
        }

        func close0(error: any Error, mode: CloseMode, promise: EventLoopPromise<Void>?) {
            guard isOpen, let pipeline else {
                promise?.fail(ChannelError.alreadyClosed)
                return
            }
            isOpen = false
            promise?.succeed()
            pipeline.syncOperations.fireChannelInactive()
            pipeline.syncOperations.fireChannelUnregistered()
            onClosed()
            onFlush = { _ in }
            onClosed = {}
            // Later: whoever closes it may stand in the midst of the pipeline.
            loop.assumeIsolated().execute { [self] in
                removeHandlers(pipeline: pipeline)
                closed.succeed()
            }
        }
    }
}

@available(*, unavailable) extension SimulatedChannel.Core: Sendable {}
