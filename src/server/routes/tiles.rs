//! The compounds as vector tiles (MVT 2.1), made from the R-tree: what the map draws them from. How they stand comes over the
//! live connection; a tile only says where they are and what they are called, so it changes with the register alone.

use std::f64::consts::PI;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use geo::algorithm::orient::{Direction, Orient as _};
use mvt::{GeomData, GeomEncoder, GeomType, Layer, Tile};
use sha2::{Digest as _, Sha256};

use crate::city::City;
use crate::city::authority::Action;
use crate::domain::actor::Actor;
use crate::domain::geometry::{Point, Polygon};
use crate::server::App;
use crate::server::caller::Caller;
use crate::server::error::{Answer, Edge};
use crate::server::extract::Path;
use crate::server::kept::File;

/// Steps along the side of a tile; the usual number.
const EXTENT: u32 = 4_096;
/// Tiles are made for these zooms only: farther out a compound is less than a dot, closer in the map enlarges the last.
const ZOOM_MIN: u32 = 10;
/// See [`ZOOM_MIN`].
const ZOOM_MAX: u32 = 14;
/// Name of the layer.
const LAYER: &str = "compounds";

/// Tiles are files to the map, not API: they are not in the OpenAPI document.
pub fn routes() -> Router<App> {
    Router::new().route("/tiles/compounds/{z}/{x}/{y}", get(tile))
}

/// Which tile: column and row of the web Mercator grid at a zoom, row 0 in the north.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Address {
    zoom: u32,
    column: u32,
    row: u32,
}

