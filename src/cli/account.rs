//! `muster account`: somebody who may sign in, entered at the shell: dispatchers, observers, administrators. They need no part in a
//! compound. It may run beside a server, since several processes may write into the directory.

use std::io::{BufRead as _, IsTerminal as _, stdin};

use anyhow::Context as _;
use clap::ValueEnum;
use uuid::Uuid;

use crate::config::Config;
use crate::directory::Directory;
use crate::directory::accounts::{Login, NewAccount};
use crate::directory::passwords::{Password, PasswordHash};
use crate::directory::people::PersonEntry;
use crate::domain::actor::{Grant, Role};
use crate::domain::area::AreaCode;
use crate::domain::ids::PersonId;
use crate::runtime::clock::{Clock as _, SystemClock};

use super::store::Store;

/// Where the password may be instead of standard input.
const ENV_PASSWORD: &str = "MUSTER_PASSWORD";

/// Makes an account.
#[derive(Debug, clap::Args)]
pub(super) struct Account {
    #[command(flatten)]
    who: Newcomer,
    /// 角色 What they may do there
    #[arg(long, value_enum)]
    role: RoleName,
    /// 辖区代码 Where: 4 digits for the city, 6 for a county, 9 for a street, 12 for a community
    #[arg(long)]
    area: AreaCode,
}

/// Somebody who has no account yet.
#[derive(Debug, clap::Args)]
pub(super) struct Newcomer {
    /// 登录名 What they sign in with
    #[arg(long)]
    login: Login,
    /// 姓名 Their name
    #[arg(long)]
    name: String,
    /// 电话 How they are rung up
    #[arg(long)]
    phone: Option<String>,
}

/// What somebody may do.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleName {
    /// 调度员 Sends alerts and switches duty
    Dispatcher,
    /// 观察员 Sees everything, orders nothing
    Observer,
    /// 管理员 Keeps accounts, imports data
    Administrator,
}

impl RoleName {
    const fn role(self) -> Role {
        match self {
            Self::Dispatcher => Role::Dispatcher,
            Self::Observer => Role::Observer,
            Self::Administrator => Role::Administrator,
        }
    }
}

impl Account {
    pub(super) fn run(self, config: &Config) -> anyhow::Result<()> {
        let store = Store::of(config)?;
        let name = store.replay()?.area(self.area)?.name.clone();
        let password = read_password()?;
        let (login, grant) = (self.who.login.clone(), Grant { role: self.role.role(), area: self.area });
        self.who.enter(&store.open_directory()?, grant, &password)?;
        eprintln!("账号 {0} 已建立（{name}）。 The account {0} was made for {1}.", login.as_str(), self.area);
        Ok(())
    }
}

impl Newcomer {
    /// Enters them into the directory with one grant.
    pub(super) fn enter(self, directory: &Directory, grant: Grant, password: &Password) -> anyhow::Result<()> {
        let Self { login, name, phone } = self;
        let person = PersonId(Uuid::now_v7());
        let entry = PersonEntry { id: person, name, phone, note: None };
        let account = NewAccount { login, person, hash: PasswordHash::of(password)?, grants: vec![grant] };
        Ok(directory.enter_with_account(&entry, &account, SystemClock.now())?)
    }
}

/// From the environment, or one line of standard input; never from the arguments, which every process can see.
pub(super) fn read_password() -> anyhow::Result<Password> {
    if let Ok(text) = std::env::var(ENV_PASSWORD) {
        return Password::parse(&text).context(ENV_PASSWORD);
    }
    if stdin().is_terminal() {
        eprintln!("口令（输入可见，回车结束） Password (it shows as you type; end with Enter):");
    }
    let mut line = String::new();
    stdin().lock().read_line(&mut line)?;
    Ok(Password::parse(line.trim_end_matches(['\r', '\n']))?)
}
