//! The administrative tree.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::city::authority::Action;
use crate::domain::area::{Area, AreaCode, AreaLevel};
use crate::domain::geometry::Point;
use crate::server::App;
use crate::server::caller::Caller;
use crate::server::extract::Json;

/// A node of the administrative tree.
#[derive(Debug, Serialize, ToSchema)]
pub struct AreaView {
    /// Its code, of which the wider areas' codes are beginnings.
    pub code: AreaCode,
    /// Its name in Chinese.
    pub name: String,
    /// How deep in the tree.
    pub level: AreaLevel,
    /// The next wider area; `null` for the city.
    pub parent: Option<AreaCode>,
    /// Compounds that lie in it; only for those who see the whole area.
    pub compounds: Option<usize>,
    /// The middle of its compounds, degrees, to stand for it on a map; only for those who see the whole area, `null` where none is.
    pub center: Option<Point>,
}

/// 区划 The administrative tree, widest first
#[utoipa::path(
    get, path = "/api/v1/areas", tag = "areas", responses((status = 200, body = Vec<AreaView>)),
    extensions(("x-muster-action" = json!("signed_in")))
)]
pub async fn areas(State(app): State<App>, caller: Caller) -> Json<Vec<AreaView>> {
    let city = app.city();
    let view = |area: &Area| {
        let seen = city.may_in_area(&caller.actor, Action::SeeCompound, area.code).is_ok();
        let (compounds, center) = seen.then(|| city.spatial().middle_of(area.code)).unzip();
        let (code, level, parent) = (area.code, area.code.level(), area.code.parent());
        AreaView { code, name: area.name.clone(), level, parent, compounds, center: center.flatten() }
    };
    Json(city.areas().map(view).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::super::test_app::TestApp;
    use crate::domain::actor::Role;

    #[tokio::test]
    async fn the_tree_counts_only_what_the_caller_sees() {
        let app = TestApp::with_city().await;
        let token = app.sign_in_as(7, Role::Observer, "140403001");
        let areas = app.get("/api/v1/areas").bearer(&token).send().await.ok();
        let of = |code: &str| areas.as_array().unwrap().iter().find(|area| area["code"] == code).unwrap().clone();
        assert_eq!((&of("140403001")["compounds"], &of("140403001")["parent"]), (&1.into(), &"140403".into()));
        assert_eq!(of("140403")["compounds"], Value::Null);
        assert_eq!(app.get("/api/v1/areas").send().await.problem().0, 401);
    }
}
