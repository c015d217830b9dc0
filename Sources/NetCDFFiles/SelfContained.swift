import CHDF5
import Fields

/// Throws for a file that refers to other files, is recursive, or would take more memory than any product: HDF5 follows links and
/// external storage to any path, so that a small file could yield the content of another.
package func requireSelfContained(_ path: String) throws(NetCDFError) {
    let finding = withNetCDFLock(chdf5_hazards(path))
    let reason: String
    switch finding.hazard {
    case chdf5_external_link: reason = "it is a link to another file"
    case chdf5_external_storage: reason = "its values are in another file"
    case chdf5_virtual_dataset: reason = "it is a virtual dataset, made of others"
    case chdf5_dead_link: reason = "it is a link to something that does not exist in the file"
    case chdf5_group_in_itself: reason = "it is a link to a group that contains it"
    case chdf5_deep_groups: reason = "its groups are nested more than \(CHDF5_MAX_LEVELS) levels deep"
    case chdf5_huge_chunk: reason = "its chunks take more than 512 MB each"
    default: return
    }
    let name = withUnsafeBytes(of: finding.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    throw .notSelfContained(variable: name, path: path, reason: reason)
}
