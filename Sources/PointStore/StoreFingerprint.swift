import Fields
import Glibc
import NetCDFFiles

/// Identifies a store in results made from it: 128 bits over everything that they depend on. The points are covered by the checksums of
/// their blocks; texts about where the store came from (its date, the version that made it) are not, so that a lost store can
/// be made again from the same products.
///
/// MurmurHash3 (x64, 128 bits; Austin Appleby 2011) notices changes that were not meant, and stores that are taken for each other. It
/// is no protection against someone who makes a store to have a certain fingerprint.
struct StoreFingerprint {
    private var hash = MurmurHash3()

    init(
        _ description: StoreDescription, checksums: [String: [UInt32]], cells: (PointSet, Range<Int>) throws -> [Int32]
    ) throws {
        add(StoreNames.format, description.ice.name, String(description.seed))
        add(
            [description.scales.length, description.scales.speed, description.scales.thickness]
                + [description.productIceDensity, description.productSeaWaterDensity].map { $0 ?? .nan })
        for set in PointSet.allCases {
            guard let count = description.counts[set] else { continue }
            add(set.rawValue, String(count), description.gridOfSet[set] ?? "")
            for column in set.columns {
                let scaling = description.normalizations[column]
                add(column.rawValue)
                add([scaling?.offset ?? .nan, scaling?.scale ?? .nan])
                add(checksums[set.variable(column)] ?? [])
            }
            guard description.gridOfSet[set] != nil else { continue }
            for start in stride(from: 0, to: count, by: StoreNames.pointsPerBlock) {
                add(try cells(set, start..<min(start + StoreNames.pointsPerBlock, count)))
            }
        }
        for stored in description.grids {
            add(stored.name)
            add(stored.grid.x)
            add(stored.grid.y)
            add(stored.mask)
            for (name, value) in stored.grid.projection?.attributes ?? [] {
                switch value {
                case .text(let text): add(name, text)
                case .number(let number):
                    add(name)
                    add([number])
                }
            }
        }
    }

    /// 32 hexadecimal digits.
    var text: String { hash.text }

    /// With their number, so that two lists never run into each other.
    private mutating func add<Value: BitwiseCopyable>(_ values: [Value]) {
        withUnsafeBytes(of: UInt64(values.count)) { hash.add($0) }
        values.withUnsafeBytes { hash.add($0) }
    }

    private mutating func add(_ texts: String...) {
        for text in texts { add(Array(text.utf8)) }
    }
}

/// MurmurHash3 of 128 bits, for 64-bit machines, with the seed 0.
package struct MurmurHash3 {
    private var state: (UInt64, UInt64) = (0, 0)
    private var count = 0
    /// Bytes that do not fill a block of 16 yet.
    private var rest: [UInt8] = []

    package init() {}

    package mutating func add(_ bytes: UnsafeRawBufferPointer) {
        count += bytes.count
        var start = 0
        if !rest.isEmpty {
            start = min(16 - rest.count, bytes.count)
            rest += bytes[..<start]
            guard rest.count == 16 else { return }
            rest.withUnsafeBytes { addBlock($0, 0) }
            rest.removeAll(keepingCapacity: true)
        }
        while bytes.count - start >= 16 {
            addBlock(bytes, start)
            start += 16
        }
        rest += bytes[start...]
    }

    package var text: String {
        let (high, low) = finished
        return [high, low].map { word in
            let text = String(word, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }.joined()
    }

    private mutating func addBlock(_ bytes: UnsafeRawBufferPointer, _ place: Int) {
        let first = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
        let second = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place + 8, as: UInt64.self))
        state.0 ^= MurmurHash3.firstWord(first)
        state.0 = (MurmurHash3.rotated(state.0, 27) &+ state.1) &* 5 &+ 0x52dc_e729
        state.1 ^= MurmurHash3.secondWord(second)
        state.1 = (MurmurHash3.rotated(state.1, 31) &+ state.0) &* 5 &+ 0x3849_5ab5
    }

    private var finished: (UInt64, UInt64) {
        var (a, b) = state
        let tail = rest + [UInt8](repeating: 0, count: 16 - rest.count)
        tail.withUnsafeBytes {
            a ^= MurmurHash3.firstWord(UInt64(littleEndian: $0.load(as: UInt64.self)))
            b ^= MurmurHash3.secondWord(UInt64(littleEndian: $0.load(fromByteOffset: 8, as: UInt64.self)))
        }
        a ^= UInt64(count)
        b ^= UInt64(count)
        a &+= b
        b &+= a
        a = MurmurHash3.mixed(a)
        b = MurmurHash3.mixed(b)
        a &+= b
        return (a, b &+ a)
    }

    private static let factors: (UInt64, UInt64) = (0x87c3_7b91_1142_53d5, 0x4cf5_ad43_2745_937f)

    private static func firstWord(_ word: UInt64) -> UInt64 { rotated(word &* factors.0, 31) &* factors.1 }
    private static func secondWord(_ word: UInt64) -> UInt64 { rotated(word &* factors.1, 33) &* factors.0 }
    private static func rotated(_ word: UInt64, _ bits: UInt64) -> UInt64 { word << bits | word >> (64 - bits) }

    private static func mixed(_ word: UInt64) -> UInt64 {
        var word = word
        word = (word ^ word >> 33) &* 0xff51_afd7_ed55_8ccd
        word = (word ^ word >> 33) &* 0xc4ce_b9fe_1a85_ec53
        return word ^ word >> 33
    }
}
