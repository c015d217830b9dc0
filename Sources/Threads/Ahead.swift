import Synchronization

/// A value that a thread of a team makes before it is needed; where none has begun, whoever needs it makes it.
public final class Ahead<Value: Sendable>: Sendable {
    private let team: ThreadTeam
    private let loop: SharedLoop
    private let box: Box

    private final class Box: Sendable {
        let value = Mutex<Value?>(nil)
    }

    public init(on team: ThreadTeam, make: @escaping @Sendable () -> Value) {
        let box = Box()
        (self.team, self.box) = (team, box)
        loop = team.begin(iterations: 1, helpers: 1) { _ in
            let value = make()
            box.value.withLock { $0 = value }
        }
    }

    deinit { team.forget(loop) }

    /// To be called once.
    public func take() -> Value {
        loop.finish()
        return box.value.withLock { $0.take()! }
    }
}
