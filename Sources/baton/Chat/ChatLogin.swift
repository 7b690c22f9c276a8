import BatonClient
import BatonCore
import BatonProtocol
import Foundation

/// Makes the terminal a device of the user: logs in, or makes the account first.
struct ChatLogin {
    enum Failure: Error, CustomStringConvertible {
        case gaveUp
        case noPassword(variable: String)
        case wrongPassword(handle: String, canRegister: Bool)
        case taken(handle: String)
        case client(ClientError)

        var description: String {
            switch self {
            case .gaveUp: "not logged in"
            case .noPassword(let variable): "no password: set \(variable), or run it in a terminal to be asked"
            case .wrongPassword(let handle, true):
                "there is no user \(handle), or the password is another one (--register makes a new user)"
            case .wrongPassword(let handle, false): "there is no user \(handle), or the password is another one"
            case .taken(let handle): "the name \(handle) is taken, and its password is another one"
            case .client(let error): error.words
            }
        }
    }

    let client: BatonClient
    let handle: String
    let deviceName: String
    /// The password, where the environment has one, and the name of its variable.
    let password: String?
    let variable: String
    let mayRegister: Bool
    let isInteractive: Bool

    private static let attempts = 3

    func run() async throws(Failure) {
        if let password {
            try await enter(password)
        } else {
            guard isInteractive else { throw .noPassword(variable: variable) }
            try await ask()
        }
    }

    /// With a password that is given: logs in, and where there is no such user and it is wanted, makes it.
    private func enter(_ password: String) async throws(Failure) {
        if try await login(password) { return }
        let makesNew =
            mayRegister || (isInteractive && Prompt.isYes("No user \(handle) with this password. New account?"))
        guard makesNew else { throw .wrongPassword(handle: handle, canRegister: true) }
        guard try await register(password, displayName: handle) else { throw .taken(handle: handle) }
        guard try await login(password) else { throw .wrongPassword(handle: handle, canRegister: false) }
    }

    private func ask() async throws(Failure) {
        if mayRegister || Prompt.isYes("\(handle) is not logged in on this device. New account?") {
            try await askForAccount()
            return
        }
        for _ in 0..<Self.attempts {
            guard let password = Prompt.secret("Password of \(handle): ") else { throw .gaveUp }
            if try await login(password) { return }
            Output.line("Wrong name or password.")
        }
        throw .wrongPassword(handle: handle, canRegister: false)
    }

    private func askForAccount() async throws(Failure) {
        Output.line("The password logs you in, here and on other devices. The relay keeps only a hash of it.")
        var password = try askForPassword()
        Output.line("The display name is what others see beside @\(handle). It can be changed later.")
        var name = try askForName()
        for _ in 0..<Self.attempts {
            do throws(Failure) {
                guard try await register(password, displayName: name) else { throw .taken(handle: handle) }
            } catch .client(.refused(let error)) where error.field == "password" {
                Output.line("The password \(PrintableText.escaped(error.message)).")
                password = try askForPassword()
                continue
            } catch .client(.refused(let error)) where error.field == "display_name" {
                Output.line("The display name \(PrintableText.escaped(error.message)).")
                name = try askForName()
                continue
            }
            guard try await login(password) else { throw .wrongPassword(handle: handle, canRegister: false) }
            return
        }
        throw .gaveUp
    }

    private func askForPassword() throws(Failure) -> String {
        for _ in 0..<Self.attempts {
            guard let password = Prompt.secret("New password: "), let again = Prompt.secret("Once more: ") else {
                throw .gaveUp
            }
            if password == again { return password }
            Output.line("These are two different passwords.")
        }
        throw .gaveUp
    }

    private func askForName() throws(Failure) -> String {
        guard let name = Prompt.line("Display name [\(handle)]: ") else { throw .gaveUp }
        return name.isEmpty ? handle : name
    }

    /// - Returns: false where name or password is wrong.
    private func login(_ password: String) async throws(Failure) -> Bool {
        do {
            try await client.login(handle: handle, password: password, deviceName: deviceName, platform: "terminal")
            return true
        } catch .refused(let error) where error.code == .wrongCredentials {
            return false
        } catch {
            throw .client(error)
        }
    }

    /// - Returns: false where the name is taken.
    private func register(_ password: String, displayName: String) async throws(Failure) -> Bool {
        do {
            try await client.register(handle: handle, displayName: displayName, password: password)
            return true
        } catch .refused(let error) where error.code == .handleTaken {
            return false
        } catch {
            throw .client(error)
        }
    }
}
