//! One phone on the live socket: hears, notes, and does what its owner would, after as long as the owner takes.
//!
//! A lost connection is opened anew and resumed, as a real phone's would be. What the owner does is in `owner`, the notes are in
//! `phone_log`, what goes over the wire is in `socket`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::api::Key;
use super::owner::{Act, Owner, text_at, uuid_at};
use super::phone_log::PhoneLog;
use super::socket::{Heard, Refused, Socket, hear, open, parse_cursor, say};

/// How often a lost connection is opened anew.
const RECONNECTS_MAX: u32 = 5;
/// How long to wait before that.
const RECONNECT_AFTER: Duration = Duration::from_millis(500);

/// A phone that is switched on.
pub struct Phone {
    /// Whose.
    pub owner: Arc<Owner>,
    /// How it proves that.
    pub key: Key,
    log: Arc<Mutex<PhoneLog>>,
    task: JoinHandle<()>,
}

impl Phone {
    /// Switches it on. At most as many open their sockets at once as `opening` has permits.
    pub fn switch_on(url: &str, owner: Owner, key: Key, opening: Arc<Semaphore>, off: CancellationToken) -> Self {
        let (owner, log) = (Arc::new(owner), Arc::new(Mutex::new(PhoneLog::default())));
        let line = Line { url: url.to_owned(), key: key.clone(), owner: owner.clone(), log: log.clone(), opening, off };
        let task = tokio::spawn(line.keep());
        Self { owner, key, log, task }
    }

    /// Its notes.
    pub fn log(&self) -> MutexGuard<'_, PhoneLog> {
        lock(&self.log)
    }

    /// Waits until it is off.
    pub async fn is_off(&mut self) {
        // A phone whose task died has noted nothing since: the proof finds what it lost.
        let _ = (&mut self.task).await;
    }
}

/// Notes are plain data: whoever panicked while writing them left nothing half done that matters.
fn lock(log: &Mutex<PhoneLog>) -> MutexGuard<'_, PhoneLog> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Line {
    url: String,
    key: Key,
    owner: Arc<Owner>,
    log: Arc<Mutex<PhoneLog>>,
    opening: Arc<Semaphore>,
    off: CancellationToken,
}

/// What is still to be done, and what was done and is not answered.
#[derive(Default)]
struct Desk {
    to_do: Vec<(Instant, Act)>,
    asked: HashMap<Uuid, Act>,
}

impl Desk {
    fn next_due(&self) -> Option<Instant> {
        self.to_do.iter().map(|(due, _)| *due).min()
    }

    fn take_due(&mut self, now: Instant) -> Vec<Act> {
        let (due, later): (Vec<_>, Vec<_>) = self.to_do.drain(..).partition(|(at, _)| *at <= now);
        self.to_do = later;
        let mut due = due;
        due.sort_by_key(|(at, _)| *at);
        due.into_iter().map(|(_, act)| act).collect()
    }
}

impl Line {
    /// Keeps the phone on the line until it is switched off.
    async fn keep(self) {
        let mut desk = Desk::default();
        for _ in 0..=RECONNECTS_MAX {
            let over = tokio::select! {
                () = self.off.cancelled() => return,
                over = self.connection(&mut desk) => over,
            };
            if let Err(error) = over {
                tracing::debug!(%error, "a phone lost its connection");
            }
            lock(&self.log).reconnects += 1;
            // What was asked and not answered is asked anew under the same id by real phones; here it is given up and counted.
            let lost: Vec<Act> = desk.asked.drain().map(|(_, act)| act).collect();
            lock(&self.log).refused.extend(lost.iter().map(|act| format!("lost: {act:?}")));
            sleep(RECONNECT_AFTER).await;
        }
    }

