//! What a household sees of itself through its own link: nothing of anybody else.

use serde::Serialize;
use utoipa::ToSchema;

use crate::city::City;
use crate::city::state::{CompoundState, IncidentState, Roll};
use crate::domain::alert::Alert;
use crate::domain::alert_content::AlertContent;
use crate::domain::compound::{CompoundId, Place};
use crate::domain::help::HelpState;
use crate::domain::household::HouseholdKey;
use crate::domain::ids::{AlertId, IncidentId};
use crate::domain::roll_call::{HelpKind, HouseholdRoll, Report, Verified};
use crate::domain::time::Timestamp;
use crate::server::time::Rfc3339;

use super::roll::ReportView;
use super::{Occasion, Words};

/// A household as it sees itself.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HouseholdView {
    /// Which household.
    pub household: HouseholdKey,
    /// Name of its compound.
    pub compound_name: String,
    /// Real, exercise or routine, in words.
    #[serde(flatten)]
    pub occasion: Occasion,
    /// The incident whose roll is open for reports; check-ins name it.
    pub incident: Option<IncidentId>,
    /// What people call it.
    pub incident_title: Option<String>,
    /// The report that counts; `null` while unaccounted.
    pub report: Option<ReportView>,
    /// Its own requests for help.
    pub help: Vec<OwnHelp>,
    /// The alert that holds for its compound now.
    pub alert: Option<HouseholdAlert>,
    /// Where its compound gathers; check-ins name one by its place in this list, from 0.
    pub assembly_points: Vec<Place>,
}

/// A request for help of the household itself.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OwnHelp {
    /// What is needed.
    pub kinds: Vec<HelpKind>,
    /// When the first report of it was made.
    pub made_at: Rfc3339,
    /// How far it has got, in words.
    pub stands: Words,
    /// Whether it still waits for help.
    pub open: bool,
}

/// The alert that holds now.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HouseholdAlert {
    /// Which.
    pub alert: AlertId,
    /// What it says.
    pub content: AlertContent<Rfc3339>,
}

impl HouseholdView {
    /// Of one household at that time.
    pub fn of(city: &City, household: HouseholdKey, state: &CompoundState, now: Timestamp) -> Self {
        let found = open_roll(city, household.compound);
        let incident = found.map(|(_, incident, _)| incident);
        let reports = found.and_then(|(_, _, roll)| roll.households.get(&household.flat));
        let help = incident.into_iter().flat_map(|incident| incident.help_of(household));
        let help = help.map(|(_, request)| OwnHelp {
            kinds: request.kinds.clone(),
            made_at: request.made_at.into(),
            stands: stands(&request.state),
            open: request.is_open(),
        });
        Self {
            household,
            compound_name: state.compound.name.clone(),
            occasion: Occasion::of(incident.map(|incident| &incident.incident)),
            incident: found.map(|(id, ..)| id),
            incident_title: incident.map(|incident| incident.incident.title.clone()),
            report: reports.and_then(HouseholdRoll::current).map(own_words),
            help: help.collect(),
            alert: alert_now(city, state, now),
            assembly_points: state.compound.assembly_points.clone(),
        }
    }
}

/// A report without what others noted for one another: a household reads its own notes only.
fn own_words(report: &Report) -> ReportView {
    let view = ReportView::from(report);
    ReportView { note: view.note.filter(|_| report.verified == Verified::SelfReport), ..view }
}

/// The roll on which the household's report would be taken: the current one, or the latest of an incident that is still open.
fn open_roll(city: &City, id: CompoundId) -> Option<(IncidentId, &IncidentState, &Roll)> {
    let current = city.compound(id).ok().and_then(CompoundState::incident);
    let open = city
        .incidents_newest_first(None)
        .into_iter()
        .flatten()
        .filter(|(_, state)| state.incident.check_open().is_ok());
    let taken = open.filter_map(|(incident, state)| Some((incident, state, state.rolls.get(&id)?)));
    taken.max_by_key(|(incident, state, _)| (Some(*incident) == current, state.incident.opened_at))
}

fn alert_now(city: &City, state: &CompoundState, now: Timestamp) -> Option<HouseholdAlert> {
    let active = |alert: &Alert| alert.is_active(now);
    let alert = state.last_alert?;
    let content = city.alert(alert).ok().map(|found| &found.alert).filter(|alert| active(alert))?.draft.content.clone();
    Some(HouseholdAlert { alert, content: content.into() })
}

const fn stands(state: &HelpState) -> Words {
    match state {
        HelpState::Open => Words { zh: "已收到，正在安排", en: "Received, being arranged" },
        HelpState::Assigned { .. } => Words { zh: "已派人", en: "Somebody is on the way" },
        HelpState::Ended { .. } => Words { zh: "已结束", en: "Ended" },
    }
}
