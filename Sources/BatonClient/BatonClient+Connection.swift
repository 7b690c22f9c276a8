import BatonCore
import BatonProtocol
import DequeModule
import Logging
import NIOCore

/// Connecting, staying connected, and what to do when that fails.
extension BatonClient {
    /// From the attempt to the relay's greeting.
    private static let greetingTime: TimeAmount = .seconds(10)
    /// Between two looks at whether the server is still there.
    private static let heartbeatTime: TimeAmount = .seconds(5)
    /// Silence after which the server is asked for a sign of life, and after which it is given up.
    private static let pingAfter: TimeAmount = .seconds(25)
    private static let giveUpAfter: TimeAmount = .seconds(45)
    /// An access token that ends sooner is refreshed before it is used.
    private static let refreshBefore: TimeAmount = .seconds(30)
    /// An acknowledgement waits no longer for others.
    private static let ackDelay: TimeAmount = .milliseconds(50)

    /// Connects, and stays connected until ``disconnect()``; ``state`` tells how it goes.
    public func connect() throws(ClientError) {
        if case .closed = phase { throw .closed }
        guard tokens != nil || configuration.tokenProvider != nil else { throw .notLoggedIn }
        guard !configuration.addresses.isEmpty else { throw .unreachable("there is no server address") }
        isWanted = true
        policy.requested()
        if case .idle = phase { attempt(refreshFirst: false) }
    }

    /// Closes the connection. Messages wait in the outbox.
    public func disconnect() {
        isWanted = false
        claim(nil)
        endConnection()
        if case .closed = phase { return }
        phase = .idle
        cancelTimers()
        change(to: .offline(.requested))
    }

    /// Leaves the connection for one to another address, where there is one: for when the network changed, or a server
    /// answers badly. An attempt that waits for its time is made at once. Messages that were not answered are sent again.
    /// Does nothing where the client is not to be connected.
    public func reconnect() {
        guard isWanted else { return }
        policy.networkChanged()
        endConnection()
        cancelTimers()
        turnToAnotherAddress()
        attempt(refreshFirst: false)
    }

    /// Any of the others, so that those who lost the same server do not all go to the same next one.
    private func turnToAnotherAddress() {
        let others = configuration.addresses.count - 1
        if others > 0 { addressIndex += Int.random(in: 1...others, using: &generator) }
    }

