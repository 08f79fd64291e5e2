//! An alert as one of its recipients sees it: what it says, whether they acknowledged it, and for which compounds that is waited for.

use serde::Serialize;
use utoipa::ToSchema;

use crate::city::City;
use crate::city::state::AlertState;
use crate::domain::actor::Actor;
use crate::domain::alert::{AlertKind, AlertStatus};
use crate::domain::alert_content::AlertContent;
use crate::domain::compound::CompoundId;
use crate::domain::ids::{AlertId, PersonId};
use crate::domain::receipt::Stage;
use crate::domain::succession::Holder;
use crate::domain::time::Timestamp;
use crate::server::time::Rfc3339;

use super::Occasion;

/// An alert or a cancel that holds now and that the caller may read.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OwnAlert {
    /// Which.
    pub alert: AlertId,
    /// Real or exercise, in words too.
    #[serde(flatten)]
    pub occasion: Occasion,
    /// New, update or cancel of which.
    pub kind: AlertKind,
    /// When it was sent.
    pub sent: Rfc3339,
    /// What it says.
    pub content: AlertContent<Rfc3339>,
    /// Whether the caller acknowledged it.
    pub acknowledged: bool,
    /// Compounds whose command the caller holds and for which nobody acknowledged yet.
    pub asked: Vec<OwnAsked>,
}

/// The caller is to acknowledge for a compound.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OwnAsked {
    /// Which.
    pub compound: CompoundId,
    /// Until when; `null` when nobody is left to pass the command on to.
    pub due_at: Option<Rfc3339>,
}

impl OwnAlert {
    /// `None` unless the alert holds at that time and the actor may read it.
    pub fn of(city: &City, actor: &Actor, id: AlertId, state: &AlertState, now: Timestamp) -> Option<Self> {
        let alert = &state.alert;
        let content = &alert.draft.content;
        // The cheap questions first: most alerts are old.
        if alert.status != AlertStatus::Issued || content.is_expired(now) {
            return None;
        }
        city.may_read_alert(actor, id).ok()?;
        let person = actor.person_id();
        Some(Self {
            alert: id,
            occasion: Occasion::of_exercise(alert.exercise),
            kind: alert.draft.kind,
            sent: alert.issue.as_ref()?.identity.sent.into(),
            content: content.clone().into(),
            acknowledged: person.is_some_and(|person| {
                acknowledged_at_home(city, person, state)
                    || !actor.grants.is_empty() && acknowledged_for_area(person, state)
            }),
            asked: person.map_or_else(Vec::new, |person| asked(city, person, id)),
        })
    }
}

/// Whether the person did so in a compound in which they have a part.
fn acknowledged_at_home(city: &City, person: PersonId, state: &AlertState) -> bool {
    let mut reaches = city.places_of(person).filter_map(|compound| state.reach.get(compound));
    reaches.any(|reach| reach.stage_of(person) == Some(Stage::Acknowledged))
}

/// Whether a dispatcher to whom the command fell did so; of all compounds of the alert, as it may be any of their area.
fn acknowledged_for_area(person: PersonId, state: &AlertState) -> bool {
    state.reach.values().any(|reach| reach.acknowledged.is_some_and(|(by, _)| by == person))
}

fn asked(city: &City, person: PersonId, id: AlertId) -> Vec<OwnAsked> {
    let asked = city.places_of(person).filter_map(|compound| city.acknowledgement_asked(id, compound));
    let own = asked.filter(|(holder, _)| *holder == Holder::Person(person));
    own.map(|(_, asked)| OwnAsked { compound: asked.compound, due_at: asked.due_at.map(Into::into) }).collect()
}
