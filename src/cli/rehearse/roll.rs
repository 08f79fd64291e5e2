//! Roll call: households report by their links, post-holders from door to door in batches; who needs help gets it.

use std::time::Duration;

use anyhow::{Context as _, bail};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::domain::compound::Need;
use crate::domain::household::{FlatNo, HouseholdKey};
use crate::domain::ids::PersonId;
use crate::live::frame::rfc3339;
use crate::runtime::clock::{Clock as _, SystemClock};

use super::api::Key;
use super::stage::{Place, REQUESTS_MAX, Stage};

/// Households of one compound that report by their own link.
const BY_LINK: usize = 3;
/// Reports in one request: fewer than one socket's queue holds, since each is heard by everybody in the team.
const BATCH: usize = 100;
/// People that a report speaks for, at most.
const HEADS_MAX: u64 = 5;
/// Of 1,000 households, how many are not met, and how many need help: among all, and among those that are helped first.
const NOT_MET_PER_MILLE: u64 = 20;
const HELP_PER_MILLE: u64 = 3;
const HELP_VULNERABLE_PER_MILLE: u64 = 60;
/// How long help may take beyond the slowest helper.
const GRACE: Duration = Duration::from_secs(30);
/// The slowest helper, in their seconds.
const HELP_S: f64 = 125.0;
/// Lines of the list of help requests that are shown.
const HELP_SHOWN: usize = 5;

#[derive(Deserialize)]
struct Link {
    household: HouseholdKey,
    url: String,
}

#[derive(Deserialize)]
struct Outcome {
    #[serde(default)]
    refused: Option<Refused>,
}

#[derive(Deserialize)]
struct Refused {
    code: String,
}

#[derive(Deserialize)]
struct Tally {
    roll: Roll,
}

#[derive(Deserialize)]
struct Roll {
    households: u64,
    unaccounted: u64,
    help_open: u64,
}

/// A help request that waits.
#[derive(Deserialize)]
struct Help {
    #[serde(rename = "help")]
    key: String,
    compound_name: String,
    kinds: Vec<String>,
    assigned_to: Option<PersonId>,
    needs: Option<Vec<Need>>,
}

impl Help {
    fn is_of(&self, place: &Place) -> bool {
        self.key.starts_with(&place.id().to_string())
    }
}

/// Everybody reports on everybody.
///
/// # Errors
/// What the server refused.
pub async fn call(stage: &mut Stage) -> anyhow::Result<()> {
    let by_link = stream::iter(stage.places.iter().map(|place| by_links(stage, place)));
    let by_link: usize = by_link.buffered(REQUESTS_MAX).try_fold(0, |sum, n| async move { Ok(sum + n) }).await?;
    stage
        .teller
        .say(&format!("{by_link} 户通过签名链接自报"), &format!("{by_link} households reported by their signed links"));
    let doors = stream::iter(stage.places.iter().map(|place| door_to_door(stage, place)));
    // All compounds go round at the same time; each has one request under way.
    let doors = doors.buffer_unordered(stage.places.len().max(1));
    let refused: Vec<String> =
        doors.try_fold(Vec::new(), |all: Vec<String>, some| async move { Ok([all, some].concat()) }).await?;
    stage.figures.refused.extend(refused);
    let roll = count(stage).await?;
    let accounted = roll.households - roll.unaccounted;
    stage.figures.help.0 = usize::try_from(roll.help_open)?;
    stage.teller.say(
        &format!("点名：{accounted}/{} 户已核实，{} 户求助", roll.households, roll.help_open),
        &format!("roll: {accounted} of {} households accounted for, {} need help", roll.households, roll.help_open),
    );
    Ok(())
}

async fn count(stage: &mut Stage) -> anyhow::Result<Roll> {
    let path = format!("incidents/{}/tally?area={}", stage.incident, stage.area);
    let Tally { roll } = stage.api.get(&stage.city1, &path).await?;
    stage.figures.accounted = (roll.households - roll.unaccounted, roll.households);
    Ok(roll)
}

/// The first households of a place, which have got links.
fn flats_with_link(place: &Place) -> Vec<FlatNo> {
    place.compound.flats().take(BY_LINK).collect()
}

async fn by_links(stage: &Stage, place: &Place) -> anyhow::Result<usize> {
    let path = format!("compounds/{}/household-links", place.id());
    let form = json!({ "flats": flats_with_link(place), "days": 1 });
    let links: Vec<Link> = stage.api.post(&stage.city1, &path, &form).await?;
    for Link { household, url } in &links {
        let (_, secret) = url.split_once('#').context("a household's link without a secret")?;
        let form = report(stage, place, household.flat, "self_report");
        let path = format!("incidents/{}/check-ins", stage.incident);
        stage.api.post::<Value>(&Key::Household(secret.to_owned()), &path, &form).await?;
    }
    Ok(links.len())
}

