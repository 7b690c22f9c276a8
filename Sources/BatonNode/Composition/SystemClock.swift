package import BatonCore
import Foundation

/// The host's civil time.
package struct SystemClock: CivilClock {
    package init() {}

    package var now: Timestamp {
        // Not clock_gettime: which module its structure belongs to depends on what else is imported.
        Timestamp(milliseconds: Int64((Date().timeIntervalSince1970 * 1_000).rounded(.down)))
    }
}
