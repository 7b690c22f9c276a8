#if DEBUG
    import BatonCore
    import NIOCore

    extension RelayLoop {
        /// Planted: tells of messages that are not on disk. With these bugs the store calls twice, the first time before its
        /// commit.
        ///
        /// - Returns: whether this was the first call.
        func tellEarly(_ number: UInt64, _ outcomes: [StoreOutcome]) -> Bool {
            guard let bug = node.settings.plantedBug, bug == .ackBeforeCommit || bug == .publishBeforeCommit,
                number > lastToldEarly, outcomes.contains(where: \.isNewMessage)
            else { return false }
            lastToldEarly = number
            for (origin, outcome) in zip(commits.origins(of: number), outcomes) {
                guard case .send(let handler, let ref, _, _) = origin, case .sent(let message) = outcome else {
                    continue
                }
                if bug == .publishBeforeCommit {
                    hint(message.events)
                } else {
                    handler.sendEnded(ref: ref, outcome)
                    // It ends once more, after the commit.
                    handler.operationBegan()
                }
            }
            return true
        }
    }

    /// Knows whether an event loop has just stood still.
    struct PauseWatch {
        private var lastSecond: NIODeadline?
        private var wentOn: NIODeadline?

        private static let pause = TimeAmount.seconds(2)
        /// For so long what waited in the sockets is read.
        private static let aftermath = TimeAmount.seconds(1)

        mutating func secondPassed(_ now: NIODeadline) {
            if isLate(now) { wentOn = now }
            lastSecond = now
        }

        func isAfterPause(_ now: NIODeadline) -> Bool {
            isLate(now) || wentOn.map { now - $0 < Self.aftermath } ?? false
        }

        private func isLate(_ now: NIODeadline) -> Bool { lastSecond.map { now - $0 > Self.pause } ?? false }
    }

    extension RelayLoop {
        /// Planted: the ref of a send that waited while the node stood still is taken for one that was never seen.
        func forgettingRefAfterPause(_ send: SendRequest, at now: NIODeadline) -> SendRequest {
            guard node.settings.plantedBug == .repeatAsNewAfterPause, pauses.isAfterPause(now) else { return send }
            return SendRequest(
                sender: send.sender, device: send.device, ref: "\(send.ref) \(now.uptimeNanoseconds)",
                target: send.target, payload: send.payload, at: send.at)
        }
    }

    extension RelayHandler {
        /// Planted: what was written counts as acknowledged.
        func storeCursorOnSend(_ position: InboxSequence) {
            guard loop.node.settings.plantedBug == .advanceCursorOnSend else { return }
            let request = AcknowledgeRequest(
                user: principal.user, device: principal.device, position: position, at: loop.clock.now)
            loop.store.submit([.acknowledge(request)]) { _ in }
        }
    }
#endif