    /// One connection, from hello to its end.
    async fn connection(&self, desk: &mut Desk) -> anyhow::Result<()> {
        let permit = self.opening.acquire().await?;
        let (mut socket, epoch, cursor) = open(&self.url, &self.key).await?;
        drop(permit);
        let resume = lock(&self.log).resume_from();
        if let Some((epoch, cursor)) = resume {
            say(&mut socket, &json!({ "type": "resume", "epoch": epoch, "cursor": cursor })).await?;
        } else {
            lock(&self.log).greeted(epoch, cursor);
            // Whoever says something other than `resume` gets events at once.
            say(&mut socket, &json!({ "type": "ping" })).await?;
        }
        loop {
            let due = desk.next_due();
            tokio::select! {
                heard = hear(&mut socket) => match heard? {
                    Some(heard) => self.heard(&mut socket, desk, heard).await?,
                    None => return Ok(()),
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    for act in desk.take_due(Instant::now()) {
                        self.act(&mut socket, desk, act).await?;
                    }
                }
            }
        }
    }

    async fn act(&self, socket: &mut Socket, desk: &mut Desk, act: Act) -> anyhow::Result<()> {
        let id = Uuid::now_v7();
        say(socket, &act.frame(id, self.owner.incident)).await?;
        if act.is_command() {
            desk.asked.insert(id, act);
        } else if let Act::Show { alert } = act {
            lock(&self.log).alerts.entry(alert).or_default().shown.get_or_insert(Instant::now());
        }
        Ok(())
    }

    async fn heard(&self, socket: &mut Socket, desk: &mut Desk, heard: Heard) -> anyhow::Result<()> {
        lock(&self.log).frames += 1;
        match heard {
            Heard::Event { cursor, event } => {
                if !lock(&self.log).take_in(parse_cursor(&cursor)?) {
                    return Ok(());
                }
                self.note(&event);
                if let Some(alert) = uuid_at(&event, "/alert/alert") {
                    say(socket, &json!({ "type": "receipt", "alert": alert, "stage": "delivered" })).await?;
                }
                if let Some(ended) = text_at(&event, "/your_call_ended/post") {
                    desk.to_do.retain(|(_, act)| !act.is_of_call(&ended));
                    lock(&self.log).calls.remove(&*ended);
                }
                let now = Instant::now();
                desk.to_do.extend(self.owner.reacts(&event).into_iter().map(|(after, act)| (now + after, act)));
            }
            Heard::Answer { id, refused } => {
                if let Some(act) = desk.asked.remove(&id) {
                    self.answered(act, refused);
                }
            }
            Heard::Error { code } => lock(&self.log).refused.push(code),
            Heard::Reload {} => lock(&self.log).reloads += 1,
            Heard::Ping {} => say(socket, &json!({ "type": "pong" })).await?,
            Heard::Hello { .. } | Heard::Resumed {} | Heard::Other => {}
        }
        Ok(())
    }

    fn note(&self, event: &Value) {
        let mut log = lock(&self.log);
        let ours = ["/alert/incident", "/your_call/incident", "/duty_raised/incident", "/help_opened/incident"];
        let ours = ours.iter().any(|at| uuid_at(event, at) == Some(self.owner.incident));
        if ours && event.pointer("/exercise") != Some(&Value::Bool(true)) {
            log.unmarked += 1;
        }
        if let Some(alert) = uuid_at(event, "/alert/alert") {
            log.alerts.entry(alert).or_default().on_device.get_or_insert(Instant::now());
        }
        if let Some(post) = text_at(event, "/your_call/post") {
            log.calls.insert(post.to_string());
        }
    }

    fn answered(&self, act: Act, refused: Option<Refused>) {
        let mut log = lock(&self.log);
        if let Some(Refused { code }) = refused {
            log.refused.push(format!("{code}: {act:?}"));
            return;
        }
        match act {
            Act::Acknowledge { alert, .. } => {
                log.alerts.entry(alert).or_default().acknowledged.get_or_insert(Instant::now());
            }
            Act::Arrive { post } => drop(log.on_post.insert(post.to_string(), Instant::now())),
            Act::Decline { post, .. } => drop(log.declined.insert(post.to_string())),
            Act::TakeCommand { compound } => drop(log.accepted.insert(compound.to_string())),
            Act::Come { .. } | Act::EndHelp { .. } | Act::Show { .. } => {}
        }
    }
}
