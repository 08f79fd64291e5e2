//! Invitations for people and signed links for households: made by who may invite, handed over as QR codes.
//!
//! The secret stands behind the `#` of a link, which browsers send to nobody; the page that opens sends it in a header or body.

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use axum_extra::extract::CookieJar;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::city::authority::Action;
use crate::directory::invitations::INVITATION_LIFETIME_S;
use crate::directory::looks::{Look, LookedAt};
use crate::directory::qr::qr_svg;
use crate::domain::actor::Actor;
use crate::domain::compound::CompoundId;
use crate::domain::household::{FlatNo, HouseholdKey, UnitNo};
use crate::domain::ids::PersonId;
use crate::domain::refusal::Refusal;
use crate::server::App;
use crate::server::caller::Caller;
use crate::server::error::Answer;
use crate::server::extract::{Json, Path};
use crate::server::time::Rfc3339;

use super::session::{SignedIn, lasting_cookie};

/// People that one call may invite, and households that one call may make links for.
const LINKS_MAX: usize = 2_000;
/// Days that a household's link may be good for.
const LINK_DAYS_MAX: u32 = 365;
const SECONDS_A_DAY: u32 = 86_400;

/// Whom to invite.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteForm {
    /// People with a part in the compound; everybody when empty.
    #[serde(default)]
    people: Vec<PersonId>,
}

/// A one-time link for one person. It is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvitationView {
    /// For whom.
    pub person: PersonId,
    /// The link.
    pub url: String,
    /// The link as a QR code.
    #[schema(content_media_type = "image/svg+xml")]
    pub qr_svg: String,
    /// Until when it waits to be used.
    pub expires: Rfc3339,
}

/// For which households links are wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinksForm {
    /// All households of this stairwell …
    unit: Option<UnitNo>,
    /// … and these.
    #[serde(default)]
    flats: Vec<FlatNo>,
    /// Days that the links are good for, 1 to 365; as configured when absent.
    days: Option<u32>,
}

/// A household's signed link.
#[derive(Debug, Serialize, ToSchema)]
pub struct HouseholdLinkView {
    /// For whom it speaks.
    pub household: HouseholdKey,
    /// The link.
    pub url: String,
    /// The link as a QR code.
    #[schema(content_media_type = "image/svg+xml")]
    pub qr_svg: String,
    /// Until when it is good.
    pub expires: Rfc3339,
}

/// What stands behind the `#` of an invitation link.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RedeemForm {
    /// `msi_…`
    invitation: String,
    /// Whether a browser asks: then the token is its cookie, kept until the session ends, and not in the answer.
    #[serde(default)]
    cookie: bool,
}

/// 邀请 Make one-time links for people of a compound; earlier unused ones end
#[utoipa::path(
    post, path = "/api/v1/compounds/{compound}/invitations", tag = "links", params(("compound" = CompoundId, Path)),
    request_body = InviteForm, responses((status = 200, body = Vec<InvitationView>)),
    extensions(("x-muster-action" = json!("invite")))
)]
pub async fn invite(
    State(app): State<App>,
    caller: Caller,
    Path(compound): Path<CompoundId>,
    Json(form): Json<InviteForm>,
) -> Answer<impl IntoResponse> {
    let people = {
        let city = app.city();
        city.may(&caller.actor, Action::Invite, compound)?;
        chosen_people(city.compound(compound)?.people(), form.people)?
    };
    app.check_may_act_as(&caller.actor, &people).await?;
    let look = Look { by: caller.person()?, at: LookedAt::Compound(compound), why: "invitation".to_owned() };
    let (now, asked) = (app.now(), people.clone());
    let tokens = app.directory.run(move |directory| {
        directory.log_look(&look, now)?;
        directory.invite(&asked, now)
    });
    let tokens = tokens.await?;
    let expires = now.plus_s(INVITATION_LIFETIME_S).into();
    let views = people.into_iter().zip(tokens).map(|(person, token)| {
        let url = format!("{}/join#{}", app.config.server.origin(), token.expose());
        Ok(InvitationView { person, qr_svg: qr_svg(&url)?, url, expires })
    });
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(views.collect::<Answer<Vec<_>>>()?)))
}

