//! Alert templates: per hazard and colour what is sent, and the correction and the withdrawal that lie ready beside it.
//!
//! The texts of `config/templates` are compiled in; a city's own folder replaces them hazard by hazard. What stands in a file
//! and how it is checked is in [`mod@file`], how blanks are filled in [`fill`]. Nothing here decides who gets an alert, and a
//! rendered template is only a draft: it goes the way of every other.

mod file;
mod fill;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

use crate::domain::alert_content::{AlertContent, AlertInfo};
use crate::domain::cap_words::{Category, Certainty, EventCode, Language, ResponseType, Severity, Urgency};
use crate::domain::exercise_mark;
use crate::domain::hazard::{Hazard, WarningColour};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use fill::{Blanks, time_words};

/// Bytes of a template file.
pub const FILE_MAX_BYTES: u64 = 256 << 10;
/// Characters of a value for a blank.
pub const VALUE_MAX: usize = 200;

/// The files as delivered, by name.
const AS_DELIVERED: [(&str, &str); 9] = [
    ("flood.toml", include_str!("../../config/templates/flood.toml")),
    ("fire.toml", include_str!("../../config/templates/fire.toml")),
    ("gas_leak.toml", include_str!("../../config/templates/gas_leak.toml")),
    ("earthquake.toml", include_str!("../../config/templates/earthquake.toml")),
    ("snow.toml", include_str!("../../config/templates/snow.toml")),
    ("landslide.toml", include_str!("../../config/templates/landslide.toml")),
    ("heat.toml", include_str!("../../config/templates/heat.toml")),
    ("epidemic.toml", include_str!("../../config/templates/epidemic.toml")),
    ("utility_failure.toml", include_str!("../../config/templates/utility_failure.toml")),
];

/// Why a template file was not taken. The start stops with it.
#[derive(Debug, Error)]
pub enum TemplateError {
    /// It cannot be read.
    #[error("{file}: {error}")]
    Read {
        /// Which file or folder.
        file: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// It is not TOML, or a key is missing, unknown or of the wrong type; the error says which, and its line.
    #[error("{file}: {error}")]
    Syntax {
        /// Which file.
        file: String,
        /// Line, column and key.
        error: Box<toml::de::Error>,
    },
    /// A text or value is not usable.
    #[error("{file}: {key}: {why}")]
    Value {
        /// Which file.
        file: String,
        /// Which key: `red.zh-CN.headline`.
        key: String,
        /// What is wrong.
        why: String,
    },
}

/// Which of the three texts of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TemplateKind {
    /// A warning.
    New,
    /// 更正: what was said is replaced.
    Correction,
    /// 解除: what was said is withdrawn.
    Cancel,
}

impl TemplateKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::New, Self::Correction, Self::Cancel];
}

/// Values for blanks, by language and name. A name that has no English value takes the Chinese one.
pub type Values = BTreeMap<Language, BTreeMap<String, String>>;

/// What is asked of a template.
#[derive(Debug, Clone)]
pub struct TemplateRequest<'a> {
    /// Of what it warns.
    pub hazard: Hazard,
    /// In which colour.
    pub colour: WarningColour,
    /// Which text.
    pub kind: TemplateKind,
    /// The time of writing.
    pub now: Timestamp,
    /// When the danger begins; at the time of writing when not given.
    pub onset: Option<Timestamp>,
    /// Until when it holds; as long as the template says when not given.
    pub expires: Option<Timestamp>,
    /// Minutes that the city's clocks are ahead of UTC.
    pub utc_offset_min: i32,
    /// What the author filled in.
    pub values: &'a Values,
}

/// What a loudspeaker says, in about 15 seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SpokenText {
    /// In which language.
    pub language: Language,
    /// What is said.
    pub text: String,
}

/// A template with its blanks filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RenderedTemplate {
    /// The draft.
    pub content: AlertContent,
    /// What is read out.
    pub loudspeaker: Vec<SpokenText>,
}

impl RenderedTemplate {
    /// The same for an exercise, which says so at both ends of every text.
    pub fn for_exercise(self) -> Self {
        let spoken = |spoken: SpokenText| SpokenText {
            text: exercise_mark::spoken(&spoken.text, spoken.language),
            language: spoken.language,
        };
        Self {
            content: self.content.exercise_marked(),
            loudspeaker: self.loudspeaker.into_iter().map(spoken).collect(),
        }
    }
}

