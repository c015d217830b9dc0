import Glibc
import Networks
import Optimizers
import TestSupport
import Testing

/// Matrices as rows, for a reference that shares nothing with the tested program.
private typealias Rows = [[Double]]

private func times(_ a: Rows, _ b: Rows) -> Rows {
    a.map { row in b[0].indices.map { j in row.indices.reduce(0) { $0 + row[$1] * b[$1][j] } } }
}

private func transposed(_ a: Rows) -> Rows { a[0].indices.map { j in a.map { $0[j] } } }

private func mixed(_ keep: Double, _ a: Rows, _ b: Rows) -> Rows {
    zip(a, b).map { zip($0, $1).map { keep * $0 + (1 - keep) * $1 } }
}

/// Eigenvectors in columns, the largest eigenvalue first, by Jacobi's rotations.
private func eigenvectors(_ matrix: Rows) -> Rows {
    var a = matrix
    let n = a.count
    var q = (0..<n).map { i in (0..<n).map { $0 == i ? 1.0 : 0.0 } }
    for _ in 0..<60 {
        for i in 0..<n {
            for j in i + 1..<n where a[i][j] != 0 {
                let angle = 0.5 * atan2(2 * a[i][j], a[j][j] - a[i][i])
                var turn = (0..<n).map { k in (0..<n).map { $0 == k ? 1.0 : 0.0 } }
                (turn[i][i], turn[i][j], turn[j][i], turn[j][j]) = (cos(angle), sin(angle), -sin(angle), cos(angle))
                a = times(times(transposed(turn), a), turn)
                q = times(q, turn)
            }
        }
    }
    let order = (0..<n).sorted { a[$0][$0] > a[$1][$1] }
    return q.map { row in order.map { row[$0] } }
}

/// Q of a QR decomposition, by Gram and Schmidt's process, twice for orthogonality.
private func orthonormal(_ matrix: Rows) -> Rows {
    var columns: Rows = []
    for var column in transposed(matrix) {
        for _ in 0..<2 {
            for other in columns {
                let part = dot(column, other)
                for k in column.indices { column[k] -= part * other[k] }
            }
            let length = norm(column)
            for k in column.indices { column[k] /= length }
        }
        columns.append(column)
    }
    return transposed(columns)
}

/// One layer as algorithm 3 of Vyas et al. (2024) prints it, with Adam's corrections for the start of the moments.
private struct PlainLayer {
    var m: Rows
    var v: Rows
    var l: Rows
    var r: Rows
    var ql: Rows
    var qr: Rows
    var t = 0

    init(firstGradient g: Rows) {
        m = g.map { $0.map { _ in 0 } }
        v = m
        l = times(g, transposed(g))
        r = times(transposed(g), g)
        ql = eigenvectors(l)
        qr = eigenvectors(r)
    }

    mutating func direction(_ g: Rows) -> Rows {
        t += 1
        let turned = times(times(transposed(ql), g), qr)
        m = mixed(0.95, m, g)
        v = mixed(0.999, v, turned.map { $0.map { $0 * $0 } })
        let turnedMean = times(times(transposed(ql), m), qr)
        let scaled = zip(turnedMean, v).map { row, squares in
            zip(row, squares).map { $0 / (1 - pow(0.95, Double(t))) / (sqrt($1 / (1 - pow(0.999, Double(t)))) + 1e-8) }
        }
        let step = times(times(ql, scaled), transposed(qr))
        l = mixed(0.999, l, times(g, transposed(g)))
        r = mixed(0.999, r, times(transposed(g), g))
        if t % 2 == 0 {
            ql = orthonormal(times(l, ql))
            qr = orthonormal(times(r, qr))
        }
        return step
    }
}

