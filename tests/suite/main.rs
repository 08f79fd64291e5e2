//! Every integration test that needs the `testing` feature, in one binary: one module a subject.

mod copies;
mod crash;
mod full_disk;
mod golden;
mod journal_contract;
mod live;
mod process;
mod scenarios;
mod tidy;
mod torn_wal;
