//! People: entering somebody, correcting and erasing them; the contacts of a compound, each look written down; the log of looks.

use std::collections::HashMap;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::city::authority::Action;
use crate::city::state::CompoundState;
use crate::directory::Directory;
use crate::directory::looks::{Look, LookView, LookedAt};
use crate::directory::people::PersonEntry;
use crate::domain::actor::Grant;
use crate::domain::area::AreaCode;
use crate::domain::compound::CompoundId;
use crate::domain::ids::PersonId;
use crate::domain::refusal::Refusal;
use crate::import::{self, Entry, Part};
use crate::server::App;
use crate::server::caller::Caller;
use crate::server::error::{Answer, Edge};
use crate::server::extract::{Json, Path, Query};
use crate::server::order::{Done, Orderer};
use crate::server::time::Rfc3339;

use super::paging::{PageOf, limit_of};

/// Looks on one page, at most.
const LOOKS_MAX: usize = 200;

/// Why somebody looks; it goes into the log.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WhyQuery {
    /// Why the caller looks, at most 200 characters; no names in it.
    #[param(example = "roll_call")]
    pub why: String,
}

/// Somebody of a compound and how to reach them.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContactView {
    /// Who.
    pub person: PersonId,
    /// What they are called; `null` when they were erased.
    pub name: Option<String>,
    /// How they are rung up.
    pub phone: Option<String>,
    /// Place in the line of succession, 1 is the commander.
    pub rank: Option<usize>,
    /// Numbers of the posts that they hold.
    pub posts: Vec<u16>,
}

/// Somebody to be entered, with the part that they get.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EntryForm {
    /// What they are called, at most 64 characters.
    name: String,
    /// How they are rung up, at most 32 characters.
    phone: String,
    /// Which part.
    part: Part,
}

/// What is known of somebody, as it is right.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonForm {
    /// What they are called, at most 64 characters.
    name: String,
    /// How they are rung up, at most 32 characters.
    phone: Option<String>,
}

/// Part of the log of looks.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LooksQuery {
    /// Looks at compounds of this area; the whole city shows looks at single persons, too.
    #[param(value_type = String)]
    pub area: AreaCode,
    /// `next` of the page before.
    pub after: Option<i64>,
    /// Entries wanted, 1 to 200; 100 when absent.
    pub limit: Option<usize>,
}

/// One look at names and phones.
#[derive(Debug, Serialize, ToSchema)]
pub struct LookEntry {
    /// When.
    pub at: Rfc3339,
    /// Who looked.
    pub by: PersonId,
    /// At what.
    pub looked_at: LookedAt,
    /// Why, in their words.
    pub why: String,
}

impl From<LookView> for LookEntry {
    fn from(look: LookView) -> Self {
        Self { at: look.when.into(), by: look.by, looked_at: look.at, why: look.why }
    }
}

/// 小区联系人 Names and phones of those with a part in a compound; the look is logged
#[utoipa::path(
    get, path = "/api/v1/compounds/{compound}/contacts", tag = "people", params(("compound" = CompoundId, Path), WhyQuery),
    responses((status = 200, body = Vec<ContactView>)), extensions(("x-muster-action" = json!("see_contacts")))
)]
pub async fn contacts(
    State(app): State<App>,
    caller: Caller,
    Path(compound): Path<CompoundId>,
    Query(query): Query<WhyQuery>,
) -> Answer<Json<Vec<ContactView>>> {
    let mut contacts = {
        let city = app.city();
        city.may(&caller.actor, Action::SeeContacts, compound)?;
        contacts_of(city.compound(compound)?)
    };
    let look = Look { by: caller.person()?, at: LookedAt::Compound(compound), why: query.why };
    let (ids, now): (Vec<_>, _) = (contacts.iter().map(|contact| contact.person).collect(), app.now());
    // INVARIANT: who cannot be logged sees nothing.
    let entries = app.directory.run(move |directory| {
        directory.log_look(&look, now)?;
        directory.people(&ids)
    });
    add_names(&mut contacts, entries.await?);
    Ok(Json(contacts))
}

fn contacts_of(state: &CompoundState) -> Vec<ContactView> {
    let line = &state.succession.line;
    let held = |person: PersonId| {
        let holds = state.posts.iter().filter(move |post| post.is_held_by(person));
        holds.map(|post| post.post.no).collect()
    };
    let contact = |person: PersonId| {
        let rank = line.iter().position(|one| *one == person).map(|at| at + 1);
        ContactView { person, name: None, phone: None, rank, posts: held(person) }
    };
    state.people().into_iter().map(contact).collect()
}

fn add_names(contacts: &mut [ContactView], entries: Vec<PersonEntry>) {
    let mut entries: HashMap<_, _> = entries.into_iter().map(|entry| (entry.id, entry)).collect();
    for contact in contacts {
        if let Some(entry) = entries.remove(&contact.person) {
            (contact.name, contact.phone) = (Some(entry.name), entry.phone);
        }
    }
}

