//! Orders about the roll: check-ins, and help requests given to somebody or ended.

use crate::domain::actor::Giver;
use crate::domain::command::{Command, Order};
use crate::domain::event::Event;
use crate::domain::help::{HelpKey, HelpRequest, HelpState};
use crate::domain::ids::IncidentId;
use crate::domain::refusal::Refusal;
use crate::domain::roll_call::{CheckIn, RollStatus, Verified};

use super::super::authority::Action;
use super::super::state::City;
use super::giver_of;

impl City {
    pub(super) fn decide_roll(&self, order: &Order) -> Result<Vec<Event>, Refusal> {
        let event = match &order.command {
            Command::CheckIn(check_in) => {
                self.check_check_in(order, check_in)?;
                Event::CheckedIn(check_in.clone())
            }
            Command::AssignHelp { incident, help, to } => {
                self.open_help(*incident, *help)?;
                self.may_order(&order.actor, Action::KeepHelp, help.household.compound, order.epoch)?;
                Event::HelpAssigned { incident: *incident, help: *help, to: *to }
            }
            Command::EndHelp { incident, help, how, reason } => {
                let request = self.open_help(*incident, *help)?;
                let by = giver_of(order)?;
                if !matches!(request.state, HelpState::Assigned { to, .. } if to == by) {
                    self.may_order(&order.actor, Action::KeepHelp, help.household.compound, order.epoch)?;
                }
                request.check_end(*help, reason)?;
                Event::HelpEnded { incident: *incident, help: *help, how: *how, reason: reason.clone() }
            }
            _ => return Err(Action::CheckIn.not_your_role()),
        };
        Ok(vec![event])
    }

    fn check_check_in(&self, order: &Order, check_in: &CheckIn) -> Result<(), Refusal> {
        let household = check_in.household;
        let state = self.compound(household.compound)?;
        self.may_check_in(&order.actor, household)?;
        if !state.compound.has(household.flat) {
            return Err(Refusal::UnknownHousehold { household });
        }
        check_in.check(order.at)?;
        let own_word = check_in.verified <= Verified::Relayed;
        if matches!(order.actor.giver, Giver::Household(_)) && !own_word {
            return Err(Refusal::BadCheckIn { why: "a household reports for itself" });
        }
        if check_in.verified == Verified::Commander && !self.may_command(order, check_in) {
            return Err(Refusal::NotInCommand { compound: household.compound });
        }
        if let RollStatus::Evacuated { assembly_point: Some(point) } = check_in.status
            && usize::from(point) >= state.compound.assembly_points.len()
        {
            return Err(Refusal::BadCheckIn { why: "there is no such assembly point" });
        }
        let open = self.roll(check_in.incident, household.compound).is_some();
        self.incident(check_in.incident)?.incident.check_open()?;
        if open { Ok(()) } else { Err(Refusal::NoRollCall { compound: household.compound }) }
    }

    fn may_command(&self, order: &Order, check_in: &CheckIn) -> bool {
        self.may_order(&order.actor, Action::KeepHelp, check_in.household.compound, order.epoch).is_ok()
    }

    fn open_help(&self, incident: IncidentId, help: HelpKey) -> Result<&HelpRequest, Refusal> {
        let request = self.incident(incident)?.help.get(&help).filter(|request| request.is_open());
        request.ok_or(Refusal::UnknownHelp { household: help.household })
    }
}
