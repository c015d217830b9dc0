import Compute
import ComputeCPU
import Covariance
import Fields
import Foundation
import Networks
import Objective
import Optimizers
import PointStore
import Runs
import TestSupport
import Testing

/// A checkpoint of small networks on the exact shelf's store.
struct SmallRun {
    let folder: TemporaryFolder
    let store: StoreReader
    let checkpoint: Checkpoint
    let objective: Objective

    init(optimizer: String = "adam") throws {
        folder = try TemporaryFolder()
        try ExactShelf.writeStore(to: folder.file("store.nc"), collocation: 1200, observations: 1500)
        store = try StoreReader(path: folder.file("store.nc"))
        var configuration = TrainingConfiguration()
        try configuration.set("network", to: "2x6+1x5")
        try configuration.set("noise-correlation", to: "0")
        try configuration.set("optimizer", to: optimizer)
        try configuration.set("stream", to: "chunk=600,data=600,front=200,sample=1200")
        objective = configuration.objective(for: store.description)
        checkpoint = Checkpoint(
            configuration: configuration, iteration: 5,
            parameters: configuration.networks.initialParameters(seed: 9), optimizer: StoredArrays(),
            history: History(termNames: ["velocity"]), storeFingerprint: store.fingerprint, backend: "test",
            trainedSeconds: 1)
    }

    func covariance(_ backend: (ResidualProblem) -> any Backend) throws -> WeightCovariance {
        try WeightCovariance(
            of: checkpoint, objective, store: store, backend: backend(objective.residualProblem), report: { _ in })
    }
}

@Suite("The covariance of a run's weights")
struct WeightCovarianceTests {
    /// Σ = A⁻¹ (β Σ ρ JᵀJ + α) A⁻¹ from the reference's rows, entry by entry.
    @Test("has the deviations of fields that exact solves give")
    func exactSolves() throws {
        let run = try SmallRun()
        let found = try run.covariance { CPUBackend($0, threads: 2) }
        let reference = ReferenceBackend(run.objective.residualProblem)
        let loss = try LinearizedLoss(
            run.objective, reference, parameters: run.checkpoint.parameters,
            sample: PointSample(run.store, sets: run.objective.sets), balance: nil, check: {})
        let batch = TrainingBatch(of: run.checkpoint, run.store, run.objective)
        let scatter = try RowScatter(loss, batch, .length(0))
        let order = run.checkpoint.parameters.count
        let evidence = found.evidence
        // The scatter is that of β before its weights are counted.
        let firstBeta = scatter.observed.count / scatter.observed.loss
        var (normal, scores) = (NormalMatrix(order: order), NormalMatrix(order: order))
        try loss.forEachPiece(report: { _ in }) { program, jacobian in
            let rows = try jacobian.rows()
            let deviations = scatter.deviations(of: program, jacobian, beta: firstBeta)
            normal.add(rows: rows)
            scores.add(rows: rows.enumerated().map { $1 * deviations[$0 / order] })
        }
        var precision = PosteriorPrecision(normal, threads: 1)
        try precision.factorize(evidence) {}
        let fields = FieldDeviations(
            CPUBackend(fieldProblem(run), threads: 1), parameters: run.checkpoint.parameters, found)
        let points = PointBatch(columns: [[-0.8, -0.3, 0.1, 0.6, 0.9], [0.5, -0.7, 0, 0.2, -0.1]])
        let deviations = try fields.values(at: points)
        let gradients = ReferenceBackend(fieldProblem(run)).jacobian(
            parameters: run.checkpoint.parameters.map(Double.init), batches: [points],
            coefficients: [[1, 1, 1, 1]]
        ).rows
        for (row, gradient) in gradients.enumerated() {
            var x = gradient
            precision.solve(&x, columns: 1)
            var variance = 0.0
            for i in 0..<order {
                variance += evidence.alphas[i] * x[i] * x[i]
                for j in 0...i {
                    variance += (i == j ? 1 : 2) * evidence.beta * x[i] * x[j] * scores.elements[i * order + j]
                }
            }
            let step = dot(gradient, found.step.map(Double.init))
            let exact = (variance + step * step).squareRoot()
            let sampled = Double(deviations.posterior[row % 4][row / 4])
            // From 128 draws: 6 %.
            #expect(abs(sampled / exact - 1) < 0.25, "\(row): \(sampled), \(exact)")
            let prior = zip(gradient, evidence.alphas).reduce(0) { $0 + $1.0 * $1.0 / $1.1 }.squareRoot()
            #expect(abs(Double(deviations.prior[row % 4][row / 4]) / prior - 1) < 0.5)
        }
    }

