import Foundation

public typealias Arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
    _ count: UnsafeMutablePointer<Int32>, _ arguments: UnsafeMutablePointer<Arguments>,
    _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// libFuzzer calls it on one thread.
nonisolated(unsafe) private var trial: Trial?

/// pinn-fuzz PARSER [libFuzzer's options and folders]: throws bytes at one of the parsers, guided by coverage; without a parser, their
/// names (`Scripts/fuzz` builds and starts it). Where libFuzzer is linked, nothing may stand at the top level, and the package manager
/// looks for the entry under this name.
@_cdecl("pinn_fuzz_main")
public func start(_ count: Int32, _ arguments: Arguments) -> Int32 {
    guard count > 1, let parser = arguments[1].flatMap({ Parser(rawValue: String(cString: $0)) }) else {
        print(Parser.allCases.map(\.rawValue).joined(separator: "\n"))
        return 64
    }
    do {
        trial = try Trial(of: parser)
    } catch {
        print("\(error)")
        return 70
    }
    // The name of the parser is taken out.
    var count = count - 1
    var rest = arguments + 1
    rest[0] = arguments[0]
    return runFuzzer(&count, &rest) { bytes, count in
        trial?.run(on: Data(UnsafeRawBufferPointer(start: bytes, count: count)))
        return 0
    }
}
