//! Whether a text answers the five questions (五要素): what, where, when, do what, who says so.
//!
//! A linter, not a rule: it reads a text as a frightened person on a stairwell would, and tells the author what is not in it.
//! Its word lists are in [`words`]. What is structurally wrong with an alert is refused by
//! [`super::alert_content::AlertContent::check`] before anything comes here.

mod words;

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

use super::alert_content::{AlertContent, AlertInfo};
use super::cap_words::Language;
use super::exercise_mark::unmarked;
use super::hazard::Hazard;
use super::refusal::Refusal;

/// Characters of a headline that a locked phone shows: Chinese.
pub const GLANCE_MAX_ZH: usize = 40;
/// Characters of a headline that a locked phone shows: English.
pub const GLANCE_MAX_EN: usize = 100;
/// Characters of description and instruction together that fit one screen of a phone: Chinese.
pub const SCREEN_MAX_ZH: usize = 300;
/// Characters of description and instruction together that fit one screen of a phone: English.
pub const SCREEN_MAX_EN: usize = 800;

/// What the linter finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LintKind {
    /// 何事: neither headline nor description says what happens.
    MissingWhat,
    /// 何地: no place is named.
    MissingWhere,
    /// 何时: no time is named.
    MissingWhen,
    /// 怎么做: the instruction does not say what to do.
    MissingDoWhat,
    /// 谁发布: the text itself does not say who says so; forwarded or read out, it would be a rumour.
    MissingWhoSaysSo,
    /// A blank of a template was not filled in.
    Placeholder,
    /// Longer than a phone shows at once.
    TooLong,
    /// A technical term that does not say what to do (Zhengzhou 2021: nobody knew what "50 mm" meant).
    Jargon,
}

impl LintKind {
    /// Whether the alert must not be submitted as it is. The others are advice.
    pub const fn is_blocking(self) -> bool {
        !matches!(self, Self::TooLong | Self::Jargon)
    }

    /// Its name in Chinese.
    pub const fn zh(self) -> &'static str {
        match self {
            Self::MissingWhat => "何事",
            Self::MissingWhere => "何地",
            Self::MissingWhen => "何时",
            Self::MissingDoWhat => "怎么做",
            Self::MissingWhoSaysSo => "谁发布",
            Self::Placeholder => "未填写的空格",
            Self::TooLong => "过长",
            Self::Jargon => "术语",
        }
    }

    /// Its name in English.
    pub const fn en(self) -> &'static str {
        match self {
            Self::MissingWhat => "what",
            Self::MissingWhere => "where",
            Self::MissingWhen => "when",
            Self::MissingDoWhat => "do what",
            Self::MissingWhoSaysSo => "who says so",
            Self::Placeholder => "a blank to fill in",
            Self::TooLong => "too long",
            Self::Jargon => "jargon",
        }
    }
}

/// Where in an alert's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LintPart {
    /// What it is called.
    Event,
    /// What stands on a locked phone.
    Headline,
    /// What happens where and when.
    Description,
    /// What to do.
    Instruction,
    /// Who says so.
    SenderName,
    /// Whom to ask.
    Contact,
}

/// One thing that the author should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LintFinding {
    /// In which text.
    pub language: Language,
    /// In which part of it; where it is best said, for what is missing.
    pub part: LintPart,
    /// The words that it is about, as they stand there; `null` for what is missing or too long.
    pub words: Option<String>,
    /// What it is.
    pub kind: LintKind,
    /// Whether the alert must not be submitted as it is.
    pub blocking: bool,
    /// What to do about it, in Chinese.
    pub hint_zh: String,
    /// What to do about it, in English.
    pub hint_en: String,
}

/// Reads every text of the alert. `place_words` are the names of the areas, compounds and rivers that it is sent to, in any
/// language; a text that names one of them says where.
pub fn lint(content: &AlertContent, place_words: &[String]) -> Vec<LintFinding> {
    content.infos.iter().flat_map(|info| Reader::new(info).findings(content.hazard, place_words)).collect()
}

/// That nothing found stands in the way of submitting.
///
/// # Errors
/// [`Refusal::AlertIncomplete`] names what the texts do not say, in both languages.
pub fn require_complete(findings: &[LintFinding]) -> Result<(), Refusal> {
    let blocking: Vec<String> = findings
        .iter()
        .filter(|finding| finding.blocking)
        .map(|finding| format!("{} {} ({})", finding.language.as_tag(), finding.kind.zh(), finding.kind.en()))
        .collect();
    if blocking.is_empty() { Ok(()) } else { Err(Refusal::AlertIncomplete { missing: blocking.join("; ") }) }
}