/// Somebody of the team goes from door to door; where nobody has a phone, the dispatcher enters what is told. Gives refusals.
async fn door_to_door(stage: &Stage, place: &Place) -> anyhow::Result<Vec<String>> {
    let (key, verified) = match stage.hand(place) {
        Some(phone) => (&phone.key, "door_to_door"),
        None => (&stage.city1, "relayed"),
    };
    let code = place.id().to_string();
    let linked = flats_with_link(place);
    let met = |flat: &FlatNo| !linked.contains(flat) && per_mille(stage, place, *flat, "met") >= NOT_MET_PER_MILLE;
    let flats: Vec<FlatNo> = place.compound.flats().filter(met).collect();
    let path = format!("incidents/{}/check-ins/batch", stage.incident);
    let mut refused = Vec::new();
    for (round, batch) in flats.chunks(BATCH).enumerate() {
        sleep(stage.human.takes(&code, &format!("round {round}"), 10.0, 40.0)).await;
        let check_in =
            |flat: &FlatNo| json!({ "id": Uuid::now_v7(), "check_in": report(stage, place, *flat, verified) });
        let form = json!({ "check_ins": batch.iter().map(check_in).collect::<Vec<_>>() });
        let outcomes: Vec<Outcome> = stage.api.post(key, &path, &form).await?;
        refused.extend(
            outcomes.into_iter().filter_map(|outcome| outcome.refused).map(|why| format!("check-in: {}", why.code)),
        );
    }
    Ok(refused)
}

fn per_mille(stage: &Stage, place: &Place, flat: FlatNo, what: &str) -> u64 {
    stage.human.number(&format!("{}/{flat}", place.id()), what) % 1_000
}

/// What is reported of a flat: the same in every rehearsal of the seed.
fn report(stage: &Stage, place: &Place, flat: FlatNo, verified: &str) -> Value {
    let household = HouseholdKey { compound: place.id(), flat };
    let vulnerable = place.compound.vulnerable.iter().any(|household| household.flat == flat);
    let help = if vulnerable { HELP_VULNERABLE_PER_MILLE } else { HELP_PER_MILLE };
    let throw = per_mille(stage, place, flat, "status");
    let status = match throw {
        _ if throw < help => {
            json!({ "need_help": { "kinds": [if throw.is_multiple_of(2) { "medical" } else { "trapped" }] } })
        }
        0..150 if !place.compound.assembly_points.is_empty() => json!({ "evacuated": { "assembly_point": 0 } }),
        150..250 => json!("away"),
        _ => json!("safe"),
    };
    let heads = if throw >= help && (150..250).contains(&throw) { 0 } else { 1 + throw % HEADS_MAX };
    let made_at = rfc3339(SystemClock.now(), 480);
    json!({ "household": household, "status": status, "heads": heads, "verified": verified, "made_at": made_at })
}

/// What the play's people ask for, in Chinese.
fn kind_zh(kind: &str) -> &str {
    match kind {
        "medical" => "医疗",
        "trapped" => "被困",
        other => other,
    }
}

/// Gives every open request to somebody by name, the vulnerable first, and waits until each has ended with a reason.
///
/// # Errors
/// What the server refused; requests that do not end.
pub async fn help(stage: &mut Stage) -> anyhow::Result<()> {
    let path = format!("incidents/{}/help", stage.incident);
    let waiting: Vec<Help> = stage.api.list(&stage.city1, &path).await?;
    stage.teller.say("求助清单，重点户在前：", "help requests, the vulnerable first:");
    for (no, help) in waiting.iter().enumerate().take(HELP_SHOWN) {
        let Help { key, compound_name, kinds, needs, .. } = help;
        let first = needs.as_ref().is_some_and(|needs| !needs.is_empty());
        let (zh, en) = if first { (" 重点户", ", vulnerable") } else { ("", "") };
        let kinds_zh: Vec<_> = kinds.iter().map(|kind| kind_zh(kind)).collect();
        let (kinds_zh, kinds, no) = (kinds_zh.join("、"), kinds.join(", "), no + 1);
        stage.teller.say(&format!("  {no}. {compound_name} {kinds_zh}{zh}"), &format!("{key} {kinds}{en}"));
    }
    let requests_of = |place: &Place| waiting.iter().filter(|request| request.is_of(place)).count();
    stage.worst = stage.places.iter().max_by_key(|place| (requests_of(place), place.compound.people)).map(Place::id);
    for request in waiting.iter().filter(|request| request.assigned_to.is_none()) {
        give(stage, request).await?;
    }
    let until = Instant::now() + stage.their_s(HELP_S) + GRACE;
    loop {
        let left: Vec<Help> = stage.api.list(&stage.city1, &path).await?;
        if left.is_empty() {
            break;
        }
        if Instant::now() >= until {
            bail!("{} 个求助未结束。 Help requests that did not end.", left.len());
        }
        sleep(LOOK_EVERY).await;
    }
    stage.figures.help.1 = waiting.len();
    count(stage).await?;
    stage.teller.say(
        &format!("{} 个求助均已指派到人并结束", waiting.len()),
        &format!("all {} requests were given to somebody and ended by name", waiting.len()),
    );
    Ok(())
}

/// How often it is looked whether help has ended.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// To somebody of the place with a phone, who ends it; else the dispatcher hands it over to the fire service.
async fn give(stage: &Stage, request: &Help) -> anyhow::Result<()> {
    let place = stage.places.iter().find(|place| request.is_of(place));
    let hand = place.and_then(|place| stage.hand(place)).map(|phone| phone.owner.person);
    let to = hand.unwrap_or(stage.city1_person);
    let assign = json!({ "help": request.key, "to": to });
    stage.order(&format!("incidents/{}/help/assign", stage.incident), &assign).await?;
    if hand.is_some() {
        return Ok(());
    }
    let reason = "演练：移交消防救援。 Exercise: handed over to the fire service.";
    let end = json!({ "help": request.key, "how": "handed_over", "reason": reason });
    stage.order(&format!("incidents/{}/help/end", stage.incident), &end).await
}
