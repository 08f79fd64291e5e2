//! What somebody served, as they see it themselves.

use serde::Serialize;
use utoipa::ToSchema;

use crate::city::City;
use crate::domain::duty::{CallState, Service, ServiceTotals};
use crate::domain::ids::{IncidentId, PersonId};
use crate::domain::post::PostKey;
use crate::domain::time::Timestamp;
use crate::server::time::Rfc3339;

use super::duty::post_title;
use super::{Occasion, compound_name};

/// A person's service record.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceView {
    /// The call that counts now.
    pub current: Option<ServiceLine>,
    /// All that have ended, of the real thing.
    pub real: ServiceTotals,
    /// All that have ended, of exercises.
    pub exercises: ServiceTotals,
    /// The latest that have ended, at most 20.
    pub recent: Vec<ServiceLine>,
}

/// One call to duty.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceLine {
    /// To which post.
    pub post: PostKey,
    /// Name of its compound.
    pub compound_name: String,
    /// Title in Chinese; empty where the post is gone.
    pub title_zh: String,
    /// Title in English; empty where the post is gone.
    pub title_en: String,
    /// Under which incident.
    pub incident: IncidentId,
    /// What people call it.
    pub incident_title: String,
    /// Real or exercise, in words too.
    #[serde(flatten)]
    pub occasion: Occasion,
    /// Where it stands, or stood at the end.
    pub state: CallState,
    /// When the person was called.
    pub called_at: Rfc3339,
    /// When the person said that they were there.
    pub on_post_at: Option<Rfc3339>,
    /// When they were relieved; `null` while it counts, or when they did not come.
    pub ended_at: Option<Rfc3339>,
    /// Seconds on post, until now while it counts.
    pub on_post_s: u64,
}

impl ServiceView {
    /// Of one person at that time.
    pub fn of(city: &City, person: PersonId, now: Timestamp) -> Self {
        let record = city.services_of(person).cloned().unwrap_or_default();
        let line = |service: &Service| ServiceLine::of(city, service, now);
        Self {
            current: city.service_now(person).as_ref().map(line),
            real: record.real,
            exercises: record.exercises,
            recent: record.recent.iter().map(line).collect(),
        }
    }
}

impl ServiceLine {
    fn of(city: &City, service: &Service, now: Timestamp) -> Self {
        let Service { post, incident, state, called_at, on_post_at, ended_at } = *service;
        let under = city.incident(incident).ok().map(|state| &state.incident);
        let titles = city.compound(post.compound).ok().map(|state| post_title(city, state, post.no));
        let (title_zh, title_en) = titles.unwrap_or_default();
        Self {
            post,
            compound_name: compound_name(city, post.compound),
            title_zh,
            title_en,
            incident,
            incident_title: under.map(|incident| incident.title.clone()).unwrap_or_default(),
            occasion: Occasion::of(under),
            state,
            called_at: called_at.into(),
            on_post_at: on_post_at.map(Rfc3339::from),
            ended_at: ended_at.map(Rfc3339::from),
            on_post_s: service.on_post_s(now),
        }
    }
}
