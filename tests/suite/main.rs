//! Every integration test that needs the `testing` feature, in one binary: one module a subject.

mod golden;
mod journal_contract;
mod live;
mod scenarios;
mod tidy;
mod torn_wal;
