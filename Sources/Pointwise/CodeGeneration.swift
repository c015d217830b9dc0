/// A program as straight-line C++ (also CUDA C++) in single precision, one line for each operation, in order.
///
/// Slot n is `s<n>` and its adjoint `b<n>`; inputs are read from an array `in`, results written to `out`.
extension Program {
    /// Lines that compute all slots and set `out`.
    public var valueLines: [String] {
        var lines = inputs.indices.map { "const float s\($0) = in[\($0)];" }
        for (number, operation) in operations.enumerated() {
            let expression = operation.kind.sourceExpression(
                "s\(operation.a)", "s\(operation.b)", Program.literal(operation.constant))
            lines.append("const float s\(inputs.count + number) = \(expression);")
        }
        return lines + outputs.enumerated().map { "out[\($0.offset)] = s\($0.element);" }
    }

    /// Lines that follow `valueLines` and set `bar`, the derivatives of Σ twice / 2 · out² with respect to the inputs.
    ///
    /// Adjoints that are always zero are left out.
    public var adjointLines: [String] {
        var lines: [String] = []
        var isSet = [Bool](repeating: false, count: slotCount)
        func add(_ expression: String, to slot: Int) {
            lines.append(isSet[slot] ? "b\(slot) += \(expression);" : "float b\(slot) = \(expression);")
            isSet[slot] = true
        }
        for (number, slot) in outputs.enumerated() { add("twice[\(number)] * s\(slot)", to: slot) }
        for (number, operation) in operations.enumerated().reversed() {
            let slot = inputs.count + number
            guard isSet[slot] else { continue }
            let gains = operation.kind.adjointExpressions(
                "s\(operation.a)", "s\(operation.b)", Program.literal(operation.constant), value: "s\(slot)",
                bar: "b\(slot)")
            for (gain, operand) in zip(gains, [operation.a, operation.b]) { add(gain, to: operand) }
        }
        return lines + inputs.indices.map { "bar[\($0)] = \(isSet[$0] ? "b\($0)" : "0");" }
    }

    /// The shortest decimal literal that reads back as the same single-precision number.
    private static func literal(_ constant: Double) -> String {
        precondition(Float(constant).isFinite, "a program's constants are finite")
        return constant < 0 ? "(\(Float(constant))f)" : "\(Float(constant))f"
    }
}
