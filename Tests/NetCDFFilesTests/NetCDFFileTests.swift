import Fields
import Foundation
import NetCDFFiles
import TestSupport
import Testing

@Suite("NetCDF files")
struct NetCDFFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("numbers and attributes are read back as they were written")
    func roundTrip() throws {
        let path = folder.file("a.nc")
        let file = try NetCDFFile(creating: path)
        try file.setAttribute("title", .text("Größe"))
        let y = try file.define(dimension: "y", length: 2)
        let x = try file.define(dimension: "x", length: 3)
        let packed = try file.define(variable: "packed", .int16, over: [y, x])
        try packed.setAttribute("_FillValue", .numbers([-32767]), as: .int16)
        try packed.setAttribute("flags", .numbers([1, 2]))
        let deflated = try file.define(
            variable: "deflated", .double, over: [y, x], storage: .deflated(chunks: [1, 3]))
        try file.endDefinitions()
        try packed.write([1, 2, 3, 4, 5, 6] as [Int32])
        try deflated.write([0.1, 0.2, 0.3, 0.4, .nan, 0.6] as [Double])
        try file.close()

        let read = try NetCDFFile(reading: path)
        #expect(read.attribute("title")?.text == "Größe")
        let variable = try read.requireVariable("packed")
        #expect(variable.shape == [2, 3] && variable.type == .int16 && variable.chunkLengths == nil)
        #expect(variable.attribute("_FillValue")?.number == -32767)
        #expect(variable.attribute("flags")?.number == nil && variable.attribute("flags")?.numbers == [1, 2])
        #expect(try variable.read(start: [1, 1], count: [1, 2]) == [5.0, 6.0])
        let other = try read.requireVariable("deflated")
        #expect(other.chunkLengths == [1, 3])
        let values: [Double] = try other.read()
        #expect(values[3] == 0.4 && values[4].isNaN)
    }

    @Test(
        "text attributes of the string type are read", .disabled(if: Places.shared("amery_velocity_measures.nc") == nil)
    )
    func stringAttributes() throws {
        let file = try NetCDFFile(reading: try #require(Places.shared("amery_velocity_measures.nc")))
        #expect(try file.requireVariable("VX").attribute("units")?.text == "meter/year")
        #expect(file.attribute("product_version")?.text == "")
    }

    @Test("a missing variable is named, with what there is")
    func missing() throws {
        let path = folder.file("a.nc")
        let file = try NetCDFFile(creating: path)
        let x = try file.define(dimension: "x", length: 1)
        _ = try file.define(variable: "there", .float, over: [x])
        let failure = #expect(throws: NetCDFError.self) { try file.requireVariable("absent") }
        #expect(failure?.explanation.contains("'absent'") == true && failure?.explanation.contains("'there'") == true)
    }

    @Test("what is no NetCDF file is refused")
    func notNetCDF() throws {
        #expect(throws: NetCDFError.self) { try NetCDFFile(reading: folder.path) }
        let absent = #expect(throws: NetCDFError.self) { try NetCDFFile(reading: folder.file("absent.nc")) }
        #expect(absent?.kind == .missingInput)
        for bytes in [
            Data(), Data("text".utf8), Data(repeating: 0, count: 5000), Data("CDF\u{1}".utf8),
            Data([0x89, 0x48, 0x44, 0x46, 13, 10, 26, 10]),
        ] {
            try bytes.write(to: URL(fileURLWithPath: folder.file("bad.nc")))
            #expect(throws: NetCDFError.self) { try NetCDFFile(reading: folder.file("bad.nc")) }
        }
    }

    @Test("a file that somebody has locked is read all the same")
    func locked() throws {
        let path = folder.file("a.nc")
        let file = try NetCDFFile(creating: path)
        let x = try file.define(dimension: "x", length: 2)
        let variable = try file.define(variable: "a", .float, over: [x])
        try file.endDefinitions()
        try variable.write([1, 2] as [Float])
        try file.close()
        // As a process does that inherited the descriptor while the file was written, or one elsewhere on a cluster.
        let handle = open(path, O_RDWR)
        defer { close(handle) }
        try #require(flock(handle, LOCK_EX | LOCK_NB) == 0)
        #expect(try NetCDFFile.byteRange(of: "a", count: 2, byteCount: 4, path: path).count == 8)
        #expect(try NetCDFFile(reading: path).requireVariable("a").read() == [1, 2] as [Float])
    }

    @Test(
        "names of attributes that are said to be writable are",
        arguments: [
            ("standard_parallel", true), ("_CoordinateAxisTypes", true), ("x.y-z+1@", true),
            ("false_e\u{1}sting", false),
            ("a/b", false), ("", false), ("ends with a space ", false), ("\u{7f}", false),
        ])
    func attributeNames(name: String, isWritable: Bool) throws {
        #expect(NetCDFFile.canWrite(attribute: name) == isWritable)
        let file = try NetCDFFile(creating: folder.file("a.nc"))
        if isWritable { try file.setAttribute(name, .numbers([1])) }
    }

    @Test("a classic file that was cut reads as zeros in the library; here it is refused")
    func cutClassic() throws {
        // CDF-1: no records, dimension x = 1000, no attributes, variable v(x) of doubles at byte 80.
        let big = { (number: UInt32) in withUnsafeBytes(of: number.bigEndian) { Data($0) } }
        var header = Data("CDF\u{1}".utf8) + big(0)
        header += big(10) + big(1) + big(1) + Data("x\0\0\0".utf8) + big(1000)
        header += big(0) + big(0)
        header += big(11) + big(1) + big(1) + Data("v\0\0\0".utf8) + big(1) + big(0) + big(0) + big(0)
        header += big(6) + big(8000) + big(80)
        #expect(header.count == 80)
        let path = folder.file("classic.nc")
        try (header + Data(repeating: 0, count: 8000)).write(to: URL(fileURLWithPath: path))
        #expect(try NetCDFFile(reading: path).requireVariable("v").read(as: Double.self).count == 1000)
        for count in [4000, 7999] {
            try (header + Data(repeating: 0, count: count)).write(to: URL(fileURLWithPath: path))
            #expect(throws: NetCDFError.self) { try NetCDFFile(reading: path) }
        }
    }

    /// A user may write it meanwhile.
    @Test("what gets an output's name during the work is not replaced", arguments: [false, true])
    func appearance(wasThere: Bool) throws {
        let folder = try TemporaryFolder()
        let path = folder.file("out")
        if wasThere { try "old".write(toFile: path, atomically: false, encoding: .utf8) }
        let pending = try AtomicFile(replacing: path)
        try "precious".write(toFile: path, atomically: false, encoding: .utf8)
        #expect(throws: NetCDFError.self) { try pending.commit() }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
        #expect(folder.names == ["out"])
    }

    @Test("a pending file leaves the old one until it is committed, and is no device or folder")
    func pending() throws {
        let path = folder.file("out")
        try Data("old".utf8).write(to: URL(fileURLWithPath: path))
        let pending = try AtomicFile(replacing: path)
        try Data("new".utf8).write(to: URL(fileURLWithPath: pending.temporaryPath))
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
        try pending.commit()
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "new")
        #expect(folder.names == ["out"])
        for place in [folder.path, "/dev/full", folder.file("absent/out")] {
            let failure = #expect(throws: NetCDFError.self) { try AtomicFile(replacing: place) }
            #expect(failure?.kind == .inputOutput)
        }
        #expect(folder.names == ["out"])
    }

    @Test("what an interrupted process left is removed by the next writer of that output, and nothing else")
    func leftovers() throws {
        let number = "0123456789abcdef"
        let (left, others) = (".out.\(number).partial", ["out.partial", ".out2.\(number).partial", ".out.12.partial"])
        for name in others + [left] { try Data("part".utf8).write(to: URL(fileURLWithPath: folder.file(name))) }
        // Neither a link nor a file that has another name as well is one.
        let precious = folder.file("precious")
        try Data("mine".utf8).write(to: URL(fileURLWithPath: precious))
        let links = [".out.1123456789abcdef.partial", ".out.2123456789abcdef.partial"]
        try FileManager.default.createSymbolicLink(atPath: folder.file(links[0]), withDestinationPath: precious)
        try FileManager.default.linkItem(atPath: precious, toPath: folder.file(links[1]))
        try AtomicFile.write(Array("whole".utf8), to: folder.file("out"), as: "the file")
        #expect(folder.names == (others + links + ["out", "precious"]).sorted())
        #expect(try String(contentsOfFile: precious, encoding: .utf8) == "mine")
    }

    @Test("two partial files of an output have names of their own, so that none can be laid there before")
    func partialNames() throws {
        let pending = try AtomicFile(replacing: folder.file("out"))
        let first = pending.temporaryPath
        pending.discard()
        let second = try AtomicFile(replacing: folder.file("out"))
        #expect(first != second.temporaryPath)
        let failure = NetCDFError.writeFailed(path: second.temporaryPath, what: "the file", reason: "no")
        #expect(failure.explanation.hasPrefix("\(folder.file("out")): "))
    }

    @Test("text that is not UTF-8 is read as Latin-1, as older products have it")
    func latin1() throws {
        #expect(textOrLatin1(Array("gel\u{e9}e".utf8)) == "gelée")
        #expect(textOrLatin1([0x67, 0x65, 0x6c, 0xe9, 0x65]) == "gelée")
    }

    @Test("a seal notices every flipped bit outside of the ranges that are left out")
    func seal() throws {
        let path = folder.file("sealed")
        let content = Data((0..<500).map { UInt8($0 % 251) })
        try content.write(to: URL(fileURLWithPath: path))
        try IntegrityTrailer.close(path, leavingOut: [100..<200])
        #expect(try IntegrityTrailer.verify(path) == [100..<200])
        let sealed = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(sealed.count == 500 + 16 + IntegrityTrailer.byteCount)
        for byte in 0..<sealed.count {
            var bytes = sealed
            bytes[byte] ^= 1
            try bytes.write(to: URL(fileURLWithPath: path))
            let isLeftOut = (100..<200).contains(byte)
            #expect(((try? IntegrityTrailer.verify(path)) != nil) == isLeftOut, "byte \(byte)")
        }
    }
}
