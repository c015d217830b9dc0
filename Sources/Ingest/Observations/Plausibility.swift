import Fields

/// Values that no ice shelf has, told before a network is trained on them.
enum Plausibility {
    /// Faster than any ice [m year⁻¹]; the fastest glaciers of Greenland reach 17 km.
    private static let highestSpeed = 20_000.0
    /// Slower than almost all of any ice shelf [m year⁻¹].
    private static let lowestSpeed = 1.0
    /// Thicker than any ice on Earth [m]; East Antarctica reaches 4.9 km.
    private static let greatestThickness = 5000.0

    /// Ratios of units of speed that products are seen to confuse: a year in days, in seconds, a day in seconds.
    private static let confusedUnits = [
        (ratio: 365.0, small: "m/day", large: "m/year"), (ratio: 31_536_000, small: "m/s", large: "m/year"),
        (ratio: 86_400, small: "m/s", large: "m/day"),
    ]

    /// Refuses a velocity of which one component is in another unit than its attribute says.
    ///
    /// Ice may well flow along an axis of the grid, so one ratio proves nothing: the medians and the largest values (98 %) must
    /// both stand as two units do. Across a channel the small component changes its sign and the large one does not, so
    /// there the two ratios differ.
    static func requireOneUnit(of velocity: Observations, _ x: String, _ y: String, path: String) throws {
        let u = sizes(velocity.values[0])
        let v = sizes(velocity.values[1])
        guard u.middle > 0, v.middle > 0 else { return }
        let xIsLarger = u.middle > v.middle
        let (large, small) = xIsLarger ? (u, v) : (v, u)
        let ratios = (middle: large.middle / small.middle, high: large.high / small.high)
        // A year's seconds are beyond chance, whatever the flow; its days are not.
        let confused = confusedUnits.first { unit in
            let margin = unit.ratio > 1000 ? 4.0 : 1.6
            return [ratios.middle, ratios.high].allSatisfy {
                $0 > unit.ratio / margin && $0 < unit.ratio * margin
            }
        }
        guard let confused else { return }
        // The one that is wrong is the one that ice cannot have.
        let largeIsWrong = large.middle > highestSpeed
        throw IngestError.componentInOtherUnit(
            variable: largeIsWrong == xIsLarger ? x : y, other: largeIsWrong == xIsLarger ? y : x, path: path,
            ratio: ratios.middle, looksLike: largeIsWrong ? confused.large : confused.small)
    }

    /// What half of the cells may be above and below: wider by far than any ice, so that only a wrong unit is beyond.
    private static let middleThickness = 1.0...10_000.0
    private static let highestMiddleSpeed = 1e6

    /// Refuses a velocity that no ice has, nor would have but for a few cells.
    static func requireIce(velocity: Observations, _ x: String, path: String) throws {
        let middle = sizes(speeds(velocity)).middle
        guard middle > highestMiddleSpeed else { return }
        throw IngestError.implausible(
            variable: x, path: path, what: "speed", found: "\(rounded(middle)) m/year",
            expected: "less than \(plain(highestMiddleSpeed)) m/year")
    }

    /// The same for a thickness.
    static func requireIce(thickness: Observations, _ name: String, path: String) throws {
        let middle = sizes(thickness.values[0]).middle
        guard !middleThickness.contains(middle) else { return }
        throw IngestError.implausible(
            variable: name, path: path, what: "thickness", found: "\(middle < 1 ? String(middle) : rounded(middle)) m",
            expected: "\(plain(middleThickness.lowerBound)) to \(plain(middleThickness.upperBound)) m")
    }

    /// Fewer cells tell little of a viscosity, whatever the network.
    private static let fewCells = 100

    static func warning(cells: Int) -> String? {
        guard cells < fewCells else { return nil }
        return
            "velocity and thickness are both known on \(cells) cells only, and under \(fewCells) tell little of a viscosity; see whether --region, --polygon, --shelf and the mask take what is meant"
    }

    private static func speeds(_ velocity: Observations) -> [Double] {
        zip(velocity.values[0], velocity.values[1]).map { ($0 * $0 + $1 * $1).squareRoot() }
    }

