import Dispatch
import Synchronization

/// Portions of a long work that are made on all cores while earlier ones are used, and handed over in their order: the
/// result is the same whatever the number of cores, and memory is that of the portions that are under way.
package final class PortionsAhead<Portion: Sendable>: Sendable {
    private let count: Int
    private let make: @Sendable (Int) -> Portion
    private let queue = DispatchQueue(label: "PortionsAhead", attributes: .concurrent)
    private let underWay = Mutex<[Int: Pending]>([:])
    private let depth: Int

    private final class Pending: Sendable {
        let done = DispatchSemaphore(value: 0)
        let portion = Mutex<Portion?>(nil)
    }

    /// `depth` portions are under way at a time.
    package init(count: Int, depth: Int, make: @escaping @Sendable (Int) -> Portion) {
        self.count = count
        self.depth = depth
        self.make = make
        for number in 0..<min(depth, count) { start(number) }
    }

    /// The portion of a number, waited for if need be; each is asked for once, in order.
    package func take(_ number: Int) -> Portion {
        guard let pending = underWay.withLock({ $0.removeValue(forKey: number) }) else { return make(number) }
        pending.done.wait()
        if number + depth < count { start(number + depth) }
        return pending.portion.withLock { $0.take() } ?? make(number)
    }

    private func start(_ number: Int) {
        let pending = Pending()
        underWay.withLock { $0[number] = pending }
        queue.async { [make] in
            let portion = make(number)
            pending.portion.withLock { $0 = portion }
            pending.done.signal()
        }
    }
}
