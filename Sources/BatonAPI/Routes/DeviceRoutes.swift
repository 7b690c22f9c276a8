import BatonCore
import BatonProtocol
import HTTPTypes
import Hummingbird
import Logging

/// A user's own devices: `/v1/devices`. With the password also for who has no device left to log in on.
struct DeviceRoutes: Sendable {
    let accounts: any AccountStore
    let check: PasswordCheck
    let revoker: DeviceRevoker

    func add(to routes: inout APIRoutes) {
        routes.authenticated(.get, "/v1/devices") { [self] _, _, principal throws(APIError) in
            try await list(of: principal.user, current: principal.device)
        }
        routes.open(.post, "/v1/devices") { [self] request, context throws(APIError) in
            try await listByPassword(request, context)
        }
        routes.authenticated(.delete, "/v1/devices/{id}") { [self] _, context, principal throws(APIError) in
            try await revoke(principal, context)
        }
    }

    private func list(of user: UserID, current: DeviceID?) async throws(APIError) -> Response {
        let devices = try await mapped { () throws(AccountError) in
            try await accounts.devices(of: user)
        }
        var body = WireDeviceList()
        body.devices = devices.map { WireDeviceInfo($0, current: current) }
        return try JSONBody.response(body)
    }

    /// May be repeated: what is removed already is passed over, as is what never was the user's.
    private func listByPassword(
        _ request: Request, _ context: APIRequestContext
    ) async throws(APIError) -> Response {
        let attempt = try await check.begin(from: context.remoteAddress)
        let body = try await JSONBody.decode(WireDevicesRequest.self, from: request)
        let handle = try Text.handle(body.handle)
        let password = try Text.givenPassword(body.password, field: "password")
        let devices = try Self.devices(body.remove)
        let (user, _) = try await check.verify(password, of: handle, attempt, logger: context.logger)
        for device in devices { _ = try await revoke(device, of: user, context.logger) }
        return try await list(of: user, current: nil)
    }

    private static func devices(_ texts: [String]) throws(APIError) -> [DeviceID] {
        let limit = Limits.Account.devicesKept
        guard texts.count <= limit else { throw .invalid("remove", "has at most \(limit) ids") }
        var devices: [DeviceID] = []
        for text in texts {
            guard let device = DeviceID(text) else {
                throw .invalid("remove", "has ids of devices, of \(Base32.length) characters each")
            }
            devices.append(device)
        }
        return devices
    }

    /// Another user's device is as unknown as one that does not exist.
    private func revoke(
        _ principal: Principal, _ context: APIRequestContext
    ) async throws(APIError) -> Response {
        guard let device = DeviceID(context.path("id")),
            try await revoke(device, of: principal.user, context.logger)
        else { throw .unknownDevice }
        return Response(status: .noContent)
    }

    private func revoke(_ device: DeviceID, of user: UserID, _ logger: Logger) async throws(APIError) -> Bool {
        try await mapped { () throws(AccountError) in
            try await revoker.revoke(device, of: user, logger: logger)
        }
    }
}
