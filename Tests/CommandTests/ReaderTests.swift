import Foundation
import TestSupport
import Testing

/// The process that reads a product for a command: whatever becomes of either, nothing is left and the user is told.
@Suite struct ReaderTests {
    /// Processes whose parent is that one, by proc(5).
    private static func children(of parent: Int32) -> [Int32] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return all.compactMap { Int32($0) }.filter { status(of: $0)?.parent == parent }
    }

    private static func status(of process: Int32) -> (state: String, parent: Int32)? {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            // Behind the name in brackets, which may hold anything.
            let end = text.lastIndex(of: ")")
        else { return nil }
        let words = text[text.index(after: end)...].split(separator: " ")
        guard words.count > 1, let parent = Int32(words[1]) else { return nil }
        return (String(words[0]), parent)
    }

    /// Whether it has come so far as to leave Ctrl-C to its command.
    private static func hasBegun(_ process: Int32) -> Bool {
        let text = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("SigIgn:") }
        let signals = line.flatMap { UInt64($0.dropFirst(7).filter { !$0.isWhitespace }, radix: 16) } ?? 0
        return signals & 1 << UInt64(SIGINT - 1) != 0
    }

    private static func isAlive(_ process: Int32) -> Bool { status(of: process).map { $0.state != "Z" } ?? false }

    /// Runs an ingest whose reader is stopped in the midst of its work, and does something with both. A run that is too quick
    /// for that, or whose reader had nothing more to do, is begun again.
    private func ingest(
        _ here: Workspace, isTooLate: (Tool.Result) -> Bool = { _ in false },
        _ meanwhile: (_ command: Tool.Running, _ reader: Int32) -> Void
    ) throws -> Tool.Result {
        for _ in 0..<50 {
            var reader: Int32?
            let result = try here.run(
                here.ingest, ["sample_velocity_measures.nc", "--thickness", "sample_bedmachine_v2.nc"]
            ) { running in
                running.wait { running in
                    reader = Self.children(of: running.process.processIdentifier).first(where: Self.hasBegun)
                    return reader.map { kill($0, SIGSTOP) == 0 } ?? false
                }
                if let reader { meanwhile(running, reader) }
            }
            if let reader {
                let end = Date() + 20
                while Self.isAlive(reader), Date() < end { usleep(2000) }
                #expect(!Self.isAlive(reader))
                if !isTooLate(result) { return result }
                try FileManager.default.removeItem(atPath: here.folder.file("pinn-store.nc"))
            }
        }
        throw CocoaError(.featureUnsupported)
    }

    @Test(arguments: [SIGKILL, SIGSEGV, SIGABRT, SIGXCPU]) func theDeathOfAReaderIsABadFileInOneLine(_ signal: Int32)
        throws
    {
        let here = try Workspace()
        try here.addSample()
        let before = here.folder.names
        // A death that is never noticed is too late every time, and ends in an error.
        let result = try ingest(here, isTooLate: { $0.status == 0 }) { _, reader in
            kill(reader, signal)
            kill(reader, SIGCONT)
        }
        #expect(result.status == 65 && !result.died, "\(result.messages)")
        let lines = result.messages.split(separator: "\n")
        #expect(lines.count == 1 && lines[0].hasPrefix("error: sample_"), "\(lines)")
        #expect(here.folder.names == before)
    }

    @Test func aReaderThatGoesOnAfterAPauseIsNoFailure() throws {
        let here = try Workspace()
        try here.addSample()
        let result = try ingest(here) { _, reader in
            usleep(1_500_000)
            kill(reader, SIGCONT)
        }
        #expect(result.status == 0, "\(result.messages)")
    }

    @Test func ctrlCReachesBothAndOnlyTheCommandAnswers() throws {
        let here = try Workspace()
        try here.addSample()
        let before = here.folder.names
        let result = try ingest(here) { running, reader in
            kill(reader, SIGINT)
            running.send(SIGINT)
            kill(reader, SIGCONT)
        }
        #expect(result.status == 130 && !result.died, "\(result.messages)")
        #expect(here.folder.names == before)
    }

    @Test func aReaderThatHangsDiesWithItsCommand() throws {
        let here = try Workspace()
        try here.addSample()
        let result = try ingest(here) { running, _ in running.send(SIGKILL) }
        #expect(result.died && result.status == SIGKILL)
    }

    /// It took 5 s and ended as a bad file, or waited for good.
    @Test(arguments: [SIGINT, SIGTERM]) func aCommandThatIsAskedToEndDoesNotWaitForItsReader(_ signal: Int32) throws {
        let here = try Workspace()
        try here.addSample()
        let before = here.folder.names
        var begin = ContinuousClock.now
        let result = try ingest(here, isTooLate: { $0.status == 0 }) { running, _ in
            begin = .now
            running.send(signal)
        }
        // Where the machine is busy; the reader would be waited for without end.
        #expect(ContinuousClock.now - begin < .seconds(4))
        #expect(result.status == 128 + signal && !result.died, "\(result.messages)")
        #expect(here.folder.names == before)
    }

    /// Each took nine seconds, and what they were was not told.
    @Test func theSearchForAThicknessIsNotHeldUpByANeighbour() throws {
        let here = try Workspace()
        try here.addSample()
        try FileManager.default.copyItem(
            atPath: Places.sample("sample_bedmachine_v2.nc"), toPath: here.folder.file("hanging.nc"))
        for _ in 0..<50 {
            var isStopped = false
            let result = try here.run(here.ingest, ["sample_velocity_measures.nc"]) { running in
                running.wait { running in
                    let reader = Self.children(of: running.process.processIdentifier).first { child in
                        let arguments = (try? String(contentsOfFile: "/proc/\(child)/cmdline", encoding: .utf8)) ?? ""
                        return arguments.contains("hanging.nc") && Self.hasBegun(child)
                    }
                    isStopped = reader.map { kill($0, SIGSTOP) == 0 } ?? false
                    return isStopped
                }
            }
            // Stopped after it had told all; then there are two files with a thickness.
            if !isStopped || result.status == 64 { continue }
            #expect(result.status == 66 && !result.died, "\(result.messages)")
            #expect(result.messages.contains("'hanging.nc'") && result.messages.contains("--thickness"))
            return
        }
        Issue.record("the neighbour's reader was never stopped in time")
    }

    /// Memory with a number outlived a command that was killed before it could mark it for removal, until the machine was shut down.
    @Test func theMemoryThatACommandAndItsReaderShareHasNoName() throws {
        let here = try Workspace()
        try here.addSample()
        let named = { (try? FileManager.default.contentsOfDirectory(atPath: "/dev/shm").sorted()) ?? [] }
        let before = named()
        var isShared = false
        for _ in 0..<20 where !isShared {
            _ = try here.run(here.ingest, ["sample_velocity_measures.nc", "--points", "1e6", "-o", "killed.nc"]) {
                $0.wait { running in
                    let command = running.process.processIdentifier
                    let maps = (try? String(contentsOfFile: "/proc/\(command)/maps", encoding: .utf8)) ?? ""
                    #expect(!maps.contains("SYSV") && !maps.contains("/dev/shm/"))
                    isShared = maps.contains("memfd:product values")
                    return isShared
                }
                if isShared { $0.send(SIGKILL) }
            }
        }
        #expect(isShared && named() == before)
    }

    /// Its description was taken for the nonsense of a spoilt reader.
    @Test func aFileWithThousandsOfScalarsIsNotCalledDamaged() throws {
        let here = try Workspace()
        try PlainHDF5Writer.write(
            (0..<2000).map { .init("a\($0)", shape: [], [Double($0)]) }, to: here.folder.file("scalars.h5"))
        let result = try here.run(here.ingest, ["scalars.h5"])
        #expect(result.status == 65 && !result.died)
        #expect(result.messages.contains("no velocity found") && !result.messages.contains("damaged"))
    }

    @Test func theMarkOfAReaderIsNoOptionForPeople() throws {
        let here = try Workspace()
        try here.addSample()
        let result = try here.run(
            here.ingest, ["--read-product-for-another-process", "sample_velocity_measures.nc"])
        #expect(result.status == 64 && result.output.isEmpty)
    }

    @Test func aFileThatLeadsToAnotherOneIsNotRead() throws {
        let here = try Workspace()
        try here.addSample()
        let secret = here.folder.file("secret")
        try Data(repeating: 65, count: 8000).write(to: URL(fileURLWithPath: secret))
        for (hazard, reason) in [
            (HazardousHDF5.externalLink, "link to another file"), (.externalStorage, "in another file"),
        ] {
            try hazard.write(to: here.folder.file("hazard.nc"), leadingTo: secret)
            let result = try here.run(here.ingest, ["hazard.nc"])
            #expect(result.status == 65 && !result.died, "\(result.messages)")
            #expect(result.messages.contains("hazard.nc: 'VX' is not read") && result.messages.contains(reason))
        }
    }

    @Test(arguments: [
        (HazardousHDF5.deadLink, "'VX' is not read", "does not exist"),
        (.groupInItself, "'a/b' is not read", "contains it"),
        (.deepGroups, "is not read", "64 levels deep"),
    ]) func linksOfHDF5ThatLeadNowhereAreNotCalledDamage(_ hazard: HazardousHDF5, _ name: String, _ reason: String)
        throws
    {
        let here = try Workspace()
        try hazard.write(to: here.folder.file("hazard.nc"), leadingTo: "")
        let result = try here.run(here.ingest, ["hazard.nc"])
        #expect(result.status == 65 && !result.died, "\(result.messages)")
        #expect(result.messages.contains(name) && result.messages.contains(reason), "\(result.messages)")
        #expect(result.messages.split(separator: "\n").count == 1)
    }

    /// Changed bytes after which HDF5 goes on with a heap that it has spoilt: the store's writing died of it once.
    @Test(arguments: [3615, 4041]) func aFileThatSpoilsTheHeapOfItsReaderIsRefused(seed: Int) throws {
        let here = try Workspace()
        try here.addSample()
        let name = "sample_velocity_measures.nc"
        try Damage.damaged(try here.bytes(name), seed: seed).write(to: URL(fileURLWithPath: here.folder.file(name)))
        let before = here.folder.names
        let result = try here.run(
            here.ingest, [name, "--thickness", "sample_bedmachine_v2.nc", "--points", "1000"])
        #expect(result.status == 65 && !result.died, "\(result.messages)")
        #expect(result.messages.contains(name))
        #expect(here.folder.names == before)
    }
}
