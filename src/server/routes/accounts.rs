//! Accounts and grants: kept by administrators, each over their own area and what lies in it.
//!
//! Whoever knows a password acts as its person. So nobody may make or touch the account of somebody who is granted more, or has a
//! part in more compounds, than they administer.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::city::authority::Action;
use crate::directory::accounts::{AccountHolder, AccountView, GRANTS_MAX, Login};
use crate::directory::passwords::Password;
use crate::directory::people::PersonEntry;
use crate::domain::actor::{Actor, Grant};
use crate::domain::area::AreaCode;
use crate::domain::ids::PersonId;
use crate::domain::refusal::Refusal;
use crate::server::App;
use crate::server::caller::Caller;
use crate::server::error::{Answer, Edge};
use crate::server::extract::{Json, Page, Path, Query};

use super::paging::{PageOf, limit_of};

/// Somebody who is not in the directory yet.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewcomerForm {
    /// What they are called, at most 64 characters.
    name: String,
    /// How they are rung up, at most 32 characters.
    phone: Option<String>,
}

/// An account to be made for somebody who is in the directory, or comes into it with the account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountForm {
    /// Whose …
    person: Option<PersonId>,
    /// … or who is new; one of both.
    newcomer: Option<NewcomerForm>,
    /// What they will sign in with.
    login: String,
    /// 10 to 128 characters.
    #[schema(format = Password)]
    password: String,
    /// What they are granted.
    grants: Vec<Grant>,
}

/// Another password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordForm {
    /// 10 to 128 characters.
    #[schema(format = Password)]
    password: String,
}

/// Whether signing in is off.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DisabledForm {
    /// Off, or on again. Turning it off ends the person's sessions.
    disabled: bool,
}

/// 账号列表 Accounts of people all of whose grants and compounds lie in the caller's area, by login
#[utoipa::path(
    get, path = "/api/v1/accounts", tag = "accounts", params(Page), responses((status = 200, body = PageOf<AccountView>)),
    extensions(("x-muster-action" = json!("keep_accounts")))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(page): Query<Page>,
) -> Answer<Json<PageOf<AccountView>>> {
    app.city().may_somewhere(&caller.actor, Action::KeepAccounts)?;
    let (mut after, limit) = (page.after::<Login>()?, limit_of(page.limit));
    let muster = app.muster.clone();
    let found = app.directory.run(move |directory| {
        let mut found: Vec<AccountView> = Vec::new();
        loop {
            let some = directory.accounts(after.as_ref(), limit)?;
            let Some(last) = some.last() else { break };
            after = last.login.parse().ok();
            let city = muster.city();
            let own =
                |one: &AccountView| city.may_keep_account(&caller.actor, one.person, areas_of(&one.grants)).is_ok();
            found.extend(some.into_iter().filter(own));
            if found.len() > limit || after.is_none() {
                break;
            }
        }
        Ok(found)
    });
    Ok(Json(PageOf::fill(Some(limit), found.await?.into_iter().map(|account| (account.login.clone(), account)))))
}

/// 新建账号 Make an account
#[utoipa::path(
    post, path = "/api/v1/accounts", tag = "accounts", request_body = AccountForm, responses((status = 201)),
    extensions(("x-muster-action" = json!("keep_accounts")))
)]
pub async fn create(State(app): State<App>, caller: Caller, Json(form): Json<AccountForm>) -> Answer<StatusCode> {
    let AccountForm { person, newcomer, login, password, grants } = form;
    let holder = match (person, newcomer) {
        (Some(person), None) => AccountHolder::Known(person),
        // Somebody without any part or grant would be nobody's to keep.
        (None, Some(_)) if grants.is_empty() => {
            return Err(Refusal::BadCount { field: "grants", max: GRANTS_MAX }.into());
        }
        (None, Some(NewcomerForm { name, phone })) => {
            AccountHolder::Newcomer(PersonEntry { id: PersonId(Uuid::now_v7()), name, phone, note: None })
        }
        _ => return Err(Edge::MissingField { field: "person".to_owned() }.into()),
    };
    app.city().may_keep_account(&caller.actor, holder.person(), areas_of(&grants))?;
    let (login, password) = (login.parse()?, Password::parse(&password)?);
    app.directory.create_account(login, holder, password, grants, app.now()).await?;
    Ok(StatusCode::CREATED)
}

