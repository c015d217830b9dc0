/// How the errors of neighbouring observations are related. No training depends on it; standard deviations do.
public enum NoiseCorrelation: OptionValue, Equatable {
    /// As the residuals of neighbouring cells are.
    case measured
    /// Correlation exp(−d² / 2 ℓ²) over a distance d, for a length ℓ [m]; 0: independent.
    case length(Double)

    public static let expected = "auto, or a length in metres from 0 to 1e6"
    private static let measuredName = "auto"

    public init?(parsing text: String) {
        if text == NoiseCorrelation.measuredName {
            self = .measured
        } else if let length = Double(text), (0...1e6).contains(length) {
            self = .length(length)
        } else {
            return nil
        }
    }

    public var description: String {
        switch self {
        case .measured: NoiseCorrelation.measuredName
        case .length(let length): "\(length)"
        }
    }
}
