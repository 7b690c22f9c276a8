import BatonCore

/// What becomes of refresh tokens. Alice has a phone, whose first token is the one of byte 1.
extension AccountStoreConformance {
    static let grace = Limits.Account.refreshGraceSeconds * 1_000

    /// - Parameters:
    ///   - byte: which token comes.
    ///   - next: those that may follow it, the first of which is stored.
    static func exchange(
        _ byte: UInt8, for next: UInt8..., at time: Timestamp = later, expiresAt: Timestamp? = nil
    ) -> RefreshExchange {
        RefreshExchange(
            hash: token(byte).hash, successors: next.map { token($0).hash },
            expiresAt: expiresAt ?? token(byte).expiresAt, at: time)
    }

    static func rotated(to byte: UInt8) -> RefreshRotation {
        .rotated(user: alice, device: phone, successor: token(byte).hash)
    }

    private static func withPhone(_ store: any AccountStore, expiresAt: Timestamp? = nil) async throws {
        _ = try await store.createUser(newUser(alice, "alice"))
        _ = try await store.createDevice(newDevice(phone, of: alice), refreshToken: token(1, expiresAt: expiresAt))
    }

    private static func after(_ milliseconds: Int64) -> Timestamp { later.advanced(byMilliseconds: milliseconds) }

