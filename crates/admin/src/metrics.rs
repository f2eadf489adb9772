//! Counting what the engine tells.
//!
//! Series are made once and kept by the names they hang on, so that counting is a look-up by a borrowed name and an
//! addition: no label is put together per event.

use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;
use zaprun_engine::measure::{Class, Measure, Witness};
use zaprun_engine::ports::{Clock, RunState, StepOutcome, ZapId};
use zaprun_engine::pulse::Pulse;
use zaprun_engine::report::{Event, Tally};

use crate::ready::Check;
use crate::table::{self, LAG_BOUNDS, Metric, MetricKind, REQUEST_BOUNDS};
use crate::world::{Backlog, Wait};

type Labels = Vec<(&'static str, Arc<str>)>;
type Gauges = Family<Labels, Gauge<f64, AtomicU64>>;
type Counters = Family<Labels, Counter>;
type Histograms = Family<Labels, Histogram, Bounds>;

/// Makes histograms of these bounds.
#[derive(Clone)]
struct Bounds(&'static [f64]);

impl MetricConstructor<Histogram> for Bounds {
    fn new_metric(&self) -> Histogram {
        Histogram::new(self.0.iter().copied())
    }
}

/// Everything that is counted.
pub struct Metrics {
    registry: Registry,
    clock: Arc<dyn Clock>,
    events: [Counter; 6],
    late: Counter,
    families: Families,
    zaps: Kept<Zap>,
    connections: Kept<Connection>,
    /// How zaps are called.
    names: RwLock<BTreeMap<ZapId, Arc<str>>>,
    /// How often the state's trouble was told without its end.
    trouble: AtomicI64,
    /// What is set when somebody asks is set and written out by one at a time.
    asked: Mutex<()>,
}

/// Series by their labels.
struct Families {
    runs: Counters,
    actions: Counters,
    attempts: Counters,
    attempt_time: Histograms,
    lag: Histograms,
    last_delivery: Gauges,
    polls: Counters,
    poll_time: Histograms,
    pages: Counters,
    rows: Counters,
    passed_over: Counters,
    cursor: Gauges,
    breaker: Gauges,
    turned_away: Counters,
    alerts: Counters,
    // Set when somebody asks.
    ready: Gauges,
    open_runs: Gauges,
    oldest: Gauges,
    last_look: Gauges,
    overdue: Gauges,
    writable: Gauges,
    waits: Counters,
    wait_time: Family<Labels, Counter<f64, AtomicU64>>,
}

/// Series that hang on a name, made when it is first heard.
struct Kept<T>(RwLock<HashMap<String, Arc<T>>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Kept(RwLock::default())
    }
}

impl<T> Kept<T> {
    fn get(&self, name: &str, make: impl FnOnce(Arc<str>) -> T) -> Arc<T> {
        // Nothing panics while it is held, and its values are whole at any time.
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        known.unwrap_or_else(|| {
            let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(kept.entry(name.to_owned()).or_insert_with(|| Arc::new(make(Arc::from(name)))))
        })
    }
}

/// The series of a zap.
struct Zap {
    /// Delivered, filtered, held, dead.
    ended: [Counter; 4],
    lag: Histogram,
    /// Made with the first delivery: there is no time that would say that there was none.
    last: OnceLock<Gauge<f64, AtomicU64>>,
    steps: Kept<Step>,
}

/// The series of a step.
struct Step {
    /// Done, skipped, failed.
    outcomes: [Counter; 3],
    classes: [Counter; Class::ALL.len()],
}

/// The series of a connection or a host.
struct Connection {
    attempt_time: Histogram,
    breaker: Gauge<f64, AtomicU64>,
}

const EVENTS: [&str; 6] = ["fired", "primed", "undated", "known", "held", "dropped"];
const ENDS: [&str; 4] = ["delivered", "filtered", "held", "dead"];
const OUTCOMES: [&str; 3] = ["done", "skipped", "failed"];
const POLLED: [&str; 2] = ["done", "failed"];
const TOLD: [&str; 2] = ["told", "failed"];
/// The states that `zaprun_open_runs` counts.
const OPEN: [(RunState, &str); 3] =
    [(RunState::Pending, "pending"), (RunState::Held, "held"), (RunState::Dead, "dead")];

fn labels<const N: usize>(metric: &Metric, values: [&Arc<str>; N]) -> Labels {
    metric.labels.iter().copied().zip(values.map(Arc::clone)).collect()
}

/// A family's series for values of its last label.
fn each<const N: usize>(
    family: &Counters,
    metric: &Metric,
    before: &[&Arc<str>],
    words: [&str; N],
) -> [Counter; N] {
    words.map(|word| {
        let values = before.iter().map(|value| Arc::clone(value)).chain([Arc::from(word)]);
        family.get_or_create_owned(&metric.labels.iter().copied().zip(values).collect())
    })
}

/// The name of a target as a label: without the word that says what it is.
fn bare(target: &str) -> &str {
    target.split('`').nth(1).unwrap_or(target)
}

/// Names are short for the registry, which appends what the kind asks for.
fn registered(metric: &Metric) -> &'static str {
    match metric.kind {
        MetricKind::Counter => metric.name.strip_suffix("_total").unwrap_or(metric.name),
        MetricKind::Gauge | MetricKind::Histogram => metric.name,
    }
}

