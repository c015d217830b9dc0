/// Decomposition of the square −1 … 1, to which a store scales the box around its data, into overlapping subdomains with
/// separate networks (FBPINNs: Moseley, Markham & Nissen-Meyer 2023, doi:10.1007/s10444-023-10065-9).
///
/// A field is Σ w_k N_k: windows w_k ≥ 0 that vanish beyond their subdomain, sum to one, and are continuous to the second
/// derivative, as the equations need. Interface terms (XPINNs: Jagtap & Karniadakis 2020) would have to be weighed against
/// the others, and leave seams where they are not zero.
///
/// Across a border one window rises by the polynomial by which its neighbour falls, so the windows sum to one without
/// a division. Points covered by the same subdomains form a *zone*; away from borders that is a single subdomain.
public struct Decomposition: Sendable, Equatable {
    /// Subdomains along y and along x.
    public let rows: Int
    public let columns: Int

    /// Width of the overlap relative to the subdomain's. Steep windows have large second derivatives, which turn any
    /// disagreement of neighbours into a large residual and make the loss hard to minimise: on a shelf with a 3 km shear
    /// margin and 2x2 subdomains, overlaps of 0.25, 0.5, 0.75 and 1 left viscosity errors of 28, 20, 16 and 17 % at equal cost;
    /// a single network left 21 %.
    static let overlap = 0.75

    public init(rows: Int, columns: Int) {
        precondition(rows > 0 && columns > 0)
        self.rows = rows
        self.columns = columns
    }

    /// One network for the whole square.
    public static let whole = Decomposition(rows: 1, columns: 1)

    public var count: Int { rows * columns }
    private var alongX: Division { Division(columns) }
    private var alongY: Division { Division(rows) }

    public var zoneCount: Int { alongX.zoneCount * alongY.zoneCount }
    /// Largest number of subdomains that cover a point: 1, 2 or 4.
    public var maxOverlap: Int { min(rows, 2) * min(columns, 2) }

    /// Average number of subdomains that cover a point of the square.
    public var meanOverlap: Double { alongX.meanOverlap * alongY.meanOverlap }

    public func zone(x: Double, y: Double) -> Int {
        alongY.zone(y) * alongX.zoneCount + alongX.zone(x)
    }

    /// The subdomains that cover a zone, row-major.
    public func subdomains(covering zone: Int) -> [Int] {
        let (y, x) = zone.quotientAndRemainder(dividingBy: alongX.zoneCount)
        return alongY.parts(covering: y).flatMap { row in
            alongX.parts(covering: x).map { row * columns + $0 }
        }
    }

    /// d(coordinate of a subdomain's network)/d(coordinate of the square); all subdomains have the same size.
    public var slopes: (x: Double, y: Double) { (1 / alongX.reach, 1 / alongY.reach) }

    /// Centre of a subdomain: the origin of its network's coordinates, which are −1 … 1 over the window's support.
    public func center(of subdomain: Int) -> (x: Double, y: Double) {
        let (row, column) = subdomain.quotientAndRemainder(dividingBy: columns)
        return (alongX.center(of: column), alongY.center(of: row))
    }

    /// The channels of a subdomain's window at a point of a zone that it covers: value, x, y, xx, xy, yy (and two zeros).
    public func window(_ subdomain: Int, zone: Int, x: Double, y: Double) -> SIMD8<Double> {
        let (row, column) = subdomain.quotientAndRemainder(dividingBy: columns)
        let (zoneY, zoneX) = zone.quotientAndRemainder(dividingBy: alongX.zoneCount)
        let a = alongX.window(of: column, zone: zoneX, x)
        let b = alongY.window(of: row, zone: zoneY, y)
        return SIMD8(
            a.value * b.value, a.first * b.value, a.value * b.first, a.second * b.value, a.first * b.first,
            a.value * b.second, 0, 0)
    }

    /// A window along one axis of an overlap: t³ (10 − 15 t + 6 t²) with t = (x − border) / overlap + ½, or one minus it.
    public struct Ramp: Sendable, Equatable {
        public let rises: Bool
        public let border: Double
        public let overlap: Double
    }

