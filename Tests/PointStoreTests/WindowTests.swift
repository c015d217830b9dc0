import CSystem
import Fields
import Foundation
import NetCDFFiles
import PointStore
import TestSupport
import Testing

@Suite("A chunk in use")
struct ChunkInUseTests {
    /// Mappings of a file in this process.
    private func mappings(of path: String) throws -> Int {
        let maps = try #require(fopen("/proc/self/maps", "r"))
        defer { fclose(maps) }
        var info = stat()
        try #require(stat(path, &info) == 0)
        var line = [CChar](repeating: 0, count: 8192)
        var count = 0
        while fgets(&line, Int32(line.count), maps) != nil {
            let inode = line.split(separator: CChar(UInt8(ascii: " "))).dropFirst(4).first
            count += inode.map { $0.elementsEqual(String(info.st_ino).utf8CString.dropLast()) } == true ? 1 : 0
        }
        return count
    }

    private func stream(_ store: SmallStore, isMapped: Bool = true) throws -> ChunkStream {
        ChunkStream(
            try StoreReader(path: store.path, isMapped: isMapped), sizes: [.collocation: 4096, .velocity: 64], seed: 9)
    }

    /// Bytes of the file that hold a column.
    private func bytes(_ set: PointSet, _ column: Column, of store: SmallStore) throws -> Range<Int> {
        try NetCDFFile.byteRange(
            of: set.variable(column), count: SmallStore.counts[set]!, byteCount: 4, path: store.path)
    }

    private func sum(_ chunk: Chunk) -> Float {
        chunk.columns.values.joined().reduce(0) { $0 + $1.reduce(0, +) }
    }

    @Test("is mapped for as long as it lives, with one more that is read ahead, and no longer")
    func mappedWhileItLives() throws {
        let store = try SmallStore()
        let stream = try stream(store)
        for iteration in 0..<4 {
            let request = ChunkRequest(.streamed(iteration: iteration))
            var chunk: Chunk? = try stream.chunk(request, next: nil)
            // One per column, of which neighbours in the file may be neighbours in memory, and count as one.
            #expect(try mappings(of: store.path) >= PointSet.collocation.columns.count)
            // A column outlives its chunk.
            let column = chunk?.columns[.collocation]?[0]
            chunk = nil
            #expect(try mappings(of: store.path) == 1)
            #expect(column?.count == 4096)
        }
        #expect(try mappings(of: store.path) == 0)
        do {
            // While it is used, the next one is loaded.
            let chunk = try stream.chunk(0)
            _ = try stream.chunk(1)
            #expect(try mappings(of: store.path) >= PointSet.collocation.columns.count)
            #expect(chunk.count(.collocation) == 4096)
        }
        let other = try self.stream(store, isMapped: false)
        let copy = try other.chunk(ChunkRequest(.streamed(iteration: 0)), next: nil)
        #expect(copy.columns[.collocation].map { Array($0[1]) } != nil)
    }

    @Test("has the sets that were asked for; of others nothing is read")
    func sets() throws {
        let store = try SmallStore()
        for point in stride(from: 0, to: SmallStore.counts[.collocation]!, by: 1024) {
            try store.flip(.collocation, .x, point)
        }
        let stream = try stream(store)
        let number = ChunkNumber.streamed(iteration: 0)
        let chunk = try stream.chunk(ChunkRequest(number, sets: [.velocity]), next: nil)
        #expect(Set(chunk.columns.keys) == [.velocity] && chunk.count(.velocity) == 64)
        #expect(chunk.divisors[.collocation] == nil)
        #expect(throws: StoreError.self) { try stream.chunk(ChunkRequest(number), next: nil) }
    }

