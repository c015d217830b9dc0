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

    public init(title: String, header: [String], rows: [[String]], notes: [String] = []) {
        self.title = title
        self.header = header
        self.rows = rows
        self.notes = notes
    }

    /// A row a paragraph, for words that are too many for the columns of a terminal: the first cell, and below it each other
    /// one behind its heading.
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
            // Names to the left, figures to the right.
            cells.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + space : space + cell
            }
        }
        switch style {
        case .text:
            let lines = all.map { padded($0).joined(separator: "   ") }
            return ([title] + lines.map { "  \($0)" } + notes.map { "  \($0)" }).joined(separator: "\n")
        case .markdown:
            let rule = header.indices.map { column in
                column == 0
                    ? String(repeating: "-", count: widths[column])
                    : String(repeating: "-", count: widths[column] - 1) + ":"
            }
            let lines = ([header, rule] + rows).map { "| \(padded($0).joined(separator: " | ")) |" }
            return (["### \(title)", ""] + lines + notes.flatMap { ["", $0] }).joined(separator: "\n")
        }
    }
}
