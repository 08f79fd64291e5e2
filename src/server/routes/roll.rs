//! The roll: reports on households, one or many, and the roll of a compound down to the flat. Help requests are in `help`.

use axum::extract::State;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::city::authority::Action;
use crate::domain::actor::{Actor, Giver};
use crate::domain::command::Command;
use crate::domain::compound::CompoundId;
use crate::domain::household::{FlatNo, HouseholdKey, UnitNo};
use crate::domain::ids::{CommandId, IncidentId};
use crate::domain::refusal::Refusal;
use crate::domain::roll_call::{CheckIn, RollStatus, Verified};
use crate::server::App;
use crate::server::caller::Caller;
use crate::server::error::Answer;
use crate::server::extract::{Json, Path, Query};
use crate::server::order::{Done, Orderer};
use crate::server::time::Rfc3339;
use crate::server::views::household::HouseholdView;
use crate::server::views::roll::{HouseholdRow, RollView};

use super::paging::PageOf;

/// Reports that one request may carry.
pub const BATCH_MAX: usize = 500;

/// One report on one household.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckInForm {
    /// On whom: `140403001001001/3-2-502`.
    pub household: HouseholdKey,
    /// `"safe"`, `"away"`, `"missing"`, `{"evacuated": {"assembly_point": 0}}` or `{"need_help": {"kinds": ["medical"]}}`.
    pub status: RollStatus,
    /// People it speaks for, 0 to 50.
    pub heads: u16,
    /// How it is known.
    pub verified: Verified,
    /// When it was made, which may be long before it arrives.
    pub made_at: Rfc3339,
    /// What whoever comes has to know, at most 200 characters. It stays in the journal: no names, no phones.
    pub note: Option<String>,
}

impl CheckInForm {
    fn in_roll_of(self, incident: IncidentId) -> Command {
        let Self { household, status, heads, verified, made_at, note } = self;
        let made_at = made_at.into();
        Command::CheckIn(CheckIn { incident, household, status, heads, verified, made_at, note })
    }
}

/// A report out of a phone's queue, with its own command id.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QueuedCheckIn {
    /// The command id that the phone gave it when it was made: however often it is sent, it is done once.
    pub id: CommandId,
    /// What it says.
    pub check_in: CheckInForm,
    /// The epoch under which a commander verified it.
    pub epoch: Option<u32>,
}

/// Reports that come together.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchForm {
    /// At most 500.
    pub check_ins: Vec<QueuedCheckIn>,
}

/// What came of one report of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct Outcome {
    /// Its command id.
    pub id: CommandId,
    /// It was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done: Option<Taken>,
    /// It was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
}

/// Where in the journal a report stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct Taken {
    /// Position of its record.
    pub position: u64,
    /// Whether it had been taken before under the same id.
    pub repeated: bool,
}

/// Why a report was refused.
#[derive(Debug, Serialize, ToSchema)]
pub struct Refused {
    /// The stable code.
    pub code: &'static str,
    /// What is said in Chinese.
    pub zh: String,
    /// What is said in English.
    pub en: String,
    /// Whether sending it again later, under the same id, may succeed.
    pub try_again: bool,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        use crate::domain::refusal::Class;
        let try_again = matches!(refusal.class(), Class::TooMuch | Class::Unavailable);
        Self { code: refusal.code(), zh: refusal.zh(), en: refusal.en(), try_again }
    }
}

/// 报平安 Takes a report on a household: by itself, by a neighbour, at the door, by the commander.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/check-ins", tag = "roll",
    params(("id" = uuid::Uuid, Path)), request_body = CheckInForm,
    responses((status = 200, body = Done)), extensions(("x-muster-action" = json!("check_in"))))]
pub async fn check_in(
    orderer: Orderer,
    Path(incident): Path<IncidentId>,
    Json(form): Json<CheckInForm>,
) -> Answer<Json<Done>> {
    orderer.give(form.in_roll_of(incident)).await
}

/// 批量补报 Takes the reports that a phone queued while it was offline; each is answered by itself.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/check-ins/batch", tag = "roll",
    params(("id" = uuid::Uuid, Path)), request_body = BatchForm,
    responses((status = 200, body = Vec<Outcome>)), extensions(("x-muster-action" = json!("check_in"))))]
