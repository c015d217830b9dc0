import Foundation
import NetCDFFiles

extension AtomicFile {
    /// Removes the unfinished outputs in a folder whose names `isOurs` and that no process is writing; returns those that were there.
    static func removeLeftovers(in folder: String, of isOurs: (_ name: String) -> Bool) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { name in
            let output = String(name.dropLast(".partial".count))
            return name.hasSuffix(".partial") && isOurs(output) && removeLeftover(of: "\(folder)/\(output)")
        }
    }
}
