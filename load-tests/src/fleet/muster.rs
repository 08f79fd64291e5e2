//! Phones at Muster: each signed in by its own token, each answering heartbeats and, if told to, sending receipts. By the cursors of
//! what they hear it is proved that nothing is lost and nothing comes twice.

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use muster::live::frame::Cursor;
use uuid::Uuid;

use super::roll::RollWork;
use super::{Talk, client_frame};

pub(super) const TEXT: u8 = 1;
const CLOSE: u8 = 8;
/// Longest frame that is sent to a phone.
const FRAME_MAX: u64 = 1 << 20;

/// What all phones heard.
#[derive(Default)]
pub struct MusterTalk {
    server: Option<SocketAddr>,
    tokens: Vec<String>,
    /// Whether each alert is answered by receipts: it is on the device, and it was shown.
    pub receipts: bool,
    /// Whether each call to duty is answered: on the way, and there.
    pub answers_calls: bool,
    /// The roll, where it is taken.
    pub roll: Option<RollWork>,
    /// Where each phone says from where it resumes.
    pub resumes: bool,
    /// Phones that were greeted and, where they resume, told what they missed.
    pub ready: usize,
    /// When an alert came, phone by phone.
    pub alerts: Vec<Instant>,
    /// Bytes of the last alert's frame.
    pub alert_bytes: usize,
    /// When a call to duty came, phone by phone.
    pub calls: Vec<Instant>,
    /// When a command was answered: durable.
    pub answered: Vec<Instant>,
    /// Commands that were refused.
    pub refused: usize,
    /// Events of all kinds.
    pub events: usize,
    /// Events that came a second time, or out of their order.
    pub doubled: usize,
    /// Phones that had to load anew because what they missed is not kept.
    pub reloads: usize,
    /// Codes with which the server closed connections.
    pub closed: Vec<u16>,
    /// Connections that ended without one.
    pub cut_off: usize,
}

/// What is kept of one phone.
#[derive(Default)]
pub struct MusterPhone {
    /// Part of a frame.
    rest: Vec<u8>,
    /// The last event.
    pub last: Option<Cursor>,
    /// Events of all kinds.
    pub events: usize,
    /// Alerts among them.
    pub alerts: usize,
    was_closed: bool,
}

impl MusterTalk {
    /// Phones with these tokens.
    pub fn new(server: SocketAddr, tokens: Vec<String>) -> Self {
        Self { server: Some(server), tokens, ..Self::default() }
    }

    /// Forgets the alerts that came.
    pub fn forget_alerts(&mut self) {
        self.alerts.clear();
    }

