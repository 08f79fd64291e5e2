//! Who commands a compound: the commander, then the deputies in order, then the community, then the street.
//!
//! Exactly one holder at a time. Each change of hands raises the epoch, so that a late order of the former holder is refused.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::area::{AreaCode, AreaLevel};
use super::compound::CompoundId;
use super::ids::{AlertId, PersonId};
use super::refusal::Refusal;

/// People in one line of succession, commander included.
pub const LINE_MAX: usize = 10;

/// Who is in command now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// Somebody of the compound's own line.
    Person(PersonId),
    /// The dispatchers of the community or street, when nobody of the line can be reached.
    Area(AreaCode),
}

/// The office of who commands now: it names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Office {
    /// The head of the compound's own line.
    Commander,
    /// Somebody further down the line, counted from 1.
    Deputy(usize),
    /// The dispatchers of the community or street.
    Dispatchers(AreaCode),
}

/// What happened to the command of one compound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuccessionEvent {
    /// A commander and deputies were named; the first takes command.
    Appointed {
        /// Commander first, then the deputies in order; empty when there is nobody.
        line: Vec<PersonId>,
    },
    /// The holder did not acknowledge an alert in time: the next in line takes command.
    PassedOver {
        /// Which alert was not acknowledged.
        alert: AlertId,
        /// Who takes command.
        to: Holder,
    },
    /// The holder offered the command to somebody of the line.
    Offered {
        /// To whom.
        to: PersonId,
    },
    /// Whom it was offered to took it.
    Accepted {
        /// Who.
        by: PersonId,
    },
    /// The emergency is over: command goes back to the head of the line.
    Restored {},
}

/// The line of succession of one compound and who holds the command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Succession {
    /// Commander first, then the deputies in order.
    pub line: Vec<PersonId>,
    /// Who commands now.
    pub holder: Holder,
    /// Raised by each change of hands.
    pub epoch: u32,
    /// To whom the command is offered and not yet accepted.
    pub offered_to: Option<PersonId>,
}

impl Succession {
    /// A compound for which nobody was named yet: its community answers for it.
    pub fn vacant(compound: CompoundId) -> Self {
        Self { line: Vec::new(), holder: Holder::Area(compound.community()), epoch: 0, offered_to: None }
    }

    /// Whether nobody of the compound itself can be reached: shown as such, always.
    pub const fn has_nobody(&self) -> bool {
        self.line.is_empty()
    }

    /// The office of who commands now.
    pub fn office(&self) -> Office {
        self.office_of(self.holder).unwrap_or(Office::Commander)
    }

    /// The office in which somebody holds the command, or would; `None` when they no longer stand in the line.
    pub fn office_of(&self, holder: Holder) -> Option<Office> {
        match holder {
            Holder::Person(person) => self.line.iter().position(|p| *p == person).map(|rank| match rank {
                0 => Office::Commander,
                _ => Office::Deputy(rank),
            }),
            Holder::Area(area) => Some(Office::Dispatchers(area)),
        }
    }

    /// Who comes after the holder; `None` after the street.
    pub fn next(&self, compound: CompoundId) -> Option<Holder> {
        self.after(compound, self.holder)
    }

    /// Whether nobody comes after the holder: the street commands.
    pub fn is_last(&self) -> bool {
        matches!(self.holder, Holder::Area(area) if area.level() != AreaLevel::Community)
    }

