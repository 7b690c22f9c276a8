import BatonClient
import BatonCore

/// A chat that runs: brings the client's events, the person's lines and the time to the model, and carries out what the
/// model asks for. Everything is waited for; nothing is buffered without bound.
actor ChatSession {
    enum Ending: Hashable {
        /// The person left.
        case left
        /// The input ended, and so many messages could not be sent in time.
        case unsent(Int)
        case loggedOut(OfflineReason)
        /// The device may not connect any more.
        case lost(OfflineReason)
        case failed(String)
    }

    /// Requests that wait for the network; a person cannot ask for more.
    private static let queuedRequests = 256
    /// After the end of the input, for what is to be sent.
    private static let leavingMilliseconds: Int64 = 30_000

    let client: BatonClient
    let surface: any ChatSurface
    /// The same surface, where it is one that has keys.
    let screen: ScreenSurface?
    var model: ChatModel
    private let clock: @Sendable () -> Timestamp
    /// Whom to talk to at first.
    private var partner: String?
    private var leavingSince: Timestamp?
    private let requests: (stream: AsyncStream<ChatRequest>, continuation: AsyncStream<ChatRequest>.Continuation)
    private let endings: (stream: AsyncStream<Ending>, continuation: AsyncStream<Ending>.Continuation)
    private let readiness: (stream: AsyncStream<Void>, continuation: AsyncStream<Void>.Continuation)

    /// - Parameter makeSurface: makes a `ScreenSurface` for a person, else lines.
    init(
        client: BatonClient, tokens: Tokens, handle: String, partner: String?,
        clock: @escaping @Sendable () -> Timestamp, makeSurface: @Sendable () -> any ChatSurface
    ) {
        self.client = client
        self.partner = partner
        self.clock = clock
        surface = makeSurface()
        screen = surface as? ScreenSurface
        model = ChatModel(me: tokens.user, handle: handle, device: tokens.device)
        requests = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.queuedRequests))
        endings = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1))
        readiness = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1))
    }

    var now: Timestamp { clock() }

    /// Runs until the person leaves or the device may not connect any more. Closes the client.
    func run(input: InputReader) async -> Ending {
        for message in await client.waitingMessages {
            let text = message.content.shown
            await perform(
                model.answered(.queued(ref: message.ref, text: text, to: message.recipient), now: now))
        }
        do {
            try await client.connect()
        } catch {
            surface.leave()
            await client.close()
            return .failed(error.words)
        }
        let ending = await withTaskGroup(of: Ending?.self) { group in
            group.addTask { await self.followEvents() }
            group.addTask { await self.followStates() }
            group.addTask { await self.followInput(input) }
            group.addTask { await self.serveRequests() }
            group.addTask { await self.tick() }
            group.addTask { await self.followSignals() }
            group.addTask { [stream = endings.stream] in await stream.first { _ in true } }
            var ending: Ending?
            while ending == nil, let next = await group.next() { ending = next }
            group.cancelAll()
            // What waits for an answer of the network is let go by this.
            await client.close()
            return ending ?? .left
        }
        surface.leave()
        await input.close()
        return ending
    }

    func end(_ ending: Ending) {
        endings.continuation.yield(ending)
    }

    /// The input is over: leave once what was written is with the relay and what waited has come.
    func endOfInput() async {
        leavingSince = now
        await leaveIfDone()
    }

    // MARK: Sources

    private func followEvents() async -> Ending? {
        for await event in client.events {
            if let request = model.missing(for: event), let answer = await answer(request) {
                await perform(model.answered(answer, now: now), isQuiet: true)
            }
            await perform(model.received(event, now: now))
            await leaveIfDone()
        }
        return nil
    }

    private func followStates() async -> Ending? {
        for await state in await client.states() {
            await perform(model.connectionChanged(state, now: now))
            if let reason = model.ending {
                return [.loggedOut, .replaced].contains(reason) ? .loggedOut(reason) : .lost(reason)
            }
            if case .online = model.connection { await becomeReady() }
            await leaveIfDone()
        }
        return nil
    }

    private func tick() async -> Ending? {
        while (try? await ContinuousClock().sleep(for: .seconds(1))) != nil {
            await perform(model.ticked(now: now))
            if let leavingSince, now.milliseconds - leavingSince.milliseconds > Self.leavingMilliseconds {
                return .unsent(await client.outboxCount)
            }
        }
        return nil
    }

    private func serveRequests() async -> Ending? {
        for await request in requests.stream {
            if let answer = await answer(request) { await perform(model.answered(answer, now: now)) }
        }
        return nil
    }

    /// The first time online: the conversation that was asked for is opened, then lines may come.
    private func becomeReady() async {
        if let handle = partner {
            partner = nil
            if screen != nil {
                await perform(model.waitFor(handle, now: now))
            } else {
                // A script is not kept waiting for a name that may be misspelt.
                let answer = await answer(.open(handle: handle))
                if case .noSuchUser = answer {
                    return end(.failed("there is no user @\(PrintableText.escaped(handle))"))
                }
                if let answer { await perform(model.answered(answer, now: now)) }
            }
        }
        readiness.continuation.finish()
    }

    /// Lines from a pipe wait for this; a person may write at any time.
    func waitUntilReady() async {
        for await _ in readiness.stream {}
    }

    // MARK: Steps

    /// - Parameter isQuiet: a request on the way to something else: its problems are told by that.
    func perform(_ step: ChatStep, isQuiet: Bool = false) async {
        if !isQuiet { surface.tell(step.notes) }
        for request in step.requests {
            // Lines are for programs: what one asks for is done before the next is read.
            if request.isQuick || screen == nil {
                if let answer = await answer(request) { await perform(model.answered(answer, now: now)) }
            } else {
                requests.continuation.yield(request)
            }
        }
        surface.draw(model, now: now)
    }

    private func leaveIfDone() async {
        guard leavingSince != nil, model.isCaughtUp, model.waitingCount == 0 else { return }
        if await client.outboxCount == 0 { end(.left) }
    }
}
