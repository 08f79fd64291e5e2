//! A city under command in virtual time: no threads, no sockets, no disk. Tests speak of who does what.
//!
//! `world.dispatcher().issues(flood())`, `world.forward_s(300)`: the engine, the rules and the timers are the real ones; only the
//! journal is a vector.

use std::collections::HashMap;

use uuid::Uuid;

use crate::city::City;
use crate::config::catalogue::{PlanOutlines, PostCatalogue};
use crate::demo::{self, DemoCity};
use crate::domain::actor::Actor;
use crate::domain::alert::{AlertDraft, AlertKind};
use crate::domain::alert_content::{
    AlertContent, AlertInfo, Category, Certainty, Language, ResponseType, Severity, Urgency,
};
use crate::domain::command::{Command, Order};
use crate::domain::compound::CompoundId;
use crate::domain::event::Record;
use crate::domain::hazard::{Hazard, WarningColour};
use crate::domain::household::HouseholdKey;
use crate::domain::ids::{AlertId, CommandId, IncidentId, PersonId};
use crate::domain::policy::Policy;
use crate::domain::roll_call::{CheckIn, RollStatus, Verified};
use crate::domain::target::TargetArea;
use crate::domain::time::Timestamp;
use crate::engine::ports::Proposal;
use crate::engine::{Accepted, Answer, Engine, Limits, Ticket, timers};

use super::clock::MORNING;

/// A city, its engine, its journal and what time it is.
pub struct World {
    /// The demo city that it was laid out from.
    pub demo: DemoCity,
    /// What is true.
    pub city: City,
    /// What happened.
    pub journal: Vec<Record>,
    /// What time it is.
    pub now: Timestamp,
    engine: Engine,
    answers: HashMap<Ticket, Answer>,
    ids: u128,
}

impl World {
    /// A city of so many compounds, laid out.
    pub fn new(compounds: usize) -> Self {
        Self::with_policy(compounds, Policy::default())
    }

    /// A city of so many compounds under this policy, laid out.
    ///
    /// # Panics
    /// When the demo city is refused.
    pub fn with_policy(compounds: usize, policy: Policy) -> Self {
        let demo = demo::city(demo::SEED_DEFAULT, compounds);
        let batch = demo.batch(&PostCatalogue::as_delivered(), &PlanOutlines::as_delivered());
        let mut world = Self {
            demo,
            city: City::default(),
            journal: Vec::new(),
            now: MORNING,
            engine: Engine::new(policy, Limits::default()),
            answers: HashMap::new(),
            ids: 0,
        };
        let laid_out = world.gives(&Actor::system(), Command::Import(Box::new(batch)));
        assert!(laid_out.is_ok(), "the demo city is refused: {laid_out:?}");
        world
    }

    /// An id that was not used before.
    pub fn id(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128(self.ids)
    }

    /// The account with that demo login.
    ///
    /// # Panics
    /// When the demo has no such account.
    pub fn account(&self, login: &str) -> Actor {
        let account = self.demo.account(login).unwrap_or_else(|| panic!("the demo has no account {login}"));
        Actor::person(account.person, account.kind.grant().into_iter().collect())
    }

    /// Somebody without a grant: commander, post-holder.
    pub const fn somebody(person: PersonId) -> Actor {
        Actor::person(person, Vec::new())
    }

    /// Gives an order and works it off.
    ///
    /// # Errors
    /// Why it was refused.
    pub fn gives(&mut self, actor: &Actor, command: Command) -> Answer {
        let id = CommandId(self.id());
        self.gives_as(actor, id, None, command)
    }

    /// Gives an order under an id and an epoch of its giver's choice.
    ///
    /// # Errors
    /// Why it was refused.
    pub fn gives_as(&mut self, actor: &Actor, id: CommandId, epoch: Option<u32>, command: Command) -> Answer {
        let digest = digest(&command);
        let order = Order { id, actor: actor.clone(), at: self.now, epoch, digest, command };
        let ticket = match self.engine.submit(order) {
            Ok(ticket) => ticket,
            Err(answer) => return answer,
        };
        self.work_off();
        self.answers.remove(&ticket).unwrap_or(Err(crate::domain::refusal::Refusal::Overloaded {}))
    }

