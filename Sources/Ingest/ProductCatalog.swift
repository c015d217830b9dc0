import NetCDFFiles

/// The products that are known, the particular before the general: the first that recognises a file reads it.
public enum ProductCatalog {
    /// Name and text of each file of the folder Schemas. A new product is a line here (and one in Package.swift).
    public static let sources: [(file: String, toml: [UInt8])] = [
        ("nsidc-0754-v1.toml", PackageResources.nsidc_0754_v1_toml),
        ("nsidc-0484-v2.toml", PackageResources.nsidc_0484_v2_toml),
        ("bedmachine-antarctica-v2.toml", PackageResources.bedmachine_antarctica_v2_toml),
        ("bedmachine-antarctica-v3.toml", PackageResources.bedmachine_antarctica_v3_toml),
        ("common.toml", PackageResources.common_toml),
    ]

    public static func schemas() throws -> [ProductSchema] {
        try sources.map { try ProductSchema(toml: String(decoding: $0.toml, as: UTF8.self), called: $0.file) }
    }

    /// The schema by which a file is read; the last of the catalog recognises every file.
    static func schema(for file: NetCDFFile) throws -> ProductSchema {
        guard let schema = try schemas().first(where: { $0.recognizes(file) }) else {
            throw IngestError.badSchema(name: "catalog", reason: "no general schema at its end")
        }
        return schema
    }
}

extension ProductSchema {
    func recognizes(_ file: NetCDFFile) -> Bool {
        guard recognize.variables.allSatisfy({ file.variable($0) != nil }) else { return false }
        guard let attributes = recognize.attributes, let texts = recognize.text else { return true }
        return attributes.contains { name in
            guard let found = file.attribute(name)?.text?.lowercased() else { return false }
            return texts.contains { found.contains($0) }
        }
    }
}
