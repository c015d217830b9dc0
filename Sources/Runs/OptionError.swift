import Fields

/// What can be wrong with a configuration.
public enum OptionError: Failure {
    case badValue(String, String, expected: String)
    case unknownOption(String, path: String)
    case otherIce(physics: String, needs: IceMask, store: String, holds: IceMask)
    case alreadyBeyond(iterations: Int, done: Int, run: String)
    case changedOnResume(option: String, asked: String, saved: String, run: String)

    public var kind: FailureKind { .usage }

    public var explanation: String {
        switch self {
        case .unknownOption(let name, let path):
            "\(path): unknown option \(quoted(name)); the plan was written by another version"
        case .otherIce(let physics, let needs, let store, let holds):
            "--physics \(physics) is for \(needs.name), \(store) holds \(holds.name); make a store with pinn-ingest --mask \(needs.adjective), or choose other physics"
        case .badValue(let option, let value, let expected):
            "--\(option): \(quoted(value)) is not \(expected)"
        case .alreadyBeyond(let iterations, let done, let run):
            "--iterations \(iterations): the run in \(run) has made \(done) iterations already; --iterations is the total, give more"
        case .changedOnResume(let option, let asked, let saved, let run):
            "--\(option) \(asked): the run in \(run) was made with \(saved); leave the option out to resume it, or start a new run with --run DIR"
        }
    }
}
