import CommandSupport
import Fields
import Objective
import Planning
import Runs
import Training

/// The plan of a run as it is shown before the work: what is computed, with what, and what it takes.
struct PrintedPlan {
    private let whole: TrainingConfiguration
    private let context: TrainingContext
    private let preflight: PreflightCheck?
    private let saved: (iteration: Int, backend: String)?

    /// - Parameters:
    ///   - whole: the configuration of the ensemble, or of the single run.
    ///   - saved: iteration and backend of the checkpoint that is resumed, which is not kept for this.
    init(
        of whole: TrainingConfiguration, _ context: TrainingContext, _ preflight: PreflightCheck?,
        resuming saved: (iteration: Int, backend: String)?
    ) {
        self.whole = whole
        self.context = context
        self.preflight = preflight
        self.saved = saved
    }

    func show() {
        let networks = context.objective.residualProblem.networks
        let points = context.objective.sets.map {
            "\(context.stream.size($0)) of \(context.store.count($0)) \($0.rawValue)"
        }
        show(
            "store",
            "\(whole.store), \(context.store.accessDescription); an epoch is \(context.stream.iterationsPerEpoch) iterations"
        )
        show("points", "\(points.joined(separator: ", ")) in each iteration")
        if context.stream.size(.collocation) < whole.stream.chunk {
            printMessage(
                "warning: the store holds \(context.store.count(.collocation)) collocation points, fewer than the chunk of \(whole.stream.chunk); every iteration takes all of them (pinn-ingest --points makes more)"
            )
        }
        show("network", "\(networks.description), \(networks.parameterCount) weights")
        show("options", options)
        for note in context.notes { printMessage("warning: \(note)") }
        show("backend", "\(context.backend.summary); \(context.backend.parallelism)")
        if let preflight { showNeeds(preflight) }
        if let saved { showResumption(of: saved) }
    }

    /// Every option but the store, in the order of the table.
    private var options: String {
        ConfigurationOption.all.filter { $0.name != "store" }.map { "\($0.name) \($0.text(whole))" }
            .joined(separator: "; ")
    }

    private func showNeeds(_ preflight: PreflightCheck) {
        let memory = preflight.memory
        if let text = memory.fixedBatchText { show("fixed batch", text) }
        show(
            "memory",
            "at most \(NumberText.bytes(memory.peak)) (\(memory.breakdown)); \(memory.verdict(under: preflight.limits))"
        )
        let free = preflight.free.map { ", \(NumberText.bytes($0)) free" } ?? ""
        show("disk", "\(NumberText.bytes(preflight.disk.run)) for checkpoints\(free)")
        let visits = Double(whole.ensemble * whole.iterations) * Double(context.stream.size(.collocation))
        let perPoint = visits / Double(max(context.store.count(.collocation), 1))
        let members = whole.ensemble > 1 ? "\(whole.ensemble) members of " : ""
        show(
            "work",
            "\(members)\(whole.iterations) iterations visit \(NumberText.plain(visits)) collocation points; every point is visited \(NumberText.plain(perPoint)) times"
        )
    }

    private func showResumption(of saved: (iteration: Int, backend: String)) {
        if saved.iteration < whole.iterations {
            show("resuming", "at iteration \(saved.iteration)")
        } else {
            show(
                "complete",
                "all \(whole.iterations) iterations are made; --iterations with a larger total continues")
        }
        if saved.backend != context.backend.summary {
            printMessage(
                "warning: the run was made with \(quoted(saved.backend)); it continues, but may differ in the last bits"
            )
        }
    }

    /// A line, or several where it is long, with its title at the left.
    private func show(_ title: String, _ text: String) {
        for (number, line) in wrapped(text, width: 110).enumerated() {
            let heading = number == 0 ? title : ""
            printMessage(heading + String(repeating: " ", count: max(1, 11 - heading.count)) + line)
        }
    }
}
