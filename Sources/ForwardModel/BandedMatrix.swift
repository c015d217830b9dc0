import COpenBLAS

/// A symmetric positive definite matrix of a given half bandwidth, solved by LAPACK's banded Cholesky (dpbsv).
///
/// Cholesky and not LU (dgbsv): the shallow-shelf operator is symmetric and positive definite once the boundary holds
/// the shelf, so a third of the memory and a fourth of the work suffice, and a failed factorization is evidence.
struct BandedMatrix: ~Copyable {
    let order: Int
    /// Diagonals below the main one.
    let bandwidth: Int
    /// The lower triangle by columns: element (i, j) at (i − j) + j (bandwidth + 1).
    private var values: [Double]

    /// More than this is refused (8 GB): a mesh that fine is a slip of the pen.
    static let maxBytes = 8_000_000_000

    init(order: Int, bandwidth: Int) {
        self.order = order
        self.bandwidth = bandwidth
        values = [Double](repeating: 0, count: order * (bandwidth + 1))
    }

    static func byteCount(order: Int, bandwidth: Int) -> Int { 8 * order * (bandwidth + 1) }

    subscript(row: Int, column: Int) -> Double {
        get {
            let (i, j) = (max(row, column), min(row, column))
            return i - j > bandwidth ? 0 : values[i - j + j * (bandwidth + 1)]
        }
        set {
            let (i, j) = (max(row, column), min(row, column))
            precondition(i - j <= bandwidth, "element (\(row), \(column)) lies outside of the band")
            values[i - j + j * (bandwidth + 1)] = newValue
        }
    }

    /// Gives x with A x = b; the matrix is used up. Cost: order × bandwidth² multiplications.
    consuming func solve(_ rightHandSide: [Double]) throws(ForwardModelError) -> [Double] {
        precondition(rightHandSide.count == order)
        var solution = rightHandSide
        var lower = CChar(UInt8(ascii: "L"))
        var n = Int32(order)
        var diagonals = Int32(bandwidth)
        var columns: Int32 = 1
        var leading = Int32(bandwidth + 1)
        var info: Int32 = 0
        dpbsv_(&lower, &n, &diagonals, &columns, &values, &leading, &solution, &n, &info)
        precondition(info >= 0, "dpbsv: argument \(-info) is wrong")
        guard info == 0, solution.allSatisfy(\.isFinite) else { throw .singular(equation: Int(info)) }
        return solution
    }
}
