import Fields
import Foundation

/// Which files of a folder carry a run's mark. What this process has written itself, or found out once, it knows by the file's identity;
/// any other file is read.
final class OwnFiles {
    private var known: [String: State] = [:]

    /// Enough to notice that a name has come to stand for something else.
    private struct State: Equatable {
        private let device: dev_t
        private let number: ino_t
        private let bytes: off_t
        private let changed: [Int]

        /// nil where there is no regular file.
        init?(_ path: String) {
            var info = stat()
            guard lstat(path, &info) == 0, info.st_mode & S_IFMT == S_IFREG else { return nil }
            (device, number, bytes) = (info.st_dev, info.st_ino, info.st_size)
            changed = [info.st_mtim.tv_sec, info.st_mtim.tv_nsec]
        }
    }

    func didWrite(_ path: String) { known[path] = State(path) }

    func contain(_ path: String, of mark: RunMark) -> Bool {
        guard let state = State(path) else { return false }
        if known[path] == state { return true }
        guard carries(mark, path) else { return false }
        known[path] = state
        return true
    }

    func carries(_ mark: RunMark, _ path: String) -> Bool {
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        guard State(path) != nil else { return false }
        guard let iteration = RunDirectory.iteration(of: name) else {
            return holds(mark.id, path) || (mark.adoptsUnmarked && isOfVersionBefore(path))
        }
        if let checkpoint = try? Checkpoint(reading: path, []) {
            return checkpoint.iteration == iteration && mark.owns(checkpoint.runID)
        }
        // A damaged checkpoint is the run's where its identity, which nobody has by chance, is still in it.
        return holds(mark.adoptsUnmarked ? Checkpoint.format : mark.id, path)
    }

    /// Histories and plans had no mark: a history by its title, a plan where it is what the configuration in it is written as.
    private func isOfVersionBefore(_ path: String) -> Bool {
        if path.hasSuffix(".nc") { return holds(History.title, path) && !holds(RunMark.attribute, path) }
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return (try? TrainingConfiguration(toml: text))?.toml == text
    }

    private func holds(_ text: String, _ path: String) -> Bool {
        let file = URL(fileURLWithPath: path)
        // A file of gigabytes is mapped; where the system refuses that, it is read.
        let bytes = (try? Data(contentsOf: file, options: .alwaysMapped)) ?? (try? Data(contentsOf: file))
        return bytes?.range(of: Data(text.utf8)) != nil
    }
}
