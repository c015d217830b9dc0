import ComputeCPU
import Export
import Fields
import Foundation
import Networks
import NetCDFFiles
import Optimizers
import PointStore
import Runs
import TestSupport

@testable import CommandSupport
@testable import Ingest

/// What reads bytes that others wrote.
enum Parser: String, CaseIterable {
    case schema, configuration, plan, geojson, exp, points, store, checkpoint, trailer
}

/// Bytes may be read or refused with a `Failure` that is not the program's own; anything else ends the process, which the
/// fuzzer reports.
final class Trial {
    private let parser: Parser
    private let folder: TemporaryFolder
    private let path: String
    private let store: StoreReader
    private let prediction: Prediction
    private let pieces: FilePieces?

    init(of parser: Parser) throws {
        self.parser = parser
        folder = try TemporaryFolder()
        let ending = [Parser.geojson: "geojson", .exp: "exp"][parser] ?? "file"
        path = folder.file("tried.\(ending)")
        try ExactShelf.writeStore(to: folder.file("store.nc"), collocation: 20, observations: 10)
        store = try StoreReader(path: folder.file("store.nc"))
        var configuration = TrainingConfiguration()
        try configuration.set("network", to: "1x2")
        let checkpoint = Checkpoint(
            configuration: configuration, iteration: 5,
            parameters: configuration.networks.initialParameters(seed: 1), optimizer: StoredArrays(),
            history: History(termNames: ["velocity"]), storeFingerprint: store.fingerprint, backend: "test",
            trainedSeconds: 1)
        prediction = try Prediction(checkpoint, store: store) { CPUBackend($0, threads: 1) }
        switch parser {
        case .store: pieces = try FilePieces(of: folder.file("store.nc"))
        case .checkpoint:
            try checkpoint.write(to: folder.file("checkpoint.nc"))
            pieces = try FilePieces(of: folder.file("checkpoint.nc"))
        default: pieces = nil
        }
    }

    func run(on bytes: Data) {
        do {
            try read(bytes)
        } catch let failure as any Failure {
            precondition(failure.kind != .software, failure.explanation)
            precondition(failure.explanation.utf8.count < 10_000, "a message that nobody reads to its end")
        } catch {
            // The command says that its author must be told.
            fatalError("not a Failure: \(error)")
        }
    }

    private func read(_ bytes: Data) throws {
        let text = String(decoding: bytes, as: UTF8.self)
        switch parser {
        case .schema: _ = try ProductSchema(toml: text, called: "tried.toml", isOfUser: true)
        case .configuration:
            try bytes.write(to: URL(fileURLWithPath: path))
            _ = try ConfigurationFile.split(["--config", path], section: "train")
        case .plan:
            // A checkpoint's plan that cannot be read is damage, whatever the error.
            guard let configuration = try? TrainingConfiguration(toml: text) else { return }
            let again = try TrainingConfiguration(toml: configuration.toml)
            precondition(again.toml == configuration.toml, "written, a plan is another")
        case .geojson, .exp:
            try bytes.write(to: URL(fileURLWithPath: path))
            let extent = Region(xMin: -1e6, xMax: 1e6, yMin: -1e6, yMax: 1e6)
            _ = try PolygonFile(path: path).polygon(in: nil, of: "a product", extent: extent)
        case .points:
            try bytes.write(to: URL(fileURLWithPath: path))
            _ = try PointTable(reading: path).write(prediction, to: folder.file("line.csv")) {}
            try FileManager.default.removeItem(atPath: folder.file("line.csv"))
        case .store:
            try pieces!.changed(by: bytes).write(to: path)
            let store = try StoreReader(path: path)
            for set in PointSet.allCases where store.count(set) > 0 {
                _ = try store.read(set, 0..<store.count(set))
                if store.description.gridOfSet[set] != nil { _ = try store.cells(of: set) }
            }
        case .checkpoint:
            try pieces!.changed(by: bytes).write(to: path)
            _ = try Checkpoint(reading: path)
        case .trailer:
            try bytes.write(to: URL(fileURLWithPath: path))
            // A valid one must be found valid, and one more changed byte must not.
            if (try? IntegrityTrailer.verify(path)) == nil, !bytes.isEmpty { try requireSealed(bytes) }
            try IntegrityTrailer.verify(path)
        }
    }

    private func requireSealed(_ bytes: Data) throws {
        try IntegrityTrailer.close(path, leavingOut: [])
        try IntegrityTrailer.verify(path)
        var sealed = try Data(contentsOf: URL(fileURLWithPath: path))
        sealed[Int(bytes[0]) % sealed.count] ^= 1
        try sealed.write(to: URL(fileURLWithPath: path))
        precondition((try? IntegrityTrailer.verify(path)) == nil, "a changed byte was not noticed")
        try bytes.write(to: URL(fileURLWithPath: path))
    }
}
