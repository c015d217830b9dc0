import Fields
import Foundation
import NetCDFFiles
import PointStore
import TestSupport
import Testing

/// A store of numbers that tell where they belong, larger than one checksum block.
struct SmallStore {
    static let counts: [PointSet: Int] = [.collocation: 70_000, .velocity: 300, .thickness: 200, .front: 10]
    let folder: TemporaryFolder
    var path: String { folder.file("store.nc") }
    let description: StoreDescription

    static func value(_ set: PointSet, _ column: Int, _ point: Int) -> Float {
        Float(point) * 1e-5 + Float(column) + Float(set.columns.count)
    }

    static func column(_ set: PointSet, _ column: Int, _ points: Range<Int>) -> [Float] {
        points.map { value(set, column, $0) }
    }

    init(counts: [PointSet: Int] = SmallStore.counts) throws {
        folder = try TemporaryFolder()
        let grid = Grid(
            x: [0, 450, 900], y: [900, 450],
            projection: Projection(attributes: [(name: "standard_parallel", value: .number(-71))]))
        description = StoreDescription(
            counts: counts,
            normalizations: [
                .x: Normalization(offset: 1, scale: 2), .y: Normalization(offset: -3, scale: 4),
                .u: Normalization(offset: 5, scale: 6), .v: Normalization(offset: -7, scale: 8),
                .h: Normalization(offset: 9, scale: 10),
            ],
            scales: Scales(length: 1e5, speed: 1e-5, thickness: 500),
            grids: [StoredGrid(name: "velocity", grid: grid, mask: [0, 1, 2, 3, 3, 3])],
            gridOfSet: [.velocity: "velocity", .thickness: "velocity"], seed: .max, productIceDensity: 917,
            provenance: [(name: "velocity", text: "made by a test")])
        let writer = try StoreWriter(path: path, description)
        for (set, count) in counts {
            // Portions that do not fit the checksum blocks.
            for start in stride(from: 0, to: count, by: 777) {
                let points = start..<min(start + 777, count)
                try writer.append(set.columns.indices.map { SmallStore.column(set, $0, points) }, to: set)
            }
        }
        try writer.write(cells: (0..<300).map { $0 % 6 }, of: .velocity)
        try writer.write(cells: (0..<200).map { $0 % 5 }, of: .thickness)
        try writer.finish()
    }

    var bytes: Data { get throws { try Data(contentsOf: URL(fileURLWithPath: path)) } }
    func replace(_ bytes: Data) throws { try bytes.write(to: URL(fileURLWithPath: path)) }

    /// Flips a bit of a point's value in the file that is there, as another program would that writes to it.
    func flip(_ set: PointSet, _ column: Column, _ point: Int) throws {
        let range = try NetCDFFile.byteRange(
            of: set.variable(column), count: SmallStore.counts[set]!, byteCount: 4, path: path)
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        try file.seek(toOffset: UInt64(range.lowerBound + 4 * point))
        let byte = try #require(try file.read(upToCount: 1))[0]
        try file.seek(toOffset: UInt64(range.lowerBound + 4 * point))
        try file.write(contentsOf: Data([byte ^ 8]))
        try file.close()
    }

    /// Opens and reads all points.
    func readAll() throws {
        let reader = try StoreReader(path: path)
        for set in PointSet.allCases where reader.count(set) > 0 {
            _ = try reader.read(set, 0..<reader.count(set))
        }
    }
}

@Suite("Stores keep what they are given and notice what was changed")
struct StoreTests {
    @Test("what is written is read back, description, points and cells")
    func roundTrip() throws {
        let store = try SmallStore()
        let reader = try StoreReader(path: store.path)
        #expect(reader.description == store.description)
        for (set, count) in SmallStore.counts {
            for points in [0..<count, 0..<1, count - 1..<count, count / 3..<count / 2] {
                #expect(try reader.read(set, points) == set.columns.indices.map { SmallStore.column(set, $0, points) })
            }
        }
        #expect(try reader.cells(of: .velocity) == (0..<300).map { $0 % 6 })
    }

    @Test("nothing stands under the name, or beside it, before the store is whole")
    func unfinished() throws {
        let folder = try TemporaryFolder()
        let description = try SmallStore().description
        do {
            let writer = try StoreWriter(path: folder.file("store.nc"), description)
            try writer.append([[1, 2], [3, 4]], to: .collocation)
            #expect(folder.names.count == 1 && folder.names[0].hasSuffix(".partial"))
        }
        #expect(folder.names.isEmpty)
    }

