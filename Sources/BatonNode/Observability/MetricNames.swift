/// Every metric of a node, in one table: what an operator reads, and where the exposition takes its help from.
///
/// Names follow Prometheus: base units, `_total` for counters. A label's values are few and known: an error's code, a
/// reason; never a user, an address or anything else that a client chooses.
package enum MetricNames {
    // Connections.
    static let connections = MetricDefinition("baton_connections", .gauge, "Open client connections.")
    static let connectionsOpened = MetricDefinition(
        "baton_connections_opened_total", .counter, "WebSockets that completed their handshake.")
    static let handshakesRefused = MetricDefinition(
        "baton_handshakes_refused_total", .counter,
        "Handshakes and plain requests that were refused before anybody looked into them, by the error's code.")
    static let plainConnections = MetricDefinition(
        "baton_plain_connections", .gauge, "Open connections that are no WebSockets.")
    static let bounded = MetricDefinition(
        "baton_connections_bounded_total", .counter,
        "Connections that a bound refused, or closed for another one, by bound.")
    static let answersAbandoned = MetricDefinition(
        "baton_answers_abandoned_total", .counter, "Connections closed because nobody took their answer.")
    static let connectionsClosed = MetricDefinition(
        "baton_connections_closed_total", .counter, "Connections that ended, by close code (name).")
    static let authenticationFailures = MetricDefinition(
        "baton_auth_failures_total", .counter, "Tokens, passwords and refresh tokens refused, by reason.")

    // Frames.
    static let framesReceived = MetricDefinition("baton_frames_received_total", .counter, "Client messages received.")

    // Messages.
    static let accepted = MetricDefinition(
        "baton_messages_accepted_total", .counter, "Messages stored and answered `accepted`.")
    static let duplicates = MetricDefinition(
        "baton_messages_repeated_total", .counter, "Sends recognised as retries and answered with the first outcome.")
    static let rejected = MetricDefinition(
        "baton_messages_rejected_total", .counter, "Sends answered `rejected`, by code.")
    static let limited = MetricDefinition(
        "baton_sends_limited_total", .counter, "Sends rejected since their user sent too much, by limit.")
    static let acceptSeconds = MetricDefinition(
        "baton_accept_seconds", .seconds(MetricBuckets.latency), "From a send's arrival to its `accepted`.")
    static let eventsDelivered = MetricDefinition(
        "baton_events_delivered_total", .counter, "Inbox events written to devices, by path: hint or drain.")
    static let eventsAcknowledged = MetricDefinition(
        "baton_events_acknowledged_total", .counter, "Inbox events that devices acknowledged.")

    // Hints and drains.
    static let hintsPublished = MetricDefinition("baton_hints_published_total", .counter, "Hints published.")
    static let hintsReceived = MetricDefinition("baton_hints_received_total", .counter, "Hints received.")
    static let hintMissed = MetricDefinition(
        "baton_hint_missed_total", .counter,
        "Events that the backstop found and no hint had told: the bus loses messages.")
    static let disbelieved = MetricDefinition(
        "baton_bus_disbelieved_total", .counter,
        "Messages of the bus, and what the registries say, that were not believed, by reason.")
    static let hintGaps = MetricDefinition(
        "baton_hint_gaps_total", .counter, "Hints that came with a gap before them and started a drain.")
    static let hintsStale = MetricDefinition(
        "baton_hints_stale_total", .counter, "Hints for events that the device had been sent already.")
    static let publishErrors = MetricDefinition(
        "baton_publish_errors_total", .counter, "Hints that could not be published.")
    static let drains = MetricDefinition("baton_drains_total", .counter, "Pages of an inbox read from a position.")
    static let drainsFailed = MetricDefinition(
        "baton_drains_failed_total", .counter, "Pages of an inbox that could not be read.")
    static let unacknowledged = MetricDefinition(
        "baton_unacknowledged_events", .gauge,
        "Events that connected devices have not acknowledged, counted each second.")
    static let slowReaders = MetricDefinition(
        "baton_slow_readers", .gauge, "Connections whose window or socket has been full for a second or longer.")
    static let windowFull = MetricDefinition(
        "baton_window_full_total", .counter, "Times that a connection's window of unacknowledged events filled up.")

    // The store.
    static let commitSeconds = MetricDefinition(
        "baton_store_commit_seconds", .seconds(MetricBuckets.latency), "Duration of a batch's transaction, synced.")
    static let batchOperations = MetricDefinition(
        "baton_store_batch_operations", .amounts(MetricBuckets.batch), "Operations committed together.")
    static let turnstileSeconds = MetricDefinition(
        "baton_store_turnstile_seconds", .seconds(MetricBuckets.latency),
        "Wait of a batch for its turn among the node processes of this host.")
    static let storeQueue = MetricDefinition(
        "baton_store_queued_operations", .gauge, "Operations waiting for a commit.")
    static let walPages = MetricDefinition(
        "baton_store_wal_pages", .gauge, "Pages in the write-ahead log, after the last commit.")
    static let logBytes = MetricDefinition(
        "baton_store_log_bytes", .gauge, "Bytes of the write-ahead log's file.")
    static let checkpointSeconds = MetricDefinition(
        "baton_store_checkpoint_seconds", .seconds(MetricBuckets.latency), "Duration of a checkpoint.")
    static let storeFree = MetricDefinition(
        "baton_store_free_bytes", .gauge, "Bytes free on the store's file system.")
    static let storeDisk = MetricDefinition(
        "baton_store_disk_bytes", .gauge, "Bytes of the store's file system.")
    static let storeErrors = MetricDefinition("baton_store_errors_total", .counter, "Failures of the store, by kind.")

    // Redis.
    static let redisConnected = MetricDefinition(
        "baton_redis_connected", .gauge, "Event loops whose connections to Redis are up and pass the probe.")
    static let redisReconnects = MetricDefinition(
        "baton_redis_reconnects_total", .counter, "Connections to Redis that were made anew.")
    static let redisErrors = MetricDefinition(
        "baton_redis_errors_total", .counter, "Commands that Redis refused or did not answer in time.")
    static let redisRefuses = MetricDefinition(
        "baton_redis_refuses", .gauge, "1 while Redis refuses a function of the node: sessions, hints ...")
    static let redisRefusals = MetricDefinition(
        "baton_redis_refusals_total", .counter, "Commands that Redis answered with an error, by why.")
    static let probeSeconds = MetricDefinition(
        "baton_redis_probe_seconds", .seconds(MetricBuckets.latency),
        "From publishing a probe to receiving it over the subscriber connection.")
    static let presenceChanges = MetricDefinition(
        "baton_presence_changes_total", .counter, "Users who came online or went offline, by state.")

    // Canaries: the node's own messages to itself and to the other nodes. They are in none of the metrics above that
    // count connections and messages.
    static let canarySent = MetricDefinition(
        "baton_canary_sent_total", .counter, "Messages of the canary, by target: local or a node's name.")
    static let canaryDelivered = MetricDefinition(
        "baton_canary_delivered_total", .counter, "Those that the target's device acknowledged, by target.")
    static let canaryFailed = MetricDefinition(
        "baton_canary_failed_total", .counter, "Those that were refused or not delivered in time, by target.")
    static let canarySeconds = MetricDefinition(
        "baton_canary_seconds", .seconds(MetricBuckets.latency),
        "From sending a message to hearing that it was delivered, by target.")
    static let canarySilence = MetricDefinition(
        "baton_canary_silence_seconds", .gauge, "Since a message of the canary was delivered anywhere.")
    static let canaryUnreachable = MetricDefinition(
        "baton_canary_unreachable_nodes", .gauge, "Other nodes that the canary does not reach.")

    // The node.
    static let ready = MetricDefinition("baton_ready", .gauge, "1 while the node takes connections.")
    static let degraded = MetricDefinition(
        "baton_degraded", .gauge, "1 while the node works without something it needs.")
    static let clockOffset = MetricDefinition(
        "baton_clock_offset_seconds", .gauge, "By how much the node's clock is ahead of Redis'.")
    static let loopLagSeconds = MetricDefinition(
        "baton_event_loop_lag_seconds", .seconds(MetricBuckets.latency), "How late an event loop ran a timer.")
    static let seriesRefused = MetricDefinition(
        "baton_metric_series_refused_total", .counter,
        "Label sets beyond the bound, counted under the value `other`, and metrics of conflicting types.")

    // The process, as Prometheus' client libraries name it.
    static let processMemory = MetricDefinition("process_resident_memory_bytes", .gauge, "Resident memory.")
    static let processCPU = MetricDefinition("process_cpu_seconds_total", .counter, "CPU time, user and system.")
    static let processFiles = MetricDefinition("process_open_fds", .gauge, "Open file descriptors.")
    static let processMaximumFiles = MetricDefinition(
        "process_max_fds", .gauge, "File descriptors the process may open.")
    static let processStart = MetricDefinition(
        "process_start_time_seconds", .gauge, "Start of the process, seconds since 1970.")

    package static let all: [MetricDefinition] = [
        connections, connectionsOpened, handshakesRefused, plainConnections, bounded, answersAbandoned,
        connectionsClosed, authenticationFailures, framesReceived,
        accepted, duplicates, rejected, limited, acceptSeconds, eventsDelivered, eventsAcknowledged, hintsPublished,
        hintsReceived, hintMissed, disbelieved, hintGaps, hintsStale, publishErrors, drains, drainsFailed,
        unacknowledged,
        slowReaders, windowFull,
        commitSeconds, batchOperations, turnstileSeconds, storeQueue, walPages, logBytes, checkpointSeconds, storeFree,
        storeDisk,
        storeErrors,
        redisConnected, redisReconnects, redisErrors, redisRefuses, redisRefusals, probeSeconds, presenceChanges,
        canarySent,
        canaryDelivered, canaryFailed, canarySeconds, canarySilence, canaryUnreachable, ready, degraded, clockOffset,
        loopLagSeconds,
        seriesRefused, processMemory, processCPU, processFiles, processMaximumFiles, processStart,
    ]
}
