import Fields
import Testing

@Suite struct NumberTextTests {
    @Test(arguments: [
        (0, "0"), (0.0014, "0.0014"), (0.1264, "0.1264"), (119.868, "119.9"), (3888.9, "3889"), (351_111, "3.511e5"),
        (1e13, "1e13"), (100_000, "1e5"), (65536, "65536"), (65.536, "65.54"), (2e-9, "2e-9"), (120, "120"),
        (0.0189, "0.0189"), (1.0, "1"), (12.3456, "12.35"), (54321.9, "54320"), (9.99999, "10"), (99999.7, "1e5"),
        (-0.05, "-0.05"), (-2.31e13, "-2.31e13"), (.nan, "--"), (.infinity, "--"),
    ]) func aNumberHasFourDigits(_ value: Double, _ text: String) {
        #expect(NumberText.plain(value) == text)
    }

    @Test(arguments: [
        (1, "0.01 MB"), (1_440_001, "1.45 MB"), (62_000_000, "62 MB"), (999_400_000, "1000 MB"),
        (999_600_000, "1 GB"), (24_300_000_001, "24.4 GB"),
    ]) func bytesAreRoundedUp(_ bytes: Int, _ text: String) {
        #expect(NumberText.bytes(bytes) == text)
    }

    @Test(arguments: [
        (48.3e-6, "48.3 µs"), (0.0625, "62.5 ms"), (38.9, "38.9 s"), (720.0, "12 min"), (14_000_400.0, "3889 h"),
    ]) func aDurationHasTheUnitThatFits(_ seconds: Double, _ text: String) {
        #expect(NumberText.duration(seconds) == text)
    }

    @Test(arguments: [(0, "0"), (999, "999"), (65536, "65,536"), (-1234567, "-1,234,567"), (-123, "-123")])
    func thousandsAreSeparated(_ number: Int, _ text: String) {
        #expect(NumberText.grouped(number) == text)
    }

    @Test func tablesAreMarkdownOrAligned() {
        let table = Table(title: "T", header: ["a", "long"], rows: [["xyz", "1"]], notes: ["n"])
        #expect(table.rendered(as: .text) == "T\n  a     long\n  xyz      1\n  n")
        #expect(
            table.rendered(as: .markdown) == "### T\n\n| a   | long |\n| --- | ---: |\n| xyz |    1 |\n\nn")
        let words = Table(title: "T", header: ["", "n", "of"], rows: [["a", "1", "words"]], wordColumns: [0, 2])
        #expect(words.rendered(as: .text) == "T\n      n   of\n  a   1   words")
    }

    @Test func longTextIsBrokenBetweenWords() {
        #expect(wrapped("one two three", width: 7) == ["one two", "three"])
        #expect(wrapped("extraordinary a", width: 5) == ["extraordinary", "a"])
        #expect(wrapped("") == [""])
    }
}
