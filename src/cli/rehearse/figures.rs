//! What was measured in this run, and whether all that must hold did.

use std::time::Duration;

use tokio::time::Instant;

use super::phone::Phone;
use super::teller::{Teller, column, shares};

/// Everything that the table at the end says.
#[derive(Debug, Default)]
pub struct Figures {
    /// Compounds that are hit.
    pub compounds: usize,
    /// Phones switched on.
    pub phones: usize,
    /// Of these, greeted by the server.
    pub connected: usize,
    /// The alert went out.
    pub issued: Option<Instant>,
    /// The order to switch went out.
    pub switched: Option<Instant>,
    /// Times at which it was on a phone.
    pub on_device: Vec<Instant>,
    /// Times at which a phone showed it.
    pub shown: Vec<Instant>,
    /// Phones whose owners look at them.
    pub watched: usize,
    /// Times at which a commander's acknowledgement was answered.
    pub acknowledged: Vec<Instant>,
    /// Commanders who answer.
    pub commanders: usize,
    /// Commanders who do not, and how many of their compounds were handed over to a deputy.
    pub silent: (usize, usize),
    /// In how many compounds the timer passed the command on.
    pub passed_on: usize,
    /// After how long somebody in command acknowledged for a compound, as the server noted it.
    pub compounds_acknowledged: Vec<Duration>,
    /// Places of posts: needed, on post, vacant; posts and compounds ready, of all; middle time to ready, s.
    pub posts: PostFigures,
    /// Households accounted for, of all on the roll.
    pub accounted: (u64, u64),
    /// Help requests opened and ended.
    pub help: (usize, usize),
    /// Dispatches sent and returned.
    pub aid: (usize, usize),
    /// Frames received, events that came twice, events that never came, phones for which that was looked up.
    pub frames: FrameFigures,
    /// Whether the incident closed.
    pub closed: bool,
    /// Steps and commands that were refused.
    pub refused: Vec<String>,
}

/// How the posts were filled.
#[derive(Debug, Default)]
pub struct PostFigures {
    /// Times at which people with a phone said that they are there.
    pub arrived: Vec<Instant>,
    /// Places that the called posts have.
    pub needed: u64,
    /// People there.
    pub on_post: u64,
    /// Declined, in all.
    pub declined: u64,
    /// People called after somebody declined.
    pub from_bench: usize,
    /// Places that stay empty.
    pub vacant: u64,
    /// Posts with their whole head-count there, of those that are called.
    pub posts_ready: (u64, u64),
    /// Compounds with at least half of each called team there, of those in emergency mode.
    pub ready: (u64, u64),
    /// Seconds to readiness in the middle one of these.
    pub median_ready_s: Option<u64>,
}

/// What the sockets carried.
#[derive(Debug, Default)]
pub struct FrameFigures {
    /// Frames of any kind.
    pub received: u64,
    /// Events that came twice or out of order.
    pub doubled: u64,
    /// Events that the server says a phone should have and that it has not.
    pub lost: u64,
    /// Phones for which that was looked up.
    pub proved: usize,
    /// Of ours, without the mark of an exercise.
    pub unmarked: u64,
    /// Sockets opened anew.
    pub reconnects: u64,
}

impl Figures {
    /// Adds up what the phones noted.
    pub fn count_phones(&mut self, phones: &[Phone]) {
        for phone in phones {
            let log = phone.log();
            self.frames.received += log.frames;
            self.frames.doubled += log.doubled;
            self.frames.unmarked += log.unmarked;
            self.frames.reconnects += u64::from(log.reconnects);
            self.refused.extend(log.refused.iter().cloned());
        }
    }

