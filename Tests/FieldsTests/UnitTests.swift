import Fields
import Testing

@Suite("Units as products spell them")
struct UnitTests {
    @Test(
        "speeds per year, day and second are read in every spelling",
        arguments: [
            ("meter/year", 1 / 31_536_000.0), ("m/yr", 1 / 31_536_000), ("m yr-1", 1 / 31_536_000),
            ("m y-1", 1 / 31_536_000), ("m/annum", 1 / 31_536_000), ("m annum-1", 1 / 31_536_000),
            ("m/year", 1 / 31_536_000), ("meters/annum", 1 / 31_536_000), ("m yrs-1", 1 / 31_536_000),
            ("m·a−1", 1 / 31_536_000), ("m a^-1", 1 / 31_536_000), ("m a**-1", 1 / 31_536_000), ("m day-1", 1 / 86_400),
            ("m/d", 1 / 86_400),
            ("m per day", 1 / 86_400), ("m a-1", 1 / 31_536_000), ("m/a", 1 / 31_536_000),
            ("meters per year", 1 / 31_536_000),
            ("m yr^-1", 1 / 31_536_000), ("m yr**-1", 1 / 31_536_000), ("m.yr-1", 1 / 31_536_000),
            ("m year⁻¹", 1 / 31_536_000),
            ("Meter / Year", 1 / 31_536_000), (" m  yr-1 ", 1 / 31_536_000), ("m yr^{-1}", 1 / 31_536_000),
            ("km yr-1", 1000 / 31_536_000), ("m d-1", 1 / 86_400), ("m/day", 1 / 86_400), ("m s-1", 1), ("m/s", 1),
        ] as [(String, Double)])
    func speeds(text: String, factor: Double) throws {
        let unit = try #require(Unit(text), "\(text)")
        #expect(unit.dimension == .speed)
        #expect(unit.factor == factor)
    }

    @Test(
        "lengths are read",
        arguments: [("m", 1), ("meter", 1), ("meters", 1), ("Metres", 1), ("km", 1000)] as [(String, Double)])
    func lengths(text: String, factor: Double) throws {
        let unit = try #require(Unit(text))
        #expect(unit.dimension == .length && unit.factor == factor)
    }

    @Test(
        "viscosities are read",
        arguments: [
            ("Pa s", 1), ("Pa.s", 1), ("Pa*s", 1), ("pascal second", 1), ("kg m-1 s-1", 1), ("kPa s", 1e3),
            ("MPa yr", 31_536_000e6), ("MPa a", 31_536_000e6),
        ] as [(String, Double)])
    func viscosities(text: String, factor: Double) throws {
        let unit = try #require(Unit(text), "\(text)")
        #expect(unit.dimension == .viscosity && unit.factor == factor)
    }

    @Test(
        "what is no length, speed, stress or viscosity is refused, not guessed",
        arguments: [
            "", " ", "1", "degrees", "m2", "m/", "/yr", "yr-1", "m/m", "m s", "m s-2", "Pa m", "Pa s-1", "mPa", "mPa s",
            "furlong/day",
        ])
    func unknown(text: String) {
        #expect(Unit(text) == nil)
    }
}

@Suite("Regions as typed")
struct RegionTests {
    @Test("four numbers in order are a region, with blanks and exponents")
    func good() {
        #expect(Region("-1e6, 2.5e5,-3,4") == Region(xMin: -1e6, xMax: 2.5e5, yMin: -3, yMax: 4))
    }

    @Test(
        "anything else is none",
        arguments: [
            "", "1,2,3", "1,2,3,4,5", "2,1,3,4", "1,2,4,3", "1,1,3,4", "a,2,3,4", "1,2,3,inf", "nan,2,3,4", "1,,3,4",
            "1,2,3,4,",
        ])
    func bad(text: String) {
        #expect(Region(text) == nil)
    }

    @Test("borders belong to it")
    func borders() {
        let region = Region(xMin: 0, xMax: 1, yMin: 0, yMax: 1)
        #expect(region.contains(x: 0, y: 1) && !region.contains(x: 1.001, y: 0.5))
        #expect(Region.everywhere.contains(x: -1e300, y: 1e300))
    }
}

