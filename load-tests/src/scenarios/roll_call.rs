//! `roll-call`: every household is reported once, by phones at the doors and in batches over HTTP, as fast as answers come; and
//! `map-watchers`: the same, while consoles watch the map.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use muster::runtime::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};
use uuid::Uuid;

use super::stage::{Outcome, PATIENCE, Size, Stage, tell};
use crate::figures::Times;
use crate::fleet::Fleet;
use crate::fleet::roll::RollWork;
use crate::fleet::watch::WatchTalk;
use crate::house::Api;

/// Reports of one request.
const BATCH: usize = 100;
/// One household in so many is reported over HTTP.
const OVER_HTTP_ONE_IN: usize = 10;
/// Commands a second that a phone may give here. A real post-holder has a few doors a minute; here one phone may have hundreds.
const COMMANDS_PER_S: &str = "commands_per_s = 100000";

/// `roll-call` and `map-watchers`
#[derive(Debug, Clone, clap::Args)]
pub struct RollCall {
    #[command(flatten)]
    size: Size,
    /// Households to report; all there are when there are fewer
    #[arg(long, default_value_t = 500_000)]
    households: usize,
    /// Consoles that watch the map
    #[arg(long)]
    watchers: Option<usize>,
}

impl RollCall {
    /// Runs it, and tells what it found. Whether each report is durable and the tallies are right.
    ///
    /// # Errors
    /// When the server does not start, or breaks off.
    pub fn run(&self, watchers: usize) -> anyhow::Result<Outcome> {
        let mut stage = Stage::set_with(&self.size, COMMANDS_PER_S)?;
        let switch = json!({ "areas": ["1404"], "to": { "emergency": "I" } });
        stage.house.api.post(&stage.house.api.city[0], &format!("incidents/{}/switch", stage.incident), &switch)?;
        let (at_doors, over_http) = self.households(&stage);
        let (by_phone, by_http) = (at_doors.iter().map(Vec::len).sum::<usize>(), over_http.len());
        stage.connect()?;
        let made_at_us = SystemClock.now().0;
        stage.fleet.talk.roll = Some(RollWork::new(&stage.incident, made_at_us, at_doors));
        let (api, incident) = (stage.house.api.clone(), stage.incident.clone());
        let server = stage.house.address();
        let over = AtomicBool::new(false);
        let began = Instant::now();
        let seen = std::thread::scope(|scope| {
            let consoles = scope.spawn(|| watch(&api, server, self.watchers.unwrap_or(watchers), &over));
            let posts = scope.spawn(|| post_all(&api, &incident, &over_http));
            let walked = stage.walk(by_phone);
            let posted = posts.join().map_err(|_| anyhow::anyhow!("the thread that posts panicked"))?;
            over.store(true, Ordering::Release);
            let seen = consoles.join().map_err(|_| anyhow::anyhow!("the consoles' thread panicked"))?;
            walked.and(posted).and(seen)
        })?;
        let took = began.elapsed();
        let roll = stage.fleet.talk.roll.take().context("no roll was taken")?;
        let tally = stage.house.api.get(&format!("incidents/{}/tally?area=1404", stage.incident))?;
        let safe = tally["roll"]["safe"].as_u64().unwrap_or_default();
        let reported = (by_phone + by_http) as u64;
        let mut figures = json!({
            "phones": stage.fleet.phones(),
            "reported_at_doors": by_phone,
            "reported_over_http": by_http,
            "durable_per_s": (reported as f64 / took.as_secs_f64()).round(),
            "answer_p50_ms": roll.times.percent_ms(50.0),
            "answer_p99_ms": roll.times.percent_ms(99.0),
            "answer_p99_9_ms": roll.times.percent_ms(99.9),
            "safe_in_the_tally": safe,
            "refused": roll.refused,
            "doubled": stage.fleet.talk.doubled,
        });
        let mut promises = vec![
            ("each report is durable", roll.durable == by_phone),
            ("the tallies are right", safe == reported),
            ("no event comes twice", stage.fleet.talk.doubled == 0),
        ];
        if let Some(seen) = seen {
            seen.add_to(&mut figures, &roll, took);
            promises.push(("no console is cut off", seen.talk.ended == 0));
        }
        if !roll.why.is_empty() {
            eprintln!("the last refusal: {}", roll.why);
        }
        tell(if watchers > 0 { "map-watchers" } else { "roll-call" }, figures, &promises)
    }

