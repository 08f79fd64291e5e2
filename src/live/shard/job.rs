//! What is told bit by bit, as fast as the socket takes it: what was missed, and the map as it stands.

use std::sync::Arc;
use std::vec::IntoIter;

use crate::domain::area::AreaCode;
use crate::domain::compound::CompoundId;

use super::super::frame::{Frame, ServerFrame};
use super::super::map::snapshot_part;
use super::super::resume::LiveEvent;
use super::super::seats::MapWatch;
use super::Room;
use super::connection::Connection;

/// A long answer.
#[derive(Debug)]
pub(super) enum Job {
    /// What was missed; events are held back meanwhile.
    Missed {
        /// What is still to be told.
        events: IntoIter<Arc<LiveEvent>>,
        /// How many there were.
        missed: usize,
    },
    /// The map of these areas.
    Snapshot {
        /// Which.
        areas: Vec<AreaCode>,
        /// Up to and with this one it was told.
        after: Option<CompoundId>,
        /// Changes after it follow.
        position: u64,
    },
}

impl Job {
    /// Whether it tells what was missed.
    pub(super) const fn is_resume(&self) -> bool {
        matches!(self, Self::Missed { .. })
    }

    /// The next bit, and whether it was the last.
    pub(super) fn next(&mut self, connection: &Connection, room: &Room<'_>) -> (Vec<Frame>, bool) {
        match self {
            Self::Missed { events, missed } => {
                let bit = events.take(room.hub.limits().batch_frames.max(1));
                let mut frames: Vec<Frame> = bit.map(|event| event.frame().clone()).collect();
                let ended = events.len() == 0;
                if ended {
                    frames.push(ServerFrame::Resumed { missed: *missed }.encode());
                }
                (frames, ended)
            }
            Self::Snapshot { areas, after, position } => {
                let max = room.hub.limits().map_frame_compounds.max(1);
                let (compounds, more) = snapshot_part(&room.muster.city(), areas, *after, max);
                *after = compounds.last().map(|state| state.id);
                let frame = ServerFrame::Map { position: *position, snapshot: true, more, compounds: &compounds };
                if !more {
                    // What changed while the snapshot went out has a later position, and comes with the next flush.
                    let watch = MapWatch { areas: areas.clone(), position: *position };
                    connection.watch(watch, room);
                }
                (vec![frame.encode()], !more)
            }
        }
    }
}
