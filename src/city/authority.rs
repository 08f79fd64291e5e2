//! Who may do what, where: the one place that says so, asked before every read and every command.
//!
//! Accounts are granted roles over areas; who commands or holds a post follows from the journal. [`City::standing`] puts the two
//! together for one compound, and [`Action::is_open_to`] is the table. Deny by default.

use serde::{Deserialize, Serialize};

use crate::domain::actor::{Actor, Giver, Role};
use crate::domain::area::AreaCode;
use crate::domain::compound::CompoundId;
use crate::domain::household::HouseholdKey;
use crate::domain::ids::{AlertId, PersonId};
use crate::domain::refusal::Refusal;
use crate::domain::succession::Holder;

use super::state::City;

/// What somebody is to a compound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a person can be several of these at once; each is one column of the table"
)]
pub struct Standing {
    /// Administrator of its area.
    pub administrator: bool,
    /// Dispatcher of its area.
    pub dispatcher: bool,
    /// Observer of its area.
    pub observer: bool,
    /// In command of it now.
    pub in_command: bool,
    /// In its line of succession.
    pub in_line: bool,
    /// Holds a granted post in it.
    pub post_holder: bool,
}

impl Standing {
    /// What the actor's account makes of them there, whatever place they have in it.
    fn by_account(actor: &Actor, id: CompoundId) -> Self {
        Self {
            administrator: actor.has(Role::Administrator, id),
            dispatcher: actor.has(Role::Dispatcher, id),
            observer: actor.has(Role::Observer, id),
            ..Self::default()
        }
    }
}

/// How far from their own compound somebody sees others over which they have no authority, m: a walk of three quarters of an hour.
pub const NEIGHBOUR_MAX_M: f64 = 3_000.0;

/// How much somebody sees of a compound that is near another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// That it is there, how far, in which mode, and which office commands it: what asking for help needs. No people, no stock.
    Near,
    /// Its free hands and its stock, too.
    Whole,
}