    /// What each phone reports on, of its own compound, and what is left for HTTP.
    fn households(&self, stage: &Stage) -> (Vec<Vec<String>>, Vec<String>) {
        let city = muster::demo::city(muster::demo::SEED_DEFAULT, self.size.compounds);
        let mut at_doors = vec![Vec::new(); stage.fleet.phones()];
        let mut over_http = Vec::new();
        let mut phones_of: std::collections::HashMap<&str, Vec<usize>> = std::collections::HashMap::new();
        for (phone, token) in stage.house.tokens.iter().enumerate() {
            phones_of.entry(&token.compound).or_default().push(phone);
        }
        let mut left = self.households;
        for compound in city.compounds.iter().map(|made| &made.compound) {
            let id = compound.id.to_string();
            let Some(phones) = phones_of.get(id.as_str()) else { continue };
            for (n, flat) in compound.flats().take(left).enumerate() {
                let household = format!("{id}/{flat}");
                match n % OVER_HTTP_ONE_IN {
                    0 => over_http.push(household),
                    _ => at_doors[phones[n % phones.len()]].push(household),
                }
            }
            left = left.saturating_sub(compound.flats().count());
        }
        (at_doors, over_http)
    }
}

impl Stage {
    /// Lets all phones take their roll to the end.
    fn walk(&mut self, reports: usize) -> anyhow::Result<()> {
        self.fleet.prompt(|talk, _, number, say| {
            if let Some(roll) = &mut talk.roll {
                roll.go_on(number, say);
            }
        })?;
        let done =
            |talk: &crate::fleet::muster::MusterTalk| talk.roll.as_ref().is_some_and(|roll| roll.answered() == reports);
        ensure!(self.fleet.run(5 * PATIENCE, done)?, "not every report was answered");
        Ok(())
    }
}

/// Posts reports in batches, one request after the other.
fn post_all(api: &Api, incident: &str, households: &[String]) -> anyhow::Result<()> {
    let made_at = muster::live::frame::rfc3339(SystemClock.now(), 480);
    for batch in households.chunks(BATCH) {
        let report = |household: &String| {
            let check_in = json!({ "household": household, "status": "safe", "heads": 2, "verified": "door_to_door", "made_at": made_at });
            json!({ "id": Uuid::now_v7(), "check_in": check_in })
        };
        let form = json!({ "check_ins": batch.iter().map(report).collect::<Vec<_>>() });
        let outcomes = api.post(&api.city[0], &format!("incidents/{incident}/check-ins/batch"), &form)?;
        let refused = outcomes.as_array().into_iter().flatten().find(|outcome| !outcome["refused"].is_null());
        ensure!(refused.is_none(), "a report over HTTP was refused: {refused:?}");
    }
    Ok(())
}

/// What consoles saw.
struct Seen {
    watchers: usize,
    talk: WatchTalk,
}

/// Lets consoles watch until it is over.
fn watch(api: &Api, server: std::net::SocketAddr, watchers: usize, over: &AtomicBool) -> anyhow::Result<Option<Seen>> {
    if watchers == 0 {
        return Ok(None);
    }
    let token = api.sign_in("observer")?;
    let mut fleet = Fleet::new(WatchTalk::new(server, token), server, watchers)?;
    fleet.come();
    while !over.load(Ordering::Acquire) {
        fleet.run(Duration::from_millis(100), |_| false)?;
    }
    // What is on its way at the end.
    fleet.run(Duration::from_secs(1), |_| false)?;
    ensure!(fleet.talk.ready == watchers, "{} of {watchers} consoles have the map", fleet.talk.ready);
    Ok(Some(Seen { watchers, talk: fleet.talk }))
}

impl Seen {
    /// A frame's age is that of the oldest news in it: of the first report after the frame before.
    fn add_to(&self, figures: &mut Value, roll: &RollWork, took: Duration) {
        let mut positions = roll.positions.clone();
        positions.sort_unstable();
        let mut ages = Times::default();
        let mut last = vec![0; self.watchers];
        for (watcher, position, came) in &self.talk.frames {
            let first = positions.partition_point(|(at, _)| *at <= last[*watcher]);
            if let Some((at, answered)) = positions.get(first)
                && at <= position
                && last[*watcher] > 0
            {
                ages.note(came.saturating_duration_since(*answered));
            }
            last[*watcher] = *position;
        }
        let per_s = |number: usize| (number as f64 / self.watchers as f64 / took.as_secs_f64() * 10.0).round() / 10.0;
        figures["watchers"] = self.watchers.into();
        figures["frames_per_s_each"] = per_s(self.talk.frames.len()).into();
        figures["kib_per_s_each"] = per_s(self.talk.bytes / 1_024).into();
        figures["age_of_news_p50_ms"] = ages.percent_ms(50.0).into();
        figures["age_of_news_p99_ms"] = ages.percent_ms(99.0).into();
    }
}
