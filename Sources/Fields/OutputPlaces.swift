import Foundation

/// Makes a folder for outputs where it is missing; throws where they could not be written into it, before any work that would be lost.
public func makeFolder(_ path: String) throws(PlainFailure) {
    if mkdir(path, 0o777) == 0 || (errno == EEXIST && access("\(path)/.", W_OK) == 0) { return }
    throw PlainFailure(
        .inputOutput,
        "\(path): cannot make the folder, or write into it: \(String(cString: strerror(errno))); name one whose parent exists and that you may write to"
    )
}

/// Throws if something is at a path that is not a file with a text among its first bytes: an output may only replace one of its own kind.
public func requireReplaceable(
    _ path: String, by kind: String, marked text: String, within bytes: Int = 512
) throws(PlainFailure) {
    guard access(path, F_OK) == 0 else { return }
    // Opening a pipe would block until the other end is opened.
    var info = stat()
    let isFile = stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFREG
    let start = isFile ? try? FileHandle(forReadingAtPath: path)?.read(upToCount: bytes) : nil
    guard start?.range(of: Data(text.utf8)) != nil else {
        throw PlainFailure(.usage, "\(path): exists and is not \(kind), so it is not replaced; choose another name")
    }
}