impl Metrics {
    /// Counts from zero. `version` is the program's own.
    pub fn new(version: &str, clock: Arc<dyn Clock>) -> Metrics {
        let mut registry = Registry::default();
        let families = Families::register(&mut registry);
        let events: Counters = register(&mut registry, table::EVENTS, Family::default());
        let late: Counters = register(&mut registry, table::LATE, Family::default());
        let late = late.get_or_create(&Labels::new()).clone();
        let build: Gauges = register(&mut registry, table::BUILD, Family::default());
        build.get_or_create(&labels(table::BUILD, [&Arc::from(version)])).set(1.0);
        let started: Gauges = register(&mut registry, table::STARTED, Family::default());
        started.get_or_create(&Labels::new()).set(seconds(clock.now()));
        Metrics {
            events: each(&events, table::EVENTS, &[], EVENTS),
            late,
            families,
            registry,
            clock,
            zaps: Kept::default(),
            connections: Kept::default(),
            names: RwLock::default(),
            trouble: AtomicI64::new(0),
            asked: Mutex::new(()),
        }
    }

    /// Whether the engine has not said that the state is in trouble.
    pub(crate) fn state_is_well(&self) -> bool {
        self.trouble.load(Ordering::Relaxed) <= 0
    }

    /// Everything in Prometheus's text format, with what the world shows now.
    pub(crate) fn text(
        &self,
        backlog: Option<&Backlog>,
        waits: &[Wait],
        pulse: &Pulse,
        checks: &[Check],
    ) -> String {
        let _one = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        self.families.show_checks(checks);
        self.families.show_triggers(pulse);
        self.families.show_waits(waits);
        if let Some(backlog) = backlog {
            self.families.show_backlog(backlog, self.clock.now());
        }
        let mut text = String::new();
        // Writing to a text cannot fail.
        let _ = prometheus_client::encoding::prometheus_text::encode(&mut text, &self.registry);
        text
    }

    fn zap(&self, name: &str) -> Arc<Zap> {
        self.zaps.get(name, |name| Zap {
            ended: each(&self.families.runs, table::RUNS, &[&name], ENDS),
            lag: self.families.lag.get_or_create_owned(&labels(table::LAG, [&name])),
            last: OnceLock::new(),
            steps: Kept::default(),
        })
    }

