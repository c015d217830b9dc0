import NetCDFFiles

extension Prediction {
    /// Defines the variable of the eigenvalues that tell what data and equations determine; nil without a covariance.
    func defineEigenvalues(in file: NetCDFFile) throws -> (variable: Variable, values: [Double])? {
        guard let covariance, !covariance.eigenvalues.isEmpty else { return nil }
        let dimension = try file.define(dimension: "eigenvalue", length: covariance.eigenvalues.count)
        let variable = try file.define(variable: "information_eigenvalue", .double, over: [dimension])
        try variable.setAttribute("long_name", .text("largest eigenvalues of the information on the weights"))
        try variable.setAttribute("units", .text("1"))
        try variable.setAttribute(
            "comment",
            .text(
                "Of (beta J^T J) relative to the prior precision alpha: above 1 data and equations determine a combination of weights, below 1 the prior does. The sum of x/(1+x) over all is the effective number of parameters. Noise that cells share (cells_sharing_noise_of) widens the standard deviations, and is not in these."
            ))
        try variable.setAttribute("effective_number_of_parameters", .numbers([covariance.determinedCount]))
        for (set, cells) in covariance.correlatedCells.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            try variable.setAttribute("cells_sharing_noise_of_\(set.rawValue)", .numbers([cells]))
        }
        return (variable, covariance.eigenvalues)
    }
}
