//! Phones at a peer: they subscribe, and count messages by the number in them.

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use super::{Talk, client_frame};
use crate::peers::{Counter, Dialect, Seen};

/// Longest echo in a pong.
const ECHO_MAX: usize = 8;

/// What all phones heard.
pub struct PeerTalk {
    dialect: Dialect,
    server: SocketAddr,
    /// Phones whose subscription stands.
    pub ready: usize,
    /// The message that is counted: its first bytes.
    pub wanted: [u8; 8],
    /// Every message is counted.
    pub all_wanted: bool,
    /// When it came, phone by phone.
    pub came: Vec<Instant>,
    /// Messages that came a second time.
    pub doubled: usize,
    /// Phones whose connection ended.
    pub ended: usize,
}

/// What is kept of one phone.
pub struct PeerPhone {
    counter: Counter,
    last: [u8; 8],
}

impl PeerTalk {
    /// Phones at a server.
    pub fn new(dialect: Dialect, server: SocketAddr) -> Self {
        Self { dialect, server, ready: 0, wanted: [0; 8], all_wanted: false, came: Vec::new(), doubled: 0, ended: 0 }
    }
}

impl Talk for PeerTalk {
    type Phone = PeerPhone;

    fn phone(&self, _: usize) -> PeerPhone {
        PeerPhone { counter: self.dialect.counter(), last: [0; 8] }
    }

    fn request(&self, _: usize) -> Vec<u8> {
        self.dialect.request(self.server)
    }

    fn opened(&mut self, _: &mut PeerPhone, number: usize, say: &mut Vec<u8>) {
        say.extend(self.dialect.greeting(number as u64));
        if !self.dialect.confirms() {
            self.ready += 1;
        }
    }

    fn heard(&mut self, phone: &mut PeerPhone, _: usize, bytes: &[u8], say: &mut Vec<u8>) -> io::Result<()> {
        let (now, last) = (Instant::now(), &mut phone.last);
        let seen = &mut |seen| match seen {
            Seen::Ready => self.ready += 1,
            Seen::Message { head, .. } if head == *last => self.doubled += 1,
            Seen::Message { head, .. } => {
                *last = head;
                if self.all_wanted || head == self.wanted {
                    self.came.push(now);
                }
            }
            Seen::Ping { head, bytes } => client_frame(0xa, &head[..(bytes as usize).min(ECHO_MAX)], say),
            Seen::Closed(_) => {}
        };
        phone.counter.feed(bytes, seen).map_err(io::Error::other)
    }

    fn ended(&mut self, _: &mut PeerPhone, _: usize) {
        self.ended += 1;
    }
}
