import Synchronization
import Threads

/// Computes portions of a long sequence on all cores ahead of their use and delivers them in order: the result does not depend on
/// the number of cores, and only the portions in progress are in memory.
package final class PortionsAhead<Portion: Sendable>: Sendable {
    private let count: Int
    private let make: @Sendable (Int) -> Portion
    private let inProgress = Mutex<[Int: Ahead<Portion>]>([:])
    private let depth: Int

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
        let portion = pending.take()
        if number + depth < count { start(number + depth) }
        return portion
    }

    private func start(_ number: Int) {
        let pending = Ahead(on: .computing) { [make] in make(number) }
        inProgress.withLock { $0[number] = pending }
    }
}
