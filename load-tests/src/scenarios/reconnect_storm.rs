//! `reconnect-storm`: all phones are cut off at once, alerts go out meanwhile, and all come back and resume.

use std::time::Duration;

use serde_json::json;

use super::stage::{Outcome, SETTLE, Size, Stage, tell};
use crate::usage;

/// Alerts before the cut and while nobody is there.
const ALERTS: usize = 3;

/// `reconnect-storm`
#[derive(Debug, Clone, clap::Args)]
pub struct ReconnectStorm {
    #[command(flatten)]
    size: Size,
}

impl ReconnectStorm {
    /// Runs it, and tells what it found. Whether nothing was lost or doubled, and all were back in time.
    ///
    /// # Errors
    /// When the server does not start, or breaks off.
    pub fn run(&self) -> anyhow::Result<Outcome> {
        let mut stage = Stage::set(&self.size)?;
        let phones = stage.fleet.phones();
        let (before, missed) = (stage.submit(ALERTS)?, stage.submit(ALERTS)?);
        let first = stage.connect()?;
        for alert in &before {
            stage.publish(alert, phones)?;
        }
        let idle = usage::of(&stage.house.processes())?;
        stage.fleet.cut();
        for alert in &missed {
            stage.house.api.approve(alert)?;
        }
        stage.fleet.talk.resumes = true;
        let back = stage.connect()?;
        let peak_kib = usage::peak_kib(&stage.house.processes())?;
        let all = 2 * ALERTS;
        stage.fleet.run(SETTLE, |_| false)?;
        let lost: usize = stage.fleet.each().map(|phone| all.saturating_sub(phone.alerts)).sum();
        let talk = &stage.fleet.talk;
        let gone = stage.metric("connections")?;
        tell(
            "reconnect-storm",
            json!({
                "phones": phones,
                "first_connect_s": seconds(first),
                "back_and_told_s": seconds(back),
                "memory_before_mib": idle.memory_kib / 1_024,
                "peak_memory_mib": peak_kib / 1_024,
                "connections_now": gone,
                "lost": lost,
                "doubled": talk.doubled,
                "reloads": talk.reloads,
            }),
            &[
                ("nothing is lost", lost == 0),
                ("nothing comes twice", talk.doubled == 0),
                ("nobody has to load anew", talk.reloads == 0),
            ],
        )
    }
}

fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 100.0).round() / 100.0
}
