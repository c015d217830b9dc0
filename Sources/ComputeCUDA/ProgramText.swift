import Compute
import Networks
import Pointwise

/// Layout of the network outputs that a program reads: network after network, (P, K, O) each, with room for the largest
/// tile. Networks that it does not read are not run.
struct FieldLayout {
    struct Part {
        let network: Int
        let channels: Int
        let outputs: Int
        /// Floats before this part, per point of the capacity.
        let offset: Int
    }

    let parts: [Part]
    /// Floats of all parts, per point.
    let floats: Int

    init(_ program: Program, _ networks: NetworkGroup) {
        var parts: [Part] = []
        var offset = 0
        for (number, network) in networks.networks.enumerated() {
            guard let derivatives = program.derivatives(ofOutputs: networks.outputs(of: number)) else { continue }
            parts.append(
                Part(
                    network: number, channels: derivatives.channelCount, outputs: network.outputs, offset: offset))
            offset += derivatives.channelCount * network.outputs
        }
        self.parts = parts
        floats = offset
    }

    /// C++ expression for the index of a point's channel, in terms of `capacity` and `point`.
    fileprivate func place(_ part: Part, channel: Int, output: Int) -> String {
        "capacity * \(part.offset) + point * \(part.channels * part.outputs) + \(channel * part.outputs + output)"
    }
}

/// Source of a program's kernels: the code generated for the program, followed by Kernels/program.cu.
func programText(_ program: Program, _ layout: FieldLayout, _ networks: NetworkGroup) -> String {
    var gather: [String] = []
    var inputOfPlace: [String: Int] = [:]
    for (number, input) in program.inputs.enumerated() {
        switch input {
        case .column(let column): gather.append("in[\(number)] = columns[stride * \(column) + point];")
        case .channel(let output, let channel):
            let part = layout.parts.first { networks.outputs(of: $0.network).contains(output) }!
            let own = output - networks.outputs(of: part.network).lowerBound
            let place = layout.place(part, channel: channel.rawValue, output: own)
            gather.append("in[\(number)] = fields[\(place)];")
            inputOfPlace[place] = number
        }
    }
    let scatter = layout.parts.flatMap { part in
        (0..<part.channels).flatMap { channel in
            (0..<part.outputs).map { output in
                let place = layout.place(part, channel: channel, output: output)
                return "bars[\(place)] = \(inputOfPlace[place].map { "bar[\($0)]" } ?? "0");"
            }
        }
    }
    func function(_ head: String, _ lines: [String]) -> String {
        "    static __device__ void \(head) {\n" + lines.map { "        \($0)\n" }.joined() + "    }\n"
    }
    return """
        struct Point {
            static constexpr int inputs = \(program.inputs.count), outputs = \(program.outputs.count);
        \(function("gather(const float *fields, long long capacity, const float *columns, long long stride, long long point, float (&in)[inputs])", gather))
        \(function("scatter(const float (&bar)[inputs], float *bars, long long capacity, long long point)", scatter))
        \(function("values(const float (&in)[inputs], float (&out)[outputs])", program.valueLines))
        \(function("adjoint(const float (&in)[inputs], const float (&twice)[outputs], float (&out)[outputs], float (&bar)[inputs])", program.valueLines + program.adjointLines))
        };

        """ + KernelSources.program
}
