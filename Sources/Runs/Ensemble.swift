import Fields
import Foundation

/// A deep ensemble (Lakshminarayanan et al. 2017): the same plan with neighbouring seeds, which decide the initial weights,
/// the order of the chunks and, with `Resampling.bootstrap`, what each observation counts.
///
/// Each member is a run like any other in a folder of its own (pinn-run/member-1, ...), so that it is stopped, resumed and
/// exported like one; the plan of all of them stands beside these folders.
/// Whether a run takes the observations as they are, or weighs them anew by its seed (Bootstrap).
public enum Resampling: String, CaseIterable, Sendable {
    case none
    case bootstrap
}

extension Plan {
    static let ensembleSizes = 1...1000

    /// The plan of a member, counted from 1.
    public func member(_ number: Int) -> Plan {
        precondition((1...ensemble).contains(number))
        var plan = self
        plan.seed = seed &+ UInt64(number - 1)
        plan.ensemble = 1
        return plan
    }
}

extension RunDirectory {
    /// The folder of a member, counted from 1.
    public func member(_ number: Int) -> RunDirectory { RunDirectory("\(path)/member-\(number)") }

    /// The plan of the ensemble that the folder holds; nil where it holds none.
    public func ensemblePlan() throws -> Plan? {
        guard let text = try? String(contentsOfFile: planPath, encoding: .utf8) else { return nil }
        guard let plan = try? Plan(toml: text), (try? plan.validate()) != nil else {
            // The plan of a single run is kept in its checkpoints, and here for its user alone.
            guard checkpoints.isEmpty else { return nil }
            throw RunError.badPlan(path: planPath)
        }
        return plan.ensemble > 1 ? plan : nil
    }
}
