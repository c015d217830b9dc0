import Fields

/// Which collocation points a run trains on, as `--sampling rad:k=1,c=1,every=500` says it. Points of the other sets are
/// always drawn uniformly.
///
/// Drawn points have equal weights, as published: dividing by p would restore the loss of uniform points with less noise, but
/// the purpose is to emphasize what the network does not resolve yet.
public struct SamplingConfiguration: OptionValue, Equatable {
    public enum Method: String, CaseIterable, Sendable {
        /// The store's own points, uniform on the shelf.
        case uniform
        /// Drawn by the size of the residual: p(x) ∝ |r(x)|^k / E|r|^k + c (Wu et al. 2023, Comput. Methods Appl. Mech. Eng. 403).
        case rad
        /// Points whose residual exceeds the mean are retained, the others drawn anew (Daw et al. 2023, ICML).
        case r3
    }

    public var method = Method.uniform
    /// Iterations from one drawing to the next; 0: the fixed batch of a phase stays to its end.
    public var every = 0
    /// k of `rad`.
    public var exponent = 1.0
    /// c of `rad`.
    public var floor = 1.0
    /// Points among which `rad` draws one.
    public var candidates = 4

    public init() {}

    public static let expected =
        "uniform, rad or r3, optionally with parameters separated by commas, as in rad:k=1,every=500: every=ITERATIONS (from 1 to 1e8); for rad also k=EXPONENT (from 0 to 10), c=FLOOR (from 0 to 1e6), candidates=POINTS (from 1 to 1000)"

    public init?(parsing text: String) {
        let words = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let method = Method(rawValue: String(words[0])) else { return nil }
        self.method = method
        every = method == .uniform ? 0 : 500
        guard words.count == 2 else { return }
        var given: Set<Substring> = []
        for part in words[1].split(separator: ",", omittingEmptySubsequences: false) {
            let pair = part.split(separator: "=", omittingEmptySubsequences: false)
            guard pair.count == 2, given.insert(pair[0]).inserted, set(pair[0], to: String(pair[1])) else {
                return nil
            }
        }
    }

    /// Whether the method has such a parameter, and the value is one.
    private mutating func set(_ name: Substring, to value: String) -> Bool {
        switch (method, name) {
        case (_, "every"):
            guard let whole = wholeNumber(value), (1...100_000_000).contains(whole) else { return false }
            every = whole
        case (.rad, "k"):
            guard let number = Double(value), (0...10).contains(number) else { return false }
            exponent = number
        case (.rad, "c"):
            guard let number = Double(value), (0...1e6).contains(number) else { return false }
            floor = number
        case (.rad, "candidates"):
            guard let whole = wholeNumber(value), (1...1000).contains(whole) else { return false }
            candidates = whole
        default: return false
        }
        return true
    }

    public var description: String {
        switch method {
        case .uniform: every == 0 ? "uniform" : "uniform:every=\(every)"
        case .rad: "rad:k=\(exponent),c=\(floor),every=\(every),candidates=\(candidates)"
        case .r3: "r3:every=\(every)"
        }
    }

    /// The iteration of the last drawing, this one's or an earlier one's. The first `every` iterations have none and are
    /// uniform: residuals of initial weights say nothing.
    public func lastResampling(at iteration: Int) -> Int? {
        every > 0 && iteration >= every ? iteration / every * every : nil
    }

    /// Points at which residuals are evaluated for one that is drawn.
    public var evaluated: Int {
        switch method {
        case .uniform: 0
        case .rad: candidates
        case .r3: 1
        }
    }
}
