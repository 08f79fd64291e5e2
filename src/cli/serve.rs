//! `muster serve`: puts the server together, and takes it apart in the order that loses nothing.
//!
//! Start: lock, journal, directory, replay, demo city, listen. Stop: no new connections, sockets told to come back, requests answered,
//! rounds finished, lock released. If the driver's thread dies the process ends, for only a fresh replay is to be trusted then.

use std::fmt::Write as _;
use std::io::{Write as _, stdout};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::config::Config;
use crate::config::base_map::BaseMap;
use crate::config::templates::Templates;
use crate::demo::COMPOUNDS_DEFAULT;
use crate::domain::time::{MICROS_PER_S, Timestamp};
use crate::import::settle_arrivals;
use crate::journal::RedisJournal;
use crate::live::{Hub, LiveLimits, LiveParts};
use crate::runtime::clock::SystemClock;
use crate::runtime::{Muster, Parts};
use crate::server::replays::Replays;
use crate::server::{App, router};

use super::store::Store;
use super::{demo_city, progress};

/// Connections that the system may hold until they are taken in. Phones that all come back at once are not to be turned away by it, for
/// each would try again only a second later. The system's own limit (`net.core.somaxconn`, mostly 4,096) is the smaller one.
const BACKLOG: u32 = 65_535;
/// Bytes that the system holds for one socket that is not read. Left alone it would grow to megabytes, a hundred thousand times, and a
/// phone that stopped reading would be found out only minutes later.
const SEND_BUFFER: u32 = 128 << 10;
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
        let store = Store::of(&config)?;
        check_address(config.server.listen, self.demo || store.is_demo()?)?;
        // In Redis nothing is begun unasked, but a demo city is asked for.
        if self.demo {
            store.lay_out()?;
        }
        let lock = store.data().lock()?;
        let runtime = Runtime::new()?;
        let listener = runtime.block_on(async { listen(config.server.listen) })?;
        let journal = store.open_journal(Some(&lock))?;
        warn_of_sync(&store);
        let directory = store.open_directory_of_node()?;
        let hub = Hub::new(live_limits(&config));
        let parts = Parts {
            journal,
            publisher: Box::new(hub.clone()),
            clock: Arc::new(SystemClock),
            policy: config.policy(),
            limits: config.engine.limits(),
            history: u64::try_from(hub.limits().history_frames).unwrap_or(u64::MAX),
        };
        let muster = progress::during("读取日志 reading the journal", || Muster::start(parts))?;
        demo_city::check_whole(&store, &muster.city())?;
        let cut_short = settle_arrivals(&muster.city(), &directory, store.arrived_before(muster.now()))?;
        if cut_short > 0 {
            tracing::warn!(
                people = cut_short,
                "an import was cut short: its people are not in the city and were removed"
            );
        }
        if self.demo {
            demo_city::ensure(&store, &directory, &muster, &runtime, self.demo_compounds)?;
        }
        let templates = Arc::new(Templates::load(own_templates(&config))?);
        let journal = Some(store.reader()?);
        let base_map = BaseMap::load(&config.map)?.map(Arc::new);
        let app = App {
            muster,
            directory,
            config: Arc::new(config),
            templates,
            base_map,
            journal,
            hub,
            replays: Replays::default(),
        };
        let stop = runtime.block_on(async { Stop::listen() })?;
        greet(&app, &store, listener.local_addr()?)?;
        serve_to_the_end(app, listener, stop, &runtime)
    }
}

/// Serves until it is asked to stop or the driver dies, and ends the driver. An error is what the process exits with: whoever keeps it
/// running starts it again.
fn serve_to_the_end(app: App, listener: TcpListener, stop: Stop, runtime: &Runtime) -> anyhow::Result<()> {
    let muster = app.muster.clone();
    let served = runtime.block_on(serve(app, listener, stop));
    let stopped = progress::during("完成最后一轮 finishing the last round", || muster.stop());
    stopped.context("指挥核心线程已停止，请重新启动。 The driver's thread has died; start the server again")?;
    served
}

