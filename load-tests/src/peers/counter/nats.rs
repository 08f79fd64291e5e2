//! NATS' client protocol, as far as a subscriber hears it: lines, and after `MSG` a body of the length that the line ends with.

use super::{Broken, Head, Seen};

/// Line end after a body.
const CRLF: usize = 2;

/// Where in the stream a phone is.
#[derive(Debug, Default)]
pub(super) struct Nats {
    /// The first two letters of the line tell all verbs apart.
    verb: [u8; 2],
    have: u8,
    /// The number that the line ends with so far.
    number: usize,
    /// A body is being read: this much is still to come, its line end included.
    left: usize,
    body: Head,
}

impl Nats {
    pub(super) fn feed(&mut self, mut bytes: &[u8], seen: &mut impl FnMut(Seen)) -> Result<(), Broken> {
        while !bytes.is_empty() {
            bytes = if self.left > 0 { self.body(bytes, seen) } else { self.line(bytes, seen)? };
        }
        Ok(())
    }

    fn body<'a>(&mut self, bytes: &'a [u8], seen: &mut impl FnMut(Seen)) -> &'a [u8] {
        let now = bytes.len().min(self.left);
        let (part, rest) = bytes.split_at(now);
        let ours = now.min(self.left.saturating_sub(CRLF));
        self.body.take(&part[..ours]);
        self.left -= now;
        if self.left == 0 {
            seen(std::mem::take(&mut self.body).message());
        }
        rest
    }

    fn line<'a>(&mut self, bytes: &'a [u8], seen: &mut impl FnMut(Seen)) -> Result<&'a [u8], Broken> {
        for (at, byte) in bytes.iter().enumerate() {
            if usize::from(self.have) < self.verb.len() {
                self.verb[usize::from(self.have)] = *byte;
                self.have += 1;
            }
            match byte {
                b'\n' => {
                    self.end_of_line(seen)?;
                    return Ok(&bytes[at + 1..]);
                }
                b' ' => self.number = 0,
                b'0'..=b'9' => self.number = self.number.saturating_mul(10).saturating_add(usize::from(byte - b'0')),
                _ => {}
            }
        }
        Ok(&[])
    }

    fn end_of_line(&mut self, seen: &mut impl FnMut(Seen)) -> Result<(), Broken> {
        let Self { verb, number, .. } = std::mem::take(self);
        match &verb {
            b"MS" => self.left = number.saturating_add(CRLF),
            b"PO" => seen(Seen::Ready),
            b"PI" => seen(Seen::Ping { head: [0; 8], bytes: 0 }),
            b"IN" | b"+O" => {}
            b"-E" => return Err(Broken("NATS says -ERR")),
            _ => return Err(Broken("not a line of NATS")),
        }
        Ok(())
    }
}