    @Test("a store without a front says so")
    func noFront() throws {
        var counts = SmallStore.counts
        counts[.front] = nil
        let store = try SmallStore(counts: counts)
        let reader = try StoreReader(path: store.path)
        #expect(reader.count(.front) == 0)
        #expect(reader.description.counts[.front] == nil)
    }

    @Test("a flipped bit in the points is noticed when its block is read, and names the points")
    func flippedPoint() throws {
        let store = try SmallStore()
        let original = try store.bytes
        for (set, column) in [(PointSet.collocation, Column.y), (.velocity, .u), (.thickness, .h), (.front, .normalY)] {
            let count = SmallStore.counts[set]!
            let range = try NetCDFFile.byteRange(of: set.variable(column), count: count, byteCount: 4, path: store.path)
            for byte in [range.lowerBound, range.lowerBound + range.count / 2, range.upperBound - 1] {
                var bytes = original
                bytes[byte] ^= 8
                try store.replace(bytes)
                let reader = try StoreReader(path: store.path)
                let failure = #expect(throws: StoreError.self) { try reader.read(set, 0..<count) }
                #expect(failure?.kind == .badData)
                #expect(failure?.explanation.contains(set.variable(column)) == true)
            }
        }
    }

    @Test("a flipped bit anywhere is noticed")
    func flippedAnywhere() throws {
        let store = try SmallStore()
        let original = try store.bytes
        // A stride that is a prime, so that header, metadata, masks, cells, checksums, points and seal are all met.
        for byte in stride(from: 0, to: original.count, by: 1009) {
            var bytes = original
            bytes[byte] ^= 1 << UInt8(byte % 8)
            try store.replace(bytes)
            #expect(throws: (any Error).self, "byte \(byte) of \(original.count)") { try store.readAll() }
        }
        for byte in original.count - IntegrityTrailer.byteCount..<original.count {
            var bytes = original
            bytes[byte] ^= 1
            try store.replace(bytes)
            #expect(throws: (any Error).self, "byte \(byte) of the seal") { try store.readAll() }
        }
        try store.replace(original)
        try store.readAll()
    }

    @Test("a store cut short anywhere, and one with something behind it, is noticed")
    func cut() throws {
        let store = try SmallStore()
        let original = try store.bytes
        for part in 0..<25 {
            try store.replace(original.prefix(original.count * part / 25))
            #expect(throws: (any Error).self, "\(part) of 25 parts") { try StoreReader(path: store.path) }
        }
        for fewer in [1, IntegrityTrailer.byteCount - 1, IntegrityTrailer.byteCount, IntegrityTrailer.byteCount + 1] {
            try store.replace(original.dropLast(fewer))
            #expect(throws: (any Error).self) { try StoreReader(path: store.path) }
        }
        try store.replace(original + Data([0]))
        #expect(throws: (any Error).self) { try StoreReader(path: store.path) }
    }

    @Test("a NetCDF file that is no store is refused by its format")
    func otherFile() throws {
        let folder = try TemporaryFolder()
        let file = try NetCDFFile(creating: folder.file("other.nc"))
        try file.endDefinitions()
        try file.close()
        let failure = #expect(throws: StoreError.self) { try StoreReader(path: folder.file("other.nc")) }
        #expect(failure?.explanation.contains("pinn-ingest") == true)
    }

    @Test("the fingerprint tells stores apart and is the same for the same points")
    func fingerprint() throws {
        func fingerprint(_ store: SmallStore) throws -> String { try StoreReader(path: store.path).fingerprint }
        let a = try fingerprint(SmallStore())
        #expect(try fingerprint(SmallStore()) == a)
        var counts = SmallStore.counts
        counts[.front] = 11
        #expect(try fingerprint(SmallStore(counts: counts)) != a)
        #expect(a.count == 32 && a.allSatisfy(\.isHexDigit))
    }