/// What the settings of Redis let a power cut take is said by name.
fn warn_of_sync(store: &Store) {
    let Some(shared) = store.shared() else { return };
    match RedisJournal::open(shared.redis.clone()).map(|mut journal| journal.sync_warning()) {
        Ok(None) => {}
        Ok(Some(warning)) => tracing::warn!("{warning}"),
        Err(error) => tracing::warn!(%error, "whether Redis syncs each write is not told"),
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
    let bind = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // A restart does not wait for the connections of the last run to be forgotten.
        socket.set_reuseaddr(true)?;
        // Sockets that are taken in have what their listener has.
        socket.set_send_buffer_size(SEND_BUFFER)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    bind().with_context(|| {
        format!(
            "无法监听 {address}，端口可能被占用（MUSTER_LISTEN 可改）。 Cannot listen on {address}; see MUSTER_LISTEN"
        )
    })
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
fn greet(app: &App, store: &Store, at: SocketAddr) -> anyhow::Result<()> {
    // Before the city is read: the driver waits for whoever reads it.
    let is_demo = store.is_demo()?;
    let city = app.city();
    let (name, name_en) = (&app.config.city.name, &app.config.city.name_en);
    let mut text = format!(
        "Muster 平急应急指挥 · {name} {name_en} · {} 个小区 compounds\n\
         \x20 网址 Address: http://{at}\n\
         \x20 接口说明 API: http://{at}/api/v1/docs\n\
         \x20 数据目录 Data: {}\n",
        city.compound_count(),
        store.place()
    );
    if is_demo {
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
    ThreadDied,
}

async fn serve(app: App, listener: TcpListener, mut stop: Stop) -> anyhow::Result<()> {
    let grace = Duration::from_secs(app.config.server.stop_grace_s);
    let live = LiveParts::start(app.hub.clone(), app.muster.clone())?;
    tokio::spawn(keep_house(app.clone()));
    let (ending, mut ended) = watch::channel(None);
    let stopping = async move {
        // Whoever could tell is gone: there is nothing left to serve either.
        let _ = ended.wait_for(Option::is_some).await;
    };
    let service = router(&app).into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(axum::serve(listener, service).with_graceful_shutdown(stopping).into_future());
    let end = tokio::select! {
        () = stop.asked() => End::Asked,
        () = thread_died(&app) => End::ThreadDied,
    };
    match end {
        End::Asked => tracing::info!("stopping"),
        End::ThreadDied => tracing::error!("what nothing goes on without has died: stopping"),
    }
    ending.send_replace(Some(end));
    // Sockets and requests have the same time; what is not done then is cut off.
    let (left, requests) = tokio::join!(live.hub.stop(grace), timeout(grace, server));
    if left > 0 || requests.is_err() {
        tracing::warn!(sockets = left, requests = requests.is_err(), "cut off what did not end in time");
    }
    Ok(())
}

/// Whoever asks the server to stop: heard from before anybody is told that it is there, for nobody knows when they ask.
struct Stop {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 2],
}

impl Stop {
    /// Listens from now on. Inside the runtime.
    #[cfg(unix)]
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { signals: [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?] })
    }

    #[cfg(not(unix))]
    fn listen() -> std::io::Result<Self> {
        Ok(Self {})
    }

    /// Returns at SIGTERM or SIGINT.
    #[cfg(unix)]
    async fn asked(&mut self) {
        let [terminate, interrupt] = &mut self.signals;
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    }

    #[cfg(not(unix))]
    async fn asked(&mut self) {
        drop(tokio::signal::ctrl_c().await);
    }
}

/// Returns when the driver or a shard of the hub has died, or the directory cannot be read on.
async fn thread_died(app: &App) {
    let mut looks = interval(WATCH_EVERY);
    while app.muster.is_running() && app.hub.is_running() && app.directory.is_usable() {
        looks.tick().await;
    }
}

/// When an import that began then is under way nowhere any more.
pub(super) fn long_before(now: Timestamp) -> Timestamp {
    Timestamp(now.0.saturating_sub(IMPORT_WITHIN_S * MICROS_PER_S))
}

/// Seconds after which no import is under way any more, on whichever node.
const IMPORT_WITHIN_S: i64 = 3_600;

