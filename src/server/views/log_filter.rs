//! Which lines of the log are asked for, and the kinds that its events are sorted into.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::ToSchema;

use crate::domain::actor::Giver;
use crate::domain::area::AreaCode;
use crate::domain::compound::CompoundId;
use crate::domain::event::{Entry, Event};
use crate::domain::ids::{IncidentId, PersonId};
use crate::domain::time::Timestamp;

use super::journal_log::Concern;

/// What kind of event a line tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogKind {
    /// Areas, compounds, posts, claims, plans.
    Register,
    /// Who commands a compound.
    Command,
    /// Incidents opened and closed.
    Incident,
    /// Alerts drafted, submitted, issued, cancelled.
    Alert,
    /// How far an alert has got on the phones.
    Receipt,
    /// An alert acknowledged by who commands.
    Acknowledgement,
    /// Modes switched, posts called and answered, compounds fallen silent.
    Duty,
    /// Reports on households.
    Roll,
    /// Help requests given out and ended.
    Help,
    /// Things sent and returned.
    Aid,
}

impl LogKind {
    /// Of an event.
    pub const fn of(event: &Event) -> Self {
        match event {
            Event::Register(_) => Self::Register,
            Event::Succession(..) => Self::Command,
            Event::Incident(..) => Self::Incident,
            Event::Alert(..) => Self::Alert,
            Event::Receipts(_) => Self::Receipt,
            Event::Acknowledged { .. } => Self::Acknowledgement,
            Event::Duty(_) => Self::Duty,
            Event::CheckedIn(_) => Self::Roll,
            Event::HelpAssigned { .. } | Event::HelpEnded { .. } => Self::Help,
            Event::Aid(_) => Self::Aid,
        }
    }
}

/// Some kinds, separated by commas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogKinds(Vec<LogKind>);

impl<'de> Deserialize<'de> for LogKinds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let kind = |word: &str| LogKind::deserialize(de::value::StrDeserializer::new(word));
        text.split(',').map(kind).collect::<Result<_, _>>().map(Self)
    }
}

/// Who gave the commands that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GivenBy {
    /// This person.
    Person(PersonId),
    /// Any household, by its link.
    Households,
    /// Timers and the like.
    System,
}

impl GivenBy {
    fn is(self, giver: Giver) -> bool {
        match self {
            Self::Person(id) => giver.person_id() == Some(id),
            Self::Households => matches!(giver, Giver::Household(_)),
            Self::System => giver == Giver::System,
        }
    }
}

impl FromStr for GivenBy {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "households" => Ok(Self::Households),
            "system" => Ok(Self::System),
            _ => text.parse().map(Self::Person).map_err(|_| "by: the id of a person, `households` or `system`"),
        }
    }
}

impl<'de> Deserialize<'de> for GivenBy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Which lines are asked for: those that pass all of it.
#[derive(Debug, Clone, Default)]
pub struct LogFilter {
    /// Only of this incident.
    pub incident: Option<IncidentId>,
    /// Only of this compound.
    pub compound: Option<CompoundId>,
    /// Only of compounds of this area.
    pub area: Option<AreaCode>,
    /// Only of these kinds.
    pub kinds: Option<LogKinds>,
    /// Only what they ordered.
    pub by: Option<GivenBy>,
    /// Only from then on.
    pub since: Option<Timestamp>,
    /// Only before then.
    pub until: Option<Timestamp>,
}

impl LogFilter {
    /// Whether lines of this command are asked for at all.
    pub fn wants_record(&self, entry: &Entry) -> bool {
        self.by.is_none_or(|by| by.is(entry.giver))
            && self.since.is_none_or(|since| entry.at >= since)
            && self.until.is_none_or(|until| entry.at < until)
    }

    /// Whether events of this kind are asked for.
    pub fn wants_kind(&self, kind: LogKind) -> bool {
        self.kinds.as_ref().is_none_or(|LogKinds(kinds)| kinds.contains(&kind))
    }

    /// Whether it is asked for what an event of this concern says.
    pub fn wants(&self, concern: &Concern) -> bool {
        self.incident.is_none_or(|id| concern.incident == Some(id))
            && self.compound.is_none_or(|id| concern.names(id))
            && self.area.is_none_or(|area| concern.is_in(area))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_stand_in_one_parameter_and_an_unknown_one_is_refused() {
        let read = |text: &str| serde_json::from_value::<LogKinds>(text.into());
        assert_eq!(read("duty,roll").unwrap(), LogKinds(vec![LogKind::Duty, LogKind::Roll]));
        assert!(read("duty,weather").is_err() && read("").is_err());
    }

    #[test]
    fn who_ordered_is_a_person_the_households_or_the_system() {
        let person = PersonId(uuid::Uuid::from_u128(7));
        let household = Giver::Household("140403001001001/3-2-502".parse().unwrap());
        for (text, giver) in [
            (person.to_string(), Giver::Person(person)),
            ("households".into(), household),
            ("system".into(), Giver::System),
        ] {
            let by: GivenBy = text.parse().unwrap();
            let met = [Giver::Person(person), household, Giver::System].map(|other| by.is(other) == (other == giver));
            assert_eq!(met, [true; 3], "{text}");
        }
        assert!("somebody".parse::<GivenBy>().is_err());
    }
}
