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

    /// The arguments that the file adds to a command line, and the others; nil where it names no file. Flags follow the others, or an
    /// option that needs a value would take the next argument for it. `absent` are the flags that it says not to set.
    static func split(_ arguments: [String], section: String) throws
        -> (path: String, ofFile: [String], others: [String], flags: [String], absent: [String])?
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
        var (expanded, flags, absent): ([String], [String], [String]) = ([], [], [])
        for (key, value) in try options(path: path, section: section) {
            let option = "--\(key)"
            if rest.contains(where: { $0 == option || $0.hasPrefix("\(option)=") }) { continue }
            switch value {
            case .text(let text): expanded.append("\(option)=\(text)")
            case .flag(true): flags.append(option)
            case .flag(false): absent.append(option)
            }
        }
        return (path, expanded, rest, flags, absent)
    }

    private enum Value {
        case text(String)
        /// Given, or left out.
        case flag(Bool)
    }

    /// Options of the top level and of the section.
    private static func options(path: String, section: String) throws -> [(String, Value)] {
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
        var options: [String: Value] = [:]
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
                    options[key] = .flag(flag)
                } else if let list = value.array {
                    let texts = list.map(scalarText)
                    guard !texts.contains(nil) else { throw ConfigurationError.badValue(key, path: path) }
                    options[key] = .text(texts.compactMap { $0 }.joined(separator: ","))
                } else {
                    options[key] = .text(scalarText(value) ?? "\(value)")
                }
            }
        }
        return options.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private static func contents(of path: String) throws -> String {
        var info = stat()
        if stat(path, &info) == 0, let kind = kindOfSpecialFile(info) {
            throw ConfigurationError.unreadable(path: path, reason: "it is \(kind), expected a TOML file")
        }
        // A configuration is small; a data file given by mistake is not read to its end.
        guard let bytes = firstBytes(of: path, 1 << 22) else {
            throw errno == EIO
                ? NetCDFError.diskFailed(path: path, what: "the configuration")
                : ConfigurationError.unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        guard bytes.count < 1 << 22 else {
            throw ConfigurationError.noText(path: path, reason: "it has more than 4 MB, as no configuration has")
        }
        guard let text = String(validating: bytes, as: UTF8.self), !text.utf8.contains(0),
            !text.contains("\\u0000"), !text.contains("\\U00000000")
        else {
            throw ConfigurationError.noText(path: path, reason: "it is not UTF-8, or has a byte that is zero")
        }
        return text
    }
}

enum ConfigurationError: Failure {
    case noPath
    case severalFiles
    case nested(path: String)
    case unreadable(path: String, reason: String)
    case notTOML(path: String, line: Int, reason: String)
    case unknownSection(String, path: String)
    case badValue(String, path: String)
    case noText(path: String, reason: String)

    var kind: FailureKind {
        switch self {
        case .noPath, .severalFiles: .usage
        case .unreadable: .missingInput
        case .notTOML, .unknownSection, .nested, .badValue, .noText: .badData
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
        case .noText(let path, let reason): "\(path): not a TOML file: \(reason); check --config"
        case .badValue(let name, let path):
            "\(path): \(quoted(name)) is a list of more than texts and numbers; give the option's value as on the command line"
        case .unknownSection(let name, let path):
            "\(path): unknown section \(quoted(name)); known are \(ConfigurationFile.sections.joined(separator: ", "))"
        }
    }
}
