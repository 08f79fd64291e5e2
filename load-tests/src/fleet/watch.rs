//! Consoles that watch the map: how many frames and bytes come, and how old the news in them is.

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use super::muster::{TEXT, between, next_frame};
use super::{Talk, client_frame, muster};

/// What all watchers saw.
#[derive(Default)]
pub struct WatchTalk {
    server: Option<SocketAddr>,
    token: String,
    /// Watchers that have the whole map.
    pub ready: usize,
    /// Frames with changes: watcher, position, and when it came.
    pub frames: Vec<(usize, u64, Instant)>,
    /// Bytes of all frames of the map.
    pub bytes: usize,
    /// Connections that ended.
    pub ended: usize,
}

impl WatchTalk {
    /// Watchers with one account's token.
    pub fn new(server: SocketAddr, token: String) -> Self {
        Self { server: Some(server), token, ..Self::default() }
    }

    fn text(&mut self, number: usize, text: &str, say: &mut Vec<u8>) {
        match between(text, r#"{"type":""#, '"').unwrap_or_default() {
            "hello" => client_frame(TEXT, br#"{"type":"watch","what":"map"}"#, say),
            "ping" => client_frame(TEXT, br#"{"type":"pong"}"#, say),
            "map" => {
                self.bytes += text.len();
                let is_last = text.contains(r#""more":false"#);
                if text.contains(r#""snapshot":true"#) {
                    self.ready += usize::from(is_last);
                } else if let Some(position) =
                    between(text, r#""position":"#, ',').and_then(|number| number.parse().ok())
                {
                    self.frames.push((number, position, Instant::now()));
                }
            }
            _ => {}
        }
    }
}

impl Talk for WatchTalk {
    type Phone = Vec<u8>;

    fn phone(&self, _: usize) -> Vec<u8> {
        Vec::new()
    }

    fn request(&self, _: usize) -> Vec<u8> {
        muster::request(self.server, &self.token)
    }

    fn opened(&mut self, rest: &mut Vec<u8>, _: usize, _: &mut Vec<u8>) {
        rest.clear();
    }

    fn heard(&mut self, rest: &mut Vec<u8>, number: usize, bytes: &[u8], say: &mut Vec<u8>) -> io::Result<()> {
        rest.extend_from_slice(bytes);
        let whole = std::mem::take(rest);
        let mut left = &whole[..];
        while let Some((opcode, payload, more)) = next_frame(left)? {
            left = more;
            if opcode == TEXT {
                self.text(number, std::str::from_utf8(payload).map_err(io::Error::other)?, say);
            }
        }
        *rest = left.to_vec();
        Ok(())
    }

    fn ended(&mut self, _: &mut Vec<u8>, _: usize) {
        self.ended += 1;
    }
}
