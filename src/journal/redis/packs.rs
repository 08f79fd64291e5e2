//! Old records, put away: the stream keeps the newest, for nodes that lag behind and phones that resume; what is older lies beside it in
//! packs of some ten thousand, a tenth as large. Nothing is forgotten: the log, replays and a node that starts read all of it.
//!
//! A pack is the link of its last record, the link before its first (40 hex digits each), and the records' bodies, a line each, deflated.
//! Links in between are computed when it is read, and must come to the last.

use std::io::{Read as _, Write as _};
use std::sync::Weak;
use std::thread::{Builder, sleep};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use crate::engine::ports::JournalError;
use crate::redis_link::{Link, OpenRedisError, RedisOptions, id_of, key_of, position_of};

use super::{Names, Raw, Stored, damaged, link_after, of_reading, of_writing};

/// Hex digits of a link.
const LINK_CHARS: usize = 40;
/// How often it is looked whether there is something to put away.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How soon the thread finds out that it is not needed any more.
const ALIVE_EVERY: Duration = Duration::from_millis(500);

/// What is put away.
#[derive(Debug, Clone, Copy)]
pub struct Packing {
    /// Records that stay in the stream.
    pub kept: u64,
    /// Records of a pack.
    pub records: usize,
    /// Bytes of a pack before it is deflated, but for one record that is larger.
    pub bytes: usize,
}

impl Default for Packing {
    fn default() -> Self {
        Self { kept: 100_000, records: 10_000, bytes: 16 << 20 }
    }
}

/// A pack that was read.
pub(super) struct Pack {
    first: u64,
    records: Vec<Raw>,
}

impl Pack {
    /// The pack that holds the record at `position`; `None` where none does.
    pub(super) fn holding(link: &mut Link, names: &Names, position: u64) -> Result<Option<Self>, JournalError> {
        let mut find = redis::cmd("ZRANGEBYSCORE");
        find.arg(&names.packs).arg(position).arg("+inf").arg("LIMIT").arg(0).arg(1);
        let found: Vec<u64> = link.ask(&find).map_err(|why| of_reading(&why))?;
        let Some(first) = found.first().copied().filter(|first| *first <= position) else { return Ok(None) };
        let mut get = redis::cmd("GET");
        get.arg(names.pack(first));
        let bytes: Vec<u8> = link.ask(&get).map_err(|why| of_reading(&why))?;
        Self::read(first, &bytes).map(Some)
    }

    /// Up to `count` of its records from `position` on; none where it does not hold that one.
    pub(super) fn from(&self, position: u64, count: usize) -> &[Raw] {
        let skipped = position.checked_sub(self.first).and_then(|n| usize::try_from(n).ok());
        let rest = skipped.and_then(|n| self.records.get(n..)).unwrap_or_default();
        rest.get(..count).unwrap_or(rest)
    }

    fn read(first: u64, bytes: &[u8]) -> Result<Self, JournalError> {
        let wrong = |why: &str| damaged(first, &format!("the pack that begins here cannot be read: {why}"));
        let (head, deflated) = bytes.split_at_checked(2 * LINK_CHARS).ok_or_else(|| wrong("it is too short"))?;
        let head = std::str::from_utf8(head).map_err(|_| wrong("its links are no text"))?;
        let (last, before) = head.split_at(LINK_CHARS);
        let mut bodies = Vec::new();
        DeflateDecoder::new(deflated).read_to_end(&mut bodies).map_err(|error| wrong(&error.to_string()))?;
        let mut link = before.to_owned();
        let raw = |(position, body): (u64, &[u8])| {
            link = link_after(&link, position, body);
            let fields = [&b"key"[..], b"", b"command", b"", b"link", link.as_bytes(), b"body", body];
            (id_of(position), fields.map(<[u8]>::to_vec).to_vec())
        };
        let records: Vec<Raw> = (first..).zip(bodies.split(|byte| *byte == b'\n')).map(raw).collect();
        if link != last {
            return Err(wrong("its records do not come to its last link"));
        }
        Ok(Self { first, records })
    }

    /// Whether it says what these records say.
    fn check_same(&self, records: &[Raw]) -> Result<(), JournalError> {
        let body = |(id, fields): &Raw| (id.clone(), fields.last().cloned());
        let same = self.records.iter().map(body).eq(records.iter().map(body));
        if same { Ok(()) } else { Err(damaged(self.first, "a pack would not say what the records say")) }
    }

    /// The records, which follow each other, as they are put away.
    fn write(before: &str, records: &[Raw]) -> Result<(Vec<u8>, u64, String), JournalError> {
        let mut deflated = DeflateEncoder::new(Vec::new(), Compression::default());
        let (mut link, mut last) = (before.to_owned(), 0);
        for (n, raw) in records.iter().enumerate() {
            let position = position_of(&raw.0).ok_or_else(|| damaged(last + 1, "an id is no position"))?;
            let stored = Stored::of(raw, position)?;
            link = link_after(&link, position, stored.body);
            if link != stored.link || (n > 0 && position != last + 1) {
                return Err(damaged(position, "its link is not that of its bytes and the record before"));
            }
            last = position;
            let between: &[u8] = if n == 0 { b"" } else { b"\n" };
            // INVARIANT: writing to memory cannot fail.
            deflated
                .write_all(between)
                .and_then(|()| deflated.write_all(stored.body))
                .map_err(|error| in_memory(&error))?;
        }
        let deflated = deflated.finish().map_err(|error| in_memory(&error))?;
        let mut bytes = format!("{link}{before}").into_bytes();
        bytes.extend(deflated);
        Ok((bytes, last, link))
    }
}

