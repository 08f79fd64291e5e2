//! Roll call: who is accounted for, household by household.
//!
//! Reports come from several phones, late, twice and out of order. What is kept of a household is, for each status, the latest
//! report by the time it was *made*: taking the larger of two is the same in any order, so any order of arrival gives the same
//! roll. Help lives in [`super::help`]: "safe" does not undo it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::household::HouseholdKey;
use super::ids::{CommandId, IncidentId};
use super::refusal::Refusal;
use super::text::check_text;
use super::time::Timestamp;

/// People whom one report may count.
pub const HEADS_MAX: u16 = 50;
/// Characters of the note of one report.
pub const NOTE_MAX: usize = 200;
/// How far a phone's clock may run ahead, s.
pub const CLOCK_AHEAD_MAX_S: u32 = 300;

/// What a household needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HelpKind {
    /// 医疗
    Medical,
    /// 被困
    Trapped,
    /// 转移
    Evacuation,
    /// 物资
    Supplies,
}

/// What a report says of a household.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RollStatus {
    /// 安全
    Safe,
    /// 不在家、不在小区
    Away,
    /// 已转移
    Evacuated {
        /// Which of the compound's assembly points, from 0; `None` for elsewhere.
        assembly_point: Option<u8>,
    },
    /// 失联
    Missing,
    /// 需要帮助
    NeedHelp {
        /// What is needed; at least one, each once.
        kinds: Vec<HelpKind>,
    },
}

impl RollStatus {
    /// Number of kinds.
    pub const KINDS: usize = 5;

    /// Which kind, graver is higher: it settles reports that were made at the same moment.
    pub const fn rank(&self) -> u8 {
        match self {
            Self::Safe => 0,
            Self::Away => 1,
            Self::Evacuated { .. } => 2,
            Self::Missing => 3,
            Self::NeedHelp { .. } => 4,
        }
    }
}

/// How it is known. Better is higher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verified {
    /// 本户自报
    SelfReport,
    /// 亲属、邻居转述
    Relayed,
    /// 入户核实
    DoorToDoor,
    /// 指挥长核实
    Commander,
    /// 医护核实
    Medic,
}

/// One report on one household.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckIn {
    /// In which incident's roll.
    pub incident: IncidentId,
    /// On whom.
    pub household: HouseholdKey,
    /// What it says.
    pub status: RollStatus,
    /// People it speaks for, 0 to 50.
    pub heads: u16,
    /// How it is known.
    pub verified: Verified,
    /// When it was made, which may be long before it arrived.
    #[schema(value_type = i64)]
    pub made_at: Timestamp,
    /// What whoever comes has to know, at most 200 characters: "back door open". It stays in the journal: no names, no phones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl CheckIn {
    /// Checks the report by itself, and that it is not from the future.
    ///
    /// # Errors
    /// [`Refusal::BadCheckIn`], [`Refusal::BadText`], [`Refusal::MadeInFuture`].
    pub fn check(&self, now: Timestamp) -> Result<(), Refusal> {
        if self.heads > HEADS_MAX {
            return Err(Refusal::BadCheckIn { why: "heads must be 0 to 50" });
        }
        if let RollStatus::NeedHelp { kinds } = &self.status {
            if kinds.is_empty() {
                return Err(Refusal::BadCheckIn { why: "say what help is needed" });
            }
            if kinds.iter().enumerate().any(|(i, kind)| kinds[..i].contains(kind)) {
                return Err(Refusal::BadCheckIn { why: "a kind of help stands twice" });
            }
        }
        if let Some(note) = &self.note {
            check_text("note", note, NOTE_MAX)?;
        }
        if self.made_at > now.plus_s(CLOCK_AHEAD_MAX_S) {
            return Err(Refusal::MadeInFuture {});
        }
        Ok(())
    }
}

/// What is kept of one report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// When it was made.
    #[schema(value_type = i64)]
    pub made_at: Timestamp,
    /// What it says.
    pub status: RollStatus,
    /// People it speaks for.
    pub heads: u16,
    /// How it is known.
    pub verified: Verified,
    /// What whoever comes has to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The command that brought it: settles what the other fields leave equal.
    pub id: CommandId,
}

impl Report {
    /// Total order: later made wins, then the graver, then the better verified, then the id.
    fn key(&self) -> (Timestamp, u8, Verified, CommandId) {
        (self.made_at, self.status.rank(), self.verified, self.id)
    }
}

/// What is known of one household: for each status the latest report, the current one first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct HouseholdRoll {
    /// At most one a kind of status; the first is the one that counts.
    reports: Vec<Report>,
}

impl HouseholdRoll {
    // INVARIANT: late_and_repeated_reports_merge
    /// Takes a report in. The same in any order, and nothing when it comes twice.
    pub fn merge(&mut self, report: Report) {
        match self.reports.iter().position(|r| r.status.rank() == report.status.rank()) {
            Some(i) if self.reports[i].key() >= report.key() => return,
            Some(i) => self.reports[i] = report,
            None => self.reports.push(report),
        }
        self.reports.sort_by_key(|report| std::cmp::Reverse(report.key()));
    }

    /// The report that counts; `None` while unaccounted.
    pub fn current(&self) -> Option<&Report> {
        self.reports.first()
    }

