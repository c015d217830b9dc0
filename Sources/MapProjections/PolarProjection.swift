import CProj
import Fields

/// The polar stereographic projection of a grid mapping: longitude and latitude to its coordinates, and back, by PROJ.
///
/// One thread at a time may use it, as PROJ has it of its contexts.
public final class PolarProjection {
    private let context: OpaquePointer
    private let projection: OpaquePointer

    /// nil where the mapping is none, another projection, or lacks a parameter.
    public init?(_ mapping: Projection?) {
        guard let mapping, let parameters = mapping.polarStereographic ?? mapping.completed.polarStereographic,
            let context = makeContext()
        else { return nil }
        guard let projection = proj_create(context, "\(parameters) +ellps=WGS84") else {
            proj_context_destroy(context)
            return nil
        }
        self.context = context
        self.projection = projection
    }

    deinit {
        proj_destroy(projection)
        proj_context_destroy(context)
    }

    /// Position [m] of a longitude and latitude [degrees]; infinite where the projection has none.
    public func position(longitude: Double, latitude: Double) -> (x: Double, y: Double) {
        let place = proj_coord(longitude * .pi / 180, latitude * .pi / 180, 0, 0)
        let position = proj_trans(projection, PJ_FWD, place).xy
        return (position.x, position.y)
    }

    /// Longitude, from -180 to 180, and latitude [degrees] of a position [m].
    public func coordinates(x: Double, y: Double) -> (longitude: Double, latitude: Double) {
        let place = proj_trans(projection, PJ_INV, proj_coord(x, y, 0, 0)).lp
        return (place.lam * 180 / .pi, place.phi * 180 / .pi)
    }

    /// Area on the map of a unit of area on the ground.
    public func areaScale(x: Double, y: Double) -> Double {
        proj_factors(projection, proj_trans(projection, PJ_INV, proj_coord(x, y, 0, 0))).areal_scale
    }
}
