//! What every scene of the play shares: the server, who orders, who is hit, the phones, and what was measured.

use std::collections::HashMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::domain::area::AreaCode;
use crate::domain::compound::{Compound, CompoundId};
use crate::domain::ids::PersonId;

use super::api::{Api, Key};
use super::figures::Figures;
use super::human::Human;
use super::phone::Phone;
use super::teller::Teller;

/// How often a phone's notes are looked at while something is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Requests under way at once.
pub const REQUESTS_MAX: usize = 16;

/// The play as it stands.
pub struct Stage {
    /// The server.
    pub api: Api,
    /// The dispatcher who drafts and orders.
    pub city1: Key,
    /// The dispatcher who approves.
    pub city2: Key,
    /// Over which area they dispatch.
    pub area: AreaCode,
    /// Who they are: `city1`.
    pub city1_person: PersonId,
    /// How people behave.
    pub human: Human,
    /// Says how it goes.
    pub teller: Teller,
    /// The exercise.
    pub incident: Uuid,
    /// The alert, once drafted.
    pub alert: Uuid,
    /// The compounds that are hit.
    pub places: Vec<Place>,
    /// The compound with the most requests for help, once the roll was called.
    pub worst: Option<CompoundId>,
    /// The phones that are on.
    pub phones: Vec<Phone>,
    /// Which phone is whose.
    pub phone_of: HashMap<PersonId, usize>,
    /// Switches all phones off.
    pub off: CancellationToken,
    /// What was measured.
    pub figures: Figures,
}

/// A compound that is hit.
#[derive(Debug)]
pub struct Place {
    /// As registered.
    pub compound: Compound,
    /// Commander and deputies in order; empty where nobody is named.
    pub line: Vec<PersonId>,
    /// Its people who have a phone in the play.
    pub with_phone: Vec<PersonId>,
    /// Whether its commander does not answer.
    pub silent: bool,
}

impl Place {
    /// Its code.
    pub const fn id(&self) -> CompoundId {
        self.compound.id
    }
}

/// What an order made.
#[derive(Deserialize)]
pub struct Made {
    /// Its id.
    pub id: Uuid,
}

impl Stage {
    /// An order of the dispatcher whose answer does not matter beyond that it was done.
    ///
    /// # Errors
    /// What the server refused.
    pub async fn order(&self, path: &str, body: &Value) -> anyhow::Result<()> {
        self.api.post::<Value>(&self.city1, path, body).await.map(drop)
    }

    /// The compounds that are hit, by code.
    pub fn codes(&self) -> Vec<CompoundId> {
        self.places.iter().map(Place::id).collect()
    }

    /// The phone of a person.
    pub fn phone(&self, person: PersonId) -> Option<&Phone> {
        self.phone_of.get(&person).map(|at| &self.phones[*at])
    }

    /// Somebody of the place whose phone is heard: post-holders first, since those in command have enough to do.
    pub fn hand(&self, place: &Place) -> Option<&Phone> {
        place.with_phone.iter().rev().filter_map(|person| self.phone(*person)).find(|phone| !phone.owner.silent)
    }

    /// So many of their seconds, as long as they take here.
    pub fn their_s(&self, s: f64) -> Duration {
        self.human.takes("", "", s, s)
    }

    /// Waits until it holds, or the time is over; says whether it holds.
    pub async fn wait_until(&self, limit: Duration, holds: impl Fn(&Self) -> bool) -> bool {
        let until = Instant::now() + limit;
        while !holds(self) {
            if Instant::now() >= until {
                return false;
            }
            sleep(LOOK_EVERY).await;
        }
        true
    }
}
