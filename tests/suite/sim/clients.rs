//! Those who give commands: they repeat each under its id until they know what came of it.

use std::collections::HashMap;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use muster::demo::DemoCity;
use muster::domain::actor::Actor;
use muster::domain::command::Command;
use muster::domain::duty::{Answer as Call, ModeOrder};
use muster::domain::hazard::{Hazard, ResponseLevel};
use muster::domain::household::HouseholdKey;
use muster::domain::ids::{AlertId, CommandId, IncidentId};
use muster::domain::post::PostKey;
use muster::domain::refusal::Class;
use muster::domain::roll_call::{CheckIn, HelpKind, RollStatus, Verified};
use muster::engine::Answer;
use muster::runtime::Muster;
use muster::testing::world::{World, at, flood};
use uuid::Uuid;

use crate::scenarios::random_day::Dice;

/// What somebody wants.
pub(super) struct Intent {
    pub(super) actor: Actor,
    pub(super) command: Command,
}

/// What somebody knows of their command.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    NotKnown,
    /// It was done, and has this position.
    Done(u64),
    /// It was refused for good.
    Refused,
}

/// A command that somebody gave, or will.
struct Wanted {
    id: CommandId,
    intent: Intent,
    /// What came of it, as far as they know.
    outcome: Outcome,
    under_way: Vec<Pin<Box<dyn Future<Output = Answer>>>>,
}

/// All who want something.
#[derive(Default)]
pub(super) struct Clients {
    wanted: Vec<Wanted>,
    happened: HashMap<&'static str, u64>,
}

impl Clients {
    pub(super) fn count(&mut self, what: &'static str, times: u64) {
        *self.happened.entry(what).or_default() += times;
    }