    /// What did not hold; empty when all did.
    pub fn failures(&self) -> Vec<String> {
        let FrameFigures { lost, doubled, unmarked, .. } = self.frames;
        let mut failures = Vec::new();
        let mut check = |holds: bool, what: String| {
            if !holds {
                failures.push(what);
            }
        };
        check(self.connected == self.phones, "有手机未连上 phones that did not connect".to_owned());
        check(lost == 0, format!("丢失事件 events lost: {lost}"));
        check(doubled == 0, format!("重复事件 events doubled: {doubled}"));
        check(unmarked == 0, format!("未标明演练的消息 frames without the exercise mark: {unmarked}"));
        check(self.on_device.len() == self.phones, "有手机未收到预警 phones without the alert".to_owned());
        check(self.acknowledged.len() >= self.commanders, "有指挥长的确认未被受理 acknowledgements missing".to_owned());
        check(self.help.0 == self.help.1, "有求助未结束 help requests not ended".to_owned());
        check(self.closed, "事件未关闭 the incident was not closed".to_owned());
        for refused in &self.refused {
            check(false, format!("被拒绝 refused: {refused}"));
        }
        failures
    }

    /// The table at the end.
    pub fn print(&self, teller: &Teller, times_faster: u16) {
        let (now, posts, frames) = (Instant::now(), &self.posts, &self.frames);
        let since = |from: Option<Instant>, times: &[Instant]| {
            let from = from.unwrap_or(now);
            times.iter().map(|at| at.saturating_duration_since(from)).collect::<Vec<_>>()
        };
        let issued = |times: &[Instant]| since(self.issued, times);
        let row = |name: &str, value: String| println!("  {}{value}", column(name, 56));
        println!("\n【演练】人的反应为虚构，按 {times_faster} 倍快进；系统用时为实测。");
        println!(
            "[EXERCISE] People are made up and played {times_faster} times as fast; what the system took is measured."
        );
        println!("【演练】本次实测 [EXERCISE] Measured in this run, {:.1} s", teller.elapsed_s());
        row("手机连接 phones connected", format!("{} / {}", self.connected, self.phones));
        row("预警到达手机 alert on device", shares(&issued(&self.on_device), self.phones));
        row("预警已显示 alert shown", shares(&issued(&self.shown), self.watched));
        row("应答指挥长已确认 acknowledged by who answers", shares(&issued(&self.acknowledged), self.commanders));
        let (times, all) = (&self.compounds_acknowledged, self.compounds);
        row("已确认小区 compounds acknowledged", format!("{} / {all} · {}", times.len(), shares(times, all)));
        let (silent, handed, passed_on) = (self.silent.0, self.silent.1, self.passed_on);
        row("未应答/移交/自动递补 silent, handed over, passed on", format!("{silent} / {handed} / {passed_on}"));
        row("到岗/应到 on post, needed", format!("{} / {}", posts.on_post, posts.needed));
        row("手机应答者到岗 on post, by phone", shares(&since(self.switched, &posts.arrived), posts.arrived.len()));
        row("不能到岗/候补补位 declined, called from the bench", format!("{} / {}", posts.declined, posts.from_bench));
        row("空缺 vacant places", posts.vacant.to_string());
        row("满员岗位 posts ready", format!("{} / {}", posts.posts_ready.0, posts.posts_ready.1));
        let median = posts.median_ready_s.map_or_else(|| "—".to_owned(), |s| format!("{s} s"));
        row("就绪小区 compounds ready (median)", format!("{} / {} ({median})", posts.ready.0, posts.ready.1));
        row("住户已核实 households accounted for", format!("{} / {}", self.accounted.0, self.accounted.1));
        row("求助已结束 help requests ended", format!("{} / {}", self.help.1, self.help.0));
        row("物资已归还 dispatches returned", format!("{} / {}", self.aid.1, self.aid.0));
        row("收到消息 frames received", format!("{} (重连 reconnects {})", frames.received, frames.reconnects));
        row(
            "丢失/重复 lost, doubled",
            format!("{} / {} (核对 proved on {} phones)", frames.lost, frames.doubled, frames.proved),
        );
        row("事件已关闭 incident closed", if self.closed { "是 yes" } else { "否 no" }.to_owned());
    }
}
