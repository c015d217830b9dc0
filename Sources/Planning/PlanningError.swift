import Fields

/// What does not fit, with the evidence.
public enum PlanningError: Failure {
    case memoryTooSmall(
        needed: Int, available: Int, limit: String, isAddressSpace: Bool, largest: MemoryEstimate.Part?,
        kind: FailureKind)
    case diskTooSmall(run: String, needed: Int, free: Int)

    public var kind: FailureKind {
        switch self {
        case .memoryTooSmall(_, _, _, _, _, let kind): kind
        case .diskTooSmall: .inputOutput
        }
    }

    public var explanation: String {
        switch self {
        case .memoryTooSmall(let needed, let available, let limit, let isAddressSpace, let largest, _):
            "needs up to \(NumberText.bytes(needed)) of \(isAddressSpace ? "address space" : "memory"), \(limit) leaves \(NumberText.bytes(available)); "
                + (largest.map { "the largest part is \($0.name), \(NumberText.bytes($0.bytes)); " } ?? "")
                + (largest?.remedy.map { "choose \($0), or raise the limit" } ?? "raise the limit")
        case .diskTooSmall(let run, let needed, let free):
            "\(run): checkpoints need \(NumberText.bytes(needed)), the disk has \(NumberText.bytes(free)) left; make room, or choose another place with --run DIR"
        }
    }
}
