import Fields
import MapProjections
import Foundation
import Glibc
import NetCDFFiles
import Planning
import PointStore

/// Predictions at the points of a CSV file, such as a flight line or a flow line: its lines with one more column per field.
///
/// The first line names the columns; two of them are x and y [m, the store's projection], or longitude and latitude [degrees].
/// Points off the ice or without a position get empty cells: the network's values there are meaningless. Read and written
/// portion by portion, whatever the length.
public struct PointTable {
    private let path: String
    /// Lines and bytes that are read at once.
    private static let portion = 1 << 14
    private static let portionBytes = 1 << 23

    public init(reading path: String) {
        self.path = path
    }

    /// What writing holds at once: the most points of one evaluation, and the arrays besides it.
    public static func memory(fields: Int, members: Int) -> (points: Int, parts: [MemoryEstimate.Part]) {
        // The lines, those that are written and their parts; a number of a field, as text, has up to 14 characters.
        let columns = (members > 1 ? 2 : 1) * fields
        let text = 4 * (portionBytes + Lines.maxBytes) + portion * (64 + 2 * 15 * columns)
        let numbers = Prediction.byteCount(points: portion, fields: fields, members: members)
        return (portion, [.init(name: "lines of points", bytes: text + numbers, remedy: "fewer --fields")])
    }

    /// - Parameter report: called after each portion; cancels the work by throwing.
    /// - Returns: points, and how many of them lie on the ice.
    public func write(
        _ prediction: Prediction, to output: String, report: (_ pointsDone: Int) throws -> Void
    ) throws -> (points: Int, covered: Int) {
        let pending = try AtomicFile(replacing: output)
        do {
            let counts = try copy(prediction, to: pending, report)
            try pending.commit()
            return counts
        } catch {
            pending.discard()
            throw error
        }
    }

    private func copy(_ prediction: Prediction, to pending: AtomicFile, _ report: (Int) throws -> Void) throws
        -> (points: Int, covered: Int)
    {
        let input = try opened()
        defer { fclose(input) }

        var lines = Lines(of: input, path: path)
        guard let header = try lines.next() else { throw ExportError.noPoints(path: path) }
        let names = PointTable.words(of: header)
        let position = try PointPosition(names, prediction.store.description.grids[0].grid.projection, path: path)
        let columns =
            prediction.fields.map(\.name) + (prediction.memberCount > 1 ? prediction.fields.map(\.deviationName) : [])
        if let twice = columns.first(where: names.contains) {
            throw ExportError.badPointTable(
                path: path, line: 1, reason: "it has a column \(quoted(twice)), as a field is called; rename it")
        }
        let newHeader = ([header] + columns).joined(separator: ",")
        try requireReplaceable(pending.finalPath, header: header, newHeader: newHeader)
        guard let output = fopen(pending.temporaryPath, "w") else { throw writing(pending) }
        defer { fclose(output) }
        func put(_ text: String) throws {
            guard fputs(text, output) >= 0 else { throw writing(pending) }
        }
        try put(newHeader + "\n")

        let ice = prediction.store.description.ice.rawValue
        let grid = prediction.store.description.grids[0]
        var done = 0
        var covered = 0
        while true {
            var texts: [String] = []
            var points: [(x: Double, y: Double)] = []
            var bytes = 0
            while texts.count < PointTable.portion, bytes < PointTable.portionBytes, let line = try lines.next() {
                if line.isEmpty { continue }
                bytes += line.utf8.count
                let words = PointTable.words(of: line)
                func number(_ place: Int) throws -> Double {
                    // Missing values as pandas and R write them.
                    if words.count == names.count, ["", "nan", "na"].contains(words[place].lowercased()) {
                        return .nan
                    }
                    guard words.count == names.count, let value = Double(words[place]),
                        value.isFinite
                    else {
                        throw ExportError.badPointTable(
                            path: path, line: lines.count,
                            reason: words.count == names.count
                                ? "\(names[place]) is \(quoted(words[place])), not a number of \(position.unit)"
                                : "\(words.count) columns, the first line has \(names.count)")
                    }
                    return value
                }
                texts.append(line)
                points.append(
                    try position.position(try number(position.first), try number(position.second), line: lines.count))
            }
            if texts.isEmpty { break }
            let isCovered = points.map { point in
                grid.grid.cell(containingX: point.x, y: point.y).map { grid.mask[$0] == ice } ?? false
            }
            let inside = points.indices.filter { isCovered[$0] }
            let values = try prediction.fields(x: inside.map { points[$0].x }, y: inside.map { points[$0].y })
            let fields = values.values + values.deviations
            var next = 0
            var text = ""
            for (place, line) in texts.enumerated() {
                text += line
                for field in fields { text += isCovered[place] ? ",\(field[next])" : "," }
                text += "\n"
                if isCovered[place] { next += 1 }
            }
            try put(text)
            done += texts.count
            covered += inside.count
            try report(done)
        }
        guard done > 0 else { throw ExportError.noPoints(path: path) }
        guard fflush(output) == 0 else { throw writing(pending) }
        return (done, covered)
    }

