//! Time at the edge: RFC 3339 with an offset outside, microseconds inside. What goes out is at +08:00, Beijing time.

use std::fmt;
use std::str::FromStr;

use jiff::tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::refusal::{Carried, Refusal};
use crate::domain::time::Timestamp;

/// Hours that times going out are ahead of UTC.
const OFFSET_H: i8 = 8;
/// Characters of a longest time that is read.
const TEXT_MAX: usize = 64;

/// A [`Timestamp`] as the API has it: `2026-11-23T20:15:00+08:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rfc3339(pub Timestamp);

impl From<Timestamp> for Rfc3339 {
    fn from(time: Timestamp) -> Self {
        Self(time)
    }
}

impl From<Rfc3339> for Timestamp {
    fn from(time: Rfc3339) -> Self {
        time.0
    }
}

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Times beyond the year 9999 cannot be written; none of the rules makes one.
        let time = jiff::Timestamp::from_microsecond(self.0.0).unwrap_or(jiff::Timestamp::MAX);
        time.display_with_offset(tz::offset(OFFSET_H)).fmt(f)
    }
}

impl FromStr for Rfc3339 {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let parsed = text.parse::<jiff::Timestamp>().ok().filter(|_| text.len() <= TEXT_MAX);
        let bad = || Refusal::BadTime { text: text.chars().take(40).collect() };
        parsed.map(|time| Self(Timestamp(time.as_microsecond()))).ok_or_else(bad)
    }
}

impl Serialize for Rfc3339 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rfc3339 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|refusal: Refusal| de::Error::custom(Carried::from(refusal)))
    }
}

impl PartialSchema for Rfc3339 {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .examples(["2026-11-23T20:15:00+08:00"])
            .into()
    }
}

impl ToSchema for Rfc3339 {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_goes_out_at_beijing_and_comes_back_the_same() {
        let time = Rfc3339(Timestamp(1_795_500_000_123_456));
        let text = time.to_string();
        assert!(text.ends_with("+08:00") && text.contains(".123456"), "{text}");
        assert_eq!(text.parse::<Rfc3339>().unwrap(), time);
        assert_eq!("2026-11-24T06:00:00Z".parse::<Rfc3339>(), "2026-11-24T14:00:00+08:00".parse());
    }

    #[test]
    fn a_time_without_an_offset_is_refused() {
        for text in ["2026-11-24T06:00:00", "2026-11-24", "", "now", "2026-13-01T00:00:00Z", &"2".repeat(100)] {
            let error = serde_json::from_value::<Rfc3339>(text.into()).unwrap_err();
            assert_eq!(Carried::find(&error.to_string()).unwrap().code, "bad_time", "{text}");
        }
    }
}
