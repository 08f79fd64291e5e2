//! The city in this process, with no server: for verbs that give one order. On a data directory it takes the lock, so that it fails when
//! a server runs there; where several nodes share a Redis it is one of them for a moment.

use std::sync::Arc;

use uuid::Uuid;

use crate::config::Config;
use crate::directory::Directory;
use crate::domain::actor::Actor;
use crate::domain::command::Command;
use crate::domain::ids::CommandId;
use crate::engine::Accepted;
use crate::import::{Draft, Report, settle_arrivals, take_in};
use crate::runtime::clock::SystemClock;
use crate::runtime::{Muster, Parts};

use super::data_dir::DataDirLock;
use super::store::Store;
use super::{demo_city, progress, small_runtime};

/// A city that nobody is connected to.
pub(super) struct Offline {
    muster: Muster,
    directory: Directory,
    runtime: tokio::runtime::Runtime,
    _lock: Option<DataDirLock>,
}

impl Offline {
    pub(super) fn open(config: &Config, store: &Store) -> anyhow::Result<Self> {
        let lock = store.lock_for_verb()?;
        let journal = store.open_journal(lock.as_ref())?;
        let directory = store.open_directory()?;
        let parts = Parts {
            journal,
            publisher: Box::new(()),
            clock: Arc::new(SystemClock),
            policy: config.policy(),
            limits: config.engine.limits(),
            history: 0,
        };
        let muster = progress::during("读取日志 reading the journal", || Muster::start(parts))?;
        demo_city::check_whole(store, &muster.city())?;
        settle_arrivals(&muster.city(), &directory, store.arrived_before(muster.now()))?;
        Ok(Self { muster, directory, runtime: small_runtime()?, _lock: lock })
    }

    pub(super) const fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Takes a file in as the system itself, or only says what would come of it.
    pub(super) fn import(&self, draft: Draft, dry_run: bool) -> anyhow::Result<Report> {
        let id = CommandId(Uuid::now_v7());
        let taken = take_in(&self.muster, &self.directory, Actor::system(), id, draft, dry_run);
        Ok(progress::during("导入 importing", || self.runtime.block_on(taken))?)
    }

    /// Gives an order as the system itself: whoever can write the files needs no other authority.
    pub(super) fn order(&self, command: Command) -> anyhow::Result<Accepted> {
        let order = self.muster.order(Actor::system(), CommandId(Uuid::now_v7()), None, command);
        Ok(progress::during("写入日志 writing into the journal", || self.runtime.block_on(order))?)
    }

    /// Ends the driver, so that all is on disk when the lock goes.
    pub(super) fn close(self) -> anyhow::Result<()> {
        Ok(self.muster.stop()?)
    }
}
