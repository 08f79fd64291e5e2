//! `muster rehearse`: an exercise that plays a whole emergency against a running server, as its users would: over the public HTTP API
//! and real sockets, with nothing taken from inside.
//!
//! People are played after a seed ([`human`]), so that the same demo city gives the same play. Figures are what the phones measured
//! in this run; nothing of the historical event is shown as a figure of the city.
//!
//! Read on: [`warning`], [`answers`], [`duty`], [`roll`], [`aid`], [`stand_down`] in the order of the play; [`phone`] for the other end.

mod aid;
mod answers;
mod api;
mod cast;
mod clearing;
mod duty;
mod figures;
mod human;
mod owner;
mod phone;
mod phone_log;
mod proof;
mod roll;
mod socket;
mod stage;
mod stand_down;
mod teller;
mod warning;

use std::collections::HashMap;

use anyhow::{anyhow, bail};
use clap::ValueEnum;
use serde::Deserialize;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::domain::actor::{Grant, Role};
use crate::domain::ids::PersonId;

use super::demo_city::DEMO_PASSWORD;
use api::{Api, Key};
use figures::Figures;
use human::Human;
use stage::{Made, Stage};
use teller::Teller;

/// Compounds that one rehearsal may aim at: each gets at least three phones.
const COMPOUNDS_MAX: u64 = (cast::PHONES_MAX / 3) as u64;
/// Title of the incident.
const TITLE: &str = "洪水演练 flood-2021 Flood exercise";
/// What the exercise is after, as published; figures of the province, not of the city.
const EVENTS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/maps/data/hazard-events.json"));
const EVENT: &str = "flood-2021-10";

/// Plays an emergency.
#[derive(Debug, clap::Args)]
pub(super) struct Rehearse {
    /// 剧本 What is played
    scenario: Scenario,
    /// 服务器地址 The running server
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    server: String,
    /// city1、city2 的口令 Their password; the demo's when not given
    #[arg(long, env = "MUSTER_PASSWORD", hide_env_values = true, default_value = DEMO_PASSWORD, hide_default_value = true)]
    password: String,
    /// 目标小区数 About how many compounds are hit
    #[arg(long, default_value_t = 150, value_parser = clap::value_parser!(u64).range(1..=COMPOUNDS_MAX))]
    compounds: u64,
    /// 快进倍数 How much faster than people the people of the play are, 1 to 1,000
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    speed: u16,
    /// 随机种子 The same seed plays the same people
    #[arg(long, default_value_t = 1404)]
    seed: u64,
    /// 等待自动递补 Wait until the timer has passed the command of the silent on
    #[arg(long)]
    wait_for_escalation: bool,
    /// 在非演示城市上演练 Play on a server whose compounds are real
    #[arg(long)]
    yes_this_is_an_exercise: bool,
}

/// What can be played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scenario {
    /// 2021 年 10 月洪水 The flood of October 2021
    #[value(name = "flood-2021")]
    Flood2021,
}

#[derive(Deserialize)]
struct SignedIn {
    person: PersonId,
    grants: Vec<Grant>,
    token: String,
}

#[derive(Deserialize)]
struct Events {
    events: Vec<PastEvent>,
}

#[derive(Deserialize)]
struct PastEvent {
    id: String,
    start: Option<String>,
    end: Option<String>,
}

