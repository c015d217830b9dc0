import Compute
import ComputeCPU
import ComputeCUDA
import Fields
import Glibc
import Threads

/// The devices that a user can name: a new one is a target beside ComputeCPU, and one line here.
public enum Backends {
    private struct Device: Sendable {
        let name: String
        /// Whether this machine has it.
        let isAvailable: @Sendable () -> Bool
        let make: @Sendable (ResidualProblem, _ threads: Int?, _ precision: String?) throws -> any Backend
        /// What it allocates for chunks with `counts` points for each program.
        let memory: @Sendable (ResidualProblem, _ counts: [Int], _ threads: Int?) -> [(name: String, bytes: Int)]
        /// What it takes of its own memory; nil for a device without one.
        let ownMemory: (@Sendable (ResidualProblem, _ precision: String?) throws -> DeviceMemory)?
    }

    /// In the order in which "auto" tries them.
    private static let devices = [
        Device(
            name: "cuda", isAvailable: { isGPUAvailable },
            make: { residualProblem, threads, precision in
                try CUDABackend(
                    residualProblem, precision: chosen(precision), host: makeHost(residualProblem, threads, .fp32))
            },
            memory: { residualProblem, counts, threads in
                CUDABackend.hostMemory(residualProblem, counts: counts)
                    + CPUBackend.memory(
                        residualProblem, counts: counts.map { min($0, sampledPoints) }, threads: threads
                    )
                    .map { ("\($0.name) for Jacobians", $0.bytes) }
            },
            ownMemory: { residualProblem, precision in
                try CUDABackend.deviceMemory(residualProblem, precision: chosen(precision))
            }),
        Device(
            name: "cpu", isAvailable: { true },
            make: { residualProblem, threads, precision in
                try makeHost(residualProblem, threads, chosen(precision))
            },
            memory: CPUBackend.memory, ownMemory: nil),
    ]
    /// Points of a Jacobian that is made at once.
    private static let sampledPoints = 1024

    private static func makeHost(
        _ residualProblem: ResidualProblem, _ threads: Int?, _ precision: Precision
    ) throws -> CPUBackend {
        try ThreadTeam.computing.require(
            min(threads ?? defaultThreads, defaultThreads) - 1, remedy: "give fewer --threads")
        return CPUBackend(
            residualProblem, threads: threads, kernels: try chosenKernels(), precision: precision,
            shouldStop: { StopRequest.isPending })
    }

    /// Asked once, since libraries are searched for in many places.
    private static let isGPUAvailable = CUDABackend.isAvailable

    /// Throws where no device has the name.
    static func requireName(_ name: String) throws {
        guard names.contains(name) else { throw unknown(name, "backend", known: names) }
    }

    /// Names of the devices that this machine has.
    public static var available: [String] { devices.filter { $0.isAvailable() }.map(\.name) }

    public static var names: [String] { ["auto"] + devices.map(\.name) }

    /// The caller has found room for it and for its threads (`MemoryEstimate`): a thread that finds none for its stack and
    /// OpenBLAS's buffer ends the process, or asks for it over and over.
    ///
    /// - Parameter name: of a device; after a colon, the precision of its products: "cuda:tf32".
    public static func make(_ name: String, _ residualProblem: ResidualProblem, threads: Int?) throws -> any Backend {
        let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        return try device(parts[0]).make(residualProblem, threads, parts.count > 1 ? parts[1] : nil)
    }

    /// Precisions of the layers' products.
    public static var precisions: [String] { Precision.allCases.map(\.rawValue) }

    private static func chosen(_ name: String?) throws -> Precision {
        guard let precision = Precision(rawValue: name ?? Precision.fp32.rawValue) else {
            throw unknown(name ?? "", "precision", known: precisions)
        }
        return precision
    }

    /// Bytes that the device would allocate, by purpose.
    public static func memory(_ name: String, _ residualProblem: ResidualProblem, counts: [Int], threads: Int?) throws
        -> [(name: String, bytes: Int)]
    {
        try device(name).memory(residualProblem, counts, threads)
    }

    /// What a device would take of its own memory, where it has one and is available.
    public static func ownMemory(_ name: String, _ residualProblem: ResidualProblem, precision: String) throws
        -> DeviceMemory?
    {
        let device = try device(name)
        return device.isAvailable() ? try device.ownMemory?(residualProblem, precision) : nil
    }

    /// Threads that a device uses unless told otherwise.
    public static var defaultThreads: Int { CPUBackend.availableCores }
    /// Bytes that each of them reserves and hardly touches.
    public static var reservedPerThread: (mapped: Int, data: Int) { CPUBackend.reservedPerThread }

    /// "auto" is the first device of the list that this machine has.
    private static func device(_ given: String) throws -> Device {
        let name = String(given.prefix { $0 != ":" })
        guard let device = devices.first(where: { name == "auto" ? $0.isAvailable() : $0.name == name }) else {
            throw unknown(name, "backend", known: names)
        }
        return device
    }

    /// Kernels of the instruction set that PINN_KERNELS names: one that all nodes of a mixed cluster have gives the same bits
    /// on all of them.
    private static func chosenKernels() throws -> TileKernels? {
        guard let name = getenv("PINN_KERNELS").map({ String(cString: $0) }), !name.isEmpty else { return nil }
        guard let kernels = TileKernels.available.first(where: { $0.name.lowercased() == name.lowercased() }) else {
            throw PlainFailure(
                .usage,
                "PINN_KERNELS=\(name): this processor has no such kernels; it has \(TileKernels.available.map(\.name).joined(separator: ", "))"
            )
        }
        return kernels
    }

    private static func unknown(_ name: String, _ option: String, known: [String]) -> PlainFailure {
        PlainFailure(.usage, "--\(option): no \(quoted(name)); known: \(known.joined(separator: ", "))")
    }
}