/// 授权 Grant a role over an area
#[utoipa::path(
    post, path = "/api/v1/accounts/{person}/grants", tag = "accounts", params(("person" = PersonId, Path)),
    request_body = Grant, responses((status = 204)), extensions(("x-muster-action" = json!("keep_accounts")))
)]
pub async fn grant(
    State(app): State<App>,
    caller: Caller,
    Path(person): Path<PersonId>,
    Json(grant): Json<Grant>,
) -> Answer<StatusCode> {
    app.city().may_in_area(&caller.actor, Action::KeepAccounts, grant.area)?;
    app.directory.run(move |directory| directory.grant(person, grant)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// 取消授权 Take a role over an area away
#[utoipa::path(
    delete, path = "/api/v1/accounts/{person}/grants", tag = "accounts", params(("person" = PersonId, Path)),
    request_body = Grant, responses((status = 204)), extensions(("x-muster-action" = json!("keep_accounts")))
)]
pub async fn revoke(
    State(app): State<App>,
    caller: Caller,
    Path(person): Path<PersonId>,
    Json(grant): Json<Grant>,
) -> Answer<StatusCode> {
    app.city().may_in_area(&caller.actor, Action::KeepAccounts, grant.area)?;
    app.directory.run(move |directory| directory.revoke_grant(person, grant)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// 修改密码 Set another password: one's own, or that of an account one administers; all its sessions end
#[utoipa::path(
    post, path = "/api/v1/accounts/{person}/password", tag = "accounts", params(("person" = PersonId, Path)),
    request_body = PasswordForm, responses((status = 204)), extensions(("x-muster-action" = json!("keep_accounts")))
)]
pub async fn change_password(
    State(app): State<App>,
    caller: Caller,
    Path(person): Path<PersonId>,
    Json(form): Json<PasswordForm>,
) -> Answer<StatusCode> {
    if caller.person()? != person {
        app.check_keeps_account(&caller.actor, person).await?;
    }
    app.directory.change_password(person, Password::parse(&form.password)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// 停用或启用账号 Turn signing in off or on
#[utoipa::path(
    post, path = "/api/v1/accounts/{person}/disabled", tag = "accounts", params(("person" = PersonId, Path)),
    request_body = DisabledForm, responses((status = 204)), extensions(("x-muster-action" = json!("keep_accounts")))
)]
pub async fn disable(
    State(app): State<App>,
    caller: Caller,
    Path(person): Path<PersonId>,
    Json(form): Json<DisabledForm>,
) -> Answer<StatusCode> {
    app.check_keeps_account(&caller.actor, person).await?;
    app.directory.run(move |directory| directory.set_disabled(person, form.disabled)).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl App {
    /// Whether the actor may keep the account that the person has.
    async fn check_keeps_account(&self, actor: &Actor, person: PersonId) -> Answer<()> {
        self.city().may_somewhere(actor, Action::KeepAccounts)?;
        let account = self.directory.run(move |directory| directory.account(person)).await?;
        let grants = account.ok_or(Refusal::UnknownAccount {})?.grants;
        Ok(self.city().may_keep_account(actor, person, areas_of(&grants))?)
    }
}

fn areas_of(grants: &[Grant]) -> impl Iterator<Item = AreaCode> + '_ {
    grants.iter().map(|grant| grant.area)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::test_app::{PASSWORD, TestApp, person};
    use crate::domain::actor::Role;

    #[tokio::test]
    async fn an_administrator_keeps_accounts_of_the_own_area_only() {
        let app = TestApp::with_city().await;
        let token = app.sign_in_as(7, Role::Administrator, "140403");
        let form = |area: &str| {
            let grants = json!([{ "role": "dispatcher", "area": area }]);
            json!({ "person": person(8), "login": "eight", "password": PASSWORD, "grants": grants })
        };
        let create = |area: &str| app.post("/api/v1/accounts").bearer(&token).json(&form(area)).send();
        assert_eq!(create("1404").await.problem(), (403, "not_your_area"));
        assert_eq!(create("140403001").await.status, 201);
        assert_eq!(create("140403001").await.problem(), (409, "already_exists"));

        let list = app.get("/api/v1/accounts?limit=1").bearer(&token).send().await.ok();
        assert_eq!((&list["items"][0]["login"], &list["next"]), (&"eight".into(), &"eight".into()));
        let grants = format!("/api/v1/accounts/{}/grants", person(8));
        let wider = json!({ "role": "observer", "area": "1404" });
        assert_eq!(app.post(&grants).bearer(&token).json(&wider).send().await.problem(), (403, "not_your_area"));
        let own = json!({ "role": "observer", "area": "140403" });
        assert_eq!(app.post(&grants).bearer(&token).json(&own).send().await.status, 204);
        assert_eq!(app.ask("DELETE", &grants).bearer(&token).json(&own).send().await.status, 204);
    }

    #[tokio::test]
    async fn nobody_takes_over_an_account_that_is_granted_more() {
        let app = TestApp::with_city().await;
        let small = app.sign_in_as(7, Role::Administrator, "140403");
        app.sign_in_as(8, Role::Administrator, "1404");
        for (what, form) in [("password", json!({ "password": PASSWORD })), ("disabled", json!({ "disabled": true }))] {
            let path = format!("/api/v1/accounts/{}/{what}", person(8));
            assert_eq!(app.post(&path).bearer(&small).json(&form).send().await.problem(), (403, "not_your_area"));
        }
        let own = format!("/api/v1/accounts/{}/password", person(7));
        assert_eq!(
            app.post(&own).bearer(&small).json(&json!({ "password": "short" })).send().await.problem().1,
            "bad_password"
        );
        assert_eq!(app.post(&own).bearer(&small).json(&json!({ "password": PASSWORD })).send().await.status, 204);
    }

    #[tokio::test]
    async fn nobody_makes_an_account_for_a_commander_elsewhere() {
        let app = TestApp::with_city().await;
        let token = app.sign_in_as(7, Role::Administrator, "140403001");
        let create = |n: u128| {
            let form = json!({ "person": person(n), "login": "commander", "password": PASSWORD, "grants": [] });
            app.post("/api/v1/accounts").bearer(&token).json(&form).send()
        };
        assert_eq!(create(4).await.problem(), (403, "not_your_area"));
        assert_eq!(create(1).await.status, 201);
    }

    #[tokio::test]
    async fn somebody_new_comes_with_an_account_and_signs_in() {
        let app = TestApp::with_city().await;
        let token = app.sign_in_as(7, Role::Administrator, "140403");
        let create = |form: serde_json::Value| app.post("/api/v1/accounts").bearer(&token).json(&form).send();
        let (newcomer, grants) = (json!({ "name": "李安" }), json!([{ "role": "observer", "area": "140403001" }]));
        let form = json!({ "newcomer": newcomer, "login": "li.an", "password": PASSWORD, "grants": grants });
        let mut twofold = form.clone();
        twofold["person"] = json!(person(8));
        assert_eq!(create(twofold).await.problem(), (400, "missing_field"), "whose it is must be clear");
        assert_eq!(create(form.clone()).await.status, 201);
        assert_eq!(create(form).await.problem(), (409, "already_exists"));
        let credentials = json!({ "login": "li.an", "password": PASSWORD, "bearer": true });
        let session = app.post("/api/v1/session").json(&credentials).send().await.ok();
        let me = app.get("/api/v1/me").bearer(session["token"].as_str().unwrap()).send().await.ok();
        assert_eq!((&me["name"], &me["grants"]), (&"李安".into(), &grants));
    }

    #[tokio::test]
    async fn a_dispatcher_keeps_no_accounts() {
        let app = TestApp::with_city().await;
        let token = app.sign_in_as(7, Role::Dispatcher, "1404");
        assert_eq!(app.get("/api/v1/accounts").bearer(&token).send().await.problem(), (403, "not_your_role"));
    }
}
