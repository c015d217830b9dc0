import PointStore
import Testing

@Suite("Shuffled orders")
struct OrderTests {
    @Test("a permutation meets every index once", arguments: [1, 2, 3, 4, 5, 16, 17, 255, 1000, 4097, 65_536, 100_003])
    func bijection(count: Int) {
        for seed in [UInt64(0), 1, .max] {
            let permutation = IndexPermutation(count: count, seed: seed)
            var met = [Bool](repeating: false, count: count)
            for place in 0..<count { met[permutation[place]] = true }
            #expect(met.allSatisfy { $0 })
            // By runs, as by single places.
            for run in [0..<count, count / 3..<count / 3, count / 3..<count] {
                #expect(permutation.indices(at: run) == run.map { permutation[$0] })
            }
        }
    }

    @Test("a permutation mixes: neighbours do not stay neighbours, and runs are spread evenly")
    func mixing() {
        let count = 100_000
        let permutation = IndexPermutation(count: count, seed: 42)
        let neighbours = (1..<count).filter { abs(permutation[$0] - permutation[$0 - 1]) == 1 }.count
        // Two are expected of a random order.
        #expect(neighbours < 15)
        for start in stride(from: 0, to: count, by: 10_000) {
            let mean = (start..<start + 10_000).reduce(0.0) { $0 + Double(permutation[$1]) } / 10_000
            // Standard deviation of the mean of 10,000 uniform numbers below 100,000: 290.
            #expect(abs(mean - 50_000) < 1200)
        }
    }

    @Test("seeds give different orders, and a large count costs nothing")
    func seeds() {
        let a = IndexPermutation(count: 1 << 40, seed: 1)
        let b = IndexPermutation(count: 1 << 40, seed: 2)
        #expect((0..<100).contains { a[$0] != b[$0] })
        #expect((0..<100).allSatisfy { a[$0] >= 0 && a[$0] < 1 << 40 })
    }

    @Test(
        "an epoch visits every point, and none twice where chunks divide the set",
        arguments: [(1000, 100), (1000, 300), (7, 100), (65_537, 65_536)])
    func epochs(count: Int, size: Int) {
        let order = ChunkOrder(.velocity, count: count, size: size, seed: 3)
        for epoch in 0..<3 {
            var visits = [Int](repeating: 0, count: count)
            for iteration in 0..<order.chunkCount {
                let points = order.points(iteration: epoch * order.chunkCount + iteration)
                #expect(points.count == min(size, count) && points.lowerBound >= 0 && points.upperBound <= count)
                for point in points { visits[point] += 1 }
            }
            #expect(visits.allSatisfy { $0 >= 1 })
            if count % size == 0 { #expect(visits.allSatisfy { $0 == 1 }) }
        }
    }

    @Test(
        "ranks take in one iteration what one rank alone takes in as many iterations as there are ranks",
        arguments: [(1000, 100, 2), (1000, 300, 3), (7, 100, 4), (65_537, 512, 16)])
    func ranks(count: Int, size: Int, ranks: Int) {
        let whole = ChunkOrder(.collocation, count: count, size: size, seed: 3)
        let shares = (0..<ranks).map {
            ChunkOrder(.collocation, count: count, size: size, seed: 3, share: Share(rank: $0, of: ranks))
        }
        for iteration in 0..<3 * whole.chunkCount {
            #expect(
                shares.map { $0.points(iteration: iteration) }
                    == (0..<ranks).map { whole.points(iteration: iteration * ranks + $0) })
        }
    }

    @Test(
        "ranks together visit every point in an epoch, and none twice where chunks divide the set and ranks the chunks",
        arguments: [(1000, 100, 2), (1000, 100, 5), (999, 100, 3), (65_536, 512, 16)])
    func shares(count: Int, size: Int, ranks: Int) {
        let shares = (0..<ranks).map {
            ChunkOrder(.velocity, count: count, size: size, seed: 3, share: Share(rank: $0, of: ranks))
        }
        let epoch = shares[0].iterationsPerEpoch
        let divides = count % size == 0 && (count / size) % ranks == 0
        for first in divides ? [0, epoch, 2 * epoch] : [0] {
            var visits = [Int](repeating: 0, count: count)
            for iteration in first..<first + epoch {
                for share in shares {
                    for point in share.points(iteration: iteration) { visits[point] += 1 }
                }
            }
            #expect(visits.allSatisfy { divides ? $0 == 1 : $0 >= 1 })
        }
    }

    @Test("epochs, sets and seeds have orders of their own; an iteration is a function of its number")
    func orders() {
        let order = ChunkOrder(.velocity, count: 5000, size: 10, seed: 3)
        let first = (0..<500).map { order.points(iteration: $0) }
        #expect(first != (500..<1000).map { order.points(iteration: $0) })
        #expect(first == (0..<500).map { ChunkOrder(.velocity, count: 5000, size: 10, seed: 3).points(iteration: $0) })
        #expect(first != (0..<500).map { ChunkOrder(.velocity, count: 5000, size: 10, seed: 4).points(iteration: $0) })
        #expect(first != (0..<500).map { ChunkOrder(.thickness, count: 5000, size: 10, seed: 3).points(iteration: $0) })
    }

    @Test(
        "a sample with room for a whole set has every point once, and its parts average to its mean",
        arguments: [(1000, 100, 16, 1), (1000, 999, 4, 1), (25_144, 2048, 16, 1), (1000, 100, 5, 3), (7, 100, 3, 2)])
    func wholeSample(count: Int, size: Int, parts: Int, ranks: Int) {
        let shares = (0..<ranks).map {
            ChunkOrder(.velocity, count: count, size: size, seed: 3, share: Share(rank: $0, of: ranks))
        }
        var visits = [Double](repeating: 0, count: count)
        for share in shares {
            for part in 0..<parts {
                let number = ChunkNumber.fixed(part: part, of: parts, since: 1000)
                #expect(share.points(number).count <= size)
                for point in share.points(number) { visits[point] += 1 / share.divisor(of: number) }
            }
        }
        let expected = Double(parts * ranks) / Double(count)
        #expect(visits.allSatisfy { abs($0 - expected) < 1e-12 })
    }

    @Test("a sample of a larger set has no chunk twice, and another one since another iteration")
    func sampleOfALargerSet() {
        let order = ChunkOrder(.collocation, count: 100_000, size: 100, seed: 3)
        func sample(since start: Int) -> [Range<Int>] {
            (0..<16).map { order.points(.fixed(part: $0, of: 16, since: start)) }
        }
        #expect(Set(sample(since: 1000)).count == 16 && sample(since: 1000).allSatisfy { $0.count == 100 })
        #expect(sample(since: 1000) == sample(since: 1000) && sample(since: 1000) != sample(since: 1001))
        #expect(order.divisor(of: .fixed(part: 0, of: 16, since: 1000)) == 100)
    }

    @Test("a handful of points is in every part")
    func handful() {
        let order = ChunkOrder(.front, count: 5, size: 100, seed: 3)
        for part in 0..<16 {
            #expect(order.points(.fixed(part: part, of: 16, since: 0)) == 0..<5)
            #expect(order.divisor(of: .fixed(part: part, of: 16, since: 0)) == 5)
        }
    }
}
