//! The sections of `config/muster.toml`, one struct each: every field with its default and unit.
//!
//! Values only. How they are read, overridden by the environment and checked against each other is in [`super`].

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::domain::cap_words::Severity;
use crate::domain::policy::Policy;
use crate::engine::Limits;
use crate::redis_link::AcknowledgeAfter;

/// `[server]`: what is listened to and how much of a request is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Address and port. `127.0.0.1:8080`; `MUSTER_LISTEN` overrides it.
    pub listen: SocketAddr,
    /// How browsers reach it: the beginning of invitation and household links, and the origin that is always allowed.
    /// Empty: `http://` and the address listened on.
    pub public_url: String,
    /// Further origins whose pages may sign in and open sockets. None.
    pub allowed_origins: Vec<String>,
    /// Addresses of proxies that say in `X-Forwarded-For` from where a request comes. None: everybody comes from where they connect.
    pub trusted_proxies: Vec<IpAddr>,
    /// Bytes of a request's body, imports apart. 1 MiB.
    pub body_limit_bytes: usize,
    /// Seconds until a request that is not answered is given up with 503. 30.
    pub request_timeout_s: u64,
    /// Seconds that a stop waits for requests and sockets to end. 10.
    pub stop_grace_s: u64,
    /// Whether the session cookie is sent over https only. No; must be yes where `public_url` is https.
    pub secure_cookies: bool,
    /// Bearer token with which `/metrics` may be read from elsewhere, 16 characters or more. Empty: only from this machine.
    pub metrics_token: Secret,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 8080).into(),
            public_url: String::new(),
            allowed_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            body_limit_bytes: 1 << 20,
            request_timeout_s: 30,
            stop_grace_s: 10,
            secure_cookies: false,
            metrics_token: Secret::default(),
        }
    }
}

impl ServerConfig {
    /// How browsers reach it, without a slash at the end.
    pub fn origin(&self) -> String {
        if self.public_url.is_empty() { format!("http://{}", self.listen) } else { self.public_url.clone() }
    }
}

/// `[city]`: which city this is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CityConfig {
    /// The four digits of the city's area code (GB/T 2260). `1404`, Changzhi.
    pub code: String,
    /// Its name in Chinese. `长治市`.
    pub name: String,
    /// Its name in English. `Changzhi`.
    pub name_en: String,
    /// Minutes that its clocks are ahead of UTC, for the times that templates say. 480, Beijing time.
    pub utc_offset_min: i32,
}

impl Default for CityConfig {
    fn default() -> Self {
        Self { code: "1404".into(), name: "长治市".into(), name_en: "Changzhi".into(), utc_offset_min: 480 }
    }
}

/// `[storage]`: where things are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StorageConfig {
    /// Folder of the journal and the directory, made when it is not there. `./data`; `MUSTER_DATA_DIR` overrides it.
    pub data_dir: PathBuf,
    /// Folder with the city's own alert templates, which replace those compiled in, hazard by hazard. Empty: none.
    pub templates_dir: PathBuf,
}

impl Default for StorageConfig {
    fn default() -> Self {
        Self { data_dir: "./data".into(), templates_dir: PathBuf::new() }
    }
}

/// What nobody is to read in a log. `Debug` does not show it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// `[journal]`: where the city is kept where several nodes serve it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JournalConfig {
    /// The Redis that all nodes share, or its Sentinels. Empty: one node, which keeps the city in `storage.data_dir`.
    /// `MUSTER_JOURNAL_URL` overrides it.
    pub url: Secret,
    /// What is waited for before something counts as done: `primary`, or so many `replicas:N`. `primary`.
    pub acknowledge_after: String,
    /// Milliseconds until a write that Redis does not answer has an unknown outcome, 100 to 60,000. 2,000.
    pub answer_within_ms: u64,
    /// 64 hex digits that seal names, phones and accounts in Redis; needed with `url`, the same on all nodes.
    /// `MUSTER_DIRECTORY_KEY` overrides it.
    pub directory_key: Secret,
}

impl Default for JournalConfig {
    fn default() -> Self {
        Self {
            url: Secret::default(),
            acknowledge_after: AcknowledgeAfter::default().to_string(),
            answer_within_ms: 2_000,
            directory_key: Secret::default(),
        }
    }
}

/// `[alert]`: who must agree, and how long an answer is waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlertConfig {
    /// A real alert that hits more compounds than this needs a second person. 20 compounds.
    pub approval_over_compounds: u32,
    /// A real alert as grave as this needs a second person: `Extreme`, `Severe`, `Moderate` or `Minor`. `Severe`.
    pub approval_at_severity: Severity,
    /// Whether alerts of an exercise need the same. No.
    pub approval_in_exercise: bool,
    /// Seconds that a commander has to acknowledge before the next in line is tried, 10 to 86,400. 300.
    pub ack_timeout_s: u32,
    /// Hours from issue to expiry that an alert may have, 1 to 168. 72.
    pub validity_max_h: u32,
}

