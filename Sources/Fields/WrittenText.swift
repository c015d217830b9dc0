/// Parses a whole number from 1 to 1e12: "65536", "1e5" or "100_000"; nil for anything else.
public func wholeNumber(_ text: some StringProtocol) -> Int? {
    let digits = String(text.filter { $0 != "_" })
    if let whole = Int(digits) { return (1...1_000_000_000_000).contains(whole) ? whole : nil }
    // Double would parse hexadecimal numbers too.
    guard digits.allSatisfy({ "0123456789.eE+".contains($0) }), let number = Double(digits), number >= 1,
        number <= 1e12, number == number.rounded()
    else { return nil }
    return Int(number)
}

/// A word of a shell command for a user to copy, quoted where needed.
public func shellWord(_ text: String) -> String {
    let isPlain = { (scalar: Unicode.Scalar) in
        scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || "_-+=./,:@%".unicodeScalars.contains(scalar)
    }
    if !text.isEmpty, text.unicodeScalars.allSatisfy(isPlain) { return text }
    // Within single quotes only the quote itself is special.
    return "'\(text.map { $0 == "'" ? "'\\''" : String($0) }.joined())'"
}