    fn step(&self, zap: &str, step: &str) -> Arc<Step> {
        self.zap(zap).steps.get(step, |step| {
            let zap = Arc::from(zap);
            Step {
                outcomes: each(&self.families.actions, table::ACTIONS, &[&zap, &step], OUTCOMES),
                classes: each(
                    &self.families.attempts,
                    table::ATTEMPTS,
                    &[&zap, &step],
                    Class::ALL.map(Class::word),
                ),
            }
        })
    }

    fn connection(&self, target: &str) -> Arc<Connection> {
        self.connections.get(bare(target), |name| Connection {
            attempt_time: self
                .families
                .attempt_time
                .get_or_create_owned(&labels(table::ATTEMPT_TIME, [&name])),
            breaker: self.families.breaker.get_or_create_owned(&labels(table::BREAKER, [&name])),
        })
    }

    fn ended(&self, zap: &str, how: usize) {
        self.zap(zap).ended[how].inc();
    }

    /// A poll of a connection ended.
    fn polled(&self, connection: &str, done: bool, tally: &Tally, took: Option<Duration>) {
        let families = &self.families;
        let name = Arc::from(connection);
        let [fine, failed] = each(&families.polls, table::POLLS, &[&name], POLLED);
        if done {
            fine.inc()
        } else {
            failed.inc()
        };
        families.rows.get_or_create(&labels(table::ROWS, [&name])).inc_by(tally.rows);
        families.passed_over.get_or_create(&labels(table::PASSED_OVER, [&name])).inc_by(tally.passed_over);
        if let Some(took) = took {
            let time = families.poll_time.get_or_create(&labels(table::POLL_TIME, [&name]));
            time.observe(took.as_secs_f64());
        }
    }

    fn pages(&self, connection: &str, pages: u64) {
        let name = Arc::from(connection);
        self.families.pages.get_or_create(&labels(table::PAGES, [&name])).inc_by(pages);
    }

    fn told(&self, target: &str, how: usize) {
        each(&self.families.alerts, table::ALERTS, &[&Arc::from(target)], TOLD)[how].inc();
    }

    /// A connection is another one now, or is no more: it is not at fault.
    pub fn forget(&self, connection: &str) {
        self.connection(connection).breaker.set(0.0);
    }

    fn cursor(&self, zap: ZapId, query: &str, to: Timestamp) {
        let name = self.names.read().unwrap_or_else(PoisonError::into_inner).get(&zap).cloned();
        if let Some(name) = name {
            let labels = labels(table::CURSOR, [&name, &Arc::from(query)]);
            self.families.cursor.get_or_create(&labels).set(seconds(to));
        }
    }
}

