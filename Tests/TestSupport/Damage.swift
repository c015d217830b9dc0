import Fields
import Foundation

/// Files with changed bytes, by the thousand. PINN_FUZZ says how many of each kind a test tries, PINN_FUZZ_FROM which is
/// the first, to have one again that failed.
public enum Damage {
    private static func number(_ variable: String) -> Int? {
        ProcessInfo.processInfo.environment[variable].flatMap { Int($0) }
    }

    /// - Parameters:
    ///   - fast: how many where PINN_FUZZ says nothing.
    ///   - long: the same among the long tests.
    public static func seeds(fast: Int, long: Int) -> Range<Int> {
        let first = number("PINN_FUZZ_FROM") ?? 0
        return first..<first + (number("PINN_FUZZ") ?? (Places.runsLongTests ? long : fast))
    }

    /// Bits flipped, bytes set or copied over others, the end cut off: mostly where formats keep their structure.
    public static func damaged(_ whole: Data, seed: Int) -> Data {
        var numbers = RandomNumbers(seed: UInt64(seed))
        func below(_ limit: Int) -> Int { Int(numbers.next() % UInt64(max(limit, 1))) }
        var bytes = [UInt8](whole)
        for _ in 0...below(5) {
            let place = below(2) == 0 ? below(bytes.count) : below(min(bytes.count, 20_000))
            switch below(6) {
            case 0, 1: bytes[place] ^= UInt8(1 << below(8))
            case 2: bytes[place] = [0, 0x7f, 0x80, 0xff][below(4)]
            case 3: for byte in place..<min(place + 8, bytes.count) { bytes[byte] = UInt8(255 * below(2)) }
            case 4:
                let from = below(bytes.count)
                for k in 0..<min(below(64), bytes.count - max(from, place)) { bytes[place + k] = bytes[from + k] }
            default: if below(4) == 0 { bytes.removeLast(bytes.count - max(1, place)) }
            }
        }
        return Data(bytes)
    }

    /// Writes one damaged file after the other in the place of a whole one and hands each to a reader, which may read it or throw a
    /// `Failure`; a crash is one of the tests. Nothing else may appear in the folder, and no file may take 10 s.
    ///
    /// - Returns: what went wrong, a line each; and how many were read.
    public static func tried(
        _ name: String, in folder: TemporaryFolder, seeds: Range<Int>, read: (String) throws -> Void
    ) throws -> (faults: [String], read: Int) {
        let path = folder.file(name)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        let names = folder.names
        var faults: [String] = []
        var count = 0
        for seed in seeds {
            try damaged(whole, seed: seed).write(to: URL(fileURLWithPath: path))
            let begin = ContinuousClock.now
            do {
                try read(path)
                count += 1
            } catch let failure as any Failure {
                if !failure.explanation.contains(name) {
                    faults.append("seed \(seed): '\(failure.explanation)' does not name the file")
                }
            } catch {
                faults.append("seed \(seed): \(error)")
            }
            if ContinuousClock.now - begin > .seconds(10) { faults.append("seed \(seed): more than 10 s") }
        }
        if folder.names != names { faults.append("in the folder: \(folder.names)") }
        try whole.write(to: URL(fileURLWithPath: path))
        return (faults, count)
    }
}

/// SplitMix64 (Steele, Lea & Flood 2014).
private struct RandomNumbers {
    private var state: UInt64

    init(seed: UInt64) { state = mixed(0x5eed, seed) }

    mutating func next() -> UInt64 {
        state &+= 1
        return mixed(0x5eed, state)
    }
}
