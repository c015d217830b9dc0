import Fields

/// Points of the calving front that a product brings, taken as they are: nothing is drawn from a mask.
struct GivenFront {
    let points: [FrontPoint]
    /// Points without a position or a direction.
    let withoutDirection: Int

    /// Nil where the product brings none.
    init?(of product: ProductFile, in region: Region) throws {
        guard let names = product.schema.front else { return nil }
        let arrays = [names.x, names.y, names.normal].map { product.file.array($0) }
        guard let xArray = arrays[0], let yArray = arrays[1], let normalArray = arrays[2] else {
            if arrays.allSatisfy({ $0 == nil }) { return nil }
            let missing = zip([names.x, names.y, names.normal], arrays).first { $0.1 == nil }!.0
            throw IngestError.badFront(path: product.path, reason: "no variable \(quoted(missing))")
        }
        let count = xArray.shape.reduce(1, *)
        let shape = normalArray.shape
        guard yArray.shape.reduce(1, *) == count, shape.reduce(1, *) == 2 * count, shape.contains(2) else {
            throw IngestError.badFront(
                path: product.path,
                reason:
                    "variables \(quoted(names.x)) \(xArray.shape), \(quoted(names.y)) \(yArray.shape) and \(quoted(names.normal)) \(shape) do not fit"
            )
        }
        let (x, y, normal) = (try xArray.numbers(), try yArray.numbers(), try normalArray.numbers())
        // MATLAB's (points, 2) stands here as (2, points).
        let byComponent = shape[0] == 2
        var points: [FrontPoint] = []
        for place in 0..<count {
            let normalX = byComponent ? normal[place] : normal[2 * place]
            let normalY = byComponent ? normal[count + place] : normal[2 * place + 1]
            let length = (normalX * normalX + normalY * normalY).squareRoot()
            guard length > 0, length.isFinite, x[place].isFinite, y[place].isFinite else { continue }
            points.append(
                FrontPoint(x: x[place], y: y[place], normalX: normalX / length, normalY: normalY / length))
        }
        withoutDirection = count - points.count
        self.points = points.filter { region.contains(x: $0.x, y: $0.y) }
    }
}
