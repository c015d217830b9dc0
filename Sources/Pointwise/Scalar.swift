import Glibc

/// A number in an equation: running the equation on scalars traces it as a program. Constants are folded, and common
/// subexpressions are computed once.
public struct Scalar {
    enum Node: Hashable {
        case input(Input)
        case operation(OperationKind, Int, Int, Double)
    }

    let tracer: Tracer?
    let node: Int
    let constant: Double

    init(tracer: Tracer, node: Int) {
        self.tracer = tracer
        self.node = node
        constant = 0
    }

    /// A constant.
    public init(_ constant: Double) {
        tracer = nil
        node = -1
        self.constant = constant
    }

    var isConstant: Bool { tracer == nil }

    public static func + (a: Scalar, b: Scalar) -> Scalar {
        switch (a.tracer, b.tracer) {
        case (nil, nil): Scalar(a.constant + b.constant)
        case (nil, _): b + a
        case (let tracer?, nil): b.constant == 0 ? a : tracer.record(.addConstant, a.node, constant: b.constant)
        case (let tracer?, _): tracer.record(.add, min(a.node, b.node), max(a.node, b.node))
        }
    }

    public static func - (a: Scalar, b: Scalar) -> Scalar {
        switch (a.tracer, b.tracer) {
        case (_, nil): a + Scalar(-b.constant)
        case (nil, _): -1 * b + a
        case (let tracer?, _): tracer.record(.subtract, a.node, b.node)
        }
    }

    public static func * (a: Scalar, b: Scalar) -> Scalar {
        switch (a.tracer, b.tracer) {
        case (nil, nil): Scalar(a.constant * b.constant)
        case (nil, _): b * a
        case (let tracer?, nil):
            b.constant == 1
                ? a : b.constant == 0 ? Scalar(0) : tracer.record(.multiplyConstant, a.node, constant: b.constant)
        case (let tracer?, _): tracer.record(.multiply, min(a.node, b.node), max(a.node, b.node))
        }
    }

    public static func / (a: Scalar, b: Scalar) -> Scalar {
        guard let tracer = b.tracer else { return a * Scalar(1 / b.constant) }
        let numerator = a.isConstant ? tracer.record(.constant, constant: a.constant) : a
        return tracer.record(.divide, numerator.node, b.node)
    }

    public static prefix func - (a: Scalar) -> Scalar { Scalar(-1) * a }
    public static func * (a: Double, b: Scalar) -> Scalar { Scalar(a) * b }

    public func squareRoot() -> Scalar {
        tracer?.record(.squareRoot, node) ?? Scalar(constant.squareRoot())
    }

    /// self^exponent, for a positive number.
    public func power(_ exponent: Double) -> Scalar {
        tracer?.record(.power, node, constant: exponent) ?? Scalar(pow(constant, exponent))
    }
}

/// e^a.
public func exp(_ a: Scalar) -> Scalar {
    a.tracer?.record(.exponential, a.node) ?? Scalar(Glibc.exp(a.constant))
}

/// Records the operations of a program while an equation runs on its scalars.
public final class Tracer {
    private var nodes: [Scalar.Node] = []
    private var known: [Scalar.Node: Int] = [:]

    public init() {}

    /// The scalar of an input.
    public func input(_ input: Input) -> Scalar { scalar(.input(input)) }

    func record(_ kind: OperationKind, _ a: Int = 0, _ b: Int = 0, constant: Double = 0) -> Scalar {
        scalar(.operation(kind, a, kind.operandCount > 1 ? b : a, constant))
    }

    private func scalar(_ node: Scalar.Node) -> Scalar {
        if let number = known[node] { return Scalar(tracer: self, node: number) }
        nodes.append(node)
        known[node] = nodes.count - 1
        return Scalar(tracer: self, node: nodes.count - 1)
    }

    /// The program that computes the results, without unused operations; inputs come first.
    func program(returning results: [Scalar]) -> Program {
        let results = results.map { $0.isConstant ? record(.constant, constant: $0.constant) : $0 }
        var needed = [Bool](repeating: false, count: nodes.count)
        for result in results { needed[result.node] = true }
        for number in nodes.indices.reversed() where needed[number] {
            guard case .operation(let kind, let a, let b, _) = nodes[number] else { continue }
            if kind.operandCount > 0 { needed[a] = true }
            if kind.operandCount > 1 { needed[b] = true }
        }
        var slots = [Int](repeating: 0, count: nodes.count)
        var inputs: [Input] = []
        for number in nodes.indices where needed[number] {
            if case .input(let input) = nodes[number] {
                slots[number] = inputs.count
                inputs.append(input)
            }
        }
        // Slot 0 must exist, since operations without operands refer to it.
        if inputs.isEmpty { inputs.append(.column(0)) }
        var operations: [Operation] = []
        for number in nodes.indices where needed[number] {
            if case .operation(let kind, let a, let b, let constant) = nodes[number] {
                slots[number] = inputs.count + operations.count
                let takesOperand = kind.operandCount > 0
                operations.append(
                    Operation(
                        kind: kind, a: takesOperand ? slots[a] : 0, b: takesOperand ? slots[b] : 0, constant: constant))
            }
        }
        return Program(inputs: inputs, operations: operations, outputs: results.map { slots[$0.node] })
    }
}
