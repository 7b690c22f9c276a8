import Foundation

/// What the kernel knows about this process, read from /proc when the metrics are read. Without a /proc the values are
/// zero.
enum ProcessMetrics {
    static func observe(with metrics: PrometheusMetrics) {
        metrics.observe(MetricNames.processMemory) { Double(residentBytes()) }
        metrics.observe(MetricNames.processCPU) { cpuSeconds() }
        metrics.observe(MetricNames.processFiles) { Double(descriptors()) }
        metrics.observe(MetricNames.processMaximumFiles) { Double(descriptorLimit()) }
        let start = startSeconds()
        metrics.observe(MetricNames.processStart) { start }
    }

    static func residentBytes() -> Int {
        let fields = text("/proc/self/statm").split(separator: " ")
        return (fields.count > 1 ? Int(fields[1]) ?? 0 : 0) * sysconf(Int32(_SC_PAGESIZE))
    }

    static func descriptors() -> Int {
        // The directory that is being read is one of them.
        max(0, ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []).count - 1)
    }

    static func descriptorLimit() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
        return Int(clamping: limit.rlim_cur)
    }

    static func cpuSeconds() -> Double {
        var usage = rusage()
        guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
        return [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1_000_000 }
    }

    /// Ticks since boot, field 22 of `stat`, counted after the command's name, which may hold anything.
    private static func startSeconds() -> Double {
        let stat = text("/proc/self/stat")
        let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
        let boot = text("/proc/stat").split(separator: "\n").first { $0.hasPrefix("btime ") }?.dropFirst(6)
        guard fields.count > 20, let ticks = Double(fields[20]), let boot, let bootSeconds = Double(boot) else {
            return 0
        }
        return bootSeconds + ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private static func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
}
