# Muster 平急应急指挥. `make help` lists what can be made; each target says in one line what is missing on the machine.

# Two ways to run the tests: cargo-nextest where it is installed, else cargo's own runner. Nothing is installed for them.
TESTS := --workspace --all-features --lib --bins --tests
DATA_DIR ?= data
LISTEN ?= 127.0.0.1:8080
REHEARSAL ?= flood-2021
BENCHES := $(basename $(notdir $(wildcard load-tests/benches/*.rs)))
RUST_MIN := $(shell sed -n 's/^rust-version = "\(.*\)"$$/\1/p' Cargo.toml)
CONSOLE := maps/console
CHROMIUM ?= /usr/bin/chromium
LOAD_ROUNDS ?= 5
LOAD := $(or $(CARGO_TARGET_DIR),target)/release/load-tests
MUSTER := $(or $(CARGO_TARGET_DIR),target)/release/muster

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c

.DEFAULT_GOAL := help
.PHONY: help run demo rehearse build console test check-style check-core check-docs check-console check-browser bench bench-core \
	bench-load bench-map bench-phone peers audit \
	cluster restart-nodes chaos need-rust need-node need-chromium need-redis need-cluster need-wire

help: ## 列出全部目标 lists the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  DATA_DIR=$(DATA_DIR) LISTEN=$(LISTEN)  数据目录与地址 data directory and address of run, demo and rehearse"

run: build ## 编译，首次启动时铺设演示城市并提供服务 builds, lays out the demo city on the first start, serves it
	@MUSTER_DATA_DIR="$(DATA_DIR)" MUSTER_LISTEN="$(LISTEN)" exec $(MUSTER) --config config/demo.toml serve --demo

# Played with no other server than its own, which is not waited for when it cannot start.
demo: build ## 同上，并演练一次 the same, and plays the rehearsal once, so that something happens on the screen
	@if $(MUSTER) ready --server http://$(LISTEN) 2>/dev/null; then \
		echo "$(LISTEN) 已有服务在运行：用 make rehearse 演练，或用 LISTEN= 换地址。 A server runs on $(LISTEN) already: make rehearse plays with it, LISTEN= takes another address." >&2; exit 1; fi; \
	MUSTER_DATA_DIR="$(DATA_DIR)" MUSTER_LISTEN="$(LISTEN)" $(MUSTER) --config config/demo.toml serve --demo & server=$$!; \
	trap 'kill $$server 2>/dev/null; wait $$server' EXIT; trap 'exit 130' INT TERM; \
	until $(MUSTER) ready --server http://$(LISTEN) 2>/dev/null; do kill -0 $$server 2>/dev/null || exit 1; sleep 0.3; done; \
	$(MUSTER) rehearse $(REHEARSAL) --server http://$(LISTEN); \
	echo "服务继续运行，Ctrl-C 结束。 The server goes on; Ctrl-C ends it."; wait $$server

rehearse: build ## 对 make run 的服务演练一次 plays the rehearsal against the server that `make run` serves
	@$(MUSTER) rehearse $(REHEARSAL) --server http://$(LISTEN)

build: need-rust console
	cargo build --release --locked --workspace

console: $(CONSOLE)/dist/console.html ## 构建网页 builds the pages into maps/console/dist; the binary takes them in

# Each step is done again only when what it is made of has changed.
$(CONSOLE)/node_modules/.package-lock.json: $(CONSOLE)/package.json $(CONSOLE)/package-lock.json | need-node
	cd $(CONSOLE) && npm ci --no-audit --no-fund

$(CONSOLE)/dist/console.html: $(CONSOLE)/node_modules/.package-lock.json $(CONSOLE)/vite.config.ts $(wildcard $(CONSOLE)/*.html) \
		$(shell find $(CONSOLE)/src $(CONSOLE)/public -type f ! -name schema.d.ts)
	cd $(CONSOLE) && npm run --silent build

# The cheap checks come first. The last line of the output is the test runner's own summary.
test: need-rust need-redis check-style check-core check-docs check-console check-browser ## 全部检查 every check: form, lints, pure core, documentation, tests
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

# Types come from the server's own description of its API: pages that drifted from it do not compile.
check-console: $(CONSOLE)/node_modules/.package-lock.json
	cargo build --locked
	@mkdir -p target && cargo run --quiet --locked -- openapi > target/openapi.json
	cd $(CONSOLE) && npm run --silent types && npm run --silent check && npm run --silent test

# The pages in Debian's Chromium against the binary; pictures of each go to target/screenshots.
check-browser: check-console console need-chromium
	cd $(CONSOLE) && MUSTER_BIN=$(abspath $(or $(CARGO_TARGET_DIR),target)/debug/muster) CHROMIUM=$(CHROMIUM) npm run --silent browser

cluster: build need-cluster ## 本机集群：Redis 主从与哨兵、三个节点、入口 a cluster on this machine: Redis, replica, Sentinels, three nodes, balancer
	@exec $(LOAD) cluster --folder "$(DATA_DIR)/cluster" --port $(lastword $(subst :, ,$(LISTEN)))

restart-nodes: ## 逐个重启 make cluster 的节点 restarts the nodes of `make cluster`, one after the other
	@$(LOAD) cluster --folder "$(DATA_DIR)/cluster" --port $(lastword $(subst :, ,$(LISTEN))) --restart-nodes

chaos: build need-redis need-wire ## 故障演练（约七分钟）：杀死、冻结、断网、磁盘写满 kills, freezes, cuts off and fills up a cluster (7 minutes)
	@$(LOAD) chaos

bench: build need-chromium ## 性能测量（约一小时），结果写入 target/bench.md measures (about an hour); the tables are shown and written to target/bench.md
	@mkdir -p target; { missed=; for part in core load map phone; do $(MAKE) --no-print-directory bench-$$part || missed+=" bench-$$part"; done; \
	[ -z "$$missed" ] || { echo "未达到：$$missed。 Missed in:$$missed."; exit 1; }; } | tee target/bench.md

bench-core: need-rust ## 其中：核心 of it: the core, beside limits and brute force
	for bench in $(BENCHES); do cargo bench --locked --package load-tests --bench $$bench; done

# All are run; it fails in the end where one missed a promise or its budget. A peer that is not installed is left out with a line that says so.
bench-load: build ## 其中：负载与对照服务 of it: loads, with the peers and the limit beside
	@status=0; within() { $(LOAD) "$$@" --budget "config/load/$$1.toml" || status=1; }; \
	within alert-storm --rounds $(LOAD_ROUNDS) --beside all; \
	within alert-storm --rounds $(LOAD_ROUNDS) --beside all --connections 19000; \
	$(LOAD) alert-storm --rounds $(LOAD_ROUNDS) --beside limit-1,limit-2 --receipts || status=1; \
	within reconnect-storm --connections 19000; \
	within growth; \
	for scenario in duty-switch roll-call map-watchers slow-readers; do $(LOAD) $$scenario --connections 19000 || status=1; done; \
	$(LOAD) node-storm || status=1; \
	exit $$status

bench-map: build need-chromium ## 其中：地图（十余分钟） of it: the map in Chromium (over ten minutes)
	cd $(CONSOLE) && MUSTER_BIN=$(abspath $(MUSTER)) CHROMIUM=$(CHROMIUM) npm run --silent bench:map

peers: need-rust need-node ## 安装并试用对照服务 installs what Muster is measured beside, and tries each
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		libnginx-mod-nchan nats-server mosquitto redis-server postgresql-15
	npm ci --no-audit --no-fund --prefix load-tests/peers/node-ws
	cargo run --locked --release --package load-tests --example try_peers

bench-phone: build need-chromium ## 其中：慢网络下手机页面多久可用 of it: how long until the phone pages can be used on a slow network
	cd $(CONSOLE) && MUSTER_BIN=$(abspath $(MUSTER)) CHROMIUM=$(CHROMIUM) npm run --silent bench:phone

audit: need-rust ## 许可证与依赖审查 licences, sources and banned crates, by cargo-deny (installed when missing: several minutes)
	@command -v cargo-deny >/dev/null 2>&1 || { echo "缺少 cargo-deny，正在安装，需几分钟。 cargo-deny is missing: installing it takes some minutes."; cargo install cargo-deny --locked; }
	cargo deny --config config/deny.toml check bans licenses sources

need-rust:
	@command -v cargo >/dev/null 2>&1 || { echo "缺少 Rust：请从 https://rustup.rs 安装 $(RUST_MIN) 或更新版本。 Rust is missing: install $(RUST_MIN) or later from https://rustup.rs" >&2; exit 1; }
	@found=$$(rustc --version | cut -d ' ' -f 2); printf '%s\n' "$(RUST_MIN)" "$$found" | sort -VC || { \
		echo "Rust $$found 过旧，需要 $(RUST_MIN) 或更新版本：rustup update stable。 Rust $$found is too old, $(RUST_MIN) or later is needed: rustup update stable" >&2; exit 1; }
	@echo '#include <stdlib.h>' | cc -E - >/dev/null 2>&1 || { \
		echo "缺少 C 编译器：apt-get install gcc libc6-dev。 The C compiler is missing: apt-get install gcc libc6-dev" >&2; exit 1; }

need-node:
	@node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' 2>/dev/null || { \
		echo "缺少 Node.js 20.19 或更新版本：https://nodejs.org。 Node.js 20.19 or later is missing: https://nodejs.org" >&2; exit 1; }

need-redis:
	@command -v redis-server >/dev/null 2>&1 || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server >/dev/null; } || { \
		echo "缺少 Redis：apt-get install redis-server。 Redis is missing: apt-get install redis-server" >&2; exit 1; }

need-wire:
	@command -v ip >/dev/null 2>&1 || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends iproute2 >/dev/null; } || { \
		echo "缺少 ip 命令：apt-get install iproute2。 The command ip is missing: apt-get install iproute2" >&2; exit 1; }

need-cluster: need-redis
	@command -v haproxy >/dev/null 2>&1 || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends haproxy >/dev/null; } || { \
		echo "缺少 HAProxy：apt-get install haproxy。 HAProxy is missing: apt-get install haproxy" >&2; exit 1; }

need-chromium:
	@test -x $(CHROMIUM) || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-noto-cjk >/dev/null; } || { \
		echo "缺少 Chromium：apt-get install chromium fonts-noto-cjk。 Chromium is missing: apt-get install chromium fonts-noto-cjk" >&2; exit 1; }