/// One tile with the compounds that the caller may see. `{y}` ends in `.mvt`.
async fn tile(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Path((z, x, y)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Answer<Response> {
    let address = Address::parse(&z, &x, &y).ok_or_else(bad_address)?;
    let bytes = {
        let city = app.city();
        city.may_somewhere(&actor, Action::SeeCompound)?;
        address.encode(&city, &actor)?
    };
    // What one may see differs from caller to caller: kept by the browser, asked for each time.
    let kept = "private, no-cache";
    let hash = Sha256::digest(&bytes).into();
    Ok(File { kind: "application/vnd.mapbox-vector-tile", kept, packed: None, hash, content: bytes }.answer(&headers))
}

fn bad_address() -> Edge {
    Edge::BadQuery { why: format!("/tiles/compounds/zoom/column/row.mvt, zoom {ZOOM_MIN} to {ZOOM_MAX}") }
}

impl Address {
    fn parse(z: &str, x: &str, y: &str) -> Option<Self> {
        let (zoom, column) = (z.parse().ok()?, x.parse().ok()?);
        let row = y.strip_suffix(".mvt")?.parse().ok()?;
        let side = (ZOOM_MIN..=ZOOM_MAX).contains(&zoom).then(|| 1_u32 << zoom)?;
        (column < side && row < side).then_some(Self { zoom, column, row })
    }

    /// The corners, degrees.
    fn corners(self) -> Answer<(Point, Point)> {
        let side = f64::from(1_u32 << self.zoom);
        let lon = |column: u32| f64::from(column) / side * 360.0 - 180.0;
        let lat = |row: u32| (PI * (1.0 - 2.0 * f64::from(row) / side)).sinh().atan().to_degrees();
        let (west, east) = (lon(self.column), lon(self.column + 1));
        let (north, south) = (lat(self.row), lat(self.row + 1));
        Ok((Point::new(west, south)?, Point::new(east, north)?))
    }

    /// Where a place lies, in steps from the tile's north-west corner (web Mercator, EPSG:3857).
    fn steps(self, lon: f64, lat: f64) -> (f64, f64) {
        let side = f64::from(1_u32 << self.zoom);
        let across = (lon + 180.0) / 360.0 * side - f64::from(self.column);
        let down = (1.0 - lat.to_radians().tan().asinh() / PI) / 2.0 * side - f64::from(self.row);
        (across * f64::from(EXTENT), down * f64::from(EXTENT))
    }

    fn encode(self, city: &City, actor: &Actor) -> Answer<Vec<u8>> {
        let (south_west, north_east) = self.corners()?;
        let mut tile = Tile::new(EXTENT);
        let mut layer = tile.create_layer(LAYER);
        for id in city.spatial().in_bbox(south_west, north_east) {
            let Ok(state) = city.compound(id) else { continue };
            if city.may(actor, Action::SeeCompound, id).is_err() {
                continue;
            }
            let outline = self.outline(&state.compound.boundary).map_err(not_encoded)?;
            layer = feature(layer, outline, id.number(), &state.compound.name);
        }
        if layer.num_features() > 0 {
            tile.add_layer(layer).map_err(not_encoded)?;
        }
        Ok(tile.to_bytes().map_err(not_encoded)?)
    }

    /// Outer ring clockwise as seen on the map, holes the other way, as the format asks; rings are closed by the encoder.
    fn outline(self, boundary: &Polygon) -> Result<GeomData, mvt::Error> {
        let oriented = boundary.as_geo().orient(Direction::Reversed);
        let mut shape = GeomEncoder::new(GeomType::Polygon);
        for ring in std::iter::once(oriented.exterior()).chain(oriented.interiors()) {
            let open = ring.0.len().saturating_sub(1);
            for corner in &ring.0[..open] {
                let (across, down) = self.steps(corner.x, corner.y);
                shape.add_point(across, down)?;
            }
            shape.complete_geom()?;
        }
        shape.encode()
    }
}

fn feature(layer: Layer, outline: GeomData, id: u64, name: &str) -> Layer {
    let mut feature = layer.into_feature(outline);
    feature.set_id(id);
    feature.add_tag_string("name", name);
    feature.into_layer()
}

#[expect(clippy::needless_pass_by_value, reason = "an error is mapped by value")]
fn not_encoded(error: mvt::Error) -> Edge {
    tracing::error!(%error, "a tile could not be encoded");
    Edge::Internal {}
}

#[cfg(test)]
mod tests {
    use super::super::super::test_app::{COMPOUND, TestApp};
    use super::*;
    use crate::domain::actor::Role;
    use crate::domain::compound::CompoundId;

    /// The tile at `zoom` in which a compound's first corner lies.
    fn address_of(app: &TestApp, compound: &str, zoom: u32) -> Address {
        let id: CompoundId = compound.parse().unwrap();
        let city = app.app.city();
        let corner = city.spatial().boundary(id).unwrap().as_geo().exterior().0[0];
        let whole = Address { zoom, column: 0, row: 0 };
        let (across, down) = whole.steps(corner.x, corner.y);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the grid")]
        let of = |steps: f64| (steps / f64::from(EXTENT)) as u32;
        Address { zoom, column: of(across), row: of(down) }
    }

    fn path(address: Address) -> String {
        format!("/tiles/compounds/{}/{}/{}.mvt", address.zoom, address.column, address.row)
    }

    #[test]
    fn a_tiles_corners_are_where_its_steps_begin_and_end() {
        for address in [Address { zoom: 10, column: 833, row: 402 }, Address { zoom: 14, column: 13_339, row: 6_446 }] {
            let (south_west, north_east) = address.corners().unwrap();
            let (left, bottom) = address.steps(south_west.lon(), south_west.lat());
            let (right, top) = address.steps(north_east.lon(), north_east.lat());
            let side = f64::from(EXTENT);
            for (found, wanted) in [(left, 0.0), (bottom, side), (right, side), (top, 0.0)] {
                assert!((found - wanted).abs() < 0.01, "{address:?}: {found} is not {wanted}");
            }
        }
    }

    #[tokio::test]
    async fn a_tile_has_what_the_caller_sees_and_nothing_else() {
        let app = TestApp::with_city().await;
        let (own, other) =
            (app.sign_in_as(7, Role::Observer, "140403001"), app.sign_in_as(8, Role::Observer, "140404"));
        for zoom in ZOOM_MIN..=ZOOM_MAX {
            let path = path(address_of(&app, COMPOUND, zoom));
            let seen = app.get(&path).bearer(&own).send().await;
            assert_eq!(seen.headers["content-type"], "application/vnd.mapbox-vector-tile");
            let id: u64 = COMPOUND.parse().unwrap();
            assert!(layer_holds(&seen.bytes, id), "zoom {zoom}");
            assert!(!layer_holds(&app.get(&path).bearer(&other).send().await.bytes, id), "zoom {zoom}");
        }
        let path = path(address_of(&app, COMPOUND, 14));
        assert_eq!(app.get(&path).send().await.problem(), (401, "not_signed_in"));
        let tag = app.get(&path).bearer(&own).send().await.headers["etag"].to_str().unwrap().to_owned();
        assert_eq!(app.get(&path).bearer(&own).header("if-none-match", &tag).send().await.status, 304);
    }

    /// Whether a feature of that id is in the tile: field 1 of a feature is its id, a varint (MVT 2.1, 4.2).
    fn layer_holds(tile: &[u8], id: u64) -> bool {
        let mut varint = vec![0x08];
        let mut left = id;
        while left >= 0x80 {
            varint.push(u8::try_from(left & 0x7f).unwrap() | 0x80);
            left >>= 7;
        }
        varint.push(u8::try_from(left).unwrap());
        tile.windows(varint.len()).any(|bytes| bytes == varint)
    }

    #[tokio::test]
    async fn addresses_outside_the_grid_are_refused() {
        let app = TestApp::with_city().await;
        let token = app.sign_in_as(7, Role::Observer, "1404");
        for bad in ["9/1/1.mvt", "15/1/1.mvt", "10/1024/1.mvt", "10/1/1024.mvt", "10/1/1", "10/-1/1.mvt", "x/1/1.mvt"] {
            let reply = app.get(&format!("/tiles/compounds/{bad}")).bearer(&token).send().await;
            assert_eq!(reply.problem(), (400, "bad_query"), "{bad}");
        }
    }
}
