//! What the client says, and what is done about it. Whatever cannot be taken gets an error answer and changes nothing.

use crate::city::authority::Action;
use crate::domain::command::Command;
use crate::domain::ids::{AlertId, CommandId};
use crate::domain::receipt::{ReceiptMark, Stage};
use crate::domain::refusal::Refusal;

use super::super::codes::Code;
use super::super::frame::{CommandAnswer, Cursor, Said, ServerFrame, rfc3339};
use super::super::inbox::Mail;
use super::super::map::areas_of;
use super::super::protocol::{ClientFrame, Since, Watched, parse};
use super::super::resume::Reload;
use super::super::seats::MapWatch;
use super::Room;
use super::connection::{Connection, End};
use super::job::Job;

impl Connection {
    /// Takes a text frame.
    pub(super) fn said(&mut self, text: &str, room: &Room<'_>) -> Result<(), End> {
        let frame = match parse(text) {
            Ok(frame) => frame,
            Err(why) => return self.bad_frame(why, room),
        };
        if let ClientFrame::Resume { epoch, cursor } = frame {
            return self.resume(&epoch, cursor, room);
        }
        // Whoever says anything else first does not resume: events flow.
        self.release();
        match frame {
            ClientFrame::Watch { what: Watched::Map, since } => self.begin_watch(since, room),
            ClientFrame::Command { id, epoch, command } => self.command(id, epoch, *command, room),
            ClientFrame::Receipt { alert, stage } => return self.receipt(alert, stage, room),
            ClientFrame::Ping {} => self.reply(&ServerFrame::Pong { at: clock(room) }),
            ClientFrame::Pong {} | ClientFrame::Resume { .. } => {}
        }
        Ok(())
    }

    fn reply(&mut self, frame: &ServerFrame<'_>) {
        self.say(&frame.encode());
    }

    fn bad_frame(&mut self, why: Said, room: &Room<'_>) -> Result<(), End> {
        self.bad_frames += 1;
        if self.bad_frames > room.hub.limits().bad_frames_max {
            return Err(End::Close(Code::Protocol));
        }
        self.reply(&ServerFrame::Error(why));
        Ok(())
    }

    fn resume(&mut self, epoch: &str, after: Cursor, room: &Room<'_>) -> Result<(), End> {
        if std::mem::replace(&mut self.resumed, true) {
            let (zh, en) = ("本连接已续传过。".to_owned(), "This connection has resumed already.".to_owned());
            return self.bad_frame(Said { code: "resumed_already", zh, en }, room);
        }
        let missed = if *epoch == *room.muster.journal_epoch() {
            let city = room.muster.city();
            room.hub.missed(&city, &self.who.actor, after, self.registration.cursor)
        } else {
            Err(Reload::OtherEpoch)
        };
        match missed {
            Ok(events) => self.job = Some(Job::Missed { missed: events.len(), events: events.into_iter() }),
            Err(reason) => {
                self.reply(&ServerFrame::Reload { reason });
                self.release();
            }
        }
        Ok(())
    }

    /// Sends the map as it stands, or what changed since; after that the hub leaves what changes.
    fn begin_watch(&mut self, since: Option<Since>, room: &Room<'_>) {
        let epoch = room.muster.journal_epoch();
        let (areas, now) = {
            let city = room.muster.city();
            (areas_of(&city, &self.who.actor), city.position())
        };
        if areas.is_empty() {
            let refusal = Action::SeeCompound.not_your_role();
            return self.reply(&ServerFrame::Error(refusal.into()));
        }
        let known = since.filter(|since| *since.epoch == *epoch && since.position <= now).map(|since| since.position);
        let position = known.unwrap_or(now);
        self.reply(&ServerFrame::Watching { areas: &areas, position });
        match known {
            Some(position) => self.watch(MapWatch { areas, position }, room),
            None => self.job = Some(Job::Snapshot { areas, after: None, position }),
        }
    }

    /// From here on the hub leaves what changes.
    pub(super) fn watch(&self, watch: MapWatch, room: &Room<'_>) {
        room.hub.set_watch(self.registration.place, watch, self.map_taken.clone());
    }

    fn command(&mut self, id: CommandId, epoch: Option<u32>, command: Command, room: &Room<'_>) {
        if !self.rate.take(room.now) {
            return self.reply(&ServerFrame::Answer(CommandAnswer::new(id, Err(Refusal::Overloaded {}))));
        }
        self.answers += 1;
        // Given here, so that the commands of a connection are done in the order in which they were said.
        let answer = room.muster.give(self.who.actor.clone(), id, epoch, command);
        let (seat, connection, inbox) = (self.registration.place.seat, self.registration.id, room.inbox.clone());
        room.runtime.spawn(async move {
            let frame = ServerFrame::Answer(CommandAnswer::new(id, answer.await)).encode();
            inbox.leave(Mail::Answer(seat, connection, frame));
        });
    }

    fn receipt(&mut self, alert: AlertId, stage: Stage, room: &Room<'_>) -> Result<(), End> {
        let Some(person) = self.who.actor.person_id() else {
            self.reply(&ServerFrame::Error(Refusal::NotARecipient {}.into()));
            return Ok(());
        };
        if stage == Stage::Acknowledged {
            let zh = "确认预警请发送 acknowledge_alert 命令。".to_owned();
            let en = "To acknowledge an alert, give the command acknowledge_alert.".to_owned();
            return self.bad_frame(Said { code: "acknowledge_by_command", zh, en }, room);
        }
        if !room.hub.receipts().leave(ReceiptMark { alert, person, stage }) {
            self.reply(&ServerFrame::Error(Refusal::Overloaded {}.into()));
        }
        Ok(())
    }
}

/// The server's time, as frames say it.
pub(super) fn clock(room: &Room<'_>) -> String {
    rfc3339(room.muster.now(), room.hub.limits().utc_offset_min)
}