/// One text, as it is read: without the marks of an exercise, English in lower case where case does not count.
struct Reader<'a> {
    info: &'a AlertInfo,
    headline: &'a str,
    description: &'a str,
    instruction: &'a str,
}

impl<'a> Reader<'a> {
    fn new(info: &'a AlertInfo) -> Self {
        Self {
            info,
            headline: unmarked(&info.headline),
            description: unmarked(&info.description),
            instruction: unmarked(&info.instruction),
        }
    }

    fn findings(&self, hazard: Hazard, place_words: &[String]) -> Vec<LintFinding> {
        let mut found = Vec::new();
        let mut missing = |says: bool, kind: LintKind| {
            if !says {
                let (part, zh, en) = how_to_say(kind);
                found.push(self.finding(kind, part, None, zh.to_owned(), en.to_owned()));
            }
        };
        missing(self.says_what(hazard), LintKind::MissingWhat);
        missing(self.says_where(place_words), LintKind::MissingWhere);
        missing(self.says_when(), LintKind::MissingWhen);
        missing(self.says_do_what(), LintKind::MissingDoWhat);
        missing(self.says_who(), LintKind::MissingWhoSaysSo);
        found.extend(self.blanks());
        found.extend(self.too_long());
        found.extend(self.jargon());
        found
    }

    fn finding(
        &self,
        kind: LintKind,
        part: LintPart,
        words: Option<String>,
        hint_zh: String,
        hint_en: String,
    ) -> LintFinding {
        LintFinding { language: self.info.language, part, words, kind, blocking: kind.is_blocking(), hint_zh, hint_en }
    }

    fn language(&self) -> Language {
        self.info.language
    }

    /// The event's label does not count: it is shown small, and not read out.
    fn says_what(&self, hazard: Hazard) -> bool {
        let words = words::hazard(hazard, self.language());
        [self.headline, self.description].iter().any(|text| words::contains_any(text, words, self.language()))
    }

    /// The sender's own name does not count, though it often begins with the city's.
    fn says_where(&self, place_words: &[String]) -> bool {
        [self.headline, self.description, self.instruction].iter().any(|text| {
            let text = text.replace(self.info.sender_name.trim(), " ");
            let lower = text.to_lowercase();
            let is_named = |place: &String| !place.trim().is_empty() && lower.contains(&place.trim().to_lowercase());
            place_words.iter().any(is_named) || words::names_a_place(&text, self.language())
        })
    }

    fn says_when(&self) -> bool {
        let texts = [self.headline, self.description, self.instruction];
        texts.iter().any(|text| words::names_a_time(text, self.language()))
    }

    fn says_do_what(&self) -> bool {
        words::contains_any(self.instruction, words::actions(self.language()), self.language())
    }

    fn says_who(&self) -> bool {
        let sender = self.info.sender_name.trim();
        let texts = [self.headline, self.description, self.instruction];
        !sender.is_empty() && texts.iter().any(|text| text.contains(sender))
    }

    /// Each once, where it stands first.
    fn blanks(&self) -> Vec<LintFinding> {
        let info = self.info;
        let parts = [
            (LintPart::Event, info.event.as_str()),
            (LintPart::Headline, &info.headline),
            (LintPart::Description, &info.description),
            (LintPart::Instruction, &info.instruction),
            (LintPart::SenderName, &info.sender_name),
            (LintPart::Contact, info.contact.as_deref().unwrap_or_default()),
        ];
        let mut seen = BTreeSet::new();
        let all = parts.into_iter().flat_map(|(part, text)| words::blanks(text).map(move |blank| (part, blank)));
        all.filter(|(_, blank)| seen.insert(blank.clone()))
            .map(|(part, blank)| {
                let hint_zh = format!("“{blank}”还没有填写，请填写后再提交。");
                let hint_en = format!("\"{blank}\" was not filled in. Fill it in and submit again.");
                self.finding(LintKind::Placeholder, part, Some(blank), hint_zh, hint_en)
            })
            .collect()
    }

    fn too_long(&self) -> Option<LintFinding> {
        let (glance_max, screen_max) = match self.language() {
            Language::ZhCn => (GLANCE_MAX_ZH, SCREEN_MAX_ZH),
            Language::EnUs => (GLANCE_MAX_EN, SCREEN_MAX_EN),
        };
        let count = |text: &str| text.chars().count();
        let (part, part_zh, part_en, given, max) = if count(self.headline) > glance_max {
            (LintPart::Headline, "标题", "headline", count(self.headline), glance_max)
        } else {
            (
                LintPart::Description,
                "正文和行动指引",
                "description and instruction",
                count(self.description) + count(self.instruction),
                screen_max,
            )
        };
        (given > max).then(|| {
            self.finding(
                LintKind::TooLong,
                part,
                None,
                format!("{part_zh}共 {given} 字，手机一屏约显示 {max} 字。请把最要紧的放在前面，其余删去。"),
                format!("The {part_en} has {given} characters; a phone shows about {max} at once. Put first what matters, cut the rest."),
            )
        })
    }

