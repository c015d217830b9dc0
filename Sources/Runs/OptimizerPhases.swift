import Fields
import Optimizers

/// The optimizers of a run one after the other, as `--optimizer adam:5000,lbfgs:2000` names them. A phase begins at an
/// iteration that depends on the configuration alone; the last one continues for as long as the run does.
public struct OptimizerPhases: OptionValue, Equatable {
    public struct Phase: Sendable {
        public let method: any Optimizer.Type
        /// The iteration that it begins with.
        public let start: Int
        /// Its iterations, as asked for; nil where the last phase has no count.
        public let length: Int?

        public var name: String { method.name }
    }

    public static let expected =
        "one of \(OptimizerCatalog.all.map { $0.name }.joined(separator: ", ")), or several as NAME:ITERATIONS separated by commas (only the last may lack its iterations; at most 1e12 in all)"

    static let maxIterations = 1_000_000_000_000

    public let phases: [Phase]
    /// The sum of all counts; nil where the last phase has none.
    public let iterations: Int?

    /// One method for the whole run.
    public init(_ method: any Optimizer.Type) {
        phases = [Phase(method: method, start: 0, length: nil)]
        iterations = nil
    }

    public init?(parsing text: String) {
        var phases: [Phase] = []
        var start: Int? = 0
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let words = part.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            let count = words.count == 2 ? wholeNumber(words[1]) : nil
            guard let begin = start, begin <= OptimizerPhases.maxIterations,
                let method = OptimizerCatalog.optimizer(named: words[0]),
                words.count == 1 || count != nil
            else { return nil }
            phases.append(Phase(method: method, start: begin, length: count))
            start = count.map { begin + $0 }
        }
        guard start ?? 0 <= OptimizerPhases.maxIterations else { return nil }
        self.phases = phases
        iterations = start
    }

    /// The phase that makes the step of an iteration.
    public func phase(at iteration: Int) -> Phase {
        phases.last { $0.start <= iteration } ?? phases[0]
    }

    public var description: String {
        phases.map { phase in phase.name + (phase.length.map { ":\($0)" } ?? "") }.joined(separator: ",")
    }

    public static func == (one: OptimizerPhases, other: OptimizerPhases) -> Bool {
        one.description == other.description
    }
}
