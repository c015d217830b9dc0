import Glibc
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

    /// Its other places use the null pointer, or trap on it.
    @Test func aNullPointerOrATrapAfterRefusedMemoryHasTheStatusOfTheSystem() async {
        await #expect(processExitsWith: .exitCode(71)) {
            LibraryCrash.installCrashHandler()
            errno = ENOMEM
            raise(SIGSEGV)
        }
        await #expect(processExitsWith: .exitCode(71)) {
            LibraryCrash.installCrashHandler()
            errno = ENOMEM
            raise(SIGILL)
        }
    }

    /// Calls since then may have replaced errno.
    @Test func aTrapWhileMemoryIsRefusedHasTheStatusOfTheSystem() async {
        await #expect(processExitsWith: .exitCode(71)) {
            LibraryCrash.installCrashHandler()
            var limit = rlimit(rlim_cur: 1 << 20, rlim_max: 1 << 20)
            setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
            errno = ENOENT
            raise(SIGILL)
        }
    }

    @Test func aTrapForAnotherReasonIsStillOne() async {
        await #expect(processExitsWith: .signal(SIGILL)) {
            LibraryCrash.installCrashHandler()
            errno = 0
            raise(SIGILL)
        }
    }

    /// libhdf5 1.10.8 calls exit(-1) where it can register no identifier.
    @Test func aLibraryThatExitsIsOneThatCrashed() async {
        await #expect(processExitsWith: .exitCode(65)) {
            LibraryCrash.installCrashHandler()
            LibraryCrash.guarded(reading: "a file") { exit(-1) }
        }
    }
}
