import Compute
import Networks
import Pointwise

/// One thread's memory for a tile of points: its way through every network, and through the program that joins them.
final class TileWorkspace {
    /// Rows of a tile: 32 points of six channels. Tiles of 16 to 48 points measure equal.
    static let rows = 192

    static func points(_ derivatives: Derivatives) -> Int { rows / derivatives.channelCount }

    /// A channel of an output as a program's input: the input's slot, and where the channel stands in the network's rows.
    private struct Place {
        let slot: Int
        let channel: Int
        let output: Int
    }

    /// A program on this thread.
    private struct ProgramPass {
        let tile: ProgramTile
        /// What it reads of each network; empty: the network has no part in it.
        let places: [[Place]]
        let channels: [Int]
        /// Slots and columns of the inputs that points bring along.
        let columns: [(slot: Int, column: Int)]
    }

    private let networks: [NetworkTile]
    private let outputs: [Int]
    private let programs: [ProgramPass]

    init(_ workload: Workload, _ packed: [PackedNetwork], programs: [PointProgram]) {
        networks = packed.map { NetworkTile($0, slopes: workload.inputSlopes, rows: TileWorkspace.rows) }
        outputs = workload.networks.networks.map(\.outputs)
        self.programs = programs.map { program in
            let inputs = program.program.inputs.enumerated()
            let ranges = packed.indices.map { workload.networks.outputs(of: $0) }
            return ProgramPass(
                tile: ProgramTile(program.program, mostPoints: TileWorkspace.points(program.derivatives)),
                places: ranges.map { range in
                    inputs.compactMap { slot, input in
                        guard case .channel(let output, let channel) = input, range.contains(output) else { return nil }
                        return Place(slot: slot, channel: channel.rawValue, output: output - range.lowerBound)
                    }
                },
                channels: ranges.map { program.program.derivatives(ofOutputs: $0)?.channelCount ?? 0 },
                columns: inputs.compactMap { slot, input in
                    guard case .column(let column) = input else { return nil }
                    return (slot, column)
                })
        }
    }

    deinit {
        for program in programs { program.tile.deallocate() }
    }

    /// Runs program `number` at a tile of points; afterwards `output` has its outputs.
    func forward(_ number: Int, _ columns: [UnsafePointer<Float>], count: Int) {
        let program = programs[number]
        for (slot, column) in program.columns { program.tile.row(slot).update(from: columns[column], count: count) }
        for (index, network) in networks.enumerated() where !program.places[index].isEmpty {
            network.forward(columns[0], columns[1], points: count, channels: program.channels[index])
            for place in program.places[index] {
                let row = program.tile.row(place.slot)
                let from = network.outputs + place.channel * outputs[index] + place.output
                let step = program.channels[index] * outputs[index]
                for point in 0..<count { row[point] = from[point * step] }
            }
        }
        program.tile.evaluate()
    }

    /// An output of the program that was run, one value a point.
    func output(_ index: Int, of number: Int) -> UnsafePointer<Float> {
        let tile = programs[number].tile
        return UnsafePointer(tile.row(tile.program.outputs[index]))
    }

    /// Adds the gradient of Σ c_j r_j² over the tile that `forward` was run on, and Σ r_j² to the sums.
    ///
    /// - Parameters:
    ///   - gradients: one a network, as its padded parameters lie.
    ///   - fresh: networks whose gradient holds nothing yet.
    func adjoint(
        _ number: Int, _ columns: [UnsafePointer<Float>], count: Int, coefficients: [Double],
        sums: UnsafeMutablePointer<Double>, gradients: [UnsafeMutablePointer<Float>],
        fresh: inout [Bool]
    ) {
        let program = programs[number]
        seed(program.tile, coefficients, sums: sums, count: count)
        program.tile.propagate()
        for (index, network) in networks.enumerated() where !program.places[index].isEmpty {
            let step = program.channels[index] * outputs[index]
            network.outputBars.update(repeating: 0, count: count * step)
            for place in program.places[index] {
                let row = program.tile.barRow(place.slot)
                let to = network.outputBars + place.channel * outputs[index] + place.output
                for point in 0..<count { to[point * step] = row[point] }
            }
            network.adjoint(
                columns[0], columns[1], points: count, channels: program.channels[index], fresh: fresh[index],
                gradient: gradients[index])
            fresh[index] = false
        }
    }

    /// The outputs' adjoints 2 c r, and the sums of r².
    private func seed(_ tile: ProgramTile, _ coefficients: [Double], sums: UnsafeMutablePointer<Double>, count: Int) {
        tile.clearBars()
        for (index, slot) in tile.program.outputs.enumerated() {
            let residual = tile.row(slot)
            let residualBar = tile.barRow(slot)
            let twice = Float(2 * coefficients[index])
            var sum = 0.0
            for point in 0..<count {
                sum += Double(residual[point]) * Double(residual[point])
                residualBar[point] += twice * residual[point]
            }
            sums[index] += sum
        }
    }
}
