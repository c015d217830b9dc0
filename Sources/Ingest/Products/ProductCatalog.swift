import Fields
import Glibc
import NetCDFFiles

/// The known products, specific ones before general ones: the first schema that recognises a file is used.
public struct ProductCatalog: Sendable {
    /// Name and text of each file of the folder Schemas. A new product is a line here (and one in Package.swift).
    public static let sources: [(file: String, toml: [UInt8])] = [
        ("nsidc-0754-v1.toml", PackageResources.nsidc_0754_v1_toml),
        ("nsidc-0484-v2.toml", PackageResources.nsidc_0484_v2_toml),
        ("nsidc-0545-v1.toml", PackageResources.nsidc_0545_v1_toml),
        ("nsidc-0484-v1.toml", PackageResources.nsidc_0484_v1_toml),
        ("its-live-v2.toml", PackageResources.its_live_v2_toml),
        ("its-live-v1.toml", PackageResources.its_live_v1_toml),
        ("bedmachine-greenland-v5.toml", PackageResources.bedmachine_greenland_v5_toml),
        ("bedmachine-greenland-v4.toml", PackageResources.bedmachine_greenland_v4_toml),
        ("bedmachine-greenland-v3.toml", PackageResources.bedmachine_greenland_v3_toml),
        ("bedmachine-antarctica-v4.toml", PackageResources.bedmachine_antarctica_v4_toml),
        ("bedmachine-antarctica-v3.toml", PackageResources.bedmachine_antarctica_v3_toml),
        ("bedmachine-antarctica-v2.toml", PackageResources.bedmachine_antarctica_v2_toml),
        ("bedmachine-antarctica-v1.toml", PackageResources.bedmachine_antarctica_v1_toml),
        ("bedmap3.toml", PackageResources.bedmap3_toml),
        ("bedmap2.toml", PackageResources.bedmap2_toml),
        ("diffice.toml", PackageResources.diffice_toml),
        ("pinnicle.toml", PackageResources.pinnicle_toml),
        ("common.toml", PackageResources.common_toml),
    ]

    private let schemas: [ProductSchema]
    /// A user's own schema, which precedes all others.
    let own: ProductSchema?

    /// The catalog, with a user's own schema at its head.
    public init(withSchemaAt path: String? = nil) throws {
        own = try path.map { path in
            try ProductSchema(
                toml: try ProductCatalog.text(ofSchemaAt: path), called: lastComponent(of: path), isOfUser: true)
        }
        let known = try ProductCatalog.sources.map {
            try ProductSchema(toml: String(decoding: $0.toml, as: UTF8.self), called: $0.file)
        }
        schemas = [own].compactMap { $0 } + known
    }

    /// The schema that reads a file; the last one in the catalog recognises every file.
    func schema(for file: any ProductContainer) throws -> ProductSchema {
        guard let schema = schemas.first(where: { $0.obstacle(in: file) == nil }) else {
            throw PlainFailure.badSchema("catalog", "no general schema at its end")
        }
        return schema
    }

    /// The known products as a table: what each holds, where it is described, and how its files are recognised.
    public var table: Table {
        Table(
            title: "Products, recognised by a file's content and not by its name; the first that fits is used.",
            header: ["product", "holds", "version", "DOI or page", "recognised by"],
            rows: schemas.map { schema in
                [
                    schema.isGeneral || schema.name.hasPrefix(schema.id) ? schema.name : "\(schema.id) \(schema.name)",
                    schema.contents,
                    schema.version.isEmpty ? "" : schema.version,
                    schema.doi.isEmpty ? schema.page ?? "-" : "https://doi.org/\(schema.doi)", schema.signs,
                ]
            },
            notes: ["For another product, write a schema (see Schemas/README.md) and give it with --schema FILE."])
    }

    /// Limited in size: a device or a data file given by mistake must not be read endlessly.
    private static func text(ofSchemaAt path: String) throws -> String {
        var info = stat()
        var reason = "it is not a text file of less than a megabyte"
        // Checked before opening: a pipe without a writer would block forever.
        if stat(path, &info) != 0 || (kindOfSpecialFile(info) == nil && info.st_size < 1 << 20) {
            if let bytes = firstBytes(of: path, Int(info.st_size)) { return String(decoding: bytes, as: UTF8.self) }
            reason = String(cString: strerror(errno))
        }
        throw PlainFailure(
            errno == EIO ? .inputOutput : .missingInput,
            "\(path): cannot read the schema: \(reason); check the path after --schema")
    }
}

extension ProductSchema {
    /// The first feature of the product that a file lacks; nil where the file is of this product.
    func obstacle(in file: any ProductContainer) -> String? {
        if let missing = recognize.variables.first(where: { file.array($0) == nil }) {
            return "it has no variable \(quoted(missing))"
        }
        for mark in recognize.marks ?? [] {
            let found = mark.attributes.compactMap { file.attribute($0) }
            let isAvailable = found.contains { attribute in
                guard let texts = mark.text else { return true }
                let text = attribute.text?.lowercased() ?? ""
                return texts.contains { text.contains($0.lowercased()) }
            }
            guard isAvailable else {
                let names = mark.attributes.map(quoted).joined(separator: " or ")
                guard let texts = mark.text else { return "it has no attribute \(names)" }
                return "its attribute \(names) does not hold \(texts.map(quoted).joined(separator: " or "))"
            }
        }
        return nil
    }

    /// "velocity with errors, thickness, mask"
    fileprivate var contents: String {
        [
            velocity.map { $0.errorX == nil ? "velocity" : "velocity with errors" },
            thickness.map { $0.error == nil ? "thickness" : "thickness with errors" },
            surface.map { _ in "surface" }, mask.map { _ in "mask" }, front.map { _ in "front" },
        ]
        .compactMap { $0 }.joined(separator: ", ")
    }

    /// "VX, VY, coord_system; title has phase"
    fileprivate var signs: String {
        if isGeneral { return "names in common use" }
        let marks = (recognize.marks ?? []).map { mark in
            mark.attributes[0] + (mark.text.map { " has \($0.joined(separator: " or "))" } ?? "")
        }
        return ([recognize.variables.joined(separator: ", ")] + marks).filter { !$0.isEmpty }.joined(separator: "; ")
    }
}
