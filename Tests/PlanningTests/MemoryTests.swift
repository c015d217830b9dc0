import Compute
import ComputeCPU
import Foundation
import Fields
import Objective
import Optimizers
import Planning
import PointStore
import Runs
import TestSupport
import Testing

@Suite struct MemoryTests {
    private static func objective(_ configuration: TrainingConfiguration) -> Objective {
        configuration.objective(for: .assumed(collocation: 20_000_000, observations: 100_000, front: 1000))
    }

    private static func memory(_ configuration: TrainingConfiguration, baseline: Int = 40_000_000, threads: Int = 2)
        -> MemoryEstimate
    {
        let objective = objective(configuration)
        let sizes = StoreDescription.assumed(collocation: 20_000_000, observations: 100_000, front: 1000).sizes(
            configuration.stream)
        return MemoryEstimate(
            configuration, objective: objective, sizes: sizes,
            backend: CPUBackend.memory(
                objective.residualProblem, counts: objective.sets.map { sizes[$0] ?? 0 }, threads: threads),
            threads: threads, reservedPerThread: CPUBackend.reservedPerThread,
            baseline: ProcessMemory(resident: baseline, mapped: 10 * baseline, data: 2 * baseline))
    }

    private static func configuration(_ network: String = "8x128", chunk: Int = 1024, iterations: Int = 1000)
        -> TrainingConfiguration
    {
        var configuration = TrainingConfiguration()
        configuration.network = (try? NetworkConfiguration(parsing: network)) ?? NetworkConfiguration()
        configuration.stream = StreamConfiguration(chunk: chunk)
        configuration.iterations = iterations
        return configuration
    }

