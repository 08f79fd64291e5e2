//! What the server says, as bytes. An event is encoded once and shared by all who get it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use jiff::tz::Offset;
use serde::{Serialize, Serializer};
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{CloseFrame, Frame as WireFrame, FrameHeader};
use utoipa::ToSchema;

use crate::city::audience::NoticeBody;
use crate::city::map_state::MapState;
use crate::domain::actor::Grant;
use crate::domain::area::{Area, AreaCode};
use crate::domain::compound::CompoundId;
use crate::domain::household::HouseholdKey;
use crate::domain::ids::{CommandId, PersonId};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::engine::Answer;

use super::codes::Code;
use super::resume::Reload;

/// Version of the protocol. Raised when a client of the last one would misread a frame.
pub const PROTOCOL: u32 = 1;

/// A frame as it goes over the wire, header and all. Cheap to clone: all clones share the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame(Bytes);

impl Frame {
    /// A text frame, whole and unmasked, as a server sends it.
    #[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "writing to memory cannot fail")]
    pub fn of_text(text: &str) -> Self {
        let header = FrameHeader { opcode: OpCode::Data(Data::Text), ..FrameHeader::default() };
        let length = text.len() as u64;
        let mut bytes = Vec::with_capacity(header.len(length) + text.len());
        // INVARIANT: a vector takes whatever is written to it.
        header.format(length, &mut bytes).expect("a vector takes all");
        bytes.extend_from_slice(text.as_bytes());
        Self(bytes.into())
    }

    /// The frame that says why a connection ends; `nth` picks the place in the spread of those who come back.
    #[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "writing to memory cannot fail")]
    pub fn of_close(code: Code, nth: u64, spread: Duration) -> Self {
        let mut bytes = Vec::new();
        let frame = WireFrame::close(Some(goodbye(code, nth, spread)));
        // INVARIANT: a vector takes whatever is written to it.
        frame.format(&mut bytes).expect("a vector takes all");
        Self(bytes.into())
    }

    /// What goes over the wire.
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// What a text frame says.
    pub fn text(&self) -> &str {
        let length = self.0.len();
        // As RFC 6455 writes the length: in the second byte, or in the two or eight that follow.
        let header = if length < 128 {
            2
        } else if length < 65_540 {
            4
        } else {
            10
        };
        std::str::from_utf8(&self.0[header..]).unwrap_or_default()
    }
}

/// What a close frame says, for the library to write.
pub(super) fn goodbye(code: Code, nth: u64, spread: Duration) -> CloseFrame {
    CloseFrame { code: code.number().into(), reason: code.reason(nth, spread).into() }
}

/// A place in the stream of events: the record, and which of its notices (from 1; 0 is before the first). `123.2` in text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Cursor {
    /// Position of the record in the journal.
    pub position: u64,
    /// Which of its notices.
    pub part: u32,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.position, self.part)
    }
}

impl FromStr for Cursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
        let parse = || {
            let (position, part) = text.split_once('.')?;
            Some(Self { position: number(position)?, part: u32::try_from(number(part)?).ok()? })
        };
        parse().ok_or("a cursor looks like 123.2")
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// RFC 3339 with the city's offset; the end of time for what no calendar holds.
pub fn rfc3339(at: Timestamp, offset_min: i32) -> String {
    let offset = Offset::from_seconds(offset_min * 60).unwrap_or(Offset::UTC);
    let at = jiff::Timestamp::from_microsecond(at.0).unwrap_or(jiff::Timestamp::MAX);
    at.display_with_offset(offset).to_string()
}

/// Everything the server says.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame<'a> {
    /// The first frame: who you are and where the journal stands.
    Hello(Hello<'a>),
    /// Something happened that concerns you.
    Event {
        /// Resume from here after a lost connection.
        #[schema(value_type = String, example = "123.2")]
        cursor: Cursor,
        /// When it happened, RFC 3339.
        at: String,
        /// What happened.
        event: &'a NoticeBody,
    },
    /// All that was missed was sent; what follows is live.
    Resumed {
        /// How many events were missed.
        missed: usize,
    },
    /// What was missed cannot be told: load anew over HTTP. Events go on from the cursor of `hello`.
    Reload {
        /// Why.
        reason: Reload,
    },
    /// The one answer to a command.
    Answer(CommandAnswer),
    /// A frame of yours was not taken; nothing was changed.
    Error(Said),
    /// The map is watched; changes after `position` follow.
    Watching {
        /// Over which areas.
        areas: &'a [AreaCode],
        /// From where: after the snapshot, or after where you resumed.
        position: u64,
    },
    /// How compounds stand on the map. Later states of a compound replace earlier ones.
    Map {
        /// All changes up to here are known once this frame (and those after it, where `more`) are taken in.
        position: u64,
        /// Whether this is part of a snapshot of the whole area.
        snapshot: bool,
        /// Whether another frame of the same position follows.
        more: bool,
        /// The compounds.
        compounds: &'a [MapState],
    },
    /// The server cannot reach what the city is kept in, or can again.
    Picture {
        /// What you were told and what you read is as of then, RFC 3339, and commands are refused; `null`: all is as of now.
        as_of: Option<String>,
    },
    /// Are you there? Anything you send is an answer.
    Ping {
        /// The server's time, RFC 3339.
        at: String,
    },
    /// The answer to your ping.
    Pong {
        /// The server's time, RFC 3339.
        at: String,
    },
}