@Suite("SOAP")
struct SOAPTests {
    @Test("takes the steps of the paper's algorithm on matrices, and Adam's on what lies between them")
    func paper() {
        // A wide layer with its biases, and a tall one: the first gradient leaves null spaces of one dimension on one side.
        let shapes = [(rows: 3, columns: 4), (rows: 4, columns: 3)]
        var options = OptimizerOptions()
        options.matrices = [
            WeightMatrix(offset: 0, inputs: 3, outputs: 4), WeightMatrix(offset: 16, inputs: 4, outputs: 3),
        ]
        options.schedule.peak = 1e-2
        options.schedule.warmUp = 5
        let biases = [12..<16, 28..<31]
        var numbers = SeededNumbers(seed: 8)
        var soap = SOAP(parameterCount: 31, options: options)
        var parameters = numbers.vector(31).map(Float.init)
        var exact = parameters.map(Double.init)
        var layers: [PlainLayer] = []
        var m = [Double](repeating: 0, count: 31)
        var v = m
        for iteration in 0..<40 {
            let gradient = numbers.vector(31).map { Float($0) }
            let g = gradient.map(Double.init)
            let matrices = zip(shapes, options.matrices).map { shape, matrix in
                (0..<shape.rows).map { row in Array(g[(matrix.offset + row * shape.columns)...].prefix(shape.columns)) }
            }
            soap.step(&parameters, loss: 0, gradient: gradient) { _, _ in 0 }
            if iteration == 0 {
                // The first gradient only gives the first basis.
                layers = matrices.map(PlainLayer.init)
            } else {
                let rate = options.schedule.rate(iteration: iteration)
                for number in layers.indices {
                    let step = layers[number].direction(matrices[number]).flatMap { $0 }
                    for (k, d) in step.enumerated() { exact[options.matrices[number].offset + k] -= rate * d }
                }
                for k in biases.joined() {
                    m[k] = 0.95 * m[k] + 0.05 * g[k]
                    v[k] = 0.999 * v[k] + 0.001 * g[k] * g[k]
                    let mean = m[k] / (1 - pow(0.95, Double(iteration)))
                    exact[k] -= rate * mean / (sqrt(v[k] / (1 - pow(0.999, Double(iteration)))) + 1e-8)
                }
            }
            // Parameters below two are rounded to 1.2e-7 in every step.
            for k in exact.indices { #expect(abs(Double(parameters[k]) - exact[k]) < 1.2e-7 * Double(iteration + 1)) }
        }
        #expect(layers.count == 2 && soap.stored.counts["iteration"] == 40)
    }

    /// ½ ‖A W B − Y‖², where A and B stretch directions that are no axes by factors from 1 to 1/30.
    @Test("goes down a valley that no axis follows in far fewer steps than Adam")
    func valley() {
        let (rows, columns) = (8, 6)
        var numbers = SeededNumbers(seed: 3)
        func stretched(_ n: Int) -> Rows {
            let q = orthonormal((0..<n).map { _ in numbers.vector(n) })
            let p = orthonormal((0..<n).map { _ in numbers.vector(n) })
            let scaled = q.map { row in row.enumerated().map { $1 * pow(30, -Double($0) / Double(n - 1)) } }
            return times(scaled, transposed(p))
        }
        let a = stretched(rows)
        let b = stretched(columns)
        let goal = times(times(a, (0..<rows).map { _ in numbers.vector(columns) }), b)
        func loss(after steps: Int, of type: any GradientOptimizer.Type) throws -> Double {
            var options = OptimizerOptions()
            options.matrices = [WeightMatrix(offset: 0, inputs: rows, outputs: columns)]
            options.schedule.peak = 0.01
            options.schedule.decay = .cosine
            options.schedule.length = steps
            var optimizer: any GradientOptimizer = type.init(parameterCount: rows * columns, options: options)
            var w = [Float](repeating: 0, count: rows * columns)
            var last = 0.0
            for _ in 0...steps {
                let matrix = (0..<rows).map { row in w[(row * columns)...].prefix(columns).map(Double.init) }
                let miss = zip(times(times(a, matrix), b), goal).map { zip($0, $1).map { $0 - $1 } }
                last = miss.joined().reduce(0) { $0 + $1 * $1 } / 2
                let gradient = times(times(transposed(a), miss), transposed(b)).joined().map(Float.init)
                _ = try optimizer.step(&w, loss: last, gradient: gradient) { _, _ in 0 }
            }
            return last
        }
        let adam = try? loss(after: 1000, of: Adam.self)
        let soap = try? loss(after: 1000, of: SOAP.self)
        #expect(soap! < 0.1 * adam!, "SOAP \(soap!), Adam \(adam!)")
    }
}
