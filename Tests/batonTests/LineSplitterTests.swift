import Testing

@testable import baton

@Suite("Lines of a pipe")
struct LineSplitterTests {
    @Test("Lines are the same however the bytes are split, and the last needs no end")
    func splitting() {
        var splitter = LineSplitter()
        #expect(splitter.lines(of: Array("one\r\ntw".utf8)) == ["one"])
        #expect(splitter.lines(of: Array("o\n\n".utf8)) == ["two", ""])
        #expect(splitter.lines(of: Array("end".utf8)) == [])
        #expect(splitter.end() == "end")
        #expect(splitter.end() == nil)
    }

    @Test("A line without end does not grow without end")
    func bound() {
        var splitter = LineSplitter()
        _ = splitter.lines(of: [UInt8](repeating: 120, count: 3 * LineSplitter.lineBytes))
        #expect(splitter.end()?.utf8.count == LineSplitter.lineBytes)
    }
}
