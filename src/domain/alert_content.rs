//! What an alert says, shaped like CAP 1.2: words of [`super::cap_words`], times, and one text a language.
//!
//! Whom it reaches, who approved it and where it stands is never here: that is the alert's own life. XML is `cap`'s business.
//! How the marks of an exercise are put on is in [`super::exercise_mark`]; whether a text answers the five questions is in
//! [`super::lint`].

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use super::cap_words::{Category, Certainty, EventCode, Language, ResponseType, Severity, Urgency};
use super::exercise_mark;
use super::hazard::{Hazard, WarningColour};
use super::refusal::Refusal;
use super::time::Timestamp;

/// Texts that one alert may carry.
pub const INFOS_MAX: usize = 4;
/// Characters of an event's name; what receivers show as a label.
pub const EVENT_MAX: usize = 35;
/// Characters of a headline, without the marks of an exercise.
pub const HEADLINE_MAX: usize = 160;
/// Characters of a description or an instruction, without the marks of an exercise.
pub const BODY_MAX: usize = 2_000;
/// Characters of a sender's name.
pub const SENDER_NAME_MAX: usize = 100;
/// Characters of a contact.
pub const CONTACT_MAX: usize = 200;
/// Seconds between the beginning of an alert and its end: 7 days. What lasts longer is said again.
pub const VALIDITY_MAX_S: u32 = 7 * 86_400;
/// Seconds that an alert may be written before it takes effect: 7 days.
pub const AHEAD_MAX_S: u32 = 7 * 86_400;

/// What an alert says. `T` is how its times are written: as [`Timestamp`] inside, as RFC 3339 at the edge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertContent<T = Timestamp> {
    /// Of what it warns.
    pub hazard: Hazard,
    /// The colour of the warning, where one was declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<WarningColour>,
    /// CAP categories, at least one, each once.
    pub category: Vec<Category>,
    /// The national event code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_code: Option<EventCode>,
    /// How soon to act.
    pub urgency: Urgency,
    /// How grave it is.
    pub severity: Severity,
    /// How sure it is.
    pub certainty: Certainty,
    /// What kind of thing people should do, each once.
    pub response_types: Vec<ResponseType>,
    /// From when it holds; the time of issue when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    pub effective: Option<T>,
    /// When the event itself begins, or began.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    pub onset: Option<T>,
    /// Until when it holds.
    #[schema(inline)]
    pub expires: T,
    /// One text a language; Chinese is always there.
    pub infos: Vec<AlertInfo>,
}

/// The texts of an alert in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertInfo {
    /// Which language.
    pub language: Language,
    /// What it is called, at most 35 characters: `洪水红色预警`.
    pub event: String,
    /// What stands on a locked phone, at most 160 characters.
    pub headline: String,
    /// What happens where and when, at most 2,000 characters.
    pub description: String,
    /// What to do, at most 2,000 characters.
    pub instruction: String,
    /// Who says so, at most 100 characters.
    pub sender_name: String,
    /// Whom to ask, at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
}

impl<T> AlertContent<T> {
    /// The same with its times written otherwise.
    pub fn with_times<U>(self, write: impl Fn(T) -> U) -> AlertContent<U> {
        AlertContent {
            hazard: self.hazard,
            colour: self.colour,
            category: self.category,
            event_code: self.event_code,
            urgency: self.urgency,
            severity: self.severity,
            certainty: self.certainty,
            response_types: self.response_types,
            effective: self.effective.map(&write),
            onset: self.onset.map(&write),
            expires: write(self.expires),
            infos: self.infos,
        }
    }
}

impl AlertContent {
    /// Whether it holds together, whatever the time is; see [`Self::check_at`] for what depends on the time.
    ///
    /// # Errors
    /// [`Refusal::BadAlert`] with the reason; [`Refusal::BadText`] and [`Refusal::BadCount`] name the field and its limit.
    pub fn check(&self) -> Result<(), Refusal> {
        check_set("category", &self.category, 1, Category::ALL.len())?;
        check_set("response_types", &self.response_types, 0, ResponseType::ALL.len())?;
        self.check_times()?;
        let languages: Vec<Language> = self.infos.iter().map(|info| info.language).collect();
        check_set("infos", &languages, 1, INFOS_MAX)?;
        if !languages.contains(&Language::ZhCn) {
            return bad("缺少中文文本 (the zh-CN text is missing)");
        }
        self.infos.iter().try_for_each(AlertInfo::check)
    }

