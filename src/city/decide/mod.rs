//! An order becomes events, or a refusal that changes nothing. Pure: the same city, order and policy give the same answer.
//!
//! Each part first asks [`super::authority`], then hands the nouns what they cannot know by themselves.

mod alert;
mod duty;
mod register;
mod roll;

use crate::domain::actor::Giver;
use crate::domain::command::{Command, Order};
use crate::domain::event::Event;
use crate::domain::ids::PersonId;
use crate::domain::incident::{IncidentEvent, TITLE_MAX};
use crate::domain::policy::Policy;
use crate::domain::refusal::Refusal;
use crate::domain::text::check_text;

use super::authority::Action;
use super::state::City;

pub use register::{Fault, Section};

impl City {
    /// What the order does. Never empty: an order that would change nothing is refused.
    ///
    /// # Errors
    /// Why it is not carried out.
    pub fn decide(&self, order: &Order, policy: &Policy) -> Result<Vec<Event>, Refusal> {
        match &order.command {
            Command::Import(batch) => self.decide_import(order, batch),
            Command::DraftPlan { .. } | Command::SubmitPlan { .. } | Command::ApprovePlan { .. } => {
                self.decide_plan(order)
            }
            Command::ApplyForPost { .. } | Command::GrantClaim { .. } | Command::ReleaseClaim { .. } => {
                self.decide_claim(order)
            }
            Command::AppointLine(_) | Command::OfferCommand { .. } | Command::AcceptCommand { .. } => {
                self.decide_succession(order)
            }
            Command::OpenIncident { .. } | Command::CloseIncident { .. } => self.decide_incident(order),
            Command::DraftAlert { .. }
            | Command::SubmitAlert { .. }
            | Command::ApproveAlert { .. }
            | Command::RejectAlert { .. }
            | Command::BreakGlassAlert { .. }
            | Command::CountersignAlert { .. } => self.decide_alert(order, policy),
            Command::ReportReceipt { .. }
            | Command::ReportReceipts { .. }
            | Command::AcknowledgeAlert { .. }
            | Command::PassOver { .. } => self.decide_receipt(order),
            Command::SwitchDuty { .. }
            | Command::AnswerCall { .. }
            | Command::AnswerCallFor { .. }
            | Command::TimeOutCalls { .. }
            | Command::NoteSilence { .. } => self.decide_duty(order, policy),
            Command::CheckIn(_) | Command::AssignHelp { .. } | Command::EndHelp { .. } => self.decide_roll(order),
            Command::DispatchResource { .. } | Command::ReturnResource { .. } => self.decide_aid(order),
        }
    }

    fn decide_incident(&self, order: &Order) -> Result<Vec<Event>, Refusal> {
        match &order.command {
            Command::OpenIncident { id, hazard, exercise, title } => {
                self.may_somewhere(&order.actor, Action::SendAlert)?;
                if self.incidents.contains_key(id) {
                    return Err(Refusal::AlreadyExists { what: format!("事件 incident {id}") });
                }
                check_text("title", title, TITLE_MAX)?;
                let opened = IncidentEvent::Opened { hazard: *hazard, exercise: *exercise, title: title.clone() };
                Ok(vec![Event::Incident(*id, opened)])
            }
            Command::CloseIncident { incident } => {
                let state = self.incident(*incident)?;
                self.may_somewhere(&order.actor, Action::SwitchDuty)?;
                for compound in &state.touched {
                    self.may(&order.actor, Action::SwitchDuty, *compound)?;
                }
                let closed = state.incident.decide_close(state.in_emergency.len(), state.help_queue.len())?;
                Ok(vec![Event::Incident(*incident, closed)])
            }
            _ => Err(Action::SendAlert.not_your_role()),
        }
    }
}

/// Whose command it is, where it must be a person's.
fn giver_of(order: &Order) -> Result<PersonId, Refusal> {
    order.actor.person_id().ok_or(Refusal::NotSignedIn {})
}

/// Only the system itself gives this command.
fn check_system(order: &Order) -> Result<(), Refusal> {
    if order.actor.giver == Giver::System {
        Ok(())
    } else {
        Err(Refusal::NotYourRole { zh: "执行系统命令", en: "give the system's own commands" })
    }
}

/// Something happened, or the order is refused as having no effect.
fn some_events(events: Vec<Event>, otherwise: Refusal) -> Result<Vec<Event>, Refusal> {
    if events.is_empty() { Err(otherwise) } else { Ok(events) }
}
