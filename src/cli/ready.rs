//! `muster ready`: asks a server whether it is ready, for scripts and service managers.

use std::time::Duration;

use anyhow::bail;
use tokio::time::{Instant, interval, timeout};

use super::small_runtime;

/// Between two questions.
const ASK_EVERY: Duration = Duration::from_millis(200);
/// For one answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Asks a server.
#[derive(Debug, clap::Args)]
pub(super) struct Ready {
    /// 服务地址 Address of the server
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    server: String,
    /// 最长等待（秒） Seconds to wait until it is; 0 asks once
    #[arg(long, default_value_t = 0)]
    within_s: u64,
}

impl Ready {
    pub(super) fn run(self) -> anyhow::Result<()> {
        if small_runtime()?.block_on(self.wait()) {
            return Ok(());
        }
        bail!("{0} 未就绪。 {0} is not ready.", self.server);
    }

    async fn wait(&self) -> bool {
        let until = Instant::now() + Duration::from_secs(self.within_s);
        let url = format!("{}/readyz", self.server.trim_end_matches('/'));
        let mut turns = interval(ASK_EVERY);
        loop {
            turns.tick().await;
            let answer = timeout(ANSWER_WITHIN, reqwest::get(&url)).await;
            if matches!(answer, Ok(Ok(response)) if response.status().is_success()) {
                return true;
            }
            if Instant::now() >= until {
                return false;
            }
        }
    }
}
