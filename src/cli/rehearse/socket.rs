//! The live socket as a client of its own sees it: opened with a token, greeted, frames in and out.

use std::time::Duration;

use anyhow::{Context as _, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use uuid::Uuid;

use crate::live::frame::Cursor;

use super::api::Key;

/// How long a socket may take to open and say hello.
const HELLO_WITHIN: Duration = Duration::from_secs(20);

/// An open socket.
pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What is heard, as far as a phone cares.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Heard {
    /// The first frame.
    Hello {
        /// Of the journal.
        epoch: String,
        /// What follows comes after it.
        cursor: String,
    },
    /// Something happened.
    Event {
        /// Where in the stream.
        cursor: String,
        /// What.
        event: Value,
    },
    /// All that was missed was sent.
    Resumed {},
    /// What was missed cannot be told.
    Reload {},
    /// The answer to a command.
    Answer {
        /// Which.
        id: Uuid,
        /// Why not, if not.
        #[serde(default)]
        refused: Option<Refused>,
    },
    /// A frame was not taken.
    Error {
        /// Why.
        code: String,
    },
    /// Are you there?
    Ping {},
    /// Anything else.
    #[serde(other)]
    Other,
}

/// Why a command was not done.
#[derive(Deserialize)]
pub struct Refused {
    /// The stable code.
    pub code: String,
}

/// Opens a socket, up to its hello.
///
/// # Errors
/// When it is refused, or says something else first.
pub async fn open(url: &str, key: &Key) -> anyhow::Result<(Socket, String, Cursor)> {
    let mut request = url.into_client_request()?;
    if let Some(header) = key.header() {
        request.headers_mut().insert("authorization", header.parse()?);
    }
    let opened = async {
        let (mut socket, _) = connect_async(request).await?;
        match hear(&mut socket).await? {
            Some(Heard::Hello { epoch, cursor }) => Ok((socket, epoch, parse_cursor(&cursor)?)),
            _ => bail!("第一帧不是 hello。 The first frame is no hello."),
        }
    };
    timeout(HELLO_WITHIN, opened).await.context("hello")?
}

/// The next frame; `None` when the socket is closed.
///
/// # Errors
/// When the connection breaks, or a frame cannot be read.
pub async fn hear(socket: &mut Socket) -> anyhow::Result<Option<Heard>> {
    while let Some(message) = socket.next().await {
        match message? {
            Message::Text(text) => return Ok(Some(serde_json::from_str(&text)?)),
            Message::Close(_) => return Ok(None),
            _ => {}
        }
    }
    Ok(None)
}

/// Says something.
///
/// # Errors
/// When the connection breaks.
pub async fn say(socket: &mut Socket, frame: &Value) -> anyhow::Result<()> {
    Ok(socket.send(Message::text(frame.to_string())).await?)
}

/// Reads a cursor.
///
/// # Errors
/// When it is none.
pub fn parse_cursor(text: &str) -> anyhow::Result<Cursor> {
    text.parse().map_err(|why: &str| anyhow::anyhow!("{text}: {why}"))
}
