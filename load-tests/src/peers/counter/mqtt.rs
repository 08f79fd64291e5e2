//! MQTT 3.1.1, as far as a subscriber at `QoS` 0 hears it.

use super::{Broken, Head, Seen};

/// Most groups of seven bits that a length may have.
const LENGTH_BYTES_MAX: u8 = 4;

/// Where in the stream a phone is.
#[derive(Debug, Default)]
pub(super) struct Mqtt {
    at: At,
    /// The packet's first byte: its kind and its flags.
    first: u8,
    length_bytes: u8,
    /// Bytes of the body that are still to come.
    left: usize,
    /// Bytes of a PUBLISH's topic that are still to come.
    topic: usize,
    body: Head,
}

#[derive(Debug, Default, Clone, Copy)]
enum At {
    #[default]
    First,
    Length,
    /// The two bytes before a topic: which is next.
    TopicLength(u8),
    Topic,
    Body,
}

impl Mqtt {
    pub(super) fn feed(&mut self, mut bytes: &[u8], seen: &mut impl FnMut(Seen)) -> Result<(), Broken> {
        while let Some((next, rest)) = bytes.split_first() {
            bytes = match self.at {
                At::First => {
                    (self.first, self.at) = (*next, At::Length);
                    rest
                }
                At::Length => {
                    self.length(*next, seen)?;
                    rest
                }
                At::TopicLength(which) => {
                    self.topic_length(which, *next)?;
                    rest
                }
                At::Topic => self.topic(bytes),
                At::Body => self.body(bytes),
            };
            if self.left == 0 && matches!(self.at, At::Topic | At::Body) {
                self.end_of_packet(seen)?;
            }
        }
        Ok(())
    }

    fn is_publish(&self) -> bool {
        self.first >> 4 == 3
    }

    fn length(&mut self, byte: u8, seen: &mut impl FnMut(Seen)) -> Result<(), Broken> {
        if self.length_bytes == LENGTH_BYTES_MAX {
            return Err(Broken("a packet's length has no end"));
        }
        self.left |= usize::from(byte & 0x7f) << (7 * self.length_bytes);
        self.length_bytes += 1;
        if byte & 0x80 == 0 {
            self.at = if self.is_publish() { At::TopicLength(0) } else { At::Body };
            if self.left == 0 && !self.is_publish() {
                return self.end_of_packet(seen);
            }
        }
        Ok(())
    }

    fn topic_length(&mut self, which: u8, byte: u8) -> Result<(), Broken> {
        self.topic = self.topic << 8 | usize::from(byte);
        self.left = self.left.checked_sub(1).ok_or(Broken("a message has no topic"))?;
        self.at = if which == 0 { At::TopicLength(1) } else { At::Topic };
        if which == 1 && self.topic > self.left {
            return Err(Broken("a topic is longer than its message"));
        }
        Ok(())
    }

    fn topic<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let now = bytes.len().min(self.topic);
        self.topic -= now;
        self.left -= now;
        if self.topic == 0 {
            self.at = At::Body;
        }
        &bytes[now..]
    }

    fn body<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let now = bytes.len().min(self.left);
        let (part, rest) = bytes.split_at(now);
        self.body.take(part);
        self.left -= now;
        rest
    }

    fn end_of_packet(&mut self, seen: &mut impl FnMut(Seen)) -> Result<(), Broken> {
        const REFUSED: u8 = 0x80;
        let Self { first, body, .. } = std::mem::take(self);
        match first >> 4 {
            2 if body.first[1] != 0 => return Err(Broken("MQTT: the connection is refused")),
            3 if first & 0b110 != 0 => return Err(Broken("MQTT: a message of another QoS than was asked for")),
            3 => seen(body.message()),
            9 if body.first[2] == REFUSED => return Err(Broken("MQTT: the subscription is refused")),
            9 => seen(Seen::Ready),
            2 | 13 => {}
            _ => return Err(Broken("not a packet that MQTT's server sends")),
        }
        Ok(())
    }
}
