//! Bounds of sockets, queues and histories. `config` maps its `[live]` section onto them.

use std::num::NonZero;
use std::time::Duration;

/// Every bound of the live part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveLimits {
    /// Threads that own sockets; 0 is one for each core.
    pub shards: usize,
    /// Connections at once; more are told to try later.
    pub connections_max: usize,
    /// Frames that wait for one connection; more, and it is closed as a slow reader.
    pub queue_frames: usize,
    /// Bytes that wait for one connection.
    pub queue_bytes: usize,
    /// Notices kept for those who come back.
    pub history_frames: usize,
    /// Bytes of them, as far as they have been encoded or can be told beforehand.
    pub history_bytes: usize,
    /// Missed events that are told before the socket is asked for room again.
    pub batch_frames: usize,
    /// Bytes of one message from a client.
    pub message_max_bytes: usize,
    /// Commands of one connection that may wait for their answers; the next is not read until one is answered.
    pub commands_waiting_max: usize,
    /// Commands a second that one connection may give; a burst of five seconds' worth is taken.
    pub commands_per_s: u32,
    /// Bad frames after which a connection is closed; each gets an error answer before.
    pub bad_frames_max: u32,
    /// Time between the server's heartbeats.
    pub heartbeat: Duration,
    /// Time without anything from the client after which it is closed.
    pub idle_timeout: Duration,
    /// Time for which events are held back after `hello`, for the client to say from where it resumes. Its first frame
    /// ends the wait.
    pub resume_wait: Duration,
    /// Time between two map frames to one watcher: 200 ms is five a second.
    pub map_interval: Duration,
    /// Compounds in one map frame; more are sent as several.
    pub map_frame_compounds: usize,
    /// Time for one write before the client counts as a slow reader.
    pub write_timeout: Duration,
    /// Time for a close: for the commands under way to be answered, and for the client to read the close frame.
    pub close_timeout: Duration,
    /// Time over which clients spread their return when all were closed at once.
    pub reconnect_spread: Duration,
    /// Time for which receipts gather before they are given to the city as one command.
    pub receipts_wait: Duration,
    /// Receipts that are given as one command.
    pub receipts_max: usize,
    /// Receipts that may wait; more are refused.
    pub receipts_queue: usize,
    /// Time until receipts that the city could not take are given again.
    pub receipts_retry: Duration,
    /// Minutes by which times in frames are ahead of UTC. 480, China's time.
    pub utc_offset_min: i32,
}

impl Default for LiveLimits {
    fn default() -> Self {
        Self {
            shards: 0,
            connections_max: 100_000,
            queue_frames: 1_024,
            queue_bytes: 1 << 20,
            history_frames: 200_000,
            history_bytes: 128 << 20,
            batch_frames: 64,
            message_max_bytes: 64 << 10,
            commands_waiting_max: 16,
            commands_per_s: 20,
            bad_frames_max: 10,
            heartbeat: Duration::from_secs(20),
            idle_timeout: Duration::from_mins(1),
            resume_wait: Duration::from_secs(2),
            map_interval: Duration::from_millis(200),
            map_frame_compounds: 500,
            write_timeout: Duration::from_secs(30),
            close_timeout: Duration::from_secs(5),
            reconnect_spread: Duration::from_secs(30),
            receipts_wait: Duration::from_millis(200),
            receipts_max: 5_000,
            // Both receipts of each of 100,000 phones for five alerts at once; 60 MB where none can be written.
            receipts_queue: 1_000_000,
            receipts_retry: Duration::from_secs(1),
            utc_offset_min: 480,
        }
    }
}

impl LiveLimits {
    /// Threads that own sockets.
    pub(super) fn shard_count(&self) -> usize {
        match self.shards {
            0 => std::thread::available_parallelism().map_or(1, NonZero::get),
            n => n,
        }
    }
}
