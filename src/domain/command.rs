//! All that can be ordered, in one list. An [`Order`] is a command with who gives it, when, and the giver's own id.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::actor::Actor;
use super::aid::{Dispatch, Stock};
use super::alert::AlertDraft;
use super::alert_content::AlertContent;
use super::area::{Area, AreaCode};
use super::compound::{Compound, CompoundId, Finding};
use super::duty::{Answer, ModeOrder};
use super::hazard::Hazard;
use super::help::{HelpKey, Resolution};
use super::ids::{AlertId, CommandId, DispatchId, IncidentId, PersonId};
use super::plan::ContingencyPlan;
use super::post::{Post, PostKey, PostKind};
use super::receipt::{ReceiptMark, Stage};
use super::roll_call::CheckIn;
use super::time::Timestamp;

/// Compounds that one switch may name.
pub const SWITCH_COMPOUNDS_MAX: usize = 100_000;

/// A command, who gives it, when, and under which id.
#[derive(Debug, Clone)]
pub struct Order {
    /// The giver's own id: the same twice is done once.
    pub id: CommandId,
    /// Who gives it.
    pub actor: Actor,
    /// When it came in.
    pub at: Timestamp,
    /// Under which epoch of the command the giver thinks to act; checked when the authority is that of a commander.
    pub epoch: Option<u32>,
    /// Digest of the command's content, made at the edge: tells a repeat from another command under the same id.
    pub digest: u64,
    /// What is ordered.
    pub command: Command,
}

/// Entries of the city's register that are taken in together: all or nothing. Order of sections is order of taking in.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Batch {
    /// Areas, added or renamed.
    pub areas: Vec<Area>,
    /// Kinds of posts, added or changed.
    pub post_kinds: Vec<PostKind>,
    /// Compounds, added or changed.
    pub compounds: Vec<Compound>,
    /// Findings of a survey: replace the compound's earlier ones.
    pub surveys: Vec<Survey>,
    /// What compounds have: replaces the compound's earlier list.
    pub stocks: Vec<CompoundStock>,
    /// Posts: replace the compound's earlier list; claims on posts that stay are kept.
    pub posts: Vec<CompoundPosts>,
    /// Lines of succession.
    pub lines: Vec<Line>,
    /// Claims, granted: replace the post's earlier list.
    pub claims: Vec<PostClaims>,
    /// Plans, as approved versions.
    pub plans: Vec<ContingencyPlan>,
}

/// Findings of the risk survey of one compound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Survey {
    /// Which compound.
    pub compound: CompoundId,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// What one compound has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompoundStock {
    /// Which compound.
    pub compound: CompoundId,
    /// What it has.
    pub stock: Stock,
}

/// Posts of one compound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompoundPosts {
    /// Which compound.
    pub compound: CompoundId,
    /// Its posts.
    pub posts: Vec<Post>,
}

/// Commander and deputies of one compound, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Which compound.
    pub compound: CompoundId,
    /// Commander first.
    pub line: Vec<PersonId>,
}

/// Who holds one post, in the order in which they are called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostClaims {
    /// Which post.
    pub post: PostKey,
    /// Who holds it.
    pub people: Vec<PersonId>,
}

