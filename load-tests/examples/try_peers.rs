//! Tries each peer once: starts it, connects a few phones, publishes, and looks that each phone gets each message once and in order.
//!
//! `make peers` runs it after it has installed them. It ends with 1 when a peer that is there does not do its part, and says in a
//! line which are not there. `try_peers NAME…` tries these only; `MUSTER_PEER_PHONES=19000` with more phones.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use load_tests::peers::{Counter, Dialect, Kind, Missing, Peer, Seen, serve_own};

const PHONES_DEFAULT: u64 = 100;
const PUBLISHES: u32 = 20;
const PAYLOAD_BYTES: usize = 512;
/// What `/proc` counts CPU time in.
const TICK_US: f64 = 10_000.0;
/// From fewer of them, a hundred phones' worth, no figure is made.
const TICKS_TOLD_MIN: u64 = 50;
/// How many phones connect at a time: Mosquitto looks at its phones ten times a second, and takes what is there then.
const TOGETHER: usize = 100;
/// A message that takes longer is not coming.
const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let Some(served) = serve_own(&arguments) {
        return told("the peer", served.map(|()| "ended".to_owned()));
    }
    let chosen = |kind: &Kind| arguments.is_empty() || arguments.iter().any(|name| name == kind.name());
    let mut code = ExitCode::SUCCESS;
    for kind in Kind::ALL.into_iter().filter(chosen) {
        if let Err(Missing(what)) = kind.needs() {
            println!("{what}");
        } else if told(kind.name(), tried(kind)) != ExitCode::SUCCESS {
            code = ExitCode::FAILURE;
        }
    }
    code
}

fn told(name: &str, result: io::Result<String>) -> ExitCode {
    match result {
        Ok(said) => {
            println!("{name}: {said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn tried(kind: Kind) -> io::Result<String> {
    let many = std::env::var("MUSTER_PEER_PHONES").ok().and_then(|text| text.parse().ok()).unwrap_or(PHONES_DEFAULT);
    let mut peer = kind.start().map_err(io::Error::other)?;
    let numbers: Vec<_> = (1..=many).collect();
    let mut phones = Vec::new();
    for some in numbers.chunks(TOGETHER) {
        phones.extend(connected(&*peer, some)?);
    }
    let processes = peer.processes();
    peer.publish(&payload(0))?;
    phones.iter_mut().try_for_each(|phone| phone.warm_up(&mut *peer))?;
    let before = cpu_ticks(&processes);
    for number in 1..=PUBLISHES {
        peer.publish(&payload(number))?;
    }
    phones.iter_mut().try_for_each(Phone::hears_all)?;
    let ticks = cpu_ticks(&processes) - before;
    peer.stop()?;
    if let Some(left) = processes.iter().find(|id| Path::new(&format!("/proc/{id}")).exists()) {
        return Err(io::Error::other(format!("process {left} is still there")));
    }
    let cpu = if ticks < TICKS_TOLD_MIN {
        String::new()
    } else {
        let deliveries = phones.len() as f64 * f64::from(PUBLISHES);
        format!(", {:.1} µs of CPU a delivery", ticks as f64 * TICK_US / deliveries)
    };
    let servers = processes.len();
    Ok(format!("{many} phones got each of {PUBLISHES} messages in a burst once{cpu}; {servers} processes, all ended"))
}

/// User and system time that these processes have had: words 14 and 15 of `stat`, two of them before the name's closing bracket.
fn cpu_ticks(processes: &[u32]) -> u64 {
    let of_one = |id: &u32| -> Option<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        let words: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        Some(words.get(11)?.parse::<u64>().ok()? + words.get(12)?.parse::<u64>().ok()?)
    };
    processes.iter().filter_map(of_one).sum()
}

fn connected(peer: &dyn Peer, numbers: &[u64]) -> io::Result<Vec<Phone>> {
    let dialect = peer.dialect();
    let mut phones = numbers.iter().map(|_| Phone::dial(peer)).collect::<io::Result<Vec<_>>>()?;
    phones.iter_mut().zip(numbers).try_for_each(|(phone, number)| phone.greet(dialect, *number))?;
    phones.iter_mut().try_for_each(|phone| phone.is_ready(dialect))?;
    Ok(phones)
}

/// The number in eight digits, then filling.
fn payload(number: u32) -> Vec<u8> {
    let mut text = format!("{number:08}").into_bytes();
    text.resize(PAYLOAD_BYTES, b'.');
    text
}

fn message(number: u32) -> io::Result<Seen> {
    let head = format!("{number:08}").as_bytes().try_into().map_err(io::Error::other)?;
    Ok(Seen::Message { head, bytes: u32::try_from(PAYLOAD_BYTES).map_err(io::Error::other)? })
}

struct Phone {
    stream: TcpStream,
    counter: Counter,
    /// What has come and was not yet waited for.
    seen: Vec<Seen>,
}

impl Phone {
    fn dial(peer: &dyn Peer) -> io::Result<Self> {
        let mut stream = TcpStream::connect(peer.address())?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(&peer.dialect().request(peer.address()))?;
        Ok(Self { stream, counter: peer.dialect().counter(), seen: Vec::new() })
    }

    fn greet(&mut self, dialect: Dialect, number: u64) -> io::Result<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.stream.read_exact(&mut byte)?;
            head.extend(byte);
        }
        if !head.starts_with(b"HTTP/1.1 101 ") {
            return Err(io::Error::other(String::from_utf8_lossy(&head).into_owned()));
        }
        self.stream.write_all(&dialect.greeting(number))
    }

    fn is_ready(&mut self, dialect: Dialect) -> io::Result<()> {
        if dialect.confirms() && self.next()? != Seen::Ready {
            return Err(io::Error::other("a message before the subscription stands"));
        }
        Ok(())
    }

    /// What comes next. Pings need no answer here: no server closes for one that is missing within an hour.
    fn next(&mut self) -> io::Result<Seen> {
        let mut bytes = [0; 16 * 1024];
        while self.seen.is_empty() {
            let read = self.stream.read(&mut bytes)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let mut keep = |seen| {
                if !matches!(seen, Seen::Ping { .. }) {
                    self.seen.push(seen);
                }
            };
            self.counter.feed(&bytes[..read], &mut keep).map_err(io::Error::other)?;
        }
        Ok(self.seen.remove(0))
    }

    /// Publishes number 0 again until one comes here: where nobody confirms a subscription, this shows that it stands.
    fn warm_up(&mut self, peer: &mut dyn Peer) -> io::Result<()> {
        const ROUNDS: usize = 50;
        self.stream.set_read_timeout(Some(PATIENCE / 50))?;
        for _ in 0..ROUNDS {
            match self.next() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => peer.publish(&payload(0))?,
                Err(error) => return Err(error),
                Ok(_) => return self.stream.set_read_timeout(Some(PATIENCE)),
            }
        }
        Err(io::Error::other("a phone hears nothing"))
    }

    /// After what is left of the warm-up: 1, 2, 3 … each once.
    fn hears_all(&mut self) -> io::Result<()> {
        let zero = message(0)?;
        let mut next = self.next()?;
        while next == zero {
            next = self.next()?;
        }
        for number in 1..=PUBLISHES {
            if next != message(number)? {
                return Err(io::Error::other(format!("{next:?} instead of number {number}")));
            }
            if number < PUBLISHES {
                next = self.next()?;
            }
        }
        Ok(())
    }
}
