import Fields
import NetCDFFiles
import Foundation

/// Whether a run takes the observations as they are, or gives each a random weight that follows its seed (Bootstrap).
public enum Resampling: String, CaseIterable, Sendable {
    case none
    case bootstrap
}

/// A deep ensemble (Lakshminarayanan et al. 2017): the same configuration with consecutive seeds, which decide the initial
/// weights, the order of the chunks and, with `Resampling.bootstrap`, the weight of each observation.
///
/// Each member is a run like any other in a folder of its own (pinn-run/member-1, ...), so that it is stopped, resumed and
/// exported like one; the plan of the whole ensemble lies next to these folders.
extension TrainingConfiguration {
    /// The configuration of a member, counted from 1.
    public func member(_ number: Int) -> TrainingConfiguration {
        precondition((1...ensemble).contains(number))
        var configuration = self
        configuration.seed = seed &+ UInt64(number - 1)
        configuration.ensemble = 1
        return configuration
    }
}

extension RunDirectory {
    /// The configuration of the ensemble that the folder holds; nil where it holds none.
    public func ensemblePlan() throws -> TrainingConfiguration? {
        // The configuration of a single run is kept in its checkpoints; the file is for its user alone.
        guard checkpoints.isEmpty, isPresent(planPath) else { return nil }
        guard let text = planText else {
            throw errno == EIO
                ? NetCDFError.diskFailed(path: planPath, what: "the plan") : RunError.badPlan(path: planPath)
        }
        guard let configuration = try? TrainingConfiguration(toml: text) else { throw RunError.badPlan(path: planPath) }
        if let mark = try mark, !mark.owns(planMark?.id) { throw RunError.notOfThisRun(path: planPath) }
        return configuration.ensemble > 1 ? configuration : nil
    }

    /// Whose the plan is.
    var planMark: RunMark? {
        guard let heading = planText?.prefix(while: { $0 != "\n" }), heading.hasPrefix("# ") else { return nil }
        return RunMark(line: heading.dropFirst(2).prefix { $0 != ":" })
    }

    /// A function of its own, not inlined: Swift 6.3.1 ends a throwing function that returns a large nil by a tail call of
    /// memset, and leaves an error that was caught before it in the register of thrown ones.
    @inline(never) var planText: String? {
        firstBytes(of: planPath, maxPlanBytes).flatMap { String(validating: $0, as: UTF8.self) }
    }
}

/// As of any configuration: a file given by mistake is not read to its end.
let maxPlanBytes = 1 << 22
