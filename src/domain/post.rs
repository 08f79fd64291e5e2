//! Posts and who holds them: a normal duty, an emergency duty, a head-count and an ordered list of claims.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::compound::CompoundId;
use super::ids::PersonId;
use super::text_form::{BadKey, parse_digits, text_form};
use super::time::Timestamp;

/// Claims one post may hold, bench included.
pub const CLAIMS_PER_POST_MAX: usize = 50;
/// Posts one compound may have.
pub const POSTS_PER_COMPOUND_MAX: usize = 200;

/// The team a post belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Team {
    /// 信息预警组
    WarningInformation,
    /// 疏散引导组
    EvacuationGuidance,
    /// 抢险救援组
    Rescue,
    /// 医疗救护组
    Medical,
    /// 后勤保障组
    Supplies,
    /// 秩序警戒组
    Security,
    /// 宣传安抚组
    Comfort,
}

impl Team {
    /// All teams.
    pub const ALL: [Self; 7] = [
        Self::WarningInformation,
        Self::EvacuationGuidance,
        Self::Rescue,
        Self::Medical,
        Self::Supplies,
        Self::Security,
        Self::Comfort,
    ];
}

/// A kind of post from the catalogue; each compound's posts name one. 36 kinds in Changzhi's published account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostKind {
    /// Short name in ASCII, unique in the catalogue: `stairwell_guide`.
    pub code: String,
    /// Which team.
    pub team: Team,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// What its holder does in normal times, in Chinese.
    pub normal_duty: String,
    /// The same in English; `None` where the catalogue does not say, as in records from before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normal_duty_en: Option<String>,
    /// What its holder does in an emergency, in Chinese.
    pub emergency_duty: String,
    /// The same in English; `None` where the catalogue does not say, as in records from before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency_duty_en: Option<String>,
}

/// A post of one compound: `140403001001001#4` is its fourth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PostKey {
    /// Whose post.
    pub compound: CompoundId,
    /// Its number there, 1 to 999. Lower numbers are staffed first.
    pub no: u16,
}

impl fmt::Display for PostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.compound, self.no)
    }
}

impl FromStr for PostKey {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let parse = || {
            let (compound, no) = text.split_once('#')?;
            let no = parse_digits(no).filter(|n| (1..=999).contains(n))?;
            Some(Self { compound: compound.parse().ok()?, no: u16::try_from(no).ok()? })
        };
        parse().ok_or_else(|| BadKey::new(text, "a post like 140403001001001#4"))
    }
}

text_form!(PostKey, "140403001001001#4");

/// A place in a compound's team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Post {
    /// Number in the compound.
    pub no: u16,
    /// Code of its [`PostKind`].
    pub kind: String,
    /// People that it needs in an emergency, 1 to 50.
    pub headcount: u8,
}

/// Where a claim stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClaimStatus {
    /// Asked for, not yet granted.
    Applied,
    /// Held.
    Approved,
}

/// A person holds (or asks for) a post. The first approved ones, up to the head-count, are called first; the rest are the bench.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Who.
    pub person: PersonId,
    /// Where it stands.
    pub status: ClaimStatus,
    /// Since when.
    #[schema(value_type = i64)]
    pub since: Timestamp,
}
