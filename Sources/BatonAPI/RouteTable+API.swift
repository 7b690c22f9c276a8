extension RouteTable {
    /// The API. Other routes may be added before the router is made; they get the same errors and headers.
    package init(_ dependencies: APIDependencies, settings: APISettings = APISettings()) {
        let gate = RateGate(limiter: dependencies.limiter, limits: settings.rateLimits)
        var routes = APIRoutes(
            authenticator: Authenticator(
                tokens: dependencies.tokens, accounts: dependencies.accounts, onRefused: dependencies.onRefused),
            stoodStill: dependencies.stoodStill)
        let revoker = DeviceRevoker(
            accounts: dependencies.accounts, revocations: dependencies.revocations, clock: dependencies.clock)
        let check = PasswordCheck(dependencies: dependencies, gate: gate)
        RegistrationRoutes(dependencies: dependencies, gate: gate).add(to: &routes)
        SessionRoutes(dependencies: dependencies, gate: gate, check: check, revoker: revoker).add(to: &routes)
        DeviceRoutes(accounts: dependencies.accounts, check: check, revoker: revoker).add(to: &routes)
        OwnProfileRoutes(accounts: dependencies.accounts, gate: gate).add(to: &routes)
        PasswordRoutes(dependencies: dependencies, gate: gate, revoker: revoker).add(to: &routes)
        ProfileRoutes(dependencies: dependencies, gate: gate).add(to: &routes)
        BlockRoutes(accounts: dependencies.accounts, acquaintances: dependencies.acquaintances).add(to: &routes)
        ConversationRoutes(conversations: dependencies.conversations).add(to: &routes)
        HistoryRoutes(conversations: dependencies.conversations).add(to: &routes)
        MessageRoutes(messages: dependencies.messages).add(to: &routes)
        self = routes.table
    }
}