    static let refreshCases: [Case] = [
        Case("A refresh token is exchanged for its successor, which is exchanged in turn") { store in
            try await withPhone(store)
            for number in UInt8(1)...5 {
                let rotation = try await store.rotateRefreshToken(exchange(number, for: number + 1))
                try expectEqual(rotation, rotated(to: number + 1))
            }
            try expectEqual(try await store.devices(of: alice).first?.lastUsedAt, later)
        },
        Case("Within the grace period a token has the same successor again, used or not") { store in
            try await withPhone(store)
            for time in [later, later, after(grace)] {
                try expectEqual(try await store.rotateRefreshToken(exchange(1, for: 2, at: time)), rotated(to: 2))
            }
            try expectEqual(try await store.rotateRefreshToken(exchange(2, for: 3)), rotated(to: 3))
            for time in [later, after(grace)] {
                try expectEqual(try await store.rotateRefreshToken(exchange(1, for: 2, at: time)), rotated(to: 2))
            }
            // The request may have come before the first one was carried out.
            let early = try await store.rotateRefreshToken(exchange(1, for: 2, at: after(-3_000)))
            try expectEqual(early, rotated(to: 2))
            try expectEqual(try await store.standing(of: phone, of: alice), .active)
        },
        Case("As long as its successor was not exchanged, a token is tried again, not stolen") { store in
            try await withPhone(store)
            try expectEqual(try await store.rotateRefreshToken(exchange(1, for: 2)), rotated(to: 2))
            for time in [after(grace + 1), after(3_000_000)] {
                try expectEqual(try await store.rotateRefreshToken(exchange(1, for: 2, at: time)), rotated(to: 2))
            }
            let used = try await store.rotateRefreshToken(exchange(2, for: 3, at: after(3_000_001)))
            try expectEqual(used, rotated(to: 3))
        },
        Case("Once its successor was exchanged and the grace period is over, a token revokes its device") { store in
            try await withPhone(store)
            _ = try await store.createDevice(newDevice(laptop, of: alice), refreshToken: token(9))
            _ = try await store.rotateRefreshToken(exchange(1, for: 2))
            _ = try await store.rotateRefreshToken(exchange(2, for: 3))
            let reuse = try await store.rotateRefreshToken(exchange(1, for: 2, at: after(grace + 1)))
            try expectEqual(reuse, .reused(user: alice, device: phone))
            try expectEqual(try await store.standing(of: phone, of: alice), .revoked(.tokenReused))
            try expectEqual(try await store.standing(of: laptop, of: alice), .active)
            for (dead, outcome) in [(UInt8(1), RefreshRotation.unknown), (2, .unknown), (3, .revoked(.tokenReused))] {
                try expectEqual(try await store.rotateRefreshToken(exchange(dead, for: dead + 1)), outcome)
            }
        },
        Case("Each older generation revokes its device, though the newest is unused") { store in
            try await withPhone(store)
            for number in UInt8(1)...4 { _ = try await store.rotateRefreshToken(exchange(number, for: number + 1)) }
            let reuse = try await store.rotateRefreshToken(exchange(3, for: 4, at: after(grace + 1)))
            try expectEqual(reuse, .reused(user: alice, device: phone))
        },
        Case("The successor that another node stored is found, by whichever key it was made") { store in
            try await withPhone(store)
            try expectEqual(try await store.rotateRefreshToken(exchange(1, for: 2, 102)), rotated(to: 2))
            try expectEqual(try await store.rotateRefreshToken(exchange(1, for: 102, 2)), rotated(to: 2))
            try expectEqual(try await store.rotateRefreshToken(exchange(2, for: 3)), rotated(to: 3))
            try expectEqual(try await store.rotateRefreshToken(exchange(102, for: 103)), .unknown)
        },
        Case("An unused successor whose key is gone gives way to another, and both lead on") { store in
            try await withPhone(store)
            _ = try await store.rotateRefreshToken(exchange(1, for: 2))
            let late = after(grace + 1)
            try expectEqual(try await store.rotateRefreshToken(exchange(1, for: 102, at: late)), rotated(to: 102))
            try expectEqual(try await store.rotateRefreshToken(exchange(1, for: 102, at: late)), rotated(to: 102))
            // Who saw the first one after all goes on with it.
            try expectEqual(try await store.rotateRefreshToken(exchange(2, for: 3, at: late)), rotated(to: 3))
            try expectEqual(try await store.rotateRefreshToken(exchange(3, for: 4, at: late)), rotated(to: 4))
        },
        Case("A successor that was exchanged and cannot be made again is refused within the grace period, no more") {
            store in
            try await withPhone(store)
            _ = try await store.rotateRefreshToken(exchange(1, for: 2))
            _ = try await store.rotateRefreshToken(exchange(2, for: 3))
            try expectEqual(try await store.rotateRefreshToken(exchange(1, for: 102)), .unknown)
            try expectEqual(try await store.rotateRefreshToken(exchange(3, for: 4)), rotated(to: 4))
        },
        Case("A refresh token is good until the millisecond before its end") { store in
            let end = after(1_000)
            try await withPhone(store, expiresAt: end)
            try expectEqual(try await store.rotateRefreshToken(exchange(1, for: 2, at: end)), .expired)
            let inTime = end.advanced(byMilliseconds: -1)
            try expectEqual(try await store.rotateRefreshToken(exchange(1, for: 2, at: inTime)), rotated(to: 2))
        },
        Case("An exchanged token ends with its successor, and a retry lets both end as late as a new one") { store in
            try await withPhone(store, expiresAt: after(1_000))
            let ends = [after(2_000), after(3_000)]
            _ = try await store.rotateRefreshToken(exchange(1, for: 2, at: later, expiresAt: ends[0]))
            let retry = try await store.rotateRefreshToken(exchange(1, for: 2, at: after(1_999), expiresAt: ends[1]))
            try expectEqual(retry, rotated(to: 2))
            // An earlier end shortens nothing.
            _ = try await store.rotateRefreshToken(exchange(1, for: 2, at: after(1_999), expiresAt: ends[0]))
            for byte in [UInt8(1), 2] {
                let late = try await store.rotateRefreshToken(exchange(byte, for: byte + 1, at: ends[1]))
                try expectEqual(late, .expired)
            }
            let used = try await store.rotateRefreshToken(exchange(2, for: 3, at: after(2_999), expiresAt: ends[1]))
            try expectEqual(used, rotated(to: 3))
        },
        Case("A token that was exchanged and has ended is expired: nothing is revoked, and soon it is forgotten") {
            store in
            try await withPhone(store, expiresAt: after(1))
            _ = try await store.rotateRefreshToken(exchange(1, for: 2, at: later, expiresAt: after(1_000)))
            _ = try await store.rotateRefreshToken(exchange(2, for: 3, at: after(1), expiresAt: after(900_000)))
            let end = after(grace + 1_000)
            try expectEqual(try await store.rotateRefreshToken(exchange(1, for: 2, at: end)), .expired)
            try expectEqual(try await store.standing(of: phone, of: alice), .active)
            try expectEqual(try await store.rotateRefreshToken(exchange(3, for: 4, at: end)), rotated(to: 4))
            try expectEqual(try await store.rotateRefreshToken(exchange(1, for: 2, at: end)), .unknown)
            try expectEqual(try await store.standing(of: phone, of: alice), .active)
        },
        Case("An unknown refresh token changes nothing") { store in
            try await withPhone(store)
            for hash in [token(7).hash, [], [1]] {
                let rotation = try await store.rotateRefreshToken(
                    RefreshExchange(
                        hash: hash, successors: [token(8).hash], expiresAt: token(8).expiresAt, at: later))
                try expectEqual(rotation, .unknown)
            }
            try expectEqual(try await store.standing(of: phone, of: alice), .active)
        },
    ]
}
