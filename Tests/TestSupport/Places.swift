import Foundation

/// Paths of test data, relative to this file's location in the repository.
public enum Places {
    public static let repository = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    /// A file of the repository's Data folder.
    public static func sample(_ name: String) -> String { "\(repository)/Data/\(name)" }

    /// A file of the folder of larger test data next to the repository; nil if absent, and tests that need it are skipped.
    public static func shared(_ name: String) -> String? {
        let path = URL(fileURLWithPath: "\(repository)/../shared/data/\(name)").standardizedFileURL.path
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }

    /// Whether long tests run: PINN_LONG_TESTS is set, as in continuous integration.
    public static let runsLongTests = ProcessInfo.processInfo.environment["PINN_LONG_TESTS"] != nil
}
