//! Who may see what happened, and what they are shown of it.
//!
//! One record becomes some [`Notice`]s: an [`Audience`] and a [`NoticeBody`]. Who stands in an audience is read off the city, never
//! kept in a list of its own, so it can't fall out of step with lines, claims and grants. Names and phones never stand in a notice.
//! What they say is in [`notice`]; which events become which notices in [`record`], [`duty`] and [`command`].
//! Bytes and sockets are the business of `live`.
//!
//! Two rules keep it affordable: what concerns one compound goes to the people of that compound; accounts that watch over
//! an area (and follow the map) get one notice for a whole order, not one for each compound.

mod command;
mod duty;
mod notice;
mod record;

use std::sync::Arc;

use crate::domain::actor::{Actor, Grant, Role};
use crate::domain::area::{AreaCode, AreaLevel};
use crate::domain::compound::CompoundId;
use crate::domain::ids::PersonId;

use super::authority::Action;
use super::state::{City, CompoundState};

pub use notice::{
    AcknowledgementAsked, AlertNotice, CommandBrief, CommandChange, DutyNotice, Extent, HelpNotice, IncidentNotice,
    Notice, NoticeBody, NoticeKind, Occasion, PostCall, PostDuty, ReportNotice, Words,
};

/// What somebody is to a compound, as far as audiences tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// Stands in its line of succession.
    Line,
    /// Holds a granted post in it.
    PostHolder,
    /// Dispatcher of its area.
    Dispatcher,
    /// Observer of its area.
    Observer,
}

impl Part {
    /// Who belongs to the compound: its line and its post-holders.
    pub const MEMBERS: &'static [Self] = &[Self::Line, Self::PostHolder];
    /// Its line alone.
    pub const LINE: &'static [Self] = &[Self::Line];
    /// Its line, and the accounts that watch over it.
    pub const COMMAND: &'static [Self] = &[Self::Line, Self::Dispatcher, Self::Observer];
    /// Who may see its roll household by household.
    pub const ROLL: &'static [Self] = &[Self::Line, Self::PostHolder, Self::Dispatcher];
    /// The accounts that watch over it.
    pub const ACCOUNTS: &'static [Self] = &[Self::Dispatcher, Self::Observer];
    /// The accounts that give orders there.
    pub const DISPATCHERS: &'static [Self] = &[Self::Dispatcher];

    /// The account role that makes this part; `None` for those that follow from the journal.
    pub const fn role(self) -> Option<Role> {
        match self {
            Self::Line | Self::PostHolder => None,
            Self::Dispatcher => Some(Role::Dispatcher),
            Self::Observer => Some(Role::Observer),
        }
    }
}

/// Who gets a notice. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// One person.
    Person(PersonId),
    /// Whoever is one of `parts` to at least one of these compounds.
    Compounds {
        /// Sorted by code, each once, never empty.
        of: Arc<[CompoundId]>,
        /// What they are to it.
        parts: &'static [Part],
    },
    /// Dispatchers of the street or community itself: those who answer for the area day by day. Wider ones command there, too,
    /// but hear of a whole order at once.
    Area(AreaCode),
    /// Every account with a grant, wherever it is: what the whole city is told.
    Accounts,
}

impl Audience {
    /// Those who are one of `parts` to the compound.
    pub fn of_compound(id: CompoundId, parts: &'static [Part]) -> Self {
        Self::Compounds { of: Arc::from([id]), parts }
    }

    /// Those who are one of `parts` to at least one of the compounds; `None` when there are none.
    pub fn of_compounds(ids: impl IntoIterator<Item = CompoundId>, parts: &'static [Part]) -> Option<Self> {
        let mut of: Vec<CompoundId> = ids.into_iter().collect();
        of.sort_unstable();
        of.dedup();
        (!of.is_empty()).then(|| Self::Compounds { of: of.into(), parts })
    }

    /// Whether these grants put their holder into the audience.
    pub fn hears_by_grant(&self, grants: &[Grant]) -> bool {
        match self {
            Self::Person(_) => false,
            Self::Accounts => !grants.is_empty(),
            Self::Area(area) => grants.iter().any(|grant| {
                let is_near = matches!(grant.area.level(), AreaLevel::Street | AreaLevel::Community);
                grant.role == Role::Dispatcher && is_near && grant.area.contains(*area)
            }),
            Self::Compounds { of, parts } => grants
                .iter()
                .any(|grant| parts.iter().any(|part| part.role() == Some(grant.role)) && any_in(of, grant.area)),
        }
    }
}

/// Whether one of the compounds (sorted) lies in the area: the sorted codes of an area are a range.
fn any_in(sorted: &[CompoundId], area: AreaCode) -> bool {
    let range = CompoundId::all_in(area);
    let first = sorted.partition_point(|id| id < range.start());
    sorted.get(first).is_some_and(|id| range.contains(id))
}

impl CompoundState {
    /// Whether the person is one of `parts` by the journal: in the line, or with a granted claim.
    pub fn has_part(&self, person: PersonId, parts: &[Part]) -> bool {
        parts.iter().any(|part| match part {
            Part::Line => self.succession.line.contains(&person),
            Part::PostHolder => self.has_claimant(person),
            Part::Dispatcher | Part::Observer => false,
        })
    }

    /// Calls `each` with everybody who is one of `parts` by the journal; somebody with several parts comes several times.
    pub fn for_each_with_part(&self, parts: &[Part], mut each: impl FnMut(PersonId)) {
        for part in parts {
            match part {
                Part::Line => self.succession.line.iter().copied().for_each(&mut each),
                Part::PostHolder => self.holders().iter().copied().for_each(&mut each),
                Part::Dispatcher | Part::Observer => {}
            }
        }
    }
}

impl City {
    // INVARIANT: nobody is shown what `may` refuses them: see the property test.
    /// Whether the actor stands in the audience as the city is now.
    pub fn hears(&self, actor: &Actor, audience: &Audience) -> bool {
        let Some(person) = actor.person_id() else { return false };
        let by_place = match audience {
            Audience::Person(to) => *to == person,
            Audience::Area(_) | Audience::Accounts => false,
            Audience::Compounds { of, parts } => self.places_of(person).any(|id| {
                of.binary_search(&id).is_ok() && self.compound(id).is_ok_and(|state| state.has_part(person, parts))
            }),
        };
        by_place || audience.hears_by_grant(&actor.grants)
    }

    /// The places that a person sees: for the first frame of a connection.
    pub fn seen_places_of<'a>(&'a self, actor: &'a Actor) -> impl Iterator<Item = CompoundId> + 'a {
        let places = actor.person_id().into_iter().flat_map(|person| self.places_of(person));
        places.filter(|id| self.may(actor, Action::SeeCompound, *id).is_ok())
    }
}