/// What can be done; the names appear in refusals and in the access log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// See that a compound is there and how it stands in numbers.
    SeeCompound,
    /// See which compounds are near it, for mutual aid.
    SeeNeighbours,
    /// See its posts, plans, findings.
    SeePlans,
    /// See its roll household by household, and its help requests.
    SeeRoll,
    /// See which households are helped first.
    SeeVulnerable,
    /// See names and phones; each look is logged.
    SeeContacts,
    /// See what happened.
    SeeLog,
    /// Make accounts, grant roles, see who looked at names; of a whole area only.
    KeepAccounts,
    /// Enter and correct compounds, posts, lines, claims.
    KeepRegister,
    /// Write a plan.
    WritePlan,
    /// Put a plan in force.
    ApprovePlan,
    /// Grant and take claims.
    KeepClaims,
    /// Write, submit, approve and cancel alerts.
    SendAlert,
    /// Alert the own compound alone.
    BreakGlass,
    /// Move between normal and emergency mode.
    SwitchDuty,
    /// Answer a call for somebody.
    AnswerForOthers,
    /// Report on a household.
    CheckIn,
    /// Give out and end help requests.
    KeepHelp,
    /// Send and take back resources.
    SendResources,
    /// Hand the command on.
    HandOver,
    /// Make links and invitations for its people and households.
    Invite,
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 21] = [
        Self::SeeCompound,
        Self::SeeNeighbours,
        Self::SeePlans,
        Self::SeeRoll,
        Self::SeeVulnerable,
        Self::SeeContacts,
        Self::SeeLog,
        Self::KeepAccounts,
        Self::KeepRegister,
        Self::WritePlan,
        Self::ApprovePlan,
        Self::KeepClaims,
        Self::SendAlert,
        Self::BreakGlass,
        Self::SwitchDuty,
        Self::AnswerForOthers,
        Self::CheckIn,
        Self::KeepHelp,
        Self::SendResources,
        Self::HandOver,
        Self::Invite,
    ];

    /// Its name in the description of the API (`x-muster-action`).
    pub const fn name(self) -> &'static str {
        match self {
            Self::SeeCompound => "see_compound",
            Self::SeeNeighbours => "see_neighbours",
            Self::SeePlans => "see_plans",
            Self::SeeRoll => "see_roll",
            Self::SeeVulnerable => "see_vulnerable",
            Self::SeeContacts => "see_contacts",
            Self::SeeLog => "see_log",
            Self::KeepAccounts => "keep_accounts",
            Self::KeepRegister => "keep_register",
            Self::WritePlan => "write_plan",
            Self::ApprovePlan => "approve_plan",
            Self::KeepClaims => "keep_claims",
            Self::SendAlert => "send_alert",
            Self::BreakGlass => "break_glass",
            Self::SwitchDuty => "switch_duty",
            Self::AnswerForOthers => "answer_for_others",
            Self::CheckIn => "check_in",
            Self::KeepHelp => "keep_help",
            Self::SendResources => "send_resources",
            Self::HandOver => "hand_over",
            Self::Invite => "invite",
        }
    }

    /// That the giver's role does not allow it.
    pub const fn not_your_role(self) -> Refusal {
        let (zh, en) = match self {
            Self::SeeCompound => ("查看小区", "see compounds"),
            Self::SeeNeighbours => ("查看相邻小区", "see which compounds are near"),
            Self::SeePlans => ("查看预案和岗位", "see plans and posts"),
            Self::SeeRoll => ("查看点名明细", "see a roll household by household"),
            Self::SeeVulnerable => ("查看重点人员住户", "see which households are helped first"),
            Self::SeeContacts => ("查看姓名和电话", "see names and phones"),
            Self::SeeLog => ("查看日志", "see the log"),
            Self::KeepAccounts => ("管理账号", "manage accounts"),
            Self::KeepRegister => ("修改小区资料", "change what is known of compounds"),
            Self::WritePlan => ("编写预案", "write plans"),
            Self::ApprovePlan => ("批准预案", "approve plans"),
            Self::KeepClaims => ("审批岗位认领", "grant or take away posts"),
            Self::SendAlert => ("发布或审批预警", "send or approve alerts"),
            Self::BreakGlass => ("紧急直发预警", "send an alert alone"),
            Self::SwitchDuty => ("切换平急状态", "switch between normal and emergency duty"),
            Self::AnswerForOthers => ("代他人应答", "answer for others"),
            Self::CheckIn => ("上报住户情况", "report on households"),
            Self::KeepHelp => ("处理求助", "give out or end help requests"),
            Self::SendResources => ("调派资源", "send or take back resources"),
            Self::HandOver => ("移交指挥权", "hand the command over"),
            Self::Invite => ("制作邀请或住户二维码", "make invitations or household codes"),
        };
        Refusal::NotYourRole { zh, en }
    }

    // INVARIANT: authority_is_an_area_and_a_role
    /// The table: to whom the action is open.
    pub const fn is_open_to(self, who: Standing) -> bool {
        let Standing { administrator, dispatcher, observer, in_command, in_line, post_holder } = who;
        match self {
            Self::SeeCompound | Self::SeePlans => {
                administrator || dispatcher || observer || in_command || in_line || post_holder
            }
            Self::SeeLog | Self::SeeNeighbours => administrator || dispatcher || observer || in_command || in_line,
            Self::SeeRoll | Self::CheckIn => dispatcher || in_command || in_line || post_holder,
            Self::SeeVulnerable | Self::SeeContacts => dispatcher || in_command || in_line,
            Self::KeepAccounts => administrator,
            Self::KeepRegister => administrator || dispatcher,
            Self::WritePlan => administrator || dispatcher || in_line,
            Self::ApprovePlan | Self::SendAlert => dispatcher,
            Self::BreakGlass => in_command,
            Self::KeepClaims | Self::Invite => administrator || dispatcher || in_command,
            Self::SwitchDuty | Self::AnswerForOthers | Self::KeepHelp | Self::SendResources | Self::HandOver => {
                dispatcher || in_command
            }
        }
    }

    /// Whether one who may it only as the holder of the command acts under the epoch of that command.
    pub const fn is_order(self) -> bool {
        matches!(
            self,
            Self::BreakGlass
                | Self::SwitchDuty
                | Self::AnswerForOthers
                | Self::KeepHelp
                | Self::SendResources
                | Self::HandOver
                | Self::KeepClaims
        )
    }
}

impl City {
    /// What the actor is to the compound.
    pub fn standing(&self, actor: &Actor, id: CompoundId) -> Standing {
        let mut standing = Standing::by_account(actor, id);
        if let (Some(person), Ok(compound)) = (actor.person_id(), self.compound(id)) {
            standing.in_command = compound.is_commanded_by(person);
            standing.in_line = compound.succession.line.contains(&person);
            standing.post_holder = compound.has_claimant(person);
        }
        standing
    }