    /// The latest report that asks for help, also when a later one says that all is well.
    pub fn asking(&self) -> Option<&Report> {
        self.reports.iter().find(|report| matches!(report.status, RollStatus::NeedHelp { .. }))
    }

    /// Reports that say otherwise and are at least as well verified: both are shown.
    pub fn conflicts(&self) -> impl Iterator<Item = &Report> {
        let verified = self.current().map(|r| r.verified);
        self.reports.iter().skip(1).filter(move |r| Some(r.verified) >= verified)
    }
}

/// How some households stand; added up over stairwells, buildings, compounds and areas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct RollCounts {
    /// Households on the roll.
    pub households: u32,
    /// Reported safe.
    pub safe: u32,
    /// Away.
    pub away: u32,
    /// Evacuated.
    pub evacuated: u32,
    /// Missing.
    pub missing: u32,
    /// Latest report says that help is needed.
    pub need_help: u32,
    /// People whom the current reports count.
    pub heads: u32,
    /// Help requests that are open or assigned.
    pub help_open: u32,
}

impl RollCounts {
    /// Households of which nothing is known.
    pub const fn unaccounted(&self) -> u32 {
        self.households.saturating_sub(self.safe + self.away + self.evacuated + self.missing + self.need_help)
    }

    fn slot(&mut self, status: &RollStatus) -> &mut u32 {
        match status {
            RollStatus::Safe => &mut self.safe,
            RollStatus::Away => &mut self.away,
            RollStatus::Evacuated { .. } => &mut self.evacuated,
            RollStatus::Missing => &mut self.missing,
            RollStatus::NeedHelp { .. } => &mut self.need_help,
        }
    }

    /// Takes a household's old report out and its new one in.
    pub fn shift(&mut self, before: Option<&Report>, after: Option<&Report>) {
        if let Some(report) = before {
            *self.slot(&report.status) -= 1;
            self.heads -= u32::from(report.heads);
        }
        if let Some(report) = after {
            *self.slot(&report.status) += 1;
            self.heads += u32::from(report.heads);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn report(made_s: i64, status: RollStatus, id: u128) -> Report {
        let made_at = Timestamp(made_s * 1_000_000);
        Report {
            made_at,
            status,
            heads: 2,
            verified: Verified::SelfReport,
            note: None,
            id: CommandId(Uuid::from_u128(id)),
        }
    }

    fn any_report() -> impl Strategy<Value = Report> {
        let status = prop_oneof![
            Just(RollStatus::Safe),
            Just(RollStatus::Away),
            Just(RollStatus::Missing),
            (0u8..3).prop_map(|p| RollStatus::Evacuated { assembly_point: Some(p) }),
            Just(RollStatus::NeedHelp { kinds: vec![HelpKind::Medical] }),
        ];
        let verified = prop_oneof![Just(Verified::SelfReport), Just(Verified::DoorToDoor)];
        (0i64..5, status, 0u16..4, verified, any::<u128>()).prop_map(|(made, status, heads, verified, id)| Report {
            heads,
            verified,
            ..report(made, status, id)
        })
    }

    proptest! {
        #[test]
        fn late_and_repeated_reports_merge(reports in prop::collection::vec(any_report(), 0..8), seed in any::<u64>()) {
            let mut once = HouseholdRoll::default();
            reports.iter().cloned().for_each(|r| once.merge(r));
            let mut shuffled: Vec<Report> = reports.iter().chain(&reports).cloned().collect();
            let n = shuffled.len().max(1) as u64;
            for i in 0..shuffled.len() {
                let j = seed.wrapping_mul(i as u64 + 1).wrapping_add(seed >> 7) % n;
                shuffled.swap(i, usize::try_from(j).unwrap());
            }
            let mut again = HouseholdRoll::default();
            for report in shuffled {
                again.merge(report);
            }
            prop_assert_eq!(&once, &again);
            let latest = reports.iter().map(|r| r.made_at).max();
            prop_assert_eq!(once.current().map(|r| r.made_at), latest);
        }
    }

    #[test]
    fn a_better_verified_contradiction_is_shown() {
        let mut roll = HouseholdRoll::default();
        roll.merge(Report { verified: Verified::DoorToDoor, ..report(1, RollStatus::Missing, 1) });
        roll.merge(report(2, RollStatus::Safe, 2));
        assert_eq!(roll.current().unwrap().status, RollStatus::Safe);
        assert_eq!(roll.conflicts().count(), 1);
    }

    #[test]
    fn bad_reports_are_refused() {
        let check = |status, heads, made_at| {
            let household = "140403001001001/1-1-101".parse().unwrap();
            let incident = IncidentId(Uuid::nil());
            let verified = Verified::SelfReport;
            CheckIn { incident, household, status, heads, verified, made_at, note: None }.check(Timestamp(0))
        };
        assert!(check(RollStatus::Safe, 3, Timestamp(0)).is_ok());
        assert!(check(RollStatus::Safe, 51, Timestamp(0)).is_err());
        assert!(check(RollStatus::NeedHelp { kinds: vec![] }, 3, Timestamp(0)).is_err());
        let twice = vec![HelpKind::Medical, HelpKind::Medical];
        assert!(check(RollStatus::NeedHelp { kinds: twice }, 3, Timestamp(0)).is_err());
        assert_eq!(check(RollStatus::Safe, 3, Timestamp(0).plus_s(301)).unwrap_err().code(), "made_in_future");
    }
}
