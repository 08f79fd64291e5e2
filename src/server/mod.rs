//! L4: the edge. HTTP comes in here, is parsed once into the words of the domain, and goes to [`runtime`](crate::runtime) or
//! [`directory`](crate::directory); what comes back becomes JSON or a [`error::Problem`].
//!
//! [`mod@router`] has the routes, [`middleware`] what stands before them, [`error`] alone makes errors into HTTP, [`caller`] says who
//! asks, [`extract`] reads the rest of a request, [`repeats`] answers it again, [`openapi`] describes it all. A handler lives in `routes/<noun>.rs`, beside the
//! shapes (DTOs) that only the API has, and has 5 to 15 lines. No rule lives here: who may is asked of `city::authority`.

pub mod assets;
pub mod caller;
pub mod error;
pub mod extract;
pub mod kept;
pub mod language;
pub mod middleware;
pub mod openapi;
pub mod order;
pub mod origin;
pub mod repeats;
pub mod replays;
pub mod router;
pub mod routes;
pub mod socket;
#[cfg(test)]
pub(crate) mod test_app;
pub mod time;
pub mod views;

use std::ops::Deref;
use std::sync::Arc;

use crate::city::City;
use crate::config::Config;
use crate::config::base_map::BaseMap;
use crate::config::templates::Templates;
use crate::directory::Directory;
use crate::domain::time::Timestamp;
use crate::journal::JournalReader;
use crate::live::Hub;
use crate::runtime::Muster;

pub use router::router;

use replays::Replays;

/// What every handler can reach. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The running city: read it, give it orders.
    pub muster: Muster,
    /// Names, phones, accounts.
    pub directory: Directory,
    /// As loaded at the start.
    pub config: Arc<Config>,
    /// Texts of alerts, with the city's own in the place of those delivered.
    pub templates: Arc<Templates>,
    /// The city's own base map.
    pub base_map: Option<Arc<BaseMap>>,
    /// The journal, to read the log from; `None` where it is kept in memory only.
    pub journal: Option<Arc<dyn JournalReader>>,
    /// Who is connected now.
    pub hub: Hub,
    /// Tells incidents again, one at a time.
    pub replays: Replays,
}

impl App {
    /// The city as it stands. Never held across an await.
    pub fn city(&self) -> impl Deref<Target = City> + '_ {
        self.muster.city()
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        self.muster.now()
    }
}
