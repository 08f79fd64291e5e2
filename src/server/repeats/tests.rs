//! The layer with the whole stack round it.

use serde_json::{Value, json};

use super::super::test_app::{Ask, COMPOUND, PASSWORD, Reply, TestApp, person};
use super::*;
use crate::domain::actor::Role;

const KEY: &str = "00000000-0000-7000-8000-000000000001";
const OTHER_KEY: &str = "00000000-0000-7000-8000-000000000002";
const REDEEM: &str = "/api/v1/invitations/redeem";
const SESSION: &str = "/api/v1/session";

fn keyed<'a>(app: &'a TestApp, path: &str, key: &str, body: &Value) -> Ask<'a> {
    app.ask("POST", path).header("idempotency-key", key).json(body)
}

fn invitations() -> String {
    format!("/api/v1/compounds/{COMPOUND}/invitations")
}

async fn invite(app: &TestApp, token: &str, key: &str, people: &[u128]) -> Reply {
    let people: Vec<_> = people.iter().map(|n| person(*n)).collect();
    keyed(app, &invitations(), key, &json!({ "people": people })).bearer(token).send().await
}

/// What stands behind the `#` of a fresh invitation of person 3.
async fn secret(app: &TestApp, key: &str) -> String {
    let made = invite(app, &app.token_of(1), key, &[3]).await.ok();
    made[0]["url"].as_str().unwrap().split_once("/join#").unwrap().1.to_owned()
}

#[tokio::test]
async fn an_invitation_redeemed_twice_under_one_key_is_one_session() {
    let app = TestApp::with_city().await;
    let form = json!({ "invitation": secret(&app, KEY).await });
    let first = keyed(&app, REDEEM, KEY, &form).send().await.ok();
    // As a browser asks that has kept the cookie of an answer whose end it never saw.
    let again = keyed(&app, REDEEM, KEY, &form).header("cookie", "muster_session=mss_kept").send().await.ok();
    assert_eq!(first, again);
    let token = again["token"].as_str().unwrap();
    assert_eq!(app.get("/api/v1/me").bearer(token).send().await.ok()["name"], "张某3");

    let other = json!({ "invitation": secret(&app, OTHER_KEY).await });
    assert_eq!(keyed(&app, REDEEM, KEY, &other).send().await.problem(), (409, "command_id_reused"));
    assert_eq!(keyed(&app, REDEEM, OTHER_KEY, &form).send().await.problem(), (403, "invitation_used"));
    assert_eq!(app.ask("POST", REDEEM).json(&form).send().await.problem(), (403, "invitation_used"));
    let elsewhere = keyed(&app, REDEEM, KEY, &form).header("sec-fetch-site", "cross-site").send().await;
    assert_eq!(elsewhere.problem(), (403, "cross_site"));
}

#[tokio::test]
async fn signing_in_again_under_one_key_sets_the_same_cookie() {
    let app = TestApp::with_city().await;
    app.sign_in_as(7, Role::Dispatcher, "140403");
    let form = json!({ "login": "person7", "password": PASSWORD });
    let cookie = |reply: Reply| reply.headers["set-cookie"].to_str().unwrap().to_owned();
    let first = keyed(&app, SESSION, KEY, &form).send().await;
    let again = keyed(&app, SESSION, KEY, &form).send().await;
    assert_eq!((first.status, &first.text), (again.status, &again.text));
    assert_eq!(first.headers["content-type"], again.headers["content-type"]);
    assert_ne!(first.headers["x-request-id"], again.headers["x-request-id"]);
    let first = cookie(first);
    assert_eq!(first, cookie(again));
    assert_ne!(first, cookie(keyed(&app, SESSION, OTHER_KEY, &form).send().await));
    assert_ne!(first, cookie(app.ask("POST", SESSION).json(&form).send().await));
}

#[tokio::test]
async fn a_refusal_is_decided_anew() {
    let app = TestApp::with_city().await;
    let form = json!({ "login": "person7", "password": PASSWORD });
    assert_eq!(keyed(&app, SESSION, KEY, &form).send().await.problem(), (401, "bad_credentials"));
    app.sign_in_as(7, Role::Dispatcher, "140403");
    keyed(&app, SESSION, KEY, &form).send().await.ok();
}

#[tokio::test]
async fn links_made_twice_under_one_key_are_the_same_and_stay_good() {
    let app = TestApp::with_city().await;
    let (commander, deputy) = (app.token_of(1), app.token_of(2));
    let first = invite(&app, &commander, KEY, &[3]).await.ok();
    assert_eq!(first, invite(&app, &commander, KEY, &[3]).await.ok());
    assert_eq!(invite(&app, &commander, KEY, &[2]).await.problem(), (409, "command_id_reused"));
    let (_, secret) = first[0]["url"].as_str().unwrap().split_once("/join#").unwrap();
    keyed(&app, REDEEM, KEY, &json!({ "invitation": secret })).send().await.ok();
    let of_another = invite(&app, &deputy, KEY, &[3]).await;
    assert!(of_another.text.find(secret).is_none(), "another caller got the answer");

    app.ask("DELETE", SESSION).bearer(&commander).send().await;
    assert_eq!(invite(&app, &commander, KEY, &[3]).await.problem(), (401, "not_signed_in"));
}

#[tokio::test]
async fn links_for_everybody_of_a_usual_compound_are_remembered() {
    let app = TestApp::with_city().await;
    let one = invite(&app, &app.token_of(1), KEY, &[3]).await.text.len();
    assert!(one * 50 < ANSWER_BYTES_MAX, "{one} bytes an invitation");
}

#[tokio::test]
async fn an_account_is_made_once_under_one_key() {
    let app = TestApp::with_city().await;
    let token = app.sign_in_as(7, Role::Administrator, "1404");
    let form = json!({ "person": person(8), "login": "eight", "password": PASSWORD, "grants": [] });
    let create = |key| keyed(&app, "/api/v1/accounts", key, &form).bearer(&token).send();
    assert_eq!((create(KEY).await.status.as_u16(), create(KEY).await.status.as_u16()), (201, 201));
    assert_eq!(create(OTHER_KEY).await.problem(), (409, "already_exists"));
    assert_eq!(create("eight").await.problem(), (400, "idempotency_key_invalid"));
}

#[tokio::test]
async fn twins_at_once_are_done_once() {
    let app = TestApp::with_city().await;
    let form = json!({ "invitation": secret(&app, KEY).await });
    let redeem = || keyed(&app, REDEEM, KEY, &form).send();
    let (one, other, third) = tokio::join!(redeem(), redeem(), redeem());
    let one = one.ok();
    assert_eq!((&one, &one), (&other.ok(), &third.ok()));
}

#[tokio::test]
async fn who_hangs_up_while_it_is_done_gets_the_answer_on_asking_again() {
    let app = TestApp::with_city().await;
    let form = json!({ "invitation": secret(&app, KEY).await });
    let redeem = || keyed(&app, REDEEM, KEY, &form).send();
    tokio::select! {
        biased;
        _ = redeem() => panic!("it was answered before it could be done"),
        () = std::future::ready(()) => (),
    }
    let token = redeem().await.ok()["token"].as_str().unwrap().to_owned();
    assert_eq!(app.get("/api/v1/me").bearer(&token).send().await.ok()["name"], "张某3");
}
