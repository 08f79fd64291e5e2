//! Switching duty: all compounds to level II in one order; posts are called, answer by phone or by voice, and the bench fills in.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use crate::domain::compound::CompoundId;
use crate::domain::duty::CallState;
use crate::domain::ids::PersonId;

use super::human::{CallAnswer, reason_en};
use super::phone::Phone;
use super::stage::{REQUESTS_MAX, Stage};

/// How long is waited beyond the slowest person for answers to be taken.
const GRACE: Duration = Duration::from_secs(15);
/// The slowest to answer a call and arrive, in their seconds.
const ARRIVE_S: f64 = 245.0;
/// How often calls by voice are noted: who declines is replaced from the bench, and the bench is rung up, too.
const VOICE_ROUNDS: usize = 3;
/// How long all phones may take to get their calls.
const CALL_WITHIN: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
struct Duty {
    calls: Vec<Call>,
}

#[derive(Deserialize)]
struct Call {
    post: String,
    person: PersonId,
    state: CallState,
}

#[derive(Deserialize)]
struct Board {
    in_emergency: u64,
    ready: u64,
    duty: Counts,
    median_ready_s: Option<u64>,
}

#[derive(Deserialize)]
struct Counts {
    posts: u64,
    posts_ready: u64,
    needed: u64,
    on_post: u64,
    declined: u64,
    vacant: u64,
}

/// Switches all compounds that are hit to level II.
///
/// # Errors
/// What the server refused.
pub async fn switch(stage: &mut Stage) -> anyhow::Result<()> {
    let form = json!({ "compounds": stage.codes(), "to": { "emergency": "II" } });
    let before = Instant::now();
    stage.order(&format!("incidents/{}/switch", stage.incident), &form).await?;
    stage.figures.switched = Some(before);
    let (count, ms) = (stage.places.len(), before.elapsed().as_millis());
    stage.teller.say(
        &format!("一道命令：{count} 个小区转入急时 II 级，{ms} 毫秒落盘并应答"),
        &format!("one order moved {count} compounds to level II: on disk and answered in {ms} ms"),
    );
    Ok(())
}

/// Waits until phones have answered; those without a phone are rung up by the dispatcher, who notes what they say.
///
/// # Errors
/// What the server refused.
pub async fn staff(stage: &mut Stage) -> anyhow::Result<()> {
    let first = calls(stage).await?;
    let phones: Vec<_> = first.iter().filter(|call| stage.phone(call.person).is_some()).collect();
    let arrived = |stage: &Stage, call: &Call| {
        stage.phone(call.person).is_none_or(|phone| phone.log().calls.contains(&call.post))
    };
    stage.wait_until(CALL_WITHIN, |stage| phones.iter().all(|call| arrived(stage, call))).await;
    let (all, by_phone) = (first.len(), phones.len());
    stage.teller.say(
        &format!("{all} 人被叫到岗，其中 {by_phone} 人由手机应答，其余由调度员电话通知并代记"),
        &format!("{all} people called: {by_phone} answer by phone; the others are rung up, and the dispatcher notes the answer"),
    );
    for _ in 0..VOICE_ROUNDS {
        by_voice(stage).await?;
        let still = |phone: &Phone| has_answered(phone);
        stage.wait_until(stage.their_s(ARRIVE_S) + GRACE, |stage| stage.phones.iter().all(still)).await;
    }
    let was: BTreeSet<(String, PersonId)> = first.into_iter().map(|call| (call.post, call.person)).collect();
    let now = calls(stage).await?;
    let from_bench = now.iter().filter(|call| !was.contains(&(call.post.clone(), call.person))).count();
    count(stage, from_bench).await
}

/// Whether the owner has done about every call what they will do.
fn has_answered(phone: &Phone) -> bool {
    let (owner, log) = (&phone.owner, phone.log());
    let me = owner.person.to_string();
    log.calls.iter().all(|post| {
        owner.silent
            || match owner.human.answers_call(&me, post) {
                CallAnswer::Comes => log.on_post.contains_key(post),
                CallAnswer::Declines(_) => log.declined.contains(post),
                CallAnswer::Silent => true,
            }
    })
}

/// Notes what people without a phone answer.
async fn by_voice(stage: &Stage) -> anyhow::Result<()> {
    let waiting = calls(stage).await?;
    let waiting =
        waiting.into_iter().filter(|call| call.state == CallState::Called && stage.phone(call.person).is_none());
    let noted = stream::iter(waiting.map(|call| async move {
        let answer = match stage.human.answers_call(&call.person.to_string(), &call.post) {
            CallAnswer::Comes => json!("on_post"),
            CallAnswer::Declines(reason) => json!({ "declined": { "reason": reason } }),
            CallAnswer::Silent => return Ok(()),
        };
        let form = json!({ "post": call.post, "person": call.person, "answer": answer });
        stage.order("calls/answer-for", &form).await
    }));
    noted.buffer_unordered(REQUESTS_MAX).try_collect::<()>().await
}

/// All calls of the compounds that are hit.
async fn calls(stage: &Stage) -> anyhow::Result<Vec<Call>> {
    let of = |id: CompoundId| async move {
        let duty: Duty = stage.api.get(&stage.city1, &format!("compounds/{id}/duty")).await?;
        Ok::<_, anyhow::Error>(duty.calls)
    };
    let all: Vec<Vec<Call>> =
        stream::iter(stage.codes().into_iter().map(of)).buffered(REQUESTS_MAX).try_collect().await?;
    Ok(all.into_iter().flatten().collect())
}

async fn count(stage: &mut Stage, from_bench: usize) -> anyhow::Result<()> {
    let path = format!("incidents/{}/duty?area={}", stage.incident, stage.area);
    let board: Board = stage.api.get(&stage.city1, &path).await?;
    let mut reasons: HashMap<&'static str, usize> = HashMap::new();
    for phone in &stage.phones {
        for post in &phone.log().declined {
            if let CallAnswer::Declines(reason) = phone.owner.human.answers_call(&phone.owner.person.to_string(), post)
            {
                *reasons.entry(reason).or_default() += 1;
            }
        }
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_unstable();
    for (reason, people) in reasons {
        stage.teller.say(
            &format!("不能到岗：{reason}（{people} 人）"),
            &format!("declined by {people}: {}", reason_en(reason)),
        );
    }
    let Board { in_emergency, ready, duty, median_ready_s } = board;
    let Counts { posts, posts_ready, needed, on_post, declined, vacant } = duty;
    stage.teller.say(
        &format!("应到 {needed}，到岗 {on_post}，不能到岗 {declined}，候补补位 {from_bench}，空缺 {vacant}"),
        &format!("{on_post} of {needed} on post, {declined} declined, {from_bench} from the bench, {vacant} vacant"),
    );
    stage.teller.say(
        &format!("就绪（各组到岗过半）：岗位满员 {posts_ready}/{posts}，小区 {ready}/{in_emergency}"),
        &format!(
            "ready (half of each team there): {ready} of {in_emergency} compounds; {posts_ready} of {posts} posts full"
        ),
    );
    let arrived =
        stage.phones.iter().flat_map(|phone| phone.log().on_post.values().copied().collect::<Vec<_>>()).collect();
    let figures = &mut stage.figures.posts;
    (figures.arrived, figures.posts_ready) = (arrived, (posts_ready, posts));
    (figures.needed, figures.on_post, figures.declined, figures.vacant) = (needed, on_post, declined, vacant);
    (figures.from_bench, figures.ready, figures.median_ready_s) = (from_bench, (ready, in_emergency), median_ready_s);
    Ok(())
}
