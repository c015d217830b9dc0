import NetCDFFiles
import Testing

/// Commands plan their memory; this is for what no plan foresees.
@Suite struct RefusedMemoryTests {
    /// Swift's runtime aborts where an allocation fails: more than any address space has.
    @Test func anAllocationThatFailsEndsWithTheStatusOfTheSystem() async {
        await #expect(processExitsWith: .exitCode(71)) {
            LibraryCrash.installCrashHandler()
            let bytes = UnsafeMutableRawPointer.allocate(byteCount: 1 << 48, alignment: 16)
            bytes.storeBytes(of: 1, as: UInt8.self)
        }
    }
}