/// The texts of one template in one language, with their blanks.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Texts {
    headline: String,
    description: String,
    instruction: String,
    loudspeaker: String,
}

/// One entry a language.
type ByLanguage<T> = BTreeMap<Language, T>;

/// What CAP says of one template.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cap {
    urgency: Urgency,
    severity: Severity,
    certainty: Certainty,
    response_types: Vec<ResponseType>,
    validity_h: u32,
}

#[derive(Debug, Clone)]
struct ColourTemplate {
    cap: Cap,
    event: ByLanguage<String>,
    texts: ByLanguage<Texts>,
}

/// All that one file says.
#[derive(Debug, Clone)]
struct HazardTemplates {
    hazard: Hazard,
    category: Vec<Category>,
    event_code: Option<EventCode>,
    /// In the order of [`WarningColour::ALL`].
    colours: [ColourTemplate; 4],
    correction_validity_h: u32,
    correction: ByLanguage<Texts>,
    cancel_cap: Cap,
    cancel: ByLanguage<Texts>,
}

/// The templates of all hazards.
#[derive(Debug, Clone)]
pub struct Templates {
    /// In the order of [`Hazard::ALL`].
    by_hazard: Vec<HazardTemplates>,
}

impl Templates {
    /// Those compiled in, with those of `dir` (every `*.toml` in it) in the place of theirs.
    ///
    /// # Errors
    /// [`TemplateError`] names the file and the key.
    pub fn load(dir: Option<&Path>) -> Result<Self, TemplateError> {
        let own = dir.map_or_else(|| Ok(Vec::new()), file::read_folder)?;
        Self::parse(&own)
    }

    /// Those compiled in, with `own` (name and text of each file) in the place of theirs.
    ///
    /// # Errors
    /// [`TemplateError`] names the file and the key.
    pub fn parse(own: &[(String, String)]) -> Result<Self, TemplateError> {
        let mut by_hazard = BTreeMap::new();
        for (name, text) in AS_DELIVERED {
            let templates = file::parse(name, text)?;
            by_hazard.insert(templates.hazard, templates);
        }
        for (name, text) in own {
            let templates = file::parse(name, text)?;
            by_hazard.insert(templates.hazard, templates);
        }
        Ok(Self { by_hazard: by_hazard.into_values().collect() })
    }

    /// The draft with every blank filled in.
    ///
    /// # Errors
    /// [`Refusal::AlertIncomplete`] names the blanks without a value; [`Refusal::BadText`] a value that is too long; otherwise
    /// as [`AlertContent::check`].
    pub fn render(&self, request: &TemplateRequest<'_>) -> Result<RenderedTemplate, Refusal> {
        let templates = self.by_hazard.iter().find(|templates| templates.hazard == request.hazard);
        templates
            .ok_or_else(|| Refusal::BadAlert { why: "没有该灾种的模板 (no template for this hazard)".into() })?
            .render(request)
    }

    /// The names of the blanks that an author fills in.
    pub fn blanks(&self, hazard: Hazard, colour: WarningColour, kind: TemplateKind) -> BTreeSet<String> {
        let Some(templates) = self.by_hazard.iter().find(|templates| templates.hazard == hazard) else {
            return BTreeSet::new();
        };
        let texts = templates.texts(colour, kind).values().flat_map(Texts::all);
        let names = texts.flat_map(fill::names).filter(|name| !fill::GIVEN.contains(name));
        names.map(str::to_owned).chain(["phone".to_owned()]).collect()
    }
}

impl Texts {
    fn all(&self) -> [&str; 4] {
        [&self.headline, &self.description, &self.instruction, &self.loudspeaker]
    }
}

impl HazardTemplates {
    fn colour(&self, colour: WarningColour) -> &ColourTemplate {
        &self.colours[colour as usize]
    }

    fn texts(&self, colour: WarningColour, kind: TemplateKind) -> &ByLanguage<Texts> {
        match kind {
            TemplateKind::New => &self.colour(colour).texts,
            TemplateKind::Correction => &self.correction,
            TemplateKind::Cancel => &self.cancel,
        }
    }

