//! Every route × every role: who gets past the door. The table in `tests/golden/who_may.txt` is what was read and agreed to; a route
//! that is not in it, or lets somebody else in, fails here.
//!
//! "Past the door" is any answer but 401 and 403: what a route then says of the order is the business of other tests.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use muster::domain::compound::CompoundId;
use muster::domain::household::HouseholdKey;
use muster::server::router;
use muster::testing::served::Credential;
use serde_json::{Value, json};

use super::{City, at, city};

const TABLE: &str = include_str!("../../golden/who_may.txt");

/// Who knocks, in the order of the table's columns; those who may most come last, since what they do stays done.
const ROLES: [(char, &str); 10] = [
    ('n', "nobody"),
    ('h', "household"),
    ('s', "commander of another compound"),
    ('f', "dispatcher of another county"),
    ('p', "post-holder"),
    ('l', "deputy"),
    ('o', "observer"),
    ('a', "administrator"),
    ('c', "commander"),
    ('d', "city dispatcher"),
];

/// What the requests are about.
struct Scene {
    city: City,
    home: CompoundId,
    incident: String,
    alert: String,
}

impl Scene {
    /// An exercise in which one compound is in emergency mode and was sent an alert.
    async fn set() -> Self {
        let city = city().await;
        let incident = city.opens(true).await;
        let luzhou = "140403".parse().unwrap();
        let home = (0..30).map(|n| city.manned(n)).find(|id| id.is_in(luzhou)).unwrap();
        city.raises(&incident, &[home]).await;
        let alert = city.drafts(&incident, &[home]).await;
        city.post(&city.account("city1"), &format!("/alerts/{alert}/submit"), json!({})).await.ok();
        let scene = Self { city, home, incident, alert };
        let (household, path) = (scene.credential('h'), format!("/incidents/{}/check-ins", scene.incident));
        let mut cry = scene.report();
        cry["status"] = json!({ "need_help": { "kinds": ["medical"] } });
        scene.city.post(&household, &path, cry).await.ok();
        scene
    }

    fn credential(&self, role: char) -> Credential {
        let city = &self.city;
        let line = city.line_of(self.home);
        match role {
            'n' => Credential::nobody(),
            'h' => city.household(HouseholdKey { compound: self.home, flat: self.flat() }),
            's' => city.commander_of(city.manned(usize::from(city.manned(0) == self.home))),
            'f' => city.account("qinyuan"),
            'p' => city.person(self.post_holder()),
            'l' => city.person(line[1]),
            'c' => city.person(line[0]),
            'o' => city.account("observer"),
            'a' => city.account("admin"),
            _ => city.account("city1"),
        }
    }

    fn flat(&self) -> muster::domain::household::FlatNo {
        self.city.app.city().compound(self.home).unwrap().compound.flats().next().unwrap()
    }

    /// Somebody with a post and no other part in the compound.
    fn post_holder(&self) -> muster::domain::ids::PersonId {
        let city = self.city.app.city();
        let state = city.compound(self.home).unwrap();
        let only = |person: &muster::domain::ids::PersonId| !state.succession.line.contains(person);
        state.people().into_iter().find(only).unwrap()
    }

    /// The path with its blanks filled in, and the query that the route asks for.
    fn fill(&self, path: &str) -> String {
        let (home, person) = (self.home.to_string(), self.post_holder().to_string());
        let id = match path {
            _ if path.starts_with("/alerts") => &self.alert,
            _ if path.starts_with("/incidents") => &self.incident,
            _ => "00000000-0000-7000-8000-000000000001",
        };
        let filled = path
            .replace("{compound}", &home)
            .replace("{person}", &person)
            .replace("{id}", id)
            .replace("{hazard}", "flood")
            .replace("{version}", "9")
            .replace("{no}", "1")
            .replace("{kind}", "posts");
        let query = match path {
            "/compounds/nearest" => "?lon=113.1&lat=36.2&k=3".to_owned(),
            "/compounds/{compound}/within" => "?metres=800".to_owned(),
            "/compounds/{compound}/neighbours" => "?within_m=800".to_owned(),
            "/alerts/{id}/recipients" | "/alerts/{id}/escalation" | "/incidents/{id}/tally" => {
                format!("?compound={home}")
            }
            "/incidents/{id}/compounds/{compound}/households" => "?unit=1-1".to_owned(),
            "/imports/{kind}" => "?datum=wgs84&dry_run=true".to_owned(),
            "/compounds/{compound}/contacts" => "?why=roll_call".to_owned(),
            "/looks"
            | "/incidents/{id}/duty"
            | "/incidents/{id}/duty/vacancies"
            | "/incidents/{id}/tally/children"
            | "/map/compounds"
            | "/map/state" => "?area=140403".to_owned(),
            _ => String::new(),
        };
        filled + &query
    }

