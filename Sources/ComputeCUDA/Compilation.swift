import Compute
import Networks

/// Compiles every kernel with NVIDIA's compiler, without a GPU: for tests.
package struct Compilation {
    /// What was compiled, for a test's message.
    package let name: String
    /// Size of the code [bytes].
    package let bytes: Int

    /// Compiles the kernels of networks, and every program of a problem.
    ///
    /// - Parameter architecture: a compute capability, such as 90.
    package static func all(_ residualProblem: ResidualProblem, architecture: Int, places: LibraryPaths) throws
        -> [Compilation]
    {
        let networks = try [1, 3, 6].map { channels in
            Compilation(
                name: "network, \(channels) channels",
                bytes: try compile(
                    KernelSources.network, options: [KernelSources.option(channels: channels)],
                    architecture: architecture,
                    places: places))
        }
        let common = try compile(KernelSources.common, architecture: architecture, places: places)
        return [Compilation(name: "common", bytes: common)] + networks
            + (try programs(residualProblem, architecture: architecture, places: places))
    }

    /// Resources that a kernel takes on a multiprocessor.
    package struct Resources {
        package let kernel: String
        package let registers: Int
        /// Register spills to local memory [bytes per thread].
        package let spilledBytes: Int
        package let messages: String
    }

    /// The kernels of fused layers for a width; nil where they cannot be fused.
    package static func fused(
        width: Int, channels: Int, precision: Precision, fusion: LayerFusion, sharedMemory: Int, architecture: Int,
        places: LibraryPaths
    ) throws -> [Resources]? {
        let network = Perceptron(hiddenLayers: 2, width: width, outputs: 1)
        guard
            let shape = FusedShape(
                network, precision, fusion, sharedMemory: sharedMemory, architecture: architecture)
        else { return nil }
        let compiler = try Compiler(in: places)
        let log = try compiler.build(
            KernelSources.fused(shape),
            options: ["--std=c++17", "--ptxas-options=-v"] + KernelSources.options(channels: channels, shape),
            for: compiler.target(architecture)
        ).log
        let property = /Function properties for (\w+)\n.*?(\d+) bytes spill stores.*\n.*Used (\d+) registers/
        return log.matches(of: property).compactMap { match in
            guard let spilled = Int(match.2), let registers = Int(match.3) else { return nil }
            return Resources(
                kernel: String(match.1), registers: registers, spilledBytes: spilled, messages: log)
        }
    }

    /// Compiles the programs alone.
    package static func programs(_ residualProblem: ResidualProblem, architecture: Int, places: LibraryPaths) throws
        -> [Compilation]
    {
        try residualProblem.programs.enumerated().map { number, program in
            let text = programText(
                program.program, FieldLayout(program.program, residualProblem.networks), residualProblem.networks)
            return Compilation(
                name: "program \(number)", bytes: try compile(text, architecture: architecture, places: places))
        }
    }

    /// Compiles a source and returns the size of its code [bytes].
    @discardableResult
    package static func compile(
        _ text: String, options: [String] = [], architecture: Int, places: LibraryPaths
    ) throws -> Int {
        let compiler = try Compiler(in: places)
        let target = compiler.target(architecture)
        precondition(target.isCode, "this NVRTC does not know compute capability \(architecture)")
        return try compiler.compile(text, options: ["--std=c++17"] + options, for: target).count
    }
}