    @Test("the fingerprint depends on everything that a result depends on, and on nothing else")
    func fingerprintOfChanges() throws {
        let store = try SmallStore()
        func fingerprint(_ change: (inout StoreDescription) -> Void) throws -> String {
            try copyStore(store.path, to: store.folder.file("copy.nc"), changing: change)
            return try StoreReader(path: store.folder.file("copy.nc")).fingerprint
        }
        let same = try fingerprint { $0.provenance = [(name: "velocity", text: "made on another day")] }
        #expect(try StoreReader(path: store.path).fingerprint == same)
        var found: Set = [same]
        let changes: [(inout StoreDescription) -> Void] = [
            { $0.normalizations[.u] = Normalization(offset: 5, scale: 12) },
            { $0.normalizations[.h] = Normalization(offset: 9.5, scale: 10) },
            { $0.scales = Scales(length: 1e5, speed: 2e-5, thickness: 500) }, { $0.seed = 1 },
            { $0.ice = .groundedIce }, { $0.productIceDensity = nil }, { $0.productSeaWaterDensity = 917 },
            { $0.gridOfSet[.thickness] = nil }, { $0.grids[0].mask[1] = 3 },
            {
                $0.grids[0].grid = Grid(
                    x: $0.grids[0].grid.x, y: $0.grids[0].grid.y,
                    projection: Projection(attributes: [(name: "standard_parallel", value: .number(-70))]))
            },
            {
                $0.grids[0].grid = Grid(
                    x: $0.grids[0].grid.x, y: [900, 451], projection: $0.grids[0].grid.projection)
            },
        ]
        for (number, change) in changes.enumerated() {
            #expect(found.insert(try fingerprint(change)).inserted, "change \(number)")
        }
        try copyStore(store.path, to: store.folder.file("copy.nc"), cells: { $0[3] = 0 })
        #expect(found.insert(try StoreReader(path: store.folder.file("copy.nc")).fingerprint).inserted)
        try copyStore(store.path, to: store.folder.file("copy.nc"), values: { _, _, values in values[9] = 0 })
        #expect(found.insert(try StoreReader(path: store.folder.file("copy.nc")).fingerprint).inserted)
    }

    @Test(
        "MurmurHash3 gives the values that its other implementations give, in any portions",
        arguments: [
            ("", "00000000000000000000000000000000"), ("hello", "cbd8a7b341bd9b025b1e906a48ae1d19"),
            ("The quick brown fox jumps over the lazy dog", "e34bbc7bbc071b6c7a433ca9c49a9347"),
        ])
    func hash(text: String, expected: String) {
        for portion in [1, 3, 16, 17, 100] {
            var hash = MurmurHash3()
            var bytes = Array(text.utf8)[...]
            while !bytes.isEmpty {
                bytes.prefix(portion).withUnsafeBytes { hash.add($0) }
                bytes = bytes.dropFirst(portion)
            }
            #expect(hash.text == expected)
        }
    }

