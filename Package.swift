// swift-tools-version: 6.1
import PackageDescription

// Targets in the order in which data flows; Sources/README.md draws the picture.
// A target imports only from targets above it in this list.

/// Only for `Scripts/fuzz`, which compiles everything for libFuzzer, and our C with the sanitizer of undefined behaviour.
let isForFuzzing = Context.environment["PINN_FUZZ_BUILD"] != nil
let sanitized: [CSetting] = isForFuzzing ? [.unsafeFlags(["-fsanitize=undefined", "-fno-sanitize-recover"])] : []

/// Libraries of the system, found by pkg-config; `Scripts/setup` installs what is missing.
let systemLibraries: [Target] = [
    .systemLibrary(name: "CNetCDF", pkgConfig: "netcdf", providers: [.apt(["libnetcdf-dev"])]),
    .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
    .systemLibrary(name: "CMatio", pkgConfig: "matio", providers: [.apt(["libmatio-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CProj", pkgConfig: "proj", providers: [.apt(["libproj-dev"])]),
    .systemLibrary(name: "CShapelib", pkgConfig: "shapelib", providers: [.apt(["libshp-dev"])]),
    .target(name: "CKernels", cSettings: sanitized),
    .target(name: "CSystem", cSettings: sanitized),
]

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let toml = Target.Dependency.product(name: "TOMLKit", package: "TOMLKit")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let foundations: [Target] = [
    .target(name: "Fields"),
    .target(name: "Threads", dependencies: ["Fields", "CSystem"]),
    .target(name: "MapProjections", dependencies: ["Fields", "CProj"]),
    .target(name: "NetCDFFiles", dependencies: ["Fields", "CNetCDF", "CHDF5", "CKernels", "CSystem"]),
    .target(name: "MATLABFiles", dependencies: ["Fields", "NetCDFFiles", "CMatio"]),
    .target(name: "Pointwise"),
    .target(name: "Networks", dependencies: ["Fields"], exclude: ["README.md"]),
    .target(name: "Physics", dependencies: ["Pointwise", "Fields"]),
    .target(name: "Compute", dependencies: ["Pointwise", "Networks", "Fields"]),
    .target(
        name: "ComputeCPU",
        dependencies: ["Compute", "Networks", "Pointwise", "Threads", "CKernels", "CSystem", "COpenBLAS"],
        exclude: ["README.md"]),
    .target(
        name: "ComputeCUDA", dependencies: ["Compute", "Networks", "Pointwise", "Fields"], exclude: ["README.md"],
        resources: [
            .embedInCode("Kernels/network.cu"), .embedInCode("Kernels/common.cu"), .embedInCode("Kernels/program.cu"),
            .embedInCode("Kernels/channels.cu"), .embedInCode("Kernels/tensor_cores.cu"),
            .embedInCode("Kernels/tile_products.cu"), .embedInCode("Kernels/warpgroup_products.cu"),
            .embedInCode("Kernels/mma_gradient.cu"), .embedInCode("Kernels/fused.cu"),
        ]),
    .target(
        name: "PointStore", dependencies: ["Fields", "Threads", "NetCDFFiles", "CKernels", "CSystem"],
        exclude: ["README.md"]),
    .target(name: "Objective", dependencies: ["Physics", "Networks", "Compute", "PointStore", "Fields"]),
    .target(name: "Optimizers", dependencies: ["Compute", "Networks", "Fields", "Threads", "CKernels", "COpenBLAS"]),
]

let stages: [Target] = [
    .target(
        name: "Runs",
        dependencies: [
            "Fields", "NetCDFFiles", "Networks", "Objective", "Optimizers", "Physics", "PointStore", "Compute",
            "CKernels", toml,
        ]),
    // Product schemas travel inside the binary, so that it works wherever it is put. A file more is a line more here.
    .target(
        name: "Ingest",
        dependencies: [
            "Fields", "Threads", "MapProjections", "NetCDFFiles", "MATLABFiles", "PointStore", "CSystem", "CShapelib",
            toml, logging,
        ],
        exclude: ["README.md", "Schemas/README.md"],
        resources: [
            .embedInCode("Schemas/nsidc-0754-v1.toml"), .embedInCode("Schemas/nsidc-0484-v2.toml"),
            .embedInCode("Schemas/nsidc-0484-v1.toml"), .embedInCode("Schemas/nsidc-0545-v1.toml"),
            .embedInCode("Schemas/its-live-v1.toml"), .embedInCode("Schemas/its-live-v2.toml"),
            .embedInCode("Schemas/bedmachine-antarctica-v1.toml"),
            .embedInCode("Schemas/bedmachine-antarctica-v2.toml"),
            .embedInCode("Schemas/bedmachine-antarctica-v3.toml"),
            .embedInCode("Schemas/bedmachine-antarctica-v4.toml"),
            .embedInCode("Schemas/bedmachine-greenland-v3.toml"), .embedInCode("Schemas/bedmachine-greenland-v4.toml"),
            .embedInCode("Schemas/bedmachine-greenland-v5.toml"), .embedInCode("Schemas/bedmap2.toml"),
            .embedInCode("Schemas/bedmap3.toml"), .embedInCode("Schemas/diffice.toml"),
            .embedInCode("Schemas/pinnicle.toml"), .embedInCode("Schemas/common.toml"),
            .embedInCode("Selection/IceShelves.toml"),
        ]),
    .target(
        name: "Training",
        dependencies: ["Runs", "Objective", "Optimizers", "Compute", "PointStore", "Threads", "Fields"]),
    .target(
        name: "Planning",
        dependencies: [
            "Runs", "Objective", "Optimizers", "Compute", "Pointwise", "PointStore", "NetCDFFiles", "Fields",
        ]),
    .target(
        name: "Covariance",
        dependencies: [
            "Runs", "Objective", "Optimizers", "Compute", "Networks", "PointStore", "Threads", "Fields", "COpenBLAS",
        ],
        exclude: ["README.md"]),
    .target(
        name: "Export",
        dependencies: [
            "Covariance", "Planning", "Runs", "Objective", "Compute", "Physics", "Pointwise", "PointStore",
            "NetCDFFiles",
            "MapProjections", "Fields", "CSystem",
        ]),
    .target(
        name: "Report",
        dependencies: ["Export", "Planning", "Runs", "Objective", "PointStore", "NetCDFFiles", "Fields", "CZlib"]),
    .target(name: "Evaluation", dependencies: ["Ingest", "PointStore", "Fields"]),
    .target(
        name: "ForwardModel", dependencies: ["Fields", "MapProjections", "NetCDFFiles", "COpenBLAS"],
        exclude: ["README.md"]),
    .target(
        name: "Benchmarks",
        dependencies: [
            "Ingest", "Training", "Export", "ForwardModel", "Planning", "Runs", "Objective", "Optimizers", "ComputeCPU",
            "Compute",
            "PointStore", "Physics", "Networks", "Pointwise", "NetCDFFiles", "CSystem", "Fields", logging,
        ], exclude: ["README.md"]),
]

let commands: [Target] = [
    .target(
        name: "CommandSupport",
        dependencies: [
            "Fields", "Threads", "NetCDFFiles", "CSystem", "Compute", "ComputeCPU", "ComputeCUDA", "Planning", "Runs",
            arguments, toml, logging,
        ], plugins: ["BuildCommit"]),
    .plugin(name: "BuildCommit", capability: .buildTool()),
    .executableTarget(
        name: "pinn-ingest", dependencies: ["CommandSupport", "Ingest", "Planning", "Fields", arguments]),
    .executableTarget(name: "pinn-train", dependencies: ["CommandSupport", "Planning", "Training", arguments]),
    .executableTarget(
        name: "pinn-plan", dependencies: ["CommandSupport", "Planning", "Benchmarks", arguments]),
    .executableTarget(name: "pinn-export", dependencies: ["CommandSupport", "Export", arguments]),
    .executableTarget(name: "pinn-report", dependencies: ["CommandSupport", "Report", "Export", arguments]),
    .executableTarget(
        name: "pinn-eval", dependencies: ["CommandSupport", "Evaluation", "Ingest", "Export", arguments]),
    .executableTarget(
        name: "pinn-bench", dependencies: ["CommandSupport", "Benchmarks", "Ingest", "ComputeCPU", arguments]),
    .executableTarget(name: "pinn-sample", dependencies: ["CommandSupport", "ForwardModel", "Planning", arguments]),
]

let tests: [Target] = [
    .target(
        name: "TestSupport",
        dependencies: ["Fields", "NetCDFFiles", "PointStore", "ComputeCUDA", "CHDF5", "CZlib"],
        path: "Tests/TestSupport", exclude: ["Faults", "StandIns"]),
    .testTarget(name: "FieldsTests", dependencies: ["Fields"]),
    .testTarget(name: "ThreadsTests", dependencies: ["Threads"]),
    .testTarget(name: "MapProjectionsTests", dependencies: ["MapProjections", "Fields"]),
    .testTarget(name: "NetCDFFilesTests", dependencies: ["NetCDFFiles", "Fields", "TestSupport"]),
    .testTarget(name: "PointwiseTests", dependencies: ["Pointwise", "TestSupport"]),
    .testTarget(name: "PhysicsTests", dependencies: ["Physics", "Pointwise", "TestSupport"]),
    .testTarget(
        name: "ComputeTests",
        dependencies: ["Compute", "ComputeCPU", "ComputeCUDA", "CKernels", "Objective", "Physics", "TestSupport"]),
    .testTarget(name: "OptimizersTests", dependencies: ["Optimizers", "Networks", "TestSupport"]),
    .testTarget(
        name: "PointStoreTests", dependencies: ["PointStore", "CSystem", "Fields", "NetCDFFiles", "TestSupport"]),
    .testTarget(
        name: "IngestTests",
        dependencies: [
            "Ingest", "PointStore", "Fields", "MapProjections", "NetCDFFiles", "MATLABFiles", "TestSupport", logging,
        ]),
    .testTarget(
        name: "TrainingTests",
        dependencies: [
            "Training", "Runs", "Optimizers", "Objective", "Physics", "ComputeCPU", "ComputeCUDA", "NetCDFFiles",
            "TestSupport",
        ]),
    .testTarget(
        name: "CovarianceTests",
        dependencies: [
            "Covariance", "ComputeCPU", "Objective", "Optimizers", "PointStore", "Pointwise", "Runs", "TestSupport",
        ]),
    .testTarget(
        name: "ExportTests",
        dependencies: ["Covariance", "Export", "ComputeCPU", "Networks", "Optimizers", "Runs", "TestSupport"]),
    .testTarget(
        name: "ReportTests",
        dependencies: ["Report", "Export", "ComputeCPU", "Networks", "Optimizers", "PointStore", "Runs", "TestSupport"]),
    .testTarget(
        name: "EvaluationTests", dependencies: ["Evaluation", "Fields", "NetCDFFiles", "PointStore", "TestSupport"]),
    .testTarget(
        name: "PlanningTests",
        dependencies: [
            "Planning", "ComputeCPU", "Objective", "Optimizers", "Physics", "Runs", "Training", "TestSupport",
        ]),
    .testTarget(name: "ForwardModelTests", dependencies: ["ForwardModel", "MapProjections", "TestSupport"]),
    .testTarget(
        name: "BenchmarksTests",
        dependencies: ["Benchmarks", "ComputeCPU", "Fields", "PointStore", "TestSupport", "pinn-bench"]),
    .testTarget(
        name: "CommandTests",
        dependencies: [
            "CommandSupport", "Runs", "NetCDFFiles", "MapProjections", "Fields", "TestSupport", "pinn-ingest",
            "pinn-train",
            "pinn-export",
            "pinn-sample",
            "pinn-bench", "pinn-plan", "pinn-eval", "pinn-report",
        ]),
]

let fuzzing: [Target] =
    isForFuzzing
    ? [
        .executableTarget(
            name: "pinn-fuzz",
            dependencies: [
                "CommandSupport", "Ingest", "Export", "Runs", "PointStore", "ComputeCPU", "Networks", "Optimizers",
                "NetCDFFiles", "Fields", "TestSupport",
            ], path: "Tests/Fuzzing", exclude: ["Seeds"])
    ] : []

let package = Package(
    name: "IceShelfPINN",
    products: [
        .executable(name: "pinn-ingest", targets: ["pinn-ingest"]),
        .executable(name: "pinn-plan", targets: ["pinn-plan"]),
        .executable(name: "pinn-train", targets: ["pinn-train"]),
        .executable(name: "pinn-export", targets: ["pinn-export"]),
        .executable(name: "pinn-report", targets: ["pinn-report"]),
        .executable(name: "pinn-eval", targets: ["pinn-eval"]),
        .executable(name: "pinn-bench", targets: ["pinn-bench"]),
        .executable(name: "pinn-sample", targets: ["pinn-sample"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    ],
    targets: systemLibraries + foundations + stages + commands + tests + fuzzing,
    swiftLanguageModes: [.v6]
)
