//! `load-tests SCENARIO`: loads a server of its own over the loopback, and tells what that costs. See load-tests/README.md.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use load_tests::budget::Budget;
use load_tests::chaos::Chaos;
use load_tests::cluster::run::Run;
use load_tests::peers::serve_own;
use load_tests::scenarios::alert_storm::AlertStorm;
use load_tests::scenarios::duty_switch::DutySwitch;
use load_tests::scenarios::growth::Growth;
use load_tests::scenarios::node_storm::{NodeStorm, Phones};
use load_tests::scenarios::reconnect_storm::ReconnectStorm;
use load_tests::scenarios::roll_call::RollCall;
use load_tests::scenarios::slow_readers::SlowReaders;
use load_tests::scenarios::stage::Outcome;

/// Consoles of `map-watchers`.
const WATCHERS: usize = 200;

/// Loads Muster, and what one would use instead, over the loopback.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    scenario: Scenario,
    /// Bounds of the figures (`config/load/….toml`): exit status 1 when one is missed
    #[arg(long, global = true)]
    budget: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Scenario {
    /// Alerts to all phones, to a tenth, to one compound; one by one and ten at once
    AlertStorm(AlertStorm),
    /// The whole city to emergency, and every phone answers
    DutySwitch(DutySwitch),
    /// All phones are cut off at once, and come back
    ReconnectStorm(ReconnectStorm),
    /// Alerts with more and more phones, and in larger cities
    Growth(Growth),
    /// Every household is reported, by phones and over HTTP
    RollCall(RollCall),
    /// The same, while 200 consoles watch the map
    MapWatchers(RollCall),
    /// Some phones stop reading
    SlowReaders(SlowReaders),
    /// Alerts to all phones, by how the city is kept and by how many nodes
    NodeStorm(NodeStorm),
    #[command(hide = true)]
    Phones(Phones),
    /// A cluster of three nodes, for people to use, kill and freeze
    Cluster(Run),
    /// A cluster under a roll call whose parts are killed, frozen, cut off and filled up
    Chaos(Chaos),
}

/// 0 when all is well, 1 when a promise is not kept, 2 when it could not be found out.
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(served) = serve_own(&arguments) {
        return code(served.map(|()| true).map_err(Into::into));
    }
    let Arguments { scenario, budget } = Arguments::parse();
    code(run(&scenario).and_then(|outcome| Ok(outcome.kept & keeps(budget.as_deref(), &outcome)?)))
}

fn run(scenario: &Scenario) -> anyhow::Result<Outcome> {
    match scenario {
        Scenario::AlertStorm(storm) => storm.run(),
        Scenario::DutySwitch(switch) => switch.run(),
        Scenario::Growth(growth) => growth.run(),
        Scenario::ReconnectStorm(storm) => storm.run(),
        Scenario::RollCall(roll) => roll.run(0),
        Scenario::MapWatchers(roll) => roll.run(WATCHERS),
        Scenario::SlowReaders(slow) => slow.run(),
        Scenario::NodeStorm(storm) => storm.run(),
        Scenario::Phones(phones) => phones.run(),
        Scenario::Cluster(cluster) => cluster.run().map(|()| Outcome { figures: serde_json::Value::Null, kept: true }),
        Scenario::Chaos(chaos) => chaos.run(),
    }
}

/// Whether the figures are within the budget; what is not is said.
fn keeps(budget: Option<&Path>, outcome: &Outcome) -> anyhow::Result<bool> {
    let Some(path) = budget else { return Ok(true) };
    let missed = Budget::read(path)?.missed(&outcome.figures)?;
    for what in &missed {
        eprintln!("MISSED: {what}");
    }
    Ok(missed.is_empty())
}

fn code(kept: anyhow::Result<bool>) -> ExitCode {
    match kept {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}