pub async fn check_ins(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Path(incident): Path<IncidentId>,
    Json(form): Json<BatchForm>,
) -> Answer<Json<Vec<Outcome>>> {
    if form.check_ins.is_empty() || form.check_ins.len() > BATCH_MAX {
        return Err(Refusal::BadCount { field: "check_ins", max: BATCH_MAX }.into());
    }
    // All are given before the first is waited for, so that they share a round and its one durable write.
    let all = form.check_ins.into_iter().map(|queued| take(&app, actor.clone(), incident, queued));
    Ok(Json(join_all(all).await))
}

async fn take(app: &App, actor: Actor, incident: IncidentId, queued: QueuedCheckIn) -> Outcome {
    let id = queued.id;
    match app.muster.order(actor, id, queued.epoch, queued.check_in.in_roll_of(incident)).await {
        Ok(accepted) => Outcome {
            id,
            done: Some(Taken { position: accepted.position, repeated: accepted.repeated }),
            refused: None,
        },
        Err(refusal) => Outcome { id, done: None, refused: Some(refusal.into()) },
    }
}

/// 小区点名 The roll of a compound in numbers: compound, buildings, stairwells.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/compounds/{compound}/roll", tag = "roll",
    params(("id" = uuid::Uuid, Path), ("compound" = String, Path)),
    responses((status = 200, body = RollView)), extensions(("x-muster-action" = json!("see_compound"))))]
pub async fn of_compound(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Path((incident, id)): Path<(IncidentId, CompoundId)>,
) -> Answer<Json<RollView>> {
    let city = app.city();
    city.may(&actor, Action::SeeCompound, id)?;
    let state = city.compound(id)?;
    let roll = city.roll(incident, id).ok_or(Refusal::NoRollCall { compound: id })?;
    Ok(Json(RollView::of(&city, incident, state, roll)))
}

/// Which stairwell, and where to go on.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HouseholdsQuery {
    /// Only of this stairwell: `3-2`.
    #[param(value_type = Option<String>)]
    unit: Option<UnitNo>,
    /// Only those of whom nothing is known.
    #[serde(default)]
    unaccounted: bool,
    /// Go on after this flat: `3-2-502`.
    #[param(value_type = Option<String>)]
    after: Option<FlatNo>,
    /// Entries at most, 1 to 500; 100 when not given.
    limit: Option<usize>,
}

/// 逐户点名 The roll of a compound household by household, by flat.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/compounds/{compound}/households", tag = "roll",
    params(("id" = uuid::Uuid, Path), ("compound" = String, Path), HouseholdsQuery),
    responses((status = 200, body = PageOf<HouseholdRow>)), extensions(("x-muster-action" = json!("see_roll"))))]
pub async fn households(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Path((incident, id)): Path<(IncidentId, CompoundId)>,
    Query(query): Query<HouseholdsQuery>,
) -> Answer<Json<PageOf<HouseholdRow>>> {
    let city = app.city();
    city.may(&actor, Action::SeeRoll, id)?;
    let with_needs = city.may(&actor, Action::SeeVulnerable, id).is_ok();
    let state = city.compound(id)?;
    let roll = city.roll(incident, id).ok_or(Refusal::NoRollCall { compound: id })?;
    let wanted = |flat: &FlatNo| {
        query.unit.is_none_or(|unit| flat.unit_no() == unit)
            && query.after.is_none_or(|after| *flat > after)
            && !(query.unaccounted && roll.households.contains_key(flat))
    };
    let mut flats: Vec<FlatNo> = state.compound.flats().filter(wanted).collect();
    flats.sort_unstable();
    let incident = city.incident(incident)?;
    let rows = flats.into_iter().map(|flat| (flat, HouseholdRow::of(state, incident, roll, flat, with_needs)));
    Ok(Json(PageOf::fill(query.limit, rows)))
}

/// 本户情况 What the household of the caller's link sees of itself.
#[utoipa::path(get, path = "/api/v1/household", tag = "roll", responses((status = 200, body = HouseholdView)),
    extensions(("x-muster-action" = json!("own"))))]
pub async fn own_household(State(app): State<App>, Caller { actor, .. }: Caller) -> Answer<Json<HouseholdView>> {
    let Giver::Household(household) = actor.giver else {
        return Err(Refusal::NotYourRole { zh: "打开住户页面", en: "open a household's page" }.into());
    };
    let city = app.city();
    let state = city.compound(household.compound)?;
    if !state.compound.has(household.flat) {
        return Err(Refusal::UnknownHousehold { household }.into());
    }
    Ok(Json(HouseholdView::of(&city, household, state, app.now())))
}
