//! Phones that hear alerts, go to another node where theirs is gone, and resume there. One thread each: there are a few dozen.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use serde_json::Value;
use tungstenite::client::IntoClientRequest as _;
use tungstenite::{Message, WebSocket};

use crate::house::Token;

use super::api::Nodes;

/// A node that says nothing for so long is left: nodes send a heartbeat every 20 s, and phones ask every second here.
const SILENT_AFTER: Duration = Duration::from_secs(5);
/// How long one read waits.
const READ_WITHIN: Duration = Duration::from_secs(1);
/// Before the next try to connect.
const AGAIN_AFTER: Duration = Duration::from_millis(200);
/// How long phones have, once all is quiet, to come to know all.
const SETTLE_WITHIN: Duration = Duration::from_secs(90);

/// Phones at work.
pub struct Phones {
    over: Arc<AtomicBool>,
    phones: Vec<(Arc<Mutex<Heard>>, JoinHandle<()>)>,
}

/// What a phone knows.
#[derive(Debug, Default)]
struct Heard {
    /// How often each alert was heard since the phone last loaded anew; 0 where it only read of it.
    alerts: HashMap<String, usize>,
    reloads: usize,
    twice: usize,
    /// Where it goes on: the journal's epoch, and the last event.
    place: Option<(String, String)>,
}

/// What all phones together came to know.
#[derive(Debug, Default)]
pub struct Told {
    pub phones: usize,
    pub missed: usize,
    pub twice: usize,
    pub reloads: usize,
}

/// Somebody's phone.
struct Phone {
    nodes: Nodes,
    token: String,
    heard: Arc<Mutex<Heard>>,
    over: Arc<AtomicBool>,
}

impl Phones {
    pub(super) fn start(nodes: &Nodes, tokens: &[Token]) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let start = |(n, token): (usize, &Token)| {
            let heard = Arc::default();
            let phone = Phone {
                nodes: nodes.clone(),
                token: token.token.clone(),
                heard: Arc::clone(&heard),
                over: over.clone(),
            };
            (heard, std::thread::spawn(move || phone.live(n)))
        };
        let phones = tokens.iter().enumerate().map(start).collect();
        Self { over, phones }
    }

    /// Gives them time to come to know all alerts, and ends them.
    pub(super) fn end(self, alerts: &[String]) -> anyhow::Result<Told> {
        let until = Instant::now() + SETTLE_WITHIN;
        let missed = |heard: &Arc<Mutex<Heard>>| {
            let heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
            alerts.iter().filter(|alert| !heard.alerts.contains_key(*alert)).count()
        };
        while Instant::now() < until && self.phones.iter().any(|(heard, _)| missed(heard) > 0) {
            std::thread::sleep(AGAIN_AFTER);
        }
        self.over.store(true, Ordering::Relaxed);
        let mut told = Told { phones: self.phones.len(), ..Told::default() };
        for (heard, thread) in self.phones {
            thread.join().map_err(|_| anyhow!("a phone panicked"))?;
            told.missed += missed(&heard);
            let heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
            told.twice += heard.twice;
            told.reloads += heard.reloads;
        }
        Ok(told)
    }
}

impl Phone {
    /// Lives at one node after the other. Why one was left is no fault: that there are faults is what this is about.
    fn live(&self, mut node: usize) {
        while !self.over.load(Ordering::Relaxed) {
            let address = self.nodes.addresses[node % self.nodes.addresses.len()];
            if self.at(node, address).is_err() {
                std::thread::sleep(AGAIN_AFTER);
            }
            node += 1;
        }
    }

    fn at(&self, node: usize, address: SocketAddr) -> anyhow::Result<()> {
        let stream = TcpStream::connect_timeout(&address, READ_WITHIN)?;
        stream.set_read_timeout(Some(SILENT_AFTER))?;
        let mut request = format!("ws://{address}/api/v1/live").into_client_request()?;
        request.headers_mut().insert("authorization", format!("Bearer {}", self.token).parse()?);
        let (mut socket, _) = tungstenite::client(request, stream).map_err(|error| anyhow!("{error}"))?;
        socket.get_ref().set_read_timeout(Some(READ_WITHIN))?;
        let mut heard_at = Instant::now();
        while !self.over.load(Ordering::Relaxed) {
            match socket.read() {
                Ok(Message::Text(text)) => {
                    heard_at = Instant::now();
                    self.take(&mut socket, node, &serde_json::from_str(&text)?)?;
                }
                Ok(Message::Close(_)) => return Ok(()),
                Ok(_) => {}
                Err(tungstenite::Error::Io(error))
                    if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
                        && heard_at.elapsed() < SILENT_AFTER =>
                {
                    socket.send(Message::text(r#"{"type":"ping"}"#))?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn take(&self, socket: &mut WebSocket<TcpStream>, node: usize, frame: &Value) -> anyhow::Result<()> {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match frame["type"].as_str().unwrap_or_default() {
            "hello" => {
                let here = (text(&frame["epoch"]), text(&frame["cursor"]));
                let said = match heard.place.replace(here.clone()) {
                    None => r#"{"type":"pong"}"#.to_owned(),
                    Some((epoch, cursor)) => {
                        if epoch == here.0 {
                            // What was missed comes first, from where it was left.
                            heard.place = Some((epoch.clone(), cursor.clone()));
                        }
                        format!(r#"{{"type":"resume","epoch":"{epoch}","cursor":"{cursor}"}}"#)
                    }
                };
                socket.send(Message::text(said))?;
            }
            "event" => {
                if let Some((_, cursor)) = &mut heard.place {
                    *cursor = text(&frame["cursor"]);
                }
                if let Some(alert) = frame["event"]["alert"]["alert"].as_str() {
                    let times = heard.alerts.entry(alert.to_owned()).or_default();
                    *times += 1;
                    let is_again = *times > 1;
                    heard.twice += usize::from(is_again);
                }
            }
            "reload" => {
                heard.reloads += 1;
                drop(heard);
                let me = self.nodes.get(node, "api/v1/me", &self.token)?;
                let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
                for alert in me["alerts"].as_array().context("no alerts")? {
                    // Read, not heard: it may come once more over the socket.
                    heard.alerts.insert(text(&alert["alert"]), 0);
                }
            }
            "ping" => socket.send(Message::text(r#"{"type":"pong"}"#))?,
            _ => {}
        }
        Ok(())
    }
}
