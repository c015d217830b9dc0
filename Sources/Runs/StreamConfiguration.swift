import Fields
import PointStore

/// How many points of each set an iteration takes, as `--stream chunk=65536,data=16384,front=4096` says it.
public struct StreamConfiguration: OptionValue, Equatable {
    /// Collocation points.
    public var chunk = 1024
    /// Observations, of velocity and of thickness each.
    public var data = 0
    /// Points of the calving front.
    public var front = 0
    /// Collocation points of a fixed batch, for methods that compare losses of different iterations.
    public var sample = 0

    /// What is left out follows the chunk: observations cost a sixth of a collocation point (one channel, not six), so
    /// half as many of each add a sixth to the work; the front is short.
    public init(chunk: Int = 1024, data: Int? = nil, front: Int? = nil, sample: Int? = nil) {
        self.chunk = chunk
        self.data = data ?? max(1, chunk / 2)
        self.front = front ?? max(1, chunk / 8)
        // As many as DIFFICE_jax gives its L-BFGS.
        self.sample = sample ?? max(chunk, 16384)
    }

    public static let expected =
        "chunk=POINTS, optionally with data=POINTS, front=POINTS and sample=POINTS, separated by commas, each from 1 to 1e8"

    public init?(parsing text: String) {
        var given: [Substring: Int] = [:]
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let pair = part.split(separator: "=", omittingEmptySubsequences: false)
            guard pair.count == 2, ["chunk", "data", "front", "sample"].contains(pair[0]), given[pair[0]] == nil,
                let value = wholeNumber(pair[1]), (1...100_000_000).contains(value)
            else { return nil }
            given[pair[0]] = value
        }
        guard let chunk = given["chunk"] else { return nil }
        self.init(chunk: chunk, data: given["data"], front: given["front"], sample: given["sample"])
    }

    public var description: String { "chunk=\(chunk),data=\(data),front=\(front),sample=\(sample)" }

    /// Chunks of a fixed batch.
    public var sampleChunks: Int { max(1, (sample + chunk - 1) / chunk) }

    public var sizes: [PointSet: Int] {
        [.collocation: chunk, .velocity: data, .thickness: data, .surface: data, .front: front]
    }
}