async fn keep_house(app: App) {
    let mut turns = interval(HOUSEKEEPING_EVERY);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        let (now, muster) = (app.now(), app.muster.clone());
        let kept = app.directory.run(move |directory| {
            directory.housekeeping(now)?;
            if directory.is_shared() {
                settle_arrivals(&muster.city(), directory, long_before(now))?;
            }
            Ok(())
        });
        if let Err(error) = kept.await {
            tracing::warn!(%error, "the directory's upkeep was put off");
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::actor::Actor;
    use crate::domain::command::Command;
    use crate::domain::hazard::Hazard;
    use crate::domain::ids::{CommandId, IncidentId};
    use crate::domain::refusal::Refusal;
    use crate::engine::ports::Journal;
    use crate::testing::served::Served;
    use crate::testing::{Faults, FaultyJournal};

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

    /// How long a test waits for what must come.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// A city served on a port of its own, on a disk with these faults, in a thread whose end is what the process would exit with.
    fn served_on(
        faults: &Faults,
        folder: &Path,
        runtime: &Arc<Runtime>,
    ) -> (App, String, std::thread::JoinHandle<anyhow::Result<()>>) {
        let behind = |journal| -> Box<dyn Journal> { Box::new(FaultyJournal::new(journal, faults.clone())) };
        let served = runtime.block_on(Served::start_on(folder, behind));
        let listener = runtime.block_on(async { listen("127.0.0.1:0".parse().unwrap()) }).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (app, runtime) = (served.app.clone(), runtime.clone());
        let stop = runtime.block_on(async { Stop::listen() }).unwrap();
        let process = std::thread::spawn(move || serve_to_the_end(served.app, listener, stop, &runtime));
        (app, url, process)
    }

    async fn order(app: &App, n: u128) -> Result<u64, Refusal> {
        let id = IncidentId(Uuid::from_u128(n));
        let command = Command::OpenIncident { id, hazard: Hazard::Flood, exercise: true, title: "演练".into() };
        let answer = app.muster.order(Actor::system(), CommandId(id.0), None, command).await;
        answer.map(|done| done.position)
    }

    #[test]
    fn a_driver_that_panics_ends_the_process_and_loses_nothing() {
        let (faults, folder) = (Faults::default(), tempfile::tempdir().unwrap());
        let runtime = Arc::new(Runtime::new().unwrap());
        let (app, url, process) = served_on(&faults, folder.path(), &runtime);
        let acknowledged = runtime.block_on(order(&app, 1)).unwrap();
        faults.panic_after_next();
        assert_eq!(runtime.block_on(order(&app, 2)), Err(Refusal::OutcomeUnknown {}), "on disk, but nobody could say");
        assert_eq!(runtime.block_on(order(&app, 3)), Err(Refusal::JournalUnavailable {}));
        // Once the thread is gone it says so, or nobody listens any more.
        let ready =
            async || reqwest::get(format!("{url}/readyz")).await.is_ok_and(|answer| answer.status().is_success());
        let until = std::time::Instant::now() + PATIENCE;
        while runtime.block_on(ready()) {
            assert!(std::time::Instant::now() < until, "ready without a driver");
        }
        let error = process.join().unwrap().unwrap_err();
        assert!(format!("{error:#}").contains("the driver panicked"), "{error:#}");
        drop(app);
        let reader: &dyn crate::journal::JournalReader =
            &crate::journal::SqliteReader::new(&folder.path().join("journal.sqlite"));
        assert_eq!(reader.last_position().unwrap(), acknowledged + 1);
        assert!(crate::journal::verify(&folder.path().join("journal.sqlite")).unwrap().is_whole());
    }

    #[test]
    fn a_journal_that_is_damaged_ends_the_process() {
        let (faults, folder) = (Faults::default(), tempfile::tempdir().unwrap());
        let runtime = Arc::new(Runtime::new().unwrap());
        let (app, _, process) = served_on(&faults, folder.path(), &runtime);
        faults.damage();
        assert_eq!(runtime.block_on(order(&app, 1)), Err(Refusal::JournalUnavailable {}));
        let error = process.join().unwrap().unwrap_err();
        assert!(format!("{error:#}").contains("damaged at position 1"), "{error:#}");
    }
}
