import Fields

/// The state of an optimizer. It knows its own size, so that the memory and the disk that are planned for it, and the
/// checkpoint that holds it, follow from one type.
public protocol OptimizerState: Sendable, Equatable {
    /// Its size at the largest, after however many steps.
    static func maxSize(parameterCount: Int, options: OptimizerOptions) -> StateSize

    /// Its arrays and counts by name, as a checkpoint holds them; arrays are shared, not copied, where their layout allows.
    var stored: StoredArrays { get }

    /// Takes on a stored state of the same parameters, or throws `StateMismatch` and stays as it is.
    mutating func restore(_ stored: StoredArrays) throws
}

extension OptimizerState {
    /// Bytes of the arrays that it holds now.
    public var byteCount: Int { stored.byteCount }
}

/// How large a state becomes: in memory, and with a variable for each array in a checkpoint.
public struct StateSize: Sendable, Equatable {
    public let bytes: Int
    public let arrays: Int

    public init(bytes: Int, arrays: Int) {
        (self.bytes, self.arrays) = (bytes, arrays)
    }
}

/// An optimizer's state in the form of a checkpoint: arrays of floats and of doubles, and counts.
public struct StoredArrays: Sendable, Equatable {
    public var vectors: [String: [Float]]
    public var counts: [String: Int]
    public var doubles: [String: [Double]]

    public init(vectors: [String: [Float]] = [:], counts: [String: Int] = [:], doubles: [String: [Double]] = [:]) {
        self.vectors = vectors
        self.counts = counts
        self.doubles = doubles
    }

    /// Bytes of the arrays; counts are attributes of a file.
    public var byteCount: Int {
        vectors.values.reduce(0) { $0 + 4 * $1.count } + doubles.values.reduce(0) { $0 + 8 * $1.count }
    }

    public var arrayCount: Int { vectors.count + doubles.count }

    func vector(_ name: String, length: Int) throws(StateMismatch) -> [Float] {
        try StateMismatch.require(vectors[name], name, length: length)
    }

    func doubles(_ name: String, length: Int) throws(StateMismatch) -> [Double] {
        try StateMismatch.require(doubles[name], name, length: length)
    }

    func count(_ name: String) throws(StateMismatch) -> Int {
        guard let count = counts[name], count >= 0 else { throw StateMismatch(name: name, found: nil, expected: 1) }
        return count
    }
}

/// A stored state that is not one of the method and the number of parameters that it is read for.
public struct StateMismatch: Failure {
    let name: String
    /// Elements of that name; nil where there are none.
    let found: Int?
    let expected: Int

    static func require<Number>(_ array: [Number]?, _ name: String, length: Int) throws(StateMismatch) -> [Number] {
        guard let array, array.count == length else {
            throw StateMismatch(name: name, found: array?.count, expected: length)
        }
        return array
    }

    public var kind: FailureKind { .badData }
    public var explanation: String {
        "the checkpoint's optimizer state does not fit this run: \(quoted(name)) "
            + (found.map { "has \($0) elements, expected \(expected)" } ?? "is missing")
            + "; start another run with --run DIR"
    }
}
