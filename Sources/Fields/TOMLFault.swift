/// Where a text would end the process: toml++ 3.0, which parses TOML for us, stops with a failed assertion at a table without a name,
/// "[.a]", at a bracket that closes another kind, "[ }", and at dates and times that are none, "1979-05-ox". What else it stops at, the
/// guard around it tells (`LibraryCrash`). No file of ours has a date, so that none is read.
public struct TOMLFault: Equatable, Sendable {
    public let line: Int
    public let reason: String

    /// nil where there is none.
    public init?(in text: String) {
        // It skips a byte order mark. Lines and brackets are scalars: a character may be a bracket with an accent.
        let scalars = Array(text.unicodeScalars.drop { $0 == "\u{feff}" })
        var scanner = BracketScanner(scalars)
        guard let fault = scanner.fault() else { return nil }
        (line, reason) = fault
    }
}

/// Follows the brackets of a text outside of strings and comments.
private struct BracketScanner {
    private let scalars: [Unicode.Scalar]
    private var place = 0
    private var line = 1
    private var open: [Unicode.Scalar] = []

    init(_ scalars: [Unicode.Scalar]) { self.scalars = scalars }

    mutating func fault() -> (Int, String)? {
        var isLineStart = true
        while place < scalars.count {
            let scalar = scalars[place]
            if isLineStart, open.isEmpty, scalar == "[", isNamelessTable { return (line, "a table without a name") }
            switch scalar {
            case "\n": line += 1
            case "#": skipComment()
            case "\"", "'": skipString(scalar)
            case "[", "{": open.append(scalar)
            case "]", "}":
                let wanted: Unicode.Scalar = scalar == "]" ? "[" : "{"
                guard open.popLast() == wanted else { return (line, "'\(scalar)' where no '\(wanted)' is open") }
            case _ where BracketScanner.beginsNumber(scalar):
                let word = takeWord()
                guard BracketScanner.isNumber(word) else {
                    return (line, "\(word), which is no number; text has to be in quotes")
                }
            case _ where BracketScanner.isOfWord(scalar): _ = takeWord()
            default: break
            }
            isLineStart = scalar == "\n" || (isLineStart && BracketScanner.isBlank(scalar))
            place += 1
        }
        return nil
    }

    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || scalar == "\t" }

    private static func beginsNumber(_ scalar: Unicode.Scalar) -> Bool {
        "0123456789+-".unicodeScalars.contains(scalar)
    }

    private static func isOfWord(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII
            && (scalar.properties.isAlphabetic || beginsNumber(scalar) || "_.:".unicodeScalars.contains(scalar))
    }

    /// To its last scalar.
    private mutating func takeWord() -> String {
        let word = scalars[place...].prefix(while: BracketScanner.isOfWord)
        place = word.endIndex - 1
        return String(String.UnicodeScalarView(word))
    }

    /// As TOML writes them, whole or not, and in hexadecimal, octal and binary digits.
    private static func isNumber(_ word: String) -> Bool {
        let decimal = #/[+-]?(inf|nan|[0-9][0-9_]*(\.[0-9_]+)?([eE][+-]?[0-9_]+)?)/#
        return word.wholeMatch(of: decimal) != nil || word.wholeMatch(of: #/0[xob][0-9A-Fa-f_]+/#) != nil
    }

    private var isNamelessTable: Bool {
        let rest = scalars[place...].prefix { $0 != "\n" }
        // Three: a nested array could begin so, but no file of ours has one.
        if rest.prefix(3).elementsEqual("[[[".unicodeScalars) { return true }
        guard let first = rest.drop(while: { $0 == "[" }).drop(while: BracketScanner.isBlank).first else { return true }
        if first == "]" || first == "\"" || first == "'" { return false }
        return
            !(first.isASCII
            && (first.properties.isAlphabetic || ("0"..."9").contains(first) || "-_".unicodeScalars.contains(first)))
    }

    /// To before the end of the line.
    private mutating func skipComment() {
        while place + 1 < scalars.count, scalars[place + 1] != "\n" { place += 1 }
    }

    /// To the closing quote; of a string of one line, at most to before the end of the line.
    private mutating func skipString(_ quote: Unicode.Scalar) {
        func areQuotes(_ start: Int) -> Bool {
            start + 2 < scalars.count && scalars[start...start + 2].allSatisfy { $0 == quote }
        }
        let isLong = areQuotes(place)
        place += isLong ? 3 : 1
        while place < scalars.count {
            if isLong ? areQuotes(place) : scalars[place] == quote {
                place += isLong ? 2 : 0
                return
            }
            if scalars[place] == "\\", quote == "\"" { place += 1 }
            if place < scalars.count, scalars[place] == "\n" {
                if !isLong {
                    place -= 1
                    return
                }
                line += 1
            }
            place += 1
        }
    }
}
