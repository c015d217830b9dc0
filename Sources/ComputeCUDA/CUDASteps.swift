import Compute
import Networks

extension CUDABackend: SteppingBackend {
    public func beginSteps(_ state: MomentState) throws {
        let count = residualProblem.networks.parameterCount
        precondition(state.parameters.count == count && state.first.count == count && state.second.count == count)
        try device.makeCurrent()
        try device.copy(state.parameters, to: parameters.address)
        steps = try StepPipeline(state, outputs: outputCount, device: device, copies: try copyStream())
    }

    public func accumulate(batches: [PointBatch], coefficients: [[Double]]) throws {
        guard let steps else { preconditionFailure("accumulate without beginSteps") }
        precondition(batches.count == programs.count && coefficients.count == programs.count)
        try device.makeCurrent()
        let zoned = batches.map { ZonedBatch($0, residualProblem.networks.decomposition) }
        let counts = batches.map(\.count)
        if steps.steps == 0 || lastCoefficients != coefficients {
            // The graph reads them from these addresses.
            try takeCoefficients(coefficients)
            lastCoefficients = coefficients
        }
        let storage = try storage(for: zip(programs, counts).map { ($0, $1) })
        let place = try upload(zoned, steps)
        try steps.places[place].isCopied.delay(device.stream)
        if residualProblem.networks.decomposition == .whole {
            if steps.places[place].counts != counts || steps.places[place].graph == nil {
                let columns = steps.places[place].columns
                let graph = try WorkGraph(device) { try evaluate(zoned, columns, storage) }
                steps.remember(graph, counts, at: place)
            }
            try steps.places[place].graph?.launch(on: device)
        } else {
            // A decomposed domain has no graph: its zones have different numbers of points in every chunk.
            try evaluate(zoned, steps.places[place].columns, storage)
        }
        try steps.places[place].isRead.record(in: device.stream)
    }

    public func exchangeGradient(_ change: (inout [Float]) throws -> Void) throws {
        try device.makeCurrent()
        var values = try device.read(gradient.address, count: residualProblem.networks.parameterCount, zero: Float(0))
        try change(&values)
        try device.copy(values, to: gradient.address)
    }

    /// Adam's update; keeps the step's sums and flag for later.
    public func update(_ factors: MomentFactors) throws {
        guard let steps else { preconditionFailure("update without beginSteps") }
        try device.makeCurrent()
        let count = residualProblem.networks.parameterCount
        try device.launch(
            adamKernel, over: count,
            [
                .address(parameters.address), .address(steps.first.address), .address(steps.second.address),
                .address(gradient.address), .long(count), .float(factors.keepFirst), .float(factors.takeFirst),
                .float(factors.keepSecond), .float(factors.takeSecond), .float(factors.rate), .float(factors.epsilon),
                .address(steps.flag.address),
            ])
        try device.launch(
            keepTotals, grid: (1, 1), block: (32, 1),
            [
                .address(totals.address), .int(outputCount), .address(steps.flag.address), .address(steps.nextKept),
            ])
        try steps.stepped()
    }

    public func results(all: Bool) throws -> [StepResult] {
        guard let steps else { return [] }
        try device.makeCurrent()
        return try steps.results(all: all, firstOutput: firstOutput)
    }

    public func endSteps() throws -> MomentState {
        guard let steps else { preconditionFailure("endSteps without beginSteps") }
        try device.makeCurrent()
        let count = residualProblem.networks.parameterCount
        let state = MomentState(
            parameters: try device.read(parameters.address, count: count, zero: 0),
            first: try device.read(steps.first.address, count: count, zero: 0),
            second: try device.read(steps.second.address, count: count, zero: 0))
        self.steps = nil
        return state
    }

    /// Copies a chunk to the GPU while the GPU computes, and returns its slot.
    private func upload(_ zoned: [ZonedBatch], _ steps: StepPipeline) throws -> Int {
        let floats = zip(programs, zoned).reduce(0) { $0 + $1.0.columns * $1.1.batch.count }
        let number = try steps.reserve(floats: floats)
        let place = steps.places[number]
        if steps.steps >= 2 {
            try place.isCopied.wait()
            try place.isRead.delay(steps.copies)
        }
        var begin = 0
        for (program, batch) in zip(programs, zoned) {
            for column in batch.batch.columns.prefix(program.columns) {
                column.withUnsafeBufferPointer { values in
                    guard !values.isEmpty else { return }
                    let values = UnsafeRawBufferPointer(values)
                    let to = UnsafeMutableRawBufferPointer(rebasing: place.pinned.bytes[begin..<begin + values.count])
                    to.copyMemory(from: values)
                }
                begin += 4 * column.count
            }
        }
        if begin > 0 {
            try device.driver.check(
                device.driver.copyToDevice(
                    place.columns.address, place.pinned.bytes.baseAddress!, begin, steps.copies), "cuMemcpyHtoDAsync")
        }
        try place.isCopied.record(in: steps.copies)
        return number
    }

    /// Gradient and sums over a chunk on the GPU.
    private func evaluate(_ zoned: [ZonedBatch], _ columns: CUDAMemory, _ storage: TileStorage) throws {
        try clearSums()
        var begin = 0
        for (number, program) in programs.enumerated() {
            let count = zoned[number].batch.count
            let most = plan.points(channels: program.channels)
            for (zone, points) in zoned[number].zones.enumerated() {
                for start in stride(from: points.lowerBound, to: points.upperBound, by: most) {
                    let tile = TilePasses.Tile(
                        zone: zone, count: min(most, points.upperBound - start), columns: columns.float(begin + start),
                        stride: count)
                    try passes.forward(program, tile, storage, parameters: parameters)
                    try adjoint(number, tile, storage)
                }
            }
            begin += program.columns * count
        }
        try end()
    }
}
