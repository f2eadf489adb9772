//! Whether the program can do its work, and if not, why.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use zaprun_engine::ports::Clock;
use zaprun_engine::pulse::{Overdue, Pulse};

use crate::metrics::Metrics;
use crate::world::{Backlog, World};

/// What was found holds for so long: whoever asks often costs no more than whoever asks now and then.
const FRESH: SignedDuration = SignedDuration::from_secs(5);
/// A state that does not answer in this time is one that cannot be written.
const PATIENCE: Duration = Duration::from_secs(5);
/// Of triggers that are overdue so many are named.
const NAMED: usize = 10;

pub(crate) const CONFIG: &str = "config";
pub(crate) const STATE: &str = "state";
pub(crate) const TRIGGERS: &str = "triggers";

/// One thing that must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What is checked: `config`, `state`, `triggers`.
    pub name: &'static str,
    /// What is wrong; `None` while nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Looks whether the program can do its work.
pub struct Ready {
    world: Arc<dyn World>,
    metrics: Arc<Metrics>,
    pulse: Arc<Pulse>,
    clock: Arc<dyn Clock>,
    seen: Mutex<Option<Seen>>,
}

/// What was last found.
#[derive(Clone)]
struct Seen {
    at: Timestamp,
    state: Option<String>,
    backlog: Option<Arc<Backlog>>,
}

impl Ready {
    /// Looks at these.
    pub fn new(
        world: Arc<dyn World>,
        metrics: Arc<Metrics>,
        pulse: Arc<Pulse>,
        clock: Arc<dyn Clock>,
    ) -> Ready {
        Ready { world, metrics, pulse, clock, seen: Mutex::new(None) }
    }

    /// Each check.
    pub async fn checks(&self) -> Vec<Check> {
        let seen = self.seen().await;
        self.judge(seen.state)
    }

    pub(crate) async fn metrics(&self) -> String {
        let seen = self.seen().await;
        let checks = self.judge(seen.state);
        self.metrics.text(seen.backlog.as_deref(), &self.world.waits(), &self.pulse, &checks)
    }

    fn judge(&self, state: Option<String>) -> Vec<Check> {
        // A program whose zaps could not be loaded listens nowhere.
        let config = Check { name: CONFIG, problem: None };
        let overdue = self.pulse.overdue();
        let triggers = (!overdue.is_empty()).then(|| told(&overdue));
        vec![config, Check { name: STATE, problem: state }, Check { name: TRIGGERS, problem: triggers }]
    }

    /// The state as it was seen a moment ago, or is now. One looks, and the others wait for it.
    async fn seen(&self) -> Seen {
        let mut seen = self.seen.lock().await;
        let now = self.clock.now();
        let fresh = |seen: &&Seen| now.duration_since(seen.at).abs() < FRESH;
        if let Some(seen) = seen.as_ref().filter(fresh) {
            return seen.clone();
        }
        let found = self.look(now).await;
        *seen = Some(found.clone());
        found
    }

    async fn look(&self, at: Timestamp) -> Seen {
        if !self.metrics.state_is_well() {
            let state = Some("the engine cannot write it and tries again; the log says why".to_owned());
            return Seen { at, state, backlog: None };
        }
        let looks = async { (self.world.writable().await, self.world.backlog().await) };
        match tokio::time::timeout(PATIENCE, looks).await {
            Ok((written, backlog)) => Seen {
                at,
                state: written.err().map(|error| error.to_string()),
                backlog: backlog.ok().map(Arc::new),
            },
            Err(_) => {
                let state = Some(format!("it did not answer within {}s", PATIENCE.as_secs()));
                Seen { at, state, backlog: None }
            }
        }
    }
}

fn told(overdue: &[Overdue]) -> String {
    let one = |overdue: &Overdue| {
        let last = overdue.last.strftime("%Y-%m-%dT%H:%M:%SZ");
        format!("`{}` was last looked at to its end at {last} ({})", overdue.zap, overdue.query)
    };
    let named: Vec<String> = overdue.iter().take(NAMED).map(one).collect();
    let more = overdue.len().saturating_sub(NAMED);
    let rest = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("overdue: {}{rest}", named.join("; "))
}
