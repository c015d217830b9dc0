/// The channels carried through a network: a value and its derivatives in x and y, in this order everywhere.
public enum Channel: Int, CaseIterable, Sendable {
    case value, x, y, xx, xy, yy
}

/// The highest order of derivatives read at a point; its raw value is the number of channels that a network must carry.
public enum Derivatives: Int, Sendable, Comparable {
    case none = 1
    case first = 3
    case second = 6

    public var channelCount: Int { rawValue }

    public static func < (a: Derivatives, b: Derivatives) -> Bool { a.rawValue < b.rawValue }
}

/// An input of a program at a point.
public enum Input: Sendable, Hashable {
    /// A channel of one of the network's outputs.
    case channel(output: Int, Channel)
    /// A column of the point's set.
    case column(Int)
}

/// A straight-line program that is evaluated at every point: inputs, then one slot for each operation. It is
/// traced once by running ordinary Swift on `Scalar`s; its adjoint and every backend's form follow from the table
/// in Operation.swift.
public struct Program: Sendable {
    public let inputs: [Input]
    public let operations: [Operation]
    /// Slots of the results.
    public let outputs: [Int]

    public var slotCount: Int { inputs.count + operations.count }

    /// The derivative order that the program needs, inferred from the channels it reads.
    public var derivatives: Derivatives { derivatives(ofOutputs: 0..<Int.max) ?? .none }

    /// The derivative order needed of a range of outputs; nil if the program reads none of them.
    public func derivatives(ofOutputs outputs: Range<Int>) -> Derivatives? {
        var highest: Derivatives?
        for case .channel(let output, let channel) in inputs where outputs.contains(output) {
            let needed: Derivatives = channel.rawValue > 2 ? .second : channel.rawValue > 0 ? .first : .none
            highest = max(highest ?? .none, needed)
        }
        return highest
    }

    /// Traces a function of scalars.
    public static func recording(_ body: (Tracer) -> [Scalar]) -> Program {
        let tracer = Tracer()
        let results = body(tracer)
        return tracer.program(returning: results)
    }

    /// The outputs at one point, and all slots, which `adjoint` needs.
    public func evaluate(_ inputValues: [Double]) -> (outputs: [Double], slots: [Double]) {
        precondition(inputValues.count == inputs.count)
        var slots = inputValues
        slots.reserveCapacity(slotCount)
        for operation in operations {
            slots.append(operation.kind.value(slots[operation.a], slots[operation.b], operation.constant))
        }
        return (outputs.map { slots[$0] }, slots)
    }

    /// Jᵀ · outputBars: derivatives of Σ outputBars · outputs with respect to the inputs.
    public func adjoint(slots: [Double], outputBars: [Double]) -> [Double] {
        var bars = [Double](repeating: 0, count: slotCount)
        for (output, bar) in zip(outputs, outputBars) { bars[output] += bar }
        for (number, operation) in operations.enumerated().reversed() {
            let slot = inputs.count + number
            guard bars[slot] != 0 else { continue }
            let partials = operation.kind.partials(
                slots[operation.a], slots[operation.b], operation.constant, value: slots[slot])
            if operation.kind.operandCount > 0 { bars[operation.a] += bars[slot] * partials.0 }
            if operation.kind.operandCount > 1 { bars[operation.b] += bars[slot] * partials.1 }
        }
        return Array(bars[..<inputs.count])
    }
}
