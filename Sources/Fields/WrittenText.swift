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

/// The number of the first line that begins a TOML table without a name, "[.a]"; nil where there is none. toml++ 3.0, which parses
/// TOML for us, aborts the process at such a line.
public func lineOfNamelessTable(inTOML text: String) -> Int? {
    // It skips a byte order mark.
    let lines = text.trimmingPrefix("\u{feff}").split(omittingEmptySubsequences: false) { $0.isNewline }
    return lines.firstIndex { line in
        let trimmed = String(line).trimmingBlanks()
        guard trimmed.hasPrefix("[") else { return false }
        let name = String(trimmed.drop { $0 == "[" }).trimmingBlanks().unicodeScalars
        // A lone bracket, or three (a nested array could begin so, but no file of ours has one).
        if trimmed.hasPrefix("[[[") { return true }
        guard let first = name.first else { return true }
        guard first != "]" else { return false }
        let isBare =
            first.isASCII
            && (first.properties.isAlphabetic || ("0"..."9").contains(first) || "-_".unicodeScalars.contains(first))
        return !isBare && first != "\"" && first != "'"
    }.map { $0 + 1 }
}
