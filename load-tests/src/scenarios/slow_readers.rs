//! `slow-readers`: some phones stop reading. The others must lose nothing, and the slow ones are closed with a code that tells them to come
//! back and resume. The others' delay and the server's memory are told, not judged: the alerts of the run itself take memory, too.

use serde_json::json;

use super::stage::{Outcome, PATIENCE, Size, Stage, tell};
use crate::figures::{Times, median};
use crate::usage;

/// One phone in so many stops reading.
const ONE_IN: usize = 20;
/// Publishes of each part of the run whose delays are compared.
const PUBLISHES: usize = 20;
/// Publishes after which somebody who does not read must have been closed: what waits for them is bounded.
const PUBLISHES_MAX: usize = 1_500;
/// As `live::codes` says it.
const SLOW_READER: u16 = 4001;

/// `slow-readers`
#[derive(Debug, Clone, clap::Args)]
pub struct SlowReaders {
    #[command(flatten)]
    size: Size,
    /// Frames that may wait for one phone; the server's own default when not given
    #[arg(long)]
    queue_frames: Option<usize>,
}

impl SlowReaders {
    /// Runs it, and tells what it found. Whether nothing was lost, and the slow ones were closed as they should be.
    ///
    /// # Errors
    /// When the server does not start, or breaks off.
    pub fn run(&self) -> anyhow::Result<Outcome> {
        let mut stage = self.stage()?;
        let (phones, slow) = (stage.fleet.phones(), self.size.connections / ONE_IN);
        stage.fleet.narrow(slow);
        stage.connect()?;
        let without = Self::delay(&mut stage, phones)?;
        let before = usage::of(&stage.house.processes())?;
        (0..slow).for_each(|number| stage.fleet.deafen(number));
        let with = Self::delay(&mut stage, phones - slow)?;
        let mut publishes = PUBLISHES;
        while stage.metric("slow_readers")? == 0 && publishes < PUBLISHES_MAX {
            for alert in stage.submit(PUBLISHES)? {
                stage.fleet.talk.forget_alerts();
                let api = stage.house.api.clone();
                stage.run_while(|| api.approve(&alert), |talk| talk.alerts.len() >= phones - slow)?;
            }
            publishes += PUBLISHES;
        }
        let after = usage::of(&stage.house.processes())?;
        // They read again, in time for the goodbye.
        for number in 0..slow {
            stage.fleet.undeafen(number)?;
        }
        stage.fleet.run(PATIENCE, |talk| talk.closed.len() + talk.cut_off >= slow)?;
        let talk = &stage.fleet.talk;
        let told = talk.closed.iter().filter(|code| **code == SLOW_READER).count();
        let others = talk.closed.len() - told + talk.cut_off;
        let heard = stage.fleet.each().skip(slow).map(|phone| phone.alerts);
        let all = PUBLISHES + publishes;
        let lost: usize = heard.map(|alerts| all.saturating_sub(alerts)).sum();
        tell(
            "slow-readers",
            json!({
                "phones": phones,
                "slow": slow,
                "last_of_all_ms_without": without.round(),
                "last_of_the_others_ms_with": with.round(),
                "publishes_until_closed": publishes,
                "closed_as_slow_readers": told,
                "ended_otherwise": others,
                "memory_more_mib": after.memory_kib.saturating_sub(before.memory_kib) / 1_024,
                "lost_by_the_others": lost,
                "doubled": talk.doubled,
            }),
            &[
                ("the others lose nothing", lost == 0),
                ("nothing comes twice", talk.doubled == 0),
                ("the slow ones are closed with their code", told == slow && others == 0),
            ],
        )
    }

    fn stage(&self) -> anyhow::Result<Stage> {
        let keys = self.queue_frames.map_or_else(String::new, |frames| format!("queue_frames = {frames}"));
        Stage::set_with(&self.size, &keys)
    }

    /// The median of how long the last of so many phones waits.
    fn delay(stage: &mut Stage, meant: usize) -> anyhow::Result<f64> {
        let mut all: Vec<Times> = Vec::new();
        for alert in stage.submit(PUBLISHES)? {
            all.push(stage.publish(&alert, meant)?.0);
        }
        Ok(median(all.iter().map(|times| times.percent_ms(100.0)).collect()))
    }
}
