//! What is delivered about posts and plans: the post catalogue (`config/posts.toml`), which a city may replace by its own,
//! and the outlines of the demo city's contingency plans (`config/plans.toml`).
//!
//! Parsing is pure: text in, valid catalogue or an error that names file and key out. The files as delivered are compiled
//! in, so that the program runs alone; `muster init --posts` hands the text of a city's own to [`PostCatalogue::parse`].

use std::collections::HashSet;

use serde::Deserialize;
use thiserror::Error;

use crate::domain::area::{AreaCode, AreaLevel};
use crate::domain::compound::{BUILDINGS_MAX, CompoundId};
use crate::domain::hazard::{Hazard, ResponseLevel};
use crate::domain::plan::{ContingencyPlan, LevelPlan};
use crate::domain::post::{CLAIMS_PER_POST_MAX, POSTS_PER_COMPOUND_MAX, PostKind, Team};

/// Where a message says which compound it is for.
pub const COMPOUND_PLACEHOLDER: &str = "{compound}";

const POSTS_FILE: &str = "config/posts.toml";
const PLANS_FILE: &str = "config/plans.toml";
const POSTS_AS_DELIVERED: &str = include_str!("../../config/posts.toml");
const PLANS_AS_DELIVERED: &str = include_str!("../../config/plans.toml");

/// Why a catalogue file was not taken.
#[derive(Debug, Error)]
pub enum CatalogueError {
    /// It is not TOML, or a key is missing, unknown or of the wrong type; the error says which and where.
    #[error("{file}: {error}")]
    Syntax {
        /// Which file.
        file: &'static str,
        /// Line, column and key.
        error: Box<toml::de::Error>,
    },
    /// A value is not usable.
    #[error("{file}: {key}: {why}")]
    Value {
        /// Which file.
        file: &'static str,
        /// Which key, with the entry it stands in: `post "fire_hand".headcount`.
        key: String,
        /// What is wrong and what is wanted.
        why: String,
    },
}

fn parse<'de, T: Deserialize<'de>>(file: &'static str, text: &'de str) -> Result<T, CatalogueError> {
    toml::from_str(text).map_err(|error| CatalogueError::Syntax { file, error: Box::new(error) })
}

/// What a head-count is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// For the compound as a whole.
    Compound,
    /// For each `every` buildings begun.
    Building,
}

/// A kind of post and how a compound's posts are drawn from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueEntry {
    /// The kind itself.
    pub kind: PostKind,
    /// People needed, for the compound or for each `every` buildings begun.
    pub headcount: u8,
    /// What the head-count is for.
    pub per: Per,
    /// For how many buildings one head-count is.
    pub every: u16,
    /// In how many of 100 compounds the post is set up at first.
    pub share_percent: u8,
}

impl CatalogueEntry {
    /// People that a compound of so many buildings needs for it, 1 to [`CLAIMS_PER_POST_MAX`].
    pub fn headcount_for(&self, buildings: usize) -> u8 {
        let times = match self.per {
            Per::Compound => 1,
            Per::Building => buildings.div_ceil(usize::from(self.every)).max(1),
        };
        let people = times.saturating_mul(usize::from(self.headcount)).min(CLAIMS_PER_POST_MAX);
        u8::try_from(people).unwrap_or(u8::MAX)
    }
}

/// All kinds of post that a city knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostCatalogue {
    /// In the order of the file; that order numbers a compound's posts, so earlier kinds are staffed first.
    pub entries: Vec<CatalogueEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PostsFile {
    post: Vec<PostRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PostRow {
    code: String,
    team: Team,
    title_zh: String,
    title_en: String,
    normal_duty: String,
    normal_duty_en: Option<String>,
    emergency_duty: String,
    emergency_duty_en: Option<String>,
    headcount: u8,
    per: Per,
    #[serde(default = "one")]
    every: u16,
    share_percent: u8,
}

const fn one() -> u16 {
    1
}

impl PostCatalogue {
    /// Reads `config/posts.toml`.
    ///
    /// # Errors
    /// [`CatalogueError`], naming the file and the key.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        let rows = parse::<PostsFile>(POSTS_FILE, text)?.post;
        if !(1..=POSTS_PER_COMPOUND_MAX).contains(&rows.len()) {
            let why = format!("{} entries; 1 to {POSTS_PER_COMPOUND_MAX} are taken", rows.len());
            return Err(CatalogueError::Value { file: POSTS_FILE, key: "post".to_owned(), why });
        }
        let mut codes = HashSet::new();
        let entries: Vec<_> = rows.into_iter().map(PostRow::check).collect::<Result<_, _>>()?;
        match entries.iter().find(|entry| !codes.insert(&entry.kind.code)) {
            Some(twice) => Err(bad_post(&twice.kind.code, "code", "stands twice")),
            None => Ok(Self { entries }),
        }
    }

    /// The catalogue as delivered.
    ///
    /// # Panics
    /// Never: a test parses what is compiled in.
    pub fn as_delivered() -> Self {
        // INVARIANT: the file is compiled in, and a test of this module parses it.
        #[expect(clippy::expect_used, reason = "the delivered file is part of the program and is tested")]
        Self::parse(POSTS_AS_DELIVERED).expect("config/posts.toml as delivered is valid")
    }

    /// The kind with that code.
    pub fn kind(&self, code: &str) -> Option<&PostKind> {
        self.entries.iter().map(|entry| &entry.kind).find(|kind| kind.code == code)
    }
}

