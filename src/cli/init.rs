//! `muster init`: what a real city needs before its first sign-in: the administrative tree, the post catalogue, and somebody who may
//! enter the rest.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::config::Config;
use crate::config::catalogue::PostCatalogue;
use crate::demo;
use crate::domain::actor::{Grant, Role};
use crate::domain::area::Area;
use crate::domain::command::{Batch, Command};

use super::account::{Newcomer, read_password};
use super::offline::Offline;
use super::store::Store;

/// Prepares a real city; its first account is an administrator's.
#[derive(Debug, clap::Args)]
pub(super) struct Init {
    #[command(flatten)]
    who: Newcomer,
    /// 自定义岗位目录 The city's own post catalogue; without it config/posts.toml as delivered
    #[arg(long)]
    posts: Option<PathBuf>,
}

impl Init {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<()> {
        let store = Store::of(config)?;
        if store.is_demo()? {
            bail!("这是演示城市的数据目录，请另选目录。 This data directory holds the demo city; choose another one.");
        }
        let catalogue = self.posts.as_deref().map_or_else(|| Ok(PostCatalogue::as_delivered()), read_catalogue)?;
        let password = read_password()?;
        store.lay_out()?;
        let offline = Offline::open(config, &store)?;
        if !offline.directory().accounts(None, 1)?.is_empty() {
            bail!("已有账号，无须初始化。 There are accounts already; nothing was done.");
        }
        offline.order(Command::Import(Box::new(groundwork(&store, catalogue))))?;
        let grant = Grant { role: Role::Administrator, area: store.city() };
        self.who.enter(offline.directory(), grant, &password)?;
        offline.close()?;
        eprintln!("城市已初始化，管理员账号已建立。 The city is prepared and its administrator's account made.");
        Ok(())
    }
}

fn read_catalogue(path: &Path) -> anyhow::Result<PostCatalogue> {
    let name = || path.display().to_string();
    PostCatalogue::parse(&std::fs::read_to_string(path).with_context(name)?).with_context(name)
}

/// The areas of the city, as far as they are delivered with Muster, and all kinds of posts.
fn groundwork(store: &Store, catalogue: PostCatalogue) -> Batch {
    let areas: Vec<Area> = demo::areas().into_iter().filter(|area| store.city().contains(area.code)).collect();
    let post_kinds = catalogue.entries.into_iter().map(|entry| entry.kind).collect();
    Batch { areas, post_kinds, ..Batch::default() }
}
