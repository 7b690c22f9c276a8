package import Hummingbird

/// REST, to be mounted on a node's port. Further routes may be added to the router before its responder is built; they
/// get the same errors and headers.
package func makeRouter(
    _ dependencies: APIDependencies, settings: APISettings = APISettings()
) -> Router<APIRequestContext> {
    let router = Router(context: APIRequestContext.self, options: .autoGenerateHeadEndpoints)
    let gate = RateGate(limiter: dependencies.limiter, limits: settings.rateLimits)
    let authenticator = Authenticator(
        tokens: dependencies.tokens, accounts: dependencies.accounts, onRefused: dependencies.onRefused)

    // The middleware has to be there before the routes, which take up the middlewares of their registration.
    router.add(middleware: ErrorMiddleware(methods: catalogue(dependencies, gate, authenticator)))
    var table = RouteTable(
        router: router, authenticator: authenticator, stoodStill: dependencies.stoodStill)
    addRoutes(to: &table, dependencies, gate)
    return router
}

/// The methods of all paths, learned by registering them with a router that nobody uses.
private func catalogue(
    _ dependencies: APIDependencies, _ gate: RateGate, _ authenticator: Authenticator
) -> MethodCatalogue {
    var table = RouteTable(
        router: Router(context: APIRequestContext.self), authenticator: authenticator,
        stoodStill: dependencies.stoodStill)
    addRoutes(to: &table, dependencies, gate)
    return table.methods
}

private func addRoutes(to table: inout RouteTable, _ dependencies: APIDependencies, _ gate: RateGate) {
    let revoker = DeviceRevoker(
        accounts: dependencies.accounts, revocations: dependencies.revocations, clock: dependencies.clock)
    let check = PasswordCheck(dependencies: dependencies, gate: gate)
    RegistrationRoutes(dependencies: dependencies, gate: gate).add(to: &table)
    SessionRoutes(dependencies: dependencies, gate: gate, check: check, revoker: revoker).add(to: &table)
    DeviceRoutes(accounts: dependencies.accounts, check: check, revoker: revoker).add(to: &table)
    OwnProfileRoutes(accounts: dependencies.accounts, gate: gate).add(to: &table)
    PasswordRoutes(dependencies: dependencies, gate: gate, revoker: revoker).add(to: &table)
    ProfileRoutes(dependencies: dependencies, gate: gate).add(to: &table)
    BlockRoutes(accounts: dependencies.accounts, acquaintances: dependencies.acquaintances).add(to: &table)
    ConversationRoutes(conversations: dependencies.conversations).add(to: &table)
    HistoryRoutes(conversations: dependencies.conversations).add(to: &table)
    MessageRoutes(messages: dependencies.messages).add(to: &table)
}
