import ArgumentParser
import Benchmarks
import CommandSupport
import Compute
import ComputeCPU
import Fields
import Runs

@main
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pinn-bench",
        abstract: "Times a training step on this machine.",
        discussion: """
            For each number of points: the median time of a whole step (loss, gradient, Adam), seconds for a point and a \
            thousand iterations, points a second, and the share of OpenBLAS's own matrix-product rate on the same cores, \
            measured in the same run. Leave the machine alone while it runs.
            """)

    @Option(help: "Numbers of points, behind commas.") var points = "1024,4096,16384,65536"
    @Option(help: "Hidden layers and their width.") var network = "8x128"
    @Option(help: "Seconds for each number of points.") var seconds = 5.0
    @Option(help: "Where to compute: \(Backends.names.joined(separator: ", ")).") var backend = "auto"
    @Option(help: "Threads. (default: all cores)") var threads: Int?
    @OptionGroup var common: CommonOptions

    static func main() {
        runCommand(BenchCommand.self, section: "bench")
    }

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads: \(threads) is not from 1 to 1024")
        }
        if !(seconds > 0 && seconds < 1e6) { throw ValidationError("--seconds: \(seconds) is not a positive number") }
        if counts == nil {
            throw ValidationError(
                "--points: \(quoted(points)) is not a list of whole numbers up to 1e8 such as 1024,4096")
        }
    }

    private var counts: [Int]? {
        let counts = points.split(separator: ",", omittingEmptySubsequences: false).map {
            Count(argument: String($0))?.value
        }
        return counts.contains { $0 == nil || $0! > 100_000_000 } ? nil : counts.compactMap { $0 }
    }

    func run() throws {
        var plan = Plan()
        try plan.set("network", to: .text(network))
        let used = threads ?? CPUBackend.availableCores
        let benchmark = try StepBenchmark(networks: plan.networks(), threads: used) {
            try Backends.make(backend, $0, threads: used)
        }
        print("network 2 -> \(network) tanh -> 4; \(benchmark.summary)")
        print(row(["points", "s/step", "s/(point x 1000 it)", "points/s", "sgemm GFLOP/s", "share of sgemm"]))
        for count in counts ?? [] {
            let result = try benchmark.run(points: count, seconds: seconds)
            print(
                row([
                    "\(count)", rounded(result.secondsPerStep, 5), rounded(result.unitTime, 4),
                    "\(Int(result.pointsPerSecond))", rounded(result.matrixRate / 1e9, 1), rounded(result.share, 3),
                ]))
        }
    }

    private func row(_ cells: [String]) -> String {
        cells.map { String(repeating: " ", count: max(0, 20 - $0.count)) + $0 }.joined()
    }

    private func rounded(_ value: Double, _ digits: Int) -> String {
        var power = 1.0
        for _ in 0..<digits { power *= 10 }
        return "\((value * power).rounded() / power)"
    }
}
