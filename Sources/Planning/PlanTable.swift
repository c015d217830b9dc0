/// A table for a terminal or for Markdown.
struct PlanTable {
    let title: String
    let header: [String]
    let rows: [[String]]
    var notes: [String] = []

    func rendered(asMarkdown: Bool) -> String {
        let all = [header] + rows
        let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        func padded(_ cells: [String]) -> [String] {
            zip(cells, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
        }
        guard asMarkdown else {
            let lines = all.map { row in
                let line = padded(row).joined(separator: "   ")
                return "  " + line.prefix(line.count - line.reversed().prefix { $0 == " " }.count)
            }
            return ([title] + lines + notes.flatMap { PlanTable.wrapped($0) }.map { "  \($0)" })
                .joined(separator: "\n")
        }
        let rule = widths.map { String(repeating: "-", count: max(3, $0)) }
        return
            (["### \(title)", ""]
            + ([header, rule] + rows).map { "| \(padded($0).joined(separator: " | ")) |" }
            + notes.flatMap { ["", $0] }).joined(separator: "\n")
    }

    /// Lines of at most 100 characters.
    private static func wrapped(_ text: String) -> [String] {
        var lines = [""]
        for word in text.split(separator: " ") {
            if lines[lines.count - 1].count + word.count >= 100 { lines.append("") }
            lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
        }
        return lines
    }
}