impl Rehearse {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let failures = runtime.block_on(self.play())?;
        if failures.is_empty() {
            println!("\n【演练】结束，全部通过。 [EXERCISE] Over: all that must hold did.");
            return Ok(());
        }
        bail!("演练发现问题 The exercise found faults:\n  {}", failures.join("\n  "))
    }

    /// The whole play; gives what did not hold.
    async fn play(&self) -> anyhow::Result<Vec<String>> {
        let mut stage = self.open().await?;
        let played = tokio::select! {
            played = self.scenes(&mut stage) => played,
            _ = tokio::signal::ctrl_c() => Err(anyhow!("按下 Ctrl-C。 Ctrl-C was pressed.")),
        };
        stage.off.cancel();
        let Err(error) = played else {
            stage.figures.print(&stage.teller, self.speed);
            return Ok(stage.figures.failures());
        };
        let mut failures = vec![format!("中途停止 stopped half-way: {error:#}")];
        if !stage.incident.is_nil()
            && let Err(error) = clearing::clear(&stage).await
        {
            failures.push(format!("收尾失败，下次演练时再收尾 not cleared up, the next rehearsal will: {error:#}"));
        }
        Ok(failures)
    }

    async fn scenes(&self, stage: &mut Stage) -> anyhow::Result<()> {
        let wanted = usize::try_from(self.compounds)?;
        let (target, within_m, preview) = warning::along_the_river(stage, wanted).await?;
        stage.places = cast::places(&stage.api, &stage.city1, &preview.hits, stage.human).await?;
        // Before anything is ordered: so far it was only looked.
        self.check_demo(stage)?;
        clearing::clear(stage).await?;
        let form = json!({ "hazard": "flood", "exercise": true, "title": TITLE });
        let incident: Made = stage.api.post(&stage.city1, "incidents", &form).await?;
        stage.incident = incident.id;
        stage.teller.say("事件已开启，性质：演练", "the incident is open; it is an exercise, once and for ever");
        stage.teller.step(2, "预览", "look before you send");
        warning::tell_preview(stage, within_m, &preview);
        stage.teller.step(3, "手机上线", "phones");
        cast::enrol(stage).await?;
        let preview = stage.api.post(&stage.city1, "targets/preview", &target).await?;
        warning::tell_preview(stage, within_m, &preview);
        stage.teller.step(4, "发布预警", "the alert");
        warning::send(stage, &target, preview.hits.len()).await?;
        stage.teller.step(5, "收到与确认", "received and acknowledged");
        answers::hear_back(stage).await?;
        answers::hand_over(stage, self.wait_for_escalation).await?;
        stage.teller.step(6, "平急转换", "duty");
        duty::switch(stage).await?;
        duty::staff(stage).await?;
        stage.teller.step(7, "点名与求助", "roll call and help");
        roll::call(stage).await?;
        roll::help(stage).await?;
        stage.teller.step(8, "互助", "mutual aid");
        aid::send_and_return(stage).await?;
        answers::count(stage).await?;
        stage.teller.step(9, "解除", "stand-down");
        stand_down::stand_down(stage).await?;
        proof::nothing_lost(stage).await
    }

    /// Signs in.
    async fn open(&self) -> anyhow::Result<Stage> {
        let teller = Teller::start();
        let Scenario::Flood2021 = self.scenario;
        tell_background(&teller)?;
        teller.step(1, "登录并开启演练事件", "sign in and open the exercise");
        let api = Api::new(&self.server)?;
        let (first, second) = (self.sign_in(&api, "city1").await?, self.sign_in(&api, "city2").await?);
        let dispatches = first.grants.iter().find(|grant| grant.role == Role::Dispatcher);
        let Some(area) = dispatches.map(|grant| grant.area) else {
            bail!("city1 不是调度员。 city1 is no dispatcher.");
        };
        teller.say("city1、city2 已登录", "city1 and city2 are signed in");
        Ok(Stage {
            api,
            city1: Key::Bearer(first.token),
            city2: Key::Bearer(second.token),
            area,
            city1_person: first.person,
            human: Human::new(self.seed, f64::from(self.speed)),
            teller,
            incident: Uuid::nil(),
            alert: Uuid::nil(),
            places: Vec::new(),
            worst: None,
            phones: Vec::new(),
            phone_of: HashMap::new(),
            off: CancellationToken::new(),
            figures: Figures::default(),
        })
    }

    async fn sign_in(&self, api: &Api, login: &str) -> anyhow::Result<SignedIn> {
        let form = json!({ "login": login, "password": self.password, "bearer": true });
        api.post(&Key::Nobody, "session", &form).await
    }

    /// Refuses to disturb a real city unless it was said that this is meant.
    fn check_demo(&self, stage: &Stage) -> anyhow::Result<()> {
        if self.yes_this_is_an_exercise || stage.places.iter().all(|place| place.compound.synthetic) {
            return Ok(());
        }
        bail!(
            "服务器上有真实小区，未发出任何信息。确认要对真实人员演练，请加 --yes-this-is-an-exercise。 \
             The server has real compounds; nothing was sent. To exercise with real people, add --yes-this-is-an-exercise."
        )
    }
}

/// What the exercise is after. The published figures are the province's: none of them is told here.
fn tell_background(teller: &Teller) -> anyhow::Result<()> {
    let Events { events } = serde_json::from_str(EVENTS)?;
    let Some(event) = events.into_iter().find(|event| event.id == EVENT) else { bail!("{EVENT} is not in the data") };
    let (start, end) = (event.start.unwrap_or_default(), event.end.unwrap_or_default());
    teller.say(
        &format!("背景：2021年10月山西暴雨洪水（{start} 至 {end}）。公开统计均为全省数字，不是本市数字；以下数字均为本次演练实测"),
        "background: the Shanxi flood of October 2021; published totals are the province's, never the city's; all figures below are of this run",
    );
    Ok(())
}
