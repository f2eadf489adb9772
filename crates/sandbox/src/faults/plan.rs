//! Which faults are in force, and whether one strikes this request.

use std::collections::VecDeque;

use super::{CrmFault, Fault, SinkFault};
use crate::crm::{SALES, WRITES};

/// A fault with its condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultRule {
    /// What goes wrong.
    pub fault: Fault,
    /// Which of the requests it reaches.
    pub when: When,
    /// Only this endpoint (`order/query`), or this sink path and below (`/sink/chat`).
    pub on: Option<String>,
}

impl FaultRule {
    /// The fault on every request.
    pub fn always(fault: Fault) -> FaultRule {
        FaultRule { fault, when: When::Always, on: None }
    }
}

/// Which of the requests that a rule reaches it strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// All.
    Always,
    /// The first so many.
    First(u64),
    /// Every so-manieth.
    Every(u64),
    /// Each with this many chances in a million.
    Chance(u32),
}

/// Where a request goes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Site<'a> {
    /// An endpoint of the CRM, and the page asked for.
    Crm { endpoint: &'a str, page: u64 },
    /// A path of the sink, from `/sink`.
    Sink { path: &'a str },
}

impl Site<'_> {
    fn admits(&self, fault: &Fault, on: Option<&str>) -> bool {
        match (self, fault) {
            (Site::Crm { endpoint, page }, Fault::Crm(fault)) => {
                let fits = match fault {
                    CrmFault::RowInserted | CrmFault::RowRemoved => *page > 1,
                    CrmFault::LateWrite(_) | CrmFault::LateWrite504(_) => WRITES.contains(endpoint),
                    CrmFault::Decline(_) | CrmFault::Redirect => SALES.contains(endpoint),
                    _ => true,
                };
                fits && on.is_none_or(|on| on.trim_matches('/') == *endpoint)
            }
            (Site::Sink { path }, Fault::Sink(_)) => on.is_none_or(|on| below(path, on)),
            _ => false,
        }
    }
}

/// Whether `path` is `folder` or lies in it.
fn below(path: &str, folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The rules in force with their counts, and the faults queued for single requests.
#[derive(Debug)]
pub(crate) struct FaultPlan {
    rules: Vec<Counted>,
    queued: VecDeque<(Option<String>, Fault)>,
    rng: fastrand::Rng,
}

#[derive(Debug)]
struct Counted {
    rule: FaultRule,
    seen: u64,
}

impl FaultPlan {
    pub(crate) fn new(rules: Vec<FaultRule>, seed: u64) -> FaultPlan {
        let mut plan =
            FaultPlan { rules: Vec::new(), queued: VecDeque::new(), rng: fastrand::Rng::with_seed(seed) };
        rules.into_iter().for_each(|rule| plan.add(rule));
        plan
    }

    pub(crate) fn add(&mut self, rule: FaultRule) {
        self.rules.push(Counted { rule, seen: 0 });
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
        self.queued.clear();
    }

    /// Strikes the next request that `on` admits, once.
    pub(crate) fn queue(&mut self, on: Option<String>, fault: Fault) {
        self.queued.push_back((on, fault));
    }

    pub(crate) fn queued(&self) -> usize {
        self.queued.len()
    }

    /// What strikes a request at `site`: at most one queued fault, and every rule whose turn it is.
    pub(crate) fn strike(&mut self, site: Site<'_>) -> Vec<Fault> {
        let mut struck = Vec::new();
        let queued = self.queued.iter().position(|(on, fault)| site.admits(fault, on.as_deref()));
        if let Some((_, fault)) = queued.and_then(|at| self.queued.remove(at)) {
            struck.push(fault);
        }
        for counted in &mut self.rules {
            if !site.admits(&counted.rule.fault, counted.rule.on.as_deref()) {
                continue;
            }
            counted.seen += 1;
            let strikes = match counted.rule.when {
                When::Always => true,
                When::First(count) => counted.seen <= count,
                When::Every(count) => counted.seen % count.max(1) == 0,
                When::Chance(parts) => self.rng.u32(..1_000_000) < parts,
            };
            if strikes {
                struck.push(counted.rule.fault.clone());
            }
        }
        struck
    }

    pub(crate) fn strike_crm(&mut self, endpoint: &str, page: u64) -> Vec<CrmFault> {
        let struck = self.strike(Site::Crm { endpoint, page });
        let crm = |fault| if let Fault::Crm(fault) = fault { Some(fault) } else { None };
        struck.into_iter().filter_map(crm).collect()
    }

    pub(crate) fn strike_sink(&mut self, path: &str) -> Vec<SinkFault> {
        let struck = self.strike(Site::Sink { path });
        let sink = |fault| if let Fault::Sink(fault) = fault { Some(fault) } else { None };
        struck.into_iter().filter_map(sink).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step fails the test")]
    use super::*;

    fn plan(texts: &[&str]) -> FaultPlan {
        FaultPlan::new(texts.iter().map(|text| text.parse().unwrap()).collect(), 7)
    }

    fn strikes(plan: &mut FaultPlan, endpoint: &str, requests: usize) -> Vec<usize> {
        (0..requests).map(|_| plan.strike_crm(endpoint, 1).len()).collect()
    }

    #[test]
    fn conditions_count_only_requests_in_their_place() {
        let mut plan = plan(&["auth:first=2,on=order/query"]);
        assert_eq!(strikes(&mut plan, "transactions/query", 3), [0, 0, 0]);
        assert_eq!(strikes(&mut plan, "order/query", 4), [1, 1, 0, 0]);
        assert_eq!(strikes(&mut self::plan(&["auth:every=3"]), "x", 7), [0, 0, 1, 0, 0, 1, 0]);
    }

    #[test]
    fn chances_repeat_with_the_seed() {
        let first = strikes(&mut plan(&["auth:p=50%"]), "x", 200);
        assert_eq!(first, strikes(&mut plan(&["auth:p=50%"]), "x", 200));
        let struck: usize = first.iter().sum();
        assert!((60..=140).contains(&struck), "{struck}");
    }

    #[test]
    fn queued_faults_strike_once_in_turn() {
        let mut plan = plan(&[]);
        plan.queue(Some("/sink/chat".to_owned()), Fault::Sink(SinkFault::Hang));
        plan.queue(None, Fault::Sink(SinkFault::Cut));
        assert_eq!(plan.strike_sink("/sink/chats"), [SinkFault::Cut]);
        assert_eq!(plan.strike_sink("/sink/chat/1"), [SinkFault::Hang]);
        assert_eq!(plan.strike_sink("/sink/chat"), []);
    }

    #[test]
    fn rows_shift_only_after_the_first_page() {
        let mut plan = plan(&["row-removed:first=1"]);
        assert_eq!(plan.strike_crm("order/query", 1), []);
        assert_eq!(plan.strike_crm("order/query", 2), [CrmFault::RowRemoved]);
        assert_eq!(plan.strike_crm("order/query", 3), []);
    }
}