    /// Whether the actor may do it in the compound.
    ///
    /// # Errors
    /// [`Refusal::NotYourArea`] when the actor is nothing to the compound, [`Refusal::NotYourRole`] when not enough.
    pub fn may(&self, actor: &Actor, action: Action, id: CompoundId) -> Result<(), Refusal> {
        if actor.giver == Giver::System {
            return Ok(());
        }
        // Whom a grant lets is not looked for in lines and posts: an order to a city asks for each of its compounds.
        if action.is_open_to(Standing::by_account(actor, id)) {
            return Ok(());
        }
        let standing = self.standing(actor, id);
        if action.is_open_to(standing) {
            Ok(())
        } else if standing == Standing::default() {
            Err(Refusal::NotYourArea { place: id.to_string() })
        } else {
            Err(action.not_your_role())
        }
    }

    // INVARIANT: an order given under an older epoch is refused.
    /// Like [`City::may`], for an order: who may it only as the holder of the command must hold it under `epoch`.
    ///
    /// # Errors
    /// As [`City::may`], [`Refusal::StaleEpoch`], [`Refusal::NotInCommand`].
    pub fn may_order(&self, actor: &Actor, action: Action, id: CompoundId, epoch: Option<u32>) -> Result<(), Refusal> {
        let standing = self.standing(actor, id);
        let without_command = action.is_open_to(Standing { in_command: false, in_line: false, ..standing });
        if without_command || !action.is_order() || actor.giver == Giver::System {
            return self.may(actor, action, id);
        }
        let compound = self.compound(id)?;
        if let Some(epoch) = epoch.filter(|_| standing.in_line) {
            compound.succession.check_epoch(id, epoch)?;
        }
        if standing.in_line && !standing.in_command {
            return Err(Refusal::NotInCommand { compound: id });
        }
        self.may(actor, action, id)
    }

    /// Whether the actor may do it in the whole area: by an account's grant over it.
    ///
    /// # Errors
    /// [`Refusal::NotYourArea`], [`Refusal::NotYourRole`].
    pub fn may_in_area(&self, actor: &Actor, action: Action, area: AreaCode) -> Result<(), Refusal> {
        if actor.giver == Giver::System {
            return Ok(());
        }
        let standing = Standing {
            administrator: actor.has_area(Role::Administrator, area),
            dispatcher: actor.has_area(Role::Dispatcher, area),
            observer: actor.has_area(Role::Observer, area),
            ..Standing::default()
        };
        if action.is_open_to(standing) {
            Ok(())
        } else if standing == Standing::default() {
            Err(Refusal::NotYourArea { place: self.area_name(area) })
        } else {
            Err(action.not_your_role())
        }
    }

    /// Whether the actor holds a role that may do it somewhere at all.
    ///
    /// # Errors
    /// [`Refusal::NotYourRole`].
    pub fn may_somewhere(&self, actor: &Actor, action: Action) -> Result<(), Refusal> {
        let by_grant = actor.grants.iter().any(|grant| self.may_in_area(actor, action, grant.area).is_ok());
        let by_place = || {
            actor.person_id().is_some_and(|person| self.places_of(person).any(|id| self.may(actor, action, id).is_ok()))
        };
        if actor.giver == Giver::System || by_grant || by_place() { Ok(()) } else { Err(action.not_your_role()) }
    }

    // Whoever knows a password acts as its person.
    /// Whether the actor may keep the account of somebody who is granted roles over these areas: all of them must be the actor's
    /// to administer, and every compound in which that person has a part.
    ///
    /// # Errors
    /// [`Refusal::NotYourRole`] when the actor administers nothing, else as [`City::may_in_area`], for the first that is outside.
    pub fn may_keep_account(
        &self,
        actor: &Actor,
        person: PersonId,
        granted: impl IntoIterator<Item = AreaCode>,
    ) -> Result<(), Refusal> {
        self.may_somewhere(actor, Action::KeepAccounts)?;
        let parts = self.places_of(person).map(CompoundId::community);
        granted.into_iter().chain(parts).try_for_each(|area| self.may_in_area(actor, Action::KeepAccounts, area))
    }

