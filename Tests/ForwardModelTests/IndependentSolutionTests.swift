import Fields
import ForwardModel
import NetCDFFiles
import TestSupport
import Testing

extension ProductFileTests {
    /// The COMSOL solution that DIFFICE_jax trains on (Wang & Lai 2025): an 80 km × 50 km channel, cells of 200 m.
    @Suite(
        "The forward solve by COMSOL",
        .enabled(if: Places.shared("synthetic_exp1.nc") != nil, "synthetic_exp1.nc is absent"))
    struct IndependentSolutionTests {
        /// One field of the channel: cells at x = 100, 300, … 79 900 and y = 100, … 49 900, row index fastest.
        private struct Channel {
            static let columns = 400
            static let rows = 250
            var values: [Double] = []

            init(_ name: String, in file: NetCDFFile) throws {
                let x = try file.requireVariable("x").read(as: Double.self)
                let y = try file.requireVariable("y").read(as: Double.self)
                let field = try file.requireVariable(name).read(as: Double.self)
                let column = try #require(x.firstIndex(of: 100))
                let row = try #require(y.firstIndex(of: 100))
                // y descends in the file and ascends here.
                for i in 0..<Channel.columns {
                    for j in 0..<Channel.rows { values.append(field[(row - j) * x.count + column + i]) }
                }
            }

            /// Bilinear between the cells, linear up to half a cell beyond them.
            func callAsFunction(_ position: Position) -> Double {
                let (a, b) = ((position.x - 100) / 200, (position.y - 100) / 200)
                let i = min(max(Int(a), 0), Channel.columns - 2)
                let j = min(max(Int(b), 0), Channel.rows - 2)
                let (s, t) = (a - Double(i), b - Double(j))
                let at = { (i: Int, j: Int) in values[i * Channel.rows + j] }
                return (1 - s) * ((1 - t) * at(i, j) + t * at(i, j + 1)) + s
                    * ((1 - t) * at(i + 1, j) + t * at(i + 1, j + 1))
            }
        }

        @Test("is met within 0.2 % of the largest speed")
        func agrees() throws {
            let file = try NetCDFFile(reading: try #require(Places.shared("synthetic_exp1.nc")))
            let truth = try NetCDFFile(reading: try #require(Places.shared("synthetic_exp1_truth.nc")))
            let (u, v) = (try Channel("VX", in: file), try Channel("VY", in: file))
            let thickness = try Channel("thickness", in: file)
            let viscosity = try Channel("viscosity", in: truth)
            // Nodes on every second cell; the last column on the front, 100 m beyond the last cells.
            let mesh = Mesh(columns: 200, rows: 125) { column, row in
                Position(column == 200 ? 80_000 : 100 + 400 * Double(column), min(100 + 400 * Double(row), 49_900))
            }
            var prescribed = [Velocity?](repeating: nil, count: mesh.nodes.count)
            for side in [Mesh.Side.inflow, .leftWall, .rightWall] {
                for node in mesh.nodes(on: side) {
                    prescribed[node] = Velocity(u(mesh.nodes[node]), v(mesh.nodes[node])) / Constants.secondsPerYear
                }
            }
            let field = try ShallowShelfSystem(
                mesh: mesh, thickness: { thickness($0) }, viscosity: { Viscosity(isotropic: viscosity($0)) },
                prescribed: prescribed
            ).solve()
            var (largest, fastest, squares) = (0.0, 0.0, 0.0)
            for (position, velocity) in zip(mesh.nodes, field.nodal) {
                let expected = Velocity(u(position), v(position))
                let miss = length(velocity * Constants.secondsPerYear - expected)
                largest = max(largest, miss)
                squares += miss * miss
                fastest = max(fastest, length(expected))
            }
            // The data are float32 from COMSOL's own mesh; another solver reached 0.04 %.
            #expect(largest < 2e-3 * fastest, "largest difference \(largest) of \(fastest) m/yr")
            let mean = (squares / Double(mesh.nodes.count)).squareRoot()
            #expect(mean < 5e-4 * fastest, "root mean square difference \(mean) of \(fastest) m/yr")
        }
    }
}
