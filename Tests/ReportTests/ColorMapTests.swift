import Report
import Testing

@Suite struct ColorMapTests {
    private func path(_ map: ColorMap, _ places: ClosedRange<Int>) -> [OKLab] {
        places.map { OKLab(map[Double($0) / 100]) }
    }

    @Test func equalStepsLookEqual() {
        for (map, halves) in [(ColorMap.viridis, [0...100]), (.blueRed, [0...50, 50...100])] {
            for half in halves {
                let steps = zip(path(map, half), path(map, half).dropFirst()).map { $0.distance(to: $1) }
                let mean = steps.reduce(0, +) / Double(steps.count)
                // Rounding to eight bits moves colours by up to 0.002, a step is 0.012; steps around corners of the path are
                // shorter.
                #expect(steps.allSatisfy { abs($0 - mean) < 0.4 * mean })
            }
        }
    }

    @Test func viridisGrowsLighterAllAlong() {
        let lightness = path(.viridis, 0...100).map(\.lightness)
        #expect(zip(lightness, lightness.dropFirst()).allSatisfy { $0 < $1 })
        #expect(ColorMap.viridis[0] == RGB(0x44, 0x01, 0x54) && ColorMap.viridis[1] == RGB(0xFD, 0xE7, 0x25))
    }

    @Test func bothSidesOfADifferenceAreAsDark() {
        for place in 0...50 {
            let below = OKLab(ColorMap.blueRed[Double(place) / 100])
            let above = OKLab(ColorMap.blueRed[1 - Double(place) / 100])
            #expect(abs(below.lightness - above.lightness) < 0.06)
        }
        #expect(ColorMap.blueRed[0.5] == RGB(0xF7, 0xF7, 0xF7))
    }
}
