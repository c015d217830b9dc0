import Fields

/// What can be wrong with a store, and the evidence.
public enum StoreError: Failure {
    case notAStore(path: String, found: String)
    case notReplaced(path: String)
    case diskTooSmall(path: String, needed: Int, free: Int)
    case damagedBlock(path: String, variable: String, points: Range<Int>)
    case changedBlock(path: String, variable: String, points: Range<Int>)
    case replaced(path: String)
    case readFailed(path: String, byte: Int, reason: String)
    case missingSet(PointSet, path: String)
    case badAttribute(String, path: String, expected: String)

    public var kind: FailureKind {
        switch self {
        case .diskTooSmall, .readFailed: .inputOutput
        case .notReplaced: .usage
        default: .badData
        }
    }

    public var explanation: String {
        switch self {
        case .notAStore(let path, let found):
            "\(path): not a point store (\(found)); make one with 'pinn-ingest VELOCITY.nc', which writes pinn-store.nc"
        case .notReplaced(let path):
            "\(path): exists and is not a complete point store; it is not replaced: choose another name with -o"
        case .diskTooSmall(let path, let needed, let free):
            "\(path): needs \(megabytes(needed)), the disk has \(megabytes(free, roundingUp: false)) left; free some space, choose another place with -o, or ask for fewer --points"
        case .damagedBlock(let path, let variable, let points):
            "\(path): \(variable) is damaged between points \(points.lowerBound) and \(points.upperBound) (checksum mismatch); make the store again with pinn-ingest"
        case .changedBlock(let path, let variable, let points):
            "\(path): \(variable) changed between points \(points.lowerBound) and \(points.upperBound) while the store was in use; make the store again with pinn-ingest (the same products, options and seed give the same points)"
        case .replaced(let path):
            "\(path): was replaced by another file while it was being read; run the command again"
        case .readFailed(let path, let byte, let reason):
            "\(path): cannot read at byte \(byte): \(reason); the store was truncated or its disk fails; restore it, or make it again with pinn-ingest (the same products, options and seed give the same points)"
        case .missingSet(let set, let path):
            "\(path): holds no \(set.rawValue) points; make the store again with pinn-ingest"
        case .badAttribute(let name, let path, let expected):
            "\(path): attribute \(quoted(name)) is missing or is not \(expected); make the store again with pinn-ingest"
        }
    }

    private func megabytes(_ bytes: Int, roundingUp: Bool = true) -> String {
        bytes < 1_000_000_000
            ? "\((bytes + (roundingUp ? 999_999 : 0)) / 1_000_000) MB"
            : "\(bytes / 1_000_000_000).\(bytes / 100_000_000 % 10) GB"
    }
}
