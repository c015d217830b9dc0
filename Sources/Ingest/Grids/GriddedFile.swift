import Fields
import NetCDFFiles

/// A file with gridded fields, read like the products: names from a schema or CF standard names, units converted, fill values as
/// NaN, x ascending and y descending.
public struct GriddedFile {
    private let product: ProductFile

    public init(path: String) throws { product = try ProductFile(path: path) }

    /// The fields of those of the quantities that the file has.
    public func fields(of quantities: [Quantity]) throws -> [GriddedField] {
        try quantities.compactMap { quantity in
            try variable(of: quantity).map { try GriddedField(quantity, $0, in: product) }
        }
    }

    public var variableNames: [String] { product.variableNames }

    /// Variable names that are tried for a quantity.
    public func names(of quantity: Quantity) -> [String] {
        let schema = product.schema
        let known: [String]? =
            switch quantity {
            case .velocityX: schema.velocity?.x
            case .velocityY: schema.velocity?.y
            case .thickness: schema.thickness?.variable
            case .surface: schema.surface?.variable
            // The names of pinn-sample's anisotropic ice, too.
            case .viscosity, .horizontalViscosity: ["viscosity"]
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

/// A field of a gridded file in the unit of its quantity; NaN means no value.
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

    /// Bands of rows that are read at once.
    public var bands: [Range<Int>] { field.window.bands(chunkRows: field.chunkRows) }

    /// Row-major values. NaN replaces values that are not positive, for quantities that must be.
    public func read(rows: Range<Int>) throws -> [Double] {
        let values = try field.read(rows: rows, columns: 0..<grid.columns)
        guard quantity.isPositive else { return values }
        return values.map { $0 > 0 ? $0 : .nan }
    }

    /// Throws where the field's coordinates are in another projection.
    public func requireProjection(of other: Projection?, path otherPath: String) throws {
        try field.window.requireProjection(of: other, at: otherPath)
    }
}
