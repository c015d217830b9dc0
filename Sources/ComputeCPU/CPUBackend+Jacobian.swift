import Compute
import Synchronization
import Threads

extension CPUBackend {
    /// In single precision, whatever the precision of the gradient's products.
    public func jacobian(
        parameters: [Float], batches: [PointBatch], coefficients: [[Double]]
    ) throws -> any Jacobian {
        let programs = residualProblem.programs
        precondition(batches.count == programs.count && coefficients.count == programs.count)
        precondition(parameters.count == residualProblem.networks.parameterCount)
        let rows = ResidualRows(programs, counts: batches.map(\.count))
        let batches = batches.map { ZonedBatch($0, residualProblem.networks.decomposition) }
        let tiles = CPUBackend.tiles(programs, batches)
        let roots = coefficients.map { $0.map { Float($0.squareRoot()) } }
        let kept = Mutex([Shared<CPUJacobian.Tile>?](repeating: nil, count: tiles.count))
        load(parameters)
        withColumns(of: batches.map(\.batch)) { columns in
            let work = Shared(value: (workspaces: workspaces, columns: columns, batches: batches))
            let next = Atomic<Int>(0)
            ThreadTeam.computing.perform(iterations: min(threads, max(tiles.count, 1))) { [shouldStop] thread in
                let (workspaces, columns, batches) = work.value
                while true {
                    let number = next.add(1, ordering: .relaxed).oldValue
                    guard number < tiles.count, !shouldStop() else { return }
                    let tile = tiles[number]
                    let firstRows = (tile.start..<tile.start + tile.count).map {
                        rows.row(of: tile.program, point: batches[tile.program].place(of: $0))
                    }
                    let made = Shared(
                        value: CPUBackend.factors(
                            of: tile, firstRows, columns[tile.program], roots[tile.program], workspaces[thread]))
                    kept.withLock { $0[number] = made }
                }
            }
        }
        if shouldStop() { throw EvaluationStopped() }
        return CPUJacobian(
            residualProblem, rowCount: rows.count, tiles: kept.withLock { $0.compactMap { $0?.value } },
            kernels: kernels,
            threads: threads, shouldStop: shouldStop)
    }

    private static func factors(
        of tile: Tile, _ firstRows: [Int], _ columns: [UnsafePointer<Float>], _ roots: [Float],
        _ workspace: TileWorkspace
    ) -> CPUJacobian.Tile {
        workspace.forward(tile.program, columns.map { $0 + tile.start }, zone: tile.zone, count: tile.count)
        let residuals = roots.enumerated().map { output, root in
            let values = workspace.output(output, of: tile.program)
            return (0..<tile.count).map { root * values[$0] }
        }
        return CPUJacobian.Tile(
            firstRows: firstRows, residuals: residuals,
            factors: workspace.factors(tile.program, zone: tile.zone, count: tile.count, roots: roots))
    }
}
