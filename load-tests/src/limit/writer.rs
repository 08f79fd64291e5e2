//! One thread with its share of the phones: an epoll loop that writes.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::{self, JoinHandle};

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Registry, Token, Waker};

const WAKE: Token = Token(usize::MAX);
/// What may wait for a phone whose socket is full. One that reads stays far below.
const WAITS_BYTES_MAX: usize = 16 << 20;

enum Order {
    Take(std::net::TcpStream, Vec<u8>),
    Write(Arc<[u8]>),
}

/// The end of a writer that orders go in.
pub(super) struct Writer {
    orders: Sender<Order>,
    waker: Waker,
    thread: JoinHandle<io::Result<()>>,
}

impl Writer {
    pub(super) fn start() -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        let (orders, inbox) = channel();
        let phones = Phones { registry: poll.registry().try_clone()?, places: Vec::new(), free: Vec::new() };
        let thread = thread::Builder::new().name("writer".to_owned()).spawn(move || run(poll, phones, &inbox))?;
        Ok(Self { orders, waker, thread })
    }

    /// One more phone, its socket not blocking; it is told the answer to its request first.
    pub(super) fn take(&self, phone: std::net::TcpStream, answer: Vec<u8>) -> io::Result<()> {
        self.order(Order::Take(phone, answer))
    }

    /// This frame to each phone.
    pub(super) fn write(&self, frame: Arc<[u8]>) -> io::Result<()> {
        self.order(Order::Write(frame))
    }

    fn order(&self, order: Order) -> io::Result<()> {
        self.orders.send(order).map_err(|_| io::Error::other("a writer has ended"))?;
        self.waker.wake()
    }

    /// Ends once all that was ordered is done.
    pub(super) fn stop(self) -> io::Result<()> {
        let Self { orders, waker, thread } = self;
        drop(orders);
        waker.wake()?;
        thread.join().map_err(|_| io::Error::other("a writer panicked"))?
    }
}

fn run(mut poll: Poll, mut phones: Phones, inbox: &Receiver<Order>) -> io::Result<()> {
    let mut events = Events::with_capacity(1024);
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        events.iter().filter(|event| event.token() != WAKE).for_each(|event| phones.hear(event));
        loop {
            match inbox.try_recv() {
                Ok(Order::Take(stream, answer)) => phones.take(TcpStream::from_std(stream), &answer)?,
                Ok(Order::Write(frame)) => phones.write(&frame),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return Ok(()),
            }
        }
    }
}

struct Phone {
    stream: TcpStream,
    /// What a full socket did not take; empty, and without memory, for nearly all.
    waits: Vec<u8>,
}

/// The phones by token. One that has gone leaves its place to the next that comes.
struct Phones {
    registry: Registry,
    places: Vec<Option<Phone>>,
    free: Vec<usize>,
}

impl Phones {
    fn take(&mut self, mut stream: TcpStream, answer: &[u8]) -> io::Result<()> {
        let at = self.free.pop().unwrap_or(self.places.len());
        self.registry.register(&mut stream, Token(at), Interest::READABLE)?;
        let phone = Some(Phone { stream, waits: Vec::new() });
        match self.places.get_mut(at) {
            Some(place) => *place = phone,
            None => self.places.push(phone),
        }
        self.write_to(at, answer);
        Ok(())
    }

    fn write(&mut self, frame: &[u8]) {
        (0..self.places.len()).for_each(|at| self.write_to(at, frame));
    }

    fn write_to(&mut self, at: usize, bytes: &[u8]) {
        if let Some(phone) = &mut self.places[at] {
            let written = phone.write(bytes, &self.registry, Token(at));
            self.unless_gone(at, &written);
        }
    }

    fn hear(&mut self, event: &Event) {
        let Token(at) = event.token();
        let Some(Some(phone)) = self.places.get_mut(at) else { return };
        let heard = if event.is_readable() { phone.read() } else { Ok(()) };
        let heard = heard.and_then(|()| if event.is_writable() { phone.catch_up() } else { Ok(()) });
        self.unless_gone(at, &heard);
    }

    fn unless_gone(&mut self, at: usize, done: &io::Result<()>) {
        if done.is_err() {
            // Closing the socket takes it out of epoll.
            self.places[at] = None;
            self.free.push(at);
        }
    }
}

impl Phone {
    /// One `write`, unless more waits already.
    fn write(&mut self, frame: &[u8], registry: &Registry, token: Token) -> io::Result<()> {
        if !self.waits.is_empty() {
            return self.wait(frame);
        }
        let written = match self.stream.write(frame) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            written => written?,
        };
        if written < frame.len() {
            self.wait(&frame[written..])?;
            registry.reregister(&mut self.stream, token, Interest::READABLE | Interest::WRITABLE)?;
        }
        Ok(())
    }

    fn wait(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.waits.len() + bytes.len() > WAITS_BYTES_MAX {
            return Err(io::Error::other("the phone does not read"));
        }
        self.waits.extend(bytes);
        Ok(())
    }

    fn catch_up(&mut self) -> io::Result<()> {
        while !self.waits.is_empty() {
            match self.stream.write(&self.waits) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                written => drop(self.waits.drain(..written?)),
            }
        }
        self.waits = Vec::new();
        Ok(())
    }

    /// What phones say is nothing to the limit; only that they go.
    fn read(&mut self) -> io::Result<()> {
        let mut said = [0; 4096];
        loop {
            match self.stream.read(&mut said) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}
