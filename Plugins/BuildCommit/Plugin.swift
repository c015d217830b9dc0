import Foundation
import PackagePlugin

/// Generates `BuildCommit.swift` for a target: the commit that is being built, with "+changes" where the sources differ from it; empty outside a
/// git checkout.
///
/// Why a build command: `Context.gitInformation` in the manifest and prebuild commands are evaluated only when SwiftPM plans a build anew, and so go stale
/// after a commit that adds no file. The file is rewritten only when its text changes, so that other builds compile nothing more.
@main struct BuildCommit: BuildToolPlugin {
    /// The index is an input, so `git status` must not refresh it.
    private let script = """
        cd "$1" || exit 1
        commit=
        if [ -e .git ] && commit=$(git rev-parse HEAD 2>/dev/null); then
            changes=$(git --no-optional-locks status --porcelain -- Package.swift Plugins Sources)
            [ -z "$changes" ] || commit=$commit+changes
        fi
        line="let buildCommit = \\"$commit\\""
        [ "$line" = "$(cat "$2" 2>/dev/null)" ] || printf '%s\\n' "$line" >"$2"
        """

    func createBuildCommands(context: PluginContext, target: Target) throws -> [Command] {
        let root = context.package.directoryURL
        let output = context.pluginWorkDirectoryURL.appending(path: "BuildCommit.swift")
        // In a linked worktree, .git is a file that names the folder.
        var git = root.appending(path: ".git")
        if let text = try? String(contentsOf: git, encoding: .utf8), text.hasPrefix("gitdir: ") {
            let path = text.dropFirst("gitdir: ".count).trimmingCharacters(in: .newlines)
            git = URL(filePath: path, relativeTo: root).absoluteURL
        }
        let inputs =
            ["HEAD", "index", "logs/HEAD"].map { git.appending(path: $0) } + [root.appending(path: "Package.swift")]
            + context.package.targets.compactMap(\.sourceModule).flatMap { $0.sourceFiles.map(\.url) }
        return [
            .buildCommand(
                displayName: "Finding the commit", executable: URL(filePath: "/bin/sh"),
                arguments: ["-c", script, "sh", root.path, output.path],
                inputFiles: inputs.filter { FileManager.default.fileExists(atPath: $0.path) }, outputFiles: [output])
        ]
    }
}
