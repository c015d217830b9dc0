/// The version of this program, which `--version` prints and every output names.
public enum Version {
    /// The commit that was built, "+changes" where the sources differed from it; empty outside a git checkout and in tests that run no command.
    /// A command sets it before anything else runs (Plugins/BuildCommit).
    public nonisolated(unsafe) static var commit = ""

    /// "IceShelfPINN 1.0 (commit <40 hexadecimal digits>)"
    public static var text: String { "IceShelfPINN 1.0\(commit.isEmpty ? "" : " (commit \(commit))")" }
}
