//! The journal of several nodes: one stream in Redis, which orders it.
//!
//! Each record is an entry of the stream `{muster:CITY}:journal`, whose id is its position: what it touches (`key`), whose command it is
//! (`command`), the stored form ([`record`]) and a `link`, the SHA-1 of the link before, the id and the body. One script
//! (`append.lua`) looks whether what was decided still holds beside what others wrote since, and appends it: Redis runs it alone. No
//! node ever decides anything about another. What is old is put away beside the stream ([`packs`]).
//!
//! How much an append that returned outlasts is up to the server: `appendfsync always`, and replicas that are waited for
//! ([`AcknowledgeAfter`]).

mod copies;
pub mod packs;
mod reader;

use std::collections::HashMap;
use std::time::Duration;

use redis::FromRedisValue;
use sha1_smol::Sha1;

use crate::domain::actor::Giver;
use crate::domain::area::AreaCode;
use crate::domain::command::Key;
use crate::domain::event::{Entry, Record};
use crate::engine::ports::{Appended, Journal, JournalError, Proposal, Wake};

use crate::redis_link::{
    AcknowledgeAfter, Failure, Link, Meta, OpenRedisError, RedisOptions, id_of, key_of, position_of, watch,
};

use super::record;
use super::verify::{Fault, Report};

use packs::Pack;

pub use copies::{copy_in, copy_out};
pub use reader::RedisReader;

/// Records of others that an append goes through; a node that is further behind reads first.
const OTHERS_MAX: usize = 1_000;
/// Records asked for at once.
const PAGE: usize = 10_000;
/// How long others let a node go first that touches the whole city, at most.
const TURN: Duration = Duration::from_millis(100);
/// How long a node that lets another go first waits before it asks again.
const TURN_ASK_EVERY: Duration = Duration::from_millis(2);

/// The keys of what is kept in Redis for a city's journal.
#[derive(Debug, Clone)]
struct Names {
    journal: String,
    meta: String,
    turn: String,
    mark: String,
    packs: String,
    city: AreaCode,
}

impl Names {
    fn of(city: AreaCode) -> Self {
        let name = |what| key_of(city, what);
        Self {
            journal: name("journal"),
            meta: name("meta"),
            turn: name("turn"),
            mark: name("mark"),
            packs: name("packs"),
            city,
        }
    }

    /// The key of the pack that begins with that record.
    fn pack(&self, first: u64) -> String {
        packs::key(self.city, first)
    }
}

/// One node's end of the journal.
pub struct RedisJournal {
    options: RedisOptions,
    names: Names,
    /// Tells this node from the others.
    node: String,
    link: Link,
    append: redis::Script,
    meta: Meta,
    epoch: String,
    /// The last record that was given out, and its link.
    last: Place,
    /// The pack that was read last.
    pack: Option<Pack>,
}

/// Where a record stands, and its link.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    position: u64,
    link: String,
}

/// An entry of the stream: its id, then names and values in turn.
type Raw = (String, Vec<Vec<u8>>);
/// What the script gives.
type Outcome = (String, Vec<Raw>, Vec<u64>, String);

impl RedisJournal {
    /// Opens the city's journal.
    ///
    /// # Errors
    /// When Redis cannot be reached, or what it holds is not this city's journal in a form that is known here.
    pub fn open(options: RedisOptions) -> Result<Self, OpenRedisError> {
        Link::open(&options).map(|link| Self::over(link, options))
    }

    /// The same; lays the city out in Redis where it is not there.
    ///
    /// # Errors
    /// As [`RedisJournal::open`].
    pub fn lay_out(options: RedisOptions) -> Result<Self, OpenRedisError> {
        Link::lay_out(&options).map(|link| Self::over(link, options))
    }

    fn over(link: Link, options: RedisOptions) -> Self {
        let (names, meta) = (Names::of(options.city), link.meta().clone());
        let last = Place { position: 0, link: meta.genesis() };
        let (node, epoch) = (uuid::Uuid::now_v7().to_string(), meta.epoch_name());
        let append = redis::Script::new(include_str!("append.lua"));
        Self { options, names, node, link, append, meta, epoch, last, pack: None }
    }

