import Foundation
import TestSupport
import Testing

@Suite struct LedgerTests {
    /// docs/reliability.md: the second column names the tests.
    @Test func everyPromiseNamesTestsThatThereAre() throws {
        let ledger = try String(contentsOfFile: "\(Places.repository)/docs/reliability.md", encoding: .utf8)
        let rows = ledger.split(separator: "\n").filter { $0.hasPrefix("|") && !$0.hasPrefix("|---") }
            .map { $0.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) } }
            .filter { $0.first != "promised" }
        try #require(rows.count > 20)
        let folder = "\(Places.repository)/Tests"
        let files = FileManager.default.enumerator(atPath: folder)?.allObjects as? [String] ?? []
        let sources = try files.filter { $0.hasSuffix("Tests.swift") }
            .map { try String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8) }.joined()
        for row in rows {
            let names = row[1].matches(of: /`([a-z][A-Za-z]+)`/).map { String($0.1) }
            #expect(!names.isEmpty, "no test: \(row[0])")
            for name in names { #expect(sources.contains("func \(name)("), "\(name)") }
        }
    }
}
