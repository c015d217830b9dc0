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
        guard let parts = line.wholeMatch(of: /IceShelfPINN run ([0-9a-f]{32}(?:-[1-9][0-9]*)?)(, begun .*)?/) else {
            return nil
        }
        self.init(id: String(parts.1), adoptsUnmarked: parts.2.map(String.init) == RunMark.adopting)
    }
}