    /// A correction is as grave as what it corrects; a withdrawal has words of its own.
    fn cap(&self, colour: WarningColour, kind: TemplateKind) -> Cap {
        let cap = &self.colour(colour).cap;
        match kind {
            TemplateKind::New => cap.clone(),
            TemplateKind::Correction => Cap { validity_h: self.correction_validity_h, ..cap.clone() },
            TemplateKind::Cancel => self.cancel_cap.clone(),
        }
    }

    fn render(&self, request: &TemplateRequest<'_>) -> Result<RenderedTemplate, Refusal> {
        let cap = self.cap(request.colour, request.kind);
        let expires = request.expires.unwrap_or_else(|| request.now.plus_s(cap.validity_h.saturating_mul(3_600)));
        let mut blanks = Blanks::new(request.values)?;
        let mut infos = Vec::new();
        let mut loudspeaker = Vec::new();
        for (&language, texts) in self.texts(request.colour, request.kind) {
            let event = self.colour(request.colour).event[&language].clone();
            let time = time_words(request.onset.unwrap_or(request.now), request.utc_offset_min, language)?;
            let until = time_words(expires, request.utc_offset_min, language)?;
            blanks.turn_to(language, [("event", event.clone()), ("time", time), ("until", until)]);
            infos.push(AlertInfo {
                language,
                event,
                headline: blanks.fill(&texts.headline),
                description: blanks.fill(&texts.description),
                instruction: blanks.fill(&texts.instruction),
                sender_name: blanks.fill("{sender}"),
                contact: Some(blanks.fill("{phone}")),
            });
            loudspeaker.push(SpokenText { language, text: blanks.fill(&texts.loudspeaker) });
        }
        blanks.require_all_given()?;
        let content = AlertContent {
            hazard: self.hazard,
            colour: Some(request.colour),
            category: self.category.clone(),
            event_code: self.event_code,
            urgency: cap.urgency,
            severity: cap.severity,
            certainty: cap.certainty,
            response_types: cap.response_types,
            effective: None,
            onset: request.onset,
            expires,
            infos,
        };
        content.check()?;
        Ok(RenderedTemplate { content, loudspeaker })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::lint::lint;

    /// 2026-07-12T20:30+08:00.
    const NOW: Timestamp = Timestamp(1_783_859_400_000_000);

    fn values(pairs: &[(Language, &str, &str)]) -> Values {
        let mut values = Values::new();
        for &(language, name, value) in pairs {
            values.entry(language).or_default().insert(name.to_owned(), value.to_owned());
        }
        values
    }

    fn request(hazard: Hazard, kind: TemplateKind, values: &Values) -> TemplateRequest<'_> {
        let colour = WarningColour::Red;
        TemplateRequest { hazard, colour, kind, now: NOW, onset: None, expires: None, utc_offset_min: 480, values }
    }

    fn is_short(spoken: &SpokenText) -> bool {
        match spoken.language {
            Language::ZhCn => spoken.text.chars().count() <= 85,
            Language::EnUs => spoken.text.split_whitespace().count() <= 45,
        }
    }