    /// Refuses a velocity that is the same everywhere: no ice flows so, and a viscosity cannot be inferred from it.
    static func requireVariety(of velocity: Observations, _ x: String, _ y: String, path: String) throws {
        let (u, v) = (velocity.values[0], velocity.values[1])
        guard velocity.count > 1, u.allSatisfy({ $0 == u[0] }), v.allSatisfy({ $0 == v[0] }) else { return }
        throw IngestError.constantVelocity(x, u[0], y, v[0], path: path, cells: velocity.count)
    }

    static func warnings(
        _ velocity: Observations, in velocityName: String, _ thickness: Observations, in thicknessName: String
    ) -> [String] {
        var warnings: [String] = []
        let speeds = speeds(velocity)
        let fast = speeds.count { $0 > highestSpeed }
        if fast > 0 {
            warnings.append(
                "\(velocityName): velocities are over \(plain(highestSpeed)) m/year on \(fast) cells and reach \(rounded(speeds.max() ?? 0)) m/year, faster than any ice; check the units of both components and the value that stands for no data"
            )
        } else if sizes(speeds).high < lowestSpeed {
            warnings.append(
                "\(velocityName): 98 % of the velocities are below \(plain(lowestSpeed)) m/year, slower than any ice shelf; check the units of both components"
            )
        }
        for (found, file) in [(velocity, velocityName), (thickness, thicknessName)] where found.invalid > 0 {
            warnings.append(
                "\(file): on \(found.invalid) cells \(found.invalidNames.map(quoted).joined(separator: ", ")) lies outside of the variable's valid_range, valid_min or valid_max; they are left out; remove the attribute if it is left over from other data"
            )
        }
        let still = speeds.count { $0 == 0 }
        if still >= 10 {
            warnings.append(
                "\(velocityName): both components are exactly 0 on \(still) cells, which are kept as ice that does not move; if 0 stands for no data, say so in a schema (no_data = [0], --schema)"
            )
        }
        if velocity.marked > 0 {
            warnings.append(
                "\(velocityName): \(velocity.marked) cells hold a number such as -9999, which no ice moves at and the file does not declare as its _FillValue; they are left out"
            )
        }
        let thick = thickness.values[0].filter { $0 > greatestThickness }
        if let thickest = thick.max() {
            warnings.append(
                "\(thicknessName): the thickness is over 5 km on \(thick.count) cells and reaches \(rounded(thickest)) m, more than any ice has; check its unit and the value that stands for no data"
            )
        }
        if thickness.negative > 0 {
            warnings.append(
                "\(thicknessName): the thickness is negative on \(thickness.negative) cells, which are left out; if it stands for no data, it should be the variable's _FillValue"
            )
        }
        return warnings
    }

    /// Of the product's fields of errors.
    static func warnings(errorsOf found: Observations, unit: String, in file: String) -> [String] {
        guard !found.errorNames.isEmpty else { return [] }
        let names = found.errorNames.map(quoted).joined(separator: ", ")
        guard !found.errorsAreEstimated, let middle = found.typicalError else {
            return [
                "\(file): \(names) holds no error that is above 0; the observations are weighed as if it were not there"
            ]
        }
        var warnings: [String] = []
        if found.negativeErrors > 0 {
            warnings.append(
                "\(file): \(names) is negative on \(found.negativeErrors) cells, whose error is taken as not known; if that stands for no data, it should be the variable's _FillValue"
            )
        }
        let size = found.values.map { sizes($0).high }.max() ?? 0
        if middle > 10 * size {
            warnings.append(
                "\(file): half of \(names) is over \(rounded(middle)) \(unit), more than ten times the values themselves; check its unit and the value that stands for no data"
            )
        }
        return warnings
    }

    /// Of the absolute values: the median, and what 98 % are below.
    private static func sizes(_ values: [Double]) -> (middle: Double, high: Double) {
        // A hundred thousand tell as much as all.
        let step = max(1, values.count / 100_000)
        let sorted = stride(from: 0, to: values.count, by: step).map { abs(values[$0]) }.sorted()
        return (sorted[sorted.count / 2], sorted[sorted.count * 98 / 100])
    }

    private static func rounded(_ number: Double) -> String {
        number < 1e15 ? String(Int(number.rounded())) : String(number)
    }
}
