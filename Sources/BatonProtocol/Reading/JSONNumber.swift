/// A number of JSON, read exactly and in one pass, however long it is.
///
/// The contract has whole numbers only. JSON may write one with a fraction or an exponent, `1.5e1` is 15.
struct JSONNumber {
    enum Whole: Equatable {
        case number(UInt64)
        /// It has a fraction.
        case fraction
        /// It is below zero or above the greatest number of 64 bits.
        case outOfRange
    }

    /// The number, where it is a whole one.
    let whole: Whole

    /// Nil where the bytes are no number.
    init?(_ bytes: [UInt8], _ range: Range<Int>) {
        var digits = Digits()
        var index = range.lowerBound
        let end = range.upperBound
        func isDigit(_ index: Int) -> Bool { index < end && bytes[index] &- UInt8(ascii: "0") < 10 }

        let isNegative = index < end && bytes[index] == UInt8(ascii: "-")
        if isNegative { index += 1 }
        guard isDigit(index) else { return nil }
        if bytes[index] == UInt8(ascii: "0"), isDigit(index + 1) { return nil }
        while isDigit(index) {
            digits.append(bytes[index])
            index += 1
        }
        var exponent = 0
        if index < end, bytes[index] == UInt8(ascii: ".") {
            index += 1
            guard isDigit(index) else { return nil }
            while isDigit(index) {
                digits.append(bytes[index])
                exponent -= 1
                index += 1
            }
        }
        if index < end, bytes[index] == UInt8(ascii: "e") || bytes[index] == UInt8(ascii: "E") {
            index += 1
            let isDivided = index < end && bytes[index] == UInt8(ascii: "-")
            if isDivided || index < end && bytes[index] == UInt8(ascii: "+") { index += 1 }
            guard isDigit(index) else { return nil }
            var power = 0
            while isDigit(index) {
                // More than a text can have digits is as good as more.
                if power < 1 << 40 { power = power * 10 + Int(bytes[index] - UInt8(ascii: "0")) }
                index += 1
            }
            exponent += isDivided ? -power : power
        }
        guard index == end else { return nil }
        whole = digits.whole(timesTenTo: exponent, isNegative: isNegative)
    }

    /// The digits without the zeros at their end, which may be needed and may not.
    private struct Digits {
        var value: UInt64 = 0
        var zeros = 0
        var isTooLong = false

        mutating func append(_ digit: UInt8) {
            let number = UInt64(digit - UInt8(ascii: "0"))
            if number == 0 {
                zeros += 1
                return
            }
            multiply(byTenTo: zeros + 1)
            zeros = 0
            let (sum, isOver) = value.addingReportingOverflow(number)
            value = sum
            isTooLong = isTooLong || isOver
        }

        private mutating func multiply(byTenTo power: Int) {
            guard value > 0 else { return }
            // 20 digits are the most that 64 bits hold.
            guard power <= 20 else {
                isTooLong = true
                return
            }
            for _ in 0..<power {
                let (product, isOver) = value.multipliedReportingOverflow(by: 10)
                value = product
                isTooLong = isTooLong || isOver
            }
        }

        func whole(timesTenTo exponent: Int, isNegative: Bool) -> Whole {
            guard value > 0 || isTooLong else { return .number(0) }
            let power = exponent + zeros
            guard power >= 0 else { return .fraction }
            var product = self
            product.multiply(byTenTo: power)
            return product.isTooLong || isNegative ? .outOfRange : .number(product.value)
        }
    }
}
