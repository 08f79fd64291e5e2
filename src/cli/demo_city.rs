//! Lays the demo city out in an empty data directory: names and accounts in the directory, then the city as one import.
//!
//! The journal comes last, so that whatever is cut short before is done again at the next start, and finds nothing half there. Only a
//! city of many times Changzhi's size, for load tests, is imported in parts; cut short between them, it is refused.

use std::fmt::Write as _;

use anyhow::bail;
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::city::City;
use crate::config::catalogue::{PlanOutlines, PostCatalogue};
use crate::demo::{self, DemoCity};
use crate::directory::Directory;
use crate::directory::accounts::{ACCOUNTS_PAGE_MAX, NewAccount};
use crate::directory::passwords::{Password, PasswordHash};
use crate::directory::people::{PEOPLE_BATCH_MAX, PersonEntry};
use crate::domain::actor::{Actor, Grant, Role};
use crate::domain::command::Command;
use crate::domain::ids::{CommandId, PersonId};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::runtime::Muster;

use super::progress;
use super::store::Store;

/// Of every demo account. It is published: a demo city is served on a loopback address only.
pub const DEMO_PASSWORD: &str = "muster-demo-1404";
/// The order that lays the city out; the same at every try. Further parts have the ids that follow.
const LAY_OUT: u128 = 0x6d75_7374_6572_2d64_656d_6f00_0000_1404;
/// Compounds that one order lays out at most; some 100 MB of journal.
const COMPOUNDS_PER_ORDER: usize = 10_000;

/// Lays out the demo city if nothing is there yet; says whether it did.
///
/// # Errors
/// When the data directory holds a real city, or something cannot be written.
pub fn ensure(
    store: &Store,
    directory: &Directory,
    muster: &Muster,
    runtime: &Runtime,
    compounds: usize,
) -> anyhow::Result<bool> {
    if muster.city().compound_count() > 0 {
        return if store.is_demo()? { Ok(false) } else { Err(real_city(store)) };
    }
    if !store.is_demo()? && !directory.accounts(None, 1)?.is_empty() {
        return Err(real_city(store));
    }
    store.mark_demo()?;
    let city =
        progress::during("铺设演示城市 laying out the demo city", || demo::city(demo::SEED_DEFAULT, compounds));
    progress::during("登记人员与账号 entering people and accounts", || {
        enter_people(directory, &city, muster.now())
    })?;
    let in_parts = city.compounds.len() > COMPOUNDS_PER_ORDER;
    if in_parts {
        store.mark_half()?;
    }
    progress::during("写入日志 writing the city into the journal", || runtime.block_on(import(&city, muster)))?;
    if in_parts {
        store.mark_whole()?;
    }
    Ok(true)
}

async fn import(city: &DemoCity, muster: &Muster) -> Result<(), Refusal> {
    let (catalogue, outlines) = (PostCatalogue::as_delivered(), PlanOutlines::as_delivered());
    for (id, batch) in (LAY_OUT..).zip(city.batches(&catalogue, &outlines, COMPOUNDS_PER_ORDER)) {
        let id = CommandId(Uuid::from_u128(id));
        muster.order(Actor::system(), id, None, Command::Import(Box::new(batch))).await?;
    }
    Ok(())
}

/// Half a city is not served: nobody would see what it lacks.
///
/// # Errors
/// When the laying out was cut short after its first part.
pub fn check_whole(store: &Store, city: &City) -> anyhow::Result<()> {
    if (city.compound_count() > 0 || store.shared().is_some()) && store.is_half()? {
        bail!(
            "城市上次只写入了一部分（铺设演示城市或恢复备份被中断）：请清空 {0} 后重新开始。 \
             Only a part of the city is there: laying out the demo or bringing back a copy was cut short. Empty {0} and begin again.",
            store.place()
        );
    }
    Ok(())
}

fn real_city(store: &Store) -> anyhow::Error {
    anyhow::anyhow!(
        "数据目录 {0} 已有真实城市的数据，演示城市须用另一目录（MUSTER_DATA_DIR）。 \
         The data directory {0} holds a real city; choose another one for the demo (MUSTER_DATA_DIR).",
        store.place()
    )
}

/// Names, phones and sign-ins. Done again it changes nothing.
fn enter_people(directory: &Directory, city: &DemoCity, now: Timestamp) -> anyhow::Result<()> {
    let entry = |person: &demo::DemoPerson| PersonEntry {
        id: person.id,
        name: person.name.clone(),
        phone: Some(person.phone.clone()),
        note: None,
    };
    for part in city.people.chunks(PEOPLE_BATCH_MAX) {
        directory.upsert_people(&part.iter().map(entry).collect::<Vec<_>>())?;
    }
    if !directory.accounts(None, 1)?.is_empty() {
        return Ok(());
    }
    let hash = PasswordHash::of(&Password::parse(DEMO_PASSWORD)?)?;
    let mut accounts = Vec::with_capacity(city.accounts.len());
    for account in &city.accounts {
        let Ok(login) = account.login.parse() else { bail!("{} is no login", account.login) };
        let grants = account.kind.grant().into_iter().collect();
        accounts.push(NewAccount { login, person: account.person, hash: hash.clone(), grants });
    }
    Ok(directory.create_with_hash(&accounts, now)?)
}

/// The sign-ins as a table for people, as the directory has them: it is the same at every start.
///
/// # Errors
/// When the directory cannot be read.
pub fn sign_ins(directory: &Directory, city: &City) -> anyhow::Result<String> {
    let mut table = format!("  口令 Password: {DEMO_PASSWORD}\n");
    for account in directory.accounts(None, ACCOUNTS_PAGE_MAX)? {
        let role = match account.grants.first() {
            Some(Grant { role, area }) => {
                let (zh, en) = role_names(*role);
                format!("{}{zh} {en} of {area}", city.area_name(*area))
            }
            None => without_grant(city, account.person),
        };
        let _ = writeln!(table, "    {:<12} {role}", account.login);
    }
    Ok(table)
}

const fn role_names(role: Role) -> (&'static str, &'static str) {
    match role {
        Role::Administrator => ("管理员", "administrator"),
        Role::Dispatcher => ("调度员", "dispatcher"),
        Role::Observer => ("观察员", "observer"),
    }
}

/// What somebody is by the journal alone.
fn without_grant(city: &City, person: PersonId) -> String {
    let place = city.places_of(person).find_map(|id| city.compound(id).ok());
    place.map_or_else(String::new, |state| {
        let (zh, en) = if state.is_commanded_by(person) {
            ("指挥长", "commander of")
        } else if state.has_claimant(person) {
            ("岗位人员", "holds a post in")
        } else {
            ("人员", "of")
        };
        format!("{}{zh} {en} {}", state.compound.name, state.compound.id)
    })
}
