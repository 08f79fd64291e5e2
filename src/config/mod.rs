//! What a city's operators may change, each file parsed once into valid types at the start.
//!
//! Parsing is pure: text and environment in, values or a named error out. No variable and no clock is read here, and of files
//! only a city's own templates and the layers of its base map. The sections of `config/muster.toml` are in [`sections`], posts and
//! plans in [`catalogue`], alert texts in [`templates`], the map's ground in [`base_map`].

pub mod base_map;
pub mod catalogue;
pub mod sections;
pub mod templates;

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::directory::shared::SharedOptions;
use crate::domain::alert_content::VALIDITY_MAX_S;
use crate::domain::area::{AreaCode, AreaLevel};
use crate::domain::policy::Policy;
use crate::redis_link::{self, RedisOptions};
use sections::{
    AlertConfig, AuthConfig, CityConfig, DutyConfig, EngineConfig, ImportConfig, JournalConfig, LiveConfig, LogConfig,
    MapConfig, Secret, ServerConfig, SilenceConfig, StorageConfig,
};

/// Overrides `[server] listen`.
pub const ENV_LISTEN: &str = "MUSTER_LISTEN";
/// Overrides `[storage] data_dir`.
pub const ENV_DATA_DIR: &str = "MUSTER_DATA_DIR";
/// Overrides `[log] filter`.
pub const ENV_LOG: &str = "MUSTER_LOG";
/// Overrides `[journal] url`.
pub const ENV_JOURNAL_URL: &str = "MUSTER_JOURNAL_URL";
/// Overrides `[journal] directory_key`.
pub const ENV_DIRECTORY_KEY: &str = "MUSTER_DIRECTORY_KEY";
/// Names the configuration file. Read by whoever reads the file, not here.
pub const ENV_CONFIG: &str = "MUSTER_CONFIG";

/// Why a configuration was not taken. The start stops with it.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// It is not TOML, or a key is unknown or of the wrong type; the source says which, and its line.
    #[error(transparent)]
    Syntax(#[from] Box<toml::de::Error>),
    /// A value makes no sense, alone or beside another.
    #[error("{key}: {why}")]
    Value {
        /// Section and key: `alert.ack_timeout_s`.
        key: &'static str,
        /// What it must be.
        why: &'static str,
    },
    /// An environment variable cannot be read.
    #[error("environment variable {name}: {why}")]
    Environment {
        /// Which.
        name: &'static str,
        /// What it must be.
        why: &'static str,
    },
}

/// Everything that can be set. `config/muster.toml` documents every key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What is listened to.
    pub server: ServerConfig,
    /// Which city this is.
    pub city: CityConfig,
    /// Where things are kept.
    pub storage: StorageConfig,
    /// Where, when several nodes serve the city.
    pub journal: JournalConfig,
    /// Who must agree to an alert.
    pub alert: AlertConfig,
    /// Calls to posts.
    pub duty: DutyConfig,
    /// When no news is bad news.
    pub silence: SilenceConfig,
    /// Sockets.
    pub live: LiveConfig,
    /// The base map.
    pub map: MapConfig,
    /// Sign-in, links and passwords.
    pub auth: AuthConfig,
    /// How much may wait.
    pub engine: EngineConfig,
    /// What is logged.
    pub log: LogConfig,
    /// Files of real data.
    pub import: ImportConfig,
}

impl Config {
    /// Reads `text` (none: the defaults), lets the environment override it, and checks the whole.
    ///
    /// # Errors
    /// [`ConfigError`] names the key and its line, or the variable.
    pub fn load(text: Option<&str>, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut config: Self = toml::from_str(text.unwrap_or_default()).map_err(Box::new)?;
        config.take_environment(env)?;
        config.check()?;
        Ok(config)
    }

    /// The part that the rules depend on, for the engine.
    pub fn policy(&self) -> Policy {
        Policy {
            approval_over_compounds: self.alert.approval_over_compounds,
            approval_at_severity: self.alert.approval_at_severity,
            approval_in_exercise: self.alert.approval_in_exercise,
            ack_timeout_s: self.alert.ack_timeout_s,
            validity_max_s: self.alert.validity_max_h.saturating_mul(3_600),
            answer_limit_s: self.duty.answer_limit_s,
            silent_after_s: self.silence.silent_after_s,
        }
    }

