/// A step length that satisfies the strong Wolfe conditions (Nocedal & Wright 2006, algorithms 3.5 and 3.6, with cubic
/// interpolation):
///
///     φ(a) ≤ φ(0) + c₁ a φ'(0),   |φ'(a)| ≤ c₂ |φ'(0)|
///
/// The loss is a float32 computation of float32 parameters. Near a minimum a step moves them by few units in their last place,
/// and rounding alone makes the loss at two such points differ by a relative 1e-4 (seen at a loss of 1e-5), while slopes are
/// accurate to 1 %. So a point where the slope has flattened is accepted too if its value differs from the parabola through the
/// two slopes by less than `noise` (after the approximate conditions of Hager & Zhang 2005): on that parabola it is a decrease.
public struct WolfeSearch: Sendable {
    /// φ and φ' at a step length.
    public struct Trial: Sendable {
        public var length: Double
        public var value: Double
        public var slope: Double

        public init(length: Double, value: Double, slope: Double) {
            self.length = length
            self.value = value
            self.slope = slope
        }
    }

    public var sufficientDecrease = 1e-4
    public var curvature = 0.9
    public var noise = 1e-3
    public var maxTrials = 20

    public init() {}

    /// The accepted trial, always the last one that was evaluated; nil where none was found.
    public func find(
        from start: Trial, firstLength: Double, _ trial: (_ length: Double) throws -> Trial
    ) rethrows -> Trial? {
        guard start.slope < 0 else { return nil }
        // Equal values up to rounding are not an increase.
        let slack = 1e-7 * abs(start.value)
        func decreases(_ t: Trial) -> Bool {
            t.value <= start.value + sufficientDecrease * t.length * start.slope + slack
        }
        func isFlat(_ t: Trial) -> Bool { abs(t.slope) <= -curvature * start.slope }
        func isAccepted(_ t: Trial) -> Bool {
            guard isFlat(t) else { return false }
            let parabola = start.value + t.length * (start.slope + t.slope) / 2
            return decreases(t) || abs(t.value - parabola) <= noise * abs(start.value)
        }

        var before = start
        var length = firstLength
        var low: Trial
        var high: Trial
        var trials = 0
        while true {
            let now = try trial(length)
            trials += 1
            guard now.value.isFinite, now.slope.isFinite else {
                // Overflow: back towards the last finite trial.
                guard trials < maxTrials else { return nil }
                length = before.length + (length - before.length) / 10
                continue
            }
            if isAccepted(now) { return now }
            if !decreases(now) || (trials > 1 && now.value >= before.value + slack) {
                (low, high) = (before, now)
                break
            }
            if now.slope >= 0 {
                (low, high) = (now, before)
                break
            }
            guard trials < maxTrials else { return nil }
            length = min(10 * now.length, max(2 * now.length, interpolated(before, now)))
            before = now
        }
        while trials < maxTrials {
            let width = abs(high.length - low.length)
            guard width > 1e-12 * max(low.length, high.length) else { return nil }
            // Not closer to an end than a tenth: the bracket must shrink.
            let inner = min(low.length, high.length) + 0.1 * width
            let outer = max(low.length, high.length) - 0.1 * width
            let now = try trial(min(max(interpolated(low, high), inner), outer))
            trials += 1
            if isAccepted(now) { return now }
            if !now.value.isFinite || !decreases(now) || now.value >= low.value + slack {
                high = now
                continue
            }
            if now.slope * (high.length - low.length) >= 0 { high = low }
            low = now
        }
        return nil
    }

    /// The minimum of the cubic through two values and slopes; the middle where it has none.
    private func interpolated(_ a: Trial, _ b: Trial) -> Double {
        let middle = (a.length + b.length) / 2
        guard a.value.isFinite, b.value.isFinite, a.slope.isFinite, b.slope.isFinite, a.length != b.length else {
            return middle
        }
        let d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.length - b.length)
        let square = d1 * d1 - a.slope * b.slope
        guard square >= 0 else { return middle }
        let d2 = square.squareRoot() * (b.length > a.length ? 1 : -1)
        let length = b.length - (b.length - a.length) * (b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2)
        return length.isFinite ? length : middle
    }
}
