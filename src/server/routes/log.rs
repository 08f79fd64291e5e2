//! The log: what happened, in words, newest or oldest first, as far as the caller may know of it.
//!
//! A request looks at a bounded number of records: a page may be short or even empty while there is more; `next` says where to go on.

use std::ops::RangeInclusive;
use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::city::authority::Action;
use crate::domain::area::AreaCode;
use crate::domain::compound::CompoundId;
use crate::domain::event::Record;
use crate::domain::ids::IncidentId;
use crate::domain::refusal::Refusal;
use crate::domain::time::{MICROS_PER_S, Timestamp};
use crate::journal::{JournalReader, ReadError};
use crate::server::App;
use crate::server::caller::Caller;
use crate::server::error::{Answer, Problem};
use crate::server::extract::{Json, Query};
use crate::server::time::Rfc3339;
use crate::server::views::journal_log::{LogLine, lines_of};
use crate::server::views::log_filter::{GivenBy, LogFilter, LogKinds};

use super::paging::limit_of;

/// Records that one request looks at: what it costs at most.
pub const SCANNED_MAX: usize = 5_000;
/// Records read at once.
const CHUNK: usize = 500;
/// Seconds by which times may be out of the journal's order: commands wait in a queue, clocks are set right.
const MARGIN_S: u32 = 60;

/// Which part of the log.
#[derive(Debug, Default, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LogQuery {
    /// Oldest first, from after this position on.
    after: Option<u64>,
    /// Newest first, from before this position back; from the end when neither is given.
    before: Option<u64>,
    /// Only of this incident.
    #[param(value_type = Option<String>)]
    incident: Option<IncidentId>,
    /// Only of this compound.
    #[param(value_type = Option<String>)]
    compound: Option<CompoundId>,
    /// Only of compounds of this area.
    #[param(value_type = Option<String>)]
    area: Option<AreaCode>,
    /// Only of these kinds, separated by commas: `register`, `command`, `incident`, `alert`, `receipt`, `acknowledgement`, `duty`,
    /// `roll`, `help`, `aid`.
    #[param(value_type = Option<String>, example = "duty,roll")]
    kinds: Option<LogKinds>,
    /// Only what was ordered by this person (by id), by `households`, or by the `system`.
    #[param(value_type = Option<String>)]
    by: Option<GivenBy>,
    /// Only what came in at this time or later.
    since: Option<Rfc3339>,
    /// Only what came in before this time.
    until: Option<Rfc3339>,
    /// Lines wanted, 1 to 500; 100 when not given. A record is never cut in two: a page may be longer by the lines of its last.
    limit: Option<usize>,
}

/// Some lines of the log.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LogPage {
    /// The lines, in the order asked for.
    pub items: Vec<LogLine>,
    /// Where to go on in the same direction; `null` at the end.
    pub next: Option<u64>,
    /// The newest record when this was asked: what comes `after` it is new.
    pub end: u64,
    /// When the last record that was looked at came in; `null` when none was. With a narrow filter a page may look far and find little.
    pub looked_to: Option<Rfc3339>,
}

impl LogQuery {
    fn filter(&self) -> LogFilter {
        LogFilter {
            incident: self.incident,
            compound: self.compound,
            area: self.area,
            kinds: self.kinds.clone(),
            by: self.by,
            since: self.since.map(Timestamp::from),
            until: self.until.map(Timestamp::from),
        }
    }
}

/// 日志 What happened: one line an event, in Chinese and English, with the event itself for who may see all that stands in it.
#[utoipa::path(get, path = "/api/v1/log", tag = "log", params(LogQuery), responses((status = 200, body = LogPage)),
    extensions(("x-muster-action" = json!("see_log"))))]
pub async fn list(
    State(app): State<App>,
    Caller { actor, .. }: Caller,
    Query(query): Query<LogQuery>,
) -> Answer<Json<LogPage>> {
    app.city().may_somewhere(&actor, Action::SeeLog)?;
    let reader = app.journal.clone().ok_or(Refusal::JournalUnavailable {})?;
    let end = app.city().position();
    let span = span_of(reader.clone(), &query, end).await?;
    let mut walk = Walk::new(&query, span);
    let (filter, limit) = (query.filter(), limit_of(query.limit));
    let (mut items, mut looked_to) = (Vec::new(), None);
    while items.len() < limit && walk.scanned < SCANNED_MAX {
        let Some((after, count)) = walk.chunk() else { break };
        let page = reader.clone();
        let records = read(move || page.page_after(after, count)).await?;
        let city = app.city();
        for record in walk.order(records) {
            if items.len() >= limit {
                break;
            }
            walk.pass(record.position);
            looked_to = Some(record.entry.at.into());
            items.extend(lines_of(&city, &actor, &record, &filter));
        }
    }
    Ok(Json(LogPage { items, next: walk.next(), end, looked_to }))
}