impl Families {
    fn register(registry: &mut Registry) -> Families {
        let mut counters = |metric| register(registry, metric, Counters::default());
        let (runs, actions, attempts) =
            (counters(table::RUNS), counters(table::ACTIONS), counters(table::ATTEMPTS));
        let (polls, pages, rows) = (counters(table::POLLS), counters(table::PAGES), counters(table::ROWS));
        let (passed_over, turned_away, waits, alerts) = (
            counters(table::PASSED_OVER),
            counters(table::TURNED_AWAY),
            counters(table::WAITS),
            counters(table::ALERTS),
        );
        let mut gauges = |metric| register(registry, metric, Gauges::default());
        let (last_delivery, cursor, breaker) =
            (gauges(table::LAST_DELIVERY), gauges(table::CURSOR), gauges(table::BREAKER));
        let (ready, open_runs, oldest) =
            (gauges(table::READY), gauges(table::OPEN_RUNS), gauges(table::OLDEST));
        let (last_look, overdue, writable) =
            (gauges(table::LAST_LOOK), gauges(table::OVERDUE), gauges(table::WRITABLE));
        let mut histograms = |metric, bounds: &'static [f64]| {
            register(registry, metric, Histograms::new_with_constructor(Bounds(bounds)))
        };
        Families {
            attempt_time: histograms(table::ATTEMPT_TIME, &REQUEST_BOUNDS),
            lag: histograms(table::LAG, &LAG_BOUNDS),
            poll_time: histograms(table::POLL_TIME, &REQUEST_BOUNDS),
            wait_time: register(registry, table::WAIT_TIME, Family::default()),
            runs,
            actions,
            attempts,
            last_delivery,
            polls,
            pages,
            rows,
            passed_over,
            cursor,
            breaker,
            turned_away,
            alerts,
            ready,
            open_runs,
            oldest,
            last_look,
            overdue,
            writable,
            waits,
        }
    }

    fn show_checks(&self, checks: &[Check]) {
        for check in checks {
            let value = truth(check.problem.is_none());
            self.ready.get_or_create(&labels(table::READY, [&Arc::from(check.name)])).set(value);
            if check.name == crate::ready::STATE {
                self.writable.get_or_create(&Labels::new()).set(value);
            }
        }
    }

    fn show_triggers(&self, pulse: &Pulse) {
        let overdue = pulse.overdue();
        self.last_look.clear();
        self.overdue.clear();
        for (zap, at) in pulse.last_looks() {
            let late = overdue.iter().any(|overdue| overdue.zap == zap);
            let zap = Arc::from(zap);
            self.overdue.get_or_create(&labels(table::OVERDUE, [&zap])).set(truth(late));
            self.last_look.get_or_create(&labels(table::LAST_LOOK, [&zap])).set(seconds(at));
        }
    }

    fn show_waits(&self, waits: &[Wait]) {
        self.waits.clear();
        self.wait_time.clear();
        for wait in waits {
            let name = Arc::from(wait.connection.as_str());
            self.waits.get_or_create(&labels(table::WAITS, [&name])).inc_by(wait.times);
            self.wait_time.get_or_create(&labels(table::WAIT_TIME, [&name])).inc_by(wait.time.as_secs_f64());
        }
    }

    fn show_backlog(&self, backlog: &Backlog, now: Timestamp) {
        self.open_runs.clear();
        self.oldest.clear();
        for (zap, ..) in &backlog.counts.runs {
            let zap = Arc::from(zap.as_str());
            for (_, word) in OPEN {
                self.open_runs.get_or_create(&labels(table::OPEN_RUNS, [&zap, &Arc::from(word)])).set(0.0);
            }
            self.oldest.get_or_create(&labels(table::OLDEST, [&zap])).set(0.0);
        }
        for (zap, state, number) in &backlog.counts.runs {
            let Some((_, word)) = OPEN.iter().find(|(open, _)| open == state) else { continue };
            let labels = labels(table::OPEN_RUNS, [&Arc::from(zap.as_str()), &Arc::from(*word)]);
            self.open_runs.get_or_create(&labels).set(whole(*number));
        }
        for (zap, made) in &backlog.oldest {
            let age = now.duration_since(*made).as_secs_f64().max(0.0);
            self.oldest.get_or_create(&labels(table::OLDEST, [&Arc::from(zap.as_str())])).set(age);
        }
    }
}

/// Puts a family into the registry under its name of the table.
fn register<S, M, C>(registry: &mut Registry, metric: &Metric, family: Family<S, M, C>) -> Family<S, M, C>
where
    S: Clone + Hash + Eq,
    Family<S, M, C>: prometheus_client::registry::Metric + Clone,
{
    registry.register(registered(metric), metric.help, family.clone());
    family
}

/// Seconds since 1970, as Prometheus counts time.
fn seconds(at: Timestamp) -> f64 {
    at.duration_since(Timestamp::UNIX_EPOCH).as_secs_f64()
}

fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

/// A number of runs. Beyond four thousand million the digits of a gauge do not matter.
fn whole(number: u64) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

