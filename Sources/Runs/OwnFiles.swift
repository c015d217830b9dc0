import Fields
import Foundation
import NetCDFFiles

/// Which files of a folder carry a run's mark. What this process has written itself, or found out once, it knows by the file's identity;
/// any other file is read.
final class OwnFiles {
    private var known: [String: FileState] = [:]

    func didWrite(_ path: String) { known[path] = FileState(path) }

    func contain(_ path: String, of mark: RunMark) -> Bool {
        guard let state = FileState(path), state.isRegular else { return false }
        if known[path] == state { return true }
        guard carries(mark, path) else { return false }
        known[path] = state
        return true
    }

    func carries(_ mark: RunMark, _ path: String) -> Bool {
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        guard FileState(path)?.isRegular == true else { return false }
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
        let text = firstBytes(of: path, maxPlanBytes).flatMap { String(validating: $0, as: UTF8.self) } ?? ""
        return (try? TrainingConfiguration(toml: text))?.toml == text
    }

    private func holds(_ text: String, _ path: String) -> Bool {
        let handle = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard handle >= 0 else { return false }
        // By its descriptor: Foundation makes a relative path a whole one, which fails where a folder's name is not UTF-8.
        let file = FileHandle(fileDescriptor: handle, closeOnDealloc: true)
        let wanted = Data(text.utf8)
        // In pieces that overlap by the text: a strange file may have gigabytes.
        var piece = Data()
        while let more = try? file.read(upToCount: 1 << 20), !more.isEmpty {
            piece.append(more)
            if piece.range(of: wanted) != nil { return true }
            piece = Data(piece.suffix(wanted.count))
        }
        return false
    }
}
