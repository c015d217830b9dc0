import Fields
import Networks
import Pointwise

/// The residuals of one set of points: a program that computes them from the networks' outputs and the points' columns, and the
/// derivatives that the networks must carry for it.
public struct PointProgram: Sendable {
    public let program: Program
    public let derivatives: Derivatives

    public init(_ program: Program) {
        self.program = program
        derivatives = program.derivatives
    }

    /// Columns of the set up to the last one that the program reads, x and y included.
    public var columnCount: Int {
        program.inputs.reduce(2) { count, input in
            guard case .column(let column) = input else { return count }
            return max(count, column + 1)
        }
    }
}

/// Networks and the programs on their outputs: all that a backend knows, and no physics.
public struct ResidualProblem: Sendable {
    public let networks: NetworkGroup
    /// d(coordinate of the square)/d(equation's coordinate) along x and y.
    public let inputSlopes: (x: Double, y: Double)
    /// One for each set of points.
    public let programs: [PointProgram]

    public init(networks: NetworkGroup, inputSlopes: (x: Double, y: Double), programs: [PointProgram]) {
        precondition(networks.networks.allSatisfy { $0.inputs == $0.fourier?.count ?? 2 })
        self.networks = networks
        self.inputSlopes = inputSlopes
        self.programs = programs
    }

    /// d(network's coordinate)/d(equation's coordinate): the chain rule at the network's input.
    public var networkSlopes: (x: Double, y: Double) {
        let slopes = networks.decomposition.slopes
        return (inputSlopes.x * slopes.x, inputSlopes.y * slopes.y)
    }
}

/// Points of one set: their columns, x and y first, in the square −1 … 1.
public struct PointBatch: Sendable {
    public let columns: [FloatColumn]
    public var count: Int { columns.first?.count ?? 0 }

    public init(columns: [FloatColumn]) {
        precondition(columns.count >= 2 && columns.allSatisfy { $0.count == columns[0].count })
        self.columns = columns
    }

    public init(columns: [[Float]]) { self.init(columns: columns.map { FloatColumn($0) }) }
}

/// Sums of squared residuals over a batch: one for each output of each program of the residual problem.
public typealias ResidualSums = [[Double]]
