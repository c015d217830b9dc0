import Fields
import NetCDFFiles

/// Messages that are needed in several places; all others are where their reasons are found.
extension PlainFailure {
    static func badSchema(_ name: String, _ reason: String, isOfUser: Bool = false) -> PlainFailure {
        PlainFailure(
            isOfUser ? .badData : .software,
            "schema \(name): \(reason); \(isOfUser ? "correct it, its keys are listed in Schemas/README.md" : "this is a mistake of the program, please report it")"
        )
    }

    static func missingPartner(_ name: String, of other: String, path: String) -> PlainFailure {
        PlainFailure(
            "\(path): no variable \(quoted(name)), the counterpart of \(quoted(other)); download the complete product again"
        )
    }

    static func unstructured(_ field: any ProductArray, coordinate: String) -> PlainFailure {
        PlainFailure(
            "\(field.path): variable \(quoted(field.name)) is given on scattered points (as is \(quoted(coordinate))), not on a grid; interpolate it to a grid first, in ISSM with InterpFromMeshToGrid"
        )
    }

    static func noCoordinates(_ field: any ProductArray, sought: [String]) -> PlainFailure {
        PlainFailure(
            "\(field.path): variable \(quoted(field.name)) has no coordinates: none of \(list(sought)) is a variable over one of its dimensions \(list(field.dimensions.map(\.name))); the file needs projection coordinates x and y of its cell centres"
        )
    }

    static func badCoordinate(_ name: String, path: String, _ reason: String) -> PlainFailure {
        PlainFailure(
            "\(path): coordinate \(quoted(name)) \(reason); the file needs evenly spaced projection coordinates of its cell centres"
        )
    }

    /// - Parameter other: the name of what it should match, and its shape.
    static func shapesDisagree(_ variable: any ProductArray, with other: String, _ lengths: [Int]) -> PlainFailure {
        PlainFailure(
            "\(variable.path): variables \(quoted(variable.name)) \(shape(variable.shape)) and \(quoted(other)) \(shape(lengths)) are not on the same grid; download or create the file again"
        )
    }

    static func badAttribute(
        _ name: String, of variable: any ProductArray, found: String? = nil, expected: String
    ) -> PlainFailure {
        PlainFailure(
            "\(variable.path): attribute \(quoted(name)) of variable \(quoted(variable.name)) is \(found ?? variable.attribute(name).map(text) ?? "absent"), expected \(expected); download the file again or correct the attribute"
        )
    }

    static func gridsDoNotOverlap(_ one: GridWindow, _ other: GridWindow) -> PlainFailure {
        PlainFailure(
            "\(one.path) covers \(one.extent.text) and \(other.path) covers \(other.extent.text): they do not overlap; give files of the same area"
        )
    }

    private static func text(_ attribute: Attribute) -> String {
        switch attribute {
        case .text(let text): quoted(text)
        case .numbers(let numbers): "(\(numbers.prefix(4).map(plain).joined(separator: ", ")))"
        }
    }
}

func list(_ names: [String]) -> String {
    names.isEmpty ? "(none)" : names.prefix(20).map(quoted).joined(separator: ", ")
}

func shape(_ lengths: [Int]) -> String { "(\(lengths.map(String.init).joined(separator: ", ")))" }

extension Region {
    /// "xmin,xmax,ymin,ymax"
    var text: String { [xMin, xMax, yMin, yMax].map(plain).joined(separator: ",") }

    /// Contains nothing, and is where a bounding box begins.
    static let nothing = Region(xMin: .infinity, xMax: -.infinity, yMin: .infinity, yMax: -.infinity)

    mutating func include(x: Double, y: Double) {
        self = union(Region(xMin: x, xMax: x, yMin: y, yMax: y))
    }

    /// To whole metres.
    var rounded: Region {
        Region(xMin: xMin.rounded(), xMax: xMax.rounded(), yMin: yMin.rounded(), yMax: yMax.rounded())
    }
}

/// A number without a trailing ".0".
func plain(_ number: Double) -> String {
    if number == number.rounded(), abs(number) < 1e15 { return String(Int(number)) }
    return String(number)
}

extension IceMask {
    /// The name a user would use.
    var body: String { self == .floatingIce ? "ice shelf" : "ice stream" }
}
