//! Who gave a command: a person, a household by its link, or the system itself, and what their account was granted.
//!
//! Commander and post-holder are no account roles: they follow from the journal (line of succession, claims), and the city
//! works them out from the person's id. What a role may do is said in one place, `city::authority`, never here.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::area::AreaCode;
use super::compound::CompoundId;
use super::household::HouseholdKey;
use super::ids::PersonId;

/// What an account is granted over an area.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 管理员: keeps people, plans and accounts.
    Administrator,
    /// 调度员: issues alerts and orders.
    Dispatcher,
    /// 观察员: looks and changes nothing.
    Observer,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 3] = [Self::Administrator, Self::Dispatcher, Self::Observer];
}

/// One role over one area; the area is inclusive of all that lies in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// What is granted.
    pub role: Role,
    /// Over which area.
    pub area: AreaCode,
}

/// Whose command it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Giver {
    /// Somebody who signed in.
    Person(PersonId),
    /// Whoever holds a household's signed link; speaks for that household alone.
    Household(HouseholdKey),
    /// Timers and the like.
    System,
}

impl Giver {
    /// Which person it is; `None` for a household and the system.
    pub const fn person_id(self) -> Option<PersonId> {
        match self {
            Self::Person(id) => Some(id),
            Self::Household(_) | Self::System => None,
        }
    }
}

/// Who gave a command, and what their account was granted when they gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// Whose command it is.
    pub giver: Giver,
    /// What the account is granted; empty for households, the system and people without an account.
    #[serde(default)]
    pub grants: Vec<Grant>,
}

impl Actor {
    /// Timers and the like.
    pub const fn system() -> Self {
        Self { giver: Giver::System, grants: Vec::new() }
    }

    /// Somebody who signed in.
    pub const fn person(id: PersonId, grants: Vec<Grant>) -> Self {
        Self { giver: Giver::Person(id), grants }
    }

    /// Whoever holds a household's link.
    pub const fn household(key: HouseholdKey) -> Self {
        Self { giver: Giver::Household(key), grants: Vec::new() }
    }

    /// Which person it is; `None` for a household and the system.
    pub const fn person_id(&self) -> Option<PersonId> {
        self.giver.person_id()
    }

    /// Whether the account is granted `role` over an area that the compound lies in.
    pub fn has(&self, role: Role, compound: CompoundId) -> bool {
        self.grants.iter().any(|grant| grant.role == role && compound.is_in(grant.area))
    }

    /// Whether the account is granted `role` over an area that contains (or is) `area`.
    pub fn has_area(&self, role: Role, area: AreaCode) -> bool {
        self.grants.iter().any(|grant| grant.role == role && grant.area.contains(area))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(text: &str) -> AreaCode {
        text.parse().unwrap()
    }

    fn dispatcher_of(text: &str) -> Actor {
        let grant = Grant { role: Role::Dispatcher, area: area(text) };
        Actor::person(PersonId(uuid::Uuid::from_u128(7)), vec![grant])
    }

    #[test]
    fn a_grant_covers_what_lies_in_its_area_and_no_more() {
        let actor = dispatcher_of("140403001");
        let inside: CompoundId = "140403001001001".parse().unwrap();
        let beside: CompoundId = "140403002001001".parse().unwrap();
        assert!(actor.has(Role::Dispatcher, inside));
        assert!(!actor.has(Role::Dispatcher, beside));
        assert!(!actor.has(Role::Administrator, inside));
        assert!(actor.has_area(Role::Dispatcher, area("140403001")));
        assert!(actor.has_area(Role::Dispatcher, area("140403001001")));
        assert!(!actor.has_area(Role::Dispatcher, area("140403")), "a street's grant is not the county's");
        assert!(!actor.has_area(Role::Observer, area("140403001")));
    }

    #[test]
    fn only_a_person_has_an_id_and_grants() {
        assert_eq!(dispatcher_of("1404").person_id(), Some(PersonId(uuid::Uuid::from_u128(7))));
        let household = Actor::household("140403001001001/3-2-502".parse().unwrap());
        for actor in [Actor::system(), household] {
            assert_eq!(actor.person_id(), None);
            assert!(!actor.has_area(Role::Observer, area("1404")));
        }
    }

    #[test]
    fn an_actor_survives_json() {
        for actor in
            [dispatcher_of("1404"), Actor::system(), Actor::household("140403001001001/3-2-502".parse().unwrap())]
        {
            let text = serde_json::to_string(&actor).unwrap();
            assert_eq!(serde_json::from_str::<Actor>(&text).unwrap(), actor, "{text}");
        }
    }
}
