/// A bitmap font of 5 x 7 pixels, with two more rows for descenders, for labels in PNG files.
enum BitmapFont {
    static let width = 5
    static let height = 9
    /// Distance from one character to the next, at a scale of one [pixels].
    static let advance = 6

    /// Pixel rows from the top, five bits each with the leftmost as 16; a box for characters that the font lacks.
    static func rows(_ character: Character) -> [UInt8] {
        let coded = glyphs[character] ?? "vhhhhhv"
        return coded.map { UInt8($0.wholeNumberValue ?? Int($0.asciiValue!) - 87) }
    }

    /// Each row is a digit in base 32: 0 to 9, a to v.
    private static let glyphs: [Character: String] = [
        " ": "0", "0": "ehjlphe", "1": "4c4444e", "2": "eh1248v", "3": "v2421he", "4": "26aiv22", "5": "vgu11he",
        "6": "68guhhe", "7": "v124888", "8": "ehhehhe", "9": "ehhf12c",
        "A": "ehhvhhh", "B": "uhhuhhu", "C": "ehggghe", "D": "sihhhis", "E": "vggsggv", "F": "vggsggg",
        "G": "ehgnhhf", "H": "hhhvhhh", "I": "e44444e", "J": "722222i", "K": "hikokih", "L": "ggggggv",
        "M": "hrllhhh", "N": "hhpljhh", "O": "ehhhhhe", "P": "uhhuggg", "Q": "ehhhlid", "R": "uhhukih",
        "S": "fgge11u", "T": "v444444", "U": "hhhhhhe", "V": "hhhhha4", "W": "hhhllla", "X": "hha4ahh",
        "Y": "hhha444", "Z": "v1248gv",
        "a": "00e1fhf", "b": "ggmphhu", "c": "00eggge", "d": "11djhhf", "e": "00ehvge", "f": "69s8888",
        "g": "00fhhf1e", "h": "ggmphhh", "i": "40c444e", "j": "2062222ic", "k": "88ackaa", "l": "c44444e",
        "m": "00qllhh", "n": "00mphhh", "o": "00ehhhe", "p": "00uhhugg", "q": "00djhf11", "r": "00mpggg",
        "s": "00ege1u", "t": "88s8896", "u": "00hhhjd", "v": "00hhha4", "w": "00hhlla", "x": "00ha4ah",
        "y": "00hhhf1e", "z": "00v248v",
        ".": "00000cc", ",": "00000c48", "-": "000v", "+": "044v44", "/": "01248g", "(": "2488842", ")": "8422248",
        "[": "e88888e", "]": "e22222e", "=": "00v0v", ":": "0cc0cc", "%": "op248j3", "^": "4ah", "'": "448",
        "_": "0000000v", "*": "04lel4", "|": "4444444",
    ]
}
