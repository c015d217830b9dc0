import Dispatch
import Synchronization

/// Computes portions of a long sequence on all cores ahead of their use and delivers them in order: the result does not depend on
/// the number of cores, and only the portions in progress are in memory.
package final class PortionsAhead<Portion: Sendable>: Sendable {
    private let count: Int
    private let make: @Sendable (Int) -> Portion
    private let queue = DispatchQueue(label: "PortionsAhead", attributes: .concurrent)
    private let inProgress = Mutex<[Int: Pending]>([:])
    private let depth: Int

    private final class Pending: Sendable {
        let done = DispatchSemaphore(value: 0)
        let portion = Mutex<Portion?>(nil)
    }

    /// - Parameter depth: how many portions are in progress at a time.
    package init(count: Int, depth: Int, make: @escaping @Sendable (Int) -> Portion) {
        self.count = count
        self.depth = depth
        self.make = make
        for number in 0..<min(depth, count) { start(number) }
    }

    /// Waits for a portion; each must be taken once, in order.
    package func take(_ number: Int) -> Portion {
        guard let pending = inProgress.withLock({ $0.removeValue(forKey: number) }) else { return make(number) }
        pending.done.wait()
        if number + depth < count { start(number + depth) }
        return pending.portion.withLock { $0.take() } ?? make(number)
    }

    private func start(_ number: Int) {
        let pending = Pending()
        inProgress.withLock { $0[number] = pending }
        queue.async { [make] in
            let portion = make(number)
            pending.portion.withLock { $0 = portion }
            pending.done.signal()
        }
    }
}