    /// Where the city is kept, when several nodes serve it.
    ///
    /// # Errors
    /// [`ConfigError`] names the key.
    pub fn shared(&self) -> Result<Option<SharedOptions>, ConfigError> {
        let JournalConfig { url, acknowledge_after, answer_within_ms, directory_key } = &self.journal;
        let value = |key, why| ConfigError::Value { key, why };
        let acknowledge_after = acknowledge_after.parse().map_err(|why| value("journal.acknowledge_after", why))?;
        require((100..=60_000).contains(answer_within_ms), "journal.answer_within_ms", "must be 100 to 60,000 ms")?;
        if url.0.is_empty() {
            return Ok(None);
        }
        let why = "must be redis://host:port/db, redis+sentinel://host:port,host:port/NAME/db or redis+cluster://host:port,host:port";
        redis_link::check_url(&url.0).map_err(|_| value("journal.url", why))?;
        let why = "must be 64 hex digits, as `openssl rand -hex 32` prints them; all nodes of a city have the same";
        let key = directory_key.0.parse().map_err(|_| value("journal.directory_key", why))?;
        let city = self.city.code.parse().map_err(|_| value("city.code", "must be four digits"))?;
        let timeout = Duration::from_millis(*answer_within_ms);
        Ok(Some(SharedOptions { redis: RedisOptions { url: url.0.clone(), city, acknowledge_after, timeout }, key }))
    }

    fn take_environment(&mut self, env: &dyn Fn(&str) -> Option<String>) -> Result<(), ConfigError> {
        let given = |name: &str| env(name).filter(|value| !value.is_empty());
        if let Some(listen) = given(ENV_LISTEN) {
            let why = "must be an address and port like 127.0.0.1:8080";
            self.server.listen =
                listen.parse::<SocketAddr>().map_err(|_| ConfigError::Environment { name: ENV_LISTEN, why })?;
        }
        if let Some(data_dir) = given(ENV_DATA_DIR) {
            self.storage.data_dir = data_dir.into();
        }
        if let Some(url) = given(ENV_JOURNAL_URL) {
            self.journal.url = Secret(url);
        }
        if let Some(key) = given(ENV_DIRECTORY_KEY) {
            self.journal.directory_key = Secret(key);
        }
        if let Some(filter) = given(ENV_LOG) {
            self.log.filter = filter;
        }
        Ok(())
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.check_rules()?;
        self.check_server()?;
        self.check_live()?;
        self.check_map()?;
        self.check_auth()?;
        self.shared()?;
        let engine = &self.engine;
        require((1..=1_000_000).contains(&engine.queue_max), "engine.queue_max", "must be 1 to 1,000,000")?;
        require(engine.round_max >= 1, "engine.round_max", "must be at least 1")?;
        require(engine.round_max <= engine.queue_max, "engine.round_max", "must be at most engine.queue_max")?;
        require(
            engine.idempotency_window_entries >= engine.queue_max,
            "engine.idempotency_window_entries",
            "must be at least engine.queue_max, or a repeat of a waiting command would be done twice",
        )?;
        require(self.import.rows_max >= 1, "import.rows_max", "must be at least 1")?;
        require(
            self.import.body_limit_bytes >= self.server.body_limit_bytes,
            "import.body_limit_bytes",
            "must be at least server.body_limit_bytes",
        )?;
        require(
            self.import.request_timeout_s >= self.server.request_timeout_s,
            "import.request_timeout_s",
            "must be at least server.request_timeout_s",
        )
    }

    fn check_rules(&self) -> Result<(), ConfigError> {
        let is_city = self.city.code.parse::<AreaCode>().is_ok_and(|code| code.level() == AreaLevel::City);
        require(is_city, "city.code", "must be the four digits of a city like \"1404\"")?;
        require(!self.city.name.trim().is_empty(), "city.name", "must not be empty")?;
        require(!self.city.name_en.trim().is_empty(), "city.name_en", "must not be empty")?;
        require(
            (-720..=840).contains(&self.city.utc_offset_min),
            "city.utc_offset_min",
            "must be -720 to 840 minutes",
        )?;
        let validity_h = 1..=VALIDITY_MAX_S / 3_600;
        require(validity_h.contains(&self.alert.validity_max_h), "alert.validity_max_h", "must be 1 to 168 hours")?;
        self.policy().check().map_err(|(field, why)| ConfigError::Value { key: policy_key(field), why })
    }

