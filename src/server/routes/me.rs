//! Who the caller is and what they have to know: what they are granted, where they command, which posts they hold, to what they are
//! called, which alerts hold for them. One answer of one moment: a phone on a bad network asks once.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::city::City;
use crate::city::state::CompoundState;
use crate::domain::actor::{Giver, Grant};
use crate::domain::compound::CompoundId;
use crate::domain::duty::{CallState, Mode};
use crate::domain::ids::{IncidentId, PersonId};
use crate::domain::post::{ClaimStatus, PostKey, PostKind};
use crate::server::App;
use crate::server::caller::Caller;
use crate::server::error::Answer;
use crate::server::extract::Json;
use crate::server::time::Rfc3339;
use crate::server::views::own_alert::OwnAlert;
use crate::server::views::service::ServiceView;

use super::paging::PageOf;

/// Alerts that one answer tells at most, the last drafted first; a compound has a handful.
const ALERTS_MAX: usize = 10;

/// Who the caller is.
#[derive(Debug, Serialize, ToSchema)]
pub struct MeView {
    /// A person or, by its link, a household.
    pub giver: Giver,
    /// The caller's own name, as the directory has it.
    pub name: Option<String>,
    /// What the account is granted.
    pub grants: Vec<Grant>,
    /// Every compound in which the caller has a part.
    pub places: Vec<PlaceView>,
    /// The alerts that hold for the caller, the last drafted first; 10 at most.
    pub alerts: Vec<OwnAlert>,
    /// Position of the journal up to which this is true.
    pub position: u64,
}

/// The caller's part in one compound.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlaceView {
    /// Which compound.
    pub compound: CompoundId,
    /// Its name.
    pub name: String,
    /// Normal or emergency, under which incident and at which level.
    pub mode: Mode,
    /// Whether that incident is an exercise; `null` in normal mode.
    pub exercise: Option<bool>,
    /// Whether the caller commands it now.
    pub in_command: bool,
    /// Epoch of the command, for `Muster-Epoch`; given to those in the line of succession.
    pub epoch: Option<u32>,
    /// Place in the line of succession, 1 is the commander.
    pub rank: Option<usize>,
    /// Whether the command is offered to the caller.
    pub offered: bool,
    /// Posts held or asked for.
    pub posts: Vec<HeldPost>,
    /// Calls that count now.
    pub calls: Vec<OwnCall>,
}

/// A post that the caller holds or asks for.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeldPost {
    /// Which post.
    pub post: PostKey,
    /// What it is, from the catalogue; `null` where the catalogue lost it.
    pub kind: Option<PostKind>,
    /// Held, or asked for.
    pub status: ClaimStatus,
}

/// A call of the caller to a post.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnCall {
    /// To which post.
    pub post: PostKey,
    /// Under which incident.
    pub incident: IncidentId,
    /// Where it stands.
    pub state: CallState,
    /// Since when.
    pub called_at: Rfc3339,
    /// Until when to answer.
    pub answer_by: Rfc3339,
}

/// 我是谁 Who am I: grants, compounds, posts, calls, and the alerts that hold for me
#[utoipa::path(
    get, path = "/api/v1/me", tag = "session", responses((status = 200, body = MeView)),
    extensions(("x-muster-action" = json!("own")))
)]
pub async fn me(State(app): State<App>, caller: Caller) -> Answer<Json<MeView>> {
    let person = caller.actor.person_id();
    let entry = match person {
        Some(id) => app.directory.run(move |directory| directory.person(id)).await?,
        None => None,
    };
    let (city, now) = (app.city(), app.now());
    let places = person.into_iter().flat_map(|person| {
        let ids = city.places_of(person).collect::<Vec<_>>();
        let known = |id| Some((id, city.compound(id).ok()?));
        ids.into_iter().filter_map(known).map(|(id, state)| PlaceView::of(&city, person, id, state)).collect::<Vec<_>>()
    });
    let places = places.collect();
    let name = entry.map(|entry| entry.name);
    let alerts = city.alerts_newest_first(None)?;
    let alerts = alerts.map(|(id, state)| (id, OwnAlert::of(&city, &caller.actor, id, state, now)));
    let alerts = PageOf::sift(Some(ALERTS_MAX), alerts).items;
    let position = city.position();
    Ok(Json(MeView { giver: caller.actor.giver, name, grants: caller.actor.grants.clone(), places, alerts, position }))
}

