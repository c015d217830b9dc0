import Fields
import ForwardModel
import Foundation
import Testing

@Suite("A synthetic stream")
struct SlidingStreamTests {
    @Test("has a velocity that settles when the mesh is refined")
    func settles() throws {
        let stream = SlidingStream()
        let fields = try [4000.0, 2000, 1000].map { try SolvedShelf(stream, spacing: $0).field }
        let places = (1..<10).flatMap { i in (1..<10).map { j in (Double(i) / 10, Double(j) / 10) } }
        let velocities = try fields.map { field in
            try places.map { along, across in
                field.velocity(at: try #require(field.place(of: stream.position(along: along, across: across))))
            }
        }
        func change(_ a: [Velocity], _ b: [Velocity]) -> Double {
            (zip(a, b).reduce(0) { $0 + (($1.0 - $1.1) * ($1.0 - $1.1)).sum() }).squareRoot()
        }
        let (coarse, fine) = (change(velocities[0], velocities[1]), change(velocities[1], velocities[2]))
        // The coarsest mesh has 15 x 10 elements: its leading error term does not dominate yet.
        #expect(log2(coarse / fine) > 1.3, "changes \(coarse), \(fine)")
        let speed = velocities[2].reduce(0) { $0 + ($1 * $1).sum() }.squareRoot()
        #expect(fine < 0.01 * speed, "change \(fine / speed)")
    }

    /// The driving stress is balanced by the bed, the margins and the inflow: without membrane stress the drag alone would equal
    /// the driving stress, as it does on average where the stream is wide.
    @Test("drags as much as it is driven, to the share of its margins")
    func forceBalance() throws {
        let stream = SlidingStream()
        let constants = Constants()
        let field = try SolvedShelf(stream, spacing: 2000).field
        var (drag, push) = (0.0, 0.0)
        for i in 2..<19 {
            for j in 6..<15 {
                let position = stream.position(along: Double(i) / 20, across: Double(j) / 20)
                let velocity = field.velocity(at: try #require(field.place(of: position)))
                drag += stream.friction(at: position) * pow((velocity * velocity).sum(), constants.slidingExponent / 2)
                let ahead = stream.position(along: Double(i) / 20 + 0.01, across: Double(j) / 20)
                push +=
                    constants.iceDensity * constants.gravity * stream.thickness(at: position)
                    * (stream.surface(at: position) - stream.surface(at: ahead)) / 600
            }
        }
        #expect(drag / push > 0.6 && drag / push < 1.2, "\(drag / push)")
    }
}