    fn check_server(&self) -> Result<(), ConfigError> {
        let server = &self.server;
        require(
            is_origin(&server.public_url, true),
            "server.public_url",
            "must be empty or like https://host:port, no path",
        )?;
        let origins = server.allowed_origins.iter().all(|origin| is_origin(origin, false));
        require(origins, "server.allowed_origins", "must be origins like https://host:port, no path")?;
        require(
            server.secure_cookies || !server.public_url.starts_with("https://"),
            "server.secure_cookies",
            "must be true where server.public_url is https",
        )?;
        let token = server.metrics_token.0.chars().count();
        require(token == 0 || token >= 16, "server.metrics_token", "must be empty or at least 16 characters")?;
        require(server.body_limit_bytes >= 4_096, "server.body_limit_bytes", "must be at least 4,096 bytes")?;
        require(server.request_timeout_s >= 1, "server.request_timeout_s", "must be at least 1 second")?;
        require(!self.storage.data_dir.as_os_str().is_empty(), "storage.data_dir", "must not be empty")
    }

    fn check_live(&self) -> Result<(), ConfigError> {
        let live = &self.live;
        require(live.connections_max >= 1, "live.connections_max", "must be at least 1")?;
        require(live.queue_frames >= 8, "live.queue_frames", "must be at least 8")?;
        require(live.history_frames >= live.queue_frames, "live.history_frames", "must be at least live.queue_frames")?;
        require((1..=5).contains(&live.map_frames_per_s), "live.map_frames_per_s", "must be 1 to 5")?;
        require((1..=300).contains(&live.heartbeat_s), "live.heartbeat_s", "must be 1 to 300 seconds")?;
        require(
            live.idle_timeout_s > live.heartbeat_s * 2,
            "live.idle_timeout_s",
            "must be more than two heartbeats, or one lost packet closes a socket",
        )?;
        require(live.message_max_bytes >= 1_024, "live.message_max_bytes", "must be at least 1,024 bytes")?;
        require(live.commands_per_s >= 1, "live.commands_per_s", "must be at least 1")
    }

    fn check_map(&self) -> Result<(), ConfigError> {
        let MapConfig { base, base_max_zoom, .. } = &self.map;
        let is_address = ["https://", "http://"].iter().any(|scheme| base.starts_with(scheme))
            && ["{z}", "{x}", "{y}"].iter().all(|part| base.contains(part))
            // It becomes part of a header that says where pages may load from.
            && !base.contains([';', ',', ' ', '"', '\'']);
        let is_file = base.ends_with(".pmtiles") && !base.contains("://");
        require(
            base.is_empty() || is_address || is_file,
            "map.base",
            "must be empty, an address like https://host/{z}/{x}/{y}.png, or the path of a .pmtiles file",
        )?;
        require((1..=22).contains(base_max_zoom), "map.base_max_zoom", "must be 1 to 22")
    }

    fn check_auth(&self) -> Result<(), ConfigError> {
        let days = self.auth.household_link_days;
        require((1..=365).contains(&days), "auth.household_link_days", "must be 1 to 365 days")
    }
}

fn require(holds: bool, key: &'static str, why: &'static str) -> Result<(), ConfigError> {
    if holds { Ok(()) } else { Err(ConfigError::Value { key, why }) }
}

