import CSystem
import Fields

/// What the command was started with. `CommandLine.arguments` is empty where /proc is not mounted, so that a command would run with its
/// defaults, and it replaces bytes that are not UTF-8, so that an output would get another name.
public enum ProgramArguments {
    /// All, with the program's name first.
    public static let all: [String] = {
        var texts: [String] = []
        guard var next = program_arguments() else { return texts }
        while let argument = next.pointee {
            texts.append(String(cString: argument))
            next += 1
        }
        return texts
    }()

    /// Throws where an argument is not UTF-8: it would be taken for another file name.
    static func requireText() throws {
        for (number, text) in all.enumerated() where text.contains("\u{FFFD}") {
            guard let bytes = program_arguments()?[number], String(validatingCString: bytes) == nil else { continue }
            throw PlainFailure(
                .usage,
                "argument \(number), \(quoted(text)), is not UTF-8; rename the file, or give a link to it that has another name"
            )
        }
    }
}