    @Test("takes observed rows to scatter as their mean does, and each row of equations by itself")
    func scatter() throws {
        let run = try SmallRun()
        let loss = try LinearizedLoss(
            run.objective, ReferenceBackend(run.objective.residualProblem), parameters: run.checkpoint.parameters,
            sample: PointSample(run.store, sets: run.objective.sets), balance: nil, check: {})
        let batch = TrainingBatch(of: run.checkpoint, run.store, run.objective)
        let scatter = try RowScatter(loss, batch, .length(0))
        var (found, squares) = ([PointSet: Double](), [PointSet: Double]())
        try loss.forEachPiece(report: { _ in }) { program, jacobian in
            let set = run.objective.sets[program]
            let deviations = scatter.deviations(of: program, jacobian, beta: 4)
            found[set, default: 0] += deviations.reduce(0) { $0 + $1 * $1 }
            squares[set, default: 0] += jacobian.residuals.reduce(0) { $0 + Double($1) * Double($1) }
            if set == .collocation {
                #expect(Set(deviations).count > deviations.count / 2)
                let ratios = zip(deviations, jacobian.residuals).map { $0 / Double(abs($1)) }
                #expect(ratios.allSatisfy { abs($0 / ratios[0] - 1) < 1e-6 })
            } else if set == .thickness {
                #expect(Set(deviations).count == 1)
            }
        }
        // All scatter as much as they do in the sample, which stands for the batch's points.
        for (set, sum) in found {
            let (sampled, all) = (min(run.store.count(set), 8192), batch.count(set))
            #expect(abs(sum / (4 * squares[set]! * Double(sampled) / Double(all)) - 1) < 1e-3, "\(set)")
        }
    }

    /// The networks' outputs themselves.
    private func fieldProblem(_ run: SmallRun) -> ResidualProblem {
        let problem = run.objective.residualProblem
        return ResidualProblem(
            networks: problem.networks, inputSlopes: problem.inputSlopes, programs: [.outputs(4)])
    }

    @Test("adds what is left to the loss's minimum, but not for a method that does not go there")
    func leftStep() throws {
        for (optimizer, isLeft) in [("adam", true), ("ssbroyden", true), ("lm", false), ("lm:2,ssbroyden", true)] {
            let run = try SmallRun(optimizer: optimizer)
            let found = try run.covariance { CPUBackend($0, threads: 2) }
            #expect(found.step.contains { $0 != 0 } == isLeft, "\(optimizer)")
        }
    }

    @Test("has the same bits for any number of threads")
    func threads() throws {
        let run = try SmallRun()
        let found = try [1, 3].map { threads in try run.covariance { CPUBackend($0, threads: threads) } }
        #expect(found[0].draws == found[1].draws && found[0].step == found[1].step)
        #expect(found[0].eigenvalues == found[1].eigenvalues && found[0].determinedCount == found[1].determinedCount)
    }

    @Test("knows no more combinations than there are, and counts them by its eigenvalues")
    func eigenvalues() throws {
        let run = try SmallRun()
        let found = try run.covariance { CPUBackend($0, threads: 2) }
        let count = run.checkpoint.parameters.count
        #expect(found.eigenvalues.count <= count && found.eigenvalues == found.eigenvalues.sorted(by: >))
        let determined = found.eigenvalues.reduce(0) { $0 + max($1, 0) / (1 + max($1, 0)) }
        #expect(determined <= Double(count) && abs(determined / found.determinedCount - 1) < 0.15)
    }

    @Test("stops where it is asked to")
    func stops() throws {
        let run = try SmallRun()
        struct Stop: Error {}
        for limit in [0, 0.5, 0.8, 0.95] {
            #expect(throws: Stop.self) {
                _ = try WeightCovariance(
                    of: run.checkpoint, run.objective, store: run.store,
                    backend: CPUBackend(run.objective.residualProblem, threads: 2)
                ) { if $0 >= limit { throw Stop() } }
            }
        }
    }
}
