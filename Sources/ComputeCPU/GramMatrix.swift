import COpenBLAS
import Networks
import Threads

/// A sum of products J Jᵀ over blocks of columns, its lower triangle. The rows are dealt in fixed panels, so the bits do not depend on the
/// number of threads.
struct GramMatrix {
    let order: Int
    private(set) var elements: [Double]
    private let threads: Int

    init(order: Int, threads: Int) {
        (self.order, self.threads) = (order, threads)
        elements = [Double](repeating: 0, count: order * order)
    }

    /// Adds what a network's weights in these columns contribute.
    mutating func add(_ rows: NetworkRows, _ columns: JacobianColumns) {
        let block = UnsafeMutablePointer<Double>.allocate(capacity: rows.count * columns.count)
        defer { block.deallocate() }
        fill(block, rows, columns)
        if rows.count == order {
            add(block, rows.count, columns.count)
        } else {
            var part = GramMatrix(order: rows.count, threads: threads)
            part.add(block, rows.count, columns.count)
            for (i, row) in rows.rows.enumerated() {
                for (j, column) in rows.rows[...i].enumerated() {
                    elements[max(row, column) * order + min(row, column)] += part.elements[i * rows.count + j]
                }
            }
        }
    }

    private func fill(_ block: UnsafeMutablePointer<Double>, _ rows: NetworkRows, _ columns: JacobianColumns) {
        let work = Shared(value: (block: block, rows: rows))
        let workers = min(threads, max(rows.parts.count, 1))
        ThreadTeam.computing.perform(iterations: workers) { worker in
            let (block, rows) = work.value
            for number in stride(from: worker, to: rows.parts.count, by: workers) {
                let part = rows.parts[number]
                columns.write(part.factors, places: part.places, to: block)
            }
        }
    }

    /// elements += block · blockᵀ, block (count, width).
    private mutating func add(_ block: UnsafePointer<Double>, _ count: Int, _ width: Int) {
        let panels = min(GramMatrix.panels, count)
        let bounds = (0...panels).map { Int((Double($0) / Double(panels)).squareRoot() * Double(count)) }
        elements.withUnsafeMutableBufferPointer { elements in
            let work = Shared(value: (sum: elements.baseAddress!, block: block))
            let workers = min(threads, panels)
            // The largest first, so that threads end together.
            ThreadTeam.computing.perform(iterations: workers) { worker in
                let (sum, block) = work.value
                for panel in stride(from: panels - 1 - worker, through: 0, by: -workers) {
                    let (first, end) = (bounds[panel], bounds[panel + 1])
                    guard end > first else { continue }
                    cblas_dgemm(
                        CblasRowMajor, CblasNoTrans, CblasTrans, blasint(end - first), blasint(end), blasint(width), 1,
                        block + first * width, blasint(width), block, blasint(width), 1, sum + first * count,
                        blasint(count))
                }
            }
        }
    }

    private static let panels = 16
}

/// The rows of a Jacobian in which a network's weights occur, and where their factors are.
struct NetworkRows {
    /// A tile's factors, and the place among these rows of output 0 at each of its points.
    let parts: [(factors: NetworkFactors, places: [Int])]
    /// Rows of the Jacobian, ascending.
    let rows: [Int]
    var count: Int { rows.count }

    init(_ number: Int, of tiles: [CPUJacobian.Tile]) {
        let here = tiles.flatMap { tile in
            tile.factors.filter { $0.number == number }.map { (factors: $0, tile: tile) }
        }
        let firstRows = here.flatMap { part in part.tile.firstRows.map { ($0, part.tile.outputs) } }
            .sorted { $0.0 < $1.0 }
        rows = firstRows.flatMap { $0.0..<$0.0 + $0.1 }
        var placeOfRow: [Int: Int] = [:]
        for (place, row) in rows.enumerated() { placeOfRow[row] = place }
        parts = here.map { part in (part.factors, part.tile.firstRows.map { placeOfRow[$0]! }) }
    }
}

/// Some columns of a Jacobian: a layer's weights from some of its inputs, with the layer's biases after the last ones.
struct JacobianColumns {
    let network: Perceptron
    let layer: Int
    let inputs: Range<Int>
    private var width: Int { network.outputs(of: layer) }
    private var hasBiases: Bool { inputs.upperBound == network.inputs(of: layer) }
    var count: Int { (inputs.count + (hasBiases ? 1 : 0)) * width }

    /// All columns of a network, in blocks of about a thousand.
    static func all(of network: Perceptron) -> [JacobianColumns] {
        (0..<network.layerCount).flatMap { layer in
            let inputs = network.inputs(of: layer)
            let step = max(1, 1024 / network.outputs(of: layer))
            return stride(from: 0, to: inputs, by: step).map {
                JacobianColumns(network: network, layer: layer, inputs: $0..<min($0 + step, inputs))
            }
        }
    }

    /// Writes these columns of the rows at `places`, (rows, count).
    func write(_ factors: NetworkFactors, places: [Int], to block: UnsafeMutablePointer<Double>) {
        let (channels, width, count) = (factors.channels, width, count)
        let fanIn = network.inputs(of: layer)
        let stack = factors.inputs(of: layer)
        for output in 0..<factors.programOutputs {
            let bars = factors.adjoints(layer, of: output)
            for (point, place) in places.enumerated() {
                let bar = bars + point * channels * width
                let row = block + (place + output) * count
                for (number, input) in inputs.enumerated() {
                    factors.outerRow(
                        stack + point * channels * fanIn + input, fanIn, bar, width, width, to: row + number * width)
                }
                guard hasBiases else { continue }
                let to = row + inputs.count * width
                for k in 0..<width { to[k] = Double(bar[k]) }
            }
        }
    }
}
