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

    /// The common part; nil where there is none.
    public func intersection(_ other: Region) -> Region? {
        let both = Region(
            xMin: max(xMin, other.xMin), xMax: min(xMax, other.xMax), yMin: max(yMin, other.yMin),
            yMax: min(yMax, other.yMax))
        return both.xMin < both.xMax && both.yMin < both.yMax ? both : nil
    }

    /// The smallest rectangle that contains both.
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
        guard Region.fault(of: text) == nil else { return nil }
        let numbers = text.split(separator: ",").compactMap { Double(String($0).trimmingBlanks()) }
        self.init(xMin: numbers[0], xMax: numbers[1], yMin: numbers[2], yMax: numbers[3])
    }

    /// Why a text is not a region; nil where it is one.
    public static func fault(of text: String) -> String? {
        let words = text.split(separator: ",", omittingEmptySubsequences: false).map { String($0).trimmingBlanks() }
        guard words.count == 4 else { return "it has \(words.count) parts, expected xmin,xmax,ymin,ymax" }
        if let word = words.first(where: { Double($0)?.isFinite != true }) { return "\(quoted(word)) is not a number" }
        let numbers = words.compactMap(Double.init)
        guard numbers[0] < numbers[1] else { return "xmin \(words[0]) is not below xmax \(words[1])" }
        guard numbers[2] < numbers[3] else { return "ymin \(words[2]) is not below ymax \(words[3])" }
        return nil
    }
}
