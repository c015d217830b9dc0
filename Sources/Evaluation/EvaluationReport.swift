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
        case .text, .markdown: table.rendered(as: format == .markdown ? .markdown : .text)
        case .json: try json()
        }
    }

    private var table: Table {
        let isEnsemble = members > 1
        let hasDeviations = errors.contains { $0.spread != nil }
        let rows = errors.map { field in
            [
                field.quantity.symbol, String(field.cells), percent(field.relativeL2),
                percent(field.relative?.median), percent(field.relative?.high), percent(field.relative?.largest),
                "\(NumberText.plain(field.largest)) \(field.quantity.unit)",
            ]
                + (hasDeviations
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
        if hasDeviations {
            let source = isEnsemble ? "standard deviation of the \(members) members" : "its standard deviation"
            notes.append(
                "σ: \(source); of normally distributed errors that it describes, 68 % lie within σ, 95 % within 2 σ, and the ratio of root mean squares is 1"
            )
        }
        return Table(
            title:
                "\(run)\(isEnsemble ? ", mean of \(members) members" : "") at iteration \(iteration), on \(ice.adjective) ice",
            header: ["", "cells", "relative L2", "median", "95 %", "largest", "largest error"]
                + (hasDeviations ? ["within σ", "within 2 σ", "σ / error"] : []), rows: rows, notes: notes
        )
    }

    private func percent(_ share: Double?) -> String { share.map { "\(NumberText.plain(100 * $0)) %" } ?? "--" }

    // MARK: for programs

    /// Errors of cells are in the field's units, relative ones are shares. What is not a number is left out.
    private func json() throws -> String {
        func finite(_ value: Double?) -> Double? { value.flatMap { $0.isFinite ? $0 : nil } }
        let fields = errors.map { field in
            let figures: [String: Any?] = [
                "field": field.quantity.symbol, "units": field.quantity.unit,
                "truth_file": field.path, "truth_variable": field.variable,
                "cells": field.cells, "cells_without_truth": field.missing,
                "relative_l2": finite(field.relativeL2), "largest_error": finite(field.largest),
                "largest_error_x_m": field.position.x, "largest_error_y_m": field.position.y,
                "relative_error_median": finite(field.relative?.median),
                "relative_error_95_percent": finite(field.relative?.high),
                "relative_error_largest": finite(field.relative?.largest),
                "within_one_standard_deviation": field.spread?.withinOne,
                "within_two_standard_deviations": field.spread?.withinTwo,
                "rms_standard_deviation_over_rms_error": finite(field.spread?.ratio),
            ]
            return figures.compactMapValues { $0 }
        }
        let report: [String: Any] = ["run": run, "iteration": iteration, "members": members, "fields": fields]
        let data = try JSONSerialization.data(withJSONObject: report, options: [.prettyPrinted, .sortedKeys])
        return String(decoding: data, as: UTF8.self)
    }
}