    #[test]
    fn all_texts_of_all_templates_pass_check_and_lint_and_can_be_read_in_time() {
        let templates = Templates::load(None).unwrap();
        let values = file::sample_values();
        let mut rendered_count = 0;
        let mut faults: Vec<String> = Vec::new();
        for hazard in Hazard::ALL {
            for colour in WarningColour::ALL {
                for kind in TemplateKind::ALL {
                    let rendered =
                        templates.render(&TemplateRequest { colour, ..request(hazard, kind, &values) }).unwrap();
                    assert_eq!(rendered.content.check_at(NOW, 72 * 3_600), Ok(()));
                    assert_eq!(rendered.content.colour, Some(colour));
                    let which = format!("{hazard:?} {colour:?} {kind:?}");
                    faults.extend(
                        lint(&rendered.content, &[]).iter().map(|f| format!("{which}: {} {}", f.kind.en(), f.hint_en)),
                    );
                    if rendered.content.mentions_exercise() {
                        faults.push(format!("{which} speaks of an exercise"));
                    }
                    faults.extend(
                        rendered
                            .loudspeaker
                            .iter()
                            .filter(|s| !is_short(s))
                            .map(|s| format!("{which}: too long to read out: {}", s.text)),
                    );
                    rendered_count += 1;
                }
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        assert_eq!(rendered_count, 108);
    }

    #[test]
    fn colours_are_as_grave_as_the_city_calls_them_and_a_withdrawal_is_an_all_clear() {
        let templates = Templates::load(None).unwrap();
        let values = file::sample_values();
        let grave = [Severity::Extreme, Severity::Severe, Severity::Moderate, Severity::Minor];
        for hazard in Hazard::ALL {
            for (colour, severity) in WarningColour::ALL.into_iter().zip(grave) {
                let render =
                    |kind| templates.render(&TemplateRequest { colour, ..request(hazard, kind, &values) }).unwrap();
                assert_eq!(render(TemplateKind::New).content.severity, severity);
                assert_eq!(render(TemplateKind::Correction).content.severity, severity);
                assert_eq!(render(TemplateKind::Cancel).content.response_types, [ResponseType::AllClear]);
            }
        }
    }

    #[test]
    fn times_are_said_as_people_say_them_and_agree_with_the_fields() {
        let templates = Templates::load(None).unwrap();
        let values = file::sample_values();
        let onset = Some(NOW.plus_s(1_800));
        let rendered =
            templates.render(&TemplateRequest { onset, ..request(Hazard::Flood, TemplateKind::New, &values) }).unwrap();
        let [zh, en] = &rendered.content.infos[..] else { panic!("two languages") };
        assert!(zh.headline.contains("7月12日21时起有洪水"), "{}", zh.headline);
        assert!(zh.description.contains("有效至7月13日8时30分"), "{}", zh.description);
        assert!(en.description.contains("until 08:30 on 13 July"), "{}", en.description);
        assert_eq!((rendered.content.onset, rendered.content.expires), (onset, NOW.plus_s(12 * 3_600)));
    }

    #[test]
    fn missing_blanks_are_named_all_at_once() {
        let templates = Templates::load(None).unwrap();
        let values = values(&[(Language::ZhCn, "place", "潞州区"), (Language::ZhCn, "sender", " ")]);
        let refusal = templates.render(&request(Hazard::Flood, TemplateKind::Cancel, &values)).unwrap_err();
        assert_eq!(refusal, Refusal::AlertIncomplete { missing: "{phone}, {reason}, {sender}".into() });
    }

    #[test]
    fn english_takes_the_chinese_value_where_it_has_none() {
        let templates = Templates::load(None).unwrap();
        let mut values = file::sample_values();
        values.remove(&Language::EnUs);
        let rendered = templates.render(&request(Hazard::Fire, TemplateKind::New, &values)).unwrap();
        assert!(rendered.content.infos[1].headline.contains("Fire at 潞州区"));
    }

    #[test]
    fn a_value_is_taken_as_it_is_and_within_bounds() {
        let templates = Templates::load(None).unwrap();
        let mut values = file::sample_values();
        let mut render_with = |place: &str| {
            values.entry(Language::ZhCn).or_default().insert("place".into(), place.to_owned());
            templates.render(&request(Hazard::Fire, TemplateKind::New, &values))
        };
        let rendered = render_with("{sender}").unwrap();
        assert!(rendered.content.infos[0].headline.starts_with("{sender}"), "no second filling");
        assert_eq!(render_with(&"长".repeat(VALUE_MAX + 1)).map_err(|r| r.code()).unwrap_err(), "bad_text");
        assert_eq!(render_with("潞州\u{7}区").map_err(|r| r.code()).unwrap_err(), "bad_alert");
    }

    #[test]
    fn an_exercise_says_so_also_aloud() {
        let templates = Templates::load(None).unwrap();
        let values = file::sample_values();
        let rendered = templates.render(&request(Hazard::Fire, TemplateKind::New, &values)).unwrap().for_exercise();
        assert!(rendered.content.mentions_exercise());
        assert!(
            rendered.loudspeaker[0].text.starts_with("演练，演练。")
                && rendered.loudspeaker[0].text.ends_with("演练，演练。")
        );
    }

    #[test]
    fn blanks_are_told_before_they_are_filled_in() {
        let templates = Templates::load(None).unwrap();
        let blanks = templates.blanks(Hazard::UtilityFailure, WarningColour::Red, TemplateKind::New);
        assert_eq!(blanks.into_iter().collect::<Vec<_>>(), ["phone", "place", "sender", "what"]);
    }
}
