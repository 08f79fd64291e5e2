//! The words of CAP 1.2 that an alert uses, the languages that it speaks, and the national event codes.
//!
//! Only words: what an alert says with them is [`super::alert_content`].

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::text_form::{BadKey, text_form};

/// An enumeration whose values are called what CAP 1.2 calls them, in JSON as in XML.
macro_rules! cap_words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident = $cap:tt,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
        pub enum $name {
            $($(#[$word_doc])* #[serde(rename = $cap)] $word,)*
        }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$word),*];

            /// The word that CAP 1.2 uses; case counts.
            pub const fn as_cap(self) -> &'static str {
                match self { $(Self::$word => $cap,)* }
            }

            /// The value that CAP 1.2 calls so.
            pub fn from_cap(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_cap() == word)
            }
        }
    };
}

cap_words! {
    /// What kind of thing happens (CAP `category`).
    Category {
        /// 地质、地震
        Geo = "Geo",
        /// 气象、洪水
        Met = "Met",
        /// 公共安全
        Safety = "Safety",
        /// 治安、国家安全
        Security = "Security",
        /// 救援
        Rescue = "Rescue",
        /// 火灾
        Fire = "Fire",
        /// 卫生
        Health = "Health",
        /// 环境
        Env = "Env",
        /// 交通
        Transport = "Transport",
        /// 基础设施
        Infra = "Infra",
        /// 核生化爆
        Cbrne = "CBRNE",
        /// 其他
        Other = "Other",
    }
}

cap_words! {
    /// How soon to act (CAP `urgency`).
    Urgency {
        /// 立即
        Immediate = "Immediate",
        /// 一小时内
        Expected = "Expected",
        /// 近期
        Future = "Future",
        /// 已过去
        Past = "Past",
        /// 不明
        Unknown = "Unknown",
    }
}

cap_words! {
    /// How grave it is (CAP `severity`). The warning colour is a decision of its own.
    Severity {
        /// 特别严重
        Extreme = "Extreme",
        /// 严重
        Severe = "Severe",
        /// 较重
        Moderate = "Moderate",
        /// 一般
        Minor = "Minor",
        /// 不明
        Unknown = "Unknown",
    }
}

impl Severity {
    /// As grave as `threshold` or graver. What is not known is never taken lightly: `Unknown` reaches every threshold.
    pub const fn reaches(self, threshold: Self) -> bool {
        matches!(self, Self::Unknown) || self as u8 <= threshold as u8
    }
}

cap_words! {
    /// How sure it is (CAP `certainty`).
    Certainty {
        /// 已发生
        Observed = "Observed",
        /// 很可能
        Likely = "Likely",
        /// 可能
        Possible = "Possible",
        /// 不太可能
        Unlikely = "Unlikely",
        /// 不明
        Unknown = "Unknown",
    }
}

cap_words! {
    /// What kind of thing people should do (CAP `responseType`).
    ResponseType {
        /// 就地避险
        Shelter = "Shelter",
        /// 撤离
        Evacuate = "Evacuate",
        /// 做好准备
        Prepare = "Prepare",
        /// 执行预案
        Execute = "Execute",
        /// 避开
        Avoid = "Avoid",
        /// 关注
        Monitor = "Monitor",
        /// 评估
        Assess = "Assess",
        /// 解除
        AllClear = "AllClear",
        /// 无需行动
        None = "None",
    }
}

/// The language of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub enum Language {
    /// 简体中文
    #[serde(rename = "zh-CN")]
    ZhCn,
    /// English
    #[serde(rename = "en-US")]
    EnUs,
}

impl Language {
    /// All languages, the one that must be there first.
    pub const ALL: [Self; 2] = [Self::ZhCn, Self::EnUs];

    /// The RFC 3066 tag.
    pub const fn as_tag(self) -> &'static str {
        match self {
            Self::ZhCn => "zh-CN",
            Self::EnUs => "en-US",
        }
    }
}

/// An event code of GB/T 35561: `1`, a class digit 1 to 4, a letter, two digits. `11A01` is a flood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventCode([u8; 5]);

impl fmt::Display for EventCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&byte| fmt::Write::write_char(f, char::from(byte)))
    }
}

impl FromStr for EventCode {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        match text.as_bytes() {
            &[b'1', class @ b'1'..=b'4', letter @ b'A'..=b'Z', tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => {
                Ok(Self([b'1', class, letter, tens, ones]))
            }
            _ => Err(BadKey::new(text, "an event code of GB/T 35561 like 11A01")),
        }
    }
}

text_form!(EventCode, "11A01");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_cap_are_read_exactly() {
        assert_eq!(Category::from_cap("CBRNE"), Some(Category::Cbrne));
        assert_eq!(Category::from_cap("Cbrne"), None);
        assert!(ResponseType::ALL.iter().all(|&word| ResponseType::from_cap(word.as_cap()) == Some(word)));
    }

    #[test]
    fn event_codes_have_five_characters_in_a_pattern() {
        assert_eq!("11A01".parse::<EventCode>().unwrap().to_string(), "11A01");
        for wrong in ["", "11A1", "11A012", "21A01", "15A01", "11a01", "11A0x", "１1A01"] {
            assert!(wrong.parse::<EventCode>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn unknown_severity_reaches_every_threshold() {
        assert!(Severity::Extreme.reaches(Severity::Severe));
        assert!(Severity::Severe.reaches(Severity::Severe));
        assert!(!Severity::Moderate.reaches(Severity::Severe));
        assert!(Severity::Unknown.reaches(Severity::Extreme));
    }
}
