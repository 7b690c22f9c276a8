import BatonHistory
import Foundation

/// Where a value stands between the bottom and the top of a plot, and which values are written beside it.
struct PlotScale: Hashable, Sendable {
    private enum Kind: Hashable {
        case linear(top: Double)
        /// Between two powers of ten.
        case logarithmic(from: Int, to: Int)
    }

    private let kind: Kind
    /// In ascending order.
    let ticks: [Double]

    private static let exponents = -3...9

    /// From zero to a round number that is not below any of the values.
    static func linear(_ values: some Sequence<Double>, atLeast least: Double = 1) -> PlotScale {
        let highest = max(least, values.lazy.filter(\.isFinite).max() ?? 0)
        let step = roundStep(highest / 4)
        let count = min(8, Int((highest / step).rounded(.up)))
        return PlotScale(
            kind: .linear(top: step * Double(count)), ticks: (0...max(1, count)).map { step * Double($0) })
    }

    /// Powers of ten around the values that are above zero.
    static func logarithmic(_ values: some Sequence<Double>) -> PlotScale {
        let positive = values.filter { $0.isFinite && $0 > 0 }
        func exponent(_ value: Double?, _ rule: FloatingPointRoundingRule) -> Int {
            let exponent = log10(value ?? 1).rounded(rule)
            return Int(min(max(exponent, Double(exponents.lowerBound)), Double(exponents.upperBound)))
        }
        let from = exponent(positive.min(), .down)
        let to = max(exponent(positive.max(), .up), from + 1)
        return PlotScale(kind: .logarithmic(from: from, to: to), ticks: (from...to).map { pow(10, Double($0)) })
    }

    /// 0 at the bottom, 1 at the top; what lies outside is at the border.
    func position(_ value: Double) -> Double {
        guard value.isFinite else { return value > 0 ? 1 : 0 }
        let position =
            switch kind {
            case .linear(let top): value / top
            case .logarithmic(let from, let to):
                value <= 0 ? 0 : (log10(value) - Double(from)) / Double(to - from)
            }
        return min(max(position, 0), 1)
    }

    /// 1, 2 or 5 times a power of ten, not below the value.
    private static func roundStep(_ value: Double) -> Double {
        let power = pow(10, log10(value).rounded(.down))
        return [1, 2, 5, 10].lazy.map { $0 * power }.first { $0 >= value * 0.999_999 } ?? 10 * power
    }
}
