//! How a handler gives an order: [`Orderer`] has who gives it, under which id and epoch; [`Done`] is the answer.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::command::Command;
use crate::domain::ids::{CommandId, PersonId};
use crate::domain::refusal::Refusal;
use crate::engine::Accepted;

use super::App;
use super::caller::Caller;
use super::error::{Answer, Problem};
use super::extract::{Epoch, IdempotencyKey, Json};

/// A command was done, and is on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Done {
    /// Where in the journal it stands: what a socket's `resume` counts by.
    pub position: u64,
    /// Of which journal that is the position.
    pub epoch: String,
    /// Whether it had been done before under the same id: then this is the first answer again.
    pub repeated: bool,
}

/// Somebody who gives an order: the caller, the id (`Idempotency-Key`) and the epoch (`Muster-Epoch`).
pub struct Orderer {
    /// All that a handler can reach.
    pub app: App,
    /// Who gives it.
    pub caller: Caller,
    /// Their own id of it.
    pub id: CommandId,
    /// Under which epoch they think to act.
    pub epoch: Option<u32>,
}

impl Orderer {
    /// Whether these people are in the directory: asked before a part is given to them, because the city knows ids only, and who is
    /// unknown cannot be reached.
    ///
    /// # Errors
    /// [`Refusal::UnknownPerson`]; the directory cannot be used.
    pub async fn check_known(&self, people: &[PersonId]) -> Answer<()> {
        let asked = people.to_vec();
        let known = self.app.directory.run(move |directory| directory.people(&asked)).await?;
        let is_known = |id: &PersonId| known.iter().any(|person| person.id == *id);
        if people.iter().all(is_known) { Ok(()) } else { Err(Refusal::UnknownPerson {}.into()) }
    }

    /// Gives the order and waits until it is durable or refused.
    ///
    /// # Errors
    /// Why it was refused.
    pub async fn give(&self, command: Command) -> Answer<Json<Done>> {
        let actor = self.caller.actor.clone();
        let accepted = self.app.muster.order(actor, self.id, self.epoch, command).await?;
        Ok(Json(Done::of(&self.app, accepted)))
    }
}

impl Done {
    /// What is answered when the engine has taken a command.
    pub fn of(app: &App, accepted: Accepted) -> Self {
        let epoch = app.muster.journal_epoch().to_string();
        Self { position: accepted.position, epoch, repeated: accepted.repeated }
    }
}

impl FromRequestParts<App> for Orderer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Answer<Self> {
        let caller = Caller::from_request_parts(parts, app).await?;
        let IdempotencyKey(id) = IdempotencyKey::from_request_parts(parts, app).await?;
        let Epoch(epoch) = Epoch::from_request_parts(parts, app).await?;
        Ok(Self { app: app.clone(), caller, id, epoch })
    }
}