    /// All who come after the holder, in order; the street is the last.
    pub fn to_come(&self, compound: CompoundId) -> impl Iterator<Item = Holder> + '_ {
        std::iter::successors(self.next(compound), move |holder| self.after(compound, *holder))
    }

    fn after(&self, compound: CompoundId, holder: Holder) -> Option<Holder> {
        match holder {
            Holder::Person(person) => {
                let rank = self.line.iter().position(|p| *p == person);
                let next = rank.and_then(|rank| self.line.get(rank + 1));
                Some(next.map_or(Holder::Area(compound.community()), |p| Holder::Person(*p)))
            }
            Holder::Area(area) if area.level() == AreaLevel::Community => {
                Some(Holder::Area(compound.area(AreaLevel::Street)))
            }
            Holder::Area(_) => None,
        }
    }

    /// # Errors
    /// [`Refusal::BadLine`] when somebody stands twice or the line is too long.
    pub fn decide_appoint(compound: CompoundId, line: &[PersonId]) -> Result<SuccessionEvent, Refusal> {
        let bad = |why: &str| Err(Refusal::BadLine { compound, why: why.to_owned() });
        if line.len() > LINE_MAX {
            return bad("more than 10 people");
        }
        if line.iter().enumerate().any(|(i, person)| line[..i].contains(person)) {
            return bad("a person stands in it twice");
        }
        Ok(SuccessionEvent::Appointed { line: line.to_vec() })
    }

    /// # Errors
    /// [`Refusal::NotInLine`] when `to` is not in the line or commands already.
    pub fn decide_offer(&self, compound: CompoundId, to: PersonId) -> Result<SuccessionEvent, Refusal> {
        if !self.line.contains(&to) || self.holder == Holder::Person(to) {
            return Err(Refusal::NotInLine { compound });
        }
        Ok(SuccessionEvent::Offered { to })
    }

    /// # Errors
    /// [`Refusal::NotOffered`].
    pub fn decide_accept(&self, compound: CompoundId, by: PersonId) -> Result<SuccessionEvent, Refusal> {
        if self.offered_to != Some(by) {
            return Err(Refusal::NotOffered { compound });
        }
        Ok(SuccessionEvent::Accepted { by })
    }

    // INVARIANT: an order given under an older epoch is refused.
    /// # Errors
    /// [`Refusal::StaleEpoch`].
    pub const fn check_epoch(&self, compound: CompoundId, given: u32) -> Result<(), Refusal> {
        if given == self.epoch { Ok(()) } else { Err(Refusal::StaleEpoch { compound, given, current: self.epoch }) }
    }

    /// What follows when it has happened.
    pub fn evolve(&mut self, compound: CompoundId, event: &SuccessionEvent) {
        match event {
            SuccessionEvent::Appointed { line } => {
                self.line.clone_from(line);
                self.hand_to(self.head(compound));
            }
            SuccessionEvent::PassedOver { to, .. } => self.hand_to(*to),
            SuccessionEvent::Offered { to } => self.offered_to = Some(*to),
            SuccessionEvent::Accepted { by } => self.hand_to(Holder::Person(*by)),
            SuccessionEvent::Restored {} => self.hand_to(self.head(compound)),
        }
    }

    fn head(&self, compound: CompoundId) -> Holder {
        self.line.first().map_or(Holder::Area(compound.community()), |p| Holder::Person(*p))
    }

    fn hand_to(&mut self, holder: Holder) {
        self.offered_to = None;
        if self.holder != holder || self.epoch == 0 {
            self.holder = holder;
            self.epoch += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn person(n: u128) -> PersonId {
        PersonId(Uuid::from_u128(n))
    }

    #[test]
    fn command_goes_down_the_line_then_to_community_and_street() {
        let id: CompoundId = "140403001001001".parse().unwrap();
        let mut command = Succession::vacant(id);
        assert!(command.has_nobody());
        command.evolve(id, &Succession::decide_appoint(id, &[person(1), person(2)]).unwrap());
        let foreseen: Vec<Holder> = command.to_come(id).collect();
        assert_eq!(command.office_of(Holder::Person(person(9))), None);
        let (mut seen, mut offices) = (vec![command.holder], vec![command.office()]);
        while let Some(to) = command.next(id) {
            let before = command.epoch;
            command.evolve(id, &SuccessionEvent::PassedOver { alert: AlertId(Uuid::nil()), to });
            assert_eq!(command.epoch, before + 1);
            seen.push(to);
            offices.push(command.office());
        }
        let community = Holder::Area(id.community());
        let street = Holder::Area(id.area(AreaLevel::Street));
        assert_eq!(seen, [Holder::Person(person(1)), Holder::Person(person(2)), community, street]);
        assert_eq!(foreseen, seen[1..]);
        let [community, street] =
            [AreaLevel::Community, AreaLevel::Street].map(|level| Office::Dispatchers(id.area(level)));
        assert_eq!(offices, [Office::Commander, Office::Deputy(1), community, street]);
    }

    #[test]
    fn only_whom_it_was_offered_to_accepts_and_old_orders_are_refused() {
        let id: CompoundId = "140403001001001".parse().unwrap();
        let mut command = Succession::vacant(id);
        command.evolve(id, &SuccessionEvent::Appointed { line: vec![person(1), person(2)] });
        assert_eq!(command.decide_accept(id, person(2)).unwrap_err().code(), "not_offered");
        let old = command.epoch;
        let offer = command.decide_offer(id, person(2)).unwrap();
        command.evolve(id, &offer);
        let accept = command.decide_accept(id, person(2)).unwrap();
        command.evolve(id, &accept);
        assert_eq!(command.holder, Holder::Person(person(2)));
        assert_eq!(command.check_epoch(id, old).unwrap_err().code(), "stale_epoch");
        assert!(command.check_epoch(id, old + 1).is_ok());
    }

    #[test]
    fn nobody_stands_in_a_line_twice() {
        let id: CompoundId = "140403001001001".parse().unwrap();
        assert!(Succession::decide_appoint(id, &[person(1), person(1)]).is_err());
    }
}
