import Fields
import Foundation
import Ingest
import NetCDFFiles
import PointStore
import TestSupport
import Testing

@Suite("Crops of the real products and shelves with known answers")
struct RealProductTests {
    private struct Case {
        var velocity: String
        var thickness: String?
        var front: String
    }

    private static let amery = Case(
        velocity: "amery_velocity_measures.nc", thickness: "amery_bedmachine_v2.nc", front: "amery_front.csv")
    private static let bay = Case(
        velocity: "bay_velocity_measures.nc", thickness: "bay_bedmachine_v2.nc", front: "bay_front.csv")
    private static let channel = Case(velocity: "synthetic_exp1.nc", thickness: nil, front: "synthetic_exp1_front.csv")

    static let isAbsent = Places.shared("amery_velocity_measures.nc") == nil

    private func ingest(_ one: Case) throws -> (store: OpenStore, report: IngestReport) {
        var workplace = try Workplace(nil, nil, points: 20_000)
        workplace.request.velocity = try #require(Places.shared(one.velocity))
        workplace.request.thickness = try one.thickness.map { try #require(Places.shared($0)) }
        let report = try workplace.ingest()
        return (try workplace.open(), report)
    }

    /// Distance [m] and angle [°] of each front point of the store to the nearest of the list.
    private func compare(_ store: OpenStore, with csv: String) throws -> (distances: [Double], angles: [Double]) {
        let text = try String(contentsOfFile: try #require(Places.shared(csv)), encoding: .utf8)
        let known = text.split(separator: "\n").dropFirst().map { $0.split(separator: ",").compactMap { Double($0) } }
        let columns = try [Column.x, .y, .normalX, .normalY].map { try store.physical(.front, $0) }
        var distances: [Double] = []
        var angles: [Double] = []
        for index in columns[0].indices {
            let (x, y) = (columns[0][index], columns[1][index])
            let nearest = try #require(known.min { hypot($0[0] - x, $0[1] - y) < hypot($1[0] - x, $1[1] - y) })
            distances.append(hypot(nearest[0] - x, nearest[1] - y))
            angles.append(acos(min(1, columns[2][index] * nearest[2] + columns[3][index] * nearest[3])) * 180 / .pi)
        }
        return (distances.sorted(), angles.sorted())
    }

    /// Largest difference between a column and the file's values at the same cells.
    private func largestError(_ store: OpenStore, _ set: PointSet, _ column: Column, _ file: String, _ variable: String)
        throws -> Double
    {
        let values: [Double] = try NetCDFFile(reading: try #require(Places.shared(file))).requireVariable(variable)
            .read()
        return zip(try store.cells(of: set), try store.physical(set, column)).reduce(0) {
            max($0, abs($1.1 - values[Int($1.0)]))
        }
    }

    @Test("Amery: every measured cell with its real value", .disabled(if: isAbsent, "no ../shared/data here"))
    func amery() throws {
        let (store, report) = try ingest(RealProductTests.amery)
        #expect(store.count(.velocity) == 194_565)
        #expect(store.count(.thickness) == 158_563)
        #expect(report.sources.map(\.product).map { $0.prefix(13) } == ["NSIDC-0754 v1", "NSIDC-0756 v2"])
        // float32 of values normalised by 680 m/year and 592 m: half a unit in the last place of 2.
        #expect(try largestError(store, .velocity, .u, "amery_velocity_measures.nc", "VX") < 1e-4)
        #expect(try largestError(store, .velocity, .v, "amery_velocity_measures.nc", "VY") < 1e-4)
        #expect(try largestError(store, .thickness, .h, "amery_bedmachine_v2.nc", "thickness") < 1e-4)
        for (set, column) in [(PointSet.velocity, Column.u), (.velocity, .v), (.thickness, .h)] {
            #expect(try store.stored(set, column).allSatisfy { abs($0) < 1.5 })
        }
        // The list is a strip 2 km wide, and its normals are those of DIFFICE_jax; the mask is reconstructed from it.
        let (distances, angles) = try compare(store, with: RealProductTests.amery.front)
        #expect(distances[distances.count * 95 / 100] < 1000)
        #expect(angles[angles.count / 2] < 10)
    }

    @Test(
        "the bay: front points lie on the known front, normals within a few degrees",
        .disabled(if: isAbsent, "no ../shared/data here"))
    func bay() throws {
        let (store, _) = try ingest(RealProductTests.bay)
        #expect(store.count(.velocity) == 25_144)
        #expect(store.count(.thickness) == 20_396)
        #expect(try largestError(store, .velocity, .u, "bay_velocity_measures.nc", "VX") < 2e-4)
        let (distances, angles) = try compare(store, with: RealProductTests.bay.front)
        // Half a diagonal of the mask's cells of 500 m.
        #expect(distances.last! < 354)
        #expect(angles[angles.count / 2] < 1 && angles.last! < 7)
    }

    @Test("the channel: one file, 100,000 cells, an exact front", .disabled(if: isAbsent, "no ../shared/data here"))
    func channel() throws {
        let (store, _) = try ingest(RealProductTests.channel)
        #expect(store.count(.velocity) == 100_000 && store.count(.thickness) == 100_000)
        #expect(store.count(.front) == 250)
        #expect(store.description.grids.map(\.name) == ["velocity"])
        let (distances, angles) = try compare(store, with: RealProductTests.channel.front)
        // The list has cell centres, 79.9 km; the front is at 80 km.
        #expect(distances.allSatisfy { abs($0 - 100) < 0.01 })
        #expect(angles.last! < 1e-3)
    }
}
