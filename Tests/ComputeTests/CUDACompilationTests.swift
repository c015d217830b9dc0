import Compute
import ComputeCUDA
import Foundation
import Physics
import TestSupport
import Testing

enum InstalledNVRTC {
    static let places: CUDAPlaces? = {
        let lib = "\(Places.repository)/.venv/lib"
        let pythons = (try? FileManager.default.contentsOfDirectory(atPath: lib)) ?? []
        let folders = pythons.flatMap { python in
            ["cuda_nvrtc", "cu13"].map { "\(lib)/\(python)/site-packages/nvidia/\($0)/lib" }
        }.filter { FileManager.default.fileExists(atPath: $0) }
        return folders.isEmpty ? nil : CUDAPlaces(folders: folders)
    }()
}

/// NVIDIA's own compiler, of the PyPI wheel that Scripts/test installs: it needs no card.
@Suite(
    "NVRTC, for sm_80, sm_90a and sm_100",
    .enabled(if: InstalledNVRTC.places != nil, "no NVRTC in .venv; Scripts/test installs nvidia-cuda-nvrtc-cu12"))
struct CUDACompilationTests {
    @Test("compiles every kernel, and programs of every operation", arguments: [80, 90, 100])
    func kernels(architecture: Int) throws {
        let sample = SampleWorkload(hiddenLayers: 2, width: 8, split: true)
        let made = try Compilation.all(
            sample.workload, architecture: architecture, places: try #require(InstalledNVRTC.places))
        #expect(made.count == 4 + sample.workload.programs.count)
        for each in made { #expect(each.bytes > 1000, "\(each.name)") }
    }

    @Test("compiles the programs of every physics", arguments: EquationCatalog.models.map(\.name), [80, 90, 100])
    func physics(_ physics: String, architecture: Int) throws {
        let workload = try Inversion(physics: physics).objective.workload
        let made = try Compilation.programs(
            workload, architecture: architecture, places: try #require(InstalledNVRTC.places))
        #expect(made.count == workload.programs.count)
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
