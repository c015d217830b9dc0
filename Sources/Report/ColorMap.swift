import Glibc

/// An sRGB colour.
public struct RGB: Sendable, Equatable {
    public let red, green, blue: UInt8

    public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    init(hex: UInt32) {
        self.init(UInt8(hex >> 16 & 255), UInt8(hex >> 8 & 255), UInt8(hex & 255))
    }

    /// "#440154"
    var css: String {
        "#" + [red, green, blue].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

/// A perceptually uniform colour map: straight lines in OKLab between published colours, at constant speed; the two halves of
/// a diverging map separately.
public struct ColorMap: Sendable {
    /// Dark blue to yellow, for magnitudes: nine colours of viridis (Smith & van der Walt 2015, CC0).
    public static let viridis = ColorMap([
        0x440154, 0x472D7B, 0x3B528B, 0x2C728E, 0x21908C, 0x27AD81, 0x5DC863, 0xAADC32, 0xFDE725,
    ])
    /// Blue, white, red, for signed values: nine colours of RdBu (Harrower & Brewer 2003, ColorBrewer 2.0).
    public static let blueRed = ColorMap(
        [0x2166AC, 0x4393C3, 0x92C5DE, 0xD1E5F0, 0xF7F7F7, 0xFDDBC7, 0xF4A582, 0xD6604D, 0xB2182B], halves: 2)

    private let points: [OKLab]
    /// Positions of the colours, ascending from 0 to 1.
    private let places: [Double]

    private init(_ colors: [UInt32], halves: Int = 1) {
        let points = colors.map { OKLab(RGB(hex: $0)) }
        self.points = points
        let steps = (colors.count - 1) / halves
        places = points.indices.map { point in
            let part = min(point / steps, halves - 1)
            let lengths = (part * steps..<(part + 1) * steps).map { points[$0].distance(to: points[$0 + 1]) }
            let total = lengths.reduce(0, +)
            return (Double(part) + lengths.prefix(point - part * steps).reduce(0, +) / total) / Double(halves)
        }
    }

    /// The colour at a position from 0 to 1.
    public subscript(place: Double) -> RGB {
        let next = max(1, places.firstIndex { $0 >= place } ?? places.count - 1)
        let part = (place - places[next - 1]) / (places[next] - places[next - 1])
        return points[next - 1].mixed(with: points[next], min(1, max(0, part))).rgb
    }
}

/// A colour in OKLab, lightness and two opponent axes, in which distances match perceived differences (Ottosson 2020, "A perceptual
/// color space for image processing").
public struct OKLab: Sendable {
    public let lightness, a, b: Double
}

extension OKLab {
    public init(_ color: RGB) {
        // The sRGB transfer function (IEC 61966-2-1).
        func linear(_ value: UInt8) -> Double {
            let part = Double(value) / 255
            return part <= 0.04045 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4)
        }
        let (red, green, blue) = (linear(color.red), linear(color.green), linear(color.blue))
        let l = cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
        let m = cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
        let s = cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
        self.init(
            lightness: 0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
            a: 1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
            b: 0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s)
    }

    var rgb: RGB {
        func cube(_ value: Double) -> Double { value * value * value }
        let l = cube(lightness + 0.3963377774 * a + 0.2158037573 * b)
        let m = cube(lightness - 0.1055613458 * a - 0.0638541728 * b)
        let s = cube(lightness - 0.0894841775 * a - 1.2914855480 * b)
        func coded(_ value: Double) -> UInt8 {
            let part = value <= 0.0031308 ? 12.92 * value : 1.055 * pow(value, 1 / 2.4) - 0.055
            return UInt8((255 * min(1, max(0, part))).rounded())
        }
        return RGB(
            coded(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
            coded(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
            coded(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s))
    }

    public func distance(to other: OKLab) -> Double {
        hypot(hypot(lightness - other.lightness, a - other.a), b - other.b)
    }

    func mixed(with other: OKLab, _ part: Double) -> OKLab {
        OKLab(
            lightness: lightness + part * (other.lightness - lightness), a: a + part * (other.a - a),
            b: b + part * (other.b - b))
    }
}
