//! A fleet of phones in one thread: small, so that a generator of 20,000 costs a fraction of what it measures.
//!
//! One epoll, one read buffer for all, a few hundred bytes a phone. What a phone says and hears is its [`Talk`]: [`muster`] for ours,
//! [`peer`] for the others. Phones come from addresses all over 127.0.0.0/8, for one address has only so many ports. A process may
//! open [`PHONES_MAX`] sockets at most here: that is the limit of a run.

pub mod muster;
pub mod peer;
pub mod roll;
pub mod watch;

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Socket, Type};

/// Phones of one process: the files that it may open (20,000), less what it needs itself.
pub const PHONES_MAX: usize = 19_500;
/// Phones that are on their way at once.
const COMING_MAX: usize = 512;
/// Where the phones' own addresses begin: each has one of 127.1.0.0/16. On an address that thousands share the system hunts for a free
/// port among those that wait after their last connection, for milliseconds a phone, and a run would measure that.
const FIRST_ADDRESS: u32 = u32::from_be_bytes([127, 1, 0, 1]);
/// Bytes of a response to a handshake; more is none.
const RESPONSE_MAX: usize = 4_096;
/// Receive buffer of a phone that reads slowly.
const NARROW_BYTES: usize = 4 << 10;
const BUFFER_BYTES: usize = 256 << 10;
const EVENTS_MAX: usize = 1_024;
/// How long a look at the sockets waits at most.
const LOOK: Duration = Duration::from_millis(5);

/// How phones talk to one kind of server, and what is noted of what they heard.
pub trait Talk {
    /// What is kept of each phone.
    type Phone;

    /// A phone that has said and heard nothing.
    fn phone(&self, number: usize) -> Self::Phone;

    /// Its handshake.
    fn request(&self, number: usize) -> Vec<u8>;

    /// The server took it in; what is put into `say` is said.
    fn opened(&mut self, phone: &mut Self::Phone, number: usize, say: &mut Vec<u8>);

    /// More bytes came.
    ///
    /// # Errors
    /// What is wrong with them: the run is over.
    fn heard(&mut self, phone: &mut Self::Phone, number: usize, bytes: &[u8], say: &mut Vec<u8>) -> io::Result<()>;

    /// The connection ended.
    fn ended(&mut self, phone: &mut Self::Phone, number: usize);
}

struct Line<P> {
    stream: Option<TcpStream>,
    /// The response to the handshake, until it is complete.
    response: Option<Vec<u8>>,
    /// What the socket did not take yet.
    unsaid: Vec<u8>,
    /// It does not read: its buffers fill up.
    is_deaf: bool,
    phone: P,
}

/// Phones that are connected to one server.
pub struct Fleet<T: Talk> {
    /// How they talk, and what they heard.
    pub talk: T,
    server: SocketAddr,
    poll: Poll,
    events: Events,
    lines: Vec<Line<T::Phone>>,
    buffer: Vec<u8>,
    /// Handshakes that are under way.
    coming: usize,
    /// The next phone that comes.
    next: usize,
    /// The first so many have small receive buffers.
    narrow: usize,
}

impl<T: Talk> Fleet<T> {
    /// So many phones, none of them connected.
    ///
    /// # Errors
    /// When the server is not on this machine, or there are too many phones for one process.
    pub fn new(talk: T, server: SocketAddr, phones: usize) -> io::Result<Self> {
        if !server.ip().is_loopback() {
            return Err(io::Error::other(format!("loads go to the loopback only, not to {server}")));
        }
        if phones > PHONES_MAX {
            let why = format!("{phones} phones are more than the {PHONES_MAX} for which a process has files");
            return Err(io::Error::other(why));
        }
        let line = |phone| Line { stream: None, response: None, unsaid: Vec::new(), is_deaf: false, phone };
        let lines = (0..phones).map(|number| line(talk.phone(number))).collect();
        let (poll, events) = (Poll::new()?, Events::with_capacity(EVENTS_MAX));
        Ok(Self {
            talk,
            server,
            poll,
            events,
            lines,
            buffer: vec![0; BUFFER_BYTES],
            coming: 0,
            next: phones,
            narrow: 0,
        })
    }

    /// How many there are.
    pub fn phones(&self) -> usize {
        self.lines.len()
    }

    /// What is kept of each phone.
    pub fn each(&self) -> impl Iterator<Item = &T::Phone> {
        self.lines.iter().map(|line| &line.phone)
    }

    /// Lets all come that are not connected; [`Self::run`] sees them in.
    pub fn come(&mut self) {
        self.next = 0;
    }

    /// The first so many phones get receive buffers of a few KiB, as on a line that hardly carries anything: those of a loopback would hold
    /// hundreds of alerts.
    pub fn narrow(&mut self, phones: usize) {
        self.narrow = phones;
    }

    /// Cuts all connections at once, without a word.
    pub fn cut(&mut self) {
        for line in &mut self.lines {
            (line.stream, line.response) = (None, None);
            line.unsaid.clear();
        }
        self.coming = 0;
    }

    /// From now on this phone reads nothing.
    pub fn deafen(&mut self, number: usize) {
        self.lines[number].is_deaf = true;
    }

