/// A rectangle in projection coordinates [m], borders included.
public struct Region: Sendable, Equatable {
    public var xMin, xMax, yMin, yMax: Double

    public init(xMin: Double, xMax: Double, yMin: Double, yMax: Double) {
        self.xMin = xMin
        self.xMax = xMax
        self.yMin = yMin
        self.yMax = yMax
    }

    public static let everywhere = Region(
        xMin: -.infinity, xMax: .infinity, yMin: -.infinity, yMax: .infinity)

    public func contains(x: Double, y: Double) -> Bool {
        x >= xMin && x <= xMax && y >= yMin && y <= yMax
    }

    /// What lies in both; nil where nothing does.
    public func intersection(_ other: Region) -> Region? {
        let both = Region(
            xMin: max(xMin, other.xMin), xMax: min(xMax, other.xMax), yMin: max(yMin, other.yMin),
            yMax: min(yMax, other.yMax))
        return both.xMin < both.xMax && both.yMin < both.yMax ? both : nil
    }

    /// The smallest that holds both.
    public func union(_ other: Region) -> Region {
        Region(
            xMin: min(xMin, other.xMin), xMax: max(xMax, other.xMax), yMin: min(yMin, other.yMin),
            yMax: max(yMax, other.yMax))
    }

    /// Wider by a distance [m] on all sides.
    public func widened(by margin: Double) -> Region {
        Region(xMin: xMin - margin, xMax: xMax + margin, yMin: yMin - margin, yMax: yMax + margin)
    }

    /// Reads "xmin,xmax,ymin,ymax"; nil where that is not four finite numbers in order.
    public init?(_ text: String) {
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map {
            Double(String($0).trimmingBlanks())
        }
        guard numbers.count == 4, let x0 = numbers[0], let x1 = numbers[1], let y0 = numbers[2], let y1 = numbers[3],
            x0.isFinite, x1.isFinite, y0.isFinite, y1.isFinite, x0 < x1, y0 < y1
        else { return nil }
        self.init(xMin: x0, xMax: x1, yMin: y0, yMax: y1)
    }
}
