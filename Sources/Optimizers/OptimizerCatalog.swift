/// All optimizers by name: a new one is one file, and one line here.
public enum OptimizerCatalog {
    public static let all: [any Optimizer.Type] = [
        Adam.self, SOAP.self, LimitedMemoryBFGS.self, SelfScaledBroyden.self, LevenbergMarquardt.self,
    ]

    public static func optimizer(named name: String) -> (any Optimizer.Type)? {
        all.first { $0.name == name }
    }
}
