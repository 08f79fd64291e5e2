//! One sentence an event, in Chinese and English: what the log, the timeline and the after-action report say.
//!
//! People are never named here (the directory may), households only by [`Sentence::of`] when the reader may see the roll.

use crate::city::City;
use crate::domain::aid::AidEvent;
use crate::domain::alert::{AlertEvent, AlertKind};
use crate::domain::compound::CompoundId;
use crate::domain::duty::{Answer, DutyEvent};
use crate::domain::event::{Event, RegisterEvent};
use crate::domain::hazard::{Hazard, ResponseLevel};
use crate::domain::help::Resolution;
use crate::domain::household::HouseholdKey;
use crate::domain::ids::AlertId;
use crate::domain::incident::IncidentEvent;
use crate::domain::receipt::{ReceiptMark, Stage};
use crate::domain::roll_call::RollStatus;
use crate::domain::succession::{Holder, SuccessionEvent};

use super::compound_name;

/// One sentence in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

fn say(zh: impl Into<String>, en: impl Into<String>) -> Sentence {
    Sentence { zh: zh.into(), en: en.into() }
}

impl Sentence {
    /// What happened. `with_households` for readers who may see the roll household by household.
    pub fn of(city: &City, event: &Event, with_households: bool) -> Self {
        let teller = Teller { city, with_households };
        match event {
            Event::Register(event) => teller.register(event),
            Event::Succession(compound, event, _) => teller.succession(*compound, event),
            Event::Incident(_, event) => incident(event),
            Event::Alert(id, event) => teller.alert(*id, event),
            Event::Receipts(marks) => receipts(marks),
            Event::Acknowledged { compounds, .. } => {
                let n = compounds.len();
                say(
                    format!("{n} 个小区的在任指挥确认收到预警"),
                    format!("The alert was acknowledged for {n} compounds"),
                )
            }
            Event::Duty(event) => teller.duty(event),
            Event::CheckedIn(check_in) => teller.check_in(check_in.household, &check_in.status),
            Event::HelpAssigned { help, .. } => {
                let (zh, en) = teller.household(help.household);
                say(format!("{zh}的求助已派人"), format!("Somebody was given the help request of {en}"))
            }
            Event::HelpEnded { help, how, reason, .. } => teller.help_ended(help.household, *how, reason),
            Event::Aid(event) => teller.aid(event),
        }
    }
}

struct Teller<'a> {
    city: &'a City,
    with_households: bool,
}

