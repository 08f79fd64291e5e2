//! What every scenario at Muster alone begins with: a city, its people's phones connected, and an exercise.

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use serde_json::{Value, json};

use crate::figures::Times;
use crate::fleet::Fleet;
use crate::fleet::muster::MusterTalk;
use crate::house::{House, Submitted};

/// What comes later than this does not come.
pub const PATIENCE: Duration = Duration::from_mins(2);
/// After a publish, for whatever else it brings.
pub const SETTLE: Duration = Duration::from_millis(300);

/// How large a scenario is.
#[derive(Debug, Clone, clap::Args)]
pub struct Size {
    /// Phones
    #[arg(long, default_value_t = 10_000)]
    pub connections: usize,
    /// Compounds of the demo city
    #[arg(long, default_value_t = 2_431)]
    pub compounds: usize,
}

/// A served city and its phones.
pub struct Stage {
    /// The phones.
    pub fleet: Fleet<MusterTalk>,
    /// The server.
    pub house: House,
    /// The exercise.
    pub incident: String,
}

impl Stage {
    /// A city with nobody connected yet.
    ///
    /// # Errors
    /// When the server does not start.
    pub fn set(size: &Size) -> anyhow::Result<Self> {
        Self::set_with(size, "")
    }

    /// The same, with these keys in the `[live]` section of its configuration.
    ///
    /// # Errors
    /// When the server does not start.
    pub fn set_with(size: &Size, live: &str) -> anyhow::Result<Self> {
        let house = House::build(size.compounds, size.connections, live)?;
        let tokens = house.tokens.iter().map(|token| token.token.clone()).collect();
        let fleet = Fleet::new(MusterTalk::new(house.address(), tokens), house.address(), size.connections)?;
        let incident = house.api.open_exercise()?;
        Ok(Self { fleet, house, incident })
    }

    /// Lets all come, and be told what they missed where they resume; how long that took.
    ///
    /// # Errors
    /// When not all come in time.
    pub fn connect(&mut self) -> anyhow::Result<Duration> {
        let (phones, began) = (self.fleet.phones(), Instant::now());
        self.fleet.talk.ready = 0;
        self.fleet.come();
        ensure!(self.fleet.run(PATIENCE, |talk| talk.ready == phones)?, "not all phones could connect");
        Ok(began.elapsed())
    }

    /// Alerts to somebody that wait for their second person.
    ///
    /// # Errors
    /// When one is refused.
    pub fn submit_to(&self, target: &Value, alerts: usize) -> anyhow::Result<Vec<Submitted>> {
        (0..alerts).map(|_| self.house.api.submit_alert(&self.incident, target)).collect()
    }

    /// Alerts to the whole city that wait for their second person.
    ///
    /// # Errors
    /// When one is refused.
    pub fn submit(&self, alerts: usize) -> anyhow::Result<Vec<Submitted>> {
        self.submit_to(&json!({ "include": { "areas": ["1404"] } }), alerts)
    }

    /// Sends an alert, and lets the phones live until so many have it, and a moment more.
    ///
    /// # Errors
    /// When it is refused.
    pub fn publish(&mut self, alert: &Submitted, meant: usize) -> anyhow::Result<(Times, usize)> {
        self.fleet.talk.forget_alerts();
        let began = Instant::now();
        let api = self.house.api.clone();
        self.run_while(|| api.approve(alert), |talk| talk.alerts.len() >= meant)?;
        let (times, came) = (Times::since(began, &self.fleet.talk.alerts), self.fleet.talk.alerts.len());
        self.fleet.run(SETTLE, |_| false)?;
        Ok((times, came))
    }

    /// Lets the phones live while another thread gives an order, and until `done`. Whether it was done.
    ///
    /// # Errors
    /// When the order is refused.
    pub fn run_while(
        &mut self,
        order: impl FnOnce() -> anyhow::Result<()> + Send,
        done: impl FnMut(&MusterTalk) -> bool,
    ) -> anyhow::Result<bool> {
        std::thread::scope(|scope| {
            let given = scope.spawn(order);
            let done = self.fleet.run(PATIENCE, done)?;
            given.join().unwrap_or_else(|_| bail!("the thread that gives the order panicked"))?;
            Ok(done)
        })
    }

    /// A count of the server's metrics.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn metric(&self, name: &str) -> anyhow::Result<u64> {
        self.house.api.metric(name)
    }
}

/// What a scenario found.
#[derive(Debug)]
pub struct Outcome {
    /// By name: what a budget can bound.
    pub figures: Value,
    /// Whether what it promises was kept.
    pub kept: bool,
}

/// Says what was found: each promise that is not kept, a table of names and values, then a JSON line.
///
/// # Errors
/// Never for plain figures.
pub fn tell(scenario: &str, figures: Value, promises: &[(&str, bool)]) -> anyhow::Result<Outcome> {
    for (what, _) in promises.iter().filter(|(_, kept)| !kept) {
        eprintln!("MISSED: {what}");
    }
    println!("| {scenario} | |\n|---|--:|");
    for (name, value) in figures.as_object().into_iter().flatten() {
        println!("| {} | {value} |", name.replace('_', " "));
    }
    println!("\n{}", crate::figures::json_line(scenario, &figures)?);
    Ok(Outcome { figures, kept: promises.iter().all(|(_, kept)| *kept) })
}
