import Compute
import Networks
import Pointwise

/// One thread's memory for a tile of points: its passes through every network of the subdomains that cover it, and through
/// the program on their outputs.
final class TileWorkspace {
    /// Rows of a tile: 32 points of six channels. Tiles of 16 to 48 points measure equal.
    static let rows = 192

    static func points(_ derivatives: Derivatives) -> Int { rows / derivatives.channelCount }

    /// A channel of an output as a program's input: the input's slot, and the channel's place in the network's rows.
    private struct Place {
        let slot: Int
        let channel: Int
        let output: Int
    }

    /// A program on this thread.
    private struct ProgramPass {
        let tile: ProgramTile
        /// Its inputs from each network; empty: it does not use the network.
        let places: [[Place]]
        let channels: [Int]
        /// Slots and columns of the inputs that are columns of the points.
        let columns: [(slot: Int, column: Int)]
    }

    /// The subdomains that cover each zone.
    private let covering: [[Int]]
    /// As many as can cover a point.
    private let subdomains: [SubdomainTile]
    /// Outputs of each network of a subdomain.
    private let outputs: [Int]
    /// For each of them, its outputs summed over subdomains and the adjoints of the sum, where more than one covers a tile.
    private let sums: [(outputs: UnsafeMutablePointer<Float>, bars: UnsafeMutablePointer<Float>)]
    private let programs: [ProgramPass]

    /// - Parameter packed: the networks of all subdomains, one subdomain after the other.
    init(_ residualProblem: ResidualProblem, _ packed: [PackedNetwork], programs: [PointProgram]) {
        let decomposition = residualProblem.networks.decomposition
        covering = (0..<decomposition.zoneCount).map { decomposition.subdomains(covering: $0) }
        subdomains = (0..<decomposition.maxOverlap).map { _ in
            SubdomainTile(residualProblem, packed, rows: TileWorkspace.rows)
        }
        outputs = residualProblem.networks.networks.map(\.outputs)
        sums = outputs.map {
            let floats = decomposition.maxOverlap > 1 ? TileWorkspace.rows * $0 : 0
            return (allocateFloats(floats), allocateFloats(floats))
        }
        self.programs = programs.map { program in
            let inputs = program.program.inputs.enumerated()
            let ranges = residualProblem.networks.networks.indices.map { residualProblem.networks.outputs(of: $0) }
            return ProgramPass(
                tile: ProgramTile(program.program, maxPoints: TileWorkspace.points(program.derivatives)),
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
        for sum in sums {
            sum.outputs.deallocate()
            sum.bars.deallocate()
        }
    }

    /// Runs program `number` at a tile of points of one zone; afterwards `output` has its outputs.
    func forward(_ number: Int, _ columns: [UnsafePointer<Float>], zone: Int, count: Int) {
        let program = programs[number]
        for (slot, column) in program.columns { program.tile.row(slot).update(from: columns[column], count: count) }
        let covering = covering[zone]
        for (place, subdomain) in covering.enumerated() {
            subdomains[place].enter(
                subdomain, zone: zone, isAlone: covering.count == 1, columns[0], columns[1], count: count)
        }
        for network in outputs.indices where !program.places[network].isEmpty {
            let channels = program.channels[network]
            let sum = sum(of: network, isAlone: covering.count == 1).outputs
            if covering.count > 1 { sum.update(repeating: 0, count: count * channels * outputs[network]) }
            for subdomain in subdomains.prefix(covering.count) {
                subdomain.forward(network, points: count, channels: channels)
                guard covering.count > 1 else { break }
                subdomain.addProduct(
                    of: network, outputs: outputs[network], to: sum, points: count, channels: channels)
            }
            for place in program.places[network] {
                let row = program.tile.row(place.slot)
                let from = sum + place.channel * outputs[network] + place.output
                let step = channels * outputs[network]
                for point in 0..<count { row[point] = from[point * step] }
            }
        }
        program.tile.evaluate()
    }

    /// A network's outputs summed over the subdomains of a tile, and their adjoints; of a single subdomain, its own.
    private func sum(of network: Int, isAlone: Bool) -> (
        outputs: UnsafeMutablePointer<Float>, bars: UnsafeMutablePointer<Float>
    ) {
        isAlone ? (subdomains[0].outputs(of: network), subdomains[0].outputBars(of: network)) : sums[network]
    }

    /// An output of the program that was run, one value per point.
    func output(_ index: Int, of number: Int) -> UnsafePointer<Float> {
        let tile = programs[number].tile
        return UnsafePointer(tile.row(tile.program.outputs[index]))
    }

    /// Adds the gradient of Σ c_j r_j² over the tile of the last `forward` to the slot, and Σ r_j² to the sums.
    func adjoint(
        _ number: Int, zone: Int, count: Int, coefficients: [Double], sums: UnsafeMutablePointer<Double>,
        slot: GradientSlots.Slot
    ) {
        let program = programs[number]
        seed(program.tile, coefficients, sums: sums, count: count)
        program.tile.propagate()
        for network in outputs.indices where !program.places[network].isEmpty {
            setBars(program, of: network, zone: zone, count: count)
            for subdomain in subdomains.prefix(covering[zone].count) {
                subdomain.adjoint(network, points: count, channels: program.channels[network], slot: slot)
            }
        }
    }

    /// Sets the adjoints of a network's outputs, in all subdomains that cover the zone, from those of the program's inputs.
    private func setBars(_ program: ProgramPass, of network: Int, zone: Int, count: Int) {
        let covering = covering[zone].count
        let channels = program.channels[network]
        let step = channels * outputs[network]
        let bars = sum(of: network, isAlone: covering == 1).bars
        bars.update(repeating: 0, count: count * step)
        for place in program.places[network] {
            let row = program.tile.barRow(place.slot)
            let to = bars + place.channel * outputs[network] + place.output
            for point in 0..<count { to[point * step] = row[point] }
        }
        guard covering > 1 else { return }
        for subdomain in subdomains.prefix(covering) {
            subdomain.setBars(of: network, outputs: outputs[network], from: bars, points: count, channels: channels)
        }
    }

    /// The factors of the Jacobian of √c_j · output j at the tile of the last `forward`: of every network that the program uses, in
    /// every subdomain that covers the zone.
    ///
    /// - Parameter roots: √c_j.
    func factors(_ number: Int, zone: Int, count: Int, roots: [Float]) -> [NetworkFactors] {
        let program = programs[number]
        let covering = subdomains.prefix(covering[zone].count)
        let networks = outputs.indices.filter { !program.places[$0].isEmpty }
        let factors = networks.map { network in
            covering.map {
                $0.factors(
                    of: network, points: count, channels: program.channels[network], programOutputs: roots.count)
            }
        }
        for (output, slot) in program.tile.program.outputs.enumerated() {
            program.tile.clearBars()
            program.tile.barRow(slot).update(repeating: roots[output], count: count)
            program.tile.propagate()
            for (place, network) in networks.enumerated() {
                setBars(program, of: network, zone: zone, count: count)
                for (subdomain, kept) in zip(covering, factors[place]) {
                    subdomain.keepAdjoints(network, of: output, in: kept)
                }
            }
        }
        return factors.flatMap { $0 }
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
