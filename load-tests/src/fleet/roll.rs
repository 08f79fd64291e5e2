//! The roll as phones take it: each reports on its households one after the other, a few at a time, and notes how long each answer took.

use std::time::Instant;

use uuid::Uuid;

use super::client_frame;
use super::muster::{TEXT, between};
use crate::figures::Times;

/// Reports of one phone that wait for their answer at once.
const WINDOW: usize = 2;

/// What each phone still has to report, and how it went.
#[derive(Default)]
pub struct RollWork {
    incident: String,
    made_at_us: i64,
    /// Households, phone by phone.
    left: Vec<Vec<String>>,
    under_way: Vec<Vec<(Uuid, Instant)>>,
    /// How long each answer took.
    pub times: Times,
    /// Reports that are durable.
    pub durable: usize,
    /// Reports that were refused; they are not given again.
    pub refused: usize,
    /// The last refusal.
    pub why: String,
    /// Positions of the journal at which reports became durable, and when that was answered.
    pub positions: Vec<(u64, Instant)>,
}

impl RollWork {
    /// The roll of an incident, with the households of each phone.
    pub fn new(incident: &str, made_at_us: i64, left: Vec<Vec<String>>) -> Self {
        let under_way = left.iter().map(|_| Vec::new()).collect();
        Self { incident: incident.to_owned(), made_at_us, left, under_way, ..Self::default() }
    }

    /// How many reports were answered.
    pub fn answered(&self) -> usize {
        self.durable + self.refused
    }

    /// Lets a phone report, as far as its window goes.
    pub fn go_on(&mut self, phone: usize, say: &mut Vec<u8>) {
        while self.under_way[phone].len() < WINDOW {
            let Some(household) = self.left[phone].pop() else { return };
            let (id, incident, made_at) = (Uuid::now_v7(), &self.incident, self.made_at_us);
            let report = format!(
                r#"{{"type":"command","id":"{id}","command":{{"check_in":{{"incident":"{incident}","household":"{household}","status":"safe","heads":2,"verified":"door_to_door","made_at":{made_at}}}}}}}"#
            );
            client_frame(TEXT, report.as_bytes(), say);
            self.under_way[phone].push((id, Instant::now()));
        }
    }

    /// Takes the answer to a phone's report.
    pub fn take(&mut self, phone: usize, text: &str, say: &mut Vec<u8>) {
        let id = between(text, r#""id":""#, '"').and_then(|id| id.parse::<Uuid>().ok());
        let mine = &mut self.under_way[phone];
        let Some(at) = mine.iter().position(|(under_way, _)| Some(*under_way) == id) else { return };
        let (_, began) = mine.swap_remove(at);
        let position = between(text, r#""ok":{"position":"#, ',').and_then(|position| position.parse().ok());
        if let Some(position) = position {
            self.times.note(began.elapsed());
            self.durable += 1;
            self.positions.push((position, Instant::now()));
        } else {
            self.refused += 1;
            text.clone_into(&mut self.why);
        }
        self.go_on(phone, say);
    }
}