impl Teller<'_> {
    fn name(&self, id: CompoundId) -> String {
        compound_name(self.city, id)
    }

    /// The household as far as the reader may know it.
    fn household(&self, key: HouseholdKey) -> (String, String) {
        let compound = self.name(key.compound);
        if self.with_households {
            (format!("{compound} {} ", key.flat), format!("household {} of {compound}", key.flat))
        } else {
            (format!("{compound}一户"), format!("a household of {compound}"))
        }
    }

    fn register(&self, event: &RegisterEvent) -> Sentence {
        match event {
            RegisterEvent::Areas(areas) => {
                let n = areas.len();
                say(format!("登记 {n} 个区域"), format!("{n} areas were registered"))
            }
            RegisterEvent::PostKinds(kinds) => {
                let n = kinds.len();
                say(format!("登记 {n} 种岗位"), format!("{n} kinds of post were registered"))
            }
            RegisterEvent::Compound(compound) => {
                say(format!("登记小区{}", compound.name), format!("Compound {} was registered", compound.name))
            }
            RegisterEvent::Surveyed(id, findings) => {
                let (name, n) = (self.name(*id), findings.len());
                say(format!("{name}风险排查，{n} 项"), format!("{name} was surveyed: {n} findings"))
            }
            RegisterEvent::Stocked(id, stock) => {
                let (name, n) = (self.name(*id), stock.len());
                say(format!("{name}清点物资，{n} 种"), format!("The stock of {name} was counted: {n} kinds"))
            }
            RegisterEvent::Posts(id, posts) => {
                let (name, n) = (self.name(*id), posts.len());
                say(format!("{name}设置 {n} 个岗位"), format!("{n} posts were set up in {name}"))
            }
            RegisterEvent::Claims(post, people) => {
                let (name, n) = (self.name(post.compound), people.len());
                say(
                    format!("{name} {} 号岗位由 {n} 人领岗", post.no),
                    format!("{n} people hold post {} of {name}", post.no),
                )
            }
            RegisterEvent::Applied(post, _) => self.claim(post.compound, post.no, "有人申请领岗", "was applied for"),
            RegisterEvent::Granted(post, _) => self.claim(post.compound, post.no, "领岗获准", "was granted"),
            RegisterEvent::Released(post, _) => self.claim(post.compound, post.no, "退岗", "was released"),
            RegisterEvent::PlanDrafted(plan) => self.plan(plan.compound, plan.hazard, "已起草", "was drafted"),
            RegisterEvent::PlanSubmitted(id, hazard, _) => self.plan(*id, *hazard, "已报审", "was submitted"),
            RegisterEvent::PlanApproved(id, hazard, _) => self.plan(*id, *hazard, "已批准生效", "came into force"),
        }
    }

    fn claim(&self, id: CompoundId, no: u16, zh: &str, en: &str) -> Sentence {
        let name = self.name(id);
        say(format!("{name} {no} 号岗位：{zh}"), format!("Post {no} of {name} {en}"))
    }

    fn plan(&self, id: CompoundId, hazard: Hazard, zh: &str, en: &str) -> Sentence {
        let (name, (hazard_zh, hazard_en)) = (self.name(id), hazard_words(hazard));
        say(format!("{name}{hazard_zh}预案{zh}"), format!("The {hazard_en} plan of {name} {en}"))
    }

    fn succession(&self, id: CompoundId, event: &SuccessionEvent) -> Sentence {
        let name = self.name(id);
        match event {
            SuccessionEvent::Appointed { line } if line.is_empty() => {
                say(format!("{name}无指挥人员"), format!("{name} has nobody in its line of command"))
            }
            SuccessionEvent::Appointed { line } => {
                let n = line.len();
                say(format!("{name}任命指挥顺序，共 {n} 人"), format!("A line of {n} people was named for {name}"))
            }
            SuccessionEvent::PassedOver { to: Holder::Person(_), .. } => say(
                format!("{name}在任指挥未按时确认预警，指挥权转由下一顺位"),
                format!("The holder of the command of {name} did not acknowledge in time; the next in line takes it"),
            ),
            SuccessionEvent::PassedOver { to: Holder::Area(area), .. } => {
                let area = self.city.area_name(*area);
                say(
                    format!("{name}无人确认预警，指挥权转由{area}"),
                    format!("Nobody of {name} acknowledged in time; {area} takes command"),
                )
            }
            SuccessionEvent::Offered { .. } => {
                say(format!("{name}指挥权提出移交"), format!("The command of {name} was offered"))
            }
            SuccessionEvent::Accepted { .. } => {
                say(format!("{name}指挥权已接任"), format!("The command of {name} was accepted"))
            }
            SuccessionEvent::Restored {} => {
                say(format!("{name}指挥权恢复"), format!("The command of {name} went back to the head of its line"))
            }
        }
    }

    fn alert(&self, id: AlertId, event: &AlertEvent) -> Sentence {
        let headline = self
            .city
            .alert(id)
            .ok()
            .and_then(|state| state.alert.draft.content.infos.first().map(|info| info.headline.clone()))
            .unwrap_or_default();
        match event {
            AlertEvent::Drafted(draft) => {
                let (zh, en) = match draft.kind {
                    AlertKind::Alert => ("起草预警", "An alert was drafted"),
                    AlertKind::Update { .. } => ("起草预警更新", "An update was drafted"),
                    AlertKind::Cancel { .. } => ("起草预警解除", "A cancel was drafted"),
                };
                let headline = draft.content.infos.first().map_or("", |info| info.headline.as_str());
                say(format!("{zh}：{headline}"), format!("{en}: {headline}"))
            }
            AlertEvent::Submitted { hits } => say(
                format!("预警报审，涉及 {hits} 个小区：{headline}"),
                format!("The alert waits for a second person ({hits} compounds): {headline}"),
            ),
            AlertEvent::Rejected { reason } => {
                say(format!("预警被退回：{reason}"), format!("The alert was rejected: {reason}"))
            }
            AlertEvent::Issued(issue) => {
                let n = issue.compounds.len();
                let (zh, en) = if issue.break_glass {
                    ("紧急直发预警", "Break-glass alert")
                } else {
                    ("发布预警", "Alert")
                };
                say(
                    format!("{zh} {}，{n} 个小区：{headline}", issue.identity.identifier),
                    format!("{en} {} sent to {n} compounds: {headline}", issue.identity.identifier),
                )
            }
            AlertEvent::Countersigned {} => say(
                format!("紧急直发预警已补签：{headline}"),
                format!("The break-glass alert was countersigned: {headline}"),
            ),
        }
    }

    fn duty(&self, event: &DutyEvent) -> Sentence {
        match event {
            DutyEvent::Raised { level, compounds, .. } => {
                let (n, zh) = (compounds.len(), level_zh(*level));
                say(
                    format!("{n} 个小区转入急时，{zh}级响应"),
                    format!("{n} compounds went to emergency mode, level {level:?}"),
                )
            }
            DutyEvent::StoodDown { compounds, .. } => {
                let n = compounds.len();
                say(format!("{n} 个小区转回平时"), format!("{n} compounds went back to normal mode"))
            }
            DutyEvent::Answered { post, answer, .. } => {
                let (name, no) = (self.name(post.compound), post.no);
                let (zh, en) = match answer {
                    Answer::Acknowledged => ("收到", "is acknowledged"),
                    Answer::OnPost => ("到岗", "is filled"),
                    Answer::Declined { .. } => ("不能到岗，由候补递补", "was declined; the bench follows"),
                };
                say(format!("{name} {no} 号岗位：{zh}"), format!("Post {no} of {name} {en}"))
            }
            DutyEvent::Unanswered { compound, calls, .. } => {
                let (name, n) = (self.name(*compound), calls.len());
                say(
                    format!("{name} {n} 人未按时答复，由候补递补"),
                    format!("{n} people of {name} did not answer in time"),
                )
            }
            DutyEvent::FellSilent { compounds, .. } => {
                let n = compounds.len();
                say(format!("{n} 个小区失去音讯，情况不明"), format!("Nothing is heard from {n} compounds: unknown"))
            }
        }
    }

    fn check_in(&self, key: HouseholdKey, status: &RollStatus) -> Sentence {
        let (who_zh, who_en) = self.household(key);
        if !self.with_households {
            return say(format!("{who_zh}报送情况"), format!("A report came in on {who_en}"));
        }
        let (zh, en) = match status {
            RollStatus::Safe => ("安全", "is safe"),
            RollStatus::Away => ("不在小区", "is away"),
            RollStatus::Evacuated { .. } => ("已转移", "was evacuated"),
            RollStatus::Missing => ("失联", "is missing"),
            RollStatus::NeedHelp { .. } => ("需要帮助", "needs help"),
        };
        say(format!("{who_zh}{zh}"), format!("{who_en} {en}"))
    }

    fn help_ended(&self, key: HouseholdKey, how: Resolution, reason: &str) -> Sentence {
        let (who_zh, who_en) = self.household(key);
        let (zh, en) = match how {
            Resolution::Resolved => ("已解决", "was resolved"),
            Resolution::HandedOver => ("已移交", "was handed over"),
        };
        // The reason speaks of a household: it is for those who see the roll.
        let because = if self.with_households { format!(": {reason}") } else { String::new() };
        say(
            format!("{who_zh}的求助{zh}{}", because.replace(": ", "：")),
            format!("The help request of {who_en} {en}{because}"),
        )
    }

    fn aid(&self, event: &AidEvent) -> Sentence {
        match event {
            AidEvent::Dispatched { dispatch, .. } => {
                let (from, to) = (self.name(dispatch.from), self.name(dispatch.to));
                let (what, n) = (&dispatch.resource, dispatch.quantity);
                say(format!("{from}向{to}调运{what} {n}"), format!("{from} sent {n} {what} to {to}"))
            }
            AidEvent::Returned { dispatch: Some(dispatch), .. } => {
                let (from, to) = (self.name(dispatch.from), self.name(dispatch.to));
                let (what, n) = (&dispatch.resource, dispatch.quantity);
                say(format!("{to}归还{from}的{what} {n}"), format!("{to} gave {n} {what} back to {from}"))
            }
            AidEvent::Returned { dispatch: None, .. } => say("调运物资已归还", "What was sent came back"),
        }
    }
}

