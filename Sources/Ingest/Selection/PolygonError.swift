import Fields

/// What can be wrong with `--polygon`, with the evidence; the wording is below.
enum PolygonError: Failure {
    case unknownFormat(path: String)
    case unreadable(path: String, reason: String)
    case latitudeFirst(path: String)
    case damaged(path: String, reason: String)
    case noPolygon(path: String, found: String)
    case otherSystem(path: String, String, product: String, String)
    case notProjectable(path: String, product: String)
    case beyondProduct(path: String, Region, product: String, Region)

    var kind: FailureKind {
        switch self {
        case .unknownFormat: .usage
        case .unreadable: .missingInput
        default: .badData
        }
    }

    var explanation: String {
        switch self {
        case .unknownFormat(let path):
            "--polygon: \(quoted(path)) is neither GeoJSON (.geojson, .json), a shapefile (.shp) nor an outline of ISSM (.exp); name it by its format"
        case .unreadable(let path, let reason): "\(path): cannot read the polygon: \(reason); check --polygon"
        case .latitudeFirst(let path):
            "\(path): its corners lie nowhere near the product as longitude and latitude, but do as latitude and longitude; write the longitude first"
        case .damaged(let path, let reason): "\(path): \(reason): no polygon can be made of it; write the file again"
        case .noPolygon(let path, let found):
            "\(path): no polygon in it (found: \(found)); --polygon needs a polygon or several"
        case .otherSystem(let path, let mine, let product, let theirs):
            "\(path): is in \(mine) and \(product) in \(theirs); bring it there, for instance with ogr2ogr -t_srs"
        case .notProjectable(let path, let product):
            "\(path): is in longitude and latitude, and \(product) states no polar stereographic projection; give the polygon in the coordinates of the product"
        case .beyondProduct(let path, let polygon, let product, let extent):
            "\(path): the polygon lies in \(text(polygon)) and meets no cell of \(product), which lies in \(text(extent)) (xmin,xmax,ymin,ymax)"
        }
    }

    private func text(_ region: Region) -> String {
        [region.xMin, region.xMax, region.yMin, region.yMax].map { plain($0.rounded()) }.joined(separator: ",")
    }
}
