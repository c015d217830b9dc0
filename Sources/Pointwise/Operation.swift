import Glibc

/// The operation of one step of a program. This file is the only table of operations: value and adjoint of each, in
/// double precision, and their C++ source. Backends that interpret programs implement the same table on vectors.
public enum OperationKind: Int, CaseIterable, Sendable {
    case add, subtract, multiply, divide
    /// a + c and a · c with a constant c.
    case addConstant, multiplyConstant
    case exponential, squareRoot
    /// a^c for a positive a and a constant c.
    case power
    /// The constant c.
    case constant

    public var operandCount: Int {
        switch self {
        case .add, .subtract, .multiply, .divide: 2
        case .addConstant, .multiplyConstant, .exponential, .squareRoot, .power: 1
        case .constant: 0
        }
    }

    /// The value for operands a and b.
    public func value(_ a: Double, _ b: Double, _ constant: Double) -> Double {
        switch self {
        case .add: a + b
        case .subtract: a - b
        case .multiply: a * b
        case .divide: a / b
        case .addConstant: a + constant
        case .multiplyConstant: a * constant
        case .exponential: exp(a)
        case .squareRoot: a.squareRoot()
        case .power: pow(a, constant)
        case .constant: constant
        }
    }

    /// The derivatives with respect to a and b, where `value` is the operation's own value.
    public func partials(_ a: Double, _ b: Double, _ constant: Double, value: Double) -> (Double, Double) {
        switch self {
        case .add: (1, 1)
        case .subtract: (1, -1)
        case .multiply: (b, a)
        case .divide: (1 / b, -value / b)
        case .addConstant: (1, 0)
        case .multiplyConstant: (constant, 0)
        case .exponential: (value, 0)
        case .squareRoot: (0.5 / value, 0)
        case .power: (constant * value / a, 0)
        case .constant: (0, 0)
        }
    }

    /// `value` as a C++ expression in single precision, in terms of its operands' names.
    func sourceExpression(_ a: String, _ b: String, _ constant: String) -> String {
        switch self {
        case .add: "\(a) + \(b)"
        case .subtract: "\(a) - \(b)"
        case .multiply: "\(a) * \(b)"
        case .divide: "\(a) / \(b)"
        case .addConstant: "\(a) + \(constant)"
        case .multiplyConstant: "\(a) * \(constant)"
        case .exponential: "expf(\(a))"
        case .squareRoot: "sqrtf(\(a))"
        case .power: "powf(\(a), \(constant))"
        case .constant: constant
        }
    }

    /// What is added to the operands' adjoints: `partials` times the value's adjoint `bar`, one for each operand.
    func adjointExpressions(_ a: String, _ b: String, _ constant: String, value: String, bar: String) -> [String] {
        switch self {
        case .add: [bar, bar]
        case .subtract: [bar, "-\(bar)"]
        case .multiply: ["\(bar) * \(b)", "\(bar) * \(a)"]
        case .divide: ["\(bar) / \(b)", "-(\(bar) / \(b)) * \(value)"]
        case .addConstant: [bar]
        case .multiplyConstant: ["\(bar) * \(constant)"]
        case .exponential: ["\(bar) * \(value)"]
        case .squareRoot: ["0.5f * \(bar) / \(value)"]
        case .power: ["\(constant) * \(bar) * \(value) / \(a)"]
        case .constant: []
        }
    }
}

/// A step of a program: reads up to two earlier slots, writes the next one.
public struct Operation: Sendable, Hashable {
    public let kind: OperationKind
    public let a: Int
    public let b: Int
    public let constant: Double
}