    /// An order that parses, and that those who may give it can be refused only for what it says.
    fn body(&self, path: &str) -> Value {
        let (home, incident) = (self.home, &self.incident);
        let person = self.post_holder();
        let post = format!("{home}#1");
        match path {
            "/session" => json!({ "login": "nobody", "password": "wrong password" }),
            "/invitations/redeem" => json!({ "invitation": "x" }),
            "/accounts" => json!({ "person": person, "login": "x", "password": "correct horse battery", "grants": [] }),
            "/accounts/{person}/password" => json!({ "password": "correct horse battery" }),
            "/accounts/{person}/disabled" => json!({ "disabled": false }),
            "/accounts/{person}/grants" => json!({ "role": "observer", "area": "140403" }),
            "/people/{person}" => json!({ "name": "", "phone": "13800000000" }),
            "/compounds/{compound}/people" => json!({ "name": "", "phone": "13800000000", "part": "deputy" }),
            "/compounds/{compound}/posts" => json!({ "posts": [{ "no": 1, "kind": "no_such_kind", "headcount": 1 }] }),
            "/compounds/{compound}/plans" => json!({ "hazard": "flood", "levels": [] }),
            "/compounds/{compound}/survey" => json!({ "findings": [] }),
            "/compounds/{compound}/stock" => json!({ "stock": {} }),
            "/compounds/{compound}/household-links" => json!({ "flats": [self.flat()] }),
            "/compounds/{compound}/invitations" => json!({ "people": [person] }),
            "/compounds/{compound}/command/line" => json!({ "line": [person, person] }),
            "/compounds/{compound}/command/offer" => json!({ "to": person }),
            "/incidents" => json!({ "hazard": "flood", "exercise": true, "title": "" }),
            "/incidents/{id}/switch" | "/incidents/{id}/switch/preview" => {
                json!({ "compounds": [home], "to": { "emergency": "II" } })
            }
            "/incidents/{id}/check-ins" => self.report(),
            "/incidents/{id}/check-ins/batch" => json!({ "check_ins": [] }),
            "/incidents/{id}/help/assign" => json!({ "help": format!("{home}/{}/1", self.flat()), "to": person }),
            "/incidents/{id}/help/end" => {
                json!({ "help": format!("{home}/{}/1", self.flat()), "how": "resolved", "reason": "x" })
            }
            "/alerts" => json!({ "incident": incident, "content": self.city.flood(), "target": at(&[home]) }),
            "/alerts/{id}/draft" | "/alerts/{id}/update" | "/alerts/lint" => json!({ "content": self.city.flood() }),
            "/alerts/{id}/reject" => json!({ "reason": "x" }),
            "/alerts/{id}/receipt" => json!({ "stage": "shown" }),
            "/alerts/break-glass" => {
                let mut content = self.city.flood();
                content["severity"] = json!("Minor");
                json!({ "incident": incident, "compound": home, "content": content, "reason": "x" })
            }
            "/calls/answer" => json!({ "post": post, "answer": "acknowledged" }),
            "/calls/answer-for" => json!({ "post": post, "person": person, "answer": "acknowledged" }),
            "/dispatches" => {
                let dispatch =
                    json!({ "incident": incident, "from": home, "to": home, "resource": "沙袋", "quantity": 1 });
                dispatch
            }
            "/targets/preview" => at(&[home]),
            "/templates/render" => {
                json!({ "hazard": "flood", "colour": "red", "kind": "new", "exercise": true, "values": {} })
            }
            _ => json!({}),
        }
    }

    fn report(&self) -> Value {
        json!({ "household": format!("{}/{}", self.home, self.flat()), "status": "safe", "heads": 2,
            "verified": "self_report",
            "made_at": muster::server::time::Rfc3339(self.city.app.now()).to_string() })
    }
}

#[tokio::test]
async fn every_route_lets_in_just_the_roles_of_the_table() {
    let scene = Scene::set().await;
    let credentials = ROLES.map(|(letter, _)| (letter, scene.credential(letter)));
    let (mut table, mut unread) = (String::new(), BTreeSet::new());
    for (method, path) in routes() {
        let (filled, mut let_in) = (scene.fill(&path), String::new());
        let body = if method == "get" { Value::Null } else { scene.body(&path) };
        for (letter, who) in &credentials {
            let reply = scene.city.ask(&method, &filled, who, body.clone()).await;
            assert_ne!(reply.status, 500, "{method} {path} as {letter}: {}", reply.body);
            if matches!(reply.body["code"].as_str(), Some("unknown_field" | "malformed_json")) {
                unread.insert(format!("{method} {path}: {}", reply.body["detail_en"]));
            }
            let_in.push(if matches!(reply.status, 401 | 403) { '-' } else { *letter });
        }
        writeln!(table, "{let_in} {method:6} {path}").unwrap();
    }
    assert!(unread.is_empty(), "these bodies do not parse, so nothing is shown: {unread:#?}");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/who_may.txt");
        let head: Vec<&str> = TABLE.lines().take_while(|line| line.starts_with('#')).collect();
        std::fs::write(
            path,
            head.join(
                "
",
            ) + "
" + &table,
        )
        .unwrap();
        return;
    }
    let agreed: BTreeSet<&str> = TABLE.lines().filter(|line| !line.starts_with('#')).collect();
    let now: BTreeSet<&str> = table.lines().collect();
    let (new, gone): (Vec<_>, Vec<_>) = (now.difference(&agreed).collect(), agreed.difference(&now).collect());
    assert!(new.is_empty() && gone.is_empty(), "not in the table: {new:#?}\nno longer so: {gone:#?}");
}

/// Every operation of the API's own document, the destructive ones last.
fn routes() -> Vec<(String, String)> {
    let document = serde_json::to_value(router::api().1).unwrap();
    let mut routes = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let Some(path) = path.strip_prefix("/api/v1") else { continue };
        let methods = operations.as_object().unwrap().keys();
        let methods = methods.filter(|key| ["get", "post", "put", "patch", "delete"].contains(&key.as_str()));
        routes.extend(methods.map(|method| (method.clone(), path.to_owned())));
    }
    assert!(routes.len() > 60, "the document has lost its routes");
    routes.sort_by_key(|(method, path)| (method == "delete", path.clone(), method.clone()));
    routes.retain(|(_, path)| path != "/live");
    routes
}
