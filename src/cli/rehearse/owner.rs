//! The owner of a phone: what they do about an event, and how long they take. Pure: an event in, things to do later out.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::domain::ids::PersonId;

use super::human::{CallAnswer, Human};

/// Somebody with a phone.
#[derive(Debug)]
pub struct Owner {
    /// Who.
    pub person: PersonId,
    /// Whether they hear nothing: the phone lies in a drawer.
    pub silent: bool,
    /// How people are.
    pub human: Human,
    /// The incident that is played.
    pub incident: Uuid,
}

/// Something that is done on a phone.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// The alert is on the screen.
    Show {
        /// Which.
        alert: Uuid,
    },
    /// "Received", under the epoch that was told.
    Acknowledge {
        /// Which.
        alert: Uuid,
        /// Of the compound's command.
        epoch: Option<u64>,
    },
    /// "Coming".
    Come {
        /// To which post.
        post: Arc<str>,
    },
    /// "I am there".
    Arrive {
        /// At which post.
        post: Arc<str>,
    },
    /// "I cannot come".
    Decline {
        /// To which post.
        post: Arc<str>,
        /// Why.
        reason: &'static str,
    },
    /// Takes the command that was offered.
    TakeCommand {
        /// Of which compound.
        compound: Arc<str>,
    },
    /// Has helped, and says so.
    EndHelp {
        /// Which request.
        help: Arc<str>,
    },
}

impl Owner {
    /// What the owner does about an event, and after how long.
    pub fn reacts(&self, event: &Value) -> Vec<(Duration, Act)> {
        if self.silent {
            return Vec::new();
        }
        let me = self.person.to_string();
        let takes = |what: &str, least_s, most_s| self.human.takes(&me, what, least_s, most_s);
        if let Some(alert) = uuid_at(event, "/alert/alert") {
            return vec![(takes("show", 1.0, 20.0), Act::Show { alert })];
        }
        if let Some(alert) = uuid_at(event, "/acknowledgement_asked/alert") {
            let epoch = event.pointer("/acknowledgement_asked/epoch").and_then(Value::as_u64);
            return vec![(takes("acknowledge", 8.0, 118.0), Act::Acknowledge { alert, epoch })];
        }
        if let Some(post) = text_at(event, "/your_call/post") {
            return self.answers_call(&post);
        }
        if let Some(compound) = text_at(event, "/command_offered/compound")
            && text_at(event, "/command_offered/to").as_deref() == Some(&me)
        {
            return vec![(takes("take over", 5.0, 20.0), Act::TakeCommand { compound })];
        }
        if let Some(help) = text_at(event, "/help_assigned/help")
            && text_at(event, "/help_assigned/state/assigned/to").as_deref() == Some(&me)
        {
            return vec![(takes(&help, 30.0, 120.0), Act::EndHelp { help })];
        }
        Vec::new()
    }

    fn answers_call(&self, post: &Arc<str>) -> Vec<(Duration, Act)> {
        let me = self.person.to_string();
        let says = self.human.takes(&me, post, 4.0, 60.0);
        let post = post.clone();
        match self.human.answers_call(&me, &post) {
            CallAnswer::Comes => {
                let there = says + self.human.takes(&me, "way", 20.0, 180.0);
                vec![(says, Act::Come { post: post.clone() }), (there, Act::Arrive { post })]
            }
            CallAnswer::Declines(reason) => vec![(says, Act::Decline { post, reason })],
            CallAnswer::Silent => Vec::new(),
        }
    }
}

impl Act {
    /// The frame that says it, with the id of the command; a receipt has none and is not answered.
    pub fn frame(&self, id: Uuid, incident: Uuid) -> Value {
        let command = |epoch: Option<u64>, command: Value| json!({ "type": "command", "id": id, "epoch": epoch, "command": command });
        let answer =
            |post: &str, answer: Value| command(None, json!({ "answer_call": { "post": post, "answer": answer } }));
        match self {
            Self::Show { alert } => json!({ "type": "receipt", "alert": alert, "stage": "shown" }),
            Self::Acknowledge { alert, epoch } => command(*epoch, json!({ "acknowledge_alert": { "alert": alert } })),
            Self::Come { post } => answer(post, json!("acknowledged")),
            Self::Arrive { post } => answer(post, json!("on_post")),
            Self::Decline { post, reason } => answer(post, json!({ "declined": { "reason": reason } })),
            Self::TakeCommand { compound } => command(None, json!({ "accept_command": { "compound": compound } })),
            Self::EndHelp { help } => {
                let reason = "演练：已上门处置。 Exercise: helped at the door.";
                let end = json!({ "incident": incident, "help": help, "how": "resolved", "reason": reason });
                command(None, json!({ "end_help": end }))
            }
        }
    }

    /// Whether the server answers it.
    pub const fn is_command(&self) -> bool {
        !matches!(self, Self::Show { .. })
    }

    /// Whether it is about that call.
    pub fn is_of_call(&self, to: &str) -> bool {
        match self {
            Self::Come { post } | Self::Arrive { post } | Self::Decline { post, .. } => &**post == to,
            _ => false,
        }
    }
}

/// A text inside an event.
pub fn text_at(event: &Value, pointer: &str) -> Option<Arc<str>> {
    event.pointer(pointer)?.as_str().map(Arc::from)
}

/// An id inside an event.
pub fn uuid_at(event: &Value, pointer: &str) -> Option<Uuid> {
    event.pointer(pointer)?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(silent: bool) -> Owner {
        let person = PersonId(Uuid::from_u128(7));
        Owner { person, silent, human: Human::new(1404, 10.0), incident: Uuid::nil() }
    }

    #[test]
    fn who_is_asked_acknowledges_under_the_epoch_that_was_told() {
        let asked = json!({ "exercise": true, "acknowledgement_asked": { "alert": Uuid::nil(), "epoch": 3 } });
        let wanted = Act::Acknowledge { alert: Uuid::nil(), epoch: Some(3) };
        assert_eq!(owner(false).reacts(&asked)[0].1, wanted);
        assert!(owner(true).reacts(&asked).is_empty());
        assert_eq!(wanted.frame(Uuid::nil(), Uuid::nil())["epoch"], 3);
    }

    #[test]
    fn what_is_offered_or_given_to_somebody_else_is_let_be() {
        let (me, other) = (Uuid::from_u128(7), Uuid::from_u128(8));
        for (to, acts) in [(me, 1), (other, 0)] {
            let offered = json!({ "command_offered": { "compound": "140403001001001", "to": to, "epoch": 1 } });
            let given = json!({ "help_assigned": { "help": "140403001001001/1-1-101/1", "state": { "assigned": { "to": to } } } });
            assert_eq!(owner(false).reacts(&offered).len(), acts);
            assert_eq!(owner(false).reacts(&given).len(), acts);
        }
    }

    #[test]
    fn every_frame_is_one_that_the_server_reads() {
        let (post, compound): (Arc<str>, Arc<str>) = ("140403001001001#4".into(), "140403001001001".into());
        for act in [
            Act::Show { alert: Uuid::nil() },
            Act::Acknowledge { alert: Uuid::nil(), epoch: None },
            Act::Come { post: post.clone() },
            Act::Arrive { post: post.clone() },
            Act::Decline { post, reason: "病" },
            Act::TakeCommand { compound },
            Act::EndHelp { help: "140403001001001/1-1-101/1".into() },
        ] {
            let text = act.frame(Uuid::nil(), Uuid::nil()).to_string();
            assert!(crate::live::protocol::parse(&text).is_ok(), "{text}");
        }
    }
}
