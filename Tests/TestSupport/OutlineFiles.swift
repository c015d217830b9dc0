import Foundation

/// Polygons in the three formats that `--polygon` reads. A part is a ring with its holes.
public enum OutlineFiles {
    public typealias Ring = [(x: Double, y: Double)]

    private static func json(_ ring: Ring) -> String {
        "[" + (ring + [ring[0]]).map { "[\($0.x), \($0.y), 12.5]" }.joined(separator: ",") + "]"
    }

    public static func geoJSON(_ parts: [[Ring]], system: String) -> String {
        let polygons = parts.map { "[" + $0.map(json).joined(separator: ",") + "]" }.joined(separator: ",")
        return """
            {"type": "FeatureCollection", \(system) "features": [
            {"type": "Feature", "properties": {"name": "a place"}, "geometry": {"type": "Point", "coordinates": [1, 2]}},
            {"type": "Feature", "properties": null, "geometry": null},
            {"type": "Feature", "properties": {}, "geometry": {"type": "MultiPolygon", "coordinates": [\(polygons)]}}]}
            """
    }

    public static func exp(_ rings: [Ring]) -> String {
        rings.map { ring in
            "## Name:part\n## Icon:0\n# Points Count  Value\n\(ring.count + 1) 1.000000\n# X pos Y pos\n"
                + (ring + [ring[0]]).map { "\($0.x) \($0.y)\n" }.joined() + "\n"
        }.joined()
    }

    /// A shapefile with one polygon per part: .shp and .shx.
    public static func writeShapefile(_ parts: [[Ring]], to base: String) throws {
        func big(_ number: Int) -> Data { withUnsafeBytes(of: Int32(number).bigEndian) { Data($0) } }
        func little(_ number: Int) -> Data { withUnsafeBytes(of: Int32(number).littleEndian) { Data($0) } }
        func real(_ number: Double) -> Data { withUnsafeBytes(of: number.bitPattern.littleEndian) { Data($0) } }
        func box(_ rings: [Ring]) -> Data {
            let all = rings.joined()
            return [
                all.map(\.x).min()!, all.map(\.y).min()!, all.map(\.x).max()!, all.map(\.y).max()!,
            ].map(real).reduce(Data(), +)
        }
        func header(_ bytes: Int) -> Data {
            big(9994) + Data(count: 20) + big(bytes / 2) + little(1000) + little(5) + box(parts.flatMap { $0 })
                + Data(count: 32)
        }
        var records = Data()
        var index = Data()
        for (number, rings) in parts.enumerated() {
            let closed = rings.map { $0 + [$0[0]] }
            var content = little(5) + box(rings) + little(closed.count) + little(closed.reduce(0) { $0 + $1.count })
            var start = 0
            for ring in closed {
                content += little(start)
                start += ring.count
            }
            for corner in closed.joined() { content += real(corner.x) + real(corner.y) }
            index += big((100 + records.count) / 2) + big(content.count / 2)
            records += big(number + 1) + big(content.count / 2) + content
        }
        try (header(100 + records.count) + records).write(to: URL(fileURLWithPath: "\(base).shp"))
        try (header(100 + index.count) + index).write(to: URL(fileURLWithPath: "\(base).shx"))
    }
}
