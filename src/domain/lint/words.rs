//! The words by which the linter knows a hazard, a place, a time, an action, a term and a blank.
//!
//! Chinese is matched anywhere, English at the beginning of a word and in lower case. Lists are short on purpose: a word is
//! added when a good text was found wanting, or a bad one passed.

use crate::domain::cap_words::Language;
use crate::domain::hazard::Hazard;

/// Words that say what happens.
pub(super) const fn hazard(hazard: Hazard, language: Language) -> &'static [&'static str] {
    match language {
        Language::ZhCn => match hazard {
            Hazard::Flood => &["洪", "涝", "积水", "涨水", "漫堤", "进水", "暴雨", "决口", "溃坝"],
            Hazard::Fire => &["火灾", "着火", "起火", "失火", "火情", "山火", "火险", "浓烟", "火势"],
            Hazard::GasLeak => &["燃气", "煤气", "天然气", "漏气"],
            Hazard::Earthquake => &["地震", "余震", "震感"],
            Hazard::Snow => &["雪", "冰冻", "结冰"],
            Hazard::Landslide => &["滑坡", "塌陷", "坍塌", "崩塌", "泥石流", "地裂缝", "地质灾害"],
            Hazard::Heat => &["高温", "热浪", "中暑"],
            Hazard::Epidemic => &["疫情", "传染", "病例", "感染", "病毒", "流感"],
            Hazard::UtilityFailure => &["停水", "停电", "停气", "停暖", "断水", "断电", "断气"],
        },
        Language::EnUs => match hazard {
            Hazard::Flood => &["flood", "overflow", "waterlog", "inundat", "rising water", "rainstorm", "heavy rain"],
            Hazard::Fire => &["fire", "smoke", "blaze", "burning"],
            Hazard::GasLeak => &["gas"],
            Hazard::Earthquake => &["earthquake", "aftershock", "quake", "tremor"],
            Hazard::Snow => &["snow", "ice", "icy", "blizzard", "freez"],
            Hazard::Landslide => {
                &["landslide", "rockfall", "collapse", "subsid", "mudslide", "debris flow", "sinkhole"]
            }
            Hazard::Heat => &["heat", "hot "],
            Hazard::Epidemic => &["epidemic", "infect", "outbreak", "disease", "virus", "influenza"],
            Hazard::UtilityFailure => {
                &["power cut", "outage", "power failure", "water cut", "no water", "no power", "supply of", "cut off"]
            }
        },
    }
}

/// Words that say what to do.
pub(super) const fn actions(language: Language) -> &'static [&'static str] {
    match language {
        Language::ZhCn => ACTIONS_ZH,
        Language::EnUs => ACTIONS_EN,
    }
}

#[rustfmt::skip]
const ACTIONS_ZH: &[&str] = &[
    "撤", "转移", "疏散", "关闭", "关掉", "关好", "关紧", "切断", "打开", "开窗", "不要", "请勿", "切勿", "远离",
    "避开", "避免", "绕行", "前往", "留在", "待在", "躲", "拨打", "联系", "报告", "告诉", "检查", "准备", "储",
    "携带", "带上", "佩戴", "戴好", "捂", "减少", "多喝水", "喝水", "洗手", "清扫", "穿", "帮助", "照看", "返回",
    "听从", "收好", "备好", "停止",
];

#[rustfmt::skip]
const ACTIONS_EN: &[&str] = &[
    "leave", "move ", "go ", "stay", "close", "turn off", "switch off", "shut", "open", "do not", "don't", "avoid",
    "keep", "call", "report", "tell", "check", "prepare", "store", "bring", "take", "wear", "cover", "drop",
    "drink", "wash", "boil", "evacuate", "return", "follow", "help", "wait", "get ", "stop", "clear", "unplug",
];

/// Terms that mean nothing to most people, longest first where one holds another.
pub(super) fn jargon(text: &str, language: Language) -> Option<&'static str> {
    let terms: &[&str] = match language {
        Language::ZhCn => &[
            "毫米",
            "立方米每秒",
            "汛限水位",
            "警戒水位",
            "保证水位",
            "应急响应",
            "百帕",
            "烈度",
            "面雨量",
            "爆炸下限",
            "防御响应",
        ],
        Language::EnUs => {
            &["mm", "m3/s", "hpa", "cubic metre", "emergency response", "isoseismal", "explosive limit", "ppm"]
        }
    };
    terms.iter().copied().find(|term| contains_any(text, &[term], language))
}

