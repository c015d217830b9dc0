import COpenBLAS
import Compute
import Networks
import Synchronization
import Threads

extension CPUJacobian {
    /// Tiles with the same networks share blocks of rows, which hold the columns of these networks alone: the misfits do not depend on
    /// the network of what is inferred, and points of a subdomain not on the networks of those far away.
    func addProducts(to sum: inout NormalMatrix) throws {
        precondition(sum.order == parameterCount)
        var groups: [[Int]: [Tile]] = [:]
        for tile in tiles { groups[tile.factors.map(\.number), default: []].append(tile) }
        let largest = groups.keys.map { DenseBlock.width(of: $0, in: networks) }.max() ?? 0
        let memory = UnsafeMutablePointer<Double>.allocate(capacity: DenseBlock.maxRows * largest)
        defer { memory.deallocate() }
        // The order of a dictionary is another one in every process.
        for (numbers, tiles) in groups.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            var start = 0
            while start < tiles.count {
                if shouldStop() { throw EvaluationStopped() }
                let end = DenseBlock.end(of: tiles, from: start)
                let block = DenseBlock(tiles[start..<end], numbers, networks, memory, threads: threads)
                block.addProducts(to: &sum, threads: threads)
                start = end
            }
        }
    }
}

/// Rows of a Jacobian with the columns of some of its networks, (rows, width) row-major.
private struct DenseBlock {
    /// A network's columns: where they are in the block and among the parameters.
    private struct Columns {
        let place: Int
        let parameters: Int
        let count: Int
    }

    static let maxRows = 1024
    private let rows: Int
    private let width: Int
    private let networks: [Columns]
    private let elements: UnsafeMutablePointer<Double>

    static func width(of numbers: [Int], in group: NetworkGroup) -> Int {
        numbers.reduce(0) { $0 + group.networks[$1 % group.networks.count].parameterCount }
    }

    /// The end of a run of tiles that fit into a block.
    static func end(of tiles: [CPUJacobian.Tile], from start: Int) -> Int {
        var (end, rows) = (start, 0)
        while end < tiles.count {
            rows += tiles[end].firstRows.count * tiles[end].outputs
            if end > start, rows > maxRows { break }
            end += 1
        }
        return end
    }

    init(
        _ tiles: ArraySlice<CPUJacobian.Tile>, _ numbers: [Int], _ group: NetworkGroup,
        _ memory: UnsafeMutablePointer<Double>, threads: Int
    ) {
        var columns: [Columns] = []
        for number in numbers {
            let (subdomain, network) = number.quotientAndRemainder(dividingBy: group.networks.count)
            columns.append(
                Columns(
                    place: columns.last.map { $0.place + $0.count } ?? 0,
                    parameters: group.parameters(of: network, in: subdomain),
                    count: group.networks[network].parameterCount))
        }
        networks = columns
        elements = memory
        width = DenseBlock.width(of: numbers, in: group)
        let starts = tiles.reduce(into: [0]) { $0.append($0.last! + $1.firstRows.count * $1.outputs) }
        rows = starts.last!
        fill(Array(tiles), starts, group, threads: threads)
    }

    private func fill(_ tiles: [CPUJacobian.Tile], _ starts: [Int], _ group: NetworkGroup, threads: Int) {
        let work = Shared(value: (block: self, tiles: tiles))
        let workers = min(threads, tiles.count)
        ThreadTeam.computing.perform(iterations: workers) { worker in
            let (block, tiles) = work.value
            for number in stride(from: worker, to: tiles.count, by: workers) {
                let tile = tiles[number]
                for (factors, columns) in zip(tile.factors, block.networks) {
                    let places = tile.firstRows.indices.map {
                        block.elements + (starts[number] + $0 * tile.outputs) * block.width + columns.place
                    }
                    factors.writeRows(
                        to: places, stride: block.width,
                        of: group.networks[factors.number % group.networks.count])
                }
            }
        }
    }

    /// Adds elementsᵀ · elements. Panels of columns have a fixed width and are summed each by one thread: the bits do not depend on
    /// how many there are.
    func addProducts(to sum: inout NormalMatrix, threads: Int) {
        let panels = networks.flatMap { network in
            stride(from: 0, to: network.count, by: DenseBlock.panel).map { first in
                (network: network, columns: first..<min(first + DenseBlock.panel, network.count))
            }
        }
        let order = sum.order
        sum.elements.withUnsafeMutableBufferPointer { elements in
            let work = Shared(value: (block: self, sum: elements.baseAddress!, panels: panels))
            // The last ones have the most columns before them.
            let next = Atomic<Int>(panels.count)
            ThreadTeam.computing.perform(iterations: min(threads, panels.count)) { _ in
                let (block, sum, panels) = work.value
                while true {
                    let number = next.subtract(1, ordering: .relaxed).newValue
                    guard number >= 0 else { return }
                    let (network, columns) = panels[number]
                    for other in block.networks where other.parameters <= network.parameters {
                        let isSame = other.parameters == network.parameters
                        block.multiply(
                            network.place + columns.lowerBound, columns.count, other.place,
                            isSame ? columns.upperBound : other.count,
                            to: sum + (network.parameters + columns.lowerBound) * order + other.parameters, order)
                    }
                }
            }
        }
    }

    private static let panel = 256

    /// Adds the product of some columns, transposed, and others.
    private func multiply(
        _ first: Int, _ firstCount: Int, _ second: Int, _ secondCount: Int, to sum: UnsafeMutablePointer<Double>,
        _ order: Int
    ) {
        cblas_dgemm(
            CblasRowMajor, CblasTrans, CblasNoTrans, blasint(firstCount), blasint(secondCount), blasint(rows), 1,
            elements + first, blasint(width), elements + second, blasint(width), 1, sum, blasint(order))
    }
}
