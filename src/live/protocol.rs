//! What a client may say: parsed once into valid types, unknown fields refused.

use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use crate::domain::command::Command;
use crate::domain::ids::{AlertId, CommandId};
use crate::domain::receipt::Stage;

use super::frame::{Cursor, Said};

/// Everything a client may say, as JSON text.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientFrame {
    /// Send what I missed after `cursor`, then go on live. Taken once a connection.
    Resume {
        /// Epoch of the journal, from `hello`.
        epoch: String,
        /// The last event taken in.
        #[serde(deserialize_with = "cursor")]
        #[schema(value_type = String, example = "123.2")]
        cursor: Cursor,
    },
    /// Show me the map of my areas, and what changes on it.
    Watch {
        /// What is watched.
        what: Watched,
        /// The position up to which the map is known here, with the epoch it is of; without it a snapshot comes first.
        #[serde(default)]
        since: Option<Since>,
    },
    /// Do this. Answered once, when it is durable or refused.
    Command {
        /// My own id of it: the same twice is done once.
        id: CommandId,
        /// The epoch of the compound's command under which I think to act.
        #[serde(default)]
        epoch: Option<u32>,
        /// What is ordered.
        command: Box<Command>,
    },
    /// An alert is on the device, or on the screen. Not answered; an acknowledgement is a command.
    Receipt {
        /// Which alert.
        alert: AlertId,
        /// `delivered` or `shown`.
        stage: Stage,
    },
    /// Are you there?
    Ping {},
    /// I am here.
    Pong {},
}

/// What can be watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Watched {
    /// The map of the areas that the account was granted.
    Map,
}

/// From where a map is continued.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Since {
    /// Epoch of the journal.
    pub epoch: String,
    /// Position of the last map frame taken in.
    pub position: u64,
}

fn cursor<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cursor, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

/// Characters of a parser's words that go back to the client.
const WHY_MAX: usize = 200;

/// Reads a frame.
///
/// # Errors
/// What is wrong with it, for its sender.
pub fn parse(text: &str) -> Result<ClientFrame, Said> {
    serde_json::from_str(text).map_err(|error| {
        let why: String = error.to_string().chars().take(WHY_MAX).collect();
        Said {
            code: "bad_frame", zh: format!("无法识别的消息：{why}"), en: format!("The frame cannot be read: {why}")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01890000-0000-7000-8000-000000000001";

    #[test]
    fn what_a_client_says_is_read() {
        let command = format!(
            r#"{{"type":"command","id":"{ID}","epoch":3,"command":{{"acknowledge_alert":{{"alert":"{ID}"}}}}}}"#
        );
        assert!(matches!(parse(&command), Ok(ClientFrame::Command { epoch: Some(3), .. })));
        let resume = r#"{"type":"resume","epoch":"e","cursor":"12.3"}"#;
        assert!(matches!(parse(resume), Ok(ClientFrame::Resume { cursor: Cursor { position: 12, part: 3 }, .. })));
        assert!(matches!(parse(r#"{"type":"watch","what":"map"}"#), Ok(ClientFrame::Watch { since: None, .. })));
        assert!(matches!(parse(r#"{"type":"ping"}"#), Ok(ClientFrame::Ping {})));
        let receipt = format!(r#"{{"type":"receipt","alert":"{ID}","stage":"shown"}}"#);
        assert!(matches!(parse(&receipt), Ok(ClientFrame::Receipt { stage: Stage::Shown, .. })));
    }

    #[test]
    fn a_check_in_is_read_through_the_tag() {
        let text = format!(
            r#"{{"type":"command","id":"{ID}","command":{{"check_in":{{"incident":"{ID}",
            "household":"140403001001001/3-2-502","status":{{"need_help":{{"kinds":["medical"]}}}},
            "heads":2,"verified":"self_report","made_at":1700000000000000}}}}}}"#
        );
        assert!(matches!(parse(&text), Ok(ClientFrame::Command { .. })), "{:?}", parse(&text));
    }

    #[test]
    fn nothing_else_is() {
        for bad in [
            "",
            "{",
            "[]",
            "null",
            r#"{"type":"ping""#,
            r#"{"type":"ping","extra":1}"#,
            r#"{"type":"reboot"}"#,
            r#"{"type":"watch","what":"everything"}"#,
            r#"{"type":"resume","epoch":"e","cursor":"x"}"#,
            r#"{"type":"resume","epoch":"e","cursor":"1.2","more":true}"#,
            r#"{"type":"command","id":"nobody","command":{"acknowledge_alert":{"alert":"x"}}}"#,
        ] {
            assert_eq!(parse(bad).unwrap_err().code, "bad_frame", "{bad}");
        }
        let extra = format!(
            r#"{{"type":"command","id":"{ID}","command":{{"acknowledge_alert":{{"alert":"{ID}","by":"me"}}}}}}"#
        );
        assert!(parse(&extra).is_err(), "an unknown field inside a command was taken");
    }
}
