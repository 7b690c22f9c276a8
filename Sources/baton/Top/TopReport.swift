import BatonNode

/// What `baton top --json` prints: the rates that the table shows, as numbers.
struct TopReport: Encodable {
    struct Node: Encodable {
        var node: String
        var address: String
        var state: String
        var problem: String?
        var connections: Int?
        var acceptedPerSecond: Double?
        var deliveredPerSecond: Double?
        var acceptSeconds: Spread?
        var commitSeconds: Spread?
        var batchMean: Double?
        var hintsMissed: Int64?
        var unacknowledged: Int64?
        var slowReaders: Int?
        var redisLoopsConnected: Int?
        var redisLoops: Int?
        var cpu: Double?
        var status: NodeStatus?
    }

    struct Spread: Encodable {
        var p50: Double
        var p99: Double

        init?(_ distribution: Distribution) {
            guard let half = distribution.quantile(0.5), let tail = distribution.quantile(0.99) else { return nil }
            p50 = half
            p99 = tail
        }
    }

    var at: Int64
    var answeredBy: String
    var registryReachable: Bool
    var acceptedPerSecond: Double?
    var deliveredPerSecond: Double?
    var connections: Int
    var acceptSeconds: Spread?
    var commitSeconds: Spread?
    var batchMean: Double?
    var hintsMissedLately: Int64
    var nodes: [Node]
    var redis: ClusterStatus.RedisServer?
    var store: ClusterStatus.SharedStore
    var problems: [ClusterStatus.Problem]

    init(_ model: TopModel, _ look: ClusterStatus) {
        at = look.at
        answeredBy = look.answeredBy
        registryReachable = look.registryReachable
        acceptedPerSecond = model.rate(\.accepted)
        deliveredPerSecond = model.rate(\.delivered)
        connections = model.total { $0.connections.open }
        acceptSeconds = Spread(model.whole(\.accept))
        commitSeconds = Spread(model.whole(\.commit))
        batchMean = model.whole(\.batch).mean
        hintsMissedLately = model.missedLately
        nodes = model.rows.map { Node($0) }
        redis = look.redis
        store = look.store
        problems = model.problems
    }
}

extension TopReport.Node {
    init(_ row: TopModel.Row) {
        node = row.node.node
        address = row.node.address
        problem = row.node.problem
        status = row.status
        guard let status, let rates = row.rates else {
            state = "unreachable"
            return
        }
        state = TopColumn.state(row, status)
        connections = status.connections.open
        acceptedPerSecond = rates.accepted
        deliveredPerSecond = rates.delivered
        acceptSeconds = TopReport.Spread(rates.accept)
        commitSeconds = TopReport.Spread(rates.commit)
        batchMean = rates.batch.mean
        hintsMissed = status.hints.missed
        unacknowledged = status.messages.unacknowledged
        slowReaders = status.slowReaders.count
        redisLoopsConnected = status.redis.connected
        redisLoops = status.redis.loops
        cpu = rates.cpu
    }
}
