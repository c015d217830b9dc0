import Compute
import Pointwise

extension PointProgram {
    /// The values of so many outputs of the networks.
    static func outputs(_ count: Int) -> PointProgram {
        PointProgram(Program.recording { tracer in (0..<count).map { tracer.input(.channel(output: $0, .value)) } })
    }
}
