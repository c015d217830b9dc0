import Fields
import NetCDFFiles

/// A file with gridded fields, read through the same door as the products: names by schema or by CF's standard names, units
/// converted, fill values NaN, x ascending and y descending.
public struct GriddedFile {
    private let product: ProductFile

    public init(path: String) throws { product = try ProductFile(path: path) }

    /// The fields of those quantities that the file holds.
    public func fields(of quantities: [Quantity]) throws -> [GriddedField] {
        try quantities.compactMap { quantity in
            try variable(of: quantity).map { try GriddedField(quantity, $0, in: product) }
        }
    }

    public var variableNames: [String] { product.variableNames }

    /// Names by which a quantity is found.
    public func names(of quantity: Quantity) -> [String] {
        let schema = product.schema
        let known: [String]? =
            switch quantity {
            case .velocityX: schema.velocity?.x
            case .velocityY: schema.velocity?.y
            case .thickness: schema.thickness?.variable
            case .surface: schema.surface?.variable
            case .viscosity: ["viscosity"]
            // Of pinn-sample's anisotropic ice.
            case .horizontalViscosity: ["viscosity"]
            case .verticalViscosity: ["viscosity_vertical"]
            default: nil
            }
        return (known ?? []).filter { $0 != quantity.symbol } + [quantity.symbol]
    }

    private func variable(of quantity: Quantity) -> (any ProductArray)? {
        product.first(names(of: quantity))
            ?? product.file.arrays.first {
                quantity.standardName != nil && $0.attribute("standard_name")?.text == quantity.standardName
            }
    }
}

/// A field of a gridded file in the unit of its quantity; NaN is "no value".
public struct GriddedField {
    public let quantity: Quantity
    /// Name of the variable, and path of its file.
    public let variable: String
    public let path: String
    private let field: PackedField

    public var grid: Grid { field.window.grid }

    init(_ quantity: Quantity, _ variable: any ProductArray, in product: ProductFile) throws {
        let schema = product.schema
        var unitIfMissing: String?
        var noData: [Double] = []
        switch quantity {
        case .velocityX, .velocityY:
            (unitIfMissing, noData) = (schema.velocity?.unitIfMissing, (schema.velocity?.noData ?? []).map(\.value))
        case .thickness: (unitIfMissing, noData) = (schema.thickness?.unitIfMissing, product.noThickness)
        default: break
        }
        field = try PackedField(
            variable, on: try GridWindow(of: variable, in: product, region: .everywhere), in: quantity.measure,
            unitIfMissing: unitIfMissing, noData: noData)
        (self.quantity, self.variable, path) = (quantity, variable.name, product.path)
    }

    /// Runs of rows that are read at once.
    public var bands: [Range<Int>] { field.window.bands(chunkRows: field.chunkRows) }

    /// Row-major values. Of what cannot be negative, a value that is not positive is none.
    public func read(rows: Range<Int>) throws -> [Double] {
        let values = try field.read(rows: rows, columns: 0..<grid.columns)
        guard quantity.isPositive else { return values }
        return values.map { $0 > 0 ? $0 : .nan }
    }

    /// Refuses a field whose coordinates mean other places than those of another projection.
    public func requireProjection(of other: Projection?, path otherPath: String) throws {
        guard let mine = grid.projection, let other, let difference = mine.firstDifference(from: other) else { return }
        throw IngestError.projectionsDiffer(
            attribute: difference.attribute, difference.mine, path: path, difference.other, otherPath: otherPath)
    }
}
