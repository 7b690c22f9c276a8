package import BatonCore

/// What every `AccountStore` does. Each case is given an empty store.
package enum AccountStoreConformance {
    package typealias Case = ConformanceCase<any AccountStore>

    package static var cases: [Case] { userCases + deviceCases + refreshCases }

    static let start = Timestamp(milliseconds: 1_767_225_600_000)
    static let later = start.advanced(byMilliseconds: 60_000)
    static let alice = UserID(rawValue: 101)
    static let bob = UserID(rawValue: 202)
    static let phone = DeviceID(rawValue: 11)
    static let laptop = DeviceID(rawValue: 12)

    static func newUser(
        _ id: UserID, _ handle: String, phone: String? = nil, email: String? = nil
    ) -> NewUser {
        NewUser(
            id: id, handle: handle, displayName: handle.uppercased(), passwordHash: "hash of \(handle)", phone: phone,
            email: email, createdAt: start)
    }

    static func newDevice(_ id: DeviceID, of user: UserID, at time: Timestamp = start) -> NewDevice {
        NewDevice(id: id, user: user, name: "Device \(id.rawValue)", platform: "test", createdAt: time)
    }

    static func token(_ byte: UInt8, expiresAt: Timestamp? = nil) -> NewRefreshToken {
        NewRefreshToken(
            hash: Array(repeating: byte, count: 32), expiresAt: expiresAt ?? start.advanced(byMilliseconds: 3_600_000))
    }

    private static let userCases: [Case] = [
        Case("A user is found by id and by handle, with the password's hash") { store in
            let made = try await store.createUser(newUser(alice, "alice", phone: "+4912345678", email: "a@b.example"))
            try expectEqual(made.displayName, "ALICE")
            try expectEqual(made.phone, "+4912345678")
            try expectEqual(made.email, "a@b.example")
            try expectEqual(made.about, "")
            try expectEqual(made.createdAt, start)
            try expectEqual(made.lastSeen, nil)
            try expectEqual(try await store.user(alice), made)
            try expectEqual(try await store.user(handle: "alice"), made)
            let credentials = try require(try await store.credentials(handle: "alice"))
            try expectEqual(credentials.user, made)
            try expectEqual(credentials.passwordHash, "hash of alice")
            try expectEqual(try await store.user(bob), nil)
            try expectEqual(try await store.user(handle: "bob"), nil)
            try expectEqual(try await store.credentials(handle: "bob")?.passwordHash, nil)
        },
        Case("A handle belongs to one user; phone and email, which nobody has checked, to any number") { store in
            _ = try await store.createUser(newUser(alice, "alice", phone: "+4912345678", email: "a@b.example"))
            try await expectError(AccountError.handleTaken) { _ = try await store.createUser(newUser(bob, "alice")) }
            try expectEqual(try await store.user(bob), nil)
            let made = try await store.createUser(newUser(bob, "bob", phone: "+4912345678", email: "a@b.example"))
            try expectEqual([made.phone, made.email], ["+4912345678", "a@b.example"])
            try expectEqual(try await store.user(alice)?.phone, "+4912345678")
        },
        Case("Users without phone and email do not collide") { store in
            _ = try await store.createUser(newUser(alice, "alice"))
            _ = try await store.createUser(newUser(bob, "bob"))
        },
        Case("A profile changes in the fields that are given; an empty phone or email is removed") { store in
            _ = try await store.createUser(newUser(alice, "alice", phone: "+4912345678", email: "a@b.example"))
            var change = ProfileChange()
            change.displayName = "Alice L."
            change.about = "in Wonderland"
            change.phone = ""
            let changed = try await store.updateProfile(of: alice, change)
            try expectEqual(changed.displayName, "Alice L.")
            try expectEqual(changed.about, "in Wonderland")
            try expectEqual(changed.phone, nil)
            try expectEqual(changed.email, "a@b.example")
            try expectEqual(try await store.user(alice), changed)
        },
        Case("A profile may say the phone and the email that another's says") { store in
            _ = try await store.createUser(newUser(alice, "alice"))
            _ = try await store.createUser(newUser(bob, "bob", phone: "+4987654321", email: "b@b.example"))
            var change = ProfileChange()
            change.phone = "+4987654321"
            change.email = "b@b.example"
            let changed = try await store.updateProfile(of: alice, change)
            try expectEqual([changed.phone, changed.email], ["+4987654321", "b@b.example"])
        },
        Case("Unknown users cannot be changed, and get no devices") { store in
            _ = try await store.createUser(newUser(bob, "bob"))
            var change = ProfileChange()
            change.displayName = "Nobody"
            try await expectError(AccountError.notFound) { _ = try await store.updateProfile(of: alice, change) }
            try expectEqual(try await store.replacePasswordHash("", by: "hash", of: alice), false)
            try await expectError(AccountError.notFound) {
                _ = try await store.createDevice(newDevice(phone, of: alice), refreshToken: token(1))
            }
        },
        Case("A password's hash is replaced where it is the one that was known") { store in
            _ = try await store.createUser(newUser(alice, "alice"))
            try expectEqual(try await store.replacePasswordHash("hash of bob", by: "another", of: alice), false)
            try expectEqual(try await store.credentials(handle: "alice")?.passwordHash, "hash of alice")
            try expectEqual(try await store.replacePasswordHash("hash of alice", by: "another", of: alice), true)
            try expectEqual(try await store.credentials(handle: "alice")?.passwordHash, "another")
        },
        Case("A device for which a password was given is made as long as that is the user's") { store in
            _ = try await store.createUser(newUser(alice, "alice"))
            func device(_ id: DeviceID, _ hash: String) -> NewDevice {
                NewDevice(id: id, user: alice, name: "", platform: "", createdAt: start, passwordHash: hash)
            }
            _ = try await store.createDevice(device(phone, "hash of alice"), refreshToken: token(1))
            try await expectError(AccountError.passwordChanged) {
                _ = try await store.createDevice(device(laptop, "of yesterday"), refreshToken: token(2))
            }
            try expectEqual(try await store.devices(of: alice).map(\.id), [phone])
        },
        Case("A new password logs the other devices out; where the old one is another by now, nothing happens") {
            store in
            _ = try await store.createUser(newUser(alice, "alice"))
            _ = try await store.createUser(newUser(bob, "bob"))
            let (tablet, foreign) = (DeviceID(rawValue: 13), DeviceID(rawValue: 14))
            for (byte, device) in [(UInt8(1), phone), (2, laptop), (3, tablet)] {
                _ = try await store.createDevice(newDevice(device, of: alice), refreshToken: token(byte))
            }
            _ = try await store.createDevice(newDevice(foreign, of: bob), refreshToken: token(4))
            func change(of old: String) -> PasswordChange {
                PasswordChange(user: alice, device: phone, oldHash: old, newHash: "new")
            }
            try expectEqual(try await store.changePassword(change(of: "of yesterday")), nil)
            try expectEqual(try await store.credentials(handle: "alice")?.passwordHash, "hash of alice")
            try expectEqual(try await store.devices(of: alice).count, 3)

            let revoked = try require(try await store.changePassword(change(of: "hash of alice")))
            try expectEqual(Set(revoked), [laptop, tablet])
            try expectEqual(try await store.credentials(handle: "alice")?.passwordHash, "new")
            try expectEqual(try await store.devices(of: alice).map(\.id), [phone])
            try expectEqual(try await store.devices(of: bob).map(\.id), [foreign])
            for (byte, outcome) in [
                (UInt8(1), rotated(to: 101)), (2, .revoked(.passwordChanged)), (3, .revoked(.passwordChanged)),
            ] {
                try expectEqual(try await store.rotateRefreshToken(exchange(byte, for: byte + 100)), outcome)
            }
        },
        Case("Last seen only moves forward") { store in
            _ = try await store.createUser(newUser(alice, "alice"))
            try await store.recordLastSeen([alice: later, bob: later])
            try await store.recordLastSeen([alice: start])
            try expectEqual(try await store.user(alice)?.lastSeen, later)
        },
        Case("Blocking and unblocking may be repeated") { store in
            _ = try await store.createUser(newUser(alice, "alice"))
            _ = try await store.createUser(newUser(bob, "bob"))
            for _ in 0..<2 { try await store.block(bob, by: alice) }
            for _ in 0..<2 { try await store.unblock(bob, by: alice) }
        },
        Case("Nobody blocks or unblocks themselves, or who does not exist; who does not exist blocks nobody") { store in
            _ = try await store.createUser(newUser(alice, "alice"))
            for change in [store.block, store.unblock] {
                try await expectError(AccountError.sameUser) { try await change(alice, alice) }
                try await expectError(AccountError.notFound) { try await change(bob, alice) }
                try await expectError(AccountError.notFound) { try await change(alice, bob) }
                try await expectError(AccountError.sameUser) { try await change(bob, bob) }
            }
        },
    ]
}