/// Whether one of the words stands in the text: in Chinese anywhere, in English where a word begins.
pub(super) fn contains_any(text: &str, words: &[&str], language: Language) -> bool {
    match language {
        Language::ZhCn => words.iter().any(|word| text.contains(word)),
        Language::EnUs => {
            let lower = text.to_ascii_lowercase();
            words.iter().any(|word| lower.match_indices(word).any(|(at, _)| !ends_in_letter(&lower[..at])))
        }
    }
}

fn ends_in_letter(text: &str) -> bool {
    text.ends_with(|c: char| c.is_ascii_alphabetic())
}

/// What a Chinese place-name ends in, and the characters before it that make it a common noun (`道路`, `小区`, `过河`).
const PLACE_ENDINGS_ZH: &[(&str, &str)] = &[
    ("小区", "民内个些该"),
    ("社区", "民内个些该"),
    ("街道", "民内个些该条"),
    ("区", "小社地山灾险园片市震景城疫洼郊隔"),
    ("县", ""),
    ("市", "城超夜都门"),
    ("镇", "乡城冰"),
    ("村", "农乡"),
    ("路", "道公线电铁马绕让走出行退一水管网归"),
    ("街", "过大逛"),
    ("巷", "小"),
    ("河", "过沿近山"),
    ("水库", ""),
    ("大桥", ""),
    ("花园", ""),
    ("家属院", "位"),
];

/// Characters that never stand right before the ending of a place-name.
const NEVER_IN_A_NAME_ZH: &str = "到在的各本该请全所和与及向往从离近回住进出入等或把对让给沿开您你其某是有处";

const PLACE_ENDINGS_EN: [&str; 19] = [
    "county",
    "district",
    "street",
    "road",
    "river",
    "community",
    "compound",
    "lane",
    "bridge",
    "reservoir",
    "village",
    "town",
    "avenue",
    "garden",
    "gardens",
    "park",
    "hill",
    "city",
    "mountain",
];
/// Capitalised at the beginning of a sentence without naming anything.
const NOT_A_NAME_EN: [&str; 22] = [
    "the", "this", "that", "your", "our", "any", "every", "all", "each", "a", "an", "avoid", "leave", "cross", "near",
    "no", "every", "some", "in", "on", "to", "of",
];

/// Whether a place is named: two characters of a name before an ending, or a numbered building.
pub(super) fn names_a_place(text: &str, language: Language) -> bool {
    match language {
        Language::ZhCn => names_a_place_zh(text),
        Language::EnUs => names_a_place_en(text),
    }
}

fn names_a_place_zh(text: &str) -> bool {
    let is_numbered = ["号楼", "栋", "单元", "号院"]
        .iter()
        .any(|ending| text.match_indices(ending).any(|(at, _)| text[..at].ends_with(|c: char| c.is_ascii_digit())));
    let is_name = |&(ending, common): &(&str, &str)| {
        text.match_indices(ending).any(|(at, _)| {
            let before: Vec<char> = text[..at].chars().rev().take(2).collect();
            let is_han = |c: &char| ('\u{4E00}'..='\u{9FFF}').contains(c);
            before.len() == 2
                && before.iter().all(|c| is_han(c) && !NEVER_IN_A_NAME_ZH.contains(*c))
                && !common.contains(before[0])
        })
    };
    is_numbered || PLACE_ENDINGS_ZH.iter().any(is_name)
}

fn names_a_place_en(text: &str) -> bool {
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.windows(2).any(|pair| {
        let (first, second) = (pair[0].to_ascii_lowercase(), pair[1].to_ascii_lowercase());
        let is_capital = pair[0].starts_with(|c: char| c.is_ascii_uppercase());
        let is_name = is_capital && !NOT_A_NAME_EN.contains(&first.as_str());
        let is_number = second.bytes().all(|b| b.is_ascii_digit());
        (is_name && PLACE_ENDINGS_EN.contains(&second.as_str()))
            || (is_number && ["building", "block", "stairwell"].contains(&first.as_str()))
    })
}