/// The positions between which what came in at the times asked for must stand.
async fn span_of(reader: Arc<dyn JournalReader>, query: &LogQuery, end: u64) -> Answer<RangeInclusive<u64>> {
    let (since, until) = (query.since.map(Timestamp::from), query.until.map(Timestamp::from));
    let margin_us = i64::from(MARGIN_S) * MICROS_PER_S;
    read(move || {
        let first = since.map_or(Ok(1), |at| reader.first_since(Timestamp(at.0.saturating_sub(margin_us))))?;
        let beyond = until.map_or(Ok(end + 1), |at| reader.first_since(at.plus_s(MARGIN_S)))?;
        Ok(first..=(beyond - 1).min(end))
    })
    .await
}

/// Reads the journal where that may take its time.
async fn read<T: Send + 'static>(read: impl FnOnce() -> Result<T, ReadError> + Send + 'static) -> Answer<T> {
    let failed = |cause: &dyn std::fmt::Display| {
        tracing::error!(%cause, "the log cannot be read");
        Problem::from(Refusal::JournalUnavailable {})
    };
    let read = tokio::task::spawn_blocking(read).await;
    read.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
}

/// A walk over the journal in one direction, chunk by chunk.
#[derive(Debug)]
struct Walk {
    backwards: bool,
    /// The last position that was looked at; forwards the next is above it, backwards below.
    at: u64,
    /// The first and last positions that are looked at.
    first: u64,
    end: u64,
    scanned: usize,
}

impl Walk {
    fn new(query: &LogQuery, span: RangeInclusive<u64>) -> Self {
        let (first, end) = span.into_inner();
        let (backwards, at) = match (query.after, query.before) {
            (Some(after), _) => (false, after.max(first.saturating_sub(1))),
            (None, before) => (true, before.unwrap_or(u64::MAX).min(end.saturating_add(1))),
        };
        Self { backwards, at, first, end, scanned: 0 }
    }

    /// What to read next: how many records after which position; `None` at the end.
    fn chunk(&self) -> Option<(u64, usize)> {
        if self.backwards {
            let left = usize::try_from(self.at.saturating_sub(self.first)).unwrap_or(usize::MAX);
            let count = left.min(CHUNK);
            (count > 0).then(|| (self.at - 1 - count as u64, count))
        } else {
            let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
            (left > 0).then_some((self.at, left.min(CHUNK)))
        }
    }

    fn order(&self, mut records: Vec<Record>) -> Vec<Record> {
        if self.backwards {
            records.reverse();
        }
        records
    }

    const fn pass(&mut self, position: u64) {
        self.at = position;
        self.scanned += 1;
    }

    fn next(&self) -> Option<u64> {
        let more = if self.backwards { self.at > self.first } else { self.at < self.end };
        more.then_some(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_back_meets_every_position_once_and_ends_at_the_first() {
        let mut walk = Walk::new(&LogQuery::default(), 1..=1_203);
        let mut met = Vec::new();
        while let Some((after, count)) = walk.chunk() {
            for position in (after + 1..=after + count as u64).rev() {
                walk.pass(position);
                met.push(position);
            }
        }
        assert_eq!(met, (1..=1_203).rev().collect::<Vec<_>>());
        assert_eq!(walk.next(), None);
    }

    #[test]
    fn a_walk_forward_ends_where_the_city_stands() {
        let mut walk = Walk::new(&LogQuery { after: Some(10), ..LogQuery::default() }, 1..=12);
        assert_eq!(walk.chunk(), Some((10, 2)));
        walk.pass(11);
        assert_eq!(walk.next(), Some(11));
        walk.pass(12);
        assert_eq!((walk.chunk(), walk.next()), (None, None));
    }

    #[test]
    fn a_walk_stays_within_its_span() {
        let back = Walk::new(&LogQuery { before: Some(900), ..LogQuery::default() }, 700..=800);
        assert_eq!(back.chunk(), Some((699, 101)));
        let forward = Walk::new(&LogQuery { after: Some(3), ..LogQuery::default() }, 700..=800);
        assert_eq!(forward.chunk(), Some((699, 101)));
        for nothing in [Some(700), Some(1)] {
            let walk = Walk::new(&LogQuery { before: nothing, ..LogQuery::default() }, 700..=800);
            assert_eq!((walk.chunk(), walk.next()), (None, None));
        }
    }
}