/// Those who are asked for, all of whom must have a part; everybody when nobody is.
fn chosen_people(all: Vec<PersonId>, asked: Vec<PersonId>) -> Result<Vec<PersonId>, Refusal> {
    if asked.is_empty() {
        return Ok(all);
    }
    if asked.len() > LINKS_MAX {
        return Err(Refusal::BadCount { field: "people", max: LINKS_MAX });
    }
    if asked.iter().all(|person| all.contains(person)) { Ok(asked) } else { Err(Refusal::UnknownPerson {}) }
}

/// 使用邀请 Turn an invitation into a session of half a year on this phone; it works once
#[utoipa::path(
    post, path = "/api/v1/invitations/redeem", tag = "links", request_body = RedeemForm,
    responses((status = 200, body = SignedIn)), security(()), extensions(("x-muster-action" = json!("public")))
)]
pub async fn redeem(
    State(app): State<App>,
    headers: HeaderMap,
    jar: CookieJar,
    Json(form): Json<RedeemForm>,
) -> Answer<(CookieJar, Json<SignedIn>)> {
    app.check_not_cross_site(&headers)?;
    let now = app.now();
    let (token, session) = app.directory.run(move |directory| directory.redeem(&form.invitation, now)).await?;
    let answer = Json(SignedIn::new(&session, (!form.cookie).then_some(&token)));
    let jar = if form.cookie { jar.add(lasting_cookie(&app, &token)) } else { jar };
    Ok((jar, answer))
}

/// 住户链接 Sign links for households of a compound
#[utoipa::path(
    post, path = "/api/v1/compounds/{compound}/household-links", tag = "links", params(("compound" = CompoundId, Path)),
    request_body = LinksForm, responses((status = 200, body = Vec<HouseholdLinkView>)),
    extensions(("x-muster-action" = json!("invite")))
)]
pub async fn household_links(
    State(app): State<App>,
    caller: Caller,
    Path(compound): Path<CompoundId>,
    Json(form): Json<LinksForm>,
) -> Answer<impl IntoResponse> {
    let days = form.days.unwrap_or(app.config.auth.household_link_days);
    if !(1..=LINK_DAYS_MAX).contains(&days) {
        return Err(Refusal::BadCount { field: "days", max: LINK_DAYS_MAX as usize }.into());
    }
    let households = app.households_asked(&caller, compound, &form)?;
    let expires = app.now().plus_s(days * SECONDS_A_DAY);
    let origin = app.config.server.origin();
    let views = households.into_iter().map(|household| {
        let url = format!("{origin}/h#{}", app.directory.sign_link(household, expires)?);
        Ok(HouseholdLinkView { household, qr_svg: qr_svg(&url)?, url, expires: expires.into() })
    });
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(views.collect::<Answer<Vec<_>>>()?)))
}

impl App {
    /// Whoever holds an invitation can act as its person. So all of that person's compounds must be the inviter's to invite for,
    /// and what their account is granted must not be more than the inviter administers.
    async fn check_may_act_as(&self, actor: &Actor, people: &[PersonId]) -> Answer<()> {
        let asked = people.to_vec();
        let accounts = self.directory.run(move |directory| {
            asked.into_iter().map(|person| directory.account(person)).collect::<Result<Vec<_>, _>>()
        });
        let mut grants = accounts.await?.into_iter().flatten().flat_map(|account| account.grants);
        let city = self.city();
        grants.try_for_each(|grant| city.may_in_area(actor, Action::KeepAccounts, grant.area))?;
        let mut places = people.iter().flat_map(|person| city.places_of(*person));
        Ok(places.try_for_each(|place| city.may(actor, Action::Invite, place))?)
    }