    /// Reads again, from what waits in its buffers on.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn undeafen(&mut self, number: usize) -> io::Result<()> {
        self.lines[number].is_deaf = false;
        self.read(number)
    }

    /// Lets each phone say something.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn prompt(&mut self, mut what: impl FnMut(&mut T, &mut T::Phone, usize, &mut Vec<u8>)) -> io::Result<()> {
        for number in 0..self.lines.len() {
            let line = &mut self.lines[number];
            what(&mut self.talk, &mut line.phone, number, &mut line.unsaid);
            self.write(number)?;
        }
        Ok(())
    }

    /// Lets the phones live until `done`, or the time is over; whether it was done.
    ///
    /// # Errors
    /// When a phone hears what it cannot understand, or the system refuses.
    pub fn run(&mut self, within: Duration, mut done: impl FnMut(&T) -> bool) -> io::Result<bool> {
        let until = Instant::now() + within;
        loop {
            self.let_come()?;
            if done(&self.talk) {
                return Ok(true);
            }
            if Instant::now() >= until {
                return Ok(false);
            }
            match self.poll.poll(&mut self.events, Some(LOOK)) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            let ready: Vec<(usize, bool)> =
                self.events.iter().map(|event| (event.token().0, event.is_writable())).collect();
            for (number, writable) in ready {
                if writable {
                    self.write(number)?;
                }
                self.read(number)?;
            }
        }
    }

    fn let_come(&mut self) -> io::Result<()> {
        while self.coming < COMING_MAX && self.next < self.lines.len() {
            if self.lines[self.next].stream.is_none() {
                self.connect(self.next)?;
            }
            self.next += 1;
        }
        Ok(())
    }

    fn connect(&mut self, number: usize) -> io::Result<()> {
        let socket = Socket::new(Domain::for_address(self.server), Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        if number < self.narrow {
            socket.set_recv_buffer_size(NARROW_BYTES)?;
        }
        if self.server.is_ipv4() {
            let nth = u32::try_from(number).map_err(io::Error::other)?;
            socket.bind(&SocketAddr::from((Ipv4Addr::from(FIRST_ADDRESS + nth), 0)).into())?;
        }
        match socket.connect(&self.server.into()) {
            Err(error) if error.raw_os_error() != Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {
                return Err(error);
            }
            _ => {}
        }
        let mut stream = TcpStream::from_std(socket.into());
        self.poll.registry().register(&mut stream, Token(number), Interest::READABLE | Interest::WRITABLE)?;
        let line = &mut self.lines[number];
        line.unsaid = self.talk.request(number);
        (line.stream, line.response, line.is_deaf) = (Some(stream), Some(Vec::new()), false);
        self.coming += 1;
        Ok(())
    }

    fn write(&mut self, number: usize) -> io::Result<()> {
        let line = &mut self.lines[number];
        let Some(stream) = &mut line.stream else { return Ok(()) };
        while !line.unsaid.is_empty() {
            match stream.write(&line.unsaid) {
                Ok(said) => drop(line.unsaid.drain(..said)),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return self.end(number),
            }
        }
        Ok(())
    }

    fn read(&mut self, number: usize) -> io::Result<()> {
        loop {
            let line = &mut self.lines[number];
            let Some(stream) = line.stream.as_mut().filter(|_| !line.is_deaf) else { return Ok(()) };
            let read = match stream.read(&mut self.buffer) {
                Ok(0) => return self.end(number),
                Ok(read) => read,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return self.end(number),
            };
            self.take(number, read)?;
            // A read that took less than there was room for emptied the socket.
            if read < self.buffer.len() {
                return Ok(());
            }
        }
    }

    fn take(&mut self, number: usize, read: usize) -> io::Result<()> {
        let Self { talk, lines, buffer, coming, .. } = self;
        let line = &mut lines[number];
        let mut bytes = &buffer[..read];
        let mut say = Vec::new();
        let rest;
        if let Some(response) = &mut line.response {
            response.extend_from_slice(bytes);
            let Some(end) = response.windows(4).position(|four| four == b"\r\n\r\n") else {
                return if response.len() > RESPONSE_MAX { Err(io::Error::other("no response")) } else { Ok(()) };
            };
            if !response.starts_with(b"HTTP/1.1 101 ") {
                return Err(io::Error::other(String::from_utf8_lossy(response).into_owned()));
            }
            rest = response.split_off(end + 4);
            (line.response, bytes) = (None, &rest);
            *coming -= 1;
            talk.opened(&mut line.phone, number, &mut say);
        }
        talk.heard(&mut line.phone, number, bytes, &mut say)?;
        if say.is_empty() {
            return Ok(());
        }
        line.unsaid.append(&mut say);
        self.write(number)
    }

    fn end(&mut self, number: usize) -> io::Result<()> {
        let line = &mut self.lines[number];
        line.stream = None;
        if line.response.take().is_some() {
            self.coming -= 1;
            return Err(io::Error::other("a connection ended before it began"));
        }
        self.talk.ended(&mut line.phone, number);
        Ok(())
    }
}

/// One frame from a client. Masked with zeroes, which leaves the bytes as they are: the mask guards proxies, and none is here.
pub fn client_frame(opcode: u8, payload: &[u8], into: &mut Vec<u8>) {
    into.push(0x80 | opcode);
    let length = payload.len().to_be_bytes();
    match payload.len() {
        0..=125 => into.push(0x80 | length[7]),
        126..=0xffff => into.extend([0xfe, length[6], length[7]]),
        _ => {
            into.push(0xff);
            into.extend(length);
        }
    }
    into.extend([0; 4]);
    into.extend_from_slice(payload);
}