    @Test("of a store that is cut short throws before its loss is used, wherever the cut is", arguments: [true, false])
    func cut(isAtAPage: Bool) throws {
        let store = try SmallStore()
        let stream = try stream(store)
        let request = ChunkRequest(.fixed(part: 0, of: 17, since: 0))
        let chunk = try stream.chunk(request, next: nil)
        try chunk.requireIntact()
        let before = sum(chunk)
        let order = ChunkOrder(.collocation, count: SmallStore.counts[.collocation]!, size: 4096, seed: 9)
        // In the middle of the chunk: what is behind the cut in its page turns to zeros without a signal.
        let middle =
            try bytes(.collocation, .y, of: store).lowerBound + 4 * (order.points(request.number).lowerBound + 2000)
        let end = isAtAPage ? middle / 4096 * 4096 : middle / 4096 * 4096 + 12
        #expect(truncate(store.path, off_t(end)) == 0)
        // On other threads as well.
        DispatchQueue.concurrentPerform(iterations: 4) { _ in #expect(sum(chunk) != before) }
        let failure = #expect(throws: StoreError.self) { try chunk.requireIntact() }
        #expect(failure?.kind == .inputOutput)
        #expect(failure?.explanation.contains("byte \(end): the file ends here") == true, "\(failure!.explanation)")
    }

    @Test("of a store that is overwritten throws before its loss is used; a copy does not notice")
    func overwritten() throws {
        let store = try SmallStore()
        let request = ChunkRequest(.fixed(part: 0, of: 17, since: 0))
        let chunk = try stream(store).chunk(request, next: nil)
        let copy = try stream(store, isMapped: false).chunk(request, next: nil)
        let order = ChunkOrder(.collocation, count: SmallStore.counts[.collocation]!, size: 4096, seed: 9)
        try store.flip(.collocation, .y, order.points(request.number).lowerBound + 7)
        let failure = #expect(throws: StoreError.self) { try chunk.requireIntact() }
        #expect(failure?.kind == .badData && failure?.explanation.contains("collocation_y") == true)
        try copy.requireIntact()
        #expect(
            copy.columns[.collocation].map { Array($0[1]) }
                == SmallStore.column(.collocation, 1, order.points(request.number)))
    }
}

/// A file of whole pages, mapped; what is left of it when all but one page is cut off.
private struct CutFile: @unchecked Sendable {
    let pages: UnsafeMutableRawPointer
    static let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    static let bytes = 4 * page

    init() {
        let path = NSTemporaryDirectory() + UUID().uuidString
        precondition(FileManager.default.createFile(atPath: path, contents: Data(repeating: 7, count: CutFile.bytes)))
        let handle = open(path, O_RDONLY)
        pages = mmap(nil, CutFile.bytes, PROT_READ, MAP_SHARED, handle, 0)!
        precondition(pages != MAP_FAILED && truncate(path, off_t(CutFile.page)) == 0)
        unlink(path)
    }

    func touch(_ byte: Int) -> UInt8 { pages.load(fromByteOffset: byte, as: UInt8.self) }
}

@Suite("A registered window of a file")
struct RegisteredWindowTests {
    @Test("reads as zeros where the file has no page, on any thread, and tells the first address")
    func zeros() {
        let file = CutFile()
        let slot = file_window_register(file.pages, CutFile.bytes)
        #expect(file.touch(0) == 7 && file_window_fault(slot) == nil)
        let first = 2 * CutFile.page + 5
        #expect(file.touch(first) == 0)
        DispatchQueue.concurrentPerform(iterations: 4) { #expect(file.touch(3 * CutFile.page + $0) == 0) }
        #expect(file.touch(CutFile.page) == 0)
        #expect(file_window_fault(slot).map { $0 - UnsafeRawPointer(file.pages) } == first)
        #expect(file.touch(0) == 7)
        file_window_unregister(slot)
        #expect(file_window_register(file.pages, CutFile.page) >= 0)
    }

    @Test("has its slot to itself; where all are taken, none is given")
    func slots() async {
        await #expect(processExitsWith: .exitCode(17)) {
            let file = CutFile()
            var slots: Set<Int32> = []
            while case let slot = file_window_register(file.pages, CutFile.bytes), slot >= 0 { slots.insert(slot) }
            file_window_unregister(5)
            let isReused = file_window_register(file.pages, CutFile.bytes) == 5
            exit(slots.count == 8192 && isReused ? 17 : 1)
        }
    }

    @Test("leaves a fault elsewhere to end the process")
    func elsewhere() async {
        await #expect(processExitsWith: .signal(SIGBUS)) {
            let (inside, outside) = (CutFile(), CutFile())
            _ = file_window_register(inside.pages, CutFile.bytes)
            guard inside.touch(CutFile.page) == 0 else { exit(1) }
            exit(Int32(outside.touch(CutFile.page)))
        }
    }

    @Test("leaves a fault elsewhere to the crash guard, and takes its own while the guard watches")
    func besideTheCrashGuard() async {
        await #expect(processExitsWith: .exitCode(65)) {
            crash_guard_install()
            crash_guard_context("error: the library\n", 65, nil)
            let (inside, outside) = (CutFile(), CutFile())
            _ = file_window_register(inside.pages, CutFile.bytes)
            crash_guard_enter(0)
            guard inside.touch(CutFile.page) == 0 else { exit(1) }
            exit(Int32(outside.touch(CutFile.page)))
        }
    }
}
