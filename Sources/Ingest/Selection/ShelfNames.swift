import Fields
import Foundation
import TOMLKit

/// The bundled names of ice shelves, and how a user's spelling is matched.
package struct ShelfNames {
    package struct Entry: Decodable {
        package var name: String
        /// Other names; one shared by several entries stands for all of them.
        package var also: [String]?
        /// Latitude and longitude [degrees] of points inside.
        package var points: [[Double]]
    }

    package let entries: [Entry]

    init(toml: String) throws {
        struct Table: Decodable { var shelf: [Entry] }
        do {
            entries = try TOMLDecoder().decode(Table.self, from: toml).shelf
        } catch {
            throw PlainFailure.badSchema("IceShelves.toml", "\(error)")
        }
        guard entries.allSatisfy({ $0.points.allSatisfy { $0.count == 2 } }) else {
            throw PlainFailure.badSchema("IceShelves.toml", "a point is not two numbers")
        }
    }

    package static func bundled() throws -> ShelfNames {
        try ShelfNames(toml: String(decoding: PackageResources.IceShelves_toml, as: UTF8.self))
    }

    /// Indices of the entries that a name stands for; empty where it is unknown.
    package func matches(_ name: String) -> [Int] {
        let sought = ShelfNames.plainSpelling(name)
        let exact = entries.indices.filter { ShelfNames.plainSpelling(entries[$0].name) == sought }
        if !exact.isEmpty { return exact }
        return entries.indices.filter { number in
            (entries[number].also ?? []).contains { ShelfNames.plainSpelling($0) == sought }
        }
    }

    /// The names with the most similar spelling, best first.
    package func nearest(to name: String, count: Int) -> [String] {
        let sought = Array(ShelfNames.plainSpelling(name))
        let all = Set(entries.flatMap { [$0.name] + ($0.also ?? []) }).sorted()
        let ranked = all.map { name -> (name: String, distance: Int) in
            let plain = Array(ShelfNames.plainSpelling(name))
            // The beginning of a long name counts as the name.
            let isBeginning = sought.count >= 2 && plain.starts(with: sought)
            return (name, isBeginning ? 0 : ShelfNames.editDistance(sought, plain))
        }
        return ranked.enumerated().sorted { ($0.element.distance, $0.offset) < ($1.element.distance, $1.offset) }
            .prefix(count).map(\.element.name)
    }

    /// Letters and digits alone, without case, accents and words such as "ice shelf".
    static func plainSpelling(_ name: String) -> String {
        var text = name.folding(options: [.caseInsensitive, .diacriticInsensitive], locale: nil)
        for (letter, plain) in [("ø", "o"), ("æ", "ae"), ("ö", "o")] { text = text.replacing(letter, with: plain) }
        let things: Set<Substring> = ["ice", "shelf", "iceshelf", "glacier", "tongue", "the"]
        // "Amery_IceShelf" and "ameryiceshelf" too.
        var joined = text.split { !$0.isLetter && !$0.isNumber }.filter { !things.contains($0) }.joined()
        if joined.hasSuffix("iceshelf"), joined.count > 8 { joined.removeLast(8) }
        return joined
    }

    /// The number of insertions, deletions and replacements (Levenshtein 1966).
    private static func editDistance(_ a: [Character], _ b: [Character]) -> Int {
        var last = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var next = [i + 1]
            for (j, y) in b.enumerated() {
                next.append(min(last[j] + (x == y ? 0 : 1), last[j + 1] + 1, next[j] + 1))
            }
            last = next
        }
        return last[b.count]
    }
}
