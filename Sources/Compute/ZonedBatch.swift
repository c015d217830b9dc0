import Networks

/// A batch with its points gathered by zone, so that all points of a tile are covered by the same subdomains and only these
/// networks are evaluated. Points of a zone keep their order.
package struct ZonedBatch {
    package let batch: PointBatch
    /// The points of every zone.
    package let zones: [Range<Int>]
    /// Each point's index in the given batch; nil: the same.
    private let places: [Int32]?

    package init(_ given: PointBatch, _ decomposition: Decomposition) {
        guard decomposition != .whole else {
            (batch, zones, places) = (given, [0..<given.count], nil)
            return
        }
        let zoneOfPoint = zip(given.columns[0], given.columns[1]).map {
            Int32(decomposition.zone(x: Double($0), y: Double($1)))
        }
        var ends = [Int](repeating: 0, count: decomposition.zoneCount)
        for zone in zoneOfPoint { ends[Int(zone)] += 1 }
        var begin = 0
        for zone in ends.indices { (ends[zone], begin) = (begin, begin + ends[zone]) }
        let begins = ends
        var places = [Int32](repeating: 0, count: given.count)
        for (point, zone) in zoneOfPoint.enumerated() {
            places[ends[Int(zone)]] = Int32(point)
            ends[Int(zone)] += 1
        }
        batch = PointBatch(
            columns: given.columns.map { column in
                column.withUnsafeBufferPointer { values in places.map { values[Int($0)] } }
            })
        zones = zip(begins, ends).map { $0..<$1 }
        self.places = places
    }

    /// The given batch's index of a gathered point.
    package func place(of point: Int) -> Int { places.map { Int($0[point]) } ?? point }

    /// Writes the values of a run of gathered points to the points' indices in the given batch.
    package func scatter(
        _ values: UnsafePointer<Float>, of points: Range<Int>, into results: UnsafeMutablePointer<Float>
    ) {
        guard let places else {
            (results + points.lowerBound).update(from: values, count: points.count)
            return
        }
        for (number, point) in points.enumerated() { results[Int(places[point])] = values[number] }
    }

    /// Bytes that gathering takes for so many points of so many columns.
    package static func memory(points: Int, columns: Int, _ decomposition: Decomposition) -> Int {
        decomposition == .whole ? 0 : 4 * points * (columns + 2)
    }
}