/// What can be ordered. In JSON: `{"acknowledge_alert": {"alert": "…"}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Take entries into the register, all or nothing.
    Import(Box<Batch>),

    /// Write a plan: a draft of the next version.
    DraftPlan {
        /// What it says.
        plan: ContingencyPlan,
    },
    /// Hand a draft to the street.
    SubmitPlan {
        /// Whose plan.
        compound: CompoundId,
        /// For what.
        hazard: Hazard,
        /// Which version.
        version: u32,
    },
    /// The street puts a submitted version in force.
    ApprovePlan {
        /// Whose plan.
        compound: CompoundId,
        /// For what.
        hazard: Hazard,
        /// Which version.
        version: u32,
    },

    /// Ask for a post, for oneself.
    ApplyForPost {
        /// Which.
        post: PostKey,
    },
    /// Grant a claim that was asked for; whoever keeps the register grants it unasked, too.
    GrantClaim {
        /// Which post.
        post: PostKey,
        /// To whom.
        person: PersonId,
    },
    /// Give up a post, or take it from somebody.
    ReleaseClaim {
        /// Which post.
        post: PostKey,
        /// Whose claim.
        person: PersonId,
    },

    /// Name commander and deputies.
    AppointLine(Line),
    /// Offer the command to somebody of the line.
    OfferCommand {
        /// Of which compound.
        compound: CompoundId,
        /// To whom.
        to: PersonId,
    },
    /// Take the command that was offered.
    AcceptCommand {
        /// Of which compound.
        compound: CompoundId,
    },

    /// Open an incident.
    OpenIncident {
        /// Its id, made at the edge.
        id: IncidentId,
        /// What kind of danger.
        hazard: Hazard,
        /// Whether it is an exercise.
        exercise: bool,
        /// What people call it.
        title: String,
    },
    /// Close an incident.
    CloseIncident {
        /// Which.
        incident: IncidentId,
    },

    /// Write an alert, or write a draft anew.
    DraftAlert {
        /// Its id, made at the edge.
        id: AlertId,
        /// What is written.
        draft: Box<AlertDraft>,
    },
    /// Send it, or queue it for a second person where the rule asks for one.
    SubmitAlert {
        /// Which.
        alert: AlertId,
        /// Compounds that it hits, as seen in the preview. A real alert needs it; where given, it must still hold.
        confirm_compounds: Option<usize>,
    },
    /// The second person sends it.
    ApproveAlert {
        /// Which.
        alert: AlertId,
        /// As in `submit_alert`.
        confirm_compounds: Option<usize>,
    },
    /// The second person says no.
    RejectAlert {
        /// Which.
        alert: AlertId,
        /// Why.
        reason: String,
    },
    /// A commander alone alerts the own compound because life is in danger.
    BreakGlassAlert {
        /// Id of the alert, made at the edge.
        id: AlertId,
        /// Under which incident; a real one is opened under this id when there is none.
        incident: IncidentId,
        /// The own compound.
        compound: CompoundId,
        /// What it says; severity must be Extreme or Severe, urgency Immediate.
        content: Box<AlertContent>,
        /// Why there was no time for a second person.
        reason: String,
    },
    /// A dispatcher puts their name under a break-glass alert afterwards.
    CountersignAlert {
        /// Which.
        alert: AlertId,
    },
    /// A phone says that the alert is there or on the screen.
    ReportReceipt {
        /// Of which alert.
        alert: AlertId,
        /// How far.
        stage: Stage,
    },
    /// Receipts that arrived together. Given by the system for the phones.
    ReportReceipts {
        /// Which.
        marks: Vec<ReceiptMark>,
    },
    /// "Received": stops the line of succession where the giver commands.
    AcknowledgeAlert {
        /// Which.
        alert: AlertId,
    },
    /// Pass the command on where it was not acknowledged in time. Given by the system's timer.
    PassOver {
        /// Which alert.
        alert: AlertId,
        /// In which compounds.
        compounds: Vec<CompoundId>,
    },

    /// Move compounds between normal and emergency mode.
    SwitchDuty {
        /// Under which incident.
        incident: IncidentId,
        /// All compounds of these areas …
        #[serde(default)]
        areas: Vec<AreaCode>,
        /// … and these compounds.
        #[serde(default)]
        compounds: Vec<CompoundId>,
        /// To which mode.
        to: ModeOrder,
    },
    /// A called person answers.
    AnswerCall {
        /// Called to which post.
        post: PostKey,
        /// What.
        answer: Answer,
    },
    /// A commander or dispatcher notes what a called person answered by voice.
    AnswerCallFor {
        /// Called to which post.
        post: PostKey,
        /// Who.
        person: PersonId,
        /// What.
        answer: Answer,
    },
    /// Give up waiting for those who did not answer. Given by the system's timer.
    TimeOutCalls {
        /// In which compounds.
        compounds: Vec<CompoundId>,
    },
    /// Note compounds from which nothing is heard. Given by the system's timer.
    NoteSilence {
        /// Which.
        compounds: Vec<CompoundId>,
    },

    /// Report on a household.
    CheckIn(CheckIn),
    /// Give a help request to somebody.
    AssignHelp {
        /// Under which incident.
        incident: IncidentId,
        /// Which request.
        help: HelpKey,
        /// To whom.
        to: PersonId,
    },
    /// End a help request, with a reason.
    EndHelp {
        /// Under which incident.
        incident: IncidentId,
        /// Which request.
        help: HelpKey,
        /// How it ended.
        how: Resolution,
        /// Why.
        reason: String,
    },

    /// Send something to another compound.
    DispatchResource {
        /// Its id, made at the edge.
        id: DispatchId,
        /// What, from where, to where.
        dispatch: Dispatch,
    },
    /// Note that it came back.
    ReturnResource {
        /// Which sending.
        id: DispatchId,
    },
}

