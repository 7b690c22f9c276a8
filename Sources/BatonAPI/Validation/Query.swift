import BatonCore
import Foundation
import HTTPTypes
import Hummingbird

/// The parameters of a request's query, each at most once.
struct Query {
    private let values: [String: String]

    init(_ request: Request) throws(APIError) {
        var values: [String: String] = [:]
        for (key, value) in request.uri.queryParameters {
            guard values.updateValue(String(value), forKey: String(key)) == nil else {
                throw .invalid(String(key.prefix(32)), "is given twice")
            }
        }
        self.values = values
    }

    func text(_ name: String) -> String? { values[name] }

    /// How many items a page has.
    func limit() throws(APIError) -> Int {
        guard let text = values["limit"] else { return Limits.Page.defaultItems }
        guard let number = Int(text), (1...Limits.Page.maximumItems).contains(number) else {
            throw .invalid("limit", "is a number from 1 to \(Limits.Page.maximumItems)")
        }
        return number
    }

    /// A conversation's sequence.
    func sequence(_ name: String, from least: UInt64) throws(APIError) -> ConversationSequence? {
        guard let text = values[name] else { return nil }
        guard let number = UInt64(text), number >= least, number <= UInt64(Int64.max) else {
            throw .invalid(name, "is a message's sequence: a number from \(least)")
        }
        return ConversationSequence(rawValue: number)
    }
}

extension APIRequestContext {
    /// A part of the path, without its percent signs.
    func path(_ name: String) -> String {
        guard let text = parameters.get(name) else { return "" }
        return text.removingPercentEncoding ?? text
    }
}