@Suite("Grids")
struct GridTests {
    @Test("a position is in the cell whose centre is nearest, whichever way the axes run")
    func cells() {
        for x in [[0.0, 10, 20], [20, 10, 0]] {
            for y in [[5.0, 15], [15, 5]] {
                let grid = Grid(x: x, y: y, projection: nil)
                for row in 0..<2 {
                    for column in 0..<3 {
                        #expect(grid.cell(containingX: x[column] + 4.9, y: y[row] - 4.9) == row * 3 + column)
                    }
                }
                #expect(grid.cell(containingX: 25.1, y: 5) == nil && grid.cell(containingX: 0, y: -0.1) == nil)
            }
        }
    }

    @Test("text of a file is made safe to print")
    func quotedText() {
        #expect(quoted("a\u{1b}[31mb\n") == "'a [31mb '")
        #expect(quoted(String(repeating: "x", count: 500)).count < 130)
    }

    @Test("the viscosity scale makes the driving stress one")
    func scales() {
        let scales = Scales(length: 1e5, speed: 1e-5, thickness: 400)
        let constants = Constants()
        // μ₀ h₀ u₀ / L₀² equals ρ g (1 − ρ/ρ_w) h₀² / L₀.
        let membrane = scales.viscosity(constants) * scales.thickness * scales.speed / (scales.length * scales.length)
        #expect(abs(membrane / scales.momentum(constants) - 1) < 1e-14)
    }
}

@Suite("Numbers and words as typed")
struct WrittenTextTests {
    @Test("whole numbers may have exponents and separators")
    func wholeNumbers() {
        for (text, value) in [
            ("65536", 65_536), ("1e5", 100_000), ("1E8", 100_000_000), ("100_000", 100_000), ("1.5e3", 1500),
        ] {
            #expect(wholeNumber(text) == value)
        }
        for text in ["", "0", "-1", "1.5", "1e13", "1e", "five", "inf", "nan", "1e-3", "0x10"] {
            #expect(wholeNumber(text) == nil, "\(text)")
        }
    }

    @Test(
        "tables without a name, brackets that close another kind, and dates are found in TOML, and none in strings and comments"
    )
    func tomlFaults() {
        for text in [
            "a = [1]\n[b]\n [[c-d]]\n[\"e f\"]\n['']\n[ x1 ]\n[]",
            "a = \"[ }\" # }\nb = '''\n} '' ]\n'''\nc = {d = [{}]}", "a = \"\\\"}\"", "a = '\\'\nb = []",
            "a = \"\"\"}\\\"\"\"\n\"\"\"", "a = \"not closed }\nb = 1",
            "a-1 = -1_0.5e-3\nb = [0x1F, +inf, nan, 2, .5]\nc.d-4 = true # 1979-05-ox", "a = '1979-05-ox'",
        ] {
            #expect(TOMLFault(in: text) == nil, "\(text)")
        }
        for (text, line) in [
            ("[.a]", 1), ("a = 1\n [[\u{fffd}b]]", 2), ("[=", 1), ("a = 1\n[\nb]", 2), ("x=1\r\n[\u{e9}]", 2),
            ("a = 1\n[[[a]]]", 2), ("\u{feff}[$]", 1), ("a = 1\n[\u{6e4}b]", 2), ("[\r'", 1), ("s = [ }", 1),
            ("a = [\n 1,\n}]", 3),
            ("a = {b = 1]", 1), ("a = ']'\n]", 2), ("a = '''\n'''\n\n}", 4),
            ("a = 1979-05-ox", 1), ("a = 1\nb = [1979-05-27T07:32:00Z]", 2), ("a = 07:32", 1), ("a = 1e5x", 1),
            ("a = -", 1),
        ] {
            #expect(TOMLFault(in: text)?.line == line, "\(text)")
        }
    }

    @Test("a word for a shell is quoted where a shell would take it apart")
    func shellWords() {
        #expect(shellWord("runs/a-1_b.nc") == "runs/a-1_b.nc")
        #expect(shellWord("my run") == "'my run'")
        #expect(shellWord("it's $HOME") == "'it'\\''s $HOME'")
        #expect(shellWord("") == "''")
    }
}
