//! L4: what is typed at a shell. One file a verb; each is a few steps over the layers below.
//!
//! Here and in `main.rs` alone: arguments, the environment, standard streams, exit codes. Errors travel as [`anyhow::Error`] and are
//! said once, on standard error. What a program reads (exports, tokens, the document) goes to standard output, everything for people
//! to standard error or, from the server, to its log.
//!
//! Read on: [`serve`] for how a server is put together, [`data_dir`] for what lies on disk.

mod account;
mod backup;
pub mod data_dir;
pub mod demo_city;
mod export;
mod import;
mod init;
mod offline;
mod openapi;
mod progress;
mod ready;
mod rehearse;
mod serve;
pub mod store;
mod telemetry;
mod tokens;
mod verify;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::config::{Config, ENV_CONFIG};
use crate::directory::DirectoryError;
use crate::domain::refusal::Refusal;

/// What is typed.
#[derive(Debug, Parser)]
#[command(name = "muster", version, about = "Muster 平急应急指挥: emergency command and alerting for a city")]
struct Arguments {
    /// 配置文件 Configuration file; every key is documented in config/muster.toml
    #[arg(long, global = true, env = ENV_CONFIG)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

/// What can be done.
#[derive(Debug, Subcommand)]
enum Verb {
    /// 启动服务 Serve the city
    Serve(serve::Serve),
    /// 初始化真实城市 Prepare a real city: its areas, the post catalogue and the first administrator
    Init(init::Init),
    /// 新建账号 Make an account of a dispatcher, an observer or an administrator
    Account(account::Account),
    /// 导入数据 Take compounds, people, posts or plans from a file, all or nothing
    Import(import::Import),
    /// 校验日志 Walk the journal's hash chain from the first record to the last
    Verify(verify::Verify),
    /// 在线备份 Copy journal and directory while the server goes on
    Backup(backup::Backup),
    /// 恢复备份 Bring a copy back into an empty data directory
    Restore(backup::Restore),
    /// 导出数据 Write the city or its log to a file
    Export(export::Export),
    /// 批量令牌 Print bearer tokens of demo people, for load tests
    Tokens(tokens::Tokens),
    /// 接口文档 Print the OpenAPI document
    Openapi(openapi::Openapi),
    /// 演练 Play an emergency, as an exercise, against a running server
    Rehearse(rehearse::Rehearse),
    /// 就绪检查 Ask a server whether it is ready
    Ready(ready::Ready),
}

/// Reads arguments, configuration and environment, then does what was asked. The exit code is 0 only when it was done.
pub fn main() -> ExitCode {
    let Arguments { config, verb } = Arguments::parse();
    let done = load_config(config.as_deref()).and_then(|config| {
        telemetry::start(&config.log)?;
        run(verb, config)
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            match error.chain().find_map(refusal_in) {
                Some(refusal) => eprintln!("muster: {} {}", refusal.zh(), refusal.en()),
                None => eprintln!("muster: {error:#}"),
            }
            ExitCode::FAILURE
        }
    }
}

/// What the giver can act on, which is said in both languages.
fn refusal_in<'a>(cause: &'a (dyn std::error::Error + 'static)) -> Option<&'a Refusal> {
    match cause.downcast_ref() {
        Some(DirectoryError::Refused(refusal)) => Some(refusal),
        _ => cause.downcast_ref(),
    }
}

fn run(verb: Verb, config: Config) -> anyhow::Result<()> {
    match verb {
        Verb::Serve(verb) => verb.run(config),
        Verb::Init(verb) => verb.run(&config),
        Verb::Account(verb) => verb.run(&config),
        Verb::Import(verb) => verb.run(&config),
        Verb::Verify(verb) => verb.run(&config),
        Verb::Backup(verb) => verb.run(&config),
        Verb::Restore(verb) => verb.run(&config),
        Verb::Export(verb) => verb.run(&config),
        Verb::Tokens(verb) => verb.run(&config),
        Verb::Openapi(verb) => verb.run(),
        Verb::Ready(verb) => verb.run(),
        Verb::Rehearse(verb) => verb.run(),
    }
}

fn load_config(path: Option<&Path>) -> anyhow::Result<Config> {
    let read = |path: &Path| {
        let why = || format!("无法读取配置文件 {0} the configuration file {0} cannot be read", path.display());
        std::fs::read_to_string(path).with_context(why)
    };
    let text = path.map(read).transpose()?;
    let config = Config::load(text.as_deref(), &|name| std::env::var(name).ok());
    config.with_context(|| match path {
        Some(path) => format!("配置有误 {0} the configuration {0} is wrong", path.display()),
        None => "环境变量有误 an environment variable is wrong".to_owned(),
    })
}

/// A runtime for verbs that wait for something but serve nobody.
fn small_runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_arguments_hold_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_verb_is_said_in_both_languages() {
        for verb in Arguments::command().get_subcommands() {
            let about = verb.get_about().unwrap().to_string();
            assert!(!about.is_ascii() && about.contains(|c: char| c.is_ascii_alphabetic()), "{about}");
        }
    }

    #[test]
    fn a_bad_configuration_names_its_file_and_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("muster.toml");
        std::fs::write(&path, "[server]\nlissten = 1\n").unwrap();
        let error = format!("{:#}", load_config(Some(&path)).unwrap_err());
        assert!(error.contains("muster.toml") && error.contains("lissten") && error.contains("line 2"), "{error}");
    }
}
