import Fields
import Foundation
import PointStore
import Runs
import TestSupport
import Testing

/// Stores, checkpoints and plans with changed bytes: read or refused.
@Suite struct DamagedFileTests {
    private static let seeds = Damage.seeds(fast: 200, long: 2000)

    @Test func damagedStoresAreRefused() throws {
        let short = try ShortRun()
        let whole = try StoreReader(path: short.configuration.store).fingerprint
        let tried = try Damage.tried("store.nc", in: short.folder, seeds: Self.seeds) { path in
            let store = try StoreReader(path: path)
            for set in PointSet.allCases where store.count(set) > 0 {
                _ = try store.read(set, 0..<store.count(set))
            }
            // Changes of bytes that change nothing, and of those that no value lies in.
            #expect(store.fingerprint == whole)
        }
        #expect(tried.faults.isEmpty)
        #expect(tried.read < Self.seeds.count / 10)
    }

    @Test func damagedCheckpointsAreRefused() throws {
        let short = try ShortRun()
        let whole = try short.train("run", iterations: 3)
        let names = try FileManager.default.contentsOfDirectory(atPath: short.folder.file("run"))
        let name = try #require(names.filter { $0.hasPrefix("checkpoint-") }.max())
        let tried = try Damage.tried("run/" + name, in: short.folder, seeds: Self.seeds) { path in
            let read = try Checkpoint(reading: path)
            #expect(read.parameters == whole.parameters)
        }
        #expect(tried.faults.isEmpty)
        #expect(tried.read < Self.seeds.count / 10)
    }
}