/// 服务记录 What the caller served: times called and on post, hours, exercises apart; the latest 20 calls
#[utoipa::path(
    get, path = "/api/v1/me/service", tag = "session", responses((status = 200, body = ServiceView)),
    extensions(("x-muster-action" = json!("own")))
)]
pub async fn service(State(app): State<App>, caller: Caller) -> Answer<Json<ServiceView>> {
    let person = caller.person()?;
    Ok(Json(ServiceView::of(&app.city(), person, app.now())))
}

impl PlaceView {
    fn of(city: &City, person: PersonId, id: CompoundId, state: &CompoundState) -> Self {
        let command = &state.succession;
        let rank = command.line.iter().position(|one| *one == person).map(|at| at + 1);
        let incident = state.incident().and_then(|incident| city.incident(incident).ok());
        Self {
            compound: id,
            name: state.compound.name.clone(),
            mode: state.mode,
            exercise: incident.map(|state| state.incident.exercise),
            in_command: state.is_commanded_by(person),
            epoch: rank.map(|_| command.epoch),
            rank,
            offered: command.offered_to == Some(person),
            posts: held_posts(city, person, id, state),
            calls: own_calls(person, id, state),
        }
    }
}

fn held_posts(city: &City, person: PersonId, id: CompoundId, state: &CompoundState) -> Vec<HeldPost> {
    let own = state.posts.iter().filter_map(|post| {
        let claim = post.claims.iter().find(|claim| claim.person == person)?;
        let key = PostKey { compound: id, no: post.post.no };
        Some(HeldPost { post: key, kind: city.post_kind(&post.post.kind).cloned(), status: claim.status })
    });
    own.collect()
}

fn own_calls(person: PersonId, id: CompoundId, state: &CompoundState) -> Vec<OwnCall> {
    let Some(board) = &state.board else { return Vec::new() };
    let own = board.calls.iter().filter(|call| call.person == person && call.state.is_active());
    let view = |call: &crate::domain::duty::DutyCall| OwnCall {
        post: PostKey { compound: id, no: call.post },
        incident: board.incident,
        state: call.state,
        called_at: call.called_at.into(),
        answer_by: call.called_at.plus_s(board.answer_limit_s).into(),
    };
    own.map(view).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::test_app::{COMPOUND, TestApp};
    use crate::domain::actor::Role;

    #[tokio::test]
    async fn everybody_learns_their_own_part_and_no_other() {
        let app = TestApp::with_city().await;
        let me = |token: String| app.get("/api/v1/me").bearer(&token).send();
        let commander = me(app.token_of(1)).await.ok();
        assert_eq!(commander["name"], "张某1");
        assert_eq!(commander["places"][0]["compound"], COMPOUND);
        assert_eq!((&commander["places"][0]["in_command"], &commander["places"][0]["rank"]), (&true.into(), &1.into()));
        let holder = me(app.token_of(3)).await.ok();
        assert_eq!(holder["places"][0]["posts"][0]["post"], format!("{COMPOUND}#1"));
        assert_eq!(holder["places"][0]["epoch"], serde_json::Value::Null);
        let dispatcher = me(app.sign_in_as(7, Role::Dispatcher, "140403")).await.ok();
        assert_eq!(dispatcher["grants"][0]["area"], "140403");
        assert_eq!(app.get("/api/v1/me").send().await.problem(), (401, "not_signed_in"));
    }

    #[tokio::test]
    async fn a_household_is_itself() {
        let app = TestApp::with_city().await;
        let household = format!("{COMPOUND}/1-1-101");
        let link = app.link_of(&household);
        let me = app.get("/api/v1/me").header("authorization", &format!("Household {link}")).send().await.ok();
        assert_eq!(me["giver"]["household"], household);
        assert_eq!(me["name"], serde_json::Value::Null);
    }
}
