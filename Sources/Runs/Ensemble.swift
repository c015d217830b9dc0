import Fields
import Foundation

/// A deep ensemble (Lakshminarayanan et al. 2017): the same configuration with neighbouring seeds, which decide the initial weights,
/// the order of the chunks and, with `Resampling.bootstrap`, what each observation counts.
///
/// Each member is a run like any other in a folder of its own (pinn-run/member-1, ...), so that it is stopped, resumed and
/// exported like one; the configuration of all of them stands beside these folders.
/// Whether a run takes the observations as they are, or weighs them anew by its seed (Bootstrap).
public enum Resampling: String, CaseIterable, Sendable {
    case none
    case bootstrap
}

extension TrainingConfiguration {
    static let ensembleSizes = 1...1000

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
    /// The folder of a member, counted from 1.
    public func member(_ number: Int) -> RunDirectory { RunDirectory("\(path)/member-\(number)") }

    /// The configuration of the ensemble that the folder holds; nil where it holds none.
    public func ensemblePlan() throws -> TrainingConfiguration? {
        guard let text = try? String(contentsOfFile: planPath, encoding: .utf8) else { return nil }
        guard let configuration = try? TrainingConfiguration(toml: text), (try? configuration.validate()) != nil else {
            // The configuration of a single run is kept in its checkpoints, and here for its user alone.
            guard checkpoints.isEmpty else { return nil }
            throw RunError.badPlan(path: planPath)
        }
        return configuration.ensemble > 1 ? configuration : nil
    }
}
