//! What the client says, and what is done about it. Whatever cannot be taken gets an error answer and changes nothing.

use tokio::time::Instant;

use crate::city::authority::Action;
use crate::domain::command::Command;
use crate::domain::compound::CompoundId;
use crate::domain::ids::{AlertId, CommandId};
use crate::domain::receipt::{ReceiptMark, Stage};
use crate::domain::refusal::Refusal;

use super::super::codes::Code;
use super::super::frame::{CommandAnswer, Cursor, Frame, Said, ServerFrame};
use super::super::hub::MapWatch;
use super::super::map::{areas_of, snapshot_part};
use super::super::protocol::{ClientFrame, Since, Watched, parse};
use super::super::resume::Reload;
use super::{Connection, End};

impl Connection {
    /// Takes a text frame.
    pub(super) async fn said(&mut self, text: &str) -> Result<(), End> {
        let frame = match parse(text) {
            Ok(frame) => frame,
            Err(why) => return self.bad_frame(why).await,
        };
        if let ClientFrame::Resume { epoch, cursor } = frame {
            self.resume(&epoch, cursor).await?;
            self.held_until = None;
            return Ok(());
        }
        // Whoever says anything else first does not resume: events flow.
        self.held_until = None;
        match frame {
            ClientFrame::Watch { what: Watched::Map, since } => self.watch(since).await,
            ClientFrame::Command { id, epoch, command } => self.command(id, epoch, *command).await,
            ClientFrame::Receipt { alert, stage } => self.receipt(alert, stage).await,
            ClientFrame::Ping {} => self.say(&ServerFrame::Pong { at: self.clock() }).await,
            ClientFrame::Pong {} | ClientFrame::Resume { .. } => Ok(()),
        }
    }

    async fn bad_frame(&mut self, why: Said) -> Result<(), End> {
        self.bad_frames += 1;
        if self.bad_frames > self.limits().bad_frames_max {
            return Err(End::Close(Code::Protocol));
        }
        self.say(&ServerFrame::Error(why)).await
    }

    async fn resume(&mut self, epoch: &str, after: Cursor) -> Result<(), End> {
        if std::mem::replace(&mut self.resumed, true) {
            let (zh, en) = ("本连接已续传过。".to_owned(), "This connection has resumed already.".to_owned());
            return self.bad_frame(Said { code: "resumed_already", zh, en }).await;
        }
        let missed = if epoch == self.parts.muster.journal_epoch() {
            let city = self.parts.muster.city();
            self.parts.hub.missed(&city, &self.who.actor, after, self.registration.cursor)
        } else {
            Err(Reload::OtherEpoch)
        };
        match missed {
            Ok(events) => {
                for batch in events.chunks(self.limits().batch_frames.max(1)) {
                    let frames: Vec<Frame> = batch.iter().map(|event| event.frame().clone()).collect();
                    self.write(frames).await?;
                }
                self.say(&ServerFrame::Resumed { missed: events.len() }).await
            }
            Err(reason) => self.say(&ServerFrame::Reload { reason }).await,
        }
    }

    /// Sends the map as it stands, or what changed since; after that the hub leaves what changes.
    async fn watch(&mut self, since: Option<Since>) -> Result<(), End> {
        let epoch = self.parts.muster.journal_epoch();
        let (areas, now) = {
            let city = self.parts.muster.city();
            (areas_of(&city, &self.who.actor), city.position())
        };
        if areas.is_empty() {
            let refusal = Refusal::NotYourRole { action: Action::SeeCompound.name() };
            return self.say(&ServerFrame::Error(refusal.into())).await;
        }
        let known = since.filter(|since| since.epoch == epoch && since.position <= now).map(|since| since.position);
        let position = known.unwrap_or(now);
        self.say(&ServerFrame::Watching { areas: &areas, position }).await?;
        if known.is_none() {
            self.snapshot(&areas, position).await?;
        }
        // What changed while the snapshot went out has a later position, and comes with the next flush.
        self.parts.hub.set_watch(self.registration.id, MapWatch { areas, position });
        Ok(())
    }

    async fn snapshot(&mut self, areas: &[crate::domain::area::AreaCode], position: u64) -> Result<(), End> {
        let max = self.limits().map_frame_compounds.max(1);
        let mut after: Option<CompoundId> = None;
        loop {
            let (compounds, more) = snapshot_part(&self.parts.muster.city(), areas, after, max);
            after = compounds.last().map(|state| state.id);
            self.say(&ServerFrame::Map { position, snapshot: true, more, compounds: &compounds }).await?;
            if !more {
                return Ok(());
            }
        }
    }

    async fn command(&mut self, id: CommandId, epoch: Option<u32>, command: Command) -> Result<(), End> {
        if !self.rate.take(Instant::now()) {
            return self.say(&ServerFrame::Answer(CommandAnswer::new(id, Err(Refusal::Overloaded {})))).await;
        }
        let (muster, actor) = (self.parts.muster.clone(), self.who.actor.clone());
        self.answers.push(Box::pin(async move { (id, muster.order(actor, id, epoch, command).await) }));
        Ok(())
    }

    async fn receipt(&mut self, alert: AlertId, stage: Stage) -> Result<(), End> {
        let Some(person) = self.who.actor.person_id() else {
            return self.say(&ServerFrame::Error(Refusal::NotARecipient {}.into())).await;
        };
        if stage == Stage::Acknowledged {
            let zh = "确认预警请发送 acknowledge_alert 命令。".to_owned();
            let en = "To acknowledge an alert, give the command acknowledge_alert.".to_owned();
            return self.bad_frame(Said { code: "acknowledge_by_command", zh, en }).await;
        }
        if self.parts.hub.receipts().leave(ReceiptMark { alert, person, stage }) {
            return Ok(());
        }
        self.say(&ServerFrame::Error(Refusal::Overloaded {}.into())).await
    }
}