    @Test(
        "a stream delivers the points of each iteration's order, in any sequence of iterations",
        arguments: [true, false])
    func stream(isMapped: Bool) throws {
        let store = try SmallStore()
        let reader = try StoreReader(path: store.path, isMapped: isMapped)
        #expect(reader.accessDescription == (isMapped ? "memory-mapped" : "read with pread: as asked"))
        let stream = ChunkStream(reader, sizes: [.collocation: 4096, .velocity: 64, .front: 64], seed: 9)
        #expect(stream.size(.front) == 10 && stream.size(.thickness) == 0)
        for iteration in [0, 1, 2, 40, 41, 3] {
            let chunk = try stream.chunk(iteration)
            for (set, size) in [(PointSet.collocation, 4096), (.velocity, 64)] {
                let points = ChunkOrder(set, count: SmallStore.counts[set]!, size: size, seed: 9).points(
                    iteration: iteration)
                #expect(
                    chunk.columns[set]?.map(Array.init)
                        == set.columns.indices.map { SmallStore.column(set, $0, points) })
            }
        }
    }

    @Test(
        "a store that is overwritten after its first reading is noticed in the next epoch, before a wrong point is given",
        arguments: [512, 1024, 3000, 65_536], [true, false])
    func overwritten(chunk: Int, isMapped: Bool) throws {
        let store = try SmallStore()
        let stream = ChunkStream(
            try StoreReader(path: store.path, isMapped: isMapped), sizes: [.collocation: chunk], seed: 9)
        let order = ChunkOrder(.collocation, count: SmallStore.counts[.collocation]!, size: chunk, seed: 9)
        let epoch = order.chunkCount
        for iteration in 0..<epoch { _ = try stream.chunk(iteration) }
        let changed = 66_000
        try store.flip(.collocation, .y, changed)
        var failure: StoreError?
        // One chunk had been read ahead, and holds what stood there.
        for iteration in epoch..<3 * epoch {
            do {
                let chunk = try stream.chunk(iteration)
                let points = order.points(iteration: iteration)
                let found = chunk.columns[.collocation].map { Array($0[1]) }
                try chunk.requireIntact()
                #expect(found == SmallStore.column(.collocation, 1, points))
            } catch let error as StoreError {
                failure = error
                #expect(
                    order.points(iteration: iteration).overlaps(changed / 1024 * 1024..<(changed / 1024 + 1) * 1024))
                break
            }
        }
        let told = try #require(failure)
        #expect(told.kind == .badData && told.explanation.contains("collocation_y"), "\(told.explanation)")
    }

    @Test(
        "a store that is cut short while it is read is an error that names the byte, and never a signal",
        arguments: [true, false])
    func cutWhileOpen(isMapped: Bool) throws {
        let store = try SmallStore()
        let stream = ChunkStream(
            try StoreReader(path: store.path, isMapped: isMapped), sizes: [.collocation: 4096], seed: 9)
        _ = try stream.chunk(0)
        #expect(truncate(store.path, 8192) == 0)
        let failure = #expect(throws: StoreError.self) {
            for iteration in 1...5 { _ = try stream.chunk(iteration) }
        }
        #expect(failure?.kind == .inputOutput && failure?.explanation.contains("byte") == true)
    }

    @Test("a store that is deleted, or replaced by renaming, is read on as it was", arguments: [false, true])
    func unlinkedWhileOpen(replaced: Bool) throws {
        let store = try SmallStore()
        let reader = try StoreReader(path: store.path)
        let stream = ChunkStream(reader, sizes: [.collocation: 4096], seed: 9)
        _ = try stream.chunk(0)
        if replaced {
            let other = try SmallStore(counts: [.collocation: 1000, .velocity: 300, .thickness: 200])
            #expect(rename(other.path, store.path) == 0)
        } else {
            #expect(unlink(store.path) == 0)
        }
        // What would be read by name is not taken from another file.
        let failure = #expect(throws: StoreError.self) { try reader.cells(of: .velocity) }
        #expect(failure?.explanation.contains("replaced") == true)
        let order = ChunkOrder(.collocation, count: SmallStore.counts[.collocation]!, size: 4096, seed: 9)
        for iteration in 1...40 {
            let points = order.points(iteration: iteration)
            #expect(
                try Array(#require(stream.chunk(iteration).columns[.collocation])[0])
                    == SmallStore.column(.collocation, 0, points))
        }
    }

    @Test(
        "a bootstrap changes nothing but what observations count: for each a weight of its own and its seed's, one on average"
    )
    func bootstrap() throws {
        let store = try SmallStore(counts: [.collocation: 1000, .velocity: 20_000, .thickness: 200, .front: 10])
        let reader = try StoreReader(path: store.path)
        func chunk(_ seed: UInt64?, _ size: Int, _ iteration: Int) throws -> [[Float]] {
            let sizes: [PointSet: Int] = [.collocation: 64, .velocity: size, .thickness: 50, .front: 10]
            let stream = ChunkStream(reader, sizes: sizes, seed: 9, bootstrap: seed.map { Bootstrap(seed: $0) })
            let chunk = try stream.chunk(iteration)
            let order = ChunkOrder(.collocation, count: 1000, size: 64, seed: 9)
            #expect(
                chunk.columns[.collocation].map { Array($0[1]) }
                    == SmallStore.column(.collocation, 1, order.points(iteration: iteration)))
            return (chunk.columns[.velocity] ?? []).map(Array.init)
        }
        let weight = try #require(PointSet.velocity.columns.firstIndex(of: .weightU))
        let (plain, drawn, other) = try (chunk(nil, 20_000, 0), chunk(1, 20_000, 0), chunk(2, 20_000, 0))
        #expect(Array(drawn[..<weight]) == Array(plain[..<weight]) && drawn.count == weight + 2)
        let factors = zip(drawn[weight], plain[weight]).map { Double($0 / $1) }
        let mean = factors.reduce(0, +) / 20_000
        let square = factors.reduce(0) { $0 + $1 * $1 } / 20_000
        // Of 20,000 exponential numbers the mean is good to 0.007, the mean square (2) to 0.03: four times that.
        #expect(factors.allSatisfy { $0 >= 0 } && abs(mean - 1) < 0.03 && abs(square - 2) < 0.13)
        #expect(drawn[weight] != other[weight])
        // The same observation counts the same in whatever chunk it comes.
        let ofPoint = Dictionary(uniqueKeysWithValues: zip(drawn[0], drawn[weight]))
        let small = try chunk(1, 300, 7)
        #expect(zip(small[0], small[weight]).allSatisfy { ofPoint[$0] == $1 })
    }
}