/// Where in the file a field of the policy is set.
fn policy_key(field: &'static str) -> &'static str {
    match field {
        "ack_timeout_s" => "alert.ack_timeout_s",
        "answer_limit_s" => "duty.answer_limit_s",
        "silent_after_s" => "silence.silent_after_s",
        other => other,
    }
}

/// Scheme, host and perhaps a port: what browsers send as `Origin`.
fn is_origin(text: &str, may_be_empty: bool) -> bool {
    if text.is_empty() {
        return may_be_empty;
    }
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENTED: &str = include_str!("../../config/muster.toml");

    fn no_env(_: &str) -> Option<String> {
        None
    }

    fn message(text: &str) -> String {
        Config::load(Some(text), &no_env).unwrap_err().to_string()
    }

    #[test]
    fn the_documented_file_has_every_key_and_every_default() {
        assert_eq!(Config::load(Some(DOCUMENTED), &no_env).unwrap(), Config::default());
        let documented: toml::Table = toml::from_str(DOCUMENTED).unwrap();
        assert_eq!(documented, toml::Table::try_from(Config::default()).unwrap());
    }

    #[test]
    fn the_demos_file_changes_what_it_says() {
        let demo = Config::load(Some(include_str!("../../config/demo.toml")), &no_env).unwrap();
        assert!(demo.alert.approval_in_exercise && demo.live.idle_timeout_s == 3_600);
        assert_eq!(demo.log.filter, "warn");
        let Config { alert, live, log, .. } = Config::default();
        assert_eq!(Config { alert, live, log, ..demo }, Config::default(), "nothing else");
    }

    #[test]
    fn every_key_of_the_documented_file_has_a_comment_with_its_default() {
        let lines: Vec<&str> = DOCUMENTED.lines().collect();
        let keys: Vec<usize> =
            (0..lines.len()).filter(|&i| lines[i].contains(" = ") && !lines[i].starts_with('#')).collect();
        assert!(keys.len() > 30);
        for i in keys {
            assert!(lines[i - 1].starts_with("# ") && lines[i - 1].contains("Default "), "{}", lines[i]);
        }
    }

    #[test]
    fn nothing_given_is_the_default_and_the_default_policy() {
        let config = Config::load(None, &no_env).unwrap();
        assert_eq!(config, Config::default());
        assert_eq!(config.policy(), Policy::default());
        assert_eq!(config.server.origin(), "http://127.0.0.1:8080");
    }

    #[test]
    fn unknown_keys_are_named_with_their_line() {
        let error = message("[server]\nlisten = \"127.0.0.1:1\"\nlissten = 1\n");
        assert!(error.contains("lissten") && error.contains("line 3"), "{error}");
        assert!(message("[sever]\n").contains("sever"));
        let error = message("\n[alert]\nack_timeout_s = \"soon\"\n");
        assert!(error.contains("line 3"), "{error}");
    }

    #[test]
    fn the_environment_overrides_the_file() {
        let env = |name: &str| match name {
            ENV_LISTEN => Some("0.0.0.0:80".to_owned()),
            ENV_DATA_DIR => Some("/var/lib/muster".to_owned()),
            ENV_LOG => Some("debug".to_owned()),
            ENV_JOURNAL_URL => Some("redis://10.0.0.1:6379/".to_owned()),
            ENV_DIRECTORY_KEY => Some("0a".repeat(32)),
            _ => None,
        };
        let config = Config::load(Some("[storage]\ndata_dir = \"x\"\n"), &env).unwrap();
        assert_eq!(config.server.listen.to_string(), "0.0.0.0:80");
        assert_eq!(config.storage.data_dir, std::path::Path::new("/var/lib/muster"));
        assert_eq!(config.log.filter, "debug");
        assert_eq!(config.shared().unwrap().unwrap().redis.url, "redis://10.0.0.1:6379/");
        assert!(
            !format!("{config:?}").contains("10.0.0.1") && !format!("{config:?}").contains("0a0a"),
            "no secret is shown"
        );
        let error = Config::load(None, &|_| Some("nowhere".to_owned())).unwrap_err().to_string();
        assert!(error.contains(ENV_LISTEN), "{error}");
    }

    #[test]
    fn values_are_checked_alone_and_beside_each_other() {
        for (text, key) in [
            ("[alert]\nack_timeout_s = 1", "alert.ack_timeout_s"),
            ("[alert]\nvalidity_max_h = 169", "alert.validity_max_h"),
            ("[silence]\nsilent_after_s = 1", "silence.silent_after_s"),
            ("[duty]\nanswer_limit_s = 1", "duty.answer_limit_s"),
            ("[city]\ncode = \"140403\"", "city.code"),
            ("[server]\npublic_url = \"muster.example\"", "server.public_url"),
            ("[server]\npublic_url = \"https://muster.example\"", "server.secure_cookies"),
            ("[server]\nallowed_origins = [\"https://a/b\"]", "server.allowed_origins"),
            ("[server]\nmetrics_token = \"short\"", "server.metrics_token"),
            ("[journal]\nurl = \"http://10.0.0.1\"", "journal.url"),
            ("[journal]\nurl = \"redis://10.0.0.1\"", "journal.directory_key"),
            ("[journal]\nacknowledge_after = \"replicas:0\"", "journal.acknowledge_after"),
            ("[journal]\nanswer_within_ms = 1", "journal.answer_within_ms"),
            ("[live]\nheartbeat_s = 30", "live.idle_timeout_s"),
            ("[live]\nmap_frames_per_s = 6", "live.map_frames_per_s"),
            ("[live]\nhistory_frames = 10", "live.history_frames"),
            ("[map]\nbase = \"https://host/tiles\"", "map.base"),
            ("[map]\nbase = \"https://host/{z}/{x}/{y}; img-src *\"", "map.base"),
            ("[map]\nbase_max_zoom = 0", "map.base_max_zoom"),
            ("[auth]\nhousehold_link_days = 0", "auth.household_link_days"),
            ("[engine]\nround_max = 60000", "engine.round_max"),
            ("[engine]\nidempotency_window_entries = 10", "engine.idempotency_window_entries"),
            ("[import]\nbody_limit_bytes = 1", "import.body_limit_bytes"),
            ("[import]\nrequest_timeout_s = 1", "import.request_timeout_s"),
        ] {
            let error = message(text);
            assert!(error.contains(&format!("{key}: ")), "{text}: {error}");
        }
    }
}
