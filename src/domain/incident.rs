//! Incidents: what it all happens under. Real or exercise is said once, when it opens, and never changes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::hazard::Hazard;
use super::refusal::Refusal;
use super::time::Timestamp;

/// Characters of an incident's title.
pub const TITLE_MAX: usize = 100;

/// What happened to an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentEvent {
    /// It began.
    Opened {
        /// What kind of danger.
        hazard: Hazard,
        /// Whether it is an exercise; set here and nowhere else.
        exercise: bool,
        /// What people call it.
        title: String,
    },
    /// It ended: all compounds back to normal, all help resolved or handed over.
    Closed {},
}

/// An incident as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Incident {
    /// What kind of danger.
    pub hazard: Hazard,
    /// Whether it is an exercise.
    pub exercise: bool,
    /// What people call it.
    pub title: String,
    /// When it opened.
    #[schema(value_type = i64)]
    pub opened_at: Timestamp,
    /// When it closed.
    #[schema(value_type = Option<i64>)]
    pub closed_at: Option<Timestamp>,
}

impl Incident {
    /// # Errors
    /// [`Refusal::IncidentClosed`].
    pub const fn check_open(&self) -> Result<(), Refusal> {
        match self.closed_at {
            None => Ok(()),
            Some(_) => Err(Refusal::IncidentClosed {}),
        }
    }

    // INVARIANT: an incident closes only when its compounds are back to normal and its help requests are resolved.
    /// # Errors
    /// [`Refusal::IncidentClosed`], [`Refusal::StillInEmergency`], [`Refusal::HelpStillOpen`].
    pub const fn decide_close(&self, in_emergency: usize, help_open: usize) -> Result<IncidentEvent, Refusal> {
        if self.closed_at.is_some() {
            return Err(Refusal::IncidentClosed {});
        }
        if in_emergency > 0 {
            return Err(Refusal::StillInEmergency { compounds: in_emergency });
        }
        if help_open > 0 {
            return Err(Refusal::HelpStillOpen { requests: help_open });
        }
        Ok(IncidentEvent::Closed {})
    }
}
