/// 1. What was sent, and where it stands. 3. What is missing in the end.
extension HistoryChecker {
    /// Who is to apply a message: the histories of the recipients' devices, and of the sender's others.
    ///
    /// The one place that knows it. Groups, whose members change, will decide here by the place of a message.
    func entitled(to name: Name, _ message: Sent) -> [Int] {
        var entitled: [Int] = []
        for user in message.recipients { entitled += historiesOf[user] ?? [] }
        for history in userOf[name.device].flatMap({ historiesOf[$0] }) ?? [] where deviceOf[history] != name.device {
            entitled.append(history)
        }
        return entitled.filter { !histories[$0].isRevoked }
    }

    mutating func collectSends() {
        for (history, device) in deviceOf.enumerated() {
            for (index, record) in histories[history].records.enumerated() {
                guard case .invoked(let ref, let conversation, let recipients, let body) = record.event else {
                    continue
                }
                let name = Name(device: device, ref: ref)
                let spot = Spot(history: history, index: index)
                if let first = sent[name] {
                    broken(
                        .refSplit, "\(histories[history].device) used ref \(ref) for two messages", first.at, spot)
                    continue
                }
                sent[name] = Sent(
                    conversation: conversations.number(conversation), recipients: recipients.map { users.number($0) },
                    body: body, at: spot)
            }
        }
    }

    mutating func collectPlaces() {
        for (history, device) in deviceOf.enumerated() {
            for (index, record) in histories[history].records.enumerated() {
                let spot = Spot(history: history, index: index)
                switch record.event {
                case .ok(let ref, let conversation, let sequence):
                    let place = Place(conversation: conversations.number(conversation), sequence: sequence)
                    accepted(Name(device: device, ref: ref), at: place, spot)
                case .failed(let ref, _):
                    sent[Name(device: device, ref: ref)]?.refused = spot
                    verdict.failed += 1
                case .unknown(let ref):
                    sent[Name(device: device, ref: ref)]?.isUnknown = true
                    verdict.unknown += 1
                case .applied(let message):
                    let name = Name(device: devices.number(message.device), ref: message.ref)
                    let place = Place(
                        conversation: conversations.number(message.conversation), sequence: message.sequence)
                    if applied[history][place] == nil { applied[history][place] = index }
                    hold(place, Held(name: name, body: message.body, at: spot))
                default: break
                }
            }
        }
        for (name, message) in sent {
            if message.ok != nil { verdict.accepted += 1 }
            if !message.isSettled { unsettledSends[name.device, default: [:]][message.conversation, default: 0] += 1 }
        }
    }

    private mutating func accepted(_ name: Name, at place: Place, _ spot: Spot) {
        guard let message = sent[name] else {
            broken(.neverSent, "\(name.ref) was accepted as \(text(place)) and never sent", spot)
            return
        }
        if message.conversation != place.conversation {
            broken(
                .neverSent,
                "\(name.ref) was sent to \(conversations.name(message.conversation)) and accepted as \(text(place))",
                message.at, spot)
        }
        if message.ok == nil { sent[name]?.ok = (place, spot) }
        hold(place, Held(name: name, body: message.body, at: spot))
    }

    /// A device says what is at a place: the same as all others say, and nowhere else.
    private mutating func hold(_ place: Place, _ claim: Held) {
        last[place.conversation] = max(last[place.conversation] ?? 0, place.sequence)
        if let first = held[place] {
            if first.name != claim.name || first.body != claim.body {
                broken(
                    .diverged,
                    "\(text(place)) is \(first.name.ref) to one device and \(claim.name.ref) to another", first.at,
                    claim.at)
            }
        } else {
            held[place] = claim
        }
        if let first = places[claim.name] {
            if first.place != place {
                broken(
                    .refSplit,
                    "\(claim.name.ref) of \(devices.name(claim.name.device)) is both \(text(first.place)) and "
                        + text(place), first.at, claim.at)
            }
        } else {
            places[claim.name] = (place, claim.at)
        }
    }

    mutating func lookForLost() {
        for (name, message) in sent {
            guard let ok = message.ok else { continue }
            for history in entitled(to: name, message) where !hasApplied(name, at: ok.place, history) {
                broken(
                    .lost,
                    "\(histories[history].name) never applied \(text(ok.place)), which \(devices.name(name.device)) "
                        + "sent as \(name.ref)", message.at, ok.at)
            }
        }
    }

    /// Whether it was this very message that a device applied at a place.
    private func hasApplied(_ name: Name, at place: Place, _ history: Int) -> Bool {
        guard let index = applied[history][place],
            case .applied(let message) = histories[history].records[index].event
        else { return false }
        return message.ref == name.ref && message.device == devices.name(name.device)
    }

    mutating func lookForRefused() {
        for (name, message) in sent {
            guard let refused = message.refused, let place = places[name] else { continue }
            broken(
                .refusedApplied, "\(name.ref) of \(devices.name(name.device)) was refused and is \(text(place.place))",
                refused, place.at)
        }
    }

    /// An accepted message stands before all of its conversation that anybody sent after its acceptance.
    mutating func lookAtPrecedence() {
        struct Entry {
            let invoked: Int64
            let sequence: UInt64
            let name: Name
            let accepted: (at: Int64, spot: Spot)?
        }
        var conversations: [Int: [Entry]] = [:]
        for (name, message) in sent {
            guard let place = places[name]?.place else { continue }
            conversations[place.conversation, default: []].append(
                Entry(
                    invoked: time(message.at), sequence: place.sequence, name: name,
                    accepted: message.ok.map { (time($0.at), $0.at) }))
        }
        for entries in conversations.values {
            let accepted = entries.compactMap { entry in entry.accepted.map { ($0.at, $0.spot, entry.sequence) } }
                .sorted { $0.0 < $1.0 }
            var (next, highest) = (0, (spot: Spot?.none, sequence: UInt64(0)))
            for entry in entries.sorted(by: { $0.invoked < $1.invoked }) {
                while next < accepted.count, accepted[next].0 < entry.invoked {
                    if accepted[next].2 > highest.sequence { highest = (accepted[next].1, accepted[next].2) }
                    next += 1
                }
                guard let before = highest.spot, entry.sequence < highest.sequence,
                    let message = sent[entry.name], let place = places[entry.name]
                else { continue }
                broken(
                    .orderInverted,
                    "\(text(place.place)) was sent after \(highest.sequence) of the same conversation was accepted",
                    before, message.at, message.ok?.at ?? place.at)
            }
        }
    }
}
