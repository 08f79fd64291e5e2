//! Ids that nobody types: UUIDs (version 7), made at the edge and passed in.
//!
//! Keys that people know (area codes, compound codes, `3-2-502`) live with their nouns.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = Uuid)]
        pub struct $name(pub Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )*};
}

ids! {
    /// Somebody with a part to play. Name and phone live in the directory only.
    PersonId;
    /// What it all happens under.
    IncidentId;
    /// One alert message; an update or a cancel is an alert of its own.
    AlertId;
    /// The giver's own id for one command: the same id twice is done once.
    CommandId;
    /// One sending of a resource from one compound to another.
    DispatchId;
}