/// 登记人员 Enter somebody with a part in a compound
///
/// Who has a part there already under the same name and phone is the same person and gets the further part.
#[utoipa::path(
    post, path = "/api/v1/compounds/{compound}/people", tag = "people", params(("compound" = CompoundId, Path)),
    request_body = EntryForm, responses((status = 200, body = Done)),
    extensions(("x-muster-action" = json!("keep_register")))
)]
pub async fn enter(
    orderer: Orderer,
    Path(compound): Path<CompoundId>,
    Json(EntryForm { name, phone, part }): Json<EntryForm>,
) -> Answer<Json<Done>> {
    let Orderer { app, caller, id, .. } = orderer;
    app.city().may(&caller.actor, Action::KeepRegister, compound)?;
    let (entry, desk) = (Entry { compound, part, name, phone }, app.clone());
    // A task of its own: whoever asked may hang up, and directory and journal have to end alike all the same.
    let entering =
        tokio::spawn(async move { import::enter(&desk.muster, &desk.directory, caller.actor, id, entry).await });
    let accepted = entering.await.map_err(|_| Edge::Internal {})??;
    Ok(Json(Done::of(&app, accepted)))
}

/// 更正人员 Correct somebody's name and phone
#[utoipa::path(
    put, path = "/api/v1/people/{person}", tag = "people", params(("person" = PersonId, Path)), request_body = PersonForm,
    responses((status = 204)), extensions(("x-muster-action" = json!("keep_register")))
)]
pub async fn correct(
    State(app): State<App>,
    caller: Caller,
    Path(person): Path<PersonId>,
    Json(form): Json<PersonForm>,
) -> Answer<StatusCode> {
    app.city().may_somewhere(&caller.actor, Action::KeepRegister)?;
    let granted = app.granted_areas(person).await?;
    app.city().may_correct_person(&caller.actor, person, &granted, app.directory.city())?;
    let correct = move |directory: &Directory| {
        let known = directory.person(person)?.ok_or(Refusal::UnknownPerson {})?;
        directory.upsert_people(&[PersonEntry { name: form.name, phone: form.phone, ..known }])
    };
    app.directory.run(correct).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// 查看记录 Who looked at names and phones, latest first
#[utoipa::path(
    get, path = "/api/v1/looks", tag = "people", params(LooksQuery), responses((status = 200, body = PageOf<LookEntry>)),
    extensions(("x-muster-action" = json!("keep_accounts")))
)]
pub async fn looks(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<LooksQuery>,
) -> Answer<Json<PageOf<LookEntry>>> {
    app.city().may_in_area(&caller.actor, Action::KeepAccounts, query.area)?;
    let limit = limit_of(query.limit).min(LOOKS_MAX - 1);
    let looks = app.directory.run(move |directory| directory.looks(query.area, query.after, limit + 1)).await?;
    Ok(Json(PageOf::fill(Some(limit), looks.into_iter().map(|look| (look.id, look.into())))))
}

