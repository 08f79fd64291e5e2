//! `duty-switch`: the whole city goes to emergency in one order, and every phone that is called answers that it is coming and that it
//! is there.

use std::time::{Duration, Instant};

use serde_json::json;

use super::stage::{Outcome, SETTLE, Size, Stage, tell};
use crate::figures::Times;

/// Answers of each phone: on the way, and there.
const ANSWERS: usize = 2;

/// `duty-switch`
#[derive(Debug, Clone, clap::Args)]
pub struct DutySwitch {
    #[command(flatten)]
    size: Size,
}

impl DutySwitch {
    /// Runs it, and tells what it found. Whether each phone was called once, and each answer is in the city.
    ///
    /// # Errors
    /// When the server does not start, or breaks off.
    pub fn run(&self) -> anyhow::Result<Outcome> {
        let mut stage = Stage::set(&self.size)?;
        stage.connect()?;
        stage.fleet.talk.answers_calls = true;
        let order = json!({ "areas": ["1404"], "to": { "emergency": "I" } });
        let path = format!("incidents/{}/switch", stage.incident);
        let (api, began) = (stage.house.api.clone(), Instant::now());
        let mut decided = Duration::ZERO;
        let give = || {
            api.post(&api.city[0], &path, &order)?;
            decided = began.elapsed();
            Ok(())
        };
        // Who is called is the server's to say: all are here once no further call and no further answer comes.
        let mut still = Still::default();
        stage.run_while(give, |talk| still.for_a_while(talk.calls.len() + talk.answered.len(), talk.calls.len()))?;
        let talk = &stage.fleet.talk;
        let calls = Times::since(began, &talk.calls);
        let answers = Times::since(began, &talk.answered);
        let told: serde_json::Value = stage.house.api.get(&format!("incidents/{}/tally?area=1404", stage.incident))?;
        let on_post = told["duty"]["on_post"].as_u64().unwrap_or_default();
        tell(
            "duty-switch",
            json!({
                "phones": stage.fleet.phones(),
                "called_in_the_city": told["duty"]["called"],
                "phones_called": talk.calls.len(),
                "order_decided_and_told_ms": decided.as_millis(),
                "call_delivered_p50_ms": calls.percent_ms(50.0).round(),
                "last_call_delivered_ms": calls.percent_ms(100.0).round(),
                "last_answer_durable_ms": answers.percent_ms(100.0).round(),
                "answers_durable_per_s": (talk.answered.len() as f64 / (answers.percent_ms(100.0) - calls.percent_ms(0.0)) * 1e3).round(),
                "on_post_in_the_city": on_post,
                "refused": talk.refused,
                "doubled": talk.doubled,
            }),
            &[
                ("somebody is called", !talk.calls.is_empty()),
                ("each answer is durable", talk.answered.len() == ANSWERS * talk.calls.len()),
                ("each answer is in the city", on_post == talk.calls.len() as u64),
                ("nothing is refused", talk.refused == 0),
                ("nothing comes twice", talk.doubled == 0),
            ],
        )
    }
}

/// Whether a number has not changed for a while.
#[derive(Default)]
struct Still {
    number: usize,
    since: Option<Instant>,
}

impl Still {
    fn for_a_while(&mut self, number: usize, at_least: usize) -> bool {
        let since = *self.since.get_or_insert_with(Instant::now);
        if number != self.number {
            (self.number, self.since) = (number, None);
            return false;
        }
        at_least > 0 && since.elapsed() > 3 * SETTLE
    }
}
