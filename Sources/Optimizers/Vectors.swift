/// Sums over vectors of parameters, in double: quasi-Newton methods depend on small differences of them.
enum Vectors {
    static func dot(_ a: [Float], _ b: [Float]) -> Double {
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                sum(a.count) { Double(a[$0]) * Double(b[$0]) }
            }
        }
    }

    static func dot(_ a: [Double], _ b: [Double]) -> Double {
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                sum(a.count) { a[$0] * b[$0] }
            }
        }
    }

    static func dot(_ a: [Float], _ b: [Double]) -> Double {
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                sum(a.count) { Double(a[$0]) * b[$0] }
            }
        }
    }

    /// y += factor x.
    static func add(_ factor: Double, _ x: [Float], to y: inout [Double]) {
        precondition(x.count == y.count)
        x.withUnsafeBufferPointer { x in
            y.withUnsafeMutableBufferPointer { y in
                for k in 0..<x.count { y[k] += factor * Double(x[k]) }
            }
        }
    }

    /// Four partial sums of fixed elements: additions to a single one would wait for each other.
    @inline(__always)
    private static func sum(_ count: Int, _ term: (Int) -> Double) -> Double {
        var (s0, s1, s2, s3) = (0.0, 0.0, 0.0, 0.0)
        var k = 0
        while k + 4 <= count {
            s0 += term(k)
            s1 += term(k + 1)
            s2 += term(k + 2)
            s3 += term(k + 3)
            k += 4
        }
        while k < count {
            s0 += term(k)
            k += 1
        }
        return (s0 + s1) + (s2 + s3)
    }
}
