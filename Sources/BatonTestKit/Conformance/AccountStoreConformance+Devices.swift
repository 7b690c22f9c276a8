import BatonCore

/// Devices: how many, which give way, and what they are told.
extension AccountStoreConformance {
    static let deviceCases: [Case] = [
        Case("A user's devices are listed oldest first, without those of others") { store in
            _ = try await store.createUser(newUser(alice, "alice"))
            _ = try await store.createUser(newUser(bob, "bob"))
            let young = try await store.createDevice(newDevice(phone, of: alice, at: later), refreshToken: token(1))
            let old = try await store.createDevice(newDevice(laptop, of: alice), refreshToken: token(2))
            _ = try await store.createDevice(newDevice(DeviceID(rawValue: 13), of: bob), refreshToken: token(3))
            try expectEqual(old.name, "Device 12")
            try expectEqual(old.platform, "test")
            try expectEqual(old.lastUsedAt, start)
            try expectEqual(try await store.devices(of: alice), [old, young])
        },
        Case("A revoked device is gone at once, and only its own user can revoke it") { store in
            _ = try await store.createUser(newUser(alice, "alice"))
            _ = try await store.createUser(newUser(bob, "bob"))
            _ = try await store.createDevice(newDevice(phone, of: alice), refreshToken: token(1))
            try expectEqual(try await store.standing(of: phone, of: alice), .active)
            try expectEqual(try await store.standing(of: phone, of: bob), .unknown)
            try expectEqual(try await store.standing(of: laptop, of: alice), .unknown)
            try expectEqual(try await store.revokeDevice(phone, of: bob, at: later), false)
            try expectEqual(try await store.standing(of: phone, of: alice), .active)
            try expectEqual(try await store.revokeDevice(phone, of: alice, at: later), true)
            try expectEqual(try await store.revokeDevice(phone, of: alice, at: later), false)
            try expectEqual(try await store.standing(of: phone, of: alice), .revoked(.loggedOut))
            try expectEqual(try await store.devices(of: alice), [])
        },
        Case("A revoked device is told why: by its newest refresh token, and no older one") { store in
            _ = try await store.createUser(newUser(alice, "alice"))
            for (byte, device) in [(UInt8(1), phone), (11, laptop)] {
                _ = try await store.createDevice(newDevice(device, of: alice), refreshToken: token(byte))
            }
            _ = try await store.rotateRefreshToken(exchange(1, for: 2))
            _ = try await store.revokeDevice(phone, of: alice, at: later)
            try expectEqual(try await store.rotateRefreshToken(exchange(2, for: 3)), .revoked(.loggedOut))
            try expectEqual(try await store.rotateRefreshToken(exchange(1, for: 2)), .unknown)
            let change = PasswordChange(user: alice, device: phone, oldHash: "hash of alice", newHash: "new")
            _ = try await store.changePassword(change)
            try expectEqual(try await store.standing(of: laptop, of: alice), .revoked(.passwordChanged))
            try expectEqual(try await store.rotateRefreshToken(exchange(11, for: 12)), .revoked(.passwordChanged))
            try expectEqual(
                try await store.rotateRefreshToken(exchange(11, for: 12, at: token(11).expiresAt)), .expired)
        },
        Case("A user has so many devices; one more needs room, and who is connected gives none") { store in
            let devices = try await fill(store)
            let surplus = newDevice(DeviceID(rawValue: 999), of: alice, at: later)
            for connected in [nil, Set(devices)] {
                try await expectError(AccountError.tooManyDevices(limit: limit)) {
                    _ = try await store.createDevice(surplus, refreshToken: token(200), connected: connected)
                }
            }
            try expectEqual(try await store.devices(of: alice).map(\.id), devices)
            _ = try await store.revokeDevice(devices[0], of: alice, at: later)
            let made = try await store.createDevice(surplus, refreshToken: token(201), connected: nil)
            try expectEqual(made.replaced, [])
            try expectEqual(made.device.id, surplus.id)
        },
        Case("The device gives way that is not connected and was unused for the longest, and is told so") { store in
            let devices = try await fill(store)
            // The third is used now; the first two are connected.
            _ = try await store.rotateRefreshToken(exchange(3, for: 103))
            let made = try await store.createDevice(
                newDevice(DeviceID(rawValue: 999), of: alice, at: later), refreshToken: token(200),
                connected: [devices[0], devices[1]])
            try expectEqual(made.replaced, [devices[3]])
            try expectEqual(try await store.standing(of: devices[3], of: alice), .revoked(.replaced))
            try expectEqual(try await store.rotateRefreshToken(exchange(4, for: 5)), .revoked(.replaced))
            try expectEqual(try await store.devices(of: alice).count, limit)
            for device in devices[..<3] {
                try expectEqual(try await store.standing(of: device, of: alice), .active)
            }
        },
        Case("Devices whose refresh tokens have ended do not count, and stay") { store in
            let end = later.advanced(byMilliseconds: -1)
            let devices = try await fill(store, expiresAt: end)
            // This one goes on: its token was exchanged in time.
            _ = try await store.rotateRefreshToken(
                exchange(1, for: 101, at: start, expiresAt: token(1).expiresAt))
            for number in UInt64(1)..<UInt64(limit) {
                let made = try await store.createDevice(
                    newDevice(DeviceID(rawValue: 500 + number), of: alice, at: later),
                    refreshToken: token(UInt8(200 + number)), connected: nil)
                try expectEqual(made.replaced, [])
            }
            try await expectError(AccountError.tooManyDevices(limit: limit)) {
                _ = try await store.createDevice(
                    newDevice(DeviceID(rawValue: 999), of: alice, at: later), refreshToken: token(199), connected: nil)
            }
            try expectEqual(try await store.standing(of: devices[1], of: alice), .active)
        },
        Case("Devices that were not used for long do not count, though their refresh tokens are good") { store in
            let idle = Int64(Limits.Store.idleDeviceDays) * 86_400_000
            let end = start.advanced(byMilliseconds: 2 * idle)
            _ = try await fill(store, expiresAt: end)
            func make(_ number: UInt64, at time: Timestamp) async throws -> CreatedDevice {
                try await store.createDevice(
                    newDevice(DeviceID(rawValue: 500 + number), of: alice, at: time),
                    refreshToken: token(UInt8(200 + number), expiresAt: end), connected: nil)
            }
            try await expectError(AccountError.tooManyDevices(limit: limit)) {
                _ = try await make(1, at: start.advanced(byMilliseconds: idle))
            }
            // The first one, whose last use is the longest ago, is idle now.
            let late = start.advanced(byMilliseconds: idle + 1)
            try expectEqual(try await make(1, at: late).replaced, [])
            try await expectError(AccountError.tooManyDevices(limit: limit)) { _ = try await make(2, at: late) }
        },
        Case("An account is used where its devices logged in or refreshed last, and not where it was taken from them") {
            store in
            _ = try await store.createUser(newUser(alice, "alice"))
            _ = try await store.createUser(newUser(bob, "bob"))
            func make(_ number: UInt8, of user: UserID, in network: UInt64?) async throws {
                let device = NewDevice(
                    id: DeviceID(rawValue: UInt64(number)), user: user, name: "", platform: "", createdAt: start,
                    network: network.map(NetworkMark.init))
                _ = try await store.createDevice(device, refreshToken: token(number))
            }
            func networks() async throws -> Set<UInt64> {
                Set(try require(try await store.credentials(handle: "alice")).networks.map(\.rawValue))
            }
            for (number, network) in [(UInt8(11), UInt64(1)), (12, .max), (13, 3)] {
                try await make(number, of: alice, in: network)
            }
            try await make(14, of: alice, in: nil)
            try await make(15, of: bob, in: 5)
            try expectEqual(try await networks(), [1, .max, 3])
            var moved = exchange(11, for: 21, at: start)
            moved = RefreshExchange(
                hash: moved.hash, successors: moved.successors, expiresAt: moved.expiresAt,
                network: NetworkMark(rawValue: 4), at: start)
            _ = try await store.rotateRefreshToken(moved)
            _ = try await store.rotateRefreshToken(exchange(12, for: 22, at: start))
            try expectEqual(try await networks(), [4, .max, 3])
            // Whom the user logged out was theirs; whom a new password ended may have been somebody else's.
            _ = try await store.revokeDevice(DeviceID(rawValue: 12), of: alice, at: later)
            try expectEqual(try await networks(), [4, .max, 3])
            let change = PasswordChange(
                user: alice, device: DeviceID(rawValue: 11), oldHash: "hash of alice", newHash: "new")
            _ = try await store.changePassword(change)
            try expectEqual(try await networks(), [4, .max])
        },
        Case("No more networks are known than devices are kept: those of the devices used last") { store in
            _ = try await store.createUser(newUser(alice, "alice"))
            let kept = Limits.Account.devicesKept
            for number in 0...kept {
                let device = NewDevice(
                    id: DeviceID(rawValue: UInt64(number)), user: alice, name: "", platform: "",
                    createdAt: start.advanced(byMilliseconds: Int64(number)),
                    network: NetworkMark(rawValue: UInt64(number)))
                _ = try await store.createDevice(device, refreshToken: token(UInt8(number)))
                _ = try await store.revokeDevice(device.id, of: alice, at: later)
            }
            let networks = try require(try await store.credentials(handle: "alice")).networks
            try expectEqual(Set(networks.map(\.rawValue)), Set(1...UInt64(kept)))
        },
        Case("Those that do not count are kept up to a bound, beyond which the longest unused give way") { store in
            let kept = Limits.Account.devicesKept
            let ended = later.advanced(byMilliseconds: -1)
            _ = try await store.createUser(newUser(alice, "alice"))
            func make(_ number: Int, connected: Set<DeviceID>? = nil) async throws -> CreatedDevice {
                try await store.createDevice(
                    newDevice(
                        DeviceID(rawValue: UInt64(number)), of: alice, at: later.advanced(byMilliseconds: Int64(number))
                    ),
                    refreshToken: token(UInt8(number), expiresAt: ended), connected: connected)
            }
            for number in 1...kept { try expectEqual(try await make(number).replaced, []) }
            try await expectError(AccountError.tooManyDevices(limit: limit)) { _ = try await make(kept + 1) }
            let made = try await make(kept + 1, connected: [DeviceID(rawValue: 1)])
            try expectEqual(made.replaced, [DeviceID(rawValue: 2)])
            try expectEqual(try await store.devices(of: alice).count, kept)
        },
    ]

    private static let limit = Limits.Account.devicesPerUser

    /// Alice with as many devices as count, whose tokens are of their numbers, each made and used a millisecond after the one
    /// before.
    private static func fill(_ store: any AccountStore, expiresAt: Timestamp? = nil) async throws -> [DeviceID] {
        _ = try await store.createUser(newUser(alice, "alice"))
        var devices: [DeviceID] = []
        for number in 1...limit {
            let device = newDevice(
                DeviceID(rawValue: UInt64(number)), of: alice, at: start.advanced(byMilliseconds: Int64(number) - 1))
            _ = try await store.createDevice(device, refreshToken: token(UInt8(number), expiresAt: expiresAt))
            devices.append(device.id)
        }
        return devices
    }
}