fn in_memory(error: &std::io::Error) -> JournalError {
    JournalError::Unavailable(error.to_string())
}

/// Puts records away, with a connection of its own.
pub struct Packer {
    link: Link,
    names: Names,
    script: redis::Script,
    packing: Packing,
}

impl Packer {
    /// For that city.
    ///
    /// # Errors
    /// As a journal is opened.
    pub fn open(options: &RedisOptions, packing: Packing) -> Result<Self, OpenRedisError> {
        let link = Link::open(options)?;
        let script = redis::Script::new(include_str!("pack.lua"));
        Ok(Self { link, names: Names::of(options.city), script, packing })
    }

    /// Puts one pack away, where there is one to be put away; false where not, or another node did it.
    ///
    /// # Errors
    /// [`JournalError`]; then nothing was put away, or it was and is found there.
    pub fn pack(&mut self) -> Result<bool, JournalError> {
        self.link.stand().map_err(|why| of_reading(&why))?;
        let edge = |link: &mut Link, command: &str, from: &str, to: &str| {
            let mut ask = redis::cmd(command);
            ask.arg(&self.names.journal).arg(from).arg(to).arg("COUNT").arg(1);
            let found: Vec<Raw> = link.ask(&ask).map_err(|why| of_reading(&why))?;
            Ok::<_, JournalError>(found.first().and_then(|(id, _)| position_of(id)))
        };
        let first = edge(&mut self.link, "XRANGE", "-", "+")?;
        let last = edge(&mut self.link, "XREVRANGE", "+", "-")?;
        let Some((first, last)) = first.zip(last) else { return Ok(false) };
        if last - first + 1 < self.packing.kept + self.packing.records as u64 {
            return Ok(false);
        }
        let before = self.link_before(first)?;
        let records = self.oldest()?;
        let (bytes, last, link) = Pack::write(&before, &records)?;
        // There is no way back once they are out of the stream.
        Pack::read(first, &bytes)?.check_same(&records)?;
        let meta = self.link.meta().clone();
        let mut call = self.script.prepare_invoke();
        call.key(&self.names.journal).key(&self.names.meta).key(&self.names.packs).key(self.names.pack(first));
        call.arg(meta.epoch).arg(meta.run).arg(first).arg(last).arg(link).arg(bytes);
        self.link.with(|connection| call.invoke::<bool>(connection)).map_err(|why| of_writing(&why))
    }

    /// The oldest records of the stream, as many as make a pack.
    fn oldest(&mut self) -> Result<Vec<Raw>, JournalError> {
        let mut ask = redis::cmd("XRANGE");
        ask.arg(&self.names.journal).arg("-").arg("+").arg("COUNT").arg(self.packing.records);
        let mut records: Vec<Raw> = self.link.ask(&ask).map_err(|why| of_reading(&why))?;
        let mut bytes = 0;
        let fits = |(_, fields): &&Raw| {
            bytes += fields.iter().map(Vec::len).sum::<usize>();
            bytes <= self.packing.bytes
        };
        let most = records.iter().take_while(fits).count().max(1);
        records.truncate(most);
        Ok(records)
    }

    /// The link of the record before the stream's first: the last of the packs, or none at all.
    fn link_before(&mut self, first: u64) -> Result<String, JournalError> {
        if first == 1 {
            return Ok(self.link.meta().genesis());
        }
        let mut find = redis::cmd("ZRANGEBYSCORE");
        find.arg(&self.names.packs).arg(first - 1).arg(first - 1);
        let found: Vec<u64> = self.link.ask(&find).map_err(|why| of_reading(&why))?;
        let before =
            found.first().ok_or_else(|| damaged(first - 1, "no pack ends here, where the stream begins after it"))?;
        let mut read = redis::cmd("GETRANGE");
        read.arg(self.names.pack(*before)).arg(0).arg(LINK_CHARS - 1);
        self.link.ask(&read).map_err(|why| of_reading(&why))
    }
}

/// Puts away what is old, from a thread of its own, until `alive` is gone.
pub(super) fn start(options: RedisOptions, alive: Weak<()>) {
    let keep = move || {
        let mut packer = None;
        while sleep_while(&alive) {
            packer = packer.or_else(|| Packer::open(&options, Packing::default()).ok());
            // Why Redis is away is told by whoever writes; a damaged record by whoever reads it.
            let done = packer.as_mut().map_or(Ok(()), |packer| {
                while packer.pack()? {}
                Ok::<_, JournalError>(())
            });
            if let Err(error) = done {
                tracing::warn!(%error, "old records are not put away now: the stream in Redis grows");
            }
        }
    };
    if let Err(error) = Builder::new().name("muster-pack".to_owned()).spawn(keep) {
        tracing::error!(%error, "no thread to put old records away with: the stream in Redis grows");
    }
}

/// Sleeps until it is time to look; false as soon as it is not needed any more.
fn sleep_while(alive: &Weak<()>) -> bool {
    let until = Instant::now() + LOOK_EVERY;
    while alive.strong_count() > 0 && Instant::now() < until {
        sleep(ALIVE_EVERY);
    }
    alive.strong_count() > 0
}

/// The key of a pack.
pub(super) fn key(city: crate::domain::area::AreaCode, first: u64) -> String {
    key_of(city, &format!("pack:{first}"))
}
