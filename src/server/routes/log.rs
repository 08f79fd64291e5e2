//! The log: what happened, in words, newest or oldest first, as far as the caller may know of it.
//!
//! A request looks at a bounded number of records: a page may be short or even empty while there is more; `next` says where to go on.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::city::authority::Action;
use crate::domain::compound::CompoundId;
use crate::domain::event::Record;
use crate::domain::ids::IncidentId;
use crate::domain::refusal::Refusal;
use crate::journal::SqliteReader;
use crate::server::App;
use crate::server::caller::Caller;
use crate::server::error::{Answer, Problem};
use crate::server::extract::{Json, Query};
use crate::server::views::journal_log::{LogFilter, LogLine, lines_of};

use super::paging::limit_of;

/// Records that one request looks at: what it costs at most.
pub const SCANNED_MAX: usize = 5_000;
/// Records read at once.
const CHUNK: usize = 500;

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
    let mut walk = Walk::new(&query, end);
    let (filter, limit) = (LogFilter { incident: query.incident, compound: query.compound }, limit_of(query.limit));
    let mut items = Vec::new();
    while items.len() < limit && walk.scanned < SCANNED_MAX {
        let Some((after, count)) = walk.chunk() else { break };
        let records = read(reader.clone(), after, count).await?;
        let city = app.city();
        for record in walk.order(records) {
            if items.len() >= limit {
                break;
            }
            walk.pass(record.position);
            items.extend(lines_of(&city, &actor, &record, filter));
        }
    }
    Ok(Json(LogPage { items, next: walk.next() }))
}

async fn read(reader: SqliteReader, after: u64, count: usize) -> Answer<Vec<Record>> {
    let read = tokio::task::spawn_blocking(move || reader.page_after(after, count)).await;
    let failed = |cause: &dyn std::fmt::Display| {
        tracing::error!(%cause, "the log cannot be read");
        Problem::from(Refusal::JournalUnavailable {})
    };
    read.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
}

/// A walk over the journal in one direction, chunk by chunk.
#[derive(Debug)]
struct Walk {
    backwards: bool,
    /// The last position that was looked at; forwards the next is above it, backwards below.
    at: u64,
    end: u64,
    scanned: usize,
}

impl Walk {
    fn new(query: &LogQuery, end: u64) -> Self {
        match (query.after, query.before) {
            (Some(after), _) => Self { backwards: false, at: after, end, scanned: 0 },
            (None, before) => {
                let at = before.unwrap_or(u64::MAX).min(end.saturating_add(1));
                Self { backwards: true, at, end, scanned: 0 }
            }
        }
    }

    /// What to read next: how many records after which position; `None` at the end.
    fn chunk(&self) -> Option<(u64, usize)> {
        if self.backwards {
            let left = usize::try_from(self.at.saturating_sub(1)).unwrap_or(usize::MAX);
            let count = left.min(CHUNK);
            (count > 0).then(|| (self.at - 1 - count as u64, count))
        } else {
            (self.at < self.end).then_some((self.at, CHUNK))
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
        let more = if self.backwards { self.at > 1 } else { self.at < self.end };
        more.then_some(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_back_meets_every_position_once_and_ends_at_the_first() {
        let mut walk = Walk::new(&LogQuery::default(), 1_203);
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
        let mut walk = Walk::new(&LogQuery { after: Some(10), ..LogQuery::default() }, 12);
        assert_eq!(walk.chunk(), Some((10, CHUNK)));
        walk.pass(11);
        assert_eq!(walk.next(), Some(11));
        walk.pass(12);
        assert_eq!((walk.chunk(), walk.next()), (None, None));
    }
}
