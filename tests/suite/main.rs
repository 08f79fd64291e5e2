//! Every integration test that needs the `testing` feature, in one binary: one module a subject.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod api;
mod copies;
mod crash;
mod directory_nodes;
mod failover;
mod full_disk;
mod golden;
mod imports;
mod journal_contract;
mod journal_nodes;
mod live;
mod nodes;
mod process;
mod redis_server;
mod rehearsal;
mod scenarios;
mod served_nodes;
mod sim;
mod stopping;
mod tidy;
mod torn_wal;
mod upgrade;
