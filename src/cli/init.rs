//! `muster init`: what a real city needs before its first sign-in: the administrative tree, the post catalogue, and somebody who may
//! enter the rest.

use std::io::{BufRead as _, IsTerminal as _, stdin};

use anyhow::{Context as _, bail};
use uuid::Uuid;

use crate::config::Config;
use crate::config::catalogue::PostCatalogue;
use crate::demo;
use crate::directory::Directory;
use crate::directory::accounts::{Login, NewAccount};
use crate::directory::passwords::{Password, PasswordHash};
use crate::directory::people::PersonEntry;
use crate::domain::actor::{Grant, Role};
use crate::domain::area::Area;
use crate::domain::command::{Batch, Command};
use crate::domain::ids::PersonId;
use crate::runtime::clock::{Clock as _, SystemClock};

use super::data_dir::DataDir;
use super::offline::Offline;

/// Where the password may be instead of standard input.
const ENV_PASSWORD: &str = "MUSTER_PASSWORD";

/// Prepares a real city.
#[derive(Debug, clap::Args)]
pub(super) struct Init {
    /// 管理员登录名 What the first administrator signs in with
    #[arg(long)]
    login: Login,
    /// 管理员姓名 Their name
    #[arg(long)]
    name: String,
    /// 电话 How they are rung up
    #[arg(long)]
    phone: Option<String>,
}

impl Init {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<()> {
        let data = DataDir::of(config)?;
        if data.is_demo() {
            bail!("这是演示城市的数据目录，请另选目录。 This data directory holds the demo city; choose another one.");
        }
        let password = read_password()?;
        let offline = Offline::open(config, &data)?;
        if !offline.directory().accounts(None, 1)?.is_empty() {
            bail!("已有账号，无须初始化。 There are accounts already; nothing was done.");
        }
        offline.order(Command::Import(Box::new(groundwork(&data))))?;
        let login = self.login.clone();
        self.enter_administrator(offline.directory(), &data, &password)?;
        offline.close();
        eprintln!("管理员 {0} 已建立。 The administrator {0} was made.", login.as_str());
        Ok(())
    }

    fn enter_administrator(self, directory: &Directory, data: &DataDir, password: &Password) -> anyhow::Result<()> {
        let person = PersonId(Uuid::now_v7());
        directory.upsert_people(&[PersonEntry { id: person, name: self.name, phone: self.phone, note: None }])?;
        let hash = PasswordHash::of(password)?;
        let grants = vec![Grant { role: Role::Administrator, area: data.city() }];
        let account = NewAccount { login: self.login, person, hash, grants };
        Ok(directory.create_with_hash(&[account], SystemClock.now())?)
    }
}

/// The areas of the city, as far as they are delivered with Muster, and all kinds of posts.
fn groundwork(data: &DataDir) -> Batch {
    let areas: Vec<Area> = demo::areas().into_iter().filter(|area| data.city().contains(area.code)).collect();
    let post_kinds = PostCatalogue::as_delivered().entries.into_iter().map(|entry| entry.kind).collect();
    Batch { areas, post_kinds, ..Batch::default() }
}

/// From the environment, or one line of standard input; never from the arguments, which every process can see.
fn read_password() -> anyhow::Result<Password> {
    if let Ok(text) = std::env::var(ENV_PASSWORD) {
        return Password::parse(&text).context(ENV_PASSWORD);
    }
    if stdin().is_terminal() {
        eprintln!("管理员口令（输入可见，回车结束） Password (it shows as you type; end with Enter):");
    }
    let mut line = String::new();
    stdin().lock().read_line(&mut line)?;
    Ok(Password::parse(line.trim_end_matches(['\r', '\n']))?)
}