fn incident(event: &IncidentEvent) -> Sentence {
    match event {
        IncidentEvent::Opened { exercise: true, title, .. } => {
            say(format!("【演练】开始：{title}"), format!("[EXERCISE] begins: {title}"))
        }
        IncidentEvent::Opened { title, .. } => say(format!("事件开始：{title}"), format!("Incident begins: {title}")),
        IncidentEvent::Closed {} => say("事件结束", "Incident closed"),
    }
}

fn receipts(marks: &[ReceiptMark]) -> Sentence {
    let count = |stage| marks.iter().filter(|mark| mark.stage == stage).count();
    let (on_device, shown, read) = (count(Stage::Delivered), count(Stage::Shown), count(Stage::Acknowledged));
    say(
        format!("预警回执：送达 {on_device}、显示 {shown}、确认 {read}"),
        format!("Receipts: {on_device} on the device, {shown} shown, {read} acknowledged"),
    )
}

/// A level as it is written in Chinese.
const fn level_zh(level: ResponseLevel) -> &'static str {
    match level {
        ResponseLevel::I => "Ⅰ",
        ResponseLevel::II => "Ⅱ",
        ResponseLevel::III => "Ⅲ",
        ResponseLevel::IV => "Ⅳ",
    }
}

const fn hazard_words(hazard: Hazard) -> (&'static str, &'static str) {
    match hazard {
        Hazard::Flood => ("洪水", "flood"),
        Hazard::Fire => ("火灾", "fire"),
        Hazard::GasLeak => ("燃气泄漏", "gas leak"),
        Hazard::Earthquake => ("地震", "earthquake"),
        Hazard::Snow => ("暴雪", "snow"),
        Hazard::Landslide => ("地质灾害", "landslide"),
        Hazard::Heat => ("高温", "heat"),
        Hazard::Epidemic => ("疫情", "epidemic"),
        Hazard::UtilityFailure => ("停水停电停气", "utility failure"),
    }
}