    /// Gives an order that must be done.
    ///
    /// # Panics
    /// When it is refused.
    #[track_caller]
    pub fn does(&mut self, actor: &Actor, command: Command) -> Accepted {
        match self.gives(actor, command) {
            Ok(accepted) => accepted,
            Err(refusal) => panic!("refused: {} {refusal}", refusal.code()),
        }
    }

    /// Gives an order that must be refused; its code.
    ///
    /// # Panics
    /// When it is done.
    #[track_caller]
    pub fn refuses(&mut self, actor: &Actor, command: Command) -> &'static str {
        let before = self.journal.len();
        match self.gives(actor, command) {
            Ok(_) => panic!("done, but should have been refused"),
            Err(refusal) => {
                assert_eq!(self.journal.len(), before, "a refused command changed something");
                refusal.code()
            }
        }
    }

    fn work_off(&mut self) {
        while self.engine.waiting() > 0 {
            let decided = self.engine.next_round(&self.city);
            self.answers.extend(decided.answers);
            self.answers.extend(self.engine.refuse(decided.refused));
            let Some(round) = decided.round else { continue };
            let numbered = (round.seen + 1..).zip(round.proposals);
            let records: Vec<Record> =
                numbered.map(|(position, Proposal { entry, .. })| Record { position, entry }).collect();
            self.engine.take_in(&mut self.city, &records, |_, _| ());
            let positions: Vec<Option<u64>> = records.iter().map(|record| Some(record.position)).collect();
            self.answers.extend(self.engine.settle(round.in_hand, &positions));
            self.journal.extend(records);
        }
    }

    /// Lets time pass; whatever falls due on the way happens at its time.
    ///
    /// # Panics
    /// When something is due and nothing comes of it.
    pub fn forward_s(&mut self, seconds: u32) {
        let until = self.now.plus_s(seconds);
        while let Some(due) = self.city.deadlines().next().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            let before = self.journal.len();
            for command in timers::due(&self.city, self.now) {
                // Two alerts can be due for one compound: passing the command on for the first gives the second new time.
                drop(self.gives(&Actor::system(), command));
            }
            assert!(self.journal.len() > before, "what is due stays due: {:?}", self.city.deadlines());
        }
        self.now = until;
    }

    /// The city folded anew from its journal.
    pub fn replayed(&self) -> City {
        let mut city = City::default();
        self.journal.iter().for_each(|record| city.evolve(record));
        city
    }

    /// Codes of all compounds.
    pub fn compounds(&self) -> Vec<CompoundId> {
        self.city.compounds().map(|(id, _)| *id).collect()
    }

    /// A compound that has a commander, at least two deputies and a flood plan; the `n`-th such.
    ///
    /// # Panics
    /// When there are not so many.
    pub fn manned(&self, n: usize) -> CompoundId {
        let manned = self.city.compounds().filter(|(_, compound)| {
            compound.succession.line.len() >= 3 && compound.plan_in_force(Hazard::Flood).is_some()
        });
        manned.map(|(id, _)| *id).nth(n).unwrap_or_else(|| panic!("the city has no {n} manned compounds"))
    }

    /// The `rank`-th in the line of a compound, 0 for the commander.
    ///
    /// # Panics
    /// When the line is shorter.
    pub fn in_line(&self, compound: CompoundId, rank: usize) -> Actor {
        let compound = self.city.compound(compound).unwrap_or_else(|refusal| panic!("{refusal}"));
        Self::somebody(compound.succession.line[rank])
    }

    /// Opens an incident of flood.
    pub fn opens(&mut self, exercise: bool) -> IncidentId {
        let id = IncidentId(self.id());
        let title = "漳河洪水".to_owned();
        let dispatcher = self.account("city1");
        self.does(&dispatcher, Command::OpenIncident { id, hazard: Hazard::Flood, exercise, title });
        id
    }

    /// Drafts an alert to these compounds as the first city dispatcher.
    pub fn drafts(&mut self, incident: IncidentId, kind: AlertKind, compounds: &[CompoundId]) -> AlertId {
        let id = AlertId(self.id());
        let draft = AlertDraft { incident, kind, content: flood(self.now), target: at(compounds) };
        let dispatcher = self.account("city1");
        self.does(&dispatcher, Command::DraftAlert { id, draft: Box::new(draft) });
        id
    }

    /// Drafts, submits and, where the rule asks for it, approves an alert to these compounds.
    pub fn issues(&mut self, incident: IncidentId, compounds: &[CompoundId]) -> AlertId {
        let alert = self.drafts(incident, AlertKind::Alert, compounds);
        let confirm_compounds = Some(compounds.len());
        let (first, second) = (self.account("city1"), self.account("city2"));
        self.does(&first, Command::SubmitAlert { alert, confirm_compounds });
        let waits = self.city.alert(alert).is_ok_and(|state| state.alert.issue.is_none());
        if waits {
            self.does(&second, Command::ApproveAlert { alert, confirm_compounds });
        }
        alert
    }

    /// Reports on a household, as this actor, now.
    ///
    /// # Errors
    /// Why it was refused.
    pub fn checks_in(
        &mut self,
        by: &Actor,
        incident: IncidentId,
        household: HouseholdKey,
        status: RollStatus,
    ) -> Answer {
        let (verified, made_at) = (Verified::SelfReport, self.now);
        self.gives(
            by,
            Command::CheckIn(CheckIn { incident, household, status, heads: 2, verified, made_at, note: None }),
        )
    }
}