    /// Whether the actor may correct what is known of somebody who is granted roles over these areas: every compound in which that
    /// person has a part must be the actor's to register, and what they are granted the actor's to administer. Who has neither is the
    /// `whole` city's.
    ///
    /// # Errors
    /// As [`City::may`] and [`City::may_in_area`], for the first that is outside.
    pub fn may_correct_person(
        &self,
        actor: &Actor,
        person: PersonId,
        granted: &[AreaCode],
        whole: AreaCode,
    ) -> Result<(), Refusal> {
        self.may_somewhere(actor, Action::KeepRegister)?;
        let mut places = self.places_of(person).peekable();
        if places.peek().is_none() && granted.is_empty() {
            return self.may_in_area(actor, Action::KeepAccounts, whole);
        }
        places.try_for_each(|compound| self.may(actor, Action::KeepRegister, compound))?;
        granted.iter().try_for_each(|area| self.may_in_area(actor, Action::KeepAccounts, *area))
    }

    /// How much the actor sees of a compound that lies `apart_m` metres from `home`: all that helps where its plans are theirs to
    /// see; else that it is there, when it is within [`NEIGHBOUR_MAX_M`] of a home whose neighbours they see; else nothing.
    pub fn sight_of_neighbour(
        &self,
        actor: &Actor,
        home: CompoundId,
        other: CompoundId,
        apart_m: f64,
    ) -> Option<Sight> {
        if self.may(actor, Action::SeePlans, other).is_ok() {
            return Some(Sight::Whole);
        }
        let near = apart_m <= NEIGHBOUR_MAX_M && self.may(actor, Action::SeeNeighbours, home).is_ok();
        near.then_some(Sight::Near)
    }

    /// Whether the actor may send an alert to all of these compounds.
    ///
    /// # Errors
    /// As [`City::may`], for the first that is outside.
    pub fn may_send(&self, actor: &Actor, hits: &[CompoundId]) -> Result<(), Refusal> {
        hits.iter().try_for_each(|compound| self.may(actor, Action::SendAlert, *compound))
    }

    /// Whether the actor may report on the household: its own link, or somebody with a part in the compound.
    ///
    /// # Errors
    /// As [`City::may`].
    pub fn may_check_in(&self, actor: &Actor, household: HouseholdKey) -> Result<(), Refusal> {
        match actor.giver {
            Giver::Household(own) if own == household => Ok(()),
            Giver::Household(_) => Err(Refusal::NotYourArea { place: household.to_string() }),
            Giver::Person(_) | Giver::System => self.may(actor, Action::CheckIn, household.compound),
        }
    }

    /// Whether the actor may read the alert: it went to a compound that they see, or they may send such alerts.
    ///
    /// # Errors
    /// [`Refusal::NotARecipient`], [`Refusal::UnknownAlert`].
    pub fn may_read_alert(&self, actor: &Actor, id: AlertId) -> Result<(), Refusal> {
        let state = self.alert(id)?;
        let wrote = actor.person_id().is_some_and(|person| state.alert.was_sent_by(person));
        let got = |compound: CompoundId| {
            state.reach.contains(compound) && self.may(actor, Action::SeeCompound, compound).is_ok()
        };
        let by_place = || actor.person_id().is_some_and(|person| self.places_of(person).any(got));
        let by_area = || {
            let compounds = state.alert.compounds();
            actor.grants.iter().any(|grant| compounds.iter().any(|compound| compound.is_in(grant.area)))
        };
        let to_approve = || {
            !actor.grants.is_empty()
                && state.alert.issue.is_none()
                && self.hits(&state.alert).is_ok_and(|hits| {
                    hits.iter()
                        .all(|compound| actor.has(Role::Dispatcher, *compound) || actor.has(Role::Observer, *compound))
                })
        };
        if wrote || by_place() || by_area() || to_approve() { Ok(()) } else { Err(Refusal::NotARecipient {}) }
    }

    /// The compounds whose command the actor holds now: by name, or as dispatcher of the area that took over.
    pub fn commands(&self, actor: &Actor, id: CompoundId) -> bool {
        self.compound(id).is_ok_and(|compound| match compound.succession.holder {
            Holder::Person(person) => actor.person_id() == Some(person),
            Holder::Area(area) => actor.has_area(Role::Dispatcher, area),
        })
    }
}
