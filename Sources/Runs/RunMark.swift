import Fields

/// Which run a folder and its files belong to. The marker of a folder (`RunMarker`), its checkpoints, its history and its plan carry the same
/// identity, which tells them from the user's files and from those of another run: only they are replaced or deleted.
public struct RunMark: Equatable, Sendable {
    /// 128 random bits, in hex; of a member of an ensemble, the ensemble's with the member's number.
    let id: String
    /// Whether a version before identities began the run: its checkpoints without one belong to it as well.
    let adoptsUnmarked: Bool

    init(id: String? = nil, adoptsUnmarked: Bool = false) {
        self.id = id ?? RunMark.randomIdentity()
        self.adoptsUnmarked = adoptsUnmarked
    }

    private static func randomIdentity() -> String {
        (0..<16).map { _ in
            let byte = String(UInt8.random(in: .min ... .max), radix: 16)
            return byte.count == 1 ? "0" + byte : byte
        }.joined()
    }

    func member(_ number: Int) -> RunMark { RunMark(id: "\(id)-\(number)", adoptsUnmarked: adoptsUnmarked) }

    /// Whether a checkpoint with this identity is the run's.
    func owns(_ id: String?) -> Bool { id == self.id || (id == nil && adoptsUnmarked) }

    // MARK: as text

    /// The attribute of checkpoints and histories that holds the identity.
    static let attribute = "run_id"
    private static let beginning = "IceShelfPINN run "
    private static let adopting = ", begun by an earlier version"

    /// The first line of the marker, and of the plan behind "# ".
    var line: String { RunMark.beginning + id + (adoptsUnmarked ? RunMark.adopting : "") }

    init?(line: Substring) {
        guard let text = line.between(RunMark.beginning) else { return nil }
        let id = text.prefix { $0 != "," }
        let rest = text[id.endIndex...]
        guard RunMark.isIdentity(id), rest.isEmpty || rest.hasPrefix(", begun ") else { return nil }
        self.init(id: String(id), adoptsUnmarked: rest == RunMark.adopting)
    }

    /// 32 hexadecimal digits, and of an ensemble's member its number.
    private static func isIdentity(_ text: Substring) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts[0].isHexadecimal(count: 32) else { return false }
        return parts.dropFirst().allSatisfy { $0.isDecimal && $0.first != "0" }
    }
}