    fn text(&mut self, phone: &mut MusterPhone, number: usize, text: &str, say: &mut Vec<u8>) -> io::Result<()> {
        let kind = between(text, r#"{"type":""#, '"').unwrap_or_default();
        match kind {
            "event" => self.event(phone, text, say),
            "hello" => {
                let epoch = between(text, r#""epoch":""#, '"').unwrap_or_default();
                if let Some(last) = phone.last.filter(|_| self.resumes) {
                    let resume = format!(r#"{{"type":"resume","epoch":"{epoch}","cursor":"{last}"}}"#);
                    client_frame(TEXT, resume.as_bytes(), say);
                } else {
                    client_frame(TEXT, br#"{"type":"pong"}"#, say);
                    phone.last = cursor_of(text);
                    self.ready += 1;
                }
                Ok(())
            }
            "resumed" => {
                self.ready += 1;
                Ok(())
            }
            "reload" => {
                self.reloads += 1;
                self.ready += 1;
                Ok(())
            }
            "ping" => {
                client_frame(TEXT, br#"{"type":"pong"}"#, say);
                Ok(())
            }
            "answer" => {
                if let Some(roll) = &mut self.roll {
                    roll.take(number, text, say);
                } else if text.contains(r#""ok":{"#) {
                    self.answered.push(Instant::now());
                } else {
                    self.refused += 1;
                }
                Ok(())
            }
            "error" => Err(io::Error::other(text.to_owned())),
            _ => Ok(()),
        }
    }

    fn event(&mut self, phone: &mut MusterPhone, text: &str, say: &mut Vec<u8>) -> io::Result<()> {
        let cursor = cursor_of(text).ok_or_else(|| io::Error::other("an event without a cursor"))?;
        self.events += 1;
        phone.events += 1;
        if phone.last.is_some_and(|last| last >= cursor) {
            self.doubled += 1;
        }
        phone.last = Some(cursor);
        if let Some(post) = between(text, r#","your_call":{"post":""#, '"') {
            self.call(post, say);
        }
        let Some(alert) = between(text, r#","alert":{"alert":""#, '"') else { return Ok(()) };
        self.alerts.push(Instant::now());
        self.alert_bytes = text.len();
        phone.alerts += 1;
        if self.receipts {
            for stage in ["delivered", "shown"] {
                let receipt = format!(r#"{{"type":"receipt","alert":"{alert}","stage":"{stage}"}}"#);
                client_frame(TEXT, receipt.as_bytes(), say);
            }
        }
        Ok(())
    }
}

impl MusterTalk {
    fn call(&mut self, post: &str, say: &mut Vec<u8>) {
        self.calls.push(Instant::now());
        if !self.answers_calls {
            return;
        }
        for answer in ["acknowledged", "on_post"] {
            let command = format!(r#"{{"answer_call":{{"post":"{post}","answer":"{answer}"}}}}"#);
            let text = format!(r#"{{"type":"command","id":"{}","command":{command}}}"#, Uuid::now_v7());
            client_frame(TEXT, text.as_bytes(), say);
        }
    }
}

/// What stands between the first `head` and the next `end`.
pub(super) fn between<'a>(text: &'a str, head: &str, end: char) -> Option<&'a str> {
    text.split_once(head)?.1.split_once(end).map(|(found, _)| found)
}

fn cursor_of(text: &str) -> Option<Cursor> {
    between(text, r#""cursor":""#, '"')?.parse().ok()
}

/// The handshake of somebody with this token.
pub(super) fn request(server: Option<SocketAddr>, token: &str) -> Vec<u8> {
    let host = server.map_or_else(String::new, |server| server.to_string());
    format!(
        "GET /api/v1/live HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer {token}\r\n\r\n"
    )
    .into_bytes()
}

impl Talk for MusterTalk {
    type Phone = MusterPhone;

    fn phone(&self, _: usize) -> MusterPhone {
        MusterPhone::default()
    }

    fn request(&self, number: usize) -> Vec<u8> {
        request(self.server, &self.tokens[number])
    }

    fn opened(&mut self, phone: &mut MusterPhone, _: usize, _: &mut Vec<u8>) {
        phone.rest.clear();
        phone.was_closed = false;
    }

    fn heard(&mut self, phone: &mut MusterPhone, number: usize, bytes: &[u8], say: &mut Vec<u8>) -> io::Result<()> {
        let mut whole = std::mem::take(&mut phone.rest);
        let mut left = bytes;
        if !whole.is_empty() {
            whole.extend_from_slice(bytes);
            left = &whole;
        }
        while let Some((opcode, payload, rest)) = next_frame(left)? {
            left = rest;
            match opcode {
                TEXT => {
                    let text = std::str::from_utf8(payload).map_err(io::Error::other)?;
                    self.text(phone, number, text, say)?;
                }
                CLOSE => {
                    let code = payload.get(..2).map_or(0, |code| u16::from_be_bytes([code[0], code[1]]));
                    self.closed.push(code);
                    phone.was_closed = true;
                    client_frame(CLOSE, payload.get(..2).unwrap_or_default(), say);
                }
                _ => {}
            }
        }
        phone.rest = left.to_vec();
        Ok(())
    }

    fn ended(&mut self, phone: &mut MusterPhone, _: usize) {
        self.cut_off += usize::from(!phone.was_closed);
    }
}

/// The next whole frame of a server, and what follows it.
#[expect(clippy::type_complexity, reason = "an opcode, a payload and a rest")]
pub(super) fn next_frame(bytes: &[u8]) -> io::Result<Option<(u8, &[u8], &[u8])>> {
    let [first, short, rest @ ..] = bytes else { return Ok(None) };
    let (length, rest) = match (short, rest) {
        (126, rest) => match rest.split_first_chunk() {
            Some((long, rest)) => (u64::from(u16::from_be_bytes(*long)), rest),
            None => return Ok(None),
        },
        (127, rest) => match rest.split_first_chunk() {
            Some((long, rest)) => (u64::from_be_bytes(*long), rest),
            None => return Ok(None),
        },
        (short, rest) => (u64::from(*short), rest),
    };
    if length > FRAME_MAX || *short > 127 {
        return Err(io::Error::other("a frame that Muster does not send"));
    }
    let length = usize::try_from(length).map_err(io::Error::other)?;
    Ok(rest.split_at_checked(length).map(|(payload, rest)| (first & 0x0f, payload, rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &str = r#"{"type":"hello","protocol":1,"epoch":"e","cursor":"5.0"}"#;

    fn framed(text: &str) -> Vec<u8> {
        muster::live::frame::Frame::of_text(text).bytes().to_vec()
    }

    fn event(cursor: &str) -> String {
        let filling = "x".repeat(200);
        format!(
            r#"{{"type":"event","cursor":"{cursor}","event":{{"exercise":true,"alert":{{"alert":"a","{filling}":1}}}}}}"#
        )
    }

    #[test]
    fn what_is_heard_is_counted_however_the_bytes_arrive() {
        let all = [framed(HELLO), framed(&event("6.1")), framed(&event("6.1")), framed(&event("7.1"))].concat();
        for cut in 0..=all.len() {
            let (mut talk, mut phone, mut say) = (MusterTalk::default(), MusterPhone::default(), Vec::new());
            for part in [&all[..cut], &all[cut..]] {
                talk.heard(&mut phone, 0, part, &mut say).unwrap();
            }
            assert_eq!((talk.ready, talk.events, talk.doubled, talk.alerts.len()), (1, 3, 1, 3), "cut at {cut}");
            assert_eq!(phone.last.unwrap().to_string(), "7.1");
        }
    }

    #[test]
    fn a_phone_that_comes_back_says_from_where_it_resumes() {
        let (mut talk, mut phone, mut say) = (MusterTalk::default(), MusterPhone::default(), Vec::new());
        talk.resumes = true;
        talk.heard(&mut phone, 0, &[framed(HELLO), framed(&event("6.1"))].concat(), &mut say).unwrap();
        assert_eq!(talk.ready, 1, "who comes the first time has nothing to resume");
        say.clear();
        talk.heard(&mut phone, 0, &framed(HELLO), &mut say).unwrap();
        assert!(String::from_utf8_lossy(&say).contains(r#"{"type":"resume","epoch":"e","cursor":"6.1"}"#));
        assert_eq!(talk.ready, 1);
        talk.heard(&mut phone, 0, &framed(r#"{"type":"resumed","missed":0}"#), &mut say).unwrap();
        assert_eq!(talk.ready, 2);
    }
}