fn bad_post(code: &str, key: &str, why: &str) -> CatalogueError {
    CatalogueError::Value { file: POSTS_FILE, key: format!("post {code:?}.{key}"), why: why.to_owned() }
}

impl PostRow {
    fn check(self) -> Result<CatalogueEntry, CatalogueError> {
        let bad = |key: &str, why: &str| Err(bad_post(&self.code, key, why));
        let is_code = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if self.code.is_empty() || !self.code.chars().all(is_code) {
            return bad("code", "must be of a-z, 0-9 and _");
        }
        let texts = [
            ("title_zh", Some(&self.title_zh)),
            ("title_en", Some(&self.title_en)),
            ("normal_duty", Some(&self.normal_duty)),
            ("normal_duty_en", self.normal_duty_en.as_ref()),
            ("emergency_duty", Some(&self.emergency_duty)),
            ("emergency_duty_en", self.emergency_duty_en.as_ref()),
        ];
        if let Some((key, _)) = texts.iter().find(|(_, text)| text.is_some_and(|text| text.trim().is_empty())) {
            return bad(key, "is empty");
        }
        if !(1..=CLAIMS_PER_POST_MAX).contains(&usize::from(self.headcount)) {
            return bad("headcount", "must be 1 to 50");
        }
        if !(1..=BUILDINGS_MAX).contains(&usize::from(self.every)) {
            return bad("every", "must be 1 to 500");
        }
        if !(1..=100).contains(&self.share_percent) {
            return bad("share_percent", "must be 1 to 100");
        }
        let Self { headcount, per, every, share_percent, .. } = self;
        let kind = PostKind {
            code: self.code,
            team: self.team,
            title_zh: self.title_zh,
            title_en: self.title_en,
            normal_duty: self.normal_duty,
            normal_duty_en: self.normal_duty_en,
            emergency_duty: self.emergency_duty,
            emergency_duty_en: self.emergency_duty_en,
        };
        Ok(CatalogueEntry { kind, headcount, per, every, share_percent })
    }
}

/// What a plan for one hazard says before a compound has made it its own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanOutline {
    /// For what.
    pub hazard: Hazard,
    /// One entry for each response level.
    #[serde(rename = "level")]
    pub levels: Vec<LevelPlan>,
}

impl PlanOutline {
    /// The plan of one compound: [`COMPOUND_PLACEHOLDER`] becomes its name.
    pub fn for_compound(&self, compound: CompoundId, name: &str) -> ContingencyPlan {
        let mut levels = self.levels.clone();
        for level in &mut levels {
            level.message = level.message.replace(COMPOUND_PLACEHOLDER, name);
        }
        ContingencyPlan { compound, hazard: self.hazard, levels }
    }

    fn check(&self) -> Result<(), CatalogueError> {
        let hazard = self.hazard;
        let bad = |key: String, why: &str| Err(CatalogueError::Value { file: PLANS_FILE, key, why: why.to_owned() });
        for wanted in ResponseLevel::ALL {
            let key = |field: &str| format!("plan {hazard:?} level {wanted:?}.{field}");
            let Some(level) = self.levels.iter().find(|level| level.level == wanted) else {
                return bad(key("level"), "is missing");
            };
            if level.teams.is_empty() || level.tasks.is_empty() {
                return bad(key(if level.teams.is_empty() { "teams" } else { "tasks" }), "is empty");
            }
            if !level.message.contains(COMPOUND_PLACEHOLDER) {
                return bad(key("message"), "does not say {compound}");
            }
        }
        let sample = AreaCode::from_number(AreaLevel::Community, 140_403_001_001).and_then(|c| CompoundId::new(c, 1));
        let refusal = sample.and_then(|id| self.for_compound(id, "").check().err());
        refusal.map_or(Ok(()), |why| bad(format!("plan {hazard:?}"), &why.to_string()))
    }
}

