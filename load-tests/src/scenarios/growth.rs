//! `growth`: what an alert costs with more phones and in a larger city, and with which exponent that grows.

use std::iter;

use serde_json::json;

use super::alert_storm::{AlertStorm, Round, To};
use super::stage::{Outcome, Size};
use crate::figures::json_line;

/// `growth`
#[derive(Debug, Clone, clap::Args)]
pub struct Growth {
    /// Sizes of the fleet, the smallest first
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 5_000, 10_000, 19_000])]
    phones: Vec<usize>,
    /// Sizes of the city, the smallest first, each with the smallest fleet
    #[arg(long, value_delimiter = ',', default_values_t = [2_431, 24_310, 100_000])]
    cities: Vec<usize>,
    /// Publishes to all, and to one compound, at each size
    #[arg(long, default_value_t = 20)]
    publishes: usize,
}

/// An alert to all and one to a single compound, at one size.
struct At {
    phones: usize,
    compounds: usize,
    all: Round,
    one: Round,
}

impl At {
    /// Processor time of an alert to all, in microseconds.
    fn cpu_us(&self) -> f64 {
        self.all.cpu_us_per_delivery * self.phones as f64
    }
}

impl Growth {
    /// Runs it, and tells what it found. Whether nothing was lost or doubled.
    ///
    /// # Errors
    /// When a server does not start, or breaks off, or there is no size.
    pub fn run(&self) -> anyhow::Result<Outcome> {
        let ([few, fleets @ ..], [small, cities @ ..]) = (&self.phones[..], &self.cities[..]) else {
            anyhow::bail!("no size of the fleet, or none of the city");
        };
        let first = self.at(*few, *small)?;
        let fleets: Vec<At> = fleets.iter().map(|phones| self.at(*phones, *small)).collect::<Result<_, _>>()?;
        let cities: Vec<At> = cities.iter().map(|city| self.at(*few, *city)).collect::<Result<_, _>>()?;
        let all = || iter::once(&first).chain(&fleets).chain(&cities);
        println!("{}", table(all()));
        let (last, largest) = (fleets.last().unwrap_or(&first), cities.last().unwrap_or(&first));
        let of_phones = |cost: fn(&At) -> f64| exponent((first.phones, cost(&first)), (last.phones, cost(last)));
        let of_compounds =
            |cost: fn(&At) -> f64| exponent((first.compounds, cost(&first)), (largest.compounds, cost(largest)));
        let figures = json!({
            "cpu_exponent_of_phones": of_phones(At::cpu_us),
            "last_exponent_of_phones": of_phones(|at| at.all.last_ms),
            "cpu_exponent_of_compounds": of_compounds(At::cpu_us),
            "last_exponent_of_compounds": of_compounds(|at| at.all.last_ms),
            "one_with_most_phones_times_fewest": last.one.last_ms / first.one.last_ms,
            "one_in_largest_city_times_smallest": largest.one.last_ms / first.one.last_ms,
        });
        println!("{}", json_line("growth", &figures)?);
        let kept = all().flat_map(|at| [&at.all, &at.one]).all(|round| round.lost == 0 && round.doubled == 0);
        Ok(Outcome { figures, kept })
    }

    fn at(&self, phones: usize, compounds: usize) -> anyhow::Result<At> {
        let storm = |to| {
            eprintln!("{phones} phones, {compounds} compounds, alerts to {to}");
            // A word to one compound takes 2 ms, of which the disk has most: the median needs more of them.
            let publishes = if to == To::One { 3 * self.publishes } else { self.publishes };
            AlertStorm::of(Size { connections: phones, compounds }, publishes, to).at_muster()
        };
        Ok(At { phones, compounds, all: storm(To::All)?, one: storm(To::One)? })
    }
}

/// With which power of the size a cost grows: 0 not at all, 1 in proportion. `None` where there is nothing to compare: one size, or a
/// cost below what can be counted (processor time comes in hundredths of a second).
fn exponent((size, cost): (usize, f64), (larger, more): (usize, f64)) -> Option<f64> {
    (larger > size && cost > 0.0 && more > 0.0).then(|| (more / cost).ln() / (larger as f64 / size as f64).ln())
}

fn table<'a>(all: impl Iterator<Item = &'a At>) -> String {
    let mut lines = vec![
        "| phones | compounds | alert to all: CPU ms | µs CPU per delivery | last, ms | alert to one: phones | last, ms | \
         KiB per connection |"
            .to_owned(),
        "|--:|--:|--:|--:|--:|--:|--:|--:|".to_owned(),
    ];
    for at in all {
        lines.push(format!(
            "| {} | {} | {:.1} | {:.1} | {:.0} | {} | {:.1} | {:.1} |",
            at.phones,
            at.compounds,
            at.cpu_us() / 1e3,
            at.all.cpu_us_per_delivery,
            at.all.last_ms,
            at.one.phones,
            at.one.last_ms,
            at.all.kib_per_connection,
        ));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::exponent;

    #[test]
    fn what_grows_in_proportion_has_the_exponent_one() {
        for (more, power) in [(8.0, 1.0), (2.0, 0.0), (32.0, 2.0)] {
            assert!((exponent((1, 2.0), (4, more)).unwrap() - power).abs() < 1e-9, "{more}");
        }
        assert_eq!([exponent((1, 2.0), (1, 5.0)), exponent((1, 0.0), (4, 5.0))], [None, None]);
    }
}
