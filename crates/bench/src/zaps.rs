//! The job as zaps, through the same doors as `zaprun` itself: load, compile, map.

use jiff::Timestamp;
use uuid::Uuid;
use zaprun_core::diagnostic::Severity;
use zaprun_core::load::{File, Input, load};
use zaprun_core::mapping::MapError;
use zaprun_core::request::Request;
use zaprun_core::zap::{EventFacts, Pass, Plan, ProjectFacts, RunFacts, Zap, compile};

const PROJECT: &str = include_str!("../project/zaprun.yaml");

/// Plain members and singular paths.
pub const PLAIN: &str = include_str!("../project/zaps/plain.yaml");
/// Templates, filters and a sum.
pub const WHOLE: &str = include_str!("../project/zaps/whole.yaml");

/// A zap that cannot be used here.
#[derive(Debug, thiserror::Error)]
pub enum ZapError {
    /// It is not valid.
    #[error("the zap is not valid: {}", .0.join("; "))]
    Invalid(Vec<String>),
    /// It does not map an order.
    #[error(transparent)]
    Map(#[from] MapError),
    /// It does not give one request with a body.
    #[error("the zap sends something else than one body for order {0}")]
    NotOneBody(String),
}

/// Compiles a zap against the measured project.
///
/// # Errors
/// [`ZapError::Invalid`] with the findings.
pub fn compiled(zap: &str) -> Result<Zap, ZapError> {
    let file = |path: &str, text: &str| File { path: path.to_owned(), content: Ok(text.as_bytes().to_vec()) };
    let input = Input {
        project: file("zaprun.yaml", PROJECT),
        overlays: Vec::new(),
        zaps: vec![file("zaps/bench.yaml", zap)],
        tables: Vec::new(),
        env: None,
    };
    let loaded = load(&input, None);
    let mut findings = Vec::new();
    let mut made = None;
    if let (Some(project), [one]) = (&loaded.project, loaded.zaps.as_slice())
        && let (Some(definition), Some(tree)) = (&one.definition, &one.tree)
    {
        let compiled = compile(definition, tree, &ProjectFacts::of(&project.definition, &project.tree));
        findings = compiled.diagnostics;
        made = compiled.zap;
    }
    let findings = loaded.conclude(findings);
    let broken = findings.iter().filter(|finding| finding.severity == Severity::Error);
    let broken: Vec<String> = broken.map(|finding| finding.message.clone()).collect();
    made.filter(|_| broken.is_empty()).ok_or(ZapError::Invalid(broken))
}

/// Maps one order as a run does, up to the bytes of its request's body.
///
/// # Errors
/// [`ZapError::Map`], [`ZapError::NotOneBody`].
pub fn body(zap: &Zap, order: &[u8], id: &str) -> Result<Vec<u8>, ZapError> {
    let facts = RunFacts {
        record: order,
        event: EventFacts {
            id: format!("new_sale:{id}"),
            kind: "new_sale".to_owned(),
            key: id.to_owned(),
            at: Timestamp::UNIX_EPOCH,
        },
        context: None,
        run_id: id.to_owned(),
        started_at: Timestamp::UNIX_EPOCH,
        key_base: Uuid::nil(),
        depth: 0,
    };
    let other = || ZapError::NotOneBody(id.to_owned());
    let mut scope = zap.scope(&facts)?;
    if zap.passes(&scope)? != Pass::Yes {
        return Err(other());
    }
    zap.bind(&mut scope)?;
    let action = zap.actions.first().ok_or_else(other)?;
    match action.plan(&scope)? {
        Plan::One(request) => match *request {
            Request::Http(request) => request.body.map(|body| body.bytes).ok_or_else(other),
            Request::Crm(_) | Request::Find(_) => Err(other()),
        },
        Plan::Skip { .. } | Plan::Each(_) => Err(other()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail by panic")]

    use jiff::civil::date;

    use super::*;
    use crate::hand::{self, HandError};
    use crate::orders::orders;

    fn agree(zap: &str, by_hand: fn(&[u8], &mut Vec<u8>) -> Result<(), HandError>) {
        let zap = compiled(zap).unwrap();
        for order in orders(2_000, date(2026, 10, 3)) {
            let mut expected = Vec::new();
            by_hand(order.as_bytes(), &mut expected).unwrap();
            let mapped = body(&zap, order.as_bytes(), "1").unwrap();
            assert_eq!(String::from_utf8(mapped).unwrap(), String::from_utf8(expected).unwrap());
        }
    }

    #[test]
    fn the_plain_zap_and_the_struct_send_the_same_bytes() {
        agree(PLAIN, hand::plain);
    }

    #[test]
    fn the_whole_zap_and_the_struct_send_the_same_bytes() {
        agree(WHOLE, hand::whole);
    }
}
