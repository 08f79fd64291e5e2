//! Escalation as the API shows it: who was asked to acknowledge an alert for a compound, until when, and who comes next. Offices in
//! words and people by id; names are the directory's.

use serde::Serialize;
use utoipa::ToSchema;

use crate::city::City;
use crate::domain::compound::CompoundId;
use crate::domain::ids::PersonId;
use crate::domain::receipt::{Asked, Reach, Stage};
use crate::domain::succession::{Holder, Succession};
use crate::server::time::Rfc3339;

use super::office::OfficeView;
use super::{compound_name, people_of};

/// One step down the line of succession of a compound.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct StepView {
    /// The office that is asked; `null` when who held it has left the line.
    pub office: Option<OfficeView>,
    /// Who; `null` where the dispatchers of an area are asked.
    pub person: Option<PersonId>,
    /// How far the alert has got with them.
    pub stage: Option<Stage>,
    /// When they were asked; `null` while their turn has not come.
    pub asked_at: Option<Rfc3339>,
    /// When their turn was over, or will be; `null` when nobody comes after them, or nothing is waited for any more.
    pub until: Option<Rfc3339>,
    /// Whether it came to them because the one before did not acknowledge in time; otherwise the command changed hands.
    pub after_silence: bool,
}

impl StepView {
    fn asked(city: &City, command: &Succession, reach: &Reach, no: usize, asked: Asked) -> Self {
        let over = reach.asked.get(no + 1).map(|next| next.at).or(reach.ack_due);
        let waiting = Self::to_come(city, command, reach, asked.holder);
        let (asked_at, until) = (Some(asked.at.into()), over.map(Rfc3339::from));
        Self { asked_at, until, after_silence: asked.after_silence, ..waiting }
    }

    fn to_come(city: &City, command: &Succession, reach: &Reach, holder: Holder) -> Self {
        let person = match holder {
            Holder::Person(person) => Some(person),
            Holder::Area(_) => None,
        };
        Self {
            office: command.office_of(holder).map(|office| OfficeView::of(city, office)),
            person,
            stage: person.and_then(|person| reach.stage_of(person)),
            asked_at: None,
            until: None,
            after_silence: true,
        }
    }
}

/// Who was asked to acknowledge an alert for a compound, in order, and who would be asked next.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct EscalationView {
    /// Which compound.
    pub compound: CompoundId,
    /// Its name.
    pub name: String,
    /// People who live there.
    pub people: u32,
    /// When somebody in command acknowledged.
    pub acknowledged_at: Option<Rfc3339>,
    /// Those who were asked, then, while an answer is waited for, those whose turn would come.
    pub steps: Vec<StepView>,
}

impl EscalationView {
    /// Of one compound.
    pub fn of(city: &City, compound: CompoundId, command: &Succession, reach: &Reach) -> Self {
        let asked = reach.asked.iter().enumerate().map(|(no, asked)| StepView::asked(city, command, reach, no, *asked));
        // Once somebody acknowledged, or another alert took its place, nobody else is asked.
        let to_come = reach.ack_due.map(|_| command.to_come(compound)).into_iter().flatten();
        let to_come = to_come.map(|holder| StepView::to_come(city, command, reach, holder));
        Self {
            compound,
            name: compound_name(city, compound),
            people: people_of(city, compound),
            acknowledged_at: reach.acknowledged.map(|(_, at)| at.into()),
            steps: asked.chain(to_come).collect(),
        }
    }
}

/// The command of a compound went to the next for want of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PassedOnView {
    /// When.
    pub at: Rfc3339,
    /// Which compound.
    pub compound: CompoundId,
    /// Its name.
    pub name: String,
    /// Who did not acknowledge in time; `null` when they have left the line since.
    pub from: Option<OfficeView>,
    /// Who was asked next.
    pub to: Option<OfficeView>,
}

impl PassedOnView {
    /// One step of a compound: the `no`th that was asked, who is not the first.
    pub fn of(city: &City, compound: CompoundId, command: &Succession, reach: &Reach, no: usize) -> Option<Self> {
        let (before, asked) = (reach.asked.get(no.checked_sub(1)?)?, reach.asked.get(no)?);
        let office = |holder| command.office_of(holder).map(|office| OfficeView::of(city, office));
        Some(Self {
            at: asked.at.into(),
            compound,
            name: compound_name(city, compound),
            from: office(before.holder),
            to: office(asked.holder),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::command::Command;
    use crate::domain::ids::AlertId;
    use crate::testing::world::World;

    const ACK_S: u32 = 300;

    fn view(world: &World, alert: AlertId, id: CompoundId) -> EscalationView {
        let reach = world.city.alert(alert).unwrap().reach.get(id).unwrap();
        EscalationView::of(&world.city, id, &world.city.compound(id).unwrap().succession, reach)
    }

    fn offices(view: &EscalationView) -> Vec<&str> {
        view.steps.iter().map(|step| step.office.as_ref().unwrap().en.as_str()).collect()
    }

    #[test]
    fn it_says_who_was_asked_until_when_and_whose_turn_comes_next() {
        let mut world = World::new(40);
        let incident = world.opens(true);
        let id = world.manned(0);
        let alert = world.issues(incident, &[id]);
        let sent = view(&world, alert, id);
        assert_eq!(offices(&sent)[..3], ["Commander", "Deputy 1", "Deputy 2"]);
        assert!(offices(&sent).iter().rev().take(2).all(|office| office.starts_with("Dispatchers of ")));
        let until = world.now.plus_s(ACK_S);
        assert_eq!((sent.steps[0].until, sent.steps[1].asked_at), (Some(until.into()), None));

        world.forward_s(ACK_S);
        let later = view(&world, alert, id);
        assert_eq!(offices(&later), offices(&sent), "who was foreseen is who is asked");
        assert_eq!((later.steps[0].until, later.steps[1].asked_at), (Some(until.into()), Some(until.into())));
        assert!(later.steps[1].after_silence && later.steps[1].until > later.steps[1].asked_at);

        let deputy = world.in_line(id, 1);
        world.does(&deputy, Command::AcknowledgeAlert { alert });
        let done = view(&world, alert, id);
        assert_eq!(offices(&done), ["Commander", "Deputy 1"], "nobody else is asked");
        assert_eq!((done.steps[1].stage, done.steps[1].until), (Some(Stage::Acknowledged), None));
        assert_eq!(done.acknowledged_at, Some(world.now.into()));
    }

    #[test]
    fn each_passing_on_names_both_offices() {
        let mut world = World::new(40);
        let incident = world.opens(true);
        let id = world.manned(0);
        let alert = world.issues(incident, &[id]);
        world.forward_s(ACK_S);
        let reach = world.city.alert(alert).unwrap().reach.get(id).unwrap();
        let command = &world.city.compound(id).unwrap().succession;
        let step = PassedOnView::of(&world.city, id, command, reach, 1).unwrap();
        let said = [step.from, step.to].map(|office| office.unwrap().en);
        assert_eq!((said, step.at), (["Commander", "Deputy 1"].map(str::to_owned), world.now.into()));
        assert_eq!(PassedOnView::of(&world.city, id, command, reach, 0), None, "the first was passed nothing on");
    }
}