    /// The connection's state, from now on; the current one first. A reader that falls behind misses the oldest. It ends
    /// when the client is closed.
    public func states() -> AsyncStream<ConnectionState> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: ConnectionState.self, bufferingPolicy: .bufferingNewest(16))
        if case .closed = phase {
            continuation.yield(state)
            continuation.finish()
            return stream
        }
        let number = nextListener
        nextListener += 1
        stateListeners[number] = continuation
        continuation.onTermination = { [weak self, eventLoop] _ in
            eventLoop.execute { [weak self] in self?.assumeIsolated { $0.stateListeners[number] = nil } }
        }
        continuation.yield(state)
        return stream
    }

    var now: Duration { .nanoseconds(Int64(clamping: NIODeadline.now().uptimeNanoseconds)) }

    func change(to state: ConnectionState) {
        guard self.state != state else { return }
        self.state = state
        for listener in stateListeners.values { listener.yield(state) }
    }

    // MARK: An attempt

    private func attempt(refreshFirst: Bool) {
        guard isWanted else { return }
        connectionNumber += 1
        goAway = nil
        welcomedAt = nil
        phase = .connecting
        let number = connectionNumber
        let address = configuration.addresses[addressIndex % configuration.addresses.count]
        change(to: .connecting(address))
        let isStale = accessExpires.map { $0 < .now() + Self.refreshBefore } ?? false
        let usable = refreshFirst || isStale ? nil : tokens
        let ready = usable.map { eventLoop.makeSucceededFuture($0) } ?? refresh()
        ready.whenComplete { result in
            self.assumeIsolated { client in
                if usable == nil, case .success = result { client.policy.tokensRefreshed() }
                client.authorized(result, at: address, number: number)
            }
        }
    }

    private func authorized(_ result: Result<Tokens, any Error>, at address: RelayAddress, number: UInt64) {
        guard number == connectionNumber, isWanted, case .connecting = phase else { return }
        switch result {
        case .success(let tokens):
            claim(tokens.device)
            open(address, tokens, number: number)
        case .failure(let error):
            switch error as? ClientError {
            case .refused(let error) where error.endsSession: stop(error.sessionEnd)
            case .refused(let error) where !error.isRetryable: stop(.refused(error))
            case .refused(let error): ended(.refused(status: 503, error), number: number)
            case .stateFile(let why): ended(.unreachable(why), number: number)
            default: ended(.unreachable(ConnectFailure.text(error)), number: number)
            }
        }
    }

    private func open(_ address: RelayAddress, _ tokens: Tokens, number: UInt64) {
        observeOpening(address)
        timer = eventLoop.scheduleTask(in: Self.greetingTime) {
            self.assumeIsolated { $0.greetingIsLate(number: number) }
        }
        connector.connect(to: address, accessToken: tokens.accessToken) {
            ClientLink(number: number, client: self)
        }.whenComplete { result in
            self.assumeIsolated { $0.connected(result, number: number) }
        }
    }

    private func connected(_ result: Result<any Channel, any Error>, number: UInt64) {
        switch result {
        case .success(let channel):
            guard number == connectionNumber, isWanted else { return channel.close(promise: nil) }
            connecting = channel
        case .failure(let error): closed(.unreachable(ConnectFailure.text(error)), number: number)
        }
    }

    private func greetingIsLate(number: UInt64) {
        guard number == connectionNumber, welcomedAt == nil else { return }
        leave(.unreachable("no greeting in time"))
    }

    // MARK: A connection, as its link tells

    func opened(_ handle: NIOLoopBound<RelayChannelHandler<ClientLink>>, number: UInt64) {
        guard number == connectionNumber, isWanted else { return handle.value.abort(.closedByClient) }
        phase = .connected(handle, since: .now())
        lastHeard = .now()
        let hello = session.hello(client: configuration.clientName)
        if hello.hello.hasResume { observe(.acknowledging(inbox: hello.hello.resume.inboxSequence)) }
        write(hello)
    }

    func received(_ frames: [WireServerFrame], number: UInt64) {
        guard number == connectionNumber else { return }
        lastHeard = .now()
        for frame in frames {
            if case .event(let event) = frame.frame {
                observe(.receiving(inbox: event.inboxSequence, connection: number))
            }
            let action = session.received(frame, now: now, using: &generator)
            guard run(action) else { return }
        }
        pump()
        acknowledge()
    }

    /// - Returns: false where the connection is no more.
    private func run(_ action: ClientSession.Action) -> Bool {
        switch action {
        case .ignore: break
        case .greeted(let node, _, let resync): greeted(by: node, resync: resync)
        case .deliver(let event, let sequence): push(QueuedEvent(event: event, sequence: sequence))
        case .skip(let sequence):
            if taken == nil, !queue.contains(where: { $0.sequence != nil }) { apply(sequence) }
        case .tell(let event): if queue.count < Self.queuedEvents { push(QueuedEvent(event: event)) }
        case .caughtUp:
            // Once a connection, also where a relay repeats it: what waits for the reader is bounded.
            guard case .catchingUp(let node) = state else { break }
            observe(.caughtUp(connection: connectionNumber))
            change(to: .online(node: node))
            push(QueuedEvent(event: .caughtUp))
        case .settled(let ref, let outcome): settled(ref, outcome)
        case .goAway(let after): goAway = after
        case .violated(let how):
            configuration.logger.warning("the relay broke the protocol", metadata: ["how": "\(how)"])
            leave(.broken(how))
            return false
        }
        return true
    }

    private func greeted(by node: String, resync: ResyncReason?) {
        timer?.cancel()
        timer = nil
        welcomedAt = .now()
        policy.welcomed()
        observe(.welcomed(connection: connectionNumber, node: node))
        change(to: .catchingUp(node: node))
        if let resync {
            // What waits belongs to the numbering that is void now: it is shown, and not acknowledged.
            for index in queue.indices { queue[index].sequence = nil }
            taken = nil
            push(QueuedEvent(event: .resync(resync)))
        }
        if !watched.isEmpty { writeWatch() }
        repeatReads()
        let number = connectionNumber
        heartbeat?.cancel()
        heartbeat = eventLoop.scheduleRepeatedTask(initialDelay: Self.heartbeatTime, delay: Self.heartbeatTime) { _ in
            self.assumeIsolated { $0.listen(number: number) }
        }
    }

    private func listen(number: UInt64) {
        guard number == connectionNumber, case .connected(let handle, _) = phase else { return }
        let silence = NIODeadline.now() - lastHeard
        if silence > Self.giveUpAfter {
            handle.value.abort(.broken("the relay was silent for too long"))
        } else if silence > Self.pingAfter {
            handle.value.ping()
        }
        repeatReads()
    }

    func closed(_ ending: RelayEnding, number: UInt64) {
        ended(ending, number: number)
    }

    private func ended(_ ending: RelayEnding, number: UInt64) {
        guard number == connectionNumber else { return }
        observeEnd(ending)
        connectionNumber += 1
        cancelTimers()
        connecting = nil
        session.disconnected()
        if case .closed = phase { return }
        phase = .idle
        guard isWanted else { return }
        let lived = welcomedAt.map { Duration.nanoseconds((NIODeadline.now() - $0).nanoseconds) } ?? .zero
        let isReplaced = !configuration.returnsWhenDisplaced || claimed.map(ClaimedDevices.areSeveral) ?? false
        switch policy.ended(
            ending, at: now, lived: lived, goAway: goAway, isReplaced: isReplaced, using: &generator)
        {
        case .stop(let reason): stop(reason)
        case .retry(let wait):
            // Where only the tokens were refused, and can be exchanged at once, the address is as good as another.
            if !wait.refreshFirst || wait.delay > .zero { turnToAnotherAddress() }
            configuration.logger.info(
                "connection ended", metadata: ["why": "\(ending.reason)", "retry_in": "\(wait.delay)"])
            plan(
                Attempt(
                    at: now + wait.delay, notBefore: now + wait.atLeast, refreshFirst: wait.refreshFirst,
                    why: ending.reason))
        }
    }

    private func plan(_ next: Attempt) {
        let delay = max(.zero, next.at - now)
        phase = .waiting(next)
        change(to: .waiting(delay, why: next.why))
        timer?.cancel()
        timer = eventLoop.scheduleTask(in: .init(delay)) {
            self.assumeIsolated { $0.attempt(refreshFirst: next.refreshFirst) }
        }
    }

    /// The user acts: an attempt that waits for its time is made now, or as soon as the policy and the server allow.
    func hurry() {
        guard isWanted, case .waiting(let next) = phase else { return }
        let at = max(policy.prompted(at: now), next.notBefore)
        guard at < next.at else { return }
        policy.promptedAttempt(at: at)
        guard at > now else {
            timer?.cancel()
            return attempt(refreshFirst: next.refreshFirst)
        }
        plan(Attempt(at: at, notBefore: next.notBefore, refreshFirst: next.refreshFirst, why: next.why))
    }

    /// Counts this client as the device's, instead of what it was counted as before.
    func claim(_ device: DeviceID?) {
        guard device != claimed else { return }
        if let claimed { ClaimedDevices.remove(claimed) }
        if let device { ClaimedDevices.add(device) }
        claimed = device
    }

    private func stop(_ reason: OfflineReason) {
        isWanted = false
        claim(nil)
        phase = .idle
        cancelTimers()
        change(to: .offline(reason))
    }

    /// Ends a connection that is of no use, and looks for another.
    private func leave(_ ending: RelayEnding) {
        endConnection(ending)
        ended(ending, number: connectionNumber)
    }

    /// Ends the connection, or the attempt. What it still tells, which it may do at once, is not listened to: that it
    /// was closed here would be taken for the application's wish.
    func endConnection(_ ending: RelayEnding = .closedByClient) {
        observeEnd(ending)
        connectionNumber += 1
        if case .connected(let handle, _) = phase {
            handle.value.close(.normal)
            handle.value.abort(.closedByClient)
        } else {
            connecting?.close(promise: nil)
        }
        connecting = nil
        session.disconnected()
        if case .closed = phase { return }
        phase = .idle
    }

    func cancelTimers() {
        timer?.cancel()
        timer = nil
        heartbeat?.cancel()
        heartbeat = nil
        retry?.task.cancel()
        retry = nil
        ackTimer?.cancel()
        ackTimer = nil
    }

    // MARK: Writing

    func write(_ frame: WireClientFrame) {
        guard case .connected(let handle, _) = phase else { return }
        do {
            handle.value.write(try FrameCodec.encode(frame, as: configuration.encoding))
        } catch {
            configuration.logger.error("a frame could not be encoded", metadata: ["error": "\(error)"])
        }
    }

    /// Sends what may be sent.
    func pump() {
        guard session.isGreeted, case .connected(let handle, _) = phase else { return }
        while handle.value.isWritable, queue.count < Self.queuedEvents,
            let message = session.outbox.next(now: now)
        {
            var frame = WireClientFrame()
            frame.send = message.send
            observe(.sending(ref: message.ref, connection: connectionNumber))
            write(frame)
        }
        scheduleRetry()
    }

    /// One timer, for the earliest message that waits for its time.
    private func scheduleRetry() {
        let deadline = session.outbox.nextDeadline
        guard retry?.at != deadline else { return }
        retry?.task.cancel()
        retry = deadline.map { at in
            let task = eventLoop.scheduleTask(in: .init(max(at - now, .zero))) {
                self.assumeIsolated {
                    $0.retry = nil
                    $0.pump()
                }
            }
            return (at, task)
        }
    }

    /// Tells the relay how far the application is: at once when it waits for more, else a little later.
    func acknowledge() {
        if let sequence = session.ackDue(isIdle: consumer != nil || queue.isEmpty) {
            writeAck(sequence)
        } else if ackTimer == nil, session.hasUnacknowledged {
            ackTimer = eventLoop.scheduleTask(in: Self.ackDelay) {
                self.assumeIsolated { client in
                    client.ackTimer = nil
                    if let sequence = client.session.ackDue(isIdle: true) { client.writeAck(sequence) }
                }
            }
        }
    }

    private func writeAck(_ sequence: UInt64) {
        var frame = WireClientFrame()
        frame.ack.inboxSequence = sequence
        observe(.acknowledging(inbox: sequence))
        write(frame)
    }
}

extension RelayEnding {
    /// In words, for people.
    package var reason: String {
        switch self {
        case .unreachable(let why), .broken(let why): why
        case .refused(let status, let error): "refused (\(status)): \(error)"
        case .closed(let code, let reason):
            "closed by the relay (\(code.map { String($0.rawValue) } ?? "no code"))\(reason.isEmpty ? "" : ": \(reason)")"
        case .closedByClient: "closed"
        }
    }
}
