#if DEBUG
    import BatonCore

    extension RelayLoop {
        /// Planted: tells of messages that are not on disk. With these bugs a store calls twice, first before its commit.
        ///
        /// - Returns: whether this was the first call.
        func tellEarly(_ number: UInt64, _ outcomes: [StoreOutcome]) -> Bool {
            guard let bug = node.settings.plantedBug, bug == .ackBeforeCommit || bug == .publishBeforeCommit,
                number > lastToldEarly, outcomes.contains(where: \.isNewMessage)
            else { return false }
            lastToldEarly = number
            for (origin, outcome) in zip(submitted[number] ?? [], outcomes) {
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
