import Fields
import PointStore
import Runs

/// What a user should know before hours are spent.
extension TrainingContext {
    public var notes: [String] { densityNotes + (flowNote.map { [$0] } ?? []) }

    /// A flow line is along the x axis: where ice flows across it as well, the equation is not that of the ice.
    private var flowNote: String? {
        let reach = { (column: Column) in
            store.description.normalizations[column].map { abs($0.offset) + $0.scale } ?? 0
        }
        guard isAlongX, reach(.v) > 0.2 * reach(.u) else { return nil }
        return
            "--physics \(configuration.model) is one-dimensional, along the x axis; in \(configuration.store) the velocity across it is \(Int((100 * reach(.v) / reach(.u)).rounded())) % of that along it"
    }

    /// The densities in which the product and the run differ, for the user to know: they move the viscosity.
    private var densityNotes: [String] {
        let stated = [
            ("ice", store.description.productIceDensity, configuration.constants.iceDensity, "--ice-density"),
            (
                "sea water", store.description.productSeaWaterDensity, configuration.constants.seaWaterDensity,
                "--sea-water-density"
            ),
        ]
        return stated.compactMap { name, product, run, option in
            guard let product, product != run else { return nil }
            return
                "the thickness product states \(product) kg m-3 for \(name), this run computes with \(run) (\(option))"
        }
    }
}