const TIMES_ZH: &[&str] = &[
    "立即", "立刻", "马上", "现在", "目前", "正在", "刚刚", "今天", "今日", "今晚", "今夜", "今晨", "明天", "明日",
    "明晨", "凌晨", "上午", "下午", "夜间", "傍晚", "中午", "即日",
];
const TIMES_EN: &[&str] = &[
    "now",
    "immediately",
    "at once",
    "today",
    "tonight",
    "tomorrow",
    "this morning",
    "this afternoon",
    "this evening",
];
/// What follows a number that tells a time.
const UNITS_ZH: &[&str] = &["时", "点", "分", "日", "月", "小时", "天"];
const UNITS_EN: &[&str] = &["hour", "minute", "day", "am", "pm", "o'clock"];

/// Whether a time is named: one of the words, a clock time, or a number with a unit of time.
pub(super) fn names_a_time(text: &str, language: Language) -> bool {
    let (words, units) = match language {
        Language::ZhCn => (TIMES_ZH, UNITS_ZH),
        Language::EnUs => (TIMES_EN, UNITS_EN),
    };
    contains_any(text, words, language)
        || text.split_inclusive(|c: char| c.is_ascii_digit()).skip(1).any(|rest| {
            // `rest` is what stands between one digit and the next, that one included.
            let rest = rest.trim_start().to_ascii_lowercase();
            units.iter().any(|unit| rest.starts_with(unit)) || is_clock(&rest)
        })
}

/// The `:3` of `20:30`.
fn is_clock(rest: &str) -> bool {
    let mut chars = rest.chars();
    matches!(chars.next(), Some(':' | '：')) && chars.next().is_some_and(|c| c.is_ascii_digit())
}

/// What was left to fill in: `{phone}`, `XX`, `××`.
pub(super) fn blanks(text: &str) -> impl Iterator<Item = String> {
    let braced = text.split('{').skip(1).filter_map(|rest| {
        let (name, _) = rest.split_once('}')?;
        (name.chars().count() <= 40).then(|| format!("{{{name}}}"))
    });
    let crossed = ["××", "XX", "＿＿", "____"].into_iter().filter(|cross| text.contains(cross)).map(str::to_owned);
    braced.chain(crossed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_places_are_names_not_common_nouns() {
        for named in
            ["石子河将漫堤", "英雄中路积水", "潞州区", "太行西街街道", "紫金花园小区内", "3号楼着火", "后西沟水库"]
        {
            assert!(names_a_place(named, Language::ZhCn), "{named}");
        }
        for common in [
            "请返回小区",
            "不要在道路上行走",
            "各小区注意",
            "低洼地区",
            "不要过河",
            "社区工作人员",
            "所在小区的人",
            "让出道路",
            "危险区",
        ] {
            assert!(!names_a_place(common, Language::ZhCn), "{common}");
        }
    }

    #[test]
    fn english_places_are_capitalised() {
        for named in ["the Shizi river", "Yingxiong Road", "in Luzhou District", "Building 3"] {
            assert!(names_a_place(named, Language::EnUs), "{named}");
        }
        for common in ["The river rises", "Leave the street", "your compound"] {
            assert!(!names_a_place(common, Language::EnUs), "{common}");
        }
    }

    #[test]
    fn times_are_words_clocks_or_numbers_with_a_unit() {
        for timed in ["今晚", "20时", "20:30", "未来 3 小时", "7月12日"] {
            assert!(names_a_time(timed, Language::ZhCn), "{timed}");
        }
        for timed in ["leave NOW", "at 20:00", "within 3 hours", "at 8 pm"] {
            assert!(names_a_time(timed, Language::EnUs), "{timed}");
        }
        for untimed in ["请撤到3楼", "拨打119。", "共20栋"] {
            assert!(!names_a_time(untimed, Language::ZhCn), "{untimed}");
        }
        for untimed in ["call 119", "snow is known", "ratio 3: high"] {
            assert!(!names_a_time(untimed, Language::EnUs), "{untimed}");
        }
    }

    #[test]
    fn english_words_are_matched_where_they_begin() {
        assert!(contains_any("Flooding ahead", &["flood"], Language::EnUs));
        assert!(!contains_any("notice", &["ice"], Language::EnUs));
    }

    #[test]
    fn blanks_are_found() {
        let found = |text| blanks(text).collect::<Vec<_>>();
        assert_eq!(found("{place}有险情，拨打{phone}"), ["{place}", "{phone}"]);
        assert_eq!(found("XX小区"), ["XX"]);
        assert_eq!(found("全部填好"), [""; 0]);
    }
}
