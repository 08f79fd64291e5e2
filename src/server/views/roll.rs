//! The roll of a compound and its help requests as the API shows them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::city::City;
use crate::city::state::{CompoundState, IncidentState, Roll};
use crate::domain::compound::{CompoundId, Need};
use crate::domain::help::{HelpKey, HelpRequest, HelpState};
use crate::domain::household::{FlatNo, HouseholdKey, UnitNo};
use crate::domain::ids::{IncidentId, PersonId};
use crate::domain::roll_call::{HelpKind, HouseholdRoll, Report, RollStatus, Verified};
use crate::domain::time::Timestamp;
use crate::server::time::Rfc3339;

use super::incident::RollNumbers;
use super::{Occasion, compound_name};

/// The roll of a compound in numbers.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RollView {
    /// Which compound.
    pub compound: CompoundId,
    /// Its name.
    pub name: String,
    /// In which incident.
    pub incident: IncidentId,
    /// Real or exercise, in words too.
    #[serde(flatten)]
    pub occasion: Occasion,
    /// When it opened.
    pub opened_at: Rfc3339,
    /// When it closed; late reports are still taken while the incident is open.
    pub closed_at: Option<Rfc3339>,
    /// The compound.
    pub counts: RollNumbers,
    /// Its buildings.
    pub buildings: Vec<BuildingRoll>,
}

/// One building on the roll.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BuildingRoll {
    /// Its number.
    pub building: u16,
    /// All of it.
    pub counts: RollNumbers,
    /// Its stairwells.
    pub units: Vec<UnitRoll>,
}

/// One stairwell on the roll.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UnitRoll {
    /// Which: `3-2`.
    pub unit: UnitNo,
    /// All of it.
    pub counts: RollNumbers,
}

impl RollView {
    /// Of a compound's roll: running counts, read off.
    pub fn of(city: &City, incident: IncidentId, state: &CompoundState, roll: &Roll) -> Self {
        let exercise = city.incident(incident).is_ok_and(|incident| incident.incident.exercise);
        let units = |no: u16| {
            let range = UnitNo { building: no, unit: 0 }..=UnitNo { building: no, unit: u8::MAX };
            roll.units.range(range).map(|(unit, counts)| UnitRoll { unit: *unit, counts: (*counts).into() }).collect()
        };
        let building = |no: u16| BuildingRoll { building: no, counts: roll.building(no).into(), units: units(no) };
        Self {
            compound: state.compound.id,
            name: state.compound.name.clone(),
            incident,
            occasion: Occasion::of_exercise(exercise),
            opened_at: roll.opened_at.into(),
            closed_at: roll.closed_at.map(Rfc3339::from),
            counts: roll.counts.into(),
            buildings: state.compound.buildings.iter().map(|b| building(b.no)).collect(),
        }
    }
}

/// One report on a household.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ReportView {
    /// What it says.
    pub status: RollStatus,
    /// People it speaks for.
    pub heads: u16,
    /// How it is known.
    pub verified: Verified,
    /// When it was made.
    pub made_at: Rfc3339,
    /// What whoever comes has to know.
    pub note: Option<String>,
}

impl From<&Report> for ReportView {
    fn from(report: &Report) -> Self {
        let Report { made_at, status, heads, verified, note, .. } = report.clone();
        Self { status, heads, verified, made_at: made_at.into(), note }
    }
}

/// One household on the roll.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct HouseholdRow {
    /// Which flat.
    pub flat: FlatNo,
    /// The report that counts; `null` while unaccounted.
    pub report: Option<ReportView>,
    /// Reports that say otherwise and are at least as well verified.
    pub conflicts: Vec<ReportView>,
    /// Its help request that is still open.
    pub help: Option<HelpKey>,
    /// Why it is helped first; `null` for those who may not see it.
    pub needs: Option<Vec<Need>>,
}

impl HouseholdRow {
    /// Of one flat; `with_needs` for those who see which households are helped first.
    pub fn of(state: &CompoundState, incident: &IncidentState, roll: &Roll, flat: FlatNo, with_needs: bool) -> Self {
        let compound = state.compound.id;
        let reports = roll.households.get(&flat);
        Self {
            flat,
            report: reports.and_then(HouseholdRoll::current).map(ReportView::from),
            conflicts: reports.map_or_else(Vec::new, |roll| roll.conflicts().map(ReportView::from).collect()),
            help: incident.open_help_of(HouseholdKey { compound, flat }),
            needs: with_needs.then(|| state.compound.needs_of(flat).to_vec()),
        }
    }
}

/// A help request that waits.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct HelpView {
    /// Which.
    pub help: HelpKey,
    /// Name of the compound.
    pub compound_name: String,
    /// What is needed.
    pub kinds: Vec<HelpKind>,
    /// When the first report of it was made.
    pub made_at: Rfc3339,
    /// Seconds that it has waited.
    pub waiting_s: u64,
    /// What the latest report that asks for help says to whoever comes.
    pub note: Option<String>,
    /// Who has it.
    pub assigned_to: Option<PersonId>,
    /// Since when they have it.
    pub assigned_at: Option<Rfc3339>,
    /// A compound in which they have a part, this one first: its contacts say their name.
    pub assigned_from: Option<CompoundId>,
    /// Why the household is helped first; `null` for those who may not see it.
    pub needs: Option<Vec<Need>>,
}

impl HelpView {
    /// Of one request; `with_needs` for those who see which households are helped first.
    pub fn of(
        city: &City,
        incident: IncidentId,
        help: HelpKey,
        request: &HelpRequest,
        now: Timestamp,
        with_needs: bool,
    ) -> Self {
        let HouseholdKey { compound, flat } = help.household;
        let reports = city.roll(incident, compound).and_then(|roll| roll.households.get(&flat));
        let note = reports.and_then(HouseholdRoll::asking).and_then(|report| report.note.clone());
        let assigned = match request.state {
            HelpState::Assigned { to, at } => Some((to, at)),
            HelpState::Open | HelpState::Ended { .. } => None,
        };
        let from = |person: PersonId| city.places_of(person).min_by_key(|place| (*place != compound, *place));
        Self {
            help,
            compound_name: compound_name(city, compound),
            kinds: request.kinds.clone(),
            made_at: request.made_at.into(),
            waiting_s: now.since_s(request.made_at),
            note,
            assigned_to: assigned.map(|(to, _)| to),
            assigned_at: assigned.map(|(_, at)| at.into()),
            assigned_from: assigned.and_then(|(to, _)| from(to)),
            needs: with_needs.then(|| request.needs.clone()),
        }
    }
}
