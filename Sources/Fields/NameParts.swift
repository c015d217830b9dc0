/// Names and lines of a fixed form are taken apart by these: the library's regular expressions crash where memory is refused.
extension StringProtocol {
    /// What stands between two texts; nil where this does not begin and end with them.
    public func between(_ beginning: String, _ end: String = "") -> SubSequence? {
        guard hasPrefix(beginning), hasSuffix(end), count >= beginning.count + end.count else { return nil }
        return dropFirst(beginning.count).dropLast(end.count)
    }

    /// Whether it is a whole number without a sign: ASCII digits only.
    public var isDecimal: Bool { !isEmpty && utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } }

    /// Whether it has only lower-case hexadecimal digits, so many of them.
    public func isHexadecimal(count: Int) -> Bool {
        utf8.count == count
            && utf8.allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
            }
    }
}
