import Fields

/// Errors of an export.
public enum ExportError: Failure {
    case unknownGrid(String, known: [String])
    case badGridList(String)
    case unknownField(String, known: [String])
    case noCells(_ options: String, grid: String, extent: String)
    case tooManyCells(spacing: Double)
    case badPointTable(path: String, line: Int, reason: String)
    case noPoints(path: String)
    case noConverter(String)
    case noFolder(String, reason: String)
    case converterFailed(field: String, command: String, reason: String)
    case noStore(path: String, run: String)
    case notAPrediction(path: String)
    case notAMap(path: String)
    case unlikeMembers(run: String, String, String)
    case otherStore(store: String, expected: String, found: String)

    public var kind: FailureKind {
        switch self {
        case .unknownGrid, .badGridList, .notAPrediction, .notAMap, .unknownField, .noCells, .tooManyCells: .usage
        case .noStore, .noConverter: .missingInput
        case .otherStore, .unlikeMembers, .badPointTable, .noPoints: .badData
        case .converterFailed, .noFolder: .inputOutput
        }
    }

    public var explanation: String {
        switch self {
        case .unknownGrid(let name, let known):
            "--grid: the store has no grid \(quoted(name)); it has \(known.joined(separator: ", "))"
        case .badGridList(let text):
            "--grid: \(quoted(text)) is not a list of different grids such as velocity,thickness"
        case .unknownField(let name, let known):
            "--fields: no field \(quoted(name)) in this run; it has \(known.joined(separator: ", ")), or all"
        case .noCells(let options, let grid, let extent):
            "\(options): no cells on the \(grid) grid, which covers \(extent) (xmin,xmax,ymin,ymax in metres)"
        case .tooManyCells(let spacing):
            "--spacing-m \(spacing): a grid of more than 2e9 cells, the most that is written; choose a wider spacing, or a smaller --region"
        case .badPointTable(let path, let line, let reason):
            "\(path): line \(line): \(reason)"
        case .noPoints(let path):
            "\(path): no points in it; the first line names the columns, two of them x and y in metres or lon and lat in degrees, and every other line is a point"
        case .noConverter(let name):
            "--geotiff: the program \(name) is not installed; it belongs to GDAL (Debian: apt install gdal-bin)"
        case .noFolder(let path, let reason):
            "--geotiff \(quoted(path)): cannot write into that folder (\(reason)); name one whose parent exists and that you may write to"
        case .converterFailed(let field, let command, let reason):
            "--geotiff: \(field): \(command) failed: \(reason)"
        case .noStore(let path, let run):
            "\(path): no such file; the run in \(run) was trained on it under that name, say where it is with --store"
        case .notAMap(let path):
            "--geotiff: \(path) exists and is no map of pinn-export; it is not replaced, choose another folder"
        case .notAPrediction(let path):
            "\(path): exists and is no prediction; it is not replaced, choose another name"
        case .unlikeMembers(let run, let one, let other):
            "\(run): its members are networks of different shapes, \(one) and \(other); a folder was changed, train again with --run DIR"
        case .otherStore(let store, let expected, let found):
            "\(store): has the fingerprint \(found), the run was trained on a store with \(expected); name the right store with --store"
        }
    }
}
