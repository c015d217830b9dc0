import Export
import Fields
import Foundation
import NetCDFFiles
import TestSupport
import Testing

/// Where else than on the product's grid, and what else than the network's own fields, a prediction is written.
@Suite struct TargetTests {
    let small: SmallPrediction

    init() throws {
        small = try SmallPrediction { $0.initialParameters(seed: 3) }
    }

    private func export(_ name: String, region: Region? = nil, spacing: Double? = nil, names: [String]? = nil) throws
        -> NetCDFFile
    {
        let path = small.folder.file(name)
        try PredictionWriter(
            try small.prediction(names: names), gridNames: nil, region: region, spacing: spacing,
            command: "test"
        ).write(to: path) { _ in }
        return try NetCDFFile(reading: path)
    }

    @Test func aRegionHoldsTheSameValuesOnTheSameCells() throws {
        let whole = try export("whole.nc")
        let crop = try export("crop.nc", region: Region(xMin: -9000, xMax: 21000, yMin: -1e5, yMax: 6000))
        let x: [Double] = try whole.requireVariable("x").read()
        let y: [Double] = try whole.requireVariable("y").read()
        let cropX: [Double] = try crop.requireVariable("x").read()
        let cropY: [Double] = try crop.requireVariable("y").read()
        #expect(cropX == x.filter { (-9000...21000).contains($0) } && cropY == y.filter { $0 <= 6000 })
        #expect(cropX.count < x.count && cropY.count < y.count)
        for name in ["mu", "misfit_u", "residual_momentum_y"] {
            let all: [Float] = try whole.requireVariable(name).read()
            let part: [Float] = try crop.requireVariable(name).read()
            let expected = cropY.flatMap { py in
                cropX.map { px in all[y.firstIndex(of: py)! * x.count + x.firstIndex(of: px)!] }
            }
            #expect(part == expected, "\(name)")
            #expect(part.contains { abs($0) < 1e30 })
        }
        #expect(throws: PlainFailure.self) {
            try export("none.nc", region: Region(xMin: 1e6, xMax: 2e6, yMin: 0, yMax: 1))
        }
    }

    @Test func aSpacingGivesCellsAtItsMultiples() throws {
        let fine = try export("fine.nc", spacing: 1300, names: ["mu"])
        let x: [Double] = try fine.requireVariable("x").read()
        let y: [Double] = try fine.requireVariable("y").read()
        #expect((x + y).allSatisfy { abs(($0 / 1300).rounded() - $0 / 1300) < 1e-9 })
        #expect(zip(x, x.dropFirst()).allSatisfy { abs($1 - $0 - 1300) < 1e-6 })
        let mu: [Float] = try fine.requireVariable("mu").read()
        let middle = (y.count / 2) * x.count + x.count / 3
        #expect(Double(mu[middle]) == (try small.value("mu", x: x[x.count / 3], y: y[y.count / 2])))
        // No data lie on such cells.
        #expect(!fine.variables.contains { $0.name.hasPrefix("misfit") })
        #expect(throws: PlainFailure.self) { try export("endless.nc", spacing: 1e-3) }
    }

    @Test func stressesHardnessAndFluidityFollowFromStrainRatesAndViscosity() throws {
        let prediction = try small.prediction(names: ["all"])
        let fields = try prediction.fields(x: [7000, -3000], y: [-12000, 5000]).values
        for point in 0..<2 {
            let value = Dictionary(
                uniqueKeysWithValues: zip(prediction.fields.map(\.name), fields.map { Double($0[point]) }))
            let year = Constants.secondsPerYear
            let (xx, yy, xy) = (value["strain_rate_xx"]!, value["strain_rate_yy"]!, value["strain_rate_xy"]!)
            let effective = (xx * xx + yy * yy + xx * yy + xy * xy).squareRoot()
            #expect(abs(value["effective_strain_rate"]! / effective - 1) < 1e-5)
            let mu = value["mu"]!
            for (name, rate) in [("xx", xx), ("yy", yy), ("xy", xy)] {
                #expect(abs(value["deviatoric_stress_\(name)"]! / (2 * mu * rate / year) - 1) < 1e-5)
            }
            // A thousandth of one strain rate is added where nothing strains: here it strains.
            let hardness = 2 * mu * pow(effective / year, 2.0 / 3)
            #expect(abs(value["B"]! / hardness - 1) < 1e-2)
            #expect(abs(value["fluidity"]! * pow(value["B"]!, 3) - 1) < 1e-4)
        }
        #expect(throws: PlainFailure.self) { try small.prediction(names: ["mu", "viscositee"]) }
    }

    @Test func pointsOfATableGetTheFieldsOnTheIceAndNothingOffIt() throws {
        let input = small.folder.file("line.csv")
        let output = small.folder.file("out.csv")
        try "name,\"Y\",x\r\nfirst,-12000,7000\r\n\r\nfar,0,9e7\n\"last\",5000,\"-3000\"".write(
            toFile: input, atomically: true, encoding: .utf8)
        let prediction = try small.prediction(names: ["u", "mu"])
        let counts = try PointTable(reading: input).write(prediction, to: output) {}
        #expect(counts.points == 3 && counts.covered == 2)
        let lines = try String(contentsOfFile: output, encoding: .utf8).split(separator: "\n").map(String.init)
        #expect(lines.count == 4 && lines[0] == "name,\"Y\",x,u,mu" && lines[2] == "far,0,9e7,,")
        for (line, x, y) in [(lines[1], 7000.0, -12000.0), (lines[3], -3000, 5000)] {
            let words = line.split(separator: ",")
            #expect(Double(Float(words[3])!) == (try small.value("u", x: x, y: y)))
            #expect(Double(Float(words[4])!) == (try small.value("mu", x: x, y: y)))
        }
        // Once more over itself, but not over its input.
        _ = try PointTable(reading: input).write(prediction, to: output) {}
        #expect(throws: PlainFailure.self) { try PointTable(reading: input).write(prediction, to: input) {} }
        #expect(try String(contentsOfFile: input, encoding: .utf8).hasPrefix("name,\"Y\",x\r\nfirst"))
    }

    @Test(arguments: [
        ("a,b\n1,2", "line 1"), ("lon,lat\n1,2", "projection is not polar"), ("x,y\n1,2\n3", "line 3"),
        ("x,y\n1,two", "line 2"), ("x,y\n1,inf", "line 2"),
        ("x,y\n", "no points"), ("", "no points"),
    ])
    func aTableThatIsNoneIsRefusedWithItsLine(text: String, naming: String) throws {
        let input = small.folder.file("line.csv")
        try text.write(toFile: input, atomically: true, encoding: .utf8)
        let failure = #expect(throws: PlainFailure.self) {
            try PointTable(reading: input).write(try small.prediction(), to: small.folder.file("out.csv")) {}
        }
        #expect(failure?.explanation.contains(naming) == true)
        #expect(small.folder.names == ["line.csv", "store.nc"])
    }
}
