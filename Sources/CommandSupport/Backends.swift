import Compute
import ComputeCPU
import Fields

/// The devices that a user can name: a new one is a target beside ComputeCPU, and one line here.
public enum Backends {
    private static let makers: [(name: String, make: @Sendable (Workload, Int?) throws -> any Backend)] = [
        ("cpu", { CPUBackend($0, threads: $1) })
    ]

    public static var names: [String] { ["auto"] + makers.map(\.name) }

    /// "auto" is the first device of the list that this machine has.
    public static func make(_ name: String, _ workload: Workload, threads: Int?) throws -> any Backend {
        guard let maker = makers.first(where: { name == "auto" || $0.name == name }) else {
            throw UnknownBackend(name: name)
        }
        return try maker.make(workload, threads)
    }

    private struct UnknownBackend: Failure {
        let name: String
        var kind: FailureKind { .usage }
        var explanation: String { "--backend: no \(quoted(name)); known: \(Backends.names.joined(separator: ", "))" }
    }
}