    @Test func aRunThatJustFitsIsLetInAndOneByteLessIsNot() throws {
        let memory = Self.memory(Self.configuration())
        for measure in [MemoryLimit.Measure.resident, .mapped, .data] {
            let needed = memory.needed(measure)
            try memory.require([MemoryLimit(counting: measure, bytes: needed, name: "the limit")])
            let failure = #expect(throws: PlainFailure.self) {
                try memory.require([
                    MemoryLimit(counting: .resident, bytes: 1 << 40, name: "a wide limit"),
                    MemoryLimit(counting: measure, bytes: needed - 1, name: "the limit"),
                ])
            }
            #expect(failure?.kind == .usage)
            #expect(failure?.explanation.contains("the limit leaves") == true)
        }
    }

    @Test func aFixedBatchIsKeptWhereItFitsAndReadAgainWhereItDoesNot() throws {
        var configuration = Self.configuration("2x16")
        #expect(Self.memory(configuration).fixedBatchText == nil && !Self.memory(configuration).keepsFixedBatch)
        try configuration.set("optimizer", to: "adam:10,lbfgs:10")
        configuration.iterations = 10
        // A run that does not come to the phase needs none.
        #expect(Self.memory(configuration).fixedBatchText == nil)
        configuration.iterations = 20
        let memory = Self.memory(configuration)
        let part = try #require(memory.parts.first { $0.name == "fixed batch" })
        // Sixteen chunks of 1024: x, y; x, y, u, v, weight; x, y, h, weight; x, y, normal.
        let columns = PointSet.allCases.map { ($0, $0.columns.count) }
        let values = columns.reduce(0) { $0 + $1.1 * (configuration.stream.sizes[$1.0] ?? 0) }
        let surface = PointSet.surface.columns.count * (configuration.stream.sizes[.surface] ?? 0)
        #expect(part.bytes == 16 * 4 * (values - surface))
        #expect(memory.fixedBatchText?.contains("16384 points kept in memory") == true)
        for measure in [MemoryLimit.Measure.resident, .mapped, .data] {
            let enough = MemoryLimit(counting: measure, bytes: memory.needed(measure), name: "the limit")
            #expect(memory.fitted(to: [enough]).keepsFixedBatch)
            let little = MemoryLimit(counting: measure, bytes: memory.needed(measure) - 1, name: "the limit")
            let smaller = memory.fitted(to: [little])
            #expect(!smaller.keepsFixedBatch && smaller.peak == memory.peak - part.bytes)
            #expect(smaller.fixedBatchText?.contains("read again") == true)
            try smaller.require([little])
        }
    }

    @Test func whatOtherOptionsWouldMakeFitIsAMatterOfUsage() {
        let parts: [MemoryEstimate.Part] = [
            .init(name: "program", bytes: 3000), .init(name: "bands", bytes: 2000, remedy: "a smaller --region"),
        ]
        let memory = MemoryEstimate(parts, baseline: .none)
        let needed = memory.needed(.resident)
        for (bytes, kind, advice) in [
            (needed - 1, FailureKind.usage, "choose a smaller --region"), (needed - 2001, .system, "raise the limit"),
        ] {
            let failure = #expect(throws: PlainFailure.self) {
                try memory.require([MemoryLimit(counting: .resident, bytes: bytes, name: "the limit")])
            }
            #expect(failure?.kind == kind && failure?.explanation.contains(advice) == true)
        }
    }

    @Test func whatACommandNeedsBesidesItsOptionsIsRefusedByTheSystem() throws {
        let baseline = ProcessMemory(resident: 1 << 20, mapped: 4 << 20, data: 2 << 20)
        let memory = MemoryEstimate(
            [.init(name: "maps", bytes: 1 << 30)], threads: 1, reservedPerThread: (mapped: 3 << 20, data: 2 << 20),
            baseline: baseline)
        #expect(memory.needed(.data) > memory.needed(.resident) && memory.needed(.mapped) > memory.needed(.data))
        for measure in [MemoryLimit.Measure.resident, .mapped, .data] {
            let failure = #expect(throws: PlainFailure.self) {
                try memory.require([
                    MemoryLimit(counting: measure, bytes: memory.needed(measure) - 1, name: "the limit")
                ])
            }
            #expect(failure?.kind == .system && failure?.explanation.contains("maps") == true)
        }
    }

    @Test(arguments: [
        (configuration(chunk: 10_000_000), "chunk"), (configuration("64x1024"), "--network"),
        (configuration(iterations: 100_000_000), "--iterations"),
    ]) func whatTakesMostIsNamedWithWhatMakesItSmaller(_ configuration: TrainingConfiguration, _ option: String) throws
    {
        let failure = #expect(throws: PlainFailure.self) {
            try Self.memory(configuration, baseline: 1_000_000).require([
                MemoryLimit(counting: .resident, bytes: 1 << 20, name: "the limit")
            ])
        }
        #expect(failure?.explanation.contains(option) == true, "\(failure?.explanation ?? "")")
    }

    @Test func aBackendHasTheSlotsThatItsMemoryIsCountedWith() throws {
        let residualProblem = Self.objective(Self.configuration("1x8")).residualProblem
        func slotBytes(_ count: Int) throws -> Int {
            try #require(
                CPUBackend.memory(residualProblem, counts: [count, 0, 0, 0], threads: 1).first {
                    $0.name == "gradient slots"
                }
            ).bytes
        }
        for count in [1, 1024, 20_000] {
            let backend = CPUBackend(residualProblem, threads: 1)
            let batches = residualProblem.programs.enumerated().map { number, program in
                PointBatch(
                    columns: [[Float]](repeating: [Float](repeating: 0, count: number == 0 ? count : 0), count: 6))
            }
            var gradient: [Float] = []
            _ = try backend.squaredResiduals(
                parameters: residualProblem.networks.initialParameters(seed: 0), batches: batches,
                coefficients: residualProblem.programs.map { $0.program.outputs.map { _ in 1 } }, gradient: &gradient)
            #expect(try slotBytes(count) == backend.slotCount * slotBytes(1))
        }
    }

    @Test(arguments: ["2x2", "5x4"], [40, 1024, 20_000])
    func aDecomposedBackendHasNoMoreSlotsThanItsMemoryIsCountedWith(_ tiles: String, _ count: Int) throws {
        var configuration = Self.configuration("2x16+2x8")
        try configuration.set("subdomains", to: tiles)
        let objective = Self.objective(configuration)
        let residualProblem = objective.residualProblem
        func slotBytes(_ counts: [Int]) throws -> Int {
            try #require(
                CPUBackend.memory(residualProblem, counts: counts, threads: 1).first { $0.name == "gradient slots" }
            ).bytes
        }
        let backend = CPUBackend(residualProblem, threads: 1)
        let batches = residualProblem.programs.indices.map { number in
            let places = (0..<count).map { 2 * unitInterval(mixed(UInt64(number), UInt64($0))) - 1 }
            // The golden ratio spreads y evenly.
            let y = (0..<count).map { Float(2 * (Double($0) * 0.6180339887).truncatingRemainder(dividingBy: 1) - 1) }
            return PointBatch(
                columns: objective.sets[number].columns.map { $0 == .x ? places.map(Float.init) : y })
        }
        var gradient: [Float] = []
        _ = try backend.squaredResiduals(
            parameters: residualProblem.networks.initialParameters(seed: 0), batches: batches,
            coefficients: residualProblem.programs.map { $0.program.outputs.map { _ in 1 } }, gradient: &gradient)
        let oneSlot = try slotBytes(residualProblem.programs.map { _ in 0 })
        #expect(backend.slotCount * oneSlot <= (try slotBytes(residualProblem.programs.map { _ in count })))
    }

    @Test(arguments: ["2x16", "8x128"], ["uniform", "rad"])
    func aCheckpointTakesTheRoomThatWasPlanned(_ network: String, _ sampling: String) throws {
        let folder = try TemporaryFolder()
        var configuration = Self.configuration(network, iterations: 500)
        try configuration.set("sampling", to: sampling)
        let points = [Float](repeating: 0, count: configuration.resampledPoints)
        let objective = Self.objective(configuration)
        let parameters = objective.residualProblem.networks.initialParameters(seed: 0)
        var history = History(termNames: objective.terms.map(\.name))
        for _ in 0..<500 {
            history.append(total: 1, terms: objective.terms.map { _ in 1 }, misfits: objective.terms.map { _ in 1 })
        }
        let path = folder.file("checkpoint.nc")
        try Checkpoint(
            configuration: configuration, iteration: 500, parameters: parameters,
            optimizer: configuration.makeOptimizer(parameterCount: parameters.count).stored,
            resampled: points.isEmpty ? nil : ResampledPoints(iteration: 500, columns: [points, points]),
            history: history,
            storeFingerprint: "00000000", backend: "CPU", trainedSeconds: 1
        ).write(to: path)
        let bytes = try fileSize(path)
        let planned = DiskEstimate(configuration, objective: objective).checkpoint
        #expect(bytes <= planned && planned - bytes < 30_000, "\(bytes) of \(planned)")
    }

    @Test(arguments: OptimizerCatalog.all.map { $0.name })
    func aCheckpointTakesTheRoomThatWasPlannedForItsOptimizerAndIsReadWithoutIt(_ name: String) throws {
        let folder = try TemporaryFolder()
        var configuration = Self.configuration("2x16", iterations: 100)
        try configuration.set("optimizer", to: name)
        let objective = Self.objective(configuration)
        var parameters = objective.residualProblem.networks.initialParameters(seed: 0)
        var optimizer = configuration.makeOptimizer(parameterCount: parameters.count)
        // Waves of many lengths: more than 50 steps are found.
        func loss(_ x: [Float], _ gradient: inout [Float]) -> Double {
            gradient = x.indices.map { Float($0 + 1) * x[$0] + 0.1 * x[$0] * x[$0] * x[$0] }
            return x.indices.reduce(0) {
                $0 + Double($1 + 1) * pow(Double(x[$1]), 2) / 2 + 0.025 * pow(Double(x[$1]), 4)
            }
        }
        var gradient: [Float] = []
        let size = configuration.optimizerStateSize(parameterCount: parameters.count)
        // Others have all of their state at once.
        if var descent = optimizer as? any GradientOptimizer {
            // The state is largest where changes of a matrix wait.
            for _ in 0..<100 where descent.stored.byteCount < size.bytes {
                let now = loss(parameters, &gradient)
                _ = try descent.step(&parameters, loss: now, gradient: gradient) { loss($0, &$1) }
            }
            optimizer = descent
        }
        let path = folder.file("checkpoint.nc")
        let checkpoint = Checkpoint(
            configuration: configuration, iteration: 100, parameters: parameters, optimizer: optimizer.stored,
            history: History(termNames: objective.terms.map(\.name)), storeFingerprint: "00000000", backend: "CPU",
            trainedSeconds: 1)
        try checkpoint.write(to: path)
        #expect(optimizer.stored.byteCount == size.bytes)
        let planned = Checkpoint.byteCount(
            parameters: parameters.count, optimizer: size, resampledPoints: 0, terms: objective.terms.count,
            iterations: 0)
        let bytes = try fileSize(path)
        #expect(bytes <= planned && planned - bytes < 30_000, "\(bytes) of \(planned)")

        var admitted: [Int] = []
        #expect(try Checkpoint(reading: path) { admitted.append($0) }.optimizer == optimizer.stored)
        let weights = try Checkpoint(reading: path, []) { admitted.append($0) }
        #expect(weights.optimizer == StoredArrays() && weights.parameters == parameters)
        #expect(admitted == [4 * parameters.count + size.bytes, 4 * parameters.count])
    }

    @Test func drawnPointsAreCountedByTheSampleAndTheirCandidates() throws {
        func bytes(_ sampling: String, sample: Int = 16384) throws -> Int? {
            var configuration = Self.configuration()
            try configuration.set("sampling", to: sampling)
            configuration.stream.sample = sample
            return Self.memory(configuration).parts.first { $0.name == "drawn points" }?.bytes
        }
        #expect(try bytes("uniform:every=100") == nil)
        let four = try #require(try bytes("rad"))
        // Two coordinates, a residual, and a weight in double.
        #expect(try bytes("rad:candidates=8") == four + 4 * 16384 * 20)
        #expect(try bytes("r3") == four - 3 * 16384 * 20)
        #expect(try #require(try bytes("rad", sample: 160_000_000)) > 9000 * four)
        var configuration = Self.configuration()
        try configuration.set("sampling", to: "rad")
        configuration.stream.sample = 160_000_000
        let failure = #expect(throws: PlainFailure.self) {
            try Self.memory(configuration).require([MemoryLimit(counting: .resident, bytes: 1 << 30, name: "the limit")]
            )
        }
        #expect(failure?.explanation.contains("sample in --stream") == true)
    }

    @Test func aFullDiskIsToldBeforeTheWork() throws {
        let configuration = Self.configuration()
        let disk = DiskEstimate(configuration, objective: Self.objective(configuration))
        try disk.require(free: disk.run, present: 0, in: "run")
        // What is there already is replaced.
        try disk.require(free: disk.run - 1000, present: 1000, in: "run")
        try disk.require(free: nil, present: 0, in: "run")
        let failure = #expect(throws: PlainFailure.self) {
            try disk.require(free: disk.run - 1, present: 0, in: "run")
        }
        #expect(failure?.kind == .inputOutput)
    }
}

