//! The proof that nothing was lost: each phone asks anew for everything since its first hello, and compares it with what it heard.

use std::time::Duration;

use anyhow::bail;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;
use tokio::time::{sleep, timeout};

use super::phone::Phone;
use super::socket::{Heard, hear, open, parse_cursor, say};
use super::stage::{REQUESTS_MAX, Stage};

/// How long the last frames may be under way before the phones are switched off.
const SETTLE: Duration = Duration::from_secs(1);
/// How long one phone's whole stream may take.
const STREAM_WITHIN: Duration = Duration::from_secs(30);

/// Switches the phones off and counts what they heard, twice over and never.
///
/// # Errors
/// When a phone is not let in any more.
pub async fn nothing_lost(stage: &mut Stage) -> anyhow::Result<()> {
    sleep(SETTLE).await;
    stage.off.cancel();
    for phone in &mut stage.phones {
        phone.is_off().await;
    }
    let url = stage.api.live_url();
    let proved = stream::iter(stage.phones.iter().map(|phone| lost(&url, phone)));
    let proved: Vec<Option<u64>> = proved.buffer_unordered(REQUESTS_MAX).try_collect().await?;
    stage.figures.count_phones(&stage.phones);
    let frames = &mut stage.figures.frames;
    frames.proved = proved.iter().flatten().count();
    frames.lost = proved.iter().flatten().sum();
    let (count, lost) = (frames.proved, frames.lost);
    stage.teller.say(
        &format!("{count} 部手机从首个 hello 起重新续传核对：缺 {lost} 条"),
        &format!("{count} phones resumed from their first hello and compared: {lost} events missing"),
    );
    if count < proved.len() {
        let unknown = proved.len() - count;
        stage.teller.say(
            &format!("{unknown} 部手机的历史已超出服务器保留范围，无法核对"),
            &format!("for {unknown} phones the server keeps too little history to tell"),
        );
    }
    Ok(())
}

/// Events that this phone should have heard and has not; `None` when the server cannot tell any more.
async fn lost(url: &str, phone: &Phone) -> anyhow::Result<Option<u64>> {
    let Some((epoch, from)) = phone.log().hello.clone() else { return Ok(None) };
    let compare = async {
        let (mut socket, _, _) = open(url, &phone.key).await?;
        say(&mut socket, &json!({ "type": "resume", "epoch": epoch, "cursor": from })).await?;
        let mut lost = 0;
        loop {
            match hear(&mut socket).await? {
                Some(Heard::Event { cursor, .. }) => {
                    let cursor = parse_cursor(&cursor)?;
                    lost += u64::from(!phone.log().seen.contains(&cursor));
                }
                Some(Heard::Resumed {}) => return Ok(Some(lost)),
                Some(Heard::Reload {}) => return Ok(None),
                Some(_) => {}
                None => bail!("续传时连接关闭。 The socket was closed while resuming."),
            }
        }
    };
    timeout(STREAM_WITHIN, compare).await?
}
