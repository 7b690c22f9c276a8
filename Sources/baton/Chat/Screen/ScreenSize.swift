/// A terminal's size in characters.
struct ScreenSize: Hashable {
    var columns: Int
    var rows: Int

    /// What a terminal has that does not tell.
    static let usual = ScreenSize(columns: 80, rows: 24)
    /// Below this nothing is drawn where it belongs.
    static let least = ScreenSize(columns: 20, rows: 5)

    var usable: ScreenSize {
        ScreenSize(columns: max(columns, Self.least.columns), rows: max(rows, Self.least.rows))
    }
}
