//! Every metric, in one table: names, labels and words of `/metrics` and of its page come from it.

/// A metric.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name as Prometheus reads it; of a histogram without `_bucket`, `_sum`, `_count`.
    pub name: &'static str,
    /// What it is.
    pub kind: MetricKind,
    /// Its labels. None of them holds an id.
    pub labels: &'static [&'static str],
    /// What it says, without a full stop.
    pub help: &'static str,
}

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows, from the start of the process.
    Counter,
    /// As it is now.
    Gauge,
    /// How values spread.
    Histogram,
}

impl MetricKind {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram => "histogram",
        }
    }
}

macro_rules! metrics {
    ($($id:ident = $kind:ident $name:literal [$($label:literal)*] $help:literal;)*) => {
        $(pub(crate) const $id: &Metric =
            &Metric { name: $name, kind: MetricKind::$kind, labels: &[$($label),*], help: $help };)*

        /// The table.
        pub static METRICS: &[&Metric] = &[$($id),*];
    };
}

metrics! {
    BUILD = Gauge "zaprun_build_info" ["version"] "1, with the version that runs";
    STARTED = Gauge "process_start_time_seconds" [] "When the process started, in seconds since 1970";
    READY = Gauge "zaprun_ready" ["check"] "1 while a check of /readyz holds, 0 while it does not";
    EVENTS = Counter "zaprun_events_total" ["outcome"] "Pairs of event and zap, by what became of them: fired, primed (from before the zap's start), undated, known (seen before, which is normal: polls overlap)";
    RUNS = Counter "zaprun_runs_total" ["zap" "outcome"] "Runs that came to an end, by outcome: delivered, filtered, held, dead";
    ACTIONS = Counter "zaprun_actions_total" ["zap" "step" "outcome"] "Steps that ended, by outcome: done, skipped, failed; each element of an `each` counts";
    ATTEMPTS = Counter "zaprun_attempts_total" ["zap" "step" "class"] "Requests of steps, by what they came to: done, retry, refused, forbidden, unauthorised, uncertain, broken (the answer does not suit `success`)";
    ATTEMPT_TIME = Histogram "zaprun_attempt_duration_seconds" ["connection"] "How long requests of steps took, from their turn to the end of the answer";
    LAG = Histogram "zaprun_delivery_lag_seconds" ["zap"] "From when an event was seen to when its run was delivered";
    OPEN_RUNS = Gauge "zaprun_open_runs" ["zap" "state"] "Runs in the state that have not ended well: pending, held, dead";
    OLDEST = Gauge "zaprun_oldest_pending_run_age_seconds" ["zap"] "How long ago the oldest pending run was made; 0 where none is pending";
    LAST_DELIVERY = Gauge "zaprun_last_delivery_timestamp_seconds" ["zap"] "When a run was last delivered; not there before the first since the start";
    POLLS = Counter "zaprun_polls_total" ["connection" "outcome"] "Polls, by outcome: done, failed";
    POLL_TIME = Histogram "zaprun_poll_duration_seconds" ["connection"] "How long polls took that came to their end";
    PAGES = Counter "zaprun_pages_read_total" ["connection"] "Pages read by polls";
    ROWS = Counter "zaprun_rows_read_total" ["connection"] "Rows and items that polls read, repeats included";
    PASSED_OVER = Counter "zaprun_rows_passed_over_total" ["connection"] "Rows that cannot be read or have no id";
    CURSOR = Gauge "zaprun_cursor_timestamp_seconds" ["zap" "query"] "Up to when a zap's query was dealt with";
    LAST_LOOK = Gauge "zaprun_trigger_last_success_timestamp_seconds" ["zap"] "When the trigger was last looked at to its end, or the process started";
    OVERDUE = Gauge "zaprun_trigger_overdue" ["zap"] "1 while the trigger is overdue, else 0; webhooks are never overdue";
    BREAKER = Gauge "zaprun_breaker_open" ["connection"] "1 while the connection or host is left alone since it is at fault, else 0";
    WAITS = Counter "zaprun_rate_limit_waits_total" ["connection"] "Requests that waited for the connection's rate or concurrency";
    WAIT_TIME = Counter "zaprun_rate_limit_wait_seconds_total" ["connection"] "Time that requests waited for the connection's rate or concurrency";
    TURNED_AWAY = Counter "zaprun_webhook_requests_refused_total" ["status"] "Requests that were not taken in, by the answer's status";
    ALERTS = Counter "zaprun_alert_messages_total" ["target" "outcome"] "Messages of alerts, by outcome: told, failed";
    WRITABLE = Gauge "zaprun_state_writable" [] "1 while the state can be written, else 0";
}

/// Bounds of the histograms of requests and polls, in seconds.
pub(crate) const REQUEST_BOUNDS: [f64; 12] =
    [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0];
/// Bounds of the histogram of lags, in seconds: from at once to a day of outage.
pub(crate) const LAG_BOUNDS: [f64; 12] =
    [0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 43200.0, 86400.0];
