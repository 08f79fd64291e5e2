//! Duty as the API shows it: the board of an area, posts that nobody fills, and the calls of one compound.

use serde::Serialize;
use utoipa::ToSchema;

use crate::city::City;
use crate::city::state::CompoundState;
use crate::domain::area::AreaCode;
use crate::domain::compound::CompoundId;
use crate::domain::duty::{CallState, CalledPost, DutyBoard, DutyCall, DutyCounts, Mode};
use crate::domain::hazard::ResponseLevel;
use crate::domain::ids::{IncidentId, PersonId};
use crate::domain::post::{PostKey, Team};
use crate::domain::refusal::Refusal;
use crate::server::time::Rfc3339;

use super::Occasion;

/// How the posts of an area are staffed in an incident.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BoardView {
    /// Under which incident.
    pub incident: IncidentId,
    /// Real or exercise, in words too.
    #[serde(flatten)]
    pub occasion: Occasion,
    /// Which area.
    pub area: AreaCode,
    /// Its name.
    pub name: String,
    /// Compounds in emergency mode.
    pub in_emergency: u32,
    /// Of these, ready: every called team has at least half of its places manned.
    pub ready: u32,
    /// Of these, from which nothing was heard for too long: unknown, never fine.
    pub silent: u32,
    /// Running counts of posts and calls.
    pub duty: DutyCounts,
    /// Seconds from the switch to its level until the middle one of the ready compounds was ready; `null` while none is.
    pub median_ready_s: Option<u64>,
}

impl BoardView {
    /// Of an area: all of it is read off running counts.
    ///
    /// # Errors
    /// [`Refusal::UnknownIncident`].
    pub fn of(city: &City, incident: IncidentId, area: AreaCode) -> Result<Self, Refusal> {
        let state = city.incident(incident)?;
        let tally = state.tally(area);
        Ok(Self {
            incident,
            occasion: Occasion::of_exercise(state.incident.exercise),
            area,
            name: city.area_name(area),
            in_emergency: tally.in_emergency,
            ready: tally.ready,
            silent: tally.silent,
            duty: tally.duty,
            median_ready_s: state.median_ready_s(area),
        })
    }
}

/// A called post with places that nobody fills.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Vacancy {
    /// Which post.
    pub post: PostKey,
    /// Name of its compound.
    pub compound_name: String,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// The team it belongs to; `null` where the catalogue does not know its kind.
    pub team: Option<Team>,
    /// People that it needs.
    pub headcount: u8,
    /// People who are called, coming or there.
    pub filled: usize,
}

/// The called posts of a compound with places that nobody fills, by number.
pub fn vacancies<'a>(city: &'a City, id: CompoundId, state: &'a CompoundState) -> impl Iterator<Item = Vacancy> + 'a {
    let vacancies = state.board.iter().flat_map(DutyBoard::vacancies);
    vacancies.map(move |(CalledPost { no, headcount, team }, filled)| {
        let (title_zh, title_en) = post_title(city, state, no);
        let post = PostKey { compound: id, no };
        Vacancy { post, compound_name: state.compound.name.clone(), title_zh, title_en, team, headcount, filled }
    })
}

/// Titles of a post of the compound; empty where the catalogue lost it.
pub fn post_title(city: &City, state: &CompoundState, no: u16) -> (String, String) {
    let post = state.posts.iter().find(|post| post.post.no == no);
    let kind = post.and_then(|post| city.post_kind(&post.post.kind));
    kind.map_or_else(Default::default, |kind| (kind.title_zh.clone(), kind.title_en.clone()))
}

/// One call of a compound.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CallView {
    /// To which post.
    pub post: PostKey,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// Who is called.
    pub person: PersonId,
    /// Where it stands.
    pub state: CallState,
    /// When the person was called.
    pub called_at: Rfc3339,
    /// Until when to answer before the bench is called; only while no answer came.
    pub answer_by: Option<Rfc3339>,
    /// When the person last answered.
    pub answered_at: Option<Rfc3339>,
    /// Why the person declined; shown to those who see contacts.
    pub reason: Option<String>,
}

/// The duty of one compound.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CompoundDutyView {
    /// Which compound.
    pub compound: CompoundId,
    /// Its name.
    pub name: String,
    /// Normal or emergency, under which incident and at which level.
    pub mode: Mode,
    /// Real, exercise or routine, in words.
    #[serde(flatten)]
    pub occasion: Occasion,
    /// At which level.
    pub level: Option<ResponseLevel>,
    /// Activated version of the plan.
    pub plan: Option<u32>,
    /// When it was switched to emergency mode.
    pub since: Option<Rfc3339>,
    /// Whether every called team has at least half of its places manned.
    pub ready: bool,
    /// Seconds from the switch to its level until it was ready; `null` while it is not.
    pub time_to_ready_s: Option<u64>,
    /// How the calls stand.
    pub duty: DutyCounts,
    /// Every call, in the order in which they were made.
    pub calls: Vec<CallView>,
    /// Posts with places that nobody fills.
    pub vacancies: Vec<Vacancy>,
}

impl CompoundDutyView {
    /// Of one compound; `with_reasons` for those who see contacts.
    pub fn of(city: &City, id: CompoundId, state: &CompoundState, with_reasons: bool) -> Self {
        let board = state.board.as_ref();
        let incident = state.incident().and_then(|incident| city.incident(incident).ok());
        let view = |board: &DutyBoard, call: &DutyCall| {
            let (title_zh, title_en) = post_title(city, state, call.post);
            let waits = call.state == CallState::Called;
            CallView {
                post: PostKey { compound: id, no: call.post },
                title_zh,
                title_en,
                person: call.person,
                state: call.state,
                called_at: call.called_at.into(),
                answer_by: waits.then(|| call.called_at.plus_s(board.answer_limit_s).into()),
                answered_at: call.answered_at.map(Rfc3339::from),
                reason: call.reason.clone().filter(|_| with_reasons),
            }
        };
        Self {
            compound: id,
            name: state.compound.name.clone(),
            mode: state.mode,
            occasion: Occasion::of(incident.map(|state| &state.incident)),
            level: board.map(|board| board.level),
            plan: board.and_then(|board| board.plan),
            since: board.map(|board| board.since.into()),
            ready: state.is_ready(),
            time_to_ready_s: board.and_then(DutyBoard::time_to_ready_s),
            duty: state.duty(),
            calls: board.map_or_else(Vec::new, |board| board.calls.iter().map(|call| view(board, call)).collect()),
            vacancies: vacancies(city, id, state).collect(),
        }
    }
}