@Suite struct ControlGroupsTests {
    private func bytes(_ membership: String, _ mounts: String, _ files: [String: String]) -> [Int] {
        ControlGroups(membership: membership, mounts: mounts, read: { files[$0] }).limits.map(\.bytes).sorted()
    }

    @Test func version2CountsTheOwnGroupAndAllAboveIt() {
        let mounts = "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
        let files = [
            "/sys/fs/cgroup/job/step/memory.max": "max\n", "/sys/fs/cgroup/job/memory.max": "1073741824\n",
            "/sys/fs/cgroup/memory.max": "4294967296\n", "/sys/fs/cgroup/other/memory.max": "1\n",
        ]
        #expect(bytes("0::/job/step\n", mounts, files) == [1 << 30, 1 << 32])
    }

    @Test func version1CountsItsMemoryHierarchyAlone() {
        let mounts = """
            33 31 0:30 / /sys/fs/cgroup/cpuacct rw - cgroup cgroup rw,cpuacct
            35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
            """
        let files = [
            "/sys/fs/cgroup/memory/job/memory.limit_in_bytes": "52428800\n",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            "/sys/fs/cgroup/cpuacct/job/memory.limit_in_bytes": "1\n",
        ]
        #expect(bytes("8:pids:/\n4:memory:/job\n2:cpuacct:/job\n0::/\n", mounts, files) == [52_428_800])
    }