    /// A term is harmless where the headline itself, or at least the instruction, says what to do.
    fn jargon(&self) -> Option<LintFinding> {
        let actions = words::actions(self.language());
        let headline_acts = words::contains_any(self.headline, actions, self.language());
        let in_headline = words::jargon(self.headline, self.language()).filter(|_| !headline_acts);
        let in_description = words::jargon(self.description, self.language()).filter(|_| !self.says_do_what());
        let (part, term) = in_headline
            .map(|term| (LintPart::Headline, term))
            .or_else(|| in_description.map(|term| (LintPart::Description, term)))?;
        Some(self.finding(
            LintKind::Jargon,
            part,
            Some(term.to_owned()),
            format!("很多人不知道“{term}”意味着什么。请说明会怎样、要做什么。"),
            format!("Many people do not know what \"{term}\" means. Say what will happen and what to do."),
        ))
    }
}

/// What the author should add, and where it is best said.
const fn how_to_say(kind: LintKind) -> (LintPart, &'static str, &'static str) {
    match kind {
        LintKind::MissingWhat => (
            LintPart::Headline,
            "请在标题或正文写明发生了什么，如“洪水”“燃气泄漏”。",
            "Say in the headline or description what happens: \"flood\", \"gas leak\".",
        ),
        LintKind::MissingWhere => (
            LintPart::Headline,
            "请写明地点：县区、街道、小区、道路或河流的名称。",
            "Name the place: a district, street, compound, road or river.",
        ),
        LintKind::MissingWhen => (
            LintPart::Description,
            "请写明时间，如“今日20时”“现在”“未来3小时”。",
            "Say when: \"at 20:00 today\", \"now\", \"in the next 3 hours\".",
        ),
        LintKind::MissingDoWhat => (
            LintPart::Instruction,
            "请在行动指引写明大家现在要做什么，如“立即撤到三楼以上”。",
            "Say in the instruction what people should do: \"move to the third floor or higher\".",
        ),
        _ => (
            LintPart::Description,
            "请在文字中写明发布单位；转发或广播时没有署名就成了传言。",
            "Name the sender in the text itself: forwarded or read out without it, it is a rumour.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::alert_content::tests::flood;
    use super::*;

    fn kinds(change: impl FnOnce(&mut AlertInfo)) -> Vec<LintKind> {
        let mut content = flood();
        change(&mut content.infos[0]);
        lint(&content, &[]).iter().filter(|f| f.language == Language::ZhCn).map(|f| f.kind).collect()
    }

    fn kinds_en(change: impl FnOnce(&mut AlertInfo)) -> Vec<LintKind> {
        let mut content = flood();
        change(&mut content.infos[1]);
        lint(&content, &[]).iter().filter(|f| f.language == Language::EnUs).map(|f| f.kind).collect()
    }

    #[test]
    fn a_complete_text_passes_also_with_the_marks_of_an_exercise() {
        assert_eq!(lint(&flood(), &[]), []);
        assert_eq!(lint(&flood().exercise_marked(), &[]), []);
    }

    #[test]
    fn what() {
        let vague = |info: &mut AlertInfo| {
            info.headline = "石子河沿岸今晚有险情，请立即撤离".into();
            info.description = "长治市防汛指挥部：今日20时起石子河沿岸有险情。".into();
            info.sender_name = "长治市防汛指挥部".into();
        };
        assert_eq!(kinds(vague), [LintKind::MissingWhat]);
        let vague_en = |info: &mut AlertInfo| {
            info.headline = "Danger along Shizi Street tonight: leave now".into();
            info.description = "Changzhi command centre: be careful on Shizi Street tonight.".into();
            info.sender_name = "Changzhi command centre".into();
        };
        assert_eq!(kinds_en(vague_en), [LintKind::MissingWhat]);
    }

    #[test]
    fn r#where() {
        let nowhere = |info: &mut AlertInfo| {
            info.headline = "今晚有洪水，请立即撤离".into();
            info.description = "长治市防汛抗旱指挥部：今日20时前后洪水将漫过河堤，低洼地区一层将进水。".into();
        };
        assert_eq!(kinds(nowhere), [LintKind::MissingWhere]);
        let nowhere_en = |info: &mut AlertInfo| {
            info.headline = "Flood tonight: leave now".into();
            info.description = "Changzhi flood control headquarters: the river will flood at 20:00.".into();
        };
        assert_eq!(kinds_en(nowhere_en), [LintKind::MissingWhere]);
    }

    #[test]
    fn a_name_of_the_target_is_a_place() {
        let mut content = flood();
        content.infos.truncate(1);
        content.infos[0].headline = "锦绣华府今晚有洪水，请立即撤离".into();
        content.infos[0].description = "长治市防汛抗旱指挥部：今日20时前后洪水将进入一层。".into();
        let kinds = |places: &[String]| lint(&content, places).iter().map(|f| f.kind).collect::<Vec<_>>();
        assert_eq!(kinds(&[String::new()]), [LintKind::MissingWhere]);
        assert_eq!(kinds(&["锦绣华府".to_owned()]), []);
    }

    #[test]
    fn when() {
        let some_day = |info: &mut AlertInfo| {
            info.headline = "石子河沿岸将有洪水，请撤离".into();
            info.description = "长治市防汛抗旱指挥部：石子河将漫堤。".into();
            info.instruction = "请撤到三楼以上，关闭电闸。".into();
        };
        assert_eq!(kinds(some_day), [LintKind::MissingWhen]);
        let some_day_en = |info: &mut AlertInfo| {
            info.headline = "Flood along the Shizi River: leave".into();
            info.description = "Changzhi flood control headquarters: the Shizi River will flood.".into();
            info.instruction = "Move to the third floor or higher.".into();
        };
        assert_eq!(kinds_en(some_day_en), [LintKind::MissingWhen]);
    }

    #[test]
    fn do_what() {
        assert_eq!(kinds(|info| info.instruction = "请大家高度重视。".into()), [LintKind::MissingDoWhat]);
        assert_eq!(kinds(|info| info.instruction.clear()), [LintKind::MissingDoWhat]);
        assert_eq!(kinds_en(|info| info.instruction = "Please be vigilant.".into()), [LintKind::MissingDoWhat]);
    }

    #[test]
    fn who() {
        assert_eq!(kinds(|info| info.description = "今日20时石子河漫堤。".into()), [LintKind::MissingWhoSaysSo]);
        assert_eq!(
            kinds_en(|info| info.description = "The Shizi river will overflow at 20:00 today.".into()),
            [LintKind::MissingWhoSaysSo]
        );
    }

    #[test]
    fn blanks_are_named() {
        let mut content = flood();
        content.infos[0].instruction.push_str("请拨打{phone}。");
        let found = lint(&content, &[]);
        assert_eq!(found.len(), 1);
        assert!(found[0].blocking && found[0].hint_zh.contains("{phone}"));
        let at = |found: &LintFinding| (found.part, found.words.clone());
        assert_eq!(at(&found[0]), (LintPart::Instruction, Some("{phone}".to_owned())));
        content.infos[0].headline.push_str("{place}，{phone}");
        let marks: Vec<_> = lint(&content, &[]).iter().map(at).collect();
        let headline = |blank: &str| (LintPart::Headline, Some(blank.to_owned()));
        assert_eq!(marks, [headline("{place}"), headline("{phone}")], "each once, where it stands first");
        assert_eq!(kinds(|info| info.contact = Some("××××".into())), [LintKind::Placeholder]);
    }

    #[test]
    fn long_texts_are_advised_against_but_not_blocked() {
        let mut content = flood();
        content.infos[0].description.push_str(&"水".repeat(SCREEN_MAX_ZH));
        let found = lint(&content, &[]);
        assert_eq!(found.iter().map(|f| f.kind).collect::<Vec<_>>(), [LintKind::TooLong]);
        assert_eq!(require_complete(&found), Ok(()));
        assert_eq!(kinds(|info| info.headline.push_str(&"水".repeat(GLANCE_MAX_ZH))), [LintKind::TooLong]);
    }

    #[test]
    fn jargon_needs_an_action_beside_it() {
        assert_eq!(kinds(|info| info.headline = "石子河今晚洪水，流量将超50立方米每秒".into()), [LintKind::Jargon]);
        assert_eq!(kinds(|info| info.headline = "石子河今晚洪水，雨量50毫米，请立即撤离".into()), []);
        assert_eq!(
            kinds_en(|info| info.headline = "Flood at the Shizi river: 50 mm of rain tonight".into()),
            [LintKind::Jargon]
        );
    }

    #[test]
    fn what_is_missing_is_said_in_both_languages() {
        let mut content = flood();
        content.infos[0].instruction.clear();
        let refusal = require_complete(&lint(&content, &[])).unwrap_err();
        assert_eq!(refusal, Refusal::AlertIncomplete { missing: "zh-CN 怎么做 (do what)".into() });
    }
}