/// 删除个人信息 Erase a person's name, phone and account for good; the id stays in the journal
#[utoipa::path(
    delete, path = "/api/v1/people/{person}", tag = "people", params(("person" = PersonId, Path)),
    responses((status = 204)), extensions(("x-muster-action" = json!("keep_accounts")))
)]
pub async fn erase(State(app): State<App>, caller: Caller, Path(person): Path<PersonId>) -> Answer<StatusCode> {
    let places: Vec<AreaCode> = app.city().places_of(person).map(CompoundId::community).collect();
    let mut touched = [places, app.granted_areas(person).await?].concat();
    if touched.is_empty() {
        touched.push(app.directory.city());
    }
    app.city().may_keep_account(&caller.actor, person, touched)?;
    let now = app.now();
    app.directory.run(move |directory| directory.erase_person(person, now)).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl App {
    /// Over which areas somebody's account is granted roles; none without an account.
    async fn granted_areas(&self, person: PersonId) -> Answer<Vec<AreaCode>> {
        let account = self.directory.run(move |directory| directory.account(person)).await?;
        Ok(account.into_iter().flat_map(|account| account.grants).map(|Grant { area, .. }| area).collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::test_app::{COMPOUND, ELSEWHERE, TestApp, person};
    use crate::domain::actor::Role;

    #[tokio::test]
    async fn contacts_are_for_those_in_command_and_each_look_is_written_down() {
        let app = TestApp::with_city().await;
        let path = format!("/api/v1/compounds/{COMPOUND}/contacts?why=roll_call");
        let look = |token: String| app.get(&path).bearer(&token).send();
        let contacts = look(app.token_of(1)).await.ok();
        assert_eq!((&contacts[0]["name"], &contacts[0]["rank"]), (&"张某1".into(), &1.into()));
        assert_eq!((&contacts[2]["phone"], &contacts[2]["posts"][0]), (&"13800000003".into(), &1.into()));
        assert_eq!(look(app.token_of(3)).await.problem(), (403, "not_your_role"));
        assert_eq!(look(app.token_of(4)).await.problem(), (403, "not_your_area"));
        let unsaid = app.get(path.split('?').next().unwrap()).bearer(&app.token_of(1)).send().await;
        assert_eq!(unsaid.problem(), (400, "missing_field"));

        let token = app.sign_in_as(7, Role::Administrator, "140403");
        let log = app.get("/api/v1/looks?area=140403001").bearer(&token).send().await.ok();
        assert_eq!(log["items"].as_array().unwrap().len(), 1);
        assert_eq!(
            (&log["items"][0]["by"], &log["items"][0]["why"]),
            (&person(1).to_string().into(), &"roll_call".into())
        );
        let wider = app.get("/api/v1/looks?area=1404").bearer(&token).send().await;
        assert_eq!(wider.problem(), (403, "not_your_area"));
    }

    #[tokio::test]
    async fn a_person_is_erased_by_who_administers_all_their_places() {
        let app = TestApp::with_city().await;
        let street = app.sign_in_as(7, Role::Administrator, "140403001");
        let erase = |n: u128| app.ask("DELETE", &format!("/api/v1/people/{}", person(n))).bearer(&street).send();
        assert_eq!(erase(4).await.problem(), (403, "not_your_area"), "{ELSEWHERE} is another street's");
        assert_eq!(erase(9).await.problem(), (403, "not_your_area"), "who has no place is the city's");
        let token = app.token_of(3);
        assert_eq!(erase(3).await.status, 204);
        assert_eq!(app.get("/api/v1/me").bearer(&token).send().await.problem(), (401, "not_signed_in"));
        let path = format!("/api/v1/compounds/{COMPOUND}/contacts?why=check");
        let contacts = app.get(&path).bearer(&app.token_of(1)).send().await.ok();
        assert_eq!(contacts[2]["name"], serde_json::Value::Null);
    }

    #[tokio::test]
    async fn somebody_is_entered_once_with_a_part() {
        let app = TestApp::with_city().await;
        let street = app.sign_in_as(7, Role::Administrator, "140403001");
        let path = format!("/api/v1/compounds/{COMPOUND}/people");
        let form = |name: &str, phone: &str, part: Value| json!({ "name": name, "phone": phone, "part": part });
        let enter = |form: Value, key: &str| {
            app.ask("POST", &path).bearer(&street).header("idempotency-key", key).json(&form).send()
        };
        let read = |what: &str| {
            let path = format!("/api/v1/compounds/{COMPOUND}/{what}");
            app.get(&path).bearer(&street).send()
        };
        let [one, two, three, four] = ["1", "2", "3", "4"].map(|n| format!("018f0000-0000-7000-8000-00000000000{n}"));
        let commander = form("示例甲", "13900000001", json!("commander"));
        enter(commander.clone(), &one).await.ok();
        assert_eq!(enter(commander, &one).await.ok()["repeated"], true);
        let line = read("command").await.ok()["line"].clone();
        assert_eq!((&line[1], &line[2], &line[3]), (&json!(person(1)), &json!(person(2)), &Value::Null));
        // The same person by name and phone gets a further part.
        enter(form("示例甲", "13900000001", json!({ "post": 2 })), &two).await.ok();
        assert_eq!(read("posts").await.ok()[1]["claims"][0]["person"], line[0]);
        let nowhere = enter(form("示例乙", "13900000002", json!({ "post": 9 })), &three).await;
        assert_eq!(nowhere.problem(), (404, "unknown_post"));
        assert!(app.app.directory.arriving(app.app.now()).unwrap().is_empty(), "who has no part did not come");
        assert_eq!(enter(form(" ", "13900000002", json!("deputy")), &four).await.problem(), (422, "bad_text"));
        let elsewhere = app.post(&format!("/api/v1/compounds/{ELSEWHERE}/people")).bearer(&street);
        let refused = elsewhere.json(&form("示例丙", "13900000003", json!("deputy"))).send().await;
        assert_eq!(refused.problem(), (403, "not_your_area"));
    }

    #[tokio::test]
    async fn a_name_is_corrected_by_who_keeps_all_their_places() {
        let app = TestApp::with_city().await;
        let street = app.sign_in_as(7, Role::Administrator, "140403001");
        app.sign_in_as(2, Role::Dispatcher, "140403");
        let correct = |n: u128| {
            let form = json!({ "name": "改名", "phone": "13911111111" });
            app.ask("PUT", &format!("/api/v1/people/{}", person(n))).bearer(&street).json(&form).send()
        };
        assert_eq!(correct(3).await.status, 204);
        assert_eq!(correct(4).await.problem(), (403, "not_your_area"), "{ELSEWHERE} is another street's");
        assert_eq!(correct(2).await.problem(), (403, "not_your_area"), "who is granted more than the street has");
        assert_eq!(correct(9).await.problem(), (403, "not_your_area"), "who has no place is the city's");
        let path = format!("/api/v1/compounds/{COMPOUND}/contacts?why=check");
        let contacts = app.get(&path).bearer(&app.token_of(1)).send().await.ok();
        assert_eq!((&contacts[2]["name"], &contacts[2]["phone"]), (&"改名".into(), &"13911111111".into()));
    }
}
