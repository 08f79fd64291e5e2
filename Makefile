# Muster 平急应急指挥. `make help` lists what can be made; each target says in one line what is missing on the machine.

# Two ways to run the tests: cargo-nextest where it is installed, else cargo's own runner. Nothing is installed for them.
TESTS := --workspace --all-features --lib --bins --tests
DATA_DIR ?= data
LISTEN ?= 127.0.0.1:8080
REHEARSAL ?= flood-2021
BENCHES := $(basename $(notdir $(wildcard load-tests/benches/*.rs)))

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c

.DEFAULT_GOAL := help
.PHONY: help run demo rehearse test check-style check-core check-docs bench audit need-rust

help: ## lists the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: need-rust ## builds, lays out the demo city on the first start, serves it on 127.0.0.1:8080
	MUSTER_DATA_DIR=$(DATA_DIR) MUSTER_LISTEN=$(LISTEN) cargo run --release --locked -- --config config/demo.toml serve --demo

demo: need-rust ## the same, and plays the rehearsal once, so that something happens on the screen
	cargo build --release --locked
	@MUSTER_DATA_DIR=$(DATA_DIR) MUSTER_LISTEN=$(LISTEN) target/release/muster --config config/demo.toml serve --demo & server=$$!; \
	trap 'kill $$server 2>/dev/null; wait $$server' EXIT INT TERM; \
	target/release/muster ready --server http://$(LISTEN) --within-s 120 && \
	target/release/muster rehearse $(REHEARSAL) --server http://$(LISTEN) && \
	echo "The server goes on; Ctrl-C ends it." && wait $$server

rehearse: need-rust ## plays the rehearsal against the server that `make run` serves
	cargo run --release --locked -- rehearse $(REHEARSAL) --server http://$(LISTEN)

# The cheap checks come first. The last line of the output is the test runner's own summary.
test: need-rust check-style check-core check-docs ## every check: form, lints, pure core, documentation, tests
	@if command -v cargo-nextest >/dev/null 2>&1; then \
		cargo nextest run --locked --no-fail-fast $(TESTS); \
	else \
		cargo test --locked --no-fail-fast $(TESTS); \
	fi

check-style:
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets --all-features -- -D warnings

# domain, city, engine and cap without anything that does IO.
check-core:
	cargo clippy --locked --lib --no-default-features -- -D warnings

check-docs:
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --lib --all-features --document-private-items

bench: need-rust ## measures; the tables are shown and written to target/bench.md
	@mkdir -p target
	for bench in $(BENCHES); do cargo bench --locked --package load-tests --bench $$bench; done | tee target/bench.md

audit: need-rust ## licences, sources and banned crates, by cargo-deny (installed when missing: several minutes)
	@command -v cargo-deny >/dev/null 2>&1 || { echo "cargo-deny is missing: installing it"; cargo install cargo-deny --locked; }
	cargo deny --config config/deny.toml check bans licenses sources

need-rust:
	@command -v cargo >/dev/null 2>&1 || { echo "cargo is missing: install Rust 1.95 or later from https://rustup.rs" >&2; exit 1; }
	@command -v cc >/dev/null 2>&1 || { echo "cc is missing: apt-get install gcc libc6-dev" >&2; exit 1; }
