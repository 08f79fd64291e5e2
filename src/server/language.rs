//! Which of its two languages the server speaks to a client: Chinese unless English is asked for first.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

/// A language that the server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// 简体中文
    #[default]
    Zh,
    /// English.
    En,
}

impl Language {
    /// As `Accept-Language` wishes; Chinese when it wishes nothing that is spoken here.
    pub fn of(headers: &HeaderMap) -> Self {
        let wish = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let wished = |tag: &str| wish.split(',').filter_map(|part| weight_of(part, tag)).fold(0.0, f32::max);
        let first = |tag: &str| wish.find(tag).unwrap_or(usize::MAX);
        let (zh, en) = (wished("zh"), wished("en"));
        if en > zh || (en > 0.0 && (en - zh).abs() < f32::EPSILON && first("en") < first("zh")) {
            Self::En
        } else {
            Self::Zh
        }
    }

    /// The tag for `Content-Language`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }

    /// One of two texts.
    pub fn pick<T>(self, zh: T, en: T) -> T {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }
}

/// How much one entry of the header (`en-GB;q=0.8`) wishes for a language; `None` when it is about another.
fn weight_of(entry: &str, tag: &str) -> Option<f32> {
    let (name, weight) = entry.split_once(';').unwrap_or((entry, "q=1"));
    let primary = name.trim().split('-').next()?;
    primary.eq_ignore_ascii_case(tag).then(|| weight.trim().strip_prefix("q=")?.parse().ok())?
}

impl<S: Sync> FromRequestParts<S> for Language {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_unless_english_is_wished_for_more() {
        for (wish, wanted) in [
            ("", Language::Zh),
            ("fr", Language::Zh),
            ("en", Language::En),
            ("en-GB,zh;q=0.9", Language::En),
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Zh),
            ("zh;q=0.5, en;q=0.7", Language::En),
            ("en,zh", Language::En),
            ("zh,en", Language::Zh),
            ("en;q=abc", Language::Zh),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, wish.parse().unwrap());
            assert_eq!(Language::of(&headers), wanted, "{wish}");
        }
    }
}
