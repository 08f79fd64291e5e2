//! `muster serve`: puts the server together, and takes it apart in the order that loses nothing.
//!
//! Start: lock, journal, directory, replay, demo city, listen. Stop: no new connections, sockets told to come back, requests answered,
//! rounds finished, lock released. If the driver's thread dies the process ends, for only a fresh replay is to be trusted then.

use std::fmt::Write as _;
use std::io::{Write as _, stdout};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::config::Config;
use crate::config::templates::Templates;
use crate::demo::COMPOUNDS_DEFAULT;
use crate::live::{Hub, LiveLimits, LiveParts};
use crate::runtime::clock::SystemClock;
use crate::runtime::{Muster, Parts};
use crate::server::{App, router};

use super::data_dir::DataDir;
use super::{demo_city, progress};

/// How often it is looked whether the driver still runs.
const WATCH_EVERY: Duration = Duration::from_millis(500);
/// How often the directory drops what has expired.
const HOUSEKEEPING_EVERY: Duration = Duration::from_mins(5);

/// Serves the city.
#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    /// 演示城市 Lay out the demo city on the first start; on a loopback address only
    #[arg(long)]
    demo: bool,
    /// Compounds of the demo city: fewer for tests, more for load tests
    #[arg(long, hide = true, requires = "demo", default_value_t = COMPOUNDS_DEFAULT)]
    demo_compounds: usize,
}

impl Serve {
    pub(super) fn run(self, config: Config) -> anyhow::Result<()> {
        let data = DataDir::of(&config)?;
        check_address(config.server.listen, self.demo || data.is_demo())?;
        let lock = data.lock()?;
        let listener = listen(config.server.listen)?;
        let journal = data.open_journal(&lock)?;
        let directory = data.open_directory()?;
        let hub = Hub::new(live_limits(&config));
        let parts = Parts {
            journal: Box::new(journal),
            publisher: Box::new(hub.clone()),
            clock: Arc::new(SystemClock),
            policy: config.policy(),
            limits: config.engine.limits(),
            history: u64::try_from(hub.limits().history_frames).unwrap_or(u64::MAX),
        };
        let muster = progress::during("读取日志 reading the journal", || Muster::start(parts))?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        if self.demo {
            demo_city::ensure(&data, &directory, &muster, &runtime, self.demo_compounds)?;
        }
        let templates = Arc::new(Templates::load(own_templates(&config))?);
        let journal = Some(data.reader()?);
        let app = App { muster, directory, config: Arc::new(config), templates, journal, hub };
        greet(&app, &data, listener.local_addr()?)?;
        let served = runtime.block_on(serve(app.clone(), listener));
        progress::during("完成最后一轮 finishing the last round", || app.muster.stop());
        served
    }
}

/// The password of a demo is published: such a city never leaves the machine.
fn check_address(listen: SocketAddr, demo: bool) -> anyhow::Result<()> {
    if demo && !listen.ip().to_canonical().is_loopback() {
        bail!(
            "演示城市的口令是公开的，只能在本机地址（如 127.0.0.1:8080）上提供服务，当前为 {listen}。 \
             The demo city's password is published: it is served on a loopback address only, not on {listen}."
        );
    }
    Ok(())
}

fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).with_context(|| {
        format!(
            "无法监听 {address}，端口可能被占用（MUSTER_LISTEN 可改）。 Cannot listen on {address}; see MUSTER_LISTEN"
        )
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The folder with the city's own alert templates.
fn own_templates(config: &Config) -> Option<&Path> {
    Some(config.storage.templates_dir.as_path()).filter(|dir| !dir.as_os_str().is_empty())
}

/// What `[live]` says, as the hub takes it.
fn live_limits(config: &Config) -> LiveLimits {
    let live = &config.live;
    LiveLimits {
        connections_max: live.connections_max,
        queue_frames: live.queue_frames,
        history_frames: live.history_frames,
        message_max_bytes: live.message_max_bytes,
        commands_per_s: live.commands_per_s,
        heartbeat: Duration::from_secs(live.heartbeat_s),
        idle_timeout: Duration::from_secs(live.idle_timeout_s),
        map_interval: Duration::from_secs(1) / live.map_frames_per_s.max(1),
        reconnect_spread: Duration::from_secs(live.reconnect_spread_s.into()),
        utc_offset_min: config.city.utc_offset_min,
        ..LiveLimits::default()
    }
}

/// Says where it can be reached. Nobody may be reading: that is no reason to stop.
fn greet(app: &App, data: &DataDir, at: SocketAddr) -> anyhow::Result<()> {
    let city = app.city();
    let (name, name_en) = (&app.config.city.name, &app.config.city.name_en);
    let mut text = format!(
        "Muster 平急应急指挥 · {name} {name_en} · {} 个小区 compounds\n\
         \x20 网址 Address: http://{at}\n\
         \x20 接口说明 API: http://{at}/api/v1/docs\n\
         \x20 数据目录 Data: {}\n",
        city.compound_count(),
        data.path().display()
    );
    if data.is_demo() {
        text.push_str("演示数据，均为虚构。 Demonstration data: every compound and person is made up.\n");
        text.push_str(&demo_city::sign_ins(&app.directory, &city)?);
        let program = std::env::args().next().unwrap_or_else(|| "muster".to_owned());
        let _ = writeln!(
            text,
            "  演练，另开终端 Rehearse, in a second terminal: {program} rehearse flood-2021 --server http://{at}"
        );
    }
    text.push_str("  停止 Stop: Ctrl-C\n");
    drop(stdout().write_all(text.as_bytes()));
    Ok(())
}

/// Why serving ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Asked,
    DriverDied,
}

async fn serve(app: App, listener: TcpListener) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let grace = Duration::from_secs(app.config.server.stop_grace_s);
    let live = LiveParts::start(app.hub.clone(), app.muster.clone());
    tokio::spawn(keep_house(app.clone()));
    let (ending, mut ended) = watch::channel(None);
    let stopping = async move {
        // Whoever could tell is gone: there is nothing left to serve either.
        let _ = ended.wait_for(Option::is_some).await;
    };
    let service = router(&app).into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(axum::serve(listener, service).with_graceful_shutdown(stopping).into_future());
    let end = tokio::select! {
        () = asked_to_stop() => End::Asked,
        () = driver_died(&app.muster) => End::DriverDied,
    };
    tracing::info!(?end, "stopping");
    ending.send_replace(Some(end));
    // Sockets and requests have the same time; what is not done then is cut off.
    let (left, requests) = tokio::join!(live.hub.stop(grace), timeout(grace, server));
    if left > 0 || requests.is_err() {
        tracing::warn!(sockets = left, requests = requests.is_err(), "cut off what did not end in time");
    }
    match end {
        End::Asked => Ok(()),
        End::DriverDied => {
            bail!("指挥核心线程已停止，请重新启动。 The driver's thread has died; start the server again.")
        }
    }
}

/// Returns at SIGTERM or SIGINT.
async fn asked_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => tokio::select! { _ = interrupt => {}, _ = terminate.recv() => {} },
            Err(error) => {
                tracing::warn!(%error, "SIGTERM cannot be listened for");
                drop(interrupt.await);
            }
        }
    }
    #[cfg(not(unix))]
    drop(interrupt.await);
}

async fn driver_died(muster: &Muster) {
    let mut looks = interval(WATCH_EVERY);
    while muster.is_running() {
        looks.tick().await;
    }
}

async fn keep_house(app: App) {
    let mut turns = interval(HOUSEKEEPING_EVERY);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        let now = app.now();
        if let Err(error) = app.directory.run(move |directory| directory.housekeeping(now)).await {
            tracing::warn!(%error, "the directory's upkeep was put off");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demo_stays_on_this_machine() {
        for (listen, demo, fine) in [
            ("127.0.0.1:8080", true, true),
            ("[::1]:8080", true, true),
            ("0.0.0.0:8080", true, false),
            ("10.1.2.3:80", true, false),
            ("0.0.0.0:8080", false, true),
        ] {
            let checked = check_address(listen.parse().unwrap(), demo);
            assert_eq!(checked.is_ok(), fine, "{listen} {demo}");
        }
    }
}
