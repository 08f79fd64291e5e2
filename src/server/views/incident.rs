//! Incidents and their running counts as the API shows them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::city::City;
use crate::city::authority::Action;
use crate::city::state::IncidentState;
use crate::city::tally::Tally;
use crate::domain::actor::Actor;
use crate::domain::area::AreaCode;
use crate::domain::compound::CompoundId;
use crate::domain::duty::DutyCounts;
use crate::domain::hazard::Hazard;
use crate::domain::ids::IncidentId;
use crate::domain::roll_call::RollCounts;
use crate::server::time::Rfc3339;

use super::{Occasion, compound_name};

/// Scopes that one incident shows its counts for: who has more grants and places sees the first.
pub const SCOPES_MAX: usize = 50;

/// Counts of a roll, with those of whom nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct RollNumbers {
    /// What was reported.
    #[serde(flatten)]
    pub counts: RollCounts,
    /// Households of which nothing is known.
    pub unaccounted: u32,
}

impl From<RollCounts> for RollNumbers {
    fn from(counts: RollCounts) -> Self {
        Self { counts, unaccounted: counts.unaccounted() }
    }
}

/// Running counts of an area or a compound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TallyView {
    /// Which area; `null` for a compound.
    pub area: Option<AreaCode>,
    /// Which compound; `null` for an area.
    pub compound: Option<CompoundId>,
    /// Its name.
    pub name: String,
    /// Compounds in emergency mode.
    pub in_emergency: u32,
    /// Of these, ready: every called team has at least half of its places manned.
    pub ready: u32,
    /// Of these, from which nothing was heard for too long: unknown, never fine.
    pub silent: u32,
    /// Posts and calls.
    pub duty: DutyCounts,
    /// The roll.
    pub roll: RollNumbers,
}

impl TallyView {
    /// Of an area: one look-up, however large it is.
    pub fn of_area(city: &City, state: &IncidentState, area: AreaCode) -> Self {
        Self::new(Some(area), None, city.area_name(area), state.tally(area))
    }

    /// Of a compound.
    pub fn of_compound(city: &City, state: &IncidentState, id: CompoundId) -> Self {
        let share = state.shares.get(&id).copied().unwrap_or_default();
        Self::new(None, Some(id), compound_name(city, id), share.tally)
    }

    fn new(area: Option<AreaCode>, compound: Option<CompoundId>, name: String, tally: Tally) -> Self {
        let Tally { in_emergency, ready, silent, duty, roll } = tally;
        Self { area, compound, name, in_emergency, ready, silent, duty, roll: roll.into() }
    }
}

/// The areas and compounds in which an incident's numbers are the actor's business: their grants, then their places.
pub fn scopes(city: &City, actor: &Actor, state: &IncidentState) -> Vec<TallyView> {
    let seen = |area: &AreaCode| city.may_in_area(actor, Action::SeeCompound, *area).is_ok();
    let mut areas: Vec<AreaCode> = actor.grants.iter().map(|grant| grant.area).filter(seen).collect();
    areas.sort_unstable();
    areas.dedup();
    let places = actor.person_id().into_iter().flat_map(|person| city.places_of(person));
    let places = places.filter(|id| city.may(actor, Action::SeeCompound, *id).is_ok());
    let of_areas = areas.iter().map(|area| TallyView::of_area(city, state, *area));
    of_areas.chain(places.map(|id| TallyView::of_compound(city, state, id))).take(SCOPES_MAX).collect()
}

/// An incident, with the counts of what the reader may see of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct IncidentView {
    /// Its id.
    pub id: IncidentId,
    /// Real or exercise, in words too.
    #[serde(flatten)]
    pub occasion: Occasion,
    /// What kind of danger.
    pub hazard: Hazard,
    /// What people call it.
    pub title: String,
    /// When it opened.
    pub opened_at: Rfc3339,
    /// When it closed.
    pub closed_at: Option<Rfc3339>,
    /// Alerts issued under it.
    pub alerts: usize,
    /// How it stands in each of the reader's areas and compounds.
    pub tallies: Vec<TallyView>,
}

impl IncidentView {
    /// Of an incident, for a reader.
    pub fn of(city: &City, actor: &Actor, id: IncidentId, state: &IncidentState) -> Self {
        let incident = &state.incident;
        Self {
            id,
            occasion: Occasion::of_exercise(incident.exercise),
            hazard: incident.hazard,
            title: incident.title.clone(),
            opened_at: incident.opened_at.into(),
            closed_at: incident.closed_at.map(Rfc3339::from),
            alerts: state.alerts.len(),
            tallies: scopes(city, actor, state),
        }
    }
}
