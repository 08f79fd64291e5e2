//! Ids of what orders make: alerts, incidents, dispatches.
//!
//! They are made from the command's own id (`Idempotency-Key`), so that a repeat makes nothing new and answers with the first one's
//! id: [`made_by`]. A request that carries out two commands, or makes two things, derives the further id: [`follow_up`].

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::ids::CommandId;
use crate::server::order::Done;

/// An order was carried out, and something has come of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Made {
    /// Id of what was made: the one that was given, or the order's own (`Idempotency-Key`).
    pub id: Uuid,
    /// What became of the order.
    #[serde(flatten)]
    pub done: Done,
}

// INVARIANT: the same command twice is done once.
/// Id of what a command makes: the one that the client gave, or the command's own.
pub fn made_by(command: CommandId, given: Option<Uuid>) -> Uuid {
    given.unwrap_or(command.0)
}

/// A further id that follows from a command's: 122 bits of the SHA-256 of that id and what the step is called.
pub fn follow_up(command: CommandId, step: &str) -> Uuid {
    let hash: [u8; 32] = Sha256::new().chain_update(command.0.as_bytes()).chain_update(step).finalize().into();
    let mut half = [0; 16];
    half.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(half).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_follow_up_is_always_the_same_and_another_than_the_first() {
        let key = CommandId(Uuid::from_u128(7));
        assert_eq!(follow_up(key, "submit"), follow_up(key, "submit"));
        assert_ne!(follow_up(key, "submit"), key.0);
        assert_ne!(follow_up(key, "submit"), follow_up(key, "open"));
        assert_ne!(follow_up(key, "submit"), follow_up(CommandId(Uuid::from_u128(8)), "submit"));
    }
}
