import Fields

/// Checks for values that no ice shelf can have, before a network is trained on them.
enum Plausibility {
    /// Faster than any ice [m year⁻¹]; the fastest glaciers of Greenland reach 17 km.
    private static let highestSpeed = 20_000.0
    /// Slower than almost all of any ice shelf [m year⁻¹].
    private static let lowestSpeed = 1.0
    /// Thicker than any ice on Earth [m]; East Antarctica reaches 4.9 km.
    private static let greatestThickness = 5000.0

    /// Ratios of velocity units that products are known to confuse: a year in days, in seconds, a day in seconds.
    private static let confusedUnits = [
        (ratio: 365.0, small: "m/day", large: "m yr-1"), (ratio: 31_536_000, small: "m/s", large: "m yr-1"),
        (ratio: 86_400, small: "m/s", large: "m/day"),
    ]

    /// Throws where one component of the velocity is in another unit than its attribute says.
    ///
    /// Ice may flow along an axis of the grid, so a single ratio proves nothing: both the medians and the 98 % quantiles must
    /// have the ratio of two units. In a channel along an axis the small component changes its sign and the large one does
    /// not, so the two ratios differ.
    private static func requireOneUnit(of velocity: Observations, _ names: [String], path: String) throws {
        let u = sizes(velocity.values[0])
        let v = sizes(velocity.values[1])
        guard u.middle > 0, v.middle > 0 else { return }
        let xIsLarger = u.middle > v.middle
        let (large, small) = xIsLarger ? (u, v) : (v, u)
        let ratios = (middle: large.middle / small.middle, high: large.high / small.high)
        // A ratio of 3e7 is never chance; one of 365 may be.
        let confused = confusedUnits.first { unit in
            let margin = unit.ratio > 1000 ? 4.0 : 1.6
            return [ratios.middle, ratios.high].allSatisfy {
                $0 > unit.ratio / margin && $0 < unit.ratio * margin
            }
        }
        guard let confused else { return }
        // The wrong one is the one that ice cannot have.
        let largeIsWrong = large.middle > highestSpeed
        let (wrong, right) = largeIsWrong == xIsLarger ? (names[0], names[1]) : (names[1], names[0])
        throw PlainFailure(
            "\(path): variables \(quoted(wrong)) and \(quoted(right)) differ by a factor of \(Int(ratios.middle.rounded())), as if \(quoted(wrong)) were in \(largeIsWrong ? confused.large : confused.small); correct its attribute 'units'"
        )
    }

    /// Limits of the median, far wider than for any ice, so that only a wrong unit exceeds them.
    private static let middleThickness = 1.0...10_000.0
    private static let highestMiddleSpeed = 1e6

    /// Throws where the velocity is the same everywhere, so that no viscosity can be inferred from it, or where its units are wrong.
    static func requireIce(velocity: Observations, _ components: ProductFile.Components, path: String) throws {
        let names = [components.x.name, components.y.name]
        let (u, v) = (velocity.values[0], velocity.values[1])
        if velocity.count > 1, u.allSatisfy({ $0 == u[0] }), v.allSatisfy({ $0 == v[0] }) {
            throw PlainFailure(
                "\(path): variables \(quoted(names[0])) and \(quoted(names[1])) are \(plain(u[0])) and \(plain(v[0])) m yr-1 on all \(velocity.count) ice cells; a constant velocity is not a measurement, check the file"
            )
        }
        try requireOneUnit(of: velocity, names, path: path)
        let middle = sizes(speeds(velocity)).middle
        guard middle > highestMiddleSpeed else { return }
        throw implausible(
            components.x, "speed of \(rounded(middle)) m yr-1", "less than \(plain(highestMiddleSpeed)) m yr-1")
    }

    /// Throws where the median thickness is impossible.
    static func requireIce(thickness: Observations, _ variable: any ProductArray) throws {
        let middle = sizes(thickness.values[0]).middle
        guard !middleThickness.contains(middle) else { return }
        throw implausible(
            variable, "thickness of \(middle < 1 ? String(middle) : rounded(middle)) m",
            "\(plain(middleThickness.lowerBound)) to \(plain(middleThickness.upperBound)) m")
    }

    private static func implausible(_ variable: any ProductArray, _ found: String, _ expected: String) -> PlainFailure {
        PlainFailure(
            "\(variable.path): variable \(quoted(variable.name)) has a median \(found), expected \(expected); is its attribute 'units' right?"
        )
    }

