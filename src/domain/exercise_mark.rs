//! The marks that an exercise carries at both ends of every text, and the words that betray one.
//!
//! Domain rule: an exercise can't be mistaken for the real thing, nor the reverse. Whether something *is* an exercise is
//! never read from a text: it is a property of the incident.

use super::cap_words::Language;

/// Words that stand for an exercise wherever they occur in Chinese.
const WORDS_ZH: [&str; 2] = ["演练", "演习"];
/// Words that stand for an exercise in English, whole and in lower case.
const WORDS_EN: [&str; 6] = ["drill", "drills", "exercise", "exercises", "rehearsal", "rehearsals"];

/// The mark in that language.
pub const fn mark(language: Language) -> &'static str {
    match language {
        Language::ZhCn => "【演练】",
        Language::EnUs => "[EXERCISE]",
    }
}

/// The text with a mark at both ends, once. An empty text stays empty.
pub fn marked(text: &str, language: Language) -> String {
    let inner = unmarked(text);
    let mark = mark(language);
    match language {
        _ if inner.is_empty() => String::new(),
        Language::ZhCn => format!("{mark}{inner}{mark}"),
        Language::EnUs => format!("{mark} {inner} {mark}"),
    }
}

/// A text that is read out, with the word for an exercise said twice at both ends.
pub fn spoken(text: &str, language: Language) -> String {
    match language {
        Language::ZhCn => format!("演练，演练。{text}演练，演练。"),
        Language::EnUs => format!("Exercise, exercise. {text} Exercise, exercise."),
    }
}

/// The text without the marks at its ends, in whichever language they are.
pub fn unmarked(text: &str) -> &str {
    let mut inner = text;
    loop {
        let before = inner;
        for mark in Language::ALL.map(mark) {
            inner = inner.strip_prefix(mark).map_or(inner, str::trim_start);
            inner = inner.strip_suffix(mark).map_or(inner, str::trim_end);
        }
        if inner.len() == before.len() {
            return inner;
        }
    }
}

/// Whether a mark stands anywhere in the text.
pub fn is_marked(text: &str) -> bool {
    Language::ALL.iter().any(|&language| text.contains(mark(language)))
}

/// Whether a mark or a word for an exercise stands anywhere in the text.
pub fn is_mentioned(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    WORDS_ZH.iter().any(|word| text.contains(word))
        || lower.split(|c: char| !c.is_ascii_alphabetic()).any(|word| WORDS_EN.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marking_twice_is_marking_once() {
        for language in Language::ALL {
            let once = marked("洪水 flood", language);
            assert_eq!(marked(&once, language), once);
            assert_eq!(unmarked(&once), "洪水 flood");
        }
    }

    #[test]
    fn marks_of_the_other_language_are_replaced() {
        assert_eq!(marked("[EXERCISE] 洪水 [EXERCISE]", Language::ZhCn), "【演练】洪水【演练】");
        assert_eq!(marked("", Language::ZhCn), "");
        assert_eq!(marked("【演练】", Language::ZhCn), "");
    }

    #[test]
    fn words_are_found_whole() {
        assert!(is_mentioned("防汛演习通知"));
        assert!(is_mentioned("Flood DRILL, leave now"));
        assert!(is_mentioned("[EXERCISE] flood"));
        assert!(!is_mentioned("Drilling at the mine has hit a gas pipe"));
        assert!(is_marked("今晚【演练】洪水") && !is_marked("演练场进水"));
    }
}