/// These compounds and no others.
pub fn at(compounds: &[CompoundId]) -> TargetArea {
    let mut target = TargetArea::default();
    target.include.compounds = compounds.to_vec();
    target
}

/// A flood warning that answers the five questions, as severe as it gets.
pub fn flood(now: Timestamp) -> AlertContent {
    let info = |language, event: &str, headline: &str, description: &str, instruction: &str, sender: &str| AlertInfo {
        language,
        event: event.to_owned(),
        headline: headline.to_owned(),
        description: description.to_owned(),
        instruction: instruction.to_owned(),
        sender_name: sender.to_owned(),
        contact: None,
    };
    AlertContent {
        hazard: Hazard::Flood,
        colour: Some(WarningColour::Red),
        category: vec![Category::Met],
        event_code: None,
        urgency: Urgency::Immediate,
        severity: Severity::Extreme,
        certainty: Certainty::Likely,
        response_types: vec![ResponseType::Evacuate],
        effective: None,
        onset: None,
        expires: now.plus_s(6 * 3_600),
        infos: vec![
            info(
                Language::ZhCn,
                "洪水红色预警",
                "长治市应急管理局发布洪水红色预警",
                "7月20日12时前，长治市漳河沿岸小区将出现漫堤洪水。",
                "请立即转移到高处的集合点，带好老人和孩子，不要穿越积水。",
                "长治市应急管理局",
            ),
            info(
                Language::EnUs,
                "Flood red warning",
                "Changzhi Emergency Management Bureau: red flood warning",
                "Before 12:00 on 20 July the Zhang River will overflow at compounds along its banks in Changzhi.",
                "Move to the assembly point on high ground now. Take the old and the children. Do not cross water.",
                "Changzhi Emergency Management Bureau",
            ),
        ],
    }
}

/// FNV-1a of the command's JSON: enough to tell repeats apart in a test.
fn digest(command: &Command) -> u64 {
    let text = serde_json::to_vec(command).unwrap_or_default();
    text.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