impl Default for AlertConfig {
    fn default() -> Self {
        let policy = Policy::default();
        Self {
            approval_over_compounds: policy.approval_over_compounds,
            approval_at_severity: policy.approval_at_severity,
            approval_in_exercise: policy.approval_in_exercise,
            ack_timeout_s: policy.ack_timeout_s,
            validity_max_h: policy.validity_max_s / 3_600,
        }
    }
}

/// `[duty]`: calls to posts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DutyConfig {
    /// Seconds that a called person has to answer where the plan does not say, 10 to 86,400. 300.
    pub answer_limit_s: u32,
}

impl Default for DutyConfig {
    fn default() -> Self {
        Self { answer_limit_s: Policy::default().answer_limit_s }
    }
}

/// `[silence]`: when no news is bad news.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SilenceConfig {
    /// Seconds without a word after which a compound in emergency mode is shown as unknown, 60 to 86,400. 600.
    pub silent_after_s: u32,
}

impl Default for SilenceConfig {
    fn default() -> Self {
        Self { silent_after_s: Policy::default().silent_after_s }
    }
}

/// `[live]`: sockets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LiveConfig {
    /// Sockets open at once; more are told to come back. 100,000.
    pub connections_max: usize,
    /// Frames that wait for one slow socket before it is closed and told to resume. 256.
    pub queue_frames: usize,
    /// Frames a second that a map watcher gets; what happens between is merged. 5.
    pub map_frames_per_s: u32,
    /// Seconds between heartbeats. 20.
    pub heartbeat_s: u64,
    /// Seconds without a word from the other end after which a socket is closed; more than two heartbeats. 60.
    pub idle_timeout_s: u64,
    /// Frames that are kept for those who resume; whoever missed more is told to reload. 100,000.
    pub history_frames: usize,
    /// Bytes of one message from a client. 16 KiB.
    pub message_max_bytes: usize,
    /// Commands a second that one socket may send. 20.
    pub commands_per_s: u32,
    /// Seconds over which clients spread their return after a stop. 30.
    pub reconnect_spread_s: u32,
}

impl Default for LiveConfig {
    fn default() -> Self {
        Self {
            connections_max: 100_000,
            queue_frames: 256,
            map_frames_per_s: 5,
            heartbeat_s: 20,
            idle_timeout_s: 60,
            history_frames: 100_000,
            message_max_bytes: 16 << 10,
            commands_per_s: 20,
            reconnect_spread_s: 30,
        }
    }
}

/// `[auth]`: links. How long sessions and invitations last and how often one may try is fixed in `directory`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuthConfig {
    /// Days that a household's link lasts. 30.
    pub household_link_days: u32,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self { household_link_days: 30 }
    }
}

/// `[engine]`: how much may wait, and how much is decided at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EngineConfig {
    /// Commands that may wait; more are refused with 429. 50,000.
    pub queue_max: usize,
    /// Commands that are decided in one round, so made durable in one write. 1,024.
    pub round_max: usize,
    /// Command ids that are remembered, so that a repeat gets the first answer. 1,000,000.
    pub idempotency_window_entries: usize,
}

impl Default for EngineConfig {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            queue_max: limits.queue_max,
            round_max: limits.round_max,
            idempotency_window_entries: limits.idempotency_window,
        }
    }
}

impl EngineConfig {
    /// As the engine takes them.
    pub fn limits(&self) -> Limits {
        Limits {
            queue_max: self.queue_max,
            round_max: self.round_max,
            idempotency_window: self.idempotency_window_entries,
        }
    }
}

/// `[map]`: a base map of the city's own below the compounds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MapConfig {
    /// Address of its tiles with `{z}`, `{x}` and `{y}`, or the path of a `.pmtiles` file on this machine. Empty: none.
    pub base: String,
    /// File with the `MapLibre` layers that draw vector tiles. Empty: the tiles are pictures.
    pub base_layers: String,
    /// Whose it is. Empty.
    pub base_attribution: String,
    /// Deepest zoom of its tiles. 18.
    pub base_max_zoom: u8,
}

impl Default for MapConfig {
    fn default() -> Self {
        Self { base: String::new(), base_layers: String::new(), base_attribution: String::new(), base_max_zoom: 18 }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// `[log]`: what is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// `text` or `json`. `text`.
    pub format: LogFormat,
    /// Levels by module, as tracing's `EnvFilter` reads them. `info`; `MUSTER_LOG` overrides it.
    pub filter: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info".into() }
    }
}

/// `[import]`: files of real data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImportConfig {
    /// Bytes of an uploaded file. 64 MiB.
    pub body_limit_bytes: usize,
    /// Rows or features of a file. 200,000.
    pub rows_max: usize,
    /// Seconds until an import that is not answered is given up, its upload included. 600.
    pub request_timeout_s: u64,
}

impl Default for ImportConfig {
    fn default() -> Self {
        Self { body_limit_bytes: 64 << 20, rows_max: 200_000, request_timeout_s: 600 }
    }
}