    private func opened() throws -> UnsafeMutablePointer<FILE> {
        // A named pipe without a writer ends at once in place of being waited for; one with a writer is waited for.
        let handle = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard handle >= 0 else {
            throw errno == ENOENT || errno == ENOTDIR
                ? NetCDFError.noSuchFile(path: path) : NetCDFError.notReadable(path: path, reason: reason())
        }
        var info = stat()
        fstat(handle, &info)
        guard info.st_mode & S_IFMT != S_IFDIR, fcntl(handle, F_SETFL, 0) == 0, let file = fdopen(handle, "r") else {
            close(handle)
            throw NetCDFError.notReadable(path: path, reason: String(cString: strerror(EISDIR)))
        }
        return file
    }

    /// The columns of a line; quotes, which R and spreadsheets put around words, are not part of them and may hold commas.
    private static func words(of line: String) -> [String] {
        var words = [""]
        var isQuoted = false
        for character in line {
            if character == "\"" {
                isQuoted.toggle()
            } else if character == ",", !isQuoted {
                words.append("")
            } else {
                words[words.count - 1].append(character)
            }
        }
        return words.map { $0.trimmingBlanks() }
    }

    /// Only an older table with the same columns, or with the same first point and other fields, is replaced: the input, or an
    /// unrelated table, must not be lost to a mistyped name.
    private func requireReplaceable(_ output: String, header: String, newHeader: String) throws {
        guard let old = fopen(output, "r") else { return }
        defer { fclose(old) }
        var lines = Lines(of: old, path: output)
        guard let oldHeader = try? lines.next() else { throw ExportError.notAPrediction(path: output) }
        if oldHeader == newHeader { return }
        let input = try opened()
        defer { fclose(input) }
        var points = Lines(of: input, path: path)
        _ = try points.next()
        guard oldHeader.hasPrefix(header + ","), let point = try points.next(), let oldPoint = try? lines.next(),
            oldPoint.hasPrefix(point + ",")
        else { throw ExportError.notAPrediction(path: output) }
    }

    private func reason() -> String { String(cString: strerror(errno)) }

    private func writing(_ pending: AtomicFile) -> NetCDFError {
        .writeFailed(path: pending.finalPath, what: "the points", reason: reason())
    }
}

/// The columns that hold the position of a point.
private struct PointPosition {
    let first: Int
    let second: Int
    /// nil: metres of the map.
    private let projection: PolarProjection?
    private let path: String

    var unit: String { projection == nil ? "metres" : "degrees" }

    private static let longitudes: Set = ["lon", "longitude"]
    private static let latitudes: Set = ["lat", "latitude"]

    init(_ names: [String], _ map: Projection?, path: String) throws {
        let lower = names.map { $0.lowercased() }
        if let x = lower.firstIndex(of: "x"), let y = lower.firstIndex(of: "y") {
            (first, second, projection, self.path) = (x, y, nil, path)
            return
        }
        guard let longitude = lower.firstIndex(where: PointPosition.longitudes.contains),
            let latitude = lower.firstIndex(where: PointPosition.latitudes.contains)
        else {
            throw ExportError.badPointTable(
                path: path, line: 1,
                reason: "its columns are \(names.map(quoted).joined(separator: ", "));"
                    + " two of them must be x and y, in metres, or lon and lat, in degrees"
                    + (names.count == 1 && names[0].contains(where: { $0 == ";" || $0 == "\t" })
                        ? ", and commas between them" : ""))
        }
        guard let polar = PolarProjection(map) else {
            throw ExportError.badPointTable(
                path: path, line: 1,
                reason:
                    "the store's projection is not polar stereographic: give x and y, in metres, in place of lon and lat"
            )
        }
        (first, second, projection, self.path) = (longitude, latitude, polar, path)
    }

    func position(_ first: Double, _ second: Double, line: Int) throws -> (x: Double, y: Double) {
        guard let projection, !first.isNaN, !second.isNaN else { return (first, second) }
        guard abs(first) <= 360, abs(second) <= 90 else {
            throw ExportError.badPointTable(
                path: path, line: line, reason: "longitude \(first), latitude \(second), not a place in degrees")
        }
        return projection.position(longitude: first, latitude: second)
    }
}

/// The lines of an open text file, without their ends.
private struct Lines {
    private let file: UnsafeMutablePointer<FILE>
    private let path: String
    private(set) var count = 0
    /// Far above any line of a table; stops the reading of a device or of a binary file given by mistake.
    static let maxBytes = 1 << 20

    init(of file: UnsafeMutablePointer<FILE>, path: String) {
        self.file = file
        self.path = path
    }

    mutating func next() throws(ExportError) -> String? {
        var bytes: [UInt8] = []
        var byte = getc_unlocked(file)
        guard byte != EOF else { return nil }
        count += 1
        while byte != EOF, byte != Int32(UInt8(ascii: "\n")) {
            guard bytes.count < Lines.maxBytes else {
                throw .badPointTable(
                    path: path, line: count, reason: "it has more than a million bytes; give a CSV file")
            }
            bytes.append(UInt8(truncatingIfNeeded: byte))
            byte = getc_unlocked(file)
        }
        let text = String(decoding: bytes, as: UTF8.self)
        return String(text.trimmingPrefix("\u{feff}").reversed().drop { $0.isNewline }.reversed())
    }
}