    /// [`Self::check`], and that it can be issued at `now`: not expired, not too far ahead, and for `validity_max_s` seconds
    /// at most (never more than [`VALIDITY_MAX_S`]).
    ///
    /// # Errors
    /// As [`Self::check`], and [`Refusal::AlertExpired`].
    pub fn check_at(&self, now: Timestamp, validity_max_s: u32) -> Result<(), Refusal> {
        self.check()?;
        if self.is_expired(now) {
            return Err(Refusal::AlertExpired {});
        }
        let start = self.effective.map_or(now, |effective| effective.max(now));
        if start > now.plus_s(AHEAD_MAX_S) {
            return bad("生效时间最多可提前 7 天设定 (effective is more than 7 days ahead)");
        }
        if self.expires > start.plus_s(validity_max_s.min(VALIDITY_MAX_S)) {
            return bad("有效期过长 (expires is further away than is allowed)");
        }
        Ok(())
    }

    /// Whether nobody should act on it any more. Expiry is not cancellation: it says nothing about the danger.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires <= now
    }

    /// The text in that language.
    pub fn info(&self, language: Language) -> Option<&AlertInfo> {
        self.infos.iter().find(|info| info.language == language)
    }

    /// The same with the marks of an exercise at both ends of each headline, description and instruction; once, however
    /// often it is called.
    pub fn exercise_marked(&self) -> Self {
        let mut marked = self.clone();
        for info in &mut marked.infos {
            for text in [&mut info.headline, &mut info.description, &mut info.instruction] {
                *text = exercise_mark::marked(text, info.language);
            }
        }
        marked
    }

    /// Whether it says of itself that it is an exercise: a mark at any place, or the word in an event or a headline.
    /// A real alert must not (Hawaii 2018: the recording said "exercise", the text "not a drill").
    pub fn mentions_exercise(&self) -> bool {
        self.infos.iter().any(|info| {
            [&info.event, &info.headline].iter().any(|text| exercise_mark::is_mentioned(text))
                || [&info.description, &info.instruction].iter().any(|text| exercise_mark::is_marked(text))
        })
    }

    fn check_times(&self) -> Result<(), Refusal> {
        let starts = [self.effective, self.onset];
        if starts.iter().flatten().any(|&start| start >= self.expires) {
            return bad("失效时间必须晚于生效和发生时间 (expires must come after effective and onset)");
        }
        let too_long = |start: Timestamp| self.expires > start.plus_s(VALIDITY_MAX_S);
        if self.effective.is_some_and(too_long) {
            return bad("有效期最长 7 天 (an alert holds for 7 days at most)");
        }
        Ok(())
    }
}

impl AlertInfo {
    fn check(&self) -> Result<(), Refusal> {
        check_line("event", &self.event, EVENT_MAX)?;
        check_line("sender_name", &self.sender_name, SENDER_NAME_MAX)?;
        check_line("headline", exercise_mark::unmarked(&self.headline), HEADLINE_MAX)?;
        check_body("description", exercise_mark::unmarked(&self.description))?;
        if !self.instruction.is_empty() {
            check_body("instruction", exercise_mark::unmarked(&self.instruction))?;
        }
        self.contact.as_ref().map_or(Ok(()), |contact| check_line("contact", contact, CONTACT_MAX))
    }
}

fn bad<T>(why: &str) -> Result<T, Refusal> {
    Err(Refusal::BadAlert { why: why.to_owned() })
}

/// A list with `min` to `max` entries, none of them twice.
fn check_set<T: PartialEq>(field: &'static str, entries: &[T], min: usize, max: usize) -> Result<(), Refusal> {
    if entries.len() < min || entries.len() > max {
        return Err(Refusal::BadCount { field, max });
    }
    if (1..entries.len()).any(|i| entries[..i].contains(&entries[i])) {
        return bad(&format!("{field} 有重复项 ({field} names something twice)"));
    }
    Ok(())
}

