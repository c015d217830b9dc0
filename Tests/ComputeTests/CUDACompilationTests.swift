import Compute
import ComputeCUDA
import Foundation
import Physics
import TestSupport
import Testing

enum InstalledNVRTC {
    static let places: LibraryPaths? = {
        let lib = "\(Places.repository)/.venv/lib"
        let pythons = (try? FileManager.default.contentsOfDirectory(atPath: lib)) ?? []
        let folders = pythons.flatMap { python in
            ["cuda_nvrtc", "cu13"].map { "\(lib)/\(python)/site-packages/nvidia/\($0)/lib" }
        }.filter { FileManager.default.fileExists(atPath: $0) }
        return folders.isEmpty ? nil : LibraryPaths(folders: folders)
    }()
}

/// NVIDIA's own compiler, of the PyPI wheel that Scripts/test installs: it needs no GPU.
@Suite(
    "NVRTC, for sm_80, sm_90a and sm_100",
    .enabled(if: InstalledNVRTC.places != nil, "no NVRTC in .venv; Scripts/test installs nvidia-cuda-nvrtc-cu12"))
struct CUDACompilationTests {
    @Test("compiles every kernel, and programs of every operation", arguments: [80, 90, 100])
    func kernels(architecture: Int) throws {
        let sample = SampleWorkload(hiddenLayers: 2, width: 8, split: true)
        let made = try Compilation.all(
            sample.residualProblem, architecture: architecture, places: try #require(InstalledNVRTC.places))
        #expect(made.count == 4 + sample.residualProblem.programs.count)
        for each in made { #expect(each.bytes > 1000, "\(each.name)") }
    }

    /// Shared memory of a block on GPUs of these capabilities [bytes]: CUDA C++ Programming Guide, technical specifications.
    static let sharedMemory = [80: 166_912, 89: 101_376, 90: 232_448, 100: 232_448]

    /// What a kernel of fused layers is compiled for. All combinations take minutes.
    struct Fused: Sendable, CustomTestStringConvertible {
        let architecture: Int
        let width: Int
        let channels: Int
        let precision: Precision
        var fusion = LayerFusion.warps
        var testDescription: String {
            "sm_\(architecture), width \(width), \(channels) channels, \(precision), \(fusion.rawValue)"
        }

        /// Every precision; what differs between GPUs and between numbers of channels at the width that fills a GPU.
        static let all: [Fused] = [Precision.tf32, .bf16x3].flatMap { precision in
            [(90, 128, 1), (90, 128, 3), (90, 128, 6), (80, 128, 6), (89, 96, 6), (89, 128, 6), (100, 128, 6)].map {
                Fused(architecture: $0.0, width: $0.1, channels: $0.2, precision: precision)
            }
                + [(128, 1), (128, 3), (128, 6), (64, 6)].map {
                    Fused(architecture: 90, width: $0.0, channels: $0.1, precision: precision, fusion: .warpgroups)
                }
        }
        /// Narrow networks leave most of a GPU's registers to a block; the compiler may still put some aside.
        static let narrow: [Fused] = [32, 64].map {
            Fused(architecture: 90, width: $0, channels: 6, precision: .tf32)
        }
        static let chosen = Places.runsLongTests ? all + narrow : all
    }

    @Test("compiles fused layers within the registers and the shared memory of a GPU", arguments: Fused.chosen)
    func fused(_ each: Fused) throws {
        let made = try Compilation.fused(
            width: each.width, channels: each.channels, precision: each.precision, fusion: each.fusion,
            sharedMemory: CUDACompilationTests.sharedMemory[each.architecture]!, architecture: each.architecture,
            places: try #require(InstalledNVRTC.places))
        guard let made else {
            // Two stacks of half a tile and the ring take 132 kB; a block has 101.
            #expect(each.architecture == 89 && each.width == 128)
            return
        }
        #expect(Set(made.map(\.kernel)) == ["pack", "fused_forward", "fused_adjoint", "gather"])
        for kernel in made {
            print("\(each.testDescription): \(kernel.kernel) \(kernel.registers) registers")
            // The compiler's order of things puts a few registers aside for a while, of those that fill the GPU four at most.
            #expect(
                kernel.spilledBytes <= (each.channels == 6 && each.width == 128 ? 16 : 128), "\(kernel.kernel)")
            // Of products of warpgroups it would say if they had to wait for one another.
            #expect(!kernel.messages.contains("warning") && !kernel.messages.contains("serialized"))
        }
    }

    @Test("compiles the programs of every physics", arguments: EquationCatalog.models.map(\.name), [80, 90, 100])
    func physics(_ physics: String, architecture: Int) throws {
        let residualProblem = try Inversion(physics: physics).objective.residualProblem
        let made = try Compilation.programs(
            residualProblem, architecture: architecture, places: try #require(InstalledNVRTC.places))
        #expect(made.count == residualProblem.programs.count)
    }

    @Test("says on one line what is wrong with a text")
    func error() throws {
        let error = #expect(throws: CUDAError.self) {
            try Compilation.compile("void broken( {", architecture: 90, places: try #require(InstalledNVRTC.places))
        }
        #expect(error?.explanation.hasPrefix("NVRTC cannot compile a kernel: ") == true)
        #expect(error?.explanation.contains("error: ") == true)
        #expect(error?.explanation.contains("\n") == false)
    }
}
