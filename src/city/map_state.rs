//! How a compound stands on the map: in numbers, without people or households. The same for the live map and for HTTP.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::alert::{AlertKind, AlertStatus};
use crate::domain::area::AreaCode;
use crate::domain::compound::CompoundId;
use crate::domain::duty::{DutyCounts, Mode};
use crate::domain::hazard::ResponseLevel;
use crate::domain::ids::{AlertId, IncidentId};
use crate::domain::receipt::Funnel;
use crate::domain::roll_call::RollCounts;
use crate::domain::succession::Holder;

use super::state::{City, CompoundState};

/// How one compound stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one mark on the map, and any of them may stand beside any other"
)]
pub struct MapState {
    /// Which compound.
    pub id: CompoundId,
    /// Whether it is in emergency mode.
    pub emergency: bool,
    /// At which level; `None` in normal mode.
    pub level: Option<ResponseLevel>,
    /// Under which incident; `None` in normal mode.
    pub incident: Option<IncidentId>,
    /// Whether that incident is an exercise.
    pub exercise: bool,
    /// Whether nothing was heard for too long: unknown, never fine.
    pub silent: bool,
    /// Whether nobody of the compound itself is named to command it.
    pub nobody_named: bool,
    /// The area whose dispatchers hold the command; `None` while somebody of the line holds it.
    pub held_by_area: Option<AreaCode>,
    /// The last alert that went to it.
    pub alert: Option<MapAlert>,
    /// How its posts and calls stand; all zero in normal mode.
    pub duty: DutyCounts,
    /// Whether every called team has at least half of its places manned.
    pub ready: bool,
    /// Its roll in this emergency; `None` in normal mode, or where none was called.
    pub roll: Option<RollCounts>,
    /// Help requests that are open or assigned.
    pub help_open: u32,
}

/// How far the last alert has got in a compound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct MapAlert {
    /// Which.
    pub id: AlertId,
    /// Where it stands. A cancel stands as `cancelled`: what it withdrew holds no more, and nobody is asked to acknowledge it.
    pub status: AlertStatus,
    /// Whether it belongs to an exercise.
    pub exercise: bool,
    /// People: sent, on device, shown, acknowledged.
    pub people: Funnel,
    /// Whether somebody in command acknowledged it.
    pub acknowledged: bool,
}

impl City {
    /// How a compound stands on the map.
    pub fn map_state(&self, id: CompoundId, state: &CompoundState) -> MapState {
        let (level, incident) = match state.mode {
            Mode::Normal => (None, None),
            Mode::Emergency { incident, level } => (Some(level), Some(incident)),
        };
        let held_by_area = match state.succession.holder {
            Holder::Person(_) => None,
            Holder::Area(area) => Some(area),
        };
        let roll = self.current_roll(id);
        let under = incident.and_then(|incident| self.incident(incident).ok());
        MapState {
            id,
            emergency: incident.is_some(),
            level,
            incident,
            exercise: under.is_some_and(|state| state.incident.exercise),
            silent: state.silent,
            nobody_named: state.succession.has_nobody(),
            held_by_area,
            alert: self.map_alert(id, state),
            duty: state.duty(),
            ready: state.is_ready(),
            roll: roll.map(|roll| roll.counts),
            help_open: roll.map_or(0, |roll| roll.counts.help_open),
        }
    }

    fn map_alert(&self, id: CompoundId, state: &CompoundState) -> Option<MapAlert> {
        let alert_id = state.last_alert?;
        let alert = self.alert(alert_id).ok()?;
        let reach = alert.reach.get(id)?;
        let withdraws = matches!(alert.alert.draft.kind, AlertKind::Cancel { .. });
        Some(MapAlert {
            id: alert_id,
            status: if withdraws { AlertStatus::Cancelled } else { alert.alert.status },
            exercise: alert.alert.exercise,
            people: reach.funnel,
            acknowledged: reach.acknowledged.is_some(),
        })
    }

    /// The compounds of an area that changed on the map after `position`, by code. Costs by how many changed, not by how many there are.
    pub fn changed_since(&self, area: AreaCode, position: u64) -> Vec<(CompoundId, &CompoundState)> {
        let within = CompoundId::all_in(area);
        let later = self.changes.range((position.saturating_add(1), *within.start())..);
        let mut changed: Vec<CompoundId> = later.map(|(_, id)| *id).filter(|id| within.contains(id)).collect();
        changed.sort_unstable();
        changed.into_iter().filter_map(|id| Some((id, self.compounds.get(&id)?))).collect()
    }
}
