import Compute
import Networks

/// State of steps that the GPU makes by itself: Adam's moments, two chunks of points with their pinned host images, so that
/// one is copied while the other is used, and the sums of steps that were not fetched yet.
///
/// Order between the two streams: a chunk is copied after the step before the last, which read the same slot; a step begins
/// after its chunk was copied; the pinned image is written after its last copy.
final class StepPipeline {
    /// Steps whose sums are copied to the host together, and the number of such groups before the oldest is waited for.
    private static let group = 16
    private static let maxGroups = 4

    let first: CUDAMemory
    let second: CUDAMemory
    /// Nonzero: a gradient element was not finite.
    let flag: CUDAMemory
    let copies: Driver.Handle?
    /// The two slots for chunks, used alternately.
    private(set) var places: [Place] = []
    private let device: Device
    private let outputs: Int
    /// Sums and flag of each step, (groups, steps, outputs + 1), on the GPU and on the host.
    let kept: CUDAMemory
    private let known: PinnedMemory
    private let groupDone: [Event]
    private(set) var steps = 0
    private var copiedGroups = 0
    private var handedOut = 0

    /// One chunk on the GPU: the columns of all sets, concatenated.
    struct Place {
        let columns: CUDAMemory
        let pinned: PinnedMemory
        let isCopied: Event
        let isRead: Event
        /// The point counts that its graph was captured for, and the graph.
        var counts: [Int] = []
        var graph: WorkGraph?
    }

    init(_ state: MomentState, outputs: Int, device: Device, copies: Driver.Handle?) throws(CUDAError) {
        self.device = device
        self.outputs = outputs
        self.copies = copies
        first = try device.allocate(4 * state.parameters.count, "Adam's moments")
        second = try device.allocate(4 * state.parameters.count, "Adam's moments")
        flag = try device.allocate(4, "the flag of a step")
        let bytes = 8 * (outputs + 1) * StepPipeline.group * StepPipeline.maxGroups
        kept = try device.allocate(bytes, "kept sums of steps")
        known = try PinnedMemory(device, bytes: bytes)
        var events: [Event] = []
        for _ in 0..<StepPipeline.maxGroups { events.append(try Event(device)) }
        groupDone = events
        try device.copy(state.first, to: first.address)
        try device.copy(state.second, to: second.address)
        try device.clear(flag.address, words: 1)
    }

    /// The slot of the next step, with room for `floats` floats.
    func reserve(floats: Int) throws -> Int {
        let number = steps % 2
        while places.count < 2 { places.append(try place(floats)) }
        if places[number].columns.bytes < 4 * floats {
            try places[number].isRead.wait()
            places[number] = try place(floats)
        }
        return number
    }

    private func place(_ floats: Int) throws(CUDAError) -> Place {
        Place(
            columns: try device.allocate(4 * floats, "a chunk of points"),
            pinned: try PinnedMemory(device, bytes: 4 * floats),
            isCopied: try Event(device), isRead: try Event(device))
    }

    func remember(_ graph: WorkGraph, _ counts: [Int], at place: Int) {
        (places[place].graph, places[place].counts) = (graph, counts)
    }

    /// Drops the graphs: the memory they were captured with is about to be freed.
    func forgetGraphs() {
        for place in places.indices { places[place].graph = nil }
    }

    /// Address for the next step's sums.
    var nextKept: UInt64 {
        kept.address + UInt64(8 * (outputs + 1) * (steps % (StepPipeline.group * StepPipeline.maxGroups)))
    }

    /// Counts a step that was enqueued.
    func stepped() throws(CUDAError) {
        steps += 1
        if steps % StepPipeline.group == 0 { try copyGroup() }
    }

    /// Enqueues a copy to the host of the sums since the last copy.
    private func copyGroup() throws(CUDAError) {
        let group = (steps - 1) / StepPipeline.group
        let number = group % StepPipeline.maxGroups
        let bytes = 8 * (outputs + 1) * StepPipeline.group
        try device.driver.check(
            device.driver.copyToHost(
                known.bytes.baseAddress! + number * bytes, kept.address + UInt64(number * bytes), bytes, device.stream),
            "cuMemcpyDtoHAsync")
        try groupDone[number].record(in: device.stream)
        copiedGroups = group + 1
    }

    /// Sums of finished steps that were not returned before; waits for the oldest group where the next steps would overwrite it.
    func results(all: Bool, firstOutput: [Int]) throws(CUDAError) -> [StepResult] {
        var results: [StepResult] = []
        if all, steps % StepPipeline.group != 0 { try copyGroup() }
        // Two steps more than a group, so that the GPU has work while the host waits.
        let most = all ? 0 : StepPipeline.group + 2
        while steps - handedOut > most {
            let group = handedOut / StepPipeline.group
            guard group < copiedGroups else { break }
            try groupDone[group % StepPipeline.maxGroups].wait()
            let end = min(steps, (group + 1) * StepPipeline.group)
            while handedOut < end {
                results.append(result(handedOut, firstOutput))
                handedOut += 1
            }
        }
        return results
    }

    private func result(_ step: Int, _ firstOutput: [Int]) -> StepResult {
        let begin = (outputs + 1) * (step % (StepPipeline.group * StepPipeline.maxGroups))
        let values = known.bytes.bindMemory(to: Double.self)
        let sums = firstOutput.indices.dropLast().map { program in
            (firstOutput[program]..<firstOutput[program + 1]).map { values[begin + $0] }
        }
        return StepResult(sums: sums, isGradientFinite: values[begin + outputs] == 0)
    }
}
