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
                    ? String(repeating: "-", count: widths[0])
                    : String(repeating: "-", count: widths[column] - 1) + ":"
            }
            let lines = ([header, rule] + rows).map { "| \(padded($0).joined(separator: " | ")) |" }
            return (["### \(title)", ""] + lines + notes.flatMap { ["", $0] }).joined(separator: "\n")
        }
    }
}