    /// Fewer cells hardly constrain a viscosity, whatever the network.
    private static let fewCells = 100

    private static func speeds(_ velocity: Observations) -> [Double] {
        zip(velocity.values[0], velocity.values[1]).map { ($0 * $0 + $1 * $1).squareRoot() }
    }

    static func warnings(
        _ velocity: Observations, in velocityName: String, _ thickness: Observations, in thicknessName: String,
        cells: Int
    ) -> [String] {
        var warnings: [String] = []
        if cells < fewCells {
            warnings.append(
                "only \(cells) cells have both velocity and thickness, and fewer than \(fewCells) hardly constrain a viscosity; check --region, --polygon, --shelf and the mask"
            )
        }
        let speeds = speeds(velocity)
        let fast = speeds.count { $0 > highestSpeed }
        if fast > 0 {
            warnings.append(
                "\(velocityName): velocities are over \(plain(highestSpeed)) m yr-1 on \(fast) cells and reach \(rounded(speeds.max() ?? 0)) m yr-1, faster than any ice; check the units of both components and the no-data value"
            )
        } else if sizes(speeds).high < lowestSpeed {
            warnings.append(
                "\(velocityName): 98 % of the velocities are below \(plain(lowestSpeed)) m yr-1, slower than any ice shelf; check the units of both components"
            )
        }
        for (found, file) in [(velocity, velocityName), (thickness, thicknessName)] where found.invalid > 0 {
            warnings.append(
                "\(file): on \(found.invalid) cells \(found.invalidNames.map(quoted).joined(separator: ", ")) is outside the variable's valid_range, valid_min or valid_max; these cells are left out; remove the attribute if it does not belong to these data"
            )
        }
        let still = speeds.count { $0 == 0 }
        if still >= 10 {
            warnings.append(
                "\(velocityName): both components are exactly 0 on \(still) cells, which are kept as stagnant ice; if 0 means no data, declare it in a schema (no_data = [0], --schema)"
            )
        }
        if velocity.marked > 0 {
            warnings.append(
                "\(velocityName): \(velocity.marked) cells hold a value such as -9999, which is no velocity of ice and not declared as _FillValue; they are left out"
            )
        }
        let thick = thickness.values[0].filter { $0 > greatestThickness }
        if let thickest = thick.max() {
            warnings.append(
                "\(thicknessName): the thickness is over 5 km on \(thick.count) cells and reaches \(rounded(thickest)) m, more than any ice has; check its unit and the no-data value"
            )
        }
        if thickness.negative > 0 {
            warnings.append(
                "\(thicknessName): the thickness is negative on \(thickness.negative) cells, which are left out; if it means no data, it should be declared as _FillValue"
            )
        }
        return warnings + errorWarnings(velocity, unit: "m yr-1", in: velocityName)
            + errorWarnings(thickness, unit: "m", in: thicknessName)
    }

    /// Warnings about the product's error fields.
    private static func errorWarnings(_ found: Observations, unit: String, in file: String) -> [String] {
        guard !found.errorNames.isEmpty else { return [] }
        let names = found.errorNames.map(quoted).joined(separator: ", ")
        guard !found.errorsAreEstimated, let middle = found.typicalError else {
            return [
                "\(file): \(names) has no error above 0; the observations are weighted as if it did not exist"
            ]
        }
        var warnings: [String] = []
        if found.negativeErrors > 0 {
            warnings.append(
                "\(file): \(names) is negative on \(found.negativeErrors) cells, whose errors count as unknown; if that means no data, it should be declared as _FillValue"
            )
        }
        let size = found.values.map { sizes($0).high }.max() ?? 0
        if middle > 10 * size {
            warnings.append(
                "\(file): the median of \(names) is \(rounded(middle)) \(unit), more than ten times the values themselves; check its unit and the no-data value"
            )
        }
        return warnings
    }

    /// Median and 98 % quantile of the absolute values.
    private static func sizes(_ values: [Double]) -> (middle: Double, high: Double) {
        // A hundred thousand values suffice.
        let step = max(1, values.count / 100_000)
        let sizes = stride(from: 0, to: values.count, by: step).map { abs(values[$0]) }.quantiles([0.5, 0.98])
        return (sizes?[0] ?? .nan, sizes?[1] ?? .nan)
    }

    private static func rounded(_ number: Double) -> String {
        number < 1e15 ? String(Int(number.rounded())) : String(number)
    }
}
