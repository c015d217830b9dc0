import Fields
import Foundation
import NetCDFFiles
import Runs

/// The origin of a prediction as global attributes: everything that is needed to reproduce it.
public struct Provenance: Sendable {
    static let format = "IceShelfPINN prediction 1"

    /// The command line that wrote the file.
    public let command: String
    public let date: Date

    public init(command: String, date: Date = Date()) {
        self.command = command
        self.date = date
    }

    func write(to file: NetCDFFile, _ prediction: Prediction) throws {
        let checkpoint = prediction.checkpoint
        let configuration = checkpoint.configuration
        let sources = prediction.store.description.provenance
        let count = prediction.memberCount
        let shape =
            configuration.network.shapes.description
            + (configuration.network.subdomains.count == 1
                ? "" : " in each of \(configuration.network.subdomains) subdomains")
        let networks = count > 1 ? "the mean of \(count) networks (\(shape)), each" : "a \(shape) network"
        func text(_ name: String, _ value: String) throws { try file.setAttribute(name, .text(value)) }
        func number(_ name: String, _ value: Double) throws { try file.setAttribute(name, .numbers([value])) }
        try text("Conventions", "CF-1.8")
        try text("format", Provenance.format)
        try text(
            "title", "Properties of glacier ice, inferred from velocity and thickness by a physics-informed network")
        try text("institution", "not stated")
        try text(
            "source",
            "\(Version.text), \(networks) trained for \(checkpoint.iteration) iterations with the \(configuration.model.name) equations"
        )
        try text("history", "\(date.formatted(.iso8601)): \(command)")
        try text("references", "MacAyeal 1989, doi:10.1029/JB094iB04p04071; Wang et al. 2025, Science 387, 1219-1224")
        try text(
            "comment",
            "Only \(prediction.store.description.ice.adjective) ice. Positive fields are exponentials of network outputs; derivatives are the network's own. "
                + "One year is \(Int(Constants.secondsPerYear)) s.")
        try number("gravity_m_s2", configuration.constants.gravity)
        try number("ice_density_kg_m3", configuration.constants.iceDensity)
        try number("sea_water_density_kg_m3", configuration.constants.seaWaterDensity)
        try number("hardness_Pa_s_1_3", configuration.constants.hardness)
        try number("sliding_exponent", configuration.constants.slidingExponent)
        try number("seconds_per_year", Constants.secondsPerYear)
        try text("seed", String(configuration.seed))
        try number("ensemble_members", Double(count))
        try text("store_fingerprint", checkpoint.storeFingerprint)
        try number("iterations", Double(checkpoint.iteration))
        try number("training_s", checkpoint.trainedSeconds)
        if let loss = checkpoint.history.totals.last { try number("loss", loss) }
        try text("backend", checkpoint.backend)
        try text("plan", configuration.toml)
        for (name, value) in sources { try text("source_\(name)", value) }
    }
}
