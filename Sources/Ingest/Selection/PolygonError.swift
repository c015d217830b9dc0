import Fields

/// What can be wrong with `--polygon`, with the evidence and the wording.
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
            "\(path): its corners are far from the product as longitude and latitude, but not as latitude and longitude; write the longitude first"
        case .damaged(let path, let reason): "\(path): \(reason): not a usable polygon; create the file again"
        case .noPolygon(let path, let found):
            "\(path): no polygon found (but \(found)); --polygon needs one or several polygons"
        case .otherSystem(let path, let mine, let product, let theirs):
            "\(path): is in \(mine), but \(product) is in \(theirs); reproject it, for example with ogr2ogr -t_srs"
        case .notProjectable(let path, let product):
            "\(path): is in longitude and latitude, but \(product) states no polar stereographic projection; give the polygon in the coordinates of the product"
        case .beyondProduct(let path, let polygon, let product, let extent):
            "\(path): the polygon covers \(text(polygon)) and does not overlap \(product), which covers \(text(extent)) (xmin,xmax,ymin,ymax)"
        }
    }

    private func text(_ region: Region) -> String {
        [region.xMin, region.xMax, region.yMin, region.yMax].map { plain($0.rounded()) }.joined(separator: ",")
    }
}
