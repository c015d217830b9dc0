import Optimizers

/// The optimizers of a run one after the other, as `--optimizer adam:5000,lbfgs:2000` names them. A phase begins at an
/// iteration that depends on the configuration alone; the last one goes on for as long as the run does.
public struct OptimizerPhases: Sendable, Equatable {
    public struct Phase: Sendable, Equatable {
        public let optimizer: String
        /// The iteration that it begins with.
        public let start: Int
        /// Its iterations, as asked for; nil where the last phase has no count.
        public let length: Int?
    }

    public let phases: [Phase]
    /// The sum of all counts; nil where the last phase has none.
    public let iterations: Int?

    public init(parsing text: String) throws {
        var phases: [Phase] = []
        var start: Int? = 0
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let words = part.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard OptimizerCatalog.optimizer(named: words[0]) != nil else {
                throw OptionError.unknownName("optimizer", words[0], known: OptimizerCatalog.all.map { $0.name })
            }
            let count = words.count == 2 ? Int(words[1]) : nil
            guard let begin = start, words.count == 1 || (words.count == 2 && count.map { $0 > 0 } == true) else {
                throw OptionError.badValue(
                    "optimizer", text,
                    expected: "a name, or NAME:ITERATIONS behind commas (only the last may lack its iterations)")
            }
            phases.append(Phase(optimizer: words[0], start: begin, length: count))
            start = count.map { begin + $0 }
        }
        self.phases = phases
        iterations = start
    }

    /// The phase that makes the step of an iteration.
    public func phase(at iteration: Int) -> Phase {
        phases.last { $0.start <= iteration } ?? phases[0]
    }
}
