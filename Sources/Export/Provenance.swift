import Fields
import Foundation
import NetCDFFiles
import Runs

extension Prediction {
    static let format = "IceShelfPINN prediction 1"

    /// Writes the origin of a prediction as global attributes: everything that is needed to reproduce it.
    ///
    /// - Parameter command: the command line that writes the file.
    func writeProvenance(to file: NetCDFFile, command: String) throws {
        let configuration = checkpoint.configuration
        let subdomains = configuration.network.subdomains.count
        let shape =
            configuration.network.shapes.description
            + (subdomains == 1 ? "" : " in each of \(subdomains) subdomains")
        let networks = memberCount > 1 ? "the mean of \(memberCount) networks (\(shape)), each" : "a \(shape) network"
        func text(_ name: String, _ value: String) throws { try file.setAttribute(name, .text(value)) }
        func number(_ name: String, _ value: Double) throws { try file.setAttribute(name, .numbers([value])) }
        try text("Conventions", "CF-1.8")
        try text("format", Prediction.format)
        try text(
            "title", "Properties of glacier ice, inferred from velocity and thickness by a physics-informed network")
        try text("institution", "not stated")
        try text(
            "source",
            "\(Version.text), \(networks) trained for \(checkpoint.iteration) iterations with the \(configuration.model.name) equations"
        )
        try text("history", "\(Date.now.formatted(.iso8601)): \(command)")
        try text("references", "MacAyeal 1989, doi:10.1029/JB094iB04p04071; Wang et al. 2025, Science 387, 1219-1224")
        try text(
            "comment",
            "Only \(store.description.ice.adjective) ice. Positive fields are exponentials of network outputs; derivatives are the network's own. "
                + "One year is \(Int(Constants.secondsPerYear)) s.")
        try number("gravity_m_s2", configuration.constants.gravity)
        try number("ice_density_kg_m3", configuration.constants.iceDensity)
        try number("sea_water_density_kg_m3", configuration.constants.seaWaterDensity)
        try number("hardness_Pa_s_1_3", configuration.constants.hardness)
        try number("sliding_exponent", configuration.constants.slidingExponent)
        try number("seconds_per_year", Constants.secondsPerYear)
        try text("seed", String(configuration.seed))
        try number("ensemble_members", Double(memberCount))
        try text("store_fingerprint", checkpoint.storeFingerprint)
        try number("iterations", Double(checkpoint.iteration))
        try number("training_s", checkpoint.trainedSeconds)
        if let loss = checkpoint.history.totals.last { try number("loss", loss) }
        try text("backend", checkpoint.backend)
        try text("plan", configuration.toml)
        for (name, value) in store.description.provenance { try text("source_\(name)", value) }
    }
}
