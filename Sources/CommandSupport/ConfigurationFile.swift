import ArgumentParser
import Fields
@preconcurrency import Glibc
import NetCDFFiles
import Runs
import TOMLKit

/// `--config FILE`: a TOML file with options under their own names, at the top level for all commands or in a section for one
/// command, such as [train]. The command line takes precedence.
///
/// The file is turned into arguments, so that the parser checks both alike.
enum ConfigurationFile {
    static let sections = ["ingest", "train", "export", "eval", "report", "sample", "bench", "plan"]

    /// The arguments that the file adds to a command line, and the others; nil where it names no file.
    static func split(_ arguments: [String], section: String) throws
        -> (path: String, ofFile: [String], others: [String])?
    {
        guard let place = arguments.firstIndex(where: { $0 == "--config" || $0.hasPrefix("--config=") }) else {
            return nil
        }
        var rest = arguments
        let flag = rest.remove(at: place)
        let path: String
        if flag.hasPrefix("--config=") {
            path = String(flag.dropFirst("--config=".count))
        } else {
            guard place < rest.count else { throw ConfigurationError.noPath }
            path = rest.remove(at: place)
        }
        guard !rest.contains(where: { $0 == "--config" || $0.hasPrefix("--config=") }) else {
            throw ConfigurationError.severalFiles
        }
        var expanded: [String] = []
        for (key, values) in try options(path: path, section: section) {
            let option = "--\(key)"
            let onCommandLine = rest.contains { $0 == option || $0.hasPrefix("\(option)=") }
            if !onCommandLine { expanded += values.map { $0.isEmpty ? option : "\(option)=\($0)" } }
        }
        return (path, expanded, rest)
    }

    /// Options of the top level and of the section, as text; true is a flag, false is its absence.
    private static func options(path: String, section: String) throws -> [(String, [String])] {
        let text = try contents(of: path)
        if let fault = TOMLFault(in: text) {
            throw ConfigurationError.notTOML(path: path, line: fault.line, reason: fault.reason)
        }
        let table: TOMLTable
        do {
            table = try LibraryCrash.guarded(reading: path) { try TOMLTable(string: text) }
        } catch let error as TOMLParseError {
            throw ConfigurationError.notTOML(path: path, line: error.source.begin.line, reason: error.description)
        }
        var options: [String: [String]] = [:]
        for (source, isTop) in [(table, true), (table[section]?.table, false)] {
            for (key, value) in source ?? TOMLTable() {
                guard key != "config" else { throw ConfigurationError.nested(path: path) }
                // [[name]] is meant as a section as well.
                if value.table != nil || value.array?.contains(where: { $0.table != nil }) == true {
                    guard isTop && value.table != nil && sections.contains(key) else {
                        throw ConfigurationError.unknownSection(
                            isTop ? (value.table == nil ? "[[\(key)]]" : key) : "\(section).\(key)", path: path)
                    }
                    continue
                }
                let key = FormerNames.current(key)
                if let flag = value.bool {
                    options[key] = flag ? [""] : []
                } else if let list = value.array {
                    options[key] = [list.map { scalarText($0) ?? "\($0)" }.joined(separator: ",")]
                } else {
                    options[key] = [scalarText(value) ?? "\(value)"]
                }
            }
        }
        return options.sorted { $0.key < $1.key }
    }

    private static func contents(of path: String) throws -> String {
        var info = stat()
        if stat(path, &info) == 0, let kind = kindOfSpecialFile(info) {
            throw ConfigurationError.unreadable(path: path, reason: "it is \(kind), expected a TOML file")
        }
        // A configuration is small; a data file given by mistake is not read to its end.
        guard let bytes = firstBytes(of: path, 1 << 22) else {
            throw ConfigurationError.unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

enum ConfigurationError: Failure {
    case noPath
    case severalFiles
    case nested(path: String)
    case unreadable(path: String, reason: String)
    case notTOML(path: String, line: Int, reason: String)
    case unknownSection(String, path: String)

    var kind: FailureKind {
        switch self {
        case .noPath, .severalFiles: .usage
        case .unreadable: .missingInput
        case .notTOML, .unknownSection, .nested: .badData
        }
    }

    var explanation: String {
        switch self {
        case .noPath: "--config needs the path of a TOML file"
        case .severalFiles: "--config: only one file can be given; join them"
        case .nested(let path): "\(path): a configuration cannot name another one ('config'); join them"
        case .unreadable(let path, let reason):
            "\(path.isEmpty ? "''" : path): cannot read the configuration: \(reason); check --config"
        case .notTOML(let path, let line, let reason): "\(path): line \(line) is not TOML: \(quoted(reason))"
        case .unknownSection(let name, let path):
            "\(path): unknown section \(quoted(name)); known are \(ConfigurationFile.sections.joined(separator: ", "))"
        }
    }
}
