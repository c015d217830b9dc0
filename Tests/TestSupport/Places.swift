import Foundation

/// Where tests find data, seen from this file's place in the repository.
public enum Places {
    public static let repository = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    /// A file of the repository's Data folder.
    public static func sample(_ name: String) -> String { "\(repository)/Data/\(name)" }

    /// A file of the folder of larger test data beside the repository; nil where it is absent, and the test that
    /// wants it is skipped.
    public static func shared(_ name: String) -> String? {
        let path = URL(fileURLWithPath: "\(repository)/../shared/data/\(name)").standardizedFileURL.path
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }

    /// Long tests run where PINN_LONG_TESTS is set, as the continuous integration does.
    public static let runsLongTests = ProcessInfo.processInfo.environment["PINN_LONG_TESTS"] != nil
}
