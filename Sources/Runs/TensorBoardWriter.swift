import CKernels
import Fields
import Foundation
import NetCDFFiles

/// Writes scalars of a run for TensorBoard: a file of TFRecords, each an Event message, whose protocol buffers are encoded
/// here field by field (tensorflow/core/util/event.proto and framework/summary.proto).
///
/// Unlike other outputs it grows while it is read; readers skip an incomplete record, whose checksum fails.
public final class TensorBoardWriter {
    public let path: String
    private let handle: Int32
    private var pending: [UInt8] = []
    private var lastFlush = ContinuousClock.now

    /// Longest time until added scalars are in the file, as long as more are added.
    private static let flushEvery = Duration.seconds(2)

    /// Creates a new file, and the folder where it is missing.
    ///
    /// - Parameter iteration: the first that will be added. TensorBoard drops what older files have from there on, which a run that
    ///   was killed after its last checkpoint repeats.
    public init(in folder: String, from iteration: Int) throws(TensorBoardError) {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            let isFile = FileState(folder) != nil
            throw .notWritable(path: folder, reason: isFile ? "it is not a folder" : "the folder cannot be made")
        }
        // TensorBoard reads files in the order of their names, which begin with ten digits from 2001 to 2286.
        path =
            "\(folder)/events.out.tfevents.\(Int(TensorBoardWriter.now)).\(ProcessInfo.processInfo.hostName).\(getpid()).\(iteration)"
        handle = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard handle >= 0 else { throw .notWritable(path: folder, reason: String(cString: strerror(errno))) }
        append(ProtocolBuffer().double(1, TensorBoardWriter.now).text(3, "brain.Event:2"))
        if iteration > 0 {
            // SessionLog.status = START.
            append(
                ProtocolBuffer().double(1, TensorBoardWriter.now).whole(2, iteration)
                    .message(7, ProtocolBuffer().whole(1, 1)))
        }
        try flush()
    }

    deinit { close(handle) }

    /// Adds scalars of an iteration, by their tags.
    public func add(_ scalars: [(tag: String, value: Double)], iteration: Int) throws(TensorBoardError) {
        var summary = ProtocolBuffer()
        for (tag, value) in scalars {
            summary = summary.message(1, ProtocolBuffer().text(1, tag).float(2, Float(value)))
        }
        append(ProtocolBuffer().double(1, TensorBoardWriter.now).whole(2, iteration).message(5, summary))
        if ContinuousClock.now - lastFlush >= TensorBoardWriter.flushEvery { try flush() }
    }

    /// Writes what was added to the file.
    public func flush() throws(TensorBoardError) {
        lastFlush = .now
        defer { pending.removeAll(keepingCapacity: true) }
        guard writeAll(pending, to: handle) else {
            throw .notWritable(path: path, reason: String(cString: strerror(errno)))
        }
    }

    // MARK: inside

    /// Seconds since 1970.
    private static var now: Double { Date.now.timeIntervalSince1970 }

    /// A TFRecord: length, its checksum, data, their checksum, little-endian.
    private func append(_ event: ProtocolBuffer) {
        let length = littleEndian(UInt64(event.bytes.count))
        pending += length + littleEndian(TensorBoardWriter.masked(length))
        pending += event.bytes + littleEndian(TensorBoardWriter.masked(event.bytes))
    }

    /// CRC-32C, rotated and offset so that data that contain checksums are still well checked (LevelDB's log format).
    private static func masked(_ bytes: [UInt8]) -> UInt32 {
        let checksum = crc32c(0, bytes, bytes.count)
        return (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
    }
}

private func littleEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { Array($0) }
}

/// A protocol buffer message under construction: key (field number and wire type), value, key, value.
private struct ProtocolBuffer {
    private(set) var bytes: [UInt8] = []

    private func appending(_ field: Int, _ wireType: UInt64, _ value: [UInt8]) -> ProtocolBuffer {
        var longer = self
        longer.bytes += ProtocolBuffer.variable(UInt64(field) << 3 | wireType) + value
        return longer
    }

    func whole(_ field: Int, _ value: Int) -> ProtocolBuffer {
        appending(field, 0, ProtocolBuffer.variable(UInt64(bitPattern: Int64(value))))
    }

    func double(_ field: Int, _ value: Double) -> ProtocolBuffer { appending(field, 1, littleEndian(value.bitPattern)) }

    func float(_ field: Int, _ value: Float) -> ProtocolBuffer { appending(field, 5, littleEndian(value.bitPattern)) }

    func text(_ field: Int, _ value: String) -> ProtocolBuffer { delimited(field, Array(value.utf8)) }

    func message(_ field: Int, _ value: ProtocolBuffer) -> ProtocolBuffer { delimited(field, value.bytes) }

    private func delimited(_ field: Int, _ value: [UInt8]) -> ProtocolBuffer {
        appending(field, 2, ProtocolBuffer.variable(UInt64(value.count)) + value)
    }

    /// Seven bits a byte, the lowest first.
    private static func variable(_ value: UInt64) -> [UInt8] {
        var (rest, bytes) = (value, [UInt8]())
        while rest > 0x7F {
            bytes.append(UInt8(rest & 0x7F | 0x80))
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}

public enum TensorBoardError: Failure {
    case notWritable(path: String, reason: String)

    public var kind: FailureKind { .inputOutput }

    public var explanation: String {
        switch self {
        case .notWritable(let path, let reason):
            "--tensorboard: \(path) cannot be written: \(reason); choose another folder"
        }
    }
}
