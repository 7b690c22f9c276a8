import BatonAPI
import BatonClient
import BatonCore
import BatonProtocol
import Foundation
import Hummingbird

/// `POST /admin/doctor`: an access token of a user who is nobody, by which `baton doctor` opens a connection through a
/// balancer as clients do. The user is made when it is first asked for.
package struct DoctorRoute: Sendable {
    /// What it answers.
    package struct Answer: Codable, Sendable {
        package let user: String
        package let device: String
        package let accessToken: String
        package let lifetimeSeconds: Int64
    }

    let accounts: any AccountStore
    let tokens: TokenAuthority
    let clock: any CivilClock

    func add(to table: inout RouteTable, behind gate: AdminGate) {
        table.admin(.post, "doctor", behind: gate) { _, _ in try AdminAnswer.json(try await answer()) }
    }

    private func answer() async throws -> Answer {
        do {
            let account = try await CanaryAccount.findOrMake(CanaryHandle.doctor, in: accounts, at: clock.now)
            let token = try await account.token(of: tokens)
            return Answer(
                user: token.user.description, device: token.device.description, accessToken: token.accessToken,
                lifetimeSeconds: token.lifetime.components.seconds)
        } catch {
            throw APIError(
                .storeUnavailable, "the store has no user for the doctor: \(error)", retryAfterMilliseconds: 1_000)
        }
    }
}
