/// The Jacobian J of a batch's weighted residuals at some parameters, and what second-order methods ask of it.
///
/// Its rows are those of √c_pj · output j of program p (`ResidualRows`), so r · r is the loss of `squaredResiduals` and Jᵀ r half of its gradient.
public protocol Jacobian {
    var rowCount: Int { get }
    var parameterCount: Int { get }

    /// r, one number for each row.
    var residuals: [Float] { get }

    /// J v: how the residuals change along a direction of the parameters.
    func product(_ vector: [Float]) throws -> [Float]

    /// Jᵀ w.
    func transposedProduct(_ weights: [Float]) throws -> [Float]

    /// J itself, (rows, parameters) row-major.
    func rows() throws -> [Double]

    /// J Jᵀ, (rows, rows) row-major, of which the lower triangle is set. In double: damping goes down to 1e-8 of its mean
    /// diagonal, and sums in single precision would leave it indefinite.
    func gram() throws -> [Double]

    /// Adds JᵀJ.
    func addProducts(to sum: inout NormalMatrix) throws
}

extension Jacobian {
    /// In plain loops over the rows: what faster forms are tested against.
    public func addProducts(to sum: inout NormalMatrix) throws { sum.add(rows: try rows()) }
}

/// The order of a Jacobian's rows: program by program, point by point, output by output.
public struct ResidualRows: Sendable, Equatable {
    /// Outputs of each program.
    public let outputs: [Int]
    /// The first row of each program, and the end.
    public let starts: [Int]

    public init(_ programs: [PointProgram], counts: [Int]) {
        outputs = programs.map(\.program.outputs.count)
        starts = zip(outputs, counts).reduce(into: [0]) { $0.append($0.last! + $1.0 * $1.1) }
    }

    public var count: Int { starts.last! }

    public func row(of program: Int, point: Int) -> Int { starts[program] + point * outputs[program] }
}