/// A text on one line.
fn check_line(field: &'static str, text: &str, max: usize) -> Result<(), Refusal> {
    check_text(field, text, max, |c| c == '\n')
}

/// A text that may have several lines.
fn check_body(field: &'static str, text: &str) -> Result<(), Refusal> {
    check_text(field, text, BODY_MAX, |_| false)
}

fn check_text(field: &'static str, text: &str, max: usize, also_refused: fn(char) -> bool) -> Result<(), Refusal> {
    if text.trim().is_empty() || text.chars().count() > max {
        return Err(Refusal::BadText { field, max });
    }
    if text.chars().any(|c| is_invisible(c) || also_refused(c)) {
        return bad(&format!("{field} 含有控制字符 ({field} holds a control character)"));
    }
    Ok(())
}

/// Control characters other than a line's end, and those that turn the direction of what follows: what is read must be
/// what is stored.
fn is_invisible(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A flood alert that is right in every way; it expires at 2026-07-12T18:00+08:00.
    pub(crate) fn flood() -> AlertContent {
        AlertContent {
            hazard: Hazard::Flood,
            colour: Some(WarningColour::Red),
            category: vec![Category::Met],
            event_code: "11A01".parse().ok(),
            urgency: Urgency::Immediate,
            severity: Severity::Extreme,
            certainty: Certainty::Likely,
            response_types: vec![ResponseType::Evacuate],
            effective: None,
            onset: None,
            expires: Timestamp(1_783_850_400_000_000),
            infos: vec![
                AlertInfo {
                    language: Language::ZhCn,
                    event: "洪水红色预警".into(),
                    headline: "石子河沿岸今晚有洪水，请立即撤离".into(),
                    description: "长治市防汛抗旱指挥部：预计今日20时石子河漫堤，沿岸小区一层将进水。".into(),
                    instruction: "请立即带上老人和孩子撤到三楼以上，关闭电闸，不要开车过河。".into(),
                    sender_name: "长治市防汛抗旱指挥部".into(),
                    contact: Some("119".into()),
                },
                AlertInfo {
                    language: Language::EnUs,
                    event: "Flood, red warning".into(),
                    headline: "Flood along the Shizi river tonight: leave now".into(),
                    description: "Changzhi flood control headquarters: the Shizi river will overflow at 20:00 today."
                        .into(),
                    instruction: "Move to the third floor or higher now. Switch off the power. Do not drive.".into(),
                    sender_name: "Changzhi flood control headquarters".into(),
                    contact: None,
                },
            ],
        }
    }

    fn refused(change: impl FnOnce(&mut AlertContent)) -> &'static str {
        let mut content = flood();
        change(&mut content);
        content.check().expect_err("must be refused").code()
    }

    #[test]
    fn a_right_alert_passes() {
        assert_eq!(flood().check(), Ok(()));
    }

    #[test]
    fn json_uses_the_words_of_cap_and_knows_no_other_field() {
        let mut content = flood();
        content.category.push(Category::Cbrne);
        let json = serde_json::to_value(&content).unwrap();
        assert_eq!(json["category"], serde_json::json!(["Met", "CBRNE"]));
        assert_eq!(json["event_code"], "11A01");
        assert_eq!(json["infos"][0]["language"], "zh-CN");
        assert_eq!(json["expires"], 1_783_850_400_000_000_i64);
        assert_eq!(serde_json::from_value::<AlertContent>(json.clone()).unwrap(), content);

        let mut unknown = json;
        unknown["infos"][0]["audience"] = "all".into();
        assert!(serde_json::from_value::<AlertContent>(unknown).is_err());
    }

    #[test]
    fn chinese_is_there_and_each_language_once() {
        assert_eq!(refused(|a| a.infos.clear()), "bad_count");
        assert_eq!(refused(|a| drop(a.infos.remove(0))), "bad_alert");
        assert_eq!(refused(|a| a.infos.push(a.infos[0].clone())), "bad_alert");
        assert_eq!(refused(|a| a.infos = vec![a.infos[0].clone(); INFOS_MAX + 1]), "bad_count");
    }

    #[test]
    fn texts_have_limits_in_characters() {
        let mut content = flood();
        content.infos[0].headline = "洪".repeat(HEADLINE_MAX);
        assert_eq!(content.check(), Ok(()));
        assert_eq!(refused(|a| a.infos[0].headline = "洪".repeat(HEADLINE_MAX + 1)), "bad_text");
        assert_eq!(refused(|a| a.infos[0].event = "x".repeat(EVENT_MAX + 1)), "bad_text");
        assert_eq!(refused(|a| a.infos[1].description = "x".repeat(BODY_MAX + 1)), "bad_text");
        assert_eq!(refused(|a| a.infos[1].instruction = "x".repeat(BODY_MAX + 1)), "bad_text");
        assert_eq!(refused(|a| a.infos[0].sender_name = "  ".into()), "bad_text");
        assert_eq!(refused(|a| a.infos[0].contact = Some("1".repeat(CONTACT_MAX + 1))), "bad_text");
    }

    #[test]
    fn control_characters_are_refused_and_lines_only_where_they_make_sense() {
        assert_eq!(refused(|a| a.infos[0].description.push('\u{7}')), "bad_alert");
        assert_eq!(refused(|a| a.infos[0].instruction.push('\u{202E}')), "bad_alert");
        assert_eq!(refused(|a| a.infos[0].headline.push('\n')), "bad_alert");
        let mut content = flood();
        content.infos[0].instruction.push_str("\n一、关闭电闸。");
        assert_eq!(content.check(), Ok(()));
    }

    #[test]
    fn categories_are_named_once() {
        assert_eq!(refused(|a| a.category.clear()), "bad_count");
        assert_eq!(refused(|a| a.category.push(Category::Met)), "bad_alert");
        assert_eq!(refused(|a| a.response_types.push(ResponseType::Evacuate)), "bad_alert");
    }

    #[test]
    fn it_ends_after_it_begins_and_within_seven_days() {
        assert_eq!(refused(|a| a.onset = Some(a.expires)), "bad_alert");
        assert_eq!(refused(|a| a.effective = Some(a.expires.plus_s(1))), "bad_alert");
        assert_eq!(refused(|a| a.effective = Some(Timestamp(0))), "bad_alert");
    }

    #[test]
    fn what_is_issued_has_not_expired_and_does_not_last_too_long() {
        let content = flood();
        let hours_before = |h: i64| Timestamp(content.expires.0 - h * 3_600 * 1_000_000);
        assert_eq!(content.check_at(hours_before(24), VALIDITY_MAX_S), Ok(()));
        assert_eq!(content.check_at(content.expires, VALIDITY_MAX_S), Err(Refusal::AlertExpired {}));
        assert_eq!(content.check_at(hours_before(24), 86_399).map_err(|r| r.code()), Err("bad_alert"));
        assert_eq!(content.check_at(hours_before(169), u32::MAX).map_err(|r| r.code()), Err("bad_alert"));
        let mut ahead = content.clone();
        ahead.effective = Some(hours_before(24));
        assert_eq!(ahead.check_at(hours_before(7 * 24), VALIDITY_MAX_S), Ok(()));
        assert_eq!(ahead.check_at(hours_before(9 * 24), VALIDITY_MAX_S).map_err(|r| r.code()), Err("bad_alert"));
    }

    #[test]
    fn an_exercise_says_so_at_both_ends_once() {
        let marked = flood().exercise_marked();
        assert_eq!(marked.infos[0].headline, "【演练】石子河沿岸今晚有洪水，请立即撤离【演练】");
        assert!(marked.infos[1].description.starts_with("[EXERCISE] "));
        assert!(marked.infos[1].instruction.ends_with(" [EXERCISE]"));
        assert_eq!(marked.exercise_marked(), marked);
        assert!(marked.mentions_exercise());
        assert!(!flood().mentions_exercise());
    }

    #[test]
    fn marks_do_not_count_towards_a_limit() {
        let mut content = flood();
        content.infos[1].headline = "x".repeat(HEADLINE_MAX);
        assert_eq!(content.exercise_marked().check(), Ok(()));
    }
}
