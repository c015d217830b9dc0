import Fields
@preconcurrency import Glibc
import Synchronization

/// Shows the progress of long work on stderr: on a terminal one line that is rewritten, elsewhere a line every ten seconds.
public struct Progress {
    private let title: String
    private let total: Int
    private let unit: String
    private let stages: [(start: Int, name: String)]
    private let isTerminal: Bool
    private var lastShown: ContinuousClock.Instant?
    private var rate: RecentRate
    /// Whether the terminal's cursor is at the end of a bar; static, since a process has one terminal.
    private static let lineIsOpen = Atomic(false)

    /// - Parameters:
    ///   - from: the count that was done before this process began (a resumed run).
    ///   - stages: where work of another kind begins, whose rate is not known before.
    public init(
        _ title: String, total: Int, unit: String, from: Int = 0, stages: [(start: Int, name: String)] = []
    ) {
        self.stages = stages
        self.title = title
        self.total = total
        self.unit = unit
        rate = RecentRate(from: from, at: .now)
        isTerminal = isatty(fileno(stderr)) == 1
    }

    /// Shows the count if enough time has passed since it was last shown; `details` is only called then.
    public mutating func update(_ count: Int, details: () -> String = { "" }) {
        let now = ContinuousClock.now
        let pause: Duration = isTerminal ? .milliseconds(200) : .seconds(10)
        if let lastShown, now - lastShown < pause { return }
        lastShown = now
        rate.add(count, at: now)
        show(count, details())
    }

    /// The last line, shown whatever the time.
    public mutating func finish(_ count: Int, details: String = "") {
        rate.add(count, at: .now)
        show(count, details)
        Progress.endLine()
    }

    /// Ends the line of a bar, so that a message begins on a new one.
    static func endLine() {
        if lineIsOpen.exchange(false, ordering: .relaxed), standardErrorTakes(within: 0) { fputs("\n", stderr) }
    }

    private mutating func show(_ count: Int, _ details: String) {
        guard standardErrorTakes(within: 0) else { return }
        let rate = rate.perSecond
        let next = stages.first { $0.start > count && $0.start < total }
        let left =
            (rate > 0 ? Progress.clock(Double((next?.start ?? total) - count) / rate) : "--")
            + (next.map { " to \($0.name)" } ?? "")
        var line = "\(title) \(count)/\(total) \(unit)"
        if isTerminal {
            let filled = total > 0 ? min(20, count * 20 / total) : 20
            line =
                "\(title) [\(String(repeating: "=", count: filled))\(String(repeating: " ", count: 20 - filled))] \(count)/\(total)"
        }
        line += "  \(NumberText.plain(rate)) \(unit)/s  left \(left)"
        if !details.isEmpty { line += "  \(details)" }
        if isTerminal {
            fputs("\r\u{1b}[K\(line)", stderr)
            Progress.lineIsOpen.store(true, ordering: .relaxed)
        } else {
            fputs("\(line)\n", stderr)
        }
        fflush(stderr)
    }

    /// "3:07" or "2:03:07".
    public static func clock(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e8 else { return "--" }
        let whole = Int(max(0, seconds).rounded())
        let two = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
        return whole >= 3600
            ? "\(whole / 3600):\(two(whole / 60 % 60)):\(two(whole % 60))" : "\(whole / 60):\(two(whole % 60))"
    }
}

/// The rate of work over the last half minute or a little more, since later work may be slower than earlier (an iteration of
/// a quasi-Newton method takes several times one of Adam).
package struct RecentRate {
    package static let window: Duration = .seconds(30)
    /// Oldest first; the first is the newest that is at least a window older than the last, or the beginning.
    private var marks: [(count: Int, instant: ContinuousClock.Instant)]

    package init(from count: Int, at instant: ContinuousClock.Instant) { marks = [(count, instant)] }

    package mutating func add(_ count: Int, at instant: ContinuousClock.Instant) {
        marks.append((count, instant))
        while marks.count > 2, instant - marks[1].instant >= RecentRate.window { marks.removeFirst() }
    }

    package var perSecond: Double {
        let (first, last) = (marks[0], marks[marks.count - 1])
        let elapsed = (last.instant - first.instant) / .seconds(1)
        return elapsed > 0 ? Double(last.count - first.count) / elapsed : 0
    }
}