/// The first frame.
#[derive(Debug, Serialize, ToSchema)]
pub struct Hello<'a> {
    /// Version of the protocol.
    pub protocol: u32,
    /// Which person you are; `None` for a household's link.
    pub person: Option<PersonId>,
    /// Which household you speak for; `None` for a person.
    pub household: Option<HouseholdKey>,
    /// What your account is granted.
    pub grants: &'a [Grant],
    /// Where you have a part.
    pub compounds: Vec<MyCompound>,
    /// The city.
    pub city: Option<&'a Area>,
    /// Names the journal: cursors of another epoch mean nothing here.
    pub epoch: &'a str,
    /// What follows comes after this.
    #[schema(value_type = String, example = "123.2")]
    pub cursor: Cursor,
    /// The server's time, RFC 3339.
    pub at: String,
    /// What the server knows is as of then, RFC 3339, while it cannot reach what the city is kept in (see `picture`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// Seconds between heartbeats; a client that hears nothing for 2.5 times as long should reconnect.
    pub heartbeat_s: u64,
    /// Milliseconds for which events are held back, for you to say `resume`.
    pub resume_wait_ms: u64,
}

/// A compound in which the connected person has a part.
#[derive(Debug, Serialize, ToSchema)]
pub struct MyCompound {
    /// Which.
    pub id: CompoundId,
    /// Its name.
    pub name: String,
    /// Whether you stand in its line of succession.
    pub in_line: bool,
    /// Whether you hold a post in it.
    pub post_holder: bool,
    /// Whether you command it now.
    pub in_command: bool,
    /// The epoch of its command: orders carry it.
    pub command_epoch: u32,
}

/// The one answer to a command.
#[derive(Debug, Serialize, ToSchema)]
pub struct CommandAnswer {
    /// Your id of the command.
    pub id: CommandId,
    /// It was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ok: Option<CommandDone>,
    /// It was not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Said>,
}

/// A command was done.
#[derive(Debug, Serialize, ToSchema)]
pub struct CommandDone {
    /// Position of its record.
    pub position: u64,
    /// Whether it had been done before: this is the first answer again.
    pub repeated: bool,
}

/// A code and what it says.
#[derive(Debug, Serialize, ToSchema)]
pub struct Said {
    /// Stable code.
    pub code: &'static str,
    /// What is said in Chinese.
    pub zh: String,
    /// What is said in English.
    pub en: String,
}

impl From<Refusal> for Said {
    fn from(refusal: Refusal) -> Self {
        Self { code: refusal.code(), zh: refusal.zh(), en: refusal.en() }
    }
}

impl CommandAnswer {
    /// As the engine answered.
    pub fn new(id: CommandId, answer: Answer) -> Self {
        match answer {
            Ok(done) => {
                Self { id, ok: Some(CommandDone { position: done.position, repeated: done.repeated }), refused: None }
            }
            Err(refusal) => Self { id, ok: None, refused: Some(refusal.into()) },
        }
    }
}

impl ServerFrame<'_> {
    /// As bytes.
    #[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "encoding plain data as JSON cannot fail")]
    pub fn encode(&self) -> Frame {
        // INVARIANT: frames hold no map with other than text keys and no failing serializer, so encoding cannot fail.
        let text = serde_json::to_string(self).expect("a frame is plain data");
        Frame::of_text(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_nothing_else_is() {
        let cursor = Cursor { position: 123, part: 2 };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        assert!(cursor < Cursor { position: 123, part: 3 } && cursor < Cursor { position: 124, part: 0 });
        for bad in ["", "1", "1.", ".1", "+1.2", "1.-2", "1.2.3", " 1.2", "1.4294967296", "99999999999999999999.1"] {
            assert!(bad.parse::<Cursor>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn a_frame_says_its_text_whatever_its_length() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000] {
            let text = "x".repeat(length);
            let frame = Frame::of_text(&text);
            assert_eq!(frame.text(), text);
            let mut cursor = std::io::Cursor::new(frame.bytes());
            let (header, said) = FrameHeader::parse(&mut cursor).unwrap().unwrap();
            assert_eq!((header.opcode, header.is_final, said), (OpCode::Data(Data::Text), true, length as u64));
        }
    }

    #[test]
    fn times_carry_the_citys_offset() {
        assert_eq!(rfc3339(Timestamp(0), 480), "1970-01-01T08:00:00+08:00");
        assert_eq!(rfc3339(Timestamp(i64::MAX), 0).len(), rfc3339(Timestamp(i64::MAX), 0).trim().len());
    }

    #[test]
    fn an_answer_says_one_of_two_things() {
        let id = CommandId(uuid::Uuid::nil());
        let done = CommandAnswer::new(id, Ok(crate::engine::Accepted { position: 7, repeated: true }));
        let text = ServerFrame::Answer(done).encode().text().to_owned();
        let want =
            r#"{"type":"answer","id":"00000000-0000-0000-0000-000000000000","ok":{"position":7,"repeated":true}}"#;
        assert_eq!(text, want);
        let refused = CommandAnswer::new(id, Err(Refusal::NotSignedIn {}));
        assert!(ServerFrame::Answer(refused).encode().text().contains(r#""refused":{"code":"not_signed_in""#));
    }
}