impl Witness for Metrics {
    fn note(&self, event: &Event) {
        match event {
            Event::Delivered { run, lag, .. } => {
                let zap = self.zap(&run.zap);
                zap.ended[0].inc();
                zap.lag.observe(lag.as_secs_f64().max(0.0));
                let last = zap.last.get_or_init(|| {
                    let labels = labels(table::LAST_DELIVERY, [&Arc::from(run.zap.as_str())]);
                    self.families.last_delivery.get_or_create_owned(&labels)
                });
                last.set(seconds(self.clock.now()));
            }
            Event::Filtered { run, .. } => self.ended(&run.zap, 1),
            Event::Held { run, .. } => self.ended(&run.zap, 2),
            Event::Dead { run, .. } => self.ended(&run.zap, 3),
            Event::Page { connection, .. } => self.pages(connection, 1),
            Event::WalkDone { connection, tally, took, .. } => {
                self.polled(connection, true, tally, Duration::try_from(*took).ok());
            }
            Event::FeedRead { source, tally, took, pages, .. } => {
                self.polled(source, true, tally, Duration::try_from(*took).ok());
                self.pages(source, u64::from(*pages));
            }
            Event::WalkFailed { connection, tally, .. } | Event::Unstable { connection, tally, .. } => {
                self.polled(connection, false, tally, None);
            }
            Event::FeedFailed { source, tally, .. } => self.polled(source, false, tally, None),
            Event::BreakerOpened { target, .. } => drop(self.connection(target).breaker.set(1.0)),
            Event::BreakerClosed { target, .. } => drop(self.connection(target).breaker.set(0.0)),
            Event::Stopped { connection, query: None, .. } => {
                self.connection(connection).breaker.set(1.0);
            }
            Event::Recovered { connection, query: None, .. } => {
                self.connection(connection).breaker.set(0.0);
            }
            Event::TurnedAway { status, times, .. } => {
                let labels = labels(table::TURNED_AWAY, [&Arc::from(status.to_string())]);
                self.families.turned_away.get_or_create(&labels).inc_by(*times);
            }
            Event::AlertTold { target, .. } => self.told(target, 0),
            Event::AlertFailed { target, .. } => self.told(target, 1),
            Event::StoreTrouble { .. } => drop(self.trouble.fetch_add(1, Ordering::Relaxed)),
            Event::StoreRecovered { .. } => drop(self.trouble.fetch_sub(1, Ordering::Relaxed)),
            _ => {}
        }
    }

    fn measure(&self, measure: Measure<'_>) {
        match measure {
            Measure::Opened { zap, state } => {
                let name: Arc<str> = Arc::from(zap.name.as_str());
                self.names.write().unwrap_or_else(PoisonError::into_inner).insert(state.id, name);
                // So that each series begins at zero, and the first of anything is seen as a rise.
                for action in zap.actions.iter().chain(&zap.on_failure) {
                    self.step(&zap.name, &action.id);
                }
                for (query, at) in &state.cursors {
                    self.cursor(state.id, query, *at);
                }
            }
            // What was counted of it stays: a counter does not go back.
            Measure::Closed { .. } => {}
            Measure::Committed(committed) => {
                let dated = committed.primed.saturating_sub(committed.undated);
                let found = [
                    committed.fired,
                    dated,
                    committed.undated,
                    committed.known,
                    committed.held,
                    committed.dropped,
                ];
                self.late.inc_by(committed.late);
                for (counter, number) in self.events.iter().zip(found) {
                    counter.inc_by(number);
                }
            }
            Measure::Cursor { zap, query, to } => self.cursor(zap, query, to),
            Measure::Attempt { zap, step, target, class, took } => {
                let at = Class::ALL.iter().position(|known| *known == class);
                let step = self.step(zap, step);
                if let Some(counter) = at.and_then(|at| step.classes.get(at)) {
                    counter.inc();
                }
                self.connection(target).attempt_time.observe(took.as_secs_f64());
            }
            Measure::Step { zap, step, outcome } => {
                let at = match outcome {
                    StepOutcome::Done => 0,
                    StepOutcome::Skipped => 1,
                    StepOutcome::Failed => 2,
                };
                self.step(zap, step).outcomes[at].inc();
            }
        }
    }
}
