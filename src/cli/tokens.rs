//! `muster tokens`: bearer tokens of many demo people at once, for load tests and rehearsals. Of a real city's people it makes none.

use std::io::{BufWriter, Write as _, stdout};

use anyhow::bail;
use serde::Serialize;

use crate::city::City;
use crate::config::Config;
use crate::domain::compound::CompoundId;
use crate::domain::ids::PersonId;
use crate::runtime::clock::{Clock as _, SystemClock};

use super::progress;
use super::store::Store;

/// Prints tokens.
#[derive(Debug, clap::Args)]
pub(super) struct Tokens {
    /// 数量 How many; commanders first, then post-holders, compound by compound
    #[arg(long)]
    count: usize,
}

/// One line of the output.
#[derive(Serialize)]
struct Line<'a> {
    token: &'a str,
    person: PersonId,
    compound: CompoundId,
    commander: bool,
}

/// Somebody with a part in a compound.
struct Holder {
    person: PersonId,
    compound: CompoundId,
    commander: bool,
}

impl Tokens {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<()> {
        let store = Store::of(config)?;
        if !store.is_demo()? {
            bail!("批量令牌只用于演示城市。 Tokens in bulk are for demo cities only.");
        }
        let city = progress::during("读取日志 reading the journal", || store.replay())?;
        let mut holders = holders(&city);
        if holders.len() < self.count {
            bail!("这座城市只有 {0} 人有岗位。 Only {0} people of this city hold a post.", holders.len());
        }
        holders.truncate(self.count);
        let people: Vec<_> = holders.iter().map(|holder| holder.person).collect();
        let tokens = store.open_directory()?.create_many(&people, SystemClock.now())?;
        let mut out = BufWriter::new(stdout().lock());
        for (Holder { person, compound, commander }, token) in holders.into_iter().zip(&tokens) {
            serde_json::to_writer(&mut out, &Line { token: token.expose(), person, compound, commander })?;
            out.write_all(b"\n")?;
        }
        Ok(out.flush()?)
    }
}

/// Everybody with a part, each once: who commands now, compound by compound, then all others.
fn holders(city: &City) -> Vec<Holder> {
    let mut seen = std::collections::HashSet::new();
    let all = || {
        city.compounds().flat_map(|(id, state)| {
            let holder = |person| Holder { person, compound: *id, commander: state.is_commanded_by(person) };
            state.people().into_iter().map(holder)
        })
    };
    let commanders = all().filter(|holder| holder.commander);
    commanders.chain(all().filter(|holder| !holder.commander)).filter(|holder| seen.insert(holder.person)).collect()
}
