import CommandSupport
import Testing

@Suite struct RecentRateTests {
    @Test func workThatBecomesSlowerIsForetoldByHowSlowItIsNow() {
        let start = ContinuousClock.now
        var rate = RecentRate(from: 500, at: start)
        #expect(rate.perSecond == 0)
        // 60 a second for 20 seconds, then 10 a second.
        var count = 500
        for second in 1...200 {
            count += second <= 20 ? 60 : 10
            rate.add(count, at: start + .seconds(second))
            if second == 20 { #expect(rate.perSecond == 60) }
        }
        #expect(rate.perSecond == 10)
    }

    @Test func linesThatAreFarApartGiveTheRateBetweenThem() {
        let start = ContinuousClock.now
        var rate = RecentRate(from: 0, at: start)
        for minute in 1...3 { rate.add(minute * minute * 120, at: start + .seconds(60 * minute)) }
        #expect(rate.perSecond == 10)
    }
}
