//! One template file: its form in TOML, and the checks that stop the start where a text would not do.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::Deserialize;

use super::{
    ByLanguage, Cap, ColourTemplate, FILE_MAX_BYTES, HazardTemplates, TemplateError, TemplateKind, TemplateRequest,
    Texts, Values, fill,
};
use crate::domain::alert_content::VALIDITY_MAX_S;
use crate::domain::cap_words::{Category, Certainty, EventCode, Language, ResponseType, Severity, Urgency};
use crate::domain::hazard::{Hazard, WarningColour};
use crate::domain::lint::lint;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;

/// Blanks that may stand in every text; those of one kind only are added in [`known_blanks`].
const EVERYWHERE: [&str; 6] = ["place", "sender", "phone", "event", "time", "until"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    hazard: Hazard,
    category: Vec<Category>,
    event_code: Option<EventCode>,
    red: Colour,
    orange: Colour,
    yellow: Colour,
    blue: Colour,
    correction: Correction,
    cancel: Cancel,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Colour {
    urgency: Urgency,
    severity: Severity,
    certainty: Certainty,
    response_types: Vec<ResponseType>,
    validity_h: u32,
    #[serde(rename = "zh-CN")]
    zh: EventText,
    #[serde(rename = "en-US")]
    en: EventText,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Correction {
    validity_h: u32,
    #[serde(rename = "zh-CN")]
    zh: Text,
    #[serde(rename = "en-US")]
    en: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cancel {
    urgency: Urgency,
    severity: Severity,
    certainty: Certainty,
    response_types: Vec<ResponseType>,
    validity_h: u32,
    #[serde(rename = "zh-CN")]
    zh: Text,
    #[serde(rename = "en-US")]
    en: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventText {
    event: String,
    headline: String,
    description: String,
    instruction: String,
    loudspeaker: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    headline: String,
    description: String,
    instruction: String,
    loudspeaker: String,
}

impl From<Text> for Texts {
    fn from(text: Text) -> Self {
        let Text { headline, description, instruction, loudspeaker } = text;
        Self { headline, description, instruction, loudspeaker }
    }
}

impl EventText {
    fn split(self) -> (String, Texts) {
        let Self { event, headline, description, instruction, loudspeaker } = self;
        (event, Texts { headline, description, instruction, loudspeaker })
    }
}

impl From<Colour> for ColourTemplate {
    fn from(colour: Colour) -> Self {
        let Colour { urgency, severity, certainty, response_types, validity_h, zh, en } = colour;
        let ((zh_event, zh), (en_event, en)) = (zh.split(), en.split());
        Self {
            cap: Cap { urgency, severity, certainty, response_types, validity_h },
            event: both(zh_event, en_event),
            texts: both(zh, en),
        }
    }
}

fn both<T>(zh: T, en: T) -> ByLanguage<T> {
    BTreeMap::from([(Language::ZhCn, zh), (Language::EnUs, en)])
}

/// Every `*.toml` of a folder, by name.
pub(super) fn read_folder(dir: &Path) -> Result<Vec<(String, String)>, TemplateError> {
    let failed = |path: &Path| {
        let file = path.display().to_string();
        move |error: io::Error| TemplateError::Read { file, error }
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed(dir))? {
        let path = entry.map_err(failed(dir))?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        if path.metadata().map_err(failed(&path))?.len() > FILE_MAX_BYTES {
            let why = format!("larger than {FILE_MAX_BYTES} bytes");
            return Err(failed(&path)(io::Error::new(io::ErrorKind::FileTooLarge, why)));
        }
        let text = std::fs::read_to_string(&path).map_err(failed(&path))?;
        files.push((path.display().to_string(), text));
    }
    files.sort_unstable();
    Ok(files)
}

/// Reads one file and checks every text in it.
pub(super) fn parse(name: &str, text: &str) -> Result<HazardTemplates, TemplateError> {
    let syntax = |error| TemplateError::Syntax { file: name.to_owned(), error: Box::new(error) };
    let file: File = toml::from_str(text).map_err(syntax)?;
    let File { hazard, category, event_code, red, orange, yellow, blue, correction, cancel } = file;
    let Cancel { urgency, severity, certainty, response_types, validity_h, zh, en } = cancel;
    let templates = HazardTemplates {
        hazard,
        category,
        event_code,
        colours: [red.into(), orange.into(), yellow.into(), blue.into()],
        correction_validity_h: correction.validity_h,
        correction: both(correction.zh.into(), correction.en.into()),
        cancel_cap: Cap { urgency, severity, certainty, response_types, validity_h },
        cancel: both(zh.into(), en.into()),
    };
    check(&templates).map_err(|(key, why)| TemplateError::Value { file: name.to_owned(), key, why })?;
    Ok(templates)
}

/// Key and reason of the first thing that would not do.
fn check(templates: &HazardTemplates) -> Result<(), (String, String)> {
    for colour in WarningColour::ALL {
        for kind in TemplateKind::ALL {
            check_one(templates, colour, kind)?;
        }
    }
    Ok(())
}

fn check_one(templates: &HazardTemplates, colour: WarningColour, kind: TemplateKind) -> Result<(), (String, String)> {
    let section = section(colour, kind);
    if !(1..=VALIDITY_MAX_S / 3_600).contains(&templates.cap(colour, kind).validity_h) {
        return Err((format!("{section}.validity_h"), "must be 1 to 168 hours".into()));
    }
    for (language, texts) in templates.texts(colour, kind) {
        let keys = ["headline", "description", "instruction", "loudspeaker"];
        for (key, text) in keys.into_iter().zip(texts.all()) {
            let key = format!("{section}.{}.{key}", language.as_tag());
            if text.trim().is_empty() {
                return Err((key, "must not be empty".into()));
            }
            if let Some(name) =
                fill::names(text).find(|name| !known_blanks(templates.hazard, kind).any(|known| known == *name))
            {
                return Err((key, format!("there is no blank {{{name}}}")));
            }
        }
    }
    check_rendered(templates, colour, kind, section)
}

/// Filled in with samples it must hold together and answer the five questions.
fn check_rendered(
    templates: &HazardTemplates,
    colour: WarningColour,
    kind: TemplateKind,
    section: &str,
) -> Result<(), (String, String)> {
    let values = sample_values();
    let request = TemplateRequest {
        hazard: templates.hazard,
        colour,
        kind,
        now: Timestamp(0),
        onset: None,
        expires: None,
        utc_offset_min: 0,
        values: &values,
    };
    let in_section = |refusal: Refusal| (section.to_owned(), refusal.to_string());
    let rendered = templates.render(&request).map_err(in_section)?;
    match lint(&rendered.content, &[]).into_iter().find(|finding| finding.blocking) {
        Some(found) => Err((format!("{section}.{}", found.language.as_tag()), found.hint_en)),
        None => Ok(()),
    }
}

/// The section of the file that a text stands in.
const fn section(colour: WarningColour, kind: TemplateKind) -> &'static str {
    match (kind, colour) {
        (TemplateKind::New, WarningColour::Red) => "red",
        (TemplateKind::New, WarningColour::Orange) => "orange",
        (TemplateKind::New, WarningColour::Yellow) => "yellow",
        (TemplateKind::New, WarningColour::Blue) => "blue",
        (TemplateKind::Correction, _) => "correction",
        (TemplateKind::Cancel, _) => "cancel",
    }
}

fn known_blanks(hazard: Hazard, kind: TemplateKind) -> impl Iterator<Item = &'static str> {
    let of_kind: &[&str] = match kind {
        TemplateKind::New if hazard == Hazard::UtilityFailure => &["what"],
        TemplateKind::New => &[],
        TemplateKind::Correction => &["wrong", "right"],
        TemplateKind::Cancel => &["reason"],
    };
    EVERYWHERE.iter().chain(of_kind).copied()
}

/// A value for every blank, as an author might give it.
pub(super) fn sample_values() -> Values {
    let zh = [
        ("place", "潞州区石子河沿岸"),
        ("sender", "长治市应急管理局"),
        ("phone", "0355-12345"),
        ("what", "停电"),
        ("wrong", "范围多写了英雄中路"),
        ("right", "只有石子河沿岸"),
        ("reason", "险情已排除"),
    ];
    let en = [
        ("place", "Shizi River, Luzhou District"),
        ("sender", "Changzhi Emergency Bureau"),
        ("what", "power cut"),
        ("wrong", "Yingxiong Road was named"),
        ("right", "only the Shizi River"),
        ("reason", "the danger is over"),
    ];
    let owned =
        |pairs: &[(&str, &str)]| pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    both(owned(&zh), owned(&en))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOOD: &str = include_str!("../../../config/templates/flood.toml");

    fn error(from: &str, to: &str) -> String {
        let text = FLOOD.replacen(from, to, 1);
        assert_ne!(text, FLOOD);
        parse("flood.toml", &text).unwrap_err().to_string()
    }

    #[test]
    fn unknown_and_missing_keys_are_named_with_file_and_line() {
        let message = error("[red]\n", "[red]\nurgencey = 1\n");
        assert!(
            message.contains("flood.toml") && message.contains("urgencey") && message.contains("line"),
            "{message}"
        );
        assert!(error("[cancel]", "[cancelled]").contains("cancel"));
        assert!(error("11A01", "flood").contains("event code"));
        assert!(error("validity_h = 12", "validity_h = 169").contains("red.validity_h: must be 1 to 168"));
    }

    #[test]
    fn blanks_that_nobody_fills_in_are_named_with_their_key() {
        assert!(
            error("{place}{time}起有洪水", "{spot}有洪水").contains("red.zh-CN.headline: there is no blank {spot}")
        );
        assert!(error("{phone}", "{reason}").contains("no blank {reason}"), "a reason is for a withdrawal only");
    }

    #[test]
    fn a_text_that_does_not_answer_the_five_questions_stops_the_start() {
        let message = error("{sender}发布：{place}{time}起将发生洪水", "{place}{time}起将发生洪水");
        assert!(message.contains("flood.toml: red.zh-CN: Name the sender"), "{message}");
    }

    #[test]
    fn a_folder_replaces_its_hazards_only() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("own.toml"), FLOOD.replace("洪水红色预警", "洪水一级红色预警")).unwrap();
        std::fs::write(dir.path().join("notes.txt"), "not a template").unwrap();
        let templates = super::super::Templates::load(Some(dir.path())).unwrap();
        let event = |hazard| {
            let found = templates.by_hazard.iter().find(|t| t.hazard == hazard).unwrap();
            found.colours[0].event[&Language::ZhCn].clone()
        };
        assert_eq!(event(Hazard::Flood), "洪水一级红色预警");
        assert_eq!(event(Hazard::Fire), "火灾红色警报");
        assert!(super::super::Templates::load(Some(&dir.path().join("nowhere"))).is_err());
    }
}
