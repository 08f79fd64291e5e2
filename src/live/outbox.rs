//! What waits for one connection: bounded, so that one stuck phone never delays an evacuation order or fills the memory.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use super::codes::Code;
use super::frame::Frame;

/// Frames that wait for one connection, and whether it is to be closed.
#[derive(Debug)]
pub struct Outbox {
    frames_max: usize,
    bytes_max: usize,
    waiting: Mutex<Waiting>,
    /// Something waits.
    ready: Notify,
    /// It is to be closed.
    closing: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    frames: VecDeque<Frame>,
    bytes: usize,
    /// The map's changes: replaced by none until they were taken, so at most one set waits.
    map: Vec<Frame>,
    close: Option<Code>,
}

impl Outbox {
    /// An empty one.
    pub fn new(frames_max: usize, bytes_max: usize) -> Self {
        let (ready, closing) = (Notify::new(), Notify::new());
        Self { frames_max, bytes_max, waiting: Mutex::default(), ready, closing }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a frame; where it does not fit, the connection is closed as a slow reader. Never blocks.
    pub fn push(&self, frame: &Frame) {
        let mut waiting = self.waiting();
        if waiting.close.is_some() {
            return;
        }
        if waiting.frames.len() >= self.frames_max || waiting.bytes + frame.len() > self.bytes_max {
            drop(waiting);
            self.close(Code::SlowReader);
            return;
        }
        waiting.bytes += frame.len();
        waiting.frames.push_back(frame.clone());
        drop(waiting);
        self.ready.notify_one();
    }

    /// Whether the last map frames were taken.
    pub fn wants_map(&self) -> bool {
        let waiting = self.waiting();
        waiting.map.is_empty() && waiting.close.is_none()
    }

    /// Leaves map frames to be taken.
    pub fn set_map(&self, frames: &[Frame]) {
        self.waiting().map = frames.to_vec();
        self.ready.notify_one();
    }

    /// Takes up to `max` frames, map frames last.
    pub fn take(&self, max: usize) -> Vec<Frame> {
        let mut waiting = self.waiting();
        let n = waiting.frames.len().min(max);
        let mut taken: Vec<Frame> = waiting.frames.drain(..n).collect();
        waiting.bytes -= taken.iter().map(|frame| frame.len()).sum::<usize>();
        if waiting.frames.is_empty() {
            taken.append(&mut waiting.map);
            // A burst's memory is not kept for the connection's life.
            waiting.frames.shrink_to(16);
        }
        taken
    }

    /// Returns when something waits. One waits at a time.
    pub async fn ready(&self) {
        loop {
            {
                let waiting = self.waiting();
                if !waiting.frames.is_empty() || !waiting.map.is_empty() {
                    return;
                }
            }
            self.ready.notified().await;
        }
    }

    /// The connection is to be closed; the first reason counts. What waits is let go when it is a slow reader's.
    pub fn close(&self, code: Code) {
        let mut waiting = self.waiting();
        if waiting.close.is_none() {
            waiting.close = Some(code);
            if code == Code::SlowReader {
                waiting.frames = VecDeque::new();
                waiting.bytes = 0;
                waiting.map = Vec::new();
            }
        }
        drop(waiting);
        self.closing.notify_one();
    }

    /// Why it is to be closed.
    pub fn close_code(&self) -> Option<Code> {
        self.waiting().close
    }

    /// Returns when it is to be closed. One waits at a time.
    pub async fn closing(&self) -> Code {
        loop {
            if let Some(code) = self.close_code() {
                return code;
            }
            self.closing.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(text: &str) -> Frame {
        text.to_owned().into()
    }

    #[test]
    fn frames_come_out_in_order_and_the_map_last() {
        let outbox = Outbox::new(10, 100);
        for text in ["a", "b", "c"] {
            outbox.push(&frame(text));
        }
        outbox.set_map(&[frame("map")]);
        assert!(!outbox.wants_map());
        assert_eq!(outbox.take(2), [frame("a"), frame("b")]);
        assert_eq!(outbox.take(2), [frame("c"), frame("map")]);
        assert!(outbox.wants_map() && outbox.take(2).is_empty());
    }

    #[test]
    fn too_many_frames_or_bytes_close_a_slow_reader() {
        let outbox = Outbox::new(2, 100);
        outbox.push(&frame("a"));
        outbox.push(&frame("a"));
        assert_eq!(outbox.close_code(), None);
        outbox.push(&frame("a"));
        assert_eq!(outbox.close_code(), Some(Code::SlowReader));
        assert!(outbox.take(9).is_empty(), "what waited is let go");
        let outbox = Outbox::new(100, 5);
        outbox.push(&frame("12345"));
        assert_eq!(outbox.close_code(), None);
        outbox.push(&frame("6"));
        assert_eq!(outbox.close_code(), Some(Code::SlowReader));
    }

    #[test]
    fn the_first_reason_counts() {
        let outbox = Outbox::new(1, 9);
        outbox.push(&frame("kept"));
        outbox.close(Code::ComeBack);
        outbox.close(Code::SlowReader);
        assert_eq!(outbox.close_code(), Some(Code::ComeBack));
        assert_eq!(outbox.take(9), [frame("kept")], "a graceful close lets what waits go out");
    }
}
