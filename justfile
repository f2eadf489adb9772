# Small verbs; `just ci` is what the machine runs.

default: ci

# format every source
fmt:
    cargo fmt --all

check-fmt:
    cargo fmt --all --check

clippy:
    cargo clippy --workspace --all-targets -- -D warnings

test:
    cargo test --workspace

# write schemas/ from the types
schemas:
    cargo run -q -- schema --write schemas

check-schemas:
    cargo run -q -- schema --check schemas

# write docs/reference from the tables
reference:
    cargo run -q -- reference --write docs/reference

check-reference:
    cargo run -q -- reference --check docs/reference

# the example zaps, as a merchant's CI would
validate:
    cargo run -q -- validate --strict

# the example zaps' own tests
test-zaps:
    cargo run -q -- test

# the example zaps with records that are made up
test-cases:
    cargo run -q -- test --cases 256 --seed 1

# break the example zaps mechanically, and write docs/mutation.md: what finds each break
mutation:
    ZAPRUN_BLESS=1 cargo test -p zaprun-core --test mutation -- --ignored

check-mutation:
    cargo test -p zaprun-core --test mutation -- --ignored
# what an editor says of zaps, by the schemas (needs Node)
editor:
    cd tests/editor && npm ci --silent --no-audit --no-fund && node check.mjs

# licences, bans, sources (needs cargo-deny)
deny:
    cargo deny check licenses bans sources

# write docs/operations/metrics.md from the table of metrics
metrics:
    ZAPRUN_BLESS=1 cargo test -q -p zaprun-admin --test operations

# the alert rules and their tests (needs promtool)
rules:
    promtool check rules docs/operations/prometheus/alerts.yaml
    promtool test rules docs/operations/prometheus/alerts_test.yaml

# kill -9 and faults at random, for long: more kills or another seed say `just chaos 2000 7`
chaos kills="300" seed="1":
    ZAPRUN_CHAOS_KILLS={{kills}} ZAPRUN_CHAOS_SEED={{seed}} cargo test --test program chaos -- --nocapture

demo:
    cargo run --release -- demo

# speed beside a hand-written loop; figures, not a test
bench:
    bench/run.sh

ci:
    .ci/run