    /// Walks the whole journal along its links, from the first record to the last; a fault is part of the report, not an error.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be read at all.
    pub fn verify(&mut self) -> Result<Report, JournalError> {
        self.rewind()?;
        let mut fault = None;
        loop {
            match self.read_after(self.last.position, PAGE) {
                Ok(page) if page.is_empty() => break,
                Ok(_) => {}
                Err(JournalError::Damaged { position, why }) => {
                    fault = Some(Fault { position, why });
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        let Place { position: good, link: hash } = self.last.clone();
        Ok(Report { city: self.options.city.to_string(), epoch: self.epoch.clone(), good, hash, fault })
    }

    /// What the server's settings let a power cut take of what was acknowledged; `None` where it takes nothing.
    pub fn sync_warning(&mut self) -> Option<String> {
        let mut command = redis::cmd("CONFIG");
        command.arg("GET").arg("append*").arg("maxmemory-policy");
        let settings: HashMap<String, String> = match self.ask(&command) {
            Ok(settings) => settings,
            Err(error) => {
                return Some(format!("whether Redis syncs each write (appendonly, appendfsync) is not told: {error}"));
            }
        };
        let of = |name: &str| settings.get(name).map_or("not told", String::as_str);
        let (kept, synced, when_full) = (of("appendonly"), of("appendfsync"), of("maxmemory-policy"));
        if when_full != "noeviction" {
            return Some(format!(
                "Redis has maxmemory-policy {when_full}: where its memory is full, it may forget records of the city. Set noeviction"
            ));
        }
        (kept != "yes" || synced != "always").then(|| {
            format!(
                "Redis has appendonly {kept} and appendfsync {synced}: a power cut may take what was acknowledged. Set appendonly yes \
                 and appendfsync always"
            )
        })
    }

    /// The link of a record that others were decided after.
    fn link_of(&mut self, position: u64) -> Result<String, JournalError> {
        if position == self.last.position {
            return Ok(self.last.link.clone());
        }
        if position == 0 {
            return Ok(self.meta.genesis());
        }
        let page = self.range(position, 1)?;
        let raw = page.first().ok_or_else(|| damaged(position, "it is missing"))?;
        Stored::of(raw, position).map(|stored| stored.link)
    }

    /// Entries from this position on, at most `count`, wherever they lie. The first is another where that one is nowhere.
    fn range(&mut self, from: u64, count: usize) -> Result<Vec<Raw>, JournalError> {
        let mut entries: Vec<Raw> = Vec::new();
        loop {
            let (next, left) = (from + entries.len() as u64, count - entries.len());
            let mut command = redis::cmd("XRANGE");
            command.arg(&self.names.journal).arg(id_of(next)).arg("+").arg("COUNT").arg(left);
            let page: Vec<Raw> = self.ask(&command)?;
            if page.first().is_none_or(|(id, _)| position_of(id) == Some(next)) {
                entries.extend(page);
                return Ok(entries);
            }
            // The stream begins later: what is older was put away.
            let packed = self.packed(next, left)?;
            if packed.is_empty() {
                entries.extend(page);
                return Ok(entries);
            }
            entries.extend(packed);
            if entries.len() >= count {
                return Ok(entries);
            }
        }
    }

    /// The same, of what lies in one pack; none where that position is in none.
    fn packed(&mut self, from: u64, count: usize) -> Result<Vec<Raw>, JournalError> {
        if self.pack.as_ref().is_none_or(|pack| pack.from(from, 1).is_empty()) {
            self.pack = Pack::holding(&mut self.link, &self.names, from)?;
        }
        Ok(self.pack.as_ref().map_or_else(Vec::new, |pack| pack.from(from, count).to_vec()))
    }

    /// Asks something that changes nothing.
    fn ask<T: FromRedisValue>(&mut self, command: &redis::Cmd) -> Result<T, JournalError> {
        self.link.ask(command).map_err(|why| of_reading(&why))
    }

    // INVARIANT: no node goes on with records that the server lacks.
    /// Connects, where it broke off, and goes on in the epoch that is there, where what was given out is there, too.
    fn stand(&mut self) -> Result<(), JournalError> {
        self.link.stand().map_err(|why| of_reading(&why))?;
        if !self.link.is_fresh() {
            return Ok(());
        }
        let meta = self.link.meta().clone();
        if meta.name != self.meta.name {
            return Err(damaged(0, "another journal is there than the one that was read"));
        }
        if self.last.position > 0 {
            let found = self.range(self.last.position, 1)?;
            self.check_last(found.first())?;
        }
        (self.epoch, self.meta) = (meta.epoch_name(), meta);
        self.link.was_looked_at();
        Ok(())
    }

    /// Whether what is there in its place is the last record that was given out.
    fn check_last(&self, found: Option<&Raw>) -> Result<(), JournalError> {
        let Place { position, link } = &self.last;
        let stored = found.map(|raw| Stored::of(raw, *position));
        if stored.is_some_and(|stored| stored.is_ok_and(|stored| stored.link == *link)) {
            return Ok(());
        }
        // Every call finds it out, until all is read anew.
        Err(JournalError::Forked(format!("record {position} is missing or another")))
    }

    /// Records from the entries of the stream that follow `place`; moves `place` on.
    fn follow(place: &mut Place, raw: &[Raw]) -> Result<Vec<Record>, JournalError> {
        raw.iter()
            .map(|raw| {
                let position = place.position + 1;
                let stored = Stored::of(raw, position)?;
                if stored.link != link_after(&place.link, position, stored.body) {
                    return Err(damaged(position, "its link is not that of its bytes and the record before"));
                }
                let entry = record::read(stored.body).map_err(|why| damaged(position, &why))?;
                *place = Place { position, link: stored.link };
                Ok(Record { position, entry })
            })
            .collect()
    }

    /// Runs the script, and lets others go first where it is their turn.
    fn propose(&mut self, seen: &Place, proposals: &[Proposal]) -> Result<Outcome, JournalError> {
        let mut call = self.append.prepare_invoke();
        call.key(&self.names.journal).key(&self.names.meta).key(&self.names.turn);
        call.arg(self.meta.epoch)
            .arg(&self.meta.run)
            .arg(seen.position)
            .arg(&seen.link)
            .arg(&self.node)
            .arg(OTHERS_MAX);
        call.arg(TURN.as_millis().to_string());
        let mut body = Vec::new();
        for Proposal { key, entry } in proposals {
            record::write(entry, &mut body).map_err(|error| JournalError::Unavailable(error.to_string()))?;
            call.arg(key_name(*key)).arg(command_name(entry)).arg(&body);
        }
        let asked = std::time::Instant::now();
        loop {
            let outcome: Outcome =
                self.link.with(|connection| call.invoke(connection)).map_err(|why| of_writing(&why))?;
            // A turn ends by itself: a node that died in it holds nobody up for long.
            if outcome.0 != "turn" || asked.elapsed() > 2 * TURN {
                return Ok(outcome);
            }
            std::thread::sleep(TURN_ASK_EVERY);
        }
    }
}

/// Of something that changes nothing.
fn of_reading(why: &Failure) -> JournalError {
    JournalError::Unavailable(why.to_string())
}

/// Of an append.
fn of_writing(why: &Failure) -> JournalError {
    if why.leaves_open() { JournalError::OutcomeUnknown(why.to_string()) } else { of_reading(why) }
}

impl Journal for RedisJournal {
    fn append(&mut self, seen: u64, proposals: Vec<Proposal>) -> Result<Appended, JournalError> {
        self.stand()?;
        let mut place = Place { position: seen, link: self.link_of(seen)? };
        let (what, others, positions, link) = self.propose(&place, &proposals)?;
        match what.as_str() {
            "done" => {}
            // Decided too early: what was written since is read first, then all is decided again.
            "turn" | "behind" => {
                let records = self.read_after(seen, OTHERS_MAX)?;
                return Ok(Appended { records, positions: vec![None; proposals.len()] });
            }
            "forked" => return Err(JournalError::Forked(format!("record {seen} is missing or another"))),
            other => {
                self.link.give_up();
                return Err(JournalError::Unavailable(format!("the journal began another epoch: {other}")));
            }
        }
        let positions: Vec<Option<u64>> = positions.into_iter().map(|at| Some(at).filter(|at| *at > 0)).collect();
        // A record of others that cannot be read is told when it is read alone: here something was written.
        let mut records = Self::follow(&mut place, &others).map_err(|why| match why {
            why if positions.iter().all(Option::is_none) => why,
            why => JournalError::OutcomeUnknown(why.to_string()),
        })?;
        let kept = positions
            .iter()
            .zip(proposals)
            .filter_map(|(position, Proposal { entry, .. })| position.map(|position| Record { position, entry }));
        records.extend(kept);
        let last = records.last().map_or(seen, |record| record.position);
        if positions.iter().any(Option::is_some) {
            // What was written is written, whatever is said now.
            self.link.wait_for_replicas().map_err(|why| JournalError::OutcomeUnknown(why.to_string()))?;
        }
        self.last = Place { position: last, link };
        Ok(Appended { records, positions })
    }

    fn confirm(&mut self) -> Result<(), JournalError> {
        self.stand()?;
        let last = self.last.clone();
        match self.propose(&last, &[])?.0.as_str() {
            // Others' turns and records do not concern what was given out.
            "done" | "turn" | "behind" => {}
            "forked" => return Err(JournalError::Forked(format!("record {} is missing or another", last.position))),
            other => {
                self.link.give_up();
                return Err(JournalError::Unavailable(format!("the journal began another epoch: {other}")));
            }
        }
        if self.options.acknowledge_after == AcknowledgeAfter::Primary {
            return Ok(());
        }
        // Redis waits for what this connection wrote; all that was written before goes to the replicas before it.
        let mut mark = redis::cmd("SET");
        mark.arg(&self.names.mark).arg(last.position);
        self.link.ask::<()>(&mark).map_err(|why| of_writing(&why))?;
        self.link.wait_for_replicas().map_err(|why| of_writing(&why))
    }

    fn read_after(&mut self, position: u64, limit: usize) -> Result<Vec<Record>, JournalError> {
        self.stand()?;
        let mut records = Vec::new();
        // Read with the record before: it has to be the one that was given out.
        let mut place = Place { position, link: self.meta.genesis() };
        while records.len() < limit {
            let before = usize::from(place.position > 0);
            let page = self.range(place.position.max(1), PAGE.min(limit - records.len()).saturating_add(before))?;
            if place.position > 0 {
                if place.position == self.last.position {
                    self.check_last(page.first())?;
                }
                let Some(first) = page.first() else { break };
                place.link = Stored::of(first, place.position)?.link;
            }
            let next = page.get(before..).unwrap_or_default();
            if next.is_empty() {
                break;
            }
            records.extend(Self::follow(&mut place, next)?);
            if place.position > self.last.position {
                self.last = place.clone();
            }
        }
        Ok(records)
    }

    fn last_position(&mut self) -> Result<u64, JournalError> {
        self.stand()?;
        let mut command = redis::cmd("XREVRANGE");
        command.arg(&self.names.journal).arg("+").arg("-").arg("COUNT").arg(1);
        let last: Vec<Raw> = self.ask(&command)?;
        last.first().map_or(Ok(0), |(id, _)| position_of(id).ok_or_else(|| damaged(0, "an id is no position")))
    }

    fn watch(&mut self, wake: Wake) {
        let heard = move |position| {
            wake(position);
            true
        };
        watch::start(self.link.source(), self.names.journal.clone(), self.link.alive(), Box::new(heard));
        packs::start(self.options.clone(), self.link.alive());
    }

    fn probe(&mut self) -> Result<(), JournalError> {
        self.confirm()
    }

    fn rewind(&mut self) -> Result<(), JournalError> {
        self.link.stand().map_err(|why| of_reading(&why))?;
        let meta = self.link.meta().clone();
        if meta.name != self.meta.name {
            return Err(damaged(0, "another journal is there than the one that was read"));
        }
        self.last = Place { position: 0, link: meta.genesis() };
        self.pack = None;
        (self.epoch, self.meta) = (meta.epoch_name(), meta);
        self.link.was_looked_at();
        Ok(())
    }

    fn epoch(&self) -> &str {
        &self.epoch
    }
}

/// An entry of the stream, taken apart.
struct Stored<'a> {
    link: String,
    body: &'a [u8],
}

impl<'a> Stored<'a> {
    fn of((id, fields): &'a Raw, position: u64) -> Result<Self, JournalError> {
        if position_of(id) != Some(position) {
            return Err(damaged(position, &format!("it is missing; the next is {id}")));
        }
        let [_, _, _, _, _, link, _, body] = fields.as_slice() else {
            return Err(damaged(position, "it has other fields than a record"));
        };
        let link = std::str::from_utf8(link).map_err(|_| damaged(position, "its link is no text"))?;
        Ok(Self { link: link.to_owned(), body })
    }
}

/// As `append.lua` does it.
fn link_after(previous: &str, position: u64, body: &[u8]) -> String {
    let mut sha1 = Sha1::new();
    for part in [previous.as_bytes(), id_of(position).as_bytes(), body] {
        sha1.update(part);
    }
    sha1.digest().to_string()
}

/// What a command touches, as a word.
fn key_name(key: Key) -> String {
    match key {
        Key::City => "city".to_owned(),
        Key::Household(incident, household) => format!("household {} {household}", incident.0),
        Key::Call(compound) => format!("call {compound}"),
        Key::Receipt(alert, person) => format!("receipt {} {}", alert.0, person.0),
    }
}

/// Whose command it is, and which: the same for a repeat, and on a node of another version.
fn command_name(entry: &Entry) -> String {
    let giver = match entry.giver {
        Giver::Person(person) => format!("person {}", person.0),
        Giver::Household(household) => format!("household {household}"),
        Giver::System => "system".to_owned(),
    };
    format!("{giver} {}", entry.id.0)
}

fn damaged(position: u64, why: &str) -> JournalError {
    JournalError::Damaged { position, why: why.to_owned() }
}
