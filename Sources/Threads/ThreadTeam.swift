import CSystem
import Glibc
import Synchronization

/// Threads that are made once and kept, and share out the work they are given.
///
/// Whoever waits for work does what no thread has begun, so that nothing depends on how many threads there are: where the system
/// gives none, all is done by those who asked for it. Dispatch waits without end for a thread that it cannot make.
public final class ThreadTeam: Sendable {
    /// As many as there are cores, with the one that asks.
    public static let computing = ThreadTeam(limit: Int(available_cores()), purpose: "compute")
    /// Reads ahead of the computation, whose threads are busy.
    public static let reading = ThreadTeam(limit: 1, purpose: "read ahead")

    private let limit: Int
    private let purpose: String
    /// One signal for each thread that a piece of work could use.
    private let work = Semaphore()
    private let state = Mutex(State())

    private struct State {
        var threads = 0
        /// Of the last thread that could not be made: nobody but `require` tries again.
        var reason: Int32 = 0
        /// In the order of their beginnings, until their owners are done with them.
        var loops: [SharedLoop] = []
    }

    package init(limit: Int, purpose: String) { (self.limit, self.purpose) = (limit, purpose) }

    /// Makes threads before work that needs them, up to the team's limit; throws where the system refuses one.
    ///
    /// - Parameter remedy: what a user can do so that fewer are needed.
    public func require(_ threads: Int = .max, remedy: String? = nil) throws {
        let wanted = min(threads, limit)
        let (made, reason) = state.withLock { state in
            state.reason = 0
            grow(&state, to: wanted)
            return (state.threads, state.reason)
        }
        guard made >= wanted else {
            throw ThreadsRefused(purpose: purpose, wanted: wanted, made: made, reason: reason, remedy: remedy)
        }
    }

    /// Does `body` for 0, 1, ... on this thread and the team's, and returns when all of them are done.
    public func perform(iterations: Int, _ body: @escaping @Sendable (Int) -> Void) {
        guard iterations > 1 else { return (0..<iterations).forEach(body) }
        let loop = begin(iterations: iterations, helpers: max(0, min(iterations, limit) - 1), body)
        loop.finish()
        forget(loop)
    }

    /// Work for so many of the team's threads, which whoever waits for it does where none of them is free.
    func begin(iterations: Int, helpers: Int, _ body: @escaping @Sendable (Int) -> Void) -> SharedLoop {
        let loop = SharedLoop(count: iterations, body)
        let woken = state.withLock { state in
            grow(&state, to: min(limit, state.loops.count + helpers))
            state.loops.append(loop)
            return min(helpers, state.threads)
        }
        for _ in 0..<woken { work.signal() }
        return loop
    }

    /// What is not begun then is begun no more.
    func forget(_ loop: SharedLoop) {
        state.withLock { state in state.loops.removeAll { $0 === loop } }
    }

    // MARK: inside

    private func grow(_ state: inout State, to wanted: Int) {
        while state.threads < wanted, state.reason == 0 {
            state.reason = makeThread()
            if state.reason == 0 { state.threads += 1 }
        }
    }

    /// Bytes of a thread's stack: the same under any `ulimit -s`, and what plans of memory count for it.
    public static let stackBytes = 8 << 20

    private func makeThread() -> Int32 {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, ThreadTeam.stackBytes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        // A team lives as long as its threads, which is as long as the process.
        let team = Unmanaged.passRetained(self)
        let status = pthread_create(
            &thread, &attributes,
            { team in Unmanaged<ThreadTeam>.fromOpaque(team!).takeUnretainedValue().workWithoutEnd() },
            team.toOpaque())
        if status != 0 { team.release() }
        return status
    }

    private func workWithoutEnd() -> Never {
        while true {
            work.wait()
            state.withLock { state in state.loops.first { !$0.isExhausted } }?.help()
        }
    }
}

/// Iterations that several threads take one after the other.
final class SharedLoop: Sendable {
    private let count: Int
    private let body: @Sendable (Int) -> Void
    private let next = Atomic<Int>(0)
    private let unfinished: Atomic<Int>
    private let finished = Semaphore()

    init(count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        (self.count, self.body) = (count, body)
        unfinished = Atomic(count)
    }

    /// Whether every iteration has been begun.
    var isExhausted: Bool { next.load(ordering: .relaxed) >= count }

    /// Does what nobody has begun.
    func help() {
        while true {
            let number = next.add(1, ordering: .relaxed).oldValue
            guard number < count else { return }
            body(number)
            if unfinished.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { finished.signal() }
        }
    }

    /// Does what nobody has begun and waits for the rest; once.
    func finish() {
        help()
        finished.wait()
    }
}

private final class Semaphore: @unchecked Sendable {
    private let handle = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(handle, 0, 0) }

    deinit {
        sem_destroy(handle)
        handle.deallocate()
    }

    func signal() { sem_post(handle) }

    /// A signal handler may interrupt it.
    func wait() { while sem_wait(handle) != 0 {} }
}
