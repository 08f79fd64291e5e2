//! Counts complete messages in what a server says to one phone, however the bytes arrive. Small, since each phone has one.
//!
//! Here are the WebSocket frames; what is inside them is read by [`nats`] and [`mqtt`].

mod mqtt;
mod nats;

use std::fmt;

use super::Speaks;
use mqtt::Mqtt;
use nats::Nats;

/// What was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The subscription stands. Only where [`super::Dialect::confirms`].
    Ready,
    /// One complete message.
    Message {
        /// Its first bytes (zeroes after a shorter one's end): room for the number that the publisher gave it.
        head: [u8; 8],
        /// How long it was.
        bytes: u32,
    },
    /// The server wants a pong, and this back in it.
    Ping {
        /// The first bytes of what came with it.
        head: [u8; 8],
        /// How many came with it.
        bytes: u32,
    },
    /// The server closes, with this code (0: it gave none).
    Closed(u16),
}

/// The bytes are not what this server should say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken(pub &'static str);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Broken {}

/// A run of bytes whose length is known beforehand or grows, with its beginning kept.
#[derive(Debug, Clone, Copy, Default)]
struct Head {
    first: [u8; 8],
    bytes: u32,
}

impl Head {
    fn take(&mut self, part: &[u8]) {
        let have = (self.bytes as usize).min(self.first.len());
        let room = part.len().min(self.first.len() - have);
        self.first[have..have + room].copy_from_slice(&part[..room]);
        // A frame is refused long before it has 4 GiB.
        self.bytes = self.bytes.saturating_add(u32::try_from(part.len()).unwrap_or(u32::MAX));
    }

    fn message(self) -> Seen {
        Seen::Message { head: self.first, bytes: self.bytes }
    }
}

/// Longer frames than this are not what a measurement sends: the stream is out of step.
const FRAME_BYTES_MAX: u64 = 16 << 20;
/// Bit of an opcode that marks close, ping and pong.
const CONTROL: u8 = 0x8;

#[derive(Debug)]
enum Inside {
    Frames(Head),
    Nats(Nats),
    Mqtt(Mqtt),
}

/// Reads one phone's stream after the handshake.
#[derive(Debug)]
pub struct Counter {
    header: Header,
    control: Head,
    inside: Inside,
}

impl Counter {
    pub(super) fn new(speaks: Speaks) -> Self {
        let inside = match speaks {
            Speaks::Frames => Inside::Frames(Head::default()),
            Speaks::Nats => Inside::Nats(Nats::default()),
            Speaks::Mqtt => Inside::Mqtt(Mqtt::default()),
        };
        Self { header: Header::default(), control: Head::default(), inside }
    }

    /// Takes the next bytes, and tells what is complete with them.
    ///
    /// # Errors
    /// When the stream cannot be what this server says; it is not to be fed again.
    pub fn feed(&mut self, mut bytes: &[u8], seen: &mut impl FnMut(Seen)) -> Result<(), Broken> {
        while !bytes.is_empty() {
            bytes = self.header.take(bytes)?;
            let Some(left) = self.header.left else { break };
            let now = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let (part, rest) = bytes.split_at(now);
            self.payload(part, seen)?;
            bytes = rest;
            self.header.left = Some(left - now as u64);
            if left == now as u64 {
                self.end_of_frame(seen);
            }
        }
        Ok(())
    }

    fn payload(&mut self, part: &[u8], seen: &mut impl FnMut(Seen)) -> Result<(), Broken> {
        if self.header.opcode() & CONTROL != 0 {
            self.control.take(part);
            return Ok(());
        }
        match &mut self.inside {
            Inside::Frames(head) => head.take(part),
            Inside::Nats(nats) => nats.feed(part, seen)?,
            Inside::Mqtt(mqtt) => mqtt.feed(part, seen)?,
        }
        Ok(())
    }

    fn end_of_frame(&mut self, seen: &mut impl FnMut(Seen)) {
        let header = std::mem::take(&mut self.header);
        match header.opcode() {
            0x8 => {
                let [high, low, ..] = std::mem::take(&mut self.control).first;
                seen(Seen::Closed(u16::from_be_bytes([high, low])));
            }
            0x9 => {
                let Head { first, bytes } = std::mem::take(&mut self.control);
                seen(Seen::Ping { head: first, bytes });
            }
            opcode if opcode & CONTROL != 0 => self.control = Head::default(),
            _ => {
                if let (Inside::Frames(head), true) = (&mut self.inside, header.is_last()) {
                    seen(std::mem::take(head).message());
                }
            }
        }
    }
}

/// The head of a frame: two bytes, and up to eight of length. A server's frames carry no mask.
#[derive(Debug, Default)]
struct Header {
    bytes: [u8; 10],
    have: u8,
    /// Bytes of the payload that are still to come, once the head is complete.
    left: Option<u64>,
}

impl Header {
    fn opcode(&self) -> u8 {
        self.bytes[0] & 0x0f
    }

    fn is_last(&self) -> bool {
        self.bytes[0] & 0x80 != 0
    }

    /// How long the head is, as far as one can tell.
    fn wants(&self) -> u8 {
        match (self.have, self.bytes[1]) {
            (0 | 1, _) | (_, 0..=125) => 2,
            (_, 126) => 4,
            _ => 10,
        }
    }

    fn take<'a>(&mut self, mut bytes: &'a [u8]) -> Result<&'a [u8], Broken> {
        while self.left.is_none() {
            let Some((first, rest)) = bytes.split_first() else { break };
            self.bytes[usize::from(self.have)] = *first;
            self.have += 1;
            bytes = rest;
            if self.have == 2 && self.bytes[1] & 0x80 != 0 {
                return Err(Broken("a server's frame has a mask"));
            }
            if self.have >= 2 && self.have == self.wants() {
                self.left = Some(self.length()?);
            }
        }
        Ok(bytes)
    }

    fn length(&self) -> Result<u64, Broken> {
        let [_, short, rest @ ..] = self.bytes;
        let length = match short {
            126 => u64::from(u16::from_be_bytes([rest[0], rest[1]])),
            127 => u64::from_be_bytes(rest),
            short => u64::from(short),
        };
        if length > FRAME_BYTES_MAX { Err(Broken("a frame is longer than any that is sent")) } else { Ok(length) }
    }
}

#[cfg(test)]
mod tests;
