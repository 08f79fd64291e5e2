//! Import of real data: a file in, a report out. All or nothing; with `dry_run` nothing is changed.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::city::authority::Action;
use crate::domain::datum::Datum;
use crate::import::{Draft, File, Kind, Report, take_in};
use crate::server::App;
use crate::server::error::{Answer, Edge};
use crate::server::extract::{Body, Json, Path, Query};
use crate::server::order::Orderer;

/// The route of imports, as it is matched: it has a time limit of its own.
pub(in crate::server) const ROUTE: &str = "/api/v1/imports/{kind}";

/// How the file is to be read.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// On which grid the coordinates were read; mandatory for compounds.
    pub datum: Option<Datum>,
    /// Whether only a report is wanted.
    #[serde(default)]
    pub dry_run: bool,
}

/// 导入 Take a file of areas, compounds, people, posts or plans in: all or nothing
///
/// CSV (UTF-8, header in Chinese or English), GeoJSON for compounds, a JSON array for plans. A file with a bad row is answered with 422
/// and the report, which names every bad row by its line; nothing of it is taken in.
#[utoipa::path(
    post, path = "/api/v1/imports/{kind}", tag = "imports", params(("kind" = Kind, Path), ImportQuery,
        ("Idempotency-Key" = uuid::Uuid, Header, description = "命令编号 The giver's own id of the command")),
    request_body(content((String = "text/csv"), (Object = "application/geo+json"), (Object = "application/json"))),
    responses((status = 200, body = Report), (status = 422, body = Report, description = "The file has bad rows")),
    extensions(("x-muster-action" = json!("keep_register")))
)]
pub async fn import(
    State(app): State<App>,
    orderer: Orderer,
    Path(kind): Path<Kind>,
    Query(query): Query<ImportQuery>,
    body: Body,
) -> Answer<Response> {
    app.city().may_somewhere(&orderer.caller.actor, Action::KeepRegister)?;
    let rows_max = app.config.import.rows_max;
    let read = move || Draft::read(File { kind, bytes: &body.0, datum: query.datum, rows_max });
    let draft = tokio::task::spawn_blocking(read).await.map_err(|_| Edge::Internal {})?;
    let Orderer { app, caller, id, .. } = orderer;
    // A task of its own: whoever asked may hang up, and directory and journal have to end alike all the same.
    let taking =
        tokio::spawn(async move { take_in(&app.muster, &app.directory, caller.actor, id, draft, query.dry_run).await });
    let report = taking.await.map_err(|_| Edge::Internal {})??;
    let status = if report.is_good() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok((status, Json(report)).into_response())
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;

    use super::super::super::test_app::{COMPOUND, TestApp};
    use crate::domain::actor::Role;

    macro_rules! sample {
        ($name:literal) => {
            Bytes::from_static(include_bytes!(concat!("../../../tests/data/import/", $name)))
        };
    }

    #[tokio::test]
    async fn a_file_is_looked_at_then_taken_in_once() {
        let app = TestApp::with_city().await;
        let token = app.sign_in_as(7, Role::Administrator, "140403001");
        let import = |query: &str, key: &str| {
            let path = format!("/api/v1/imports/compounds?{query}");
            let ask = app.ask("POST", &path).bearer(&token).header("idempotency-key", key);
            ask.body("application/geo+json", sample!("compounds.geojson")).send()
        };
        let (one, two) = ("018f0000-0000-7000-8000-000000000001", "018f0000-0000-7000-8000-000000000002");
        assert_eq!(import("", one).await.body["faults"][0]["code"], "datum_missing");
        let before = app.app.city().position();
        let looked = import("datum=wgs84&dry_run=true", one).await.ok();
        assert_eq!((&looked["accepted"], app.app.city().position()), (&2.into(), before));
        let done = import("datum=wgs84", two).await.ok();
        assert_eq!((&done["accepted"], &done["position"]), (&2.into(), &(before + 1).into()));
        assert_eq!(import("datum=wgs84", two).await.ok()["position"], before + 1);
        assert_eq!(app.app.city().compound_count(), 4);
        assert_eq!(import("datum=utm", two).await.problem(), (400, "bad_query"));
    }

    #[tokio::test]
    async fn people_come_into_the_directory_and_the_line_once() {
        let app = TestApp::with_city().await;
        let token = app.sign_in_as(7, Role::Administrator, "140403001");
        let import =
            || app.post("/api/v1/imports/people").bearer(&token).body("text/csv", sample!("people.csv")).send();
        assert_eq!(import().await.ok()["new_people"], 3);
        assert_eq!(import().await.ok()["new_people"], 0);
        let contacts = format!("/api/v1/compounds/{COMPOUND}/contacts?why=check");
        let contacts = app.get(&contacts).bearer(&app.token_of(1)).send().await.ok();
        assert_eq!((&contacts[0]["name"], &contacts[1]["name"]), (&"张某1".into(), &"示例甲".into()));
    }

    // INVARIANT: a replayed command id with another content changes nothing: neither those who came in under it, nor others.
    #[tokio::test]
    async fn another_file_under_the_same_command_id_touches_nobody() {
        let app = TestApp::with_city().await;
        let token = app.sign_in_as(7, Role::Administrator, "140403001");
        let key = "018f0000-0000-7000-8000-000000000003";
        let import = |body: Bytes| {
            let ask = app.ask("POST", "/api/v1/imports/people").bearer(&token).header("idempotency-key", key);
            ask.body("text/csv", body).send()
        };
        assert_eq!(import(sample!("people.csv")).await.ok()["new_people"], 3);
        let contacts = format!("/api/v1/compounds/{COMPOUND}/contacts?why=check");
        let contacts = || app.get(&contacts).bearer(&app.token_of(1)).send();
        let before = contacts().await.ok();
        let renamed = String::from_utf8(sample!("people.csv").to_vec()).unwrap().replace("示例", "另外");
        assert_eq!(import(renamed.into()).await.problem(), (409, "command_id_reused"));
        assert_eq!(contacts().await.ok(), before);
        assert_eq!(import(sample!("people.csv")).await.ok()["new_people"], 0, "the first is known as ever");
    }

    #[tokio::test]
    async fn a_bad_file_changes_nothing_and_others_rows_are_not_theirs() {
        let app = TestApp::with_city().await;
        let import = |token: String, kind: &str, body: Bytes| {
            app.post(&format!("/api/v1/imports/{kind}?datum=wgs84")).bearer(&token).body("text/csv", body).send()
        };
        let (before, admin) = (app.app.city().position(), app.sign_in_as(7, Role::Administrator, "140403001"));
        let bad = import(admin.clone(), "people", sample!("people-bad.csv")).await;
        assert_eq!((bad.status.as_u16(), &bad.body["accepted"]), (422, &0.into()));
        let elsewhere = app.sign_in_as(8, Role::Administrator, "140403002");
        let other = import(elsewhere, "posts", sample!("posts.csv")).await;
        assert_eq!((other.status.as_u16(), &other.body["faults"][0]["code"]), (422, &"not_your_area".into()));
        let volunteer = import(app.token_of(3), "posts", sample!("posts.csv")).await;
        assert_eq!(volunteer.problem(), (403, "not_your_role"));
        assert_eq!(import(admin, "pets", sample!("posts.csv")).await.problem().0, 400);
        assert_eq!(app.app.city().position(), before);
    }
}
