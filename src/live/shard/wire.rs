//! A connection's socket, and the frames that wait because it was full: shared bytes, written as they are, several in one call.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::time::Instant;

use bytes::Bytes;
use mio::net::TcpStream;

/// Frames in one write.
const SLICES_MAX: usize = 64;
/// Reads of what nobody listens to, in one turn.
const READS_PAST_MAX: usize = 64;
/// Places for waiting frames that are kept once all went out.
const KEPT_PLACES: usize = 16;

/// A socket that never blocks. What it does not take waits here; the caller bounds how much.
#[derive(Debug)]
pub(super) struct Wire {
    socket: TcpStream,
    waiting: VecDeque<Bytes>,
    /// Bytes of the first waiting frame that are out.
    begun: usize,
    /// Bytes that wait.
    bytes: usize,
    /// Since when the socket takes nothing.
    full_since: Option<Instant>,
    /// The last read emptied the socket: nothing more is there until it says so.
    is_drained: bool,
    /// The other side will say no more; only a read tells when all it said was read.
    is_ending: bool,
}

impl Wire {
    pub(super) fn new(socket: TcpStream) -> Self {
        let (waiting, full_since) = (VecDeque::new(), None);
        Self { socket, waiting, begun: 0, bytes: 0, full_since, is_drained: false, is_ending: false }
    }

    pub(super) fn socket(&mut self) -> &mut TcpStream {
        &mut self.socket
    }

    /// How many frames wait.
    pub(super) fn waiting_frames(&self) -> usize {
        self.waiting.len()
    }

    /// How many bytes wait.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.bytes
    }

    /// Since when the socket takes nothing.
    pub(super) fn full_since(&self) -> Option<Instant> {
        self.full_since
    }

    /// The socket has something to read, or `ends`.
    pub(super) fn readable(&mut self, ends: bool) {
        self.is_drained = false;
        self.is_ending |= ends;
    }

    /// The socket takes bytes again.
    pub(super) fn writable(&mut self) {
        self.full_since = None;
    }

    /// Leaves a frame to be written by the next [`Self::flush`].
    pub(super) fn queue(&mut self, frame: Bytes) {
        self.bytes += frame.len();
        self.waiting.push_back(frame);
    }

    /// Writes a frame, behind what waits.
    pub(super) fn send(&mut self, frame: &Bytes, now: Instant) -> io::Result<()> {
        if !self.waiting.is_empty() || self.full_since.is_some() {
            self.queue(frame.clone());
            return self.flush(now);
        }
        let written = attempt(|| (&self.socket).write(frame))?;
        if written < frame.len() {
            self.full_since = Some(now);
            self.queue(frame.clone());
            self.begun = written;
            self.bytes -= written;
        }
        Ok(())
    }

    /// Writes what waits, as far as the socket takes it.
    pub(super) fn flush(&mut self, now: Instant) -> io::Result<()> {
        while !self.waiting.is_empty() && self.full_since.is_none() {
            let mut slices = [IoSlice::new(&[]); SLICES_MAX];
            let (mut used, mut offered, mut from) = (0, 0, self.begun);
            for (slice, frame) in slices.iter_mut().zip(&self.waiting) {
                *slice = IoSlice::new(&frame[from..]);
                (used, offered, from) = (used + 1, offered + slice.len(), 0);
            }
            let written = attempt(|| (&self.socket).write_vectored(&slices[..used]))?;
            // A write that took less than was offered filled the socket (see `epoll(7)`).
            self.full_since = (written < offered).then_some(now);
            self.advance(written);
        }
        Ok(())
    }

    /// So many bytes are out.
    fn advance(&mut self, mut written: usize) {
        self.bytes -= written;
        while let Some(first) = self.waiting.front() {
            let left = first.len() - self.begun;
            if written < left {
                self.begun += written;
                return;
            }
            written -= left;
            self.begun = 0;
            self.waiting.pop_front();
        }
        // A burst's memory is not kept for the connection's life.
        self.waiting.shrink_to(KEPT_PLACES);
    }

    /// Lets go what waits, but for the rest of a frame that is half out: without it no other could follow.
    pub(super) fn let_go(&mut self) {
        let keep = usize::from(self.begun > 0);
        self.waiting.truncate(keep);
        self.bytes = self.waiting.front().map_or(0, |first| first.len() - self.begun);
    }

    /// Reads past what the other side says, at most so much in one turn. `Ok(true)` once it has ended.
    pub(super) fn read_past(&mut self) -> io::Result<bool> {
        let mut scratch = [0; 4_096];
        for _ in 0..READS_PAST_MAX {
            match self.read(&mut scratch) {
                Ok(0) => return Ok(true),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }
}

impl Read for Wire {
    /// A read that took less than there was room for emptied the socket (see `epoll(7)`): the next needs no call to find that out.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.is_drained {
            return Err(ErrorKind::WouldBlock.into());
        }
        loop {
            match self.socket.read(into) {
                Ok(read) => {
                    self.is_drained = read < into.len() && !self.is_ending;
                    return Ok(read);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// One write; 0 when the socket is full.
fn attempt(write: impl Fn() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match write() {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(0),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

/// For the library's own words (pongs, close frames): taken always, in turn.
impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.queue(Bytes::copy_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Wire::flush(self, Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream as StdStream};

    use super::*;

    /// A wire and its other end.
    fn pair() -> (Wire, StdStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let other = StdStream::connect(listener.local_addr().unwrap()).unwrap();
        let socket = listener.accept().unwrap().0;
        socket.set_nonblocking(true).unwrap();
        (Wire::new(TcpStream::from_std(socket)), other)
    }

    fn frame(n: u8) -> Bytes {
        vec![n; 100_000].into()
    }

    /// Writes until nothing waits; somebody reads meanwhile.
    fn flush_all(wire: &mut Wire, now: Instant) {
        while wire.waiting_frames() > 0 {
            wire.writable();
            wire.flush(now).unwrap();
        }
    }

    #[test]
    fn what_a_full_socket_does_not_take_comes_later_whole_and_in_order() {
        let (mut wire, mut other) = pair();
        let now = Instant::now();
        for n in 0..200 {
            wire.send(&frame(n), now).unwrap();
        }
        assert!(wire.full_since().is_some() && wire.waiting_frames() > 1);
        assert_eq!(wire.waiting_bytes(), wire.waiting.iter().map(Bytes::len).sum::<usize>() - wire.begun);
        let reader = std::thread::spawn(move || {
            let mut read = vec![0; 100_000];
            (0..200).all(|n| other.read_exact(&mut read).is_ok() && read.iter().all(|byte| *byte == n))
        });
        flush_all(&mut wire, now);
        assert_eq!((wire.waiting_frames(), wire.waiting_bytes()), (0, 0));
        assert!(reader.join().unwrap());
    }

    #[test]
    fn what_is_let_go_leaves_no_half_frame() {
        let (mut wire, mut other) = pair();
        let now = Instant::now();
        let mut n = 0;
        while wire.waiting_frames() < 2 {
            wire.send(&frame(n), now).unwrap();
            n += 1;
        }
        let whole = usize::from(n) - wire.waiting_frames() + usize::from(wire.begun > 0);
        wire.let_go();
        wire.queue(Bytes::from_static(b"goodbye"));
        let reader = std::thread::spawn(move || {
            let mut all = Vec::new();
            other.read_to_end(&mut all).unwrap();
            all
        });
        flush_all(&mut wire, now);
        drop(wire);
        let all = reader.join().unwrap();
        assert_eq!(all.len(), whole * 100_000 + 7);
        assert!(all.ends_with(b"goodbye"));
    }
}
