//! The API as its clients see it: a demo city of 60 compounds behind the whole stack, journal and directory on disk.

mod alert_progress;
mod alerts;
mod bad_input;
mod duty;
mod log;
mod replay;
mod roll;
mod who_may;

use muster::domain::alert_content::AlertContent;
use muster::domain::compound::CompoundId;
use muster::domain::ids::PersonId;
use muster::server::time::Rfc3339;
use muster::testing::served::{Credential, Served};
use muster::testing::world::flood;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A served city, and the folder in which it lives.
pub struct City {
    served: Served,
    _dir: TempDir,
}

impl std::ops::Deref for City {
    type Target = Served;
    fn deref(&self) -> &Served {
        &self.served
    }
}

pub async fn city() -> City {
    let dir = tempfile::tempdir().unwrap();
    City { served: Served::start(dir.path()).await, _dir: dir }
}

impl City {
    /// The `n`-th compound that has a commander and two deputies.
    fn manned(&self, n: usize) -> CompoundId {
        let manned = self.demo.compounds.iter().filter(|compound| compound.line.len() >= 3);
        manned.map(|compound| compound.compound.id).nth(n).unwrap()
    }

    /// The first `n` of these.
    fn some(&self, n: usize) -> Vec<CompoundId> {
        (0..n).map(|i| self.manned(i)).collect()
    }

    fn line_of(&self, id: CompoundId) -> Vec<PersonId> {
        self.demo.compounds.iter().find(|compound| compound.compound.id == id).unwrap().line.clone()
    }

    fn commander_of(&self, id: CompoundId) -> Credential {
        self.person(self.line_of(id)[0])
    }

    /// What a flood alert says now, as the API takes it.
    fn flood(&self) -> Value {
        serde_json::to_value(AlertContent::<Rfc3339>::from(flood(self.app.now()))).unwrap()
    }

    /// Opens a flood; its id.
    async fn opens(&self, exercise: bool) -> String {
        let form = json!({ "hazard": "flood", "exercise": exercise, "title": "漳河洪水" });
        id_of(&self.post(&self.account("city1"), "/incidents", form).await.ok())
    }

    /// Drafts an alert to these compounds as the first city dispatcher; its id.
    async fn drafts(&self, incident: &str, compounds: &[CompoundId]) -> String {
        let form = json!({ "incident": incident, "content": self.flood(), "target": at(compounds) });
        id_of(&self.post(&self.account("city1"), "/alerts", form).await.ok())
    }

    /// Drafts, submits and has a second person approve a real alert to these compounds.
    async fn issues(&self, incident: &str, compounds: &[CompoundId]) -> String {
        let alert = self.drafts(incident, compounds).await;
        let confirm = json!({ "confirm_compounds": compounds.len() });
        self.post(&self.account("city1"), &format!("/alerts/{alert}/submit"), confirm.clone()).await.ok();
        self.post(&self.account("city2"), &format!("/alerts/{alert}/approve"), confirm).await.ok();
        alert
    }

    async fn status_of(&self, alert: &str) -> String {
        let view = self.get(&self.account("city1"), &format!("/alerts/{alert}")).await.ok();
        view["status"].as_str().unwrap().to_owned()
    }

    /// Moves compounds to emergency mode, level II.
    async fn raises(&self, incident: &str, compounds: &[CompoundId]) {
        let form = json!({ "compounds": compounds, "to": { "emergency": "II" } });
        self.post(&self.account("city1"), &format!("/incidents/{incident}/switch"), form).await.ok();
    }
}

/// These compounds and no others.
fn at(compounds: &[CompoundId]) -> Value {
    json!({ "include": { "compounds": compounds } })
}

fn id_of(made: &Value) -> String {
    made["id"].as_str().unwrap().to_owned()
}

fn items(page: &Value) -> &Vec<Value> {
    page["items"].as_array().unwrap()
}
