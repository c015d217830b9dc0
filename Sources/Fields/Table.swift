/// How a command prints its figures.
public enum ReportFormat: String, Sendable, CaseIterable {
    case text, markdown, json
}

/// A table for a terminal or for Markdown.
public struct Table: Sendable, Equatable {
    public enum Style: Sendable {
        case text, markdown
    }

    public var title: String
    public var header: [String]
    public var rows: [[String]]
    /// Lines under the table.
    public var notes: [String]
    /// Columns of words, aligned to the left; figures are aligned to the right.
    private let wordColumns: Set<Int>

    public init(
        title: String, header: [String], rows: [[String]], notes: [String] = [], wordColumns: Set<Int> = [0]
    ) {
        self.wordColumns = wordColumns
        self.title = title
        self.header = header
        self.rows = rows
        self.notes = notes
    }

    /// Each row as a paragraph, for texts that are too long for the columns of a terminal: the first cell, and below it the
    /// others, each after its heading.
    public func paragraphs() -> String {
        let width = header.dropFirst().map(\.count).max() ?? 0
        let lines = rows.flatMap { row in
            ["", row[0]]
                + zip(header, row).dropFirst().filter { !$1.isEmpty }.map { heading, cell in
                    "    \(heading)\(String(repeating: " ", count: width - heading.count))   \(cell)"
                }
        }
        return ([title] + lines + notes.flatMap { ["", $0] }).joined(separator: "\n")
    }

    public func rendered(as style: Style) -> String {
        let all = [header] + rows
        // A rule of Markdown has three characters at least.
        let narrowest = style == .markdown ? 3 : 0
        let widths = header.indices.map { column in max(narrowest, all.map { $0[column].count }.max() ?? 0) }
        func padded(_ cells: [String]) -> [String] {
            cells.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return wordColumns.contains(column) ? cell + space : space + cell
            }
        }
        switch style {
        case .text:
            let lines = all.map { row in
                let line = padded(row).joined(separator: "   ")
                return String(line.prefix(line.count - line.reversed().prefix { $0 == " " }.count))
            }
            return ([title] + (lines + notes.flatMap { wrapped($0) }).map { "  \($0)" }).joined(separator: "\n")
        case .markdown:
            let rule = header.indices.map { column in
                wordColumns.contains(column)
                    ? String(repeating: "-", count: widths[column])
                    : String(repeating: "-", count: widths[column] - 1) + ":"
            }
            let lines = ([header, rule] + rows).map { "| \(padded($0).joined(separator: " | ")) |" }
            return (["### \(title)", ""] + lines + notes.flatMap { ["", $0] }).joined(separator: "\n")
        }
    }
}

/// The lines of a text, broken between words; a word that is longer than a line has one of its own.
public func wrapped(_ text: String, width: Int = 100) -> [String] {
    var lines = [""]
    for word in text.split(separator: " ") {
        let last = lines[lines.count - 1]
        if last.isEmpty {
            lines[lines.count - 1] = String(word)
        } else if last.count + 1 + word.count <= width {
            lines[lines.count - 1] += " \(word)"
        } else {
            lines.append(String(word))
        }
    }
    return lines
}
