import Fields
import Foundation

/// The errors of a run against truth files, for a person or a program to read.
public struct EvaluationReport: Sendable {
    let run: String
    let iteration: Int
    let members: Int
    let ice: IceMask
    let errors: [FieldErrors]

    public init(run: String, iteration: Int, members: Int = 1, ice: IceMask, errors: [FieldErrors]) {
        self.run = run
        self.iteration = iteration
        self.members = members
        self.ice = ice
        self.errors = errors
    }

    public func rendered(as format: ReportFormat) throws -> String {
        switch format {
        case .text: table.rendered(as: .text)
        case .markdown: table.rendered(as: .markdown)
        case .json: try json()
        }
    }

    private var table: Table {
        let rows = errors.map { field in
            [
                field.quantity.symbol, String(field.cells), percent(field.relativeL2),
                percent(field.relative?.median), percent(field.relative?.high), percent(field.relative?.largest),
                "\(NumberText.plain(field.largest)) \(field.quantity.unit)",
            ]
                + (members > 1
                    ? [
                        percent(field.spread?.withinOne), percent(field.spread?.withinTwo),
                        field.spread?.ratio.map(NumberText.plain) ?? "--",
                    ] : [])
        }
        var notes = errors.map { field in
            "\(field.quantity.symbol): '\(field.variable)' of \(field.path)"
                + (field.missing > 0 ? "; \(field.missing) ice cells have no value" : "")
        }
        if errors.contains(where: { $0.relative == nil }) {
            notes.append("--: the truth passes through zero, where every relative error is large")
        }
        if members > 1 {
            notes.append(
                "σ: standard deviation of the \(members) members; of normally distributed errors that it describes, 68 % lie within σ, 95 % within 2 σ, and the ratio of root mean squares is 1"
            )
        }
        return Table(
            title:
                "\(run)\(members > 1 ? ", mean of \(members) members" : "") at iteration \(iteration), on \(ice.adjective) ice",
            header: ["", "cells", "relative L2", "median", "95 %", "largest", "largest error"]
                + (members > 1 ? ["within σ", "within 2 σ", "σ / error"] : []), rows: rows, notes: notes
        )
    }

    private func percent(_ share: Double?) -> String { share.map { "\(NumberText.plain(100 * $0)) %" } ?? "--" }

    // MARK: for programs

    /// Names are written in snake case; errors of cells are in the field's units, relative ones are shares.
    private struct Figures: Encodable {
        struct Field: Encodable {
            let field: String
            let units: String
            let truthFile: String
            let truthVariable: String
            let cells: Int
            let cellsWithoutTruth: Int
            let relativeL2: Double?
            let largestError: Double?
            let largestErrorXM: Double
            let largestErrorYM: Double
            let medianRelativeError: Double?
            let highRelativeError: Double?
            let largestRelativeError: Double?
            let withinOneDeviation: Double?
            let withinTwoDeviations: Double?
            let deviationOverError: Double?

            enum CodingKeys: String, CodingKey {
                case field, units, cells
                case truthFile = "truth_file"
                case truthVariable = "truth_variable"
                case cellsWithoutTruth = "cells_without_truth"
                case relativeL2 = "relative_l2"
                case largestError = "largest_error"
                case largestErrorXM = "largest_error_x_m"
                case largestErrorYM = "largest_error_y_m"
                case medianRelativeError = "relative_error_median"
                case highRelativeError = "relative_error_95_percent"
                case largestRelativeError = "relative_error_largest"
                case withinOneDeviation = "within_one_standard_deviation"
                case withinTwoDeviations = "within_two_standard_deviations"
                case deviationOverError = "rms_standard_deviation_over_rms_error"
            }
        }
        let run: String
        let iteration: Int
        let members: Int
        let fields: [Field]
    }

    private func json() throws -> String {
        func finite(_ value: Double?) -> Double? { value.flatMap { $0.isFinite ? $0 : nil } }
        let figures = Figures(
            run: run, iteration: iteration, members: members,
            fields: errors.map { field in
                Figures.Field(
                    field: field.quantity.symbol, units: field.quantity.unit, truthFile: field.path,
                    truthVariable: field.variable, cells: field.cells, cellsWithoutTruth: field.missing,
                    relativeL2: finite(field.relativeL2), largestError: finite(field.largest),
                    largestErrorXM: field.position.x, largestErrorYM: field.position.y,
                    medianRelativeError: finite(field.relative?.median),
                    highRelativeError: finite(field.relative?.high),
                    largestRelativeError: finite(field.relative?.largest),
                    withinOneDeviation: field.spread?.withinOne, withinTwoDeviations: field.spread?.withinTwo,
                    deviationOverError: finite(field.spread?.ratio))
            })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return String(decoding: try encoder.encode(figures), as: UTF8.self)
    }
}
