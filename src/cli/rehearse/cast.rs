//! Who plays: the people of the compounds that are hit, invited by the dispatcher and signed in by their one-time links, each with a
//! phone on the live socket.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Semaphore;

use crate::domain::compound::{Compound, CompoundId};
use crate::domain::ids::PersonId;

use super::api::{Api, Key};
use super::human::Human;
use super::owner::Owner;
use super::phone::Phone;
use super::stage::{Place, REQUESTS_MAX, Stage};

/// Phones of one rehearsal.
pub const PHONES_MAX: usize = 1_500;
/// Phones of one compound: at least the commander, the first deputy and one at a post.
const PHONES_OF_PLACE: std::ops::RangeInclusive<usize> = 3..=12;
/// Sockets that are being opened at once.
const OPENING_MAX: usize = 64;
/// How long all phones may take to connect.
const CONNECT_WITHIN: Duration = Duration::from_mins(1);
/// Of 100 commanders, how many do not answer.
const SILENT_PERCENT: usize = 8;

#[derive(Deserialize)]
struct Sheet {
    compound: Compound,
}

#[derive(Deserialize)]
struct Command {
    line: Vec<PersonId>,
}

#[derive(Deserialize)]
struct Post {
    claims: Vec<Claim>,
}

#[derive(Deserialize)]
struct Claim {
    person: PersonId,
    status: String,
}

#[derive(Deserialize)]
struct Invitation {
    person: PersonId,
    url: String,
}

#[derive(Deserialize)]
struct SignedIn {
    token: String,
}

/// Looks up the compounds that are hit; those who play are chosen, nobody is invited yet.
///
/// # Errors
/// What the server refused.
pub async fn places(api: &Api, key: &Key, hits: &[CompoundId], human: Human) -> anyhow::Result<Vec<Place>> {
    let found = stream::iter(hits.iter().map(|id| place(api, key, *id)));
    let mut found: Vec<(Place, Vec<PersonId>)> = found.buffered(REQUESTS_MAX).try_collect().await?;
    let share = (PHONES_MAX / found.len().max(1)).clamp(*PHONES_OF_PLACE.start(), *PHONES_OF_PLACE.end());
    let mut taken = HashSet::new();
    for (place, holders) in &mut found {
        let wanted = place.line.iter().take(2).chain(holders.iter()).copied();
        place.with_phone = wanted.filter(|person| taken.insert(*person)).take(share).collect();
    }
    let mut places: Vec<Place> = found.into_iter().map(|(place, _)| place).collect();
    choose_silent(&mut places, human);
    Ok(places)
}

async fn place(api: &Api, key: &Key, id: CompoundId) -> anyhow::Result<(Place, Vec<PersonId>)> {
    let Sheet { compound } = api.get(key, &format!("compounds/{id}")).await?;
    let Command { line } = api.get(key, &format!("compounds/{id}/command")).await?;
    let posts: Vec<Post> = api.get(key, &format!("compounds/{id}/posts")).await?;
    let claims = posts.into_iter().flat_map(|post| post.claims);
    let holders = claims.filter(|claim| claim.status == "approved").map(|claim| claim.person).collect();
    Ok((Place { compound, line, with_phone: Vec::new(), silent: false }, holders))
}

/// The same commanders are silent in every rehearsal of the seed: a share of them, at least one.
fn choose_silent(places: &mut [Place], human: Human) {
    let mut led: Vec<&mut Place> = places.iter_mut().filter(|place| !place.line.is_empty()).collect();
    led.sort_by_key(|place| human.number(&place.id().to_string(), "silent"));
    let count = (led.len() * SILENT_PERCENT).div_ceil(100);
    led.into_iter().take(count).for_each(|place| place.silent = true);
}

/// Invites, redeems, connects. Gives the phones when every one of them has heard hello.
///
/// # Errors
/// What the server refused; phones that did not get on the line.
pub async fn enrol(stage: &mut Stage) -> anyhow::Result<()> {
    let people: usize = stage.places.iter().map(|place| place.with_phone.len()).sum();
    stage.teller.say(
        &format!("调度员为 {people} 人生成一次性邀请，逐个兑换登录"),
        &format!("one-time invitations for {people} people, redeemed one by one"),
    );
    let opening = Arc::new(Semaphore::new(OPENING_MAX));
    let admitted = stream::iter(stage.places.iter().map(|place| admit(stage, place)));
    let admitted: Vec<Vec<(PersonId, bool, Key)>> = admitted.buffered(REQUESTS_MAX).try_collect().await?;
    let url = stage.api.live_url();
    for (person, silent, key) in admitted.into_iter().flatten() {
        let owner = Owner { person, silent, human: stage.human, incident: stage.incident };
        stage.phone_of.insert(person, stage.phones.len());
        stage.phones.push(Phone::switch_on(&url, owner, key, opening.clone(), stage.off.clone()));
    }
    let on_line = |stage: &Stage| stage.phones.iter().filter(|phone| phone.log().connected.is_some()).count();
    let all = stage.wait_until(CONNECT_WITHIN, |stage| on_line(stage) == stage.phones.len()).await;
    stage.figures.phones = stage.phones.len();
    stage.figures.connected = on_line(stage);
    if !all {
        bail!("只有 {}/{} 部手机连上。 Only so many phones got on the line.", stage.figures.connected, people);
    }
    stage.teller.say(
        &format!("{people} 部手机经 WebSocket 连上并收到 hello"),
        &format!("{people} phones connected by WebSocket and greeted"),
    );
    Ok(())
}

/// The people of one place with their tokens.
async fn admit(stage: &Stage, place: &Place) -> anyhow::Result<Vec<(PersonId, bool, Key)>> {
    if place.with_phone.is_empty() {
        return Ok(Vec::new());
    }
    let path = format!("compounds/{}/invitations", place.id());
    let form = json!({ "people": place.with_phone });
    let invitations: Vec<Invitation> = stage.api.post(&stage.city1, &path, &form).await?;
    let mut admitted = Vec::with_capacity(invitations.len());
    for Invitation { person, url } in invitations {
        let (_, secret) = url.split_once('#').context("an invitation without a secret")?;
        let form = json!({ "invitation": secret });
        let SignedIn { token } = stage.api.post(&Key::Nobody, "invitations/redeem", &form).await?;
        let silent = place.silent && place.line.first() == Some(&person);
        admitted.push((person, silent, Key::Bearer(token)));
    }
    Ok(admitted)
}
