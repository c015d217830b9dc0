import COpenBLAS
import Fields

/// A symmetric positive definite matrix of a given half bandwidth, solved by LAPACK's banded Cholesky (dpbsv).
///
/// Cholesky rather than LU (dgbsv): the shallow-shelf operator is symmetric and positive definite once velocities are
/// prescribed somewhere, so a third of the memory and a quarter of the work suffice, and a failed factorization shows an error.
struct BandedMatrix: ~Copyable {
    let order: Int
    /// Number of diagonals below the main one.
    let bandwidth: Int
    /// The lower triangle by columns: element (i, j) at (i − j) + j (bandwidth + 1).
    private var values: [Double]

    /// Largest size accepted (8 GB): a finer mesh is most likely a typing error.
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
            precondition(i - j <= bandwidth, "element (\(row), \(column)) lies outside the band")
            values[i - j + j * (bandwidth + 1)] = newValue
        }
    }

    /// The solution x of A x = b; consumes the matrix. Cost: order × bandwidth² multiplications.
    consuming func solve(_ rightHandSide: [Double]) throws(PlainFailure) -> [Double] {
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
        guard info == 0, solution.allSatisfy(\.isFinite) else {
            throw PlainFailure(
                "the system of equations is not positive definite (equation \(info)); check that velocities are prescribed on the boundary and that viscosity and thickness are positive"
            )
        }
        return solution
    }
}
