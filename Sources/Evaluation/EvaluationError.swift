import Fields

/// Errors of a truth file besides those of reading it (IngestError).
public enum EvaluationError: Failure {
    case nothingToCompare(path: String, sought: [String], present: [String])
    case nothingInCommon(
        variable: String, path: String, extent: Region, store: String, shelf: Region, ice: IceMask, cells: Int)

    public var kind: FailureKind { .badData }

    public var explanation: String {
        switch self {
        case .nothingToCompare(let path, let sought, let present):
            "\(path): nothing in it to compare with: none of \(list(sought)) among its variables \(list(present)); give a file with one of them on projection coordinates x and y"
        case .nothingInCommon(let variable, let path, let extent, let store, let shelf, let ice, let cells):
            cells > 0
                ? "\(path): variable \(quoted(variable)) has no value on any of the \(cells) cells of \(ice.adjective) ice; check its fill value and its units"
                : "\(path): variable \(quoted(variable)) covers \(text(extent)), and the \(ice.adjective) ice of \(store) lies within \(text(shelf)); give the truth of the ice that the run was trained on"
        }
    }

    private func list(_ names: [String]) -> String {
        names.isEmpty ? "(none)" : names.prefix(20).map(quoted).joined(separator: ", ")
    }

    private func text(_ region: Region) -> String {
        [region.xMin, region.xMax, region.yMin, region.yMax].map {
            abs($0) < 1e15 ? String(Int($0.rounded())) : String($0)
        }
        .joined(separator: ",")
    }
}
