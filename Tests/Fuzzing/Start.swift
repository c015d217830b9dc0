import Foundation

// pinn-fuzz PARSER [libFuzzer's options and folders]: throws bytes at one of the parsers, guided by coverage; without a parser, their
// names (`Scripts/fuzz` builds and starts it). The main function is libFuzzer's.

public typealias Arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

/// libFuzzer works on one thread.
nonisolated(unsafe) private var trial: Trial?

/// Called once, with the arguments.
@_cdecl("LLVMFuzzerInitialize")
public func start(_ count: UnsafeMutablePointer<Int32>, _ arguments: UnsafeMutablePointer<Arguments>) -> Int32 {
    let given = arguments.pointee
    guard count.pointee > 1, let parser = given[1].flatMap({ Parser(rawValue: String(cString: $0)) }) else {
        print(Parser.allCases.map(\.rawValue).joined(separator: "\n"))
        exit(64)
    }
    // The name of the parser is taken out.
    given[1] = given[0]
    arguments.pointee = given + 1
    count.pointee -= 1
    do {
        trial = try Trial(of: parser)
    } catch {
        fatalError("\(error)")
    }
    return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
public func test(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    trial?.run(on: Data(UnsafeRawBufferPointer(start: bytes, count: count)))
    return 0
}
