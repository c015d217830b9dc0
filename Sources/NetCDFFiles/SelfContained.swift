import CHDF5
import Fields

/// Refuses a file that leads to other files or in circles, or that would take more memory than any product: HDF5 follows links and external
/// storage to whatever path they name, so that a small file can yield another one's bytes.
package func requireSelfContained(_ path: String) throws(NetCDFError) {
    let finding = withNetCDFLock(chdf5_hazards(path))
    let reason: String
    switch finding.hazard {
    case chdf5_external_link: reason = "it is a link into another file"
    case chdf5_external_storage: reason = "its values lie in another file"
    case chdf5_virtual_dataset: reason = "it is put together from other datasets"
    case chdf5_dead_link: reason = "it is a link to something that the file does not hold"
    case chdf5_group_in_itself: reason = "it is a link to a group that it lies in, so that there is no end"
    case chdf5_deep_groups: reason = "its groups lie more than \(CHDF5_MOST_LEVELS) deep"
    case chdf5_huge_chunk: reason = "its chunks take more than 512 MB each"
    default: return
    }
    let name = withUnsafeBytes(of: finding.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    throw .notSelfContained(variable: name, path: path, reason: reason)
}
