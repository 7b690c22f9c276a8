import BatonCore
import BatonProtocol
import HTTPTypes
import Hummingbird

/// A user's own devices: `/v1/devices`.
struct DeviceRoutes: Sendable {
    let accounts: any AccountStore
    let revoker: DeviceRevoker

    func add(to table: inout RouteTable) {
        table.authenticated(.get, "/v1/devices") { [self] _, _, principal throws(APIError) in
            try await list(principal)
        }
        table.authenticated(.delete, "/v1/devices/{id}") { [self] _, context, principal throws(APIError) in
            try await revoke(principal, context)
        }
    }

    private func list(_ principal: Principal) async throws(APIError) -> Response {
        let devices: [Device]
        do {
            devices = try await accounts.devices(of: principal.user)
        } catch {
            throw APIError(error)
        }
        var body = WireDeviceList()
        body.devices = devices.map { WireDeviceInfo($0, current: principal.device) }
        return try JSONBody.response(body)
    }

    /// Another user's device is as unknown as one that does not exist.
    private func revoke(
        _ principal: Principal, _ context: APIRequestContext
    ) async throws(APIError) -> Response {
        guard let device = DeviceID(context.path("id")) else { throw .unknownDevice }
        let wasRevoked: Bool
        do {
            wasRevoked = try await revoker.revoke(device, of: principal.user, logger: context.logger)
        } catch {
            throw APIError(error)
        }
        guard wasRevoked else { throw .unknownDevice }
        return Response(status: .noContent)
    }
}
