import Fields
import Foundation

/// Randomly damaged files for fuzzing. PINN_FUZZ sets how many of each kind a test tries, PINN_FUZZ_FROM the number of the
/// first, to repeat one that failed.
public enum Damage {
    private static func number(_ variable: String) -> Int? {
        ProcessInfo.processInfo.environment[variable].flatMap { Int($0) }
    }

    /// - Parameters:
    ///   - fast: number of files if PINN_FUZZ is not set.
    ///   - long: the same in the long tests.
    public static func seeds(fast: Int, long: Int) -> Range<Int> {
        let first = number("PINN_FUZZ_FROM") ?? 0
        return first..<first + (number("PINN_FUZZ") ?? (Places.runsLongTests ? long : fast))
    }

    /// Flips bits, sets or copies bytes, or truncates: mostly where formats keep their structure.
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

    /// Writes damaged files one after the other in place of an intact one and passes each to a reader, which may read it or throw a
    /// `Failure`; a crash ends the tests. No other file may appear in the folder, and none may take 10 s.
    ///
    /// - Returns: a line for each violation, and the number of files that were read.
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
