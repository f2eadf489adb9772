#!/usr/bin/env bash
# How fast zaprun is, beside the same job written by hand. Figures, not a test: run it on a quiet machine.
#
#   bench/run.sh [ORDERS] [RUNS]     orders end to end (10000), counted runs of each program (3)
set -euo pipefail
cd "$(dirname "$0")/.."

orders=${1:-10000}
runs=${2:-3}

cargo build --release --locked -p zaprun -p zaprun-bench
cargo build --release --locked -p zaprun-store --example store_bench
built=${CARGO_TARGET_DIR:-target}/release

# One core for what is measured; where a process cannot be pinned, it runs as it is.
pin=()
if command -v taskset >/dev/null && taskset -c 0 true 2>/dev/null; then pin=(taskset -c 0); fi

title() { printf '\n## %s\n' "$*"; }

title "machine"
printf '%s cores, load %s\n' "$(nproc)" "$(cut -d' ' -f1-3 /proc/loadavg 2>/dev/null || echo unknown)"

title "mapping"
"${pin[@]}" "$built/bench-map"

title "end to end: $orders orders, read, mapped, posted"
python3 bench/e2e.py --built "$built" --orders "$orders" --runs "$runs"

title "store"
"$built/examples/store_bench"