    /// The households of the stairwell and the flats asked for, each once; the caller must be allowed to invite them.
    fn households_asked(
        &self,
        caller: &Caller,
        id: CompoundId,
        form: &LinksForm,
    ) -> Result<Vec<HouseholdKey>, Refusal> {
        let city = self.city();
        city.may(&caller.actor, Action::Invite, id)?;
        let compound = &city.compound(id)?.compound;
        let of_unit =
            form.unit.into_iter().flat_map(|unit| compound.flats().filter(move |flat| flat.unit_no() == unit));
        let mut flats: Vec<FlatNo> = of_unit.chain(form.flats.iter().copied()).collect();
        flats.sort_unstable();
        flats.dedup();
        if flats.is_empty() || flats.len() > LINKS_MAX {
            return Err(Refusal::BadCount { field: "flats", max: LINKS_MAX });
        }
        let households = flats.into_iter().map(|flat| HouseholdKey { compound: id, flat });
        let known = |household: HouseholdKey| {
            if compound.has(household.flat) { Ok(household) } else { Err(Refusal::UnknownHousehold { household }) }
        };
        households.map(known).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::test_app::{COMPOUND, ELSEWHERE, TestApp, person};

    #[tokio::test]
    async fn an_invitation_signs_its_person_in_once() {
        let app = TestApp::with_city().await;
        let path = format!("/api/v1/compounds/{COMPOUND}/invitations");
        let invite = |n: u128, people: u128| {
            app.post(&path).bearer(&app.token_of(n)).json(&json!({ "people": [person(people)] })).send()
        };
        assert_eq!(invite(3, 3).await.problem(), (403, "not_your_role"));
        assert_eq!(invite(1, 4).await.problem(), (404, "unknown_person"));
        let (claims, grant) = (format!("/api/v1/compounds/{COMPOUND}/posts/2/claims"), person(4));
        app.post(&claims).bearer(&app.token_of(4)).send().await.ok();
        app.post(&format!("{claims}/{grant}/grant")).bearer(&app.token_of(1)).send().await.ok();
        assert_eq!(
            invite(1, 4).await.problem(),
            (403, "not_your_area"),
            "who commands elsewhere cannot be impersonated"
        );
        let made = invite(1, 3).await.ok();
        assert!(made[0]["qr_svg"].as_str().unwrap().starts_with("<svg"));
        let (_, secret) = made[0]["url"].as_str().unwrap().split_once("/join#").unwrap();
        let redeem = || app.post("/api/v1/invitations/redeem").json(&json!({ "invitation": secret })).send();
        let token = redeem().await.ok()["token"].as_str().unwrap().to_owned();
        assert_eq!(app.get("/api/v1/me").bearer(&token).send().await.ok()["name"], "张某3");
        assert_eq!(redeem().await.problem(), (403, "invitation_used"));
    }

    #[tokio::test]
    async fn a_browser_keeps_its_invitation_as_a_cookie_that_lasts() {
        let app = TestApp::with_city().await;
        let path = format!("/api/v1/compounds/{COMPOUND}/invitations");
        let made = app.post(&path).bearer(&app.token_of(1)).json(&json!({ "people": [person(3)] })).send().await.ok();
        let (_, secret) = made[0]["url"].as_str().unwrap().split_once("/join#").unwrap();
        let form = json!({ "invitation": secret, "cookie": true });
        let redeem = |site: &'static str| {
            app.post("/api/v1/invitations/redeem").header("sec-fetch-site", site).json(&form).send()
        };
        assert_eq!(redeem("cross-site").await.problem(), (403, "cross_site"), "nobody is signed in by another's page");
        let reply = redeem("same-origin").await;
        let cookie = reply.headers["set-cookie"].to_str().unwrap().to_owned();
        assert!(cookie.contains("HttpOnly") && cookie.contains("Max-Age="), "{cookie}");
        assert!(reply.body.get("token").is_none(), "{}", reply.body);
        let pair = cookie.split(';').next().unwrap();
        assert_eq!(app.get("/api/v1/me").header("cookie", pair).send().await.ok()["name"], "张某3");
    }

    #[tokio::test]
    async fn a_stairwell_gets_a_link_for_each_household() {
        let app = TestApp::with_city().await;
        let ask = |compound: &str, form: serde_json::Value| {
            let path = format!("/api/v1/compounds/{compound}/household-links");
            app.post(&path).bearer(&app.token_of(1)).json(&form).send()
        };
        let links = ask(COMPOUND, json!({ "unit": "1-2", "days": 7 })).await.ok();
        assert_eq!(links.as_array().unwrap().len(), 12);
        assert_eq!(links[0]["household"], format!("{COMPOUND}/1-2-101"));
        for (compound, form, wanted) in [
            (COMPOUND, json!({ "flats": ["9-1-101"] }), (404, "unknown_household")),
            (COMPOUND, json!({}), (422, "bad_count")),
            (COMPOUND, json!({ "unit": "1-1", "days": 4_000_000_000_u32 }), (422, "bad_count")),
            (ELSEWHERE, json!({ "unit": "1-1" }), (403, "not_your_area")),
        ] {
            assert_eq!(ask(compound, form).await.problem(), wanted);
        }
    }
}
