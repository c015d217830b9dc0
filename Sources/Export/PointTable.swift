import Fields
import Glibc
import MapProjections
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
    public static func memory(fields: Int, members: Int, hasDeviations: Bool = false) -> (
        points: Int, parts: [MemoryEstimate.Part]
    ) {
        // The lines, those that are written and their parts; a number of a field, as text, has up to 14 characters.
        let columns = (members > 1 || hasDeviations ? 2 : 1) * fields + (hasDeviations ? 2 : 0)
        let text = 4 * (portionBytes + Lines.maxBytes) + portion * (64 + (2 * 15 + 24) * columns)
        let numbers = Prediction.byteCount(points: portion, fields: fields, members: members)
        return (portion, [.init(name: "lines of points", bytes: text + numbers, remedy: "fewer --fields")])
    }

    /// - Parameter check: called after each portion; cancels the work by throwing.
    /// - Returns: points, and how many of them lie on the ice.
    public func write(
        _ prediction: Prediction, to output: String, check: () throws -> Void
    ) throws -> (points: Int, covered: Int) {
        let pending = try AtomicFile(replacing: output)
        let lines = try Lines(of: path)
        guard let header = try lines.next() else { throw noPoints }
        let position = try PointPosition(header, prediction.store.description.grids[0].grid.projection, path: path)
        if let twice = prediction.columnNames.first(where: position.names.contains) {
            throw lines.fault("it has a column \(quoted(twice)), as a field is called; rename it")
        }
        let newHeader = header + prediction.columnNames.flatMap { Array(",\($0)".utf8) }
        try requireReplaceable(output, header: header, newHeader: newHeader)
        let writing = {
            NetCDFError.writeFailed(path: output, what: "the points", reason: String(cString: strerror(errno)))
        }
        let file = open(pending.temporaryPath, O_WRONLY | O_TRUNC | O_CLOEXEC)
        defer { close(file) }
        var bytes = newHeader + Array("\n".utf8)
        var counts = (points: 0, covered: 0)
        repeat {
            guard writeAll(bytes, to: file) else { throw writing() }
            let (points, covered, next) = try nextPortion(of: lines, position, prediction, check: check)
            bytes = next
            counts = (counts.points + points, counts.covered + covered)
            try check()
        } while !bytes.isEmpty
        guard counts.points > 0 else { throw noPoints }
        try pending.commit()
        return counts
    }

    /// The next lines with the fields appended; empty at the end. The lines' own bytes stay as they are, however they are encoded.
    private func nextPortion(
        of lines: Lines, _ position: PointPosition, _ prediction: Prediction, check: () throws -> Void
    ) throws -> (points: Int, covered: Int, bytes: [UInt8]) {
        var portion: [[UInt8]] = []
        var points: [(x: Double, y: Double)] = []
        var bytes = 0
        while portion.count < PointTable.portion, bytes < PointTable.portionBytes, let line = try lines.next() {
            if line.isEmpty { continue }
            bytes += line.count
            portion.append(line)
            points.append(try position(of: line, in: lines))
        }
        let stored = prediction.store.description.grids[0]
        let ice = prediction.store.description.ice.rawValue
        let isCovered = points.map { point in
            stored.grid.cell(containingX: point.x, y: point.y).map { stored.mask[$0] == ice } ?? false
        }
        let inside = zip(points, isCovered).filter(\.1).map(\.0)
        let values = try prediction.fields(x: inside.map(\.x), y: inside.map(\.y), check: check)
        let fields =
            (values.values + values.deviations).map { $0.map { ",\($0)" } }
            + values.flags.map { $0.map { ",\(Int($0))" } }
        var next = 0
        var written: [UInt8] = []
        for (line, isCovered) in zip(portion, isCovered) {
            written += line
            for field in fields { written += (isCovered ? field[next] : ",").utf8 }
            written.append(UInt8(ascii: "\n"))
            if isCovered { next += 1 }
        }
        return (portion.count, inside.count, written)
    }

    /// Only an older table with the same columns, or with the same first point and other fields, is replaced: the input, or an
    /// unrelated table, must not be lost to a mistyped name.
    private func requireReplaceable(_ output: String, header: [UInt8], newHeader: [UInt8]) throws {
        guard access(output, F_OK) == 0 else { return }
        // What cannot be read may be anything.
        guard let old = try? Lines(of: output) else { throw PlainFailure.notAPrediction(output) }
        let oldHeader = try? old.next()
        if oldHeader == newHeader { return }
        let points = try Lines(of: path)
        _ = try points.next()
        let comma = [UInt8(ascii: ",")]
        guard let oldHeader, oldHeader.starts(with: header + comma), let point = try points.next(),
            let oldPoint = try? old.next(), oldPoint.starts(with: point + comma)
        else { throw PlainFailure.notAPrediction(output) }
    }

    private var noPoints: PlainFailure {
        PlainFailure(
            "\(path): no points in it; the first line names the columns, two of them x and y in metres or lon and lat in degrees, and every other line is a point"
        )
    }
}