    @Test func aContainerSeesItsPartOfTheHierarchy() {
        let mounts = "31 23 0:28 /docker/a /sys/fs/cgroup ro - cgroup cgroup rw,memory\n"
        let files = [
            "/sys/fs/cgroup/memory.limit_in_bytes": "1000\n", "/sys/fs/cgroup/job/memory.limit_in_bytes": "500\n",
        ]
        #expect(bytes("4:memory:/docker/a/job\n", mounts, files) == [500, 1000])
        #expect(bytes("4:memory:/docker/a\n", mounts, files) == [1000])
        #expect(bytes("4:memory:/elsewhere\n", mounts, files) == [1000])
        #expect(bytes("nonsense", "", [:]) == [])
    }

    @Test("phases that a run does not come to take no memory")
    func unreachedPhases() throws {
        var configuration = TrainingConfiguration()
        try configuration.set("optimizer", to: "adam:1000,ssbroyden:7000")
        let bytes = [1, 1000, 1001, 8000].map {
            configuration.iterations = $0
            return configuration.optimizerStateSize(parameterCount: 6660).bytes
        }
        #expect(bytes[0] == bytes[1] && bytes[2] == bytes[3])
        #expect(bytes[0] < 1 << 20 && bytes[2] > 80 << 20)
    }
}