/// The outlines of all plans that a city prepares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanOutlines {
    /// At most one for each hazard.
    pub plans: Vec<PlanOutline>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlansFile {
    plan: Vec<PlanOutline>,
}

impl PlanOutlines {
    /// Reads `config/plans.toml`.
    ///
    /// # Errors
    /// [`CatalogueError`], naming the file and the key.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        let plans = parse::<PlansFile>(PLANS_FILE, text)?.plan;
        for (i, outline) in plans.iter().enumerate() {
            outline.check()?;
            if plans[..i].iter().any(|earlier| earlier.hazard == outline.hazard) {
                let key = format!("plan {:?}.hazard", outline.hazard);
                return Err(CatalogueError::Value { file: PLANS_FILE, key, why: "stands twice".to_owned() });
            }
        }
        Ok(Self { plans })
    }

    /// The outlines as delivered.
    ///
    /// # Panics
    /// Never: a test parses what is compiled in.
    pub fn as_delivered() -> Self {
        // INVARIANT: the file is compiled in, and a test of this module parses it.
        #[expect(clippy::expect_used, reason = "the delivered file is part of the program and is tested")]
        Self::parse(PLANS_AS_DELIVERED).expect("config/plans.toml as delivered is valid")
    }

    /// The outline for a hazard.
    pub fn of(&self, hazard: Hazard) -> Option<&PlanOutline> {
        self.plans.iter().find(|outline| outline.hazard == hazard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_as_delivered_has_36_kinds_over_all_teams() {
        let catalogue = PostCatalogue::as_delivered();
        assert_eq!(catalogue.entries.len(), 36);
        for team in Team::ALL {
            let always = catalogue.entries.iter().any(|e| e.kind.team == team && e.share_percent == 100);
            assert!(always, "{team:?} has no post that every compound has");
        }
        assert_eq!(catalogue.kind("gas_shutoff").map(|k| k.team), Some(Team::Rescue));
    }

    #[test]
    fn the_outlines_as_delivered_make_plans_that_pass() {
        let outlines = PlanOutlines::as_delivered();
        assert_eq!(outlines.plans.len(), 4);
        let id: CompoundId = "140403001001001".parse().unwrap();
        for outline in &outlines.plans {
            let plan = outline.for_compound(id, "示例小区");
            plan.check().unwrap();
            assert!(plan.levels.iter().all(|l| l.message.contains("示例小区") && !l.message.contains('{')));
            assert!(plan.level(ResponseLevel::I).is_some_and(|l| l.roll_call && l.teams.len() == Team::ALL.len()));
        }
    }

    #[test]
    fn a_headcount_for_buildings_grows_with_them() {
        let mut entry = PostCatalogue::as_delivered().entries.remove(0);
        (entry.per, entry.every, entry.headcount) = (Per::Building, 3, 1);
        assert_eq!([0, 1, 3, 4, 7, 500].map(|n| entry.headcount_for(n)), [1, 1, 1, 2, 3, 50]);
    }

    #[test]
    fn mistakes_are_named_with_file_and_key() {
        let change = |from: &str, to: &str| POSTS_AS_DELIVERED.replacen(from, to, 1);
        for (text, wanted) in [
            (change("headcount = 1", "headcount = 0"), "post \"duty_messenger\".headcount"),
            (change("headcount = 1", "head_count = 1"), "head_count"),
            (change("share_percent = 100", "share_percent = 101"), "post \"duty_messenger\".share_percent"),
            (change("door_notifier", "duty_messenger"), "post \"duty_messenger\".code"),
            (change("rescue_hand", "rescue hand"), "post \"rescue hand\".code"),
            (change("team = \"rescue\"", "team = \"heroes\""), "heroes"),
        ] {
            let error = PostCatalogue::parse(&text).unwrap_err().to_string();
            assert!(error.starts_with(POSTS_FILE) && error.contains(wanted), "{error}");
        }
        let change = |from: &str, to: &str| PLANS_AS_DELIVERED.replacen(from, to, 1);
        for (text, wanted) in [
            (change("】{compound}", "】本小区"), "plan Flood level I.message"),
            (change("hazard = \"fire\"", "hazard = \"flood\""), "plan Flood.hazard"),
            (change("answer_limit_s = 120", "answer_limit_s = 5"), "plan Flood"),
            (change("level = \"IV\"", "level = \"III\""), "plan Flood level IV.level"),
            (change("roll_call = true", "rollcall = true"), "rollcall"),
        ] {
            let error = PlanOutlines::parse(&text).unwrap_err().to_string();
            assert!(error.starts_with(PLANS_FILE) && error.contains(wanted), "{error}");
        }
    }
}
