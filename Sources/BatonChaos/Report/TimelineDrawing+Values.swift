import BatonHistory
import Foundation

/// The values under the pointer, as the page's script reads them.
extension TimelineDrawing {
    private struct Values: Encodable {
        struct Series: Encodable {
            let name: String
            let color: String
            let values: [String?]
        }

        struct Plot: Encodable {
            let title: String
            let series: [Series]
        }

        let width, left, right: Double
        let times: [String]
        let plots: [Plot]
    }

    /// JSON that can stand in a `script` element: no character of it begins markup.
    var values: String {
        let grid = series.grid
        let values = Values(
            width: Self.width, left: Self.left, right: Self.right,
            times: (0..<grid.count).map {
                Reading.moment(grid.start + Int64($0) * grid.width - series.zero, tenths: grid.width < 1_000_000_000)
            },
            plots: plots.map { plot in
                Values.Plot(
                    title: plot.title,
                    series: plot.series.map { series in
                        Values.Series(
                            name: Markup.visible(series.name, limit: 60), color: series.color,
                            values: series.values.map { $0.map(plot.reading) })
                    })
            })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let json = (try? encoder.encode(values)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
        return ["<": "\\u003c", ">": "\\u003e", "&": "\\u0026"].reduce(json) {
            $0.replacingOccurrences(of: $1.key, with: $1.value)
        }
    }
}