    /// The factors of `window` along x and y, for devices that compute it themselves; nil: constant 1.
    public func ramps(_ subdomain: Int, zone: Int) -> (x: Ramp?, y: Ramp?) {
        let (row, column) = subdomain.quotientAndRemainder(dividingBy: columns)
        let (zoneY, zoneX) = zone.quotientAndRemainder(dividingBy: alongX.zoneCount)
        return (alongX.ramp(of: column, zone: zoneX), alongY.ramp(of: row, zone: zoneY))
    }
}

/// The interval −1 … 1 in equal parts. Zone 2 i is what part i covers alone, zone 2 i + 1 the overlap of parts i and i + 1.
private struct Division {
    let parts: Int

    init(_ parts: Int) { self.parts = parts }

    var zoneCount: Int { 2 * parts - 1 }
    private var width: Double { 2 / Double(parts) }
    private var overlap: Double { Decomposition.overlap * width }
    /// Distance from a part's centre to the end of its window.
    var reach: Double { parts == 1 ? 1 : (width + overlap) / 2 }

    var meanOverlap: Double { 1 + Double(parts - 1) * overlap / 2 }

    func center(of part: Int) -> Double { (Double(part) + 0.5) * width - 1 }
    private func border(after part: Int) -> Double { Double(part + 1) * width - 1 }

    /// Points outside the interval belong to the nearest part.
    func zone(_ x: Double) -> Int {
        guard parts > 1, x > border(after: 0) - overlap / 2 else { return 0 }
        guard x < border(after: parts - 2) + overlap / 2 else { return zoneCount - 1 }
        let part = min(parts - 1, Int((x + 1) / width))
        if part < parts - 1, x > border(after: part) - overlap / 2 { return 2 * part + 1 }
        return part > 0 && x < border(after: part - 1) + overlap / 2 ? 2 * part - 1 : 2 * part
    }

    func parts(covering zone: Int) -> [Int] { zone % 2 == 0 ? [zone / 2] : [zone / 2, zone / 2 + 1] }

    func ramp(of part: Int, zone: Int) -> Decomposition.Ramp? {
        zone % 2 == 0
            ? nil
            : Decomposition.Ramp(rises: part != zone / 2, border: border(after: zone / 2), overlap: overlap)
    }

    /// A window with its derivatives: 1, or across a border s = t³ (10 − 15 t + 6 t²) or 1 − s, the polynomial of lowest degree
    /// whose first two derivatives vanish at both ends.
    func window(of part: Int, zone: Int, _ x: Double) -> (value: Double, first: Double, second: Double) {
        guard zone % 2 == 1 else { return (1, 0, 0) }
        let t = (x - border(after: zone / 2)) / overlap + 0.5
        let s = t * t * t * (10 - 15 * t + 6 * t * t)
        let first = 30 * t * t * (1 - t) * (1 - t) / overlap
        let second = 60 * t * (1 - t) * (1 - 2 * t) / (overlap * overlap)
        return part == zone / 2 ? (1 - s, -first, -second) : (s, first, second)
    }
}

/// One term of a channel of a product f g: `factor` times a channel of f times a channel of g.
public struct ProductRule: Sendable {
    public let product: Int
    public let f: Int
    public let g: Int
    public let factor: Double

    /// All terms of Leibniz's rule for value, x, y, xx, xy and yy.
    public static let terms: [ProductRule] = [
        (0, 0, 0, 1),
        (1, 1, 0, 1), (1, 0, 1, 1),
        (2, 2, 0, 1), (2, 0, 2, 1),
        (3, 3, 0, 1), (3, 1, 1, 2), (3, 0, 3, 1),
        (4, 4, 0, 1), (4, 1, 2, 1), (4, 2, 1, 1), (4, 0, 4, 1),
        (5, 5, 0, 1), (5, 2, 2, 2), (5, 0, 5, 1),
    ].map { ProductRule(product: $0.0, f: $0.1, g: $0.2, factor: $0.3) }
}
