import Planning
import Testing

@Suite struct FigureTests {
    @Test(arguments: [
        (0, "0"), (0.0014, "0.0014"), (0.1264, "0.1264"), (119.868, "119.9"), (3888.9, "3889"), (351_111, "3.511e5"),
        (1e13, "1e13"), (100_000, "1e5"), (65536, "65536"), (65.536, "65.54"), (2e-9, "2e-9"), (120, "120"),
    ]) func aNumberHasFourDigits(_ value: Double, _ text: String) {
        #expect(Figure.plain(value) == text)
    }

    @Test(arguments: [
        (1, "0.01 MB"), (1_440_001, "1.45 MB"), (62_000_000, "62 MB"), (999_400_000, "1000 MB"),
        (999_600_000, "1 GB"), (24_300_000_001, "24.4 GB"),
    ]) func aNeedIsRoundedUp(_ bytes: Int, _ text: String) {
        #expect(Figure.bytes(bytes) == text)
    }
}