/// What a command touches: two commands that touch the same wait for consecutive rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// The whole city: alone in its round.
    City,
    /// A household's roll.
    Household(IncidentId, super::household::HouseholdKey),
    /// The calls of a compound.
    Call(CompoundId),
    /// A person's receipts of an alert.
    Receipt(AlertId, PersonId),
}

impl Command {
    /// The word under which it stands in JSON, for logs and counts.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Import(_) => "import",
            Self::DraftPlan { .. } => "draft_plan",
            Self::SubmitPlan { .. } => "submit_plan",
            Self::ApprovePlan { .. } => "approve_plan",
            Self::ApplyForPost { .. } => "apply_for_post",
            Self::GrantClaim { .. } => "grant_claim",
            Self::ReleaseClaim { .. } => "release_claim",
            Self::AppointLine(_) => "appoint_line",
            Self::OfferCommand { .. } => "offer_command",
            Self::AcceptCommand { .. } => "accept_command",
            Self::OpenIncident { .. } => "open_incident",
            Self::CloseIncident { .. } => "close_incident",
            Self::DraftAlert { .. } => "draft_alert",
            Self::SubmitAlert { .. } => "submit_alert",
            Self::ApproveAlert { .. } => "approve_alert",
            Self::RejectAlert { .. } => "reject_alert",
            Self::BreakGlassAlert { .. } => "break_glass_alert",
            Self::CountersignAlert { .. } => "countersign_alert",
            Self::ReportReceipt { .. } => "report_receipt",
            Self::ReportReceipts { .. } => "report_receipts",
            Self::AcknowledgeAlert { .. } => "acknowledge_alert",
            Self::PassOver { .. } => "pass_over",
            Self::SwitchDuty { .. } => "switch_duty",
            Self::AnswerCall { .. } => "answer_call",
            Self::AnswerCallFor { .. } => "answer_call_for",
            Self::TimeOutCalls { .. } => "time_out_calls",
            Self::NoteSilence { .. } => "note_silence",
            Self::CheckIn(_) => "check_in",
            Self::AssignHelp { .. } => "assign_help",
            Self::EndHelp { .. } => "end_help",
            Self::DispatchResource { .. } => "dispatch_resource",
            Self::ReturnResource { .. } => "return_resource",
        }
    }

    /// What it touches. Commands that come in thousands have a small key of their own; the rest take the city.
    pub fn touches(&self, actor: &Actor) -> Key {
        match self {
            Self::CheckIn(check_in) => Key::Household(check_in.incident, check_in.household),
            Self::AnswerCall { post, .. } | Self::AnswerCallFor { post, .. } => Key::Call(post.compound),
            Self::ReportReceipt { alert, .. } | Self::AcknowledgeAlert { alert } => {
                actor.person_id().map_or(Key::City, |person| Key::Receipt(*alert, person))
            }
            _ => Key::City,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_named_as_it_stands_in_json() {
        let compound: CompoundId = "140403001001001".parse().unwrap();
        let commands = [
            Command::Import(Box::default()),
            Command::AcceptCommand { compound },
            Command::TimeOutCalls { compounds: vec![compound] },
            Command::AppointLine(Line { compound, line: Vec::new() }),
        ];
        for command in commands {
            let json = serde_json::to_value(&command).unwrap();
            assert!(json.get(command.name()).is_some(), "{json}");
        }
    }
}
