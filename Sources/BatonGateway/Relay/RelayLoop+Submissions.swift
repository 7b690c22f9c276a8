package import BatonCore
package import BatonProtocol
import NIOCore

/// A message that came on no connection, while the store has it.
struct Submission {
    typealias Answer = @Sendable (Result<WireAccepted, FrameError>) -> Void

    let sender: Principal
    let ref: String
    let began: NIODeadline
    let refusing: SendNovelty
    let budget: UserBudget
    let answer: Answer
}

@available(*, unavailable) extension Submission: Sendable {}

extension RelayLoop {
    /// What reads sends of a user.
    func reader(of sender: Principal) -> SendReader {
        SendReader(sender: sender, contentLimit: node.settings.contentBytes)
    }

    /// Takes a message as if it had come on a connection of the sender.
    ///
    /// - Parameter answer: called once, when the message is stored or refused, or could not be taken.
    func submit(_ send: WireSend, by sender: Principal, answer: @escaping Submission.Answer) {
        do throws(FrameError) {
            guard submissions < Limits.Node.submissions else {
                throw FrameError(
                    .overloaded, "the node has too much to store; try again", retryAfterMilliseconds: 500)
            }
            let now = eventLoop.now
            var request = try reader(of: sender).request(send, at: clock.now)
            let budget = budget(of: sender.user)
            budgets.submitted(budget, isHere: connections.hasUser(sender.user), at: now)
            request.refusing = try charge(budget, bytes: request.payload.count, at: now)
            traceReceived(request, at: now)
            submissions += 1
            enqueue(
                .send(request),
                for: .submission(
                    Submission(
                        sender: sender, ref: send.ref, began: now, refusing: request.refusing, budget: budget,
                        answer: answer)))
        } catch {
            reject(error, send.ref, of: sender, answer)
        }
    }

    /// The store is done with it.
    func submissionEnded(_ submission: Submission, _ outcome: StoreOutcome, _ stamp: CommitStamp?, at now: NIODeadline)
    {
        submissions -= 1
        chargeEnded(outcome, refusing: submission.refusing, of: submission.budget)
        metrics.countSend(outcome, after: now - submission.began)
        switch outcome {
        case .sent(let message):
            submission.answer(.success(WireAccepted(message, ref: submission.ref)))
            traceAccepted(message, ref: submission.ref, by: submission.sender, stamp, at: now)
        case .refused(.limited(let limit)): reject(limited(limit, of: submission.budget), of: submission)
        case .refused(let refusal): reject(FrameError(WireError(refusal)), of: submission)
        case .failed(let failure): reject(FrameError(WireError(failure)), of: submission)
        case .acknowledged, .markedRead, .connected: break
        }
    }

    private func reject(_ error: FrameError, of submission: Submission) {
        reject(error, submission.ref, of: submission.sender, submission.answer)
    }

    private func reject(_ error: FrameError, _ ref: String, of sender: Principal, _ answer: Submission.Answer) {
        metrics.rejected(error.error.code)
        traceRejected(ref, error.error.code, of: sender)
        answer(.failure(error))
    }
}

extension RelayNode: MessageSubmitter {
    package func submit(_ send: WireSend, by sender: Principal) async throws(FrameError) -> WireAccepted {
        guard let loop = submissionLoop(of: sender.user) else {
            throw FrameError(.overloaded, "the node is stopping; try again", retryAfterMilliseconds: 500)
        }
        let result: Result<WireAccepted, FrameError> = await withCheckedContinuation { continuation in
            loop.eventLoop.execute {
                loop.value.submit(send, by: sender) { continuation.resume(returning: $0) }
            }
        }
        return try result.get()
    }
}