/// The columns that hold the position of a point.
private struct PointPosition {
    /// The names of all columns.
    let names: [String]
    private let first: Int
    private let second: Int
    /// nil: metres of the map.
    private let projection: PolarProjection?

    init(_ header: [UInt8], _ map: Projection?, path: String) throws {
        names = PointPosition.words(of: header)
        let lower = names.map { $0.lowercased() }
        if let x = lower.firstIndex(of: "x"), let y = lower.firstIndex(of: "y") {
            (first, second, projection) = (x, y, nil)
            return
        }
        guard let longitude = lower.firstIndex(where: ["lon", "longitude"].contains),
            let latitude = lower.firstIndex(where: ["lat", "latitude"].contains)
        else {
            let isOtherwiseSeparated = names.count == 1 && names[0].contains { $0 == ";" || $0 == "\t" }
            throw PlainFailure(
                "\(path): line 1: its columns are \(names.map(quoted).joined(separator: ", ")); two of them must be x and y, in metres, or lon and lat, in degrees\(isOtherwiseSeparated ? ", and commas between them" : "")"
            )
        }
        guard let polar = PolarProjection(map) else {
            throw PlainFailure(
                "\(path): line 1: the store's projection is not polar stereographic: give x and y, in metres, in place of lon and lat"
            )
        }
        (first, second, projection) = (longitude, latitude, polar)
    }

    /// The position on the line that was read last [m]; NaN where it is missing.
    func callAsFunction(of line: [UInt8], in lines: Lines) throws -> (x: Double, y: Double) {
        let words = PointPosition.words(of: line)
        guard words.count == names.count else {
            throw lines.fault("\(words.count) columns, the first line has \(names.count)")
        }
        let numbers = try [first, second].map { place in
            // Missing values as pandas and R write them.
            if ["", "nan", "na"].contains(words[place].lowercased()) { return Double.nan }
            guard let value = Double(words[place]), value.isFinite else {
                let unit = projection == nil ? "metres" : "degrees"
                throw lines.fault("\(names[place]) is \(quoted(words[place])), not a number of \(unit)")
            }
            return value
        }
        guard let projection, !numbers.contains(where: \.isNaN) else { return (numbers[0], numbers[1]) }
        guard abs(numbers[0]) <= 360, abs(numbers[1]) <= 90 else {
            throw lines.fault("longitude \(numbers[0]), latitude \(numbers[1]), not a place in degrees")
        }
        return projection.position(longitude: numbers[0], latitude: numbers[1])
    }

    /// The columns of a line; quotes, which R and spreadsheets put around words, are not part of them and may hold commas.
    private static func words(of line: [UInt8]) -> [String] {
        var words = [""]
        var isQuoted = false
        for character in textOrLatin1(line) {
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
}

/// The lines of a text file, without their ends.
private final class Lines {
    private let file: UnsafeMutablePointer<FILE>
    private let path: String
    private var count = 0
    /// Far above any line of a table; stops the reading of a device or of a binary file given by mistake.
    static let maxBytes = 1 << 20

    init(of path: String) throws(NetCDFError) {
        self.path = path
        // A pipe would be waited for, and is read twice.
        let handle = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard handle >= 0 else {
            throw errno == ENOENT || errno == ENOTDIR
                ? .noSuchFile(path: path) : .notReadable(path: path, reason: String(cString: strerror(errno)))
        }
        var info = stat()
        fstat(handle, &info)
        if let kind = kindOfSpecialFile(info) {
            close(handle)
            throw .notAFile(path: path, kind: kind)
        }
        guard fcntl(handle, F_SETFL, 0) == 0, let file = fdopen(handle, "r") else {
            let reason = String(cString: strerror(errno))
            close(handle)
            throw .notReadable(path: path, reason: reason)
        }
        self.file = file
    }

    deinit { fclose(file) }

    func next() throws(PlainFailure) -> [UInt8]? {
        guard var byte = try nextByte() else { return nil }
        count += 1
        var bytes: [UInt8] = []
        while byte != UInt8(ascii: "\n") {
            guard bytes.count < Lines.maxBytes else {
                throw fault("it has more than a million bytes; give a CSV file")
            }
            guard byte != 0 else {
                throw fault("it has a byte that is zero, as texts in UTF-16 have; save it as UTF-8")
            }
            bytes.append(byte)
            guard let next = try nextByte() else { break }
            byte = next
        }
        while bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        let mark = Array("\u{feff}".utf8)
        return count == 1 && bytes.starts(with: mark) ? Array(bytes[mark.count...]) : bytes
    }

    /// nil at the end of the file.
    private func nextByte() throws(PlainFailure) -> UInt8? {
        while true {
            let byte = getc_unlocked(file)
            if byte != EOF { return UInt8(truncatingIfNeeded: byte) }
            guard ferror(file) != 0 else { return nil }
            guard errno == EINTR else {
                throw PlainFailure(.inputOutput, "\(path): cannot be read on: \(String(cString: strerror(errno)))")
            }
            clearerr(file)
        }
    }

    /// What is wrong with the line that was read last.
    func fault(_ reason: String) -> PlainFailure { PlainFailure("\(path): line \(count): \(reason)") }
}