    /// What happened, and how often.
    pub(super) fn happened(&self) -> HashMap<&'static str, u64> {
        self.happened.clone()
    }

    /// Somebody wants something.
    pub(super) fn wants(&mut self, actor: Actor, command: Command) {
        let id = CommandId(Uuid::from_u128(self.wanted.len() as u128 + 1_000));
        self.wanted.push(Wanted {
            id,
            intent: Intent { actor, command },
            outcome: Outcome::NotKnown,
            under_way: Vec::new(),
        });
    }

    /// Those who know nothing yet, and wait for no answer.
    pub(super) fn unsaid(&self) -> Vec<usize> {
        let waits = |wanted: &Wanted| wanted.outcome == Outcome::NotKnown && wanted.under_way.is_empty();
        self.wanted.iter().enumerate().filter(|(_, wanted)| waits(wanted)).map(|(n, _)| n).collect()
    }

    pub(super) fn all_know(&self) -> bool {
        self.wanted.iter().all(|wanted| wanted.outcome != Outcome::NotKnown && wanted.under_way.is_empty())
    }

    /// Gives a command to a node.
    pub(super) fn gives(&mut self, n: usize, node: &Muster) {
        let wanted = &mut self.wanted[n];
        let Intent { actor, command } = &wanted.intent;
        wanted.under_way.push(Box::pin(node.give(actor.clone(), wanted.id, None, command.clone())));
    }

    /// Hears the answers that have come.
    pub(super) fn listen(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        let happened = &mut self.happened;
        for wanted in &mut self.wanted {
            let outcome = &mut wanted.outcome;
            wanted.under_way.retain_mut(|answer| {
                let Poll::Ready(answer) = answer.as_mut().poll(&mut context) else { return true };
                let what = match answer {
                    Ok(accepted) => {
                        // A node that was behind may have refused what another has done: that it was done is what counts.
                        if let Outcome::Done(known) = *outcome {
                            assert_eq!(known, accepted.position, "one command, one position");
                        }
                        *outcome = Outcome::Done(accepted.position);
                        if accepted.repeated { "repeated" } else { "done" }
                    }
                    Err(refusal) if matches!(refusal.class(), Class::Unavailable | Class::TooMuch) => {
                        if refusal.code() == "outcome_unknown" { "unknown" } else { "unavailable" }
                    }
                    Err(_) => {
                        if *outcome == Outcome::NotKnown {
                            *outcome = Outcome::Refused;
                        }
                        "refused"
                    }
                };
                *happened.entry(what).or_default() += 1;
                false
            });
        }
    }

    /// Those who were told that it was done, with the position they were told.
    pub(super) fn acknowledged(&self) -> impl Iterator<Item = (CommandId, u64)> + '_ {
        self.wanted.iter().filter_map(|wanted| match wanted.outcome {
            Outcome::Done(position) => Some((wanted.id, position)),
            Outcome::NotKnown | Outcome::Refused => None,
        })
    }

    /// A dispatcher wants the incident opened.
    pub(super) fn want_it_opened(&mut self, demo: &DemoCity, id: IncidentId) {
        let title = "演练".to_owned();
        self.wants(account(demo, "city1"), Command::OpenIncident { id, hazard: Hazard::Flood, exercise: true, title });
    }

    /// Something that somebody may want, as a node shows the city; `None` where there is nothing to want.
    pub(super) fn dreams_up(
        &self,
        dice: &mut Dice,
        node: &Muster,
        demo: &DemoCity,
        incident: IncidentId,
    ) -> Option<Intent> {
        let (city, now) = (node.city(), node.now());
        let dispatcher = account(demo, "city1");
        let ids: Vec<_> = city.compounds().map(|(id, _)| *id).collect();
        let id = *ids.get(dice.roll(ids.len().max(1)))?;
        let state = city.compound(id).ok()?;
        let (actor, command) = match dice.roll(12) {
            0 => {
                let level = ResponseLevel::ALL[dice.roll(4)];
                let to = if dice.roll(3) == 0 { ModeOrder::Normal } else { ModeOrder::Emergency(level) };
                let compounds = ids.iter().copied().filter(|_| dice.roll(2) == 0).collect();
                (dispatcher, Command::SwitchDuty { incident, areas: Vec::new(), compounds, to })
            }
            1 => {
                let alert = AlertId(Uuid::from_u128(self.wanted.len() as u128 + 1_000_000));
                let draft = muster::domain::alert::AlertDraft {
                    incident,
                    kind: muster::domain::alert::AlertKind::Alert,
                    content: flood(now),
                    target: at(&[id]),
                };
                (dispatcher, Command::DraftAlert { id: alert, draft: Box::new(draft) })
            }
            2 | 3 => {
                let draft = city.alerts().filter(|(_, alert)| alert.alert.issue.is_none()).map(|(id, _)| *id).min()?;
                (dispatcher, Command::SubmitAlert { alert: draft, confirm_compounds: Some(1) })
            }
            4 => {
                let alert = city.alerts().map(|(id, _)| *id).min()?;
                let people = state.people();
                let person = *people.get(dice.roll(people.len().max(1)))?;
                (World::somebody(person), Command::AcknowledgeAlert { alert })
            }
            5 | 6 => {
                let calls = &state.board.as_ref()?.calls;
                let call = calls.get(dice.roll(calls.len().max(1)))?;
                let answer = match dice.roll(3) {
                    0 => Call::Acknowledged,
                    1 => Call::OnPost,
                    _ => Call::Declined { reason: "值班".to_owned() },
                };
                let post = PostKey { compound: id, no: call.post };
                (World::somebody(call.person), Command::AnswerCall { post, answer })
            }
            _ => {
                let flat = state.compound.flats().nth(dice.roll(10))?;
                let household = HouseholdKey { compound: id, flat };
                let status = match dice.roll(4) {
                    0 => RollStatus::NeedHelp { kinds: vec![HelpKind::Medical] },
                    1 => RollStatus::Away,
                    _ => RollStatus::Safe,
                };
                let (heads, verified, made_at) = (2, Verified::SelfReport, now);
                let report = CheckIn { incident, household, status, heads, verified, made_at, note: None };
                (Actor::household(household), Command::CheckIn(report))
            }
        };
        Some(Intent { actor, command })
    }
}

pub(super) fn account(demo: &DemoCity, login: &str) -> Actor {
    let account = demo.account(login).unwrap();
    Actor::person(account.person, account.kind.grant().into_iter().collect())
}
