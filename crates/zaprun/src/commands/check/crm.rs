//! Checks of one account of the CRM.

use std::path::Path;
use std::sync::Arc;

use zaprun_core::crm;
use zaprun_core::definition::KonnektiveConnection;
use zaprun_core::trigger::Endpoint;
use zaprun_core::zap::{Action, Target, Zap};
use zaprun_engine::ports::{Clock, ReadError};
use zaprun_http::Clients;
use zaprun_konnektive::{
    Access, EndpointAccess, EndpointProbe, Konnektive, Probe, WriteAccess, WriteProbe, ZoneCheck,
    reads_of_look,
};

use super::{Line, Verdict};
use crate::output::count;
use crate::watch::{lag_text, remedy};
use crate::wiring;

/// Login, address, the endpoints that the zaps read and write to, and the time zone.
pub(super) async fn check(
    name: &str,
    crm: &KonnektiveConnection,
    root: &Path,
    zaps: &[Zap],
    clock: Arc<dyn Clock>,
) -> Vec<Line> {
    let refused = |detail: String| vec![Line::new(name, "settings", Verdict::Failed, detail)];
    let config = match wiring::crm_config(name, crm, root) {
        Ok(config) => config,
        Err(error) => return refused(error.to_string()),
    };
    let account = match Konnektive::new(config, &Clients::new(), clock) {
        Ok(account) => account,
        Err(error) => return refused(error.problem.to_string()),
    };
    let probe = account.probe(&endpoints(name, zaps)).await;
    let mut lines = report(name, &crm.timezone, &probe);
    // Who is not let in is not asked again: repeated bad logins may lock the user (contract §1.2).
    if probe.access == Access::Granted {
        let writes = account.probe_writes(&writes(name, zaps)).await;
        lines.extend(writes.iter().map(|write| may_write(name, write)));
    }
    lines
}

/// The steps of a connection's zaps that reach the CRM.
fn steps<'a>(connection: &'a str, zaps: &'a [Zap]) -> impl Iterator<Item = &'a Action> {
    let all = zaps.iter().flat_map(|zap| zap.actions.iter().chain(&zap.on_failure));
    all.filter(move |action| matches!(action.target(), Target::Connection(name) if name == connection))
}

/// The endpoints that the zaps of a connection write to.
fn writes(connection: &str, zaps: &[Zap]) -> Vec<&'static crm::Endpoint> {
    let mut endpoints: Vec<&'static crm::Endpoint> = Vec::new();
    for endpoint in steps(connection, zaps).filter_map(Action::endpoint) {
        // The lead goes before the sale.
        let lead = (endpoint.path == crm::CREATE_SALE.path).then_some(&crm::CREATE_LEAD);
        for endpoint in lead.into_iter().chain([endpoint]) {
            if !endpoints.contains(&endpoint) {
                endpoints.push(endpoint);
            }
        }
    }
    endpoints
}

/// Whether an endpoint may be written to, as far as can be told without writing.
fn may_write(name: &str, probe: &WriteProbe) -> Line {
    let (permission, path) = (probe.endpoint.permission, probe.endpoint.path);
    match &probe.access {
        WriteAccess::Allowed => {
            Line::new(name, permission, Verdict::Ok, format!("{path}, nothing was written"))
        }
        WriteAccess::Refused(error) => {
            Line::new(name, permission, Verdict::Failed, format!("{path}: {error}")).hint(remedy(
                name,
                error,
                Some(permission),
            ))
        }
        WriteAccess::Unclear { text } => {
            let hint = format!("if this speaks of a permission, give the API user `{permission}` in the CRM");
            Line::new(name, permission, Verdict::Unknown, format!("{path}: the CRM answered: {text}"))
                .hint(Some(hint))
        }
        WriteAccess::Untried => {
            Line::new(name, permission, Verdict::Unknown, format!("{path} cannot be tried without writing"))
        }
    }
}

/// The endpoints that the zaps of a connection read, and that are read when the answer to one of their writes is lost;
/// orders where it has none, to try the login.
fn endpoints(connection: &str, zaps: &[Zap]) -> Vec<Endpoint> {
    let mut endpoints = Vec::new();
    let triggers = zaps.iter().filter_map(|zap| zap.trigger.crm());
    for trigger in triggers.filter(|trigger| trigger.connection == connection) {
        endpoints.extend(trigger.queries().iter().map(|query| query.endpoint));
        if trigger.kind() == "new_sale" {
            // The day of a sale that began as an older lead is looked up there.
            endpoints.push(Endpoint::Transactions);
        }
    }
    for action in steps(connection, zaps) {
        endpoints.extend(action.reads());
        endpoints.extend(action.endpoint().into_iter().flat_map(|endpoint| reads_of_look(endpoint.path)));
    }
    endpoints.sort();
    endpoints.dedup();
    if endpoints.is_empty() { vec![Endpoint::Orders] } else { endpoints }
}

fn report(name: &str, timezone: &str, probe: &Probe) -> Vec<Line> {
    let mut lines = vec![access(name, probe)];
    lines.extend(probe.endpoints.iter().filter_map(|endpoint| permission(name, endpoint)));
    if probe.access == Access::Granted {
        lines.push(zone(name, timezone, &probe.zone));
    }
    if probe.ampersand_in_password {
        let detail = "the password holds `&`, which the vendor asks to avoid";
        lines.push(Line::new(name, "password", Verdict::Unknown, detail));
    }
    lines
}

fn access(name: &str, probe: &Probe) -> Line {
    let failed = |detail: String, error: &ReadError| {
        Line::new(name, "login", Verdict::Failed, detail).hint(remedy(name, error, None))
    };
    match &probe.access {
        Access::Granted => Line::new(name, "login", Verdict::Ok, "login, password and address are accepted"),
        Access::Credentials { text } => failed(
            format!("the CRM refused the credentials: {text}"),
            &ReadError::Credentials { text: text.clone() },
        ),
        Access::Whitelist { address, text } => {
            let error = ReadError::Whitelist { address: address.clone(), text: text.clone() };
            failed(error.to_string(), &error)
        }
        Access::Unreachable => Line::new(name, "login", Verdict::Failed, "the CRM gave no answer of its own"),
    }
}

/// What of an endpoint is not said already by the line of the login.
fn permission(name: &str, probe: &EndpointProbe) -> Option<Line> {
    let permission = probe.endpoint.permission();
    match &probe.access {
        EndpointAccess::Readable { recent } => {
            let detail =
                format!("{}, {} in the last days", probe.endpoint.path(), count(*recent, "row", "rows"));
            Some(Line::new(name, permission, Verdict::Ok, detail))
        }
        EndpointAccess::Refused(ReadError::Credentials { .. } | ReadError::Whitelist { .. }) => None,
        EndpointAccess::Refused(error) => Some(
            Line::new(name, permission, Verdict::Failed, format!("{}: {error}", probe.endpoint.path()))
                .hint(remedy(name, error, Some(permission))),
        ),
    }
}

fn zone(name: &str, timezone: &str, zone: &ZoneCheck) -> Line {
    const CHECK: &str = "time zone";
    match zone {
        ZoneCheck::Plausible { newest, server_time } => {
            let ago = lag_text(server_time.duration_since(*newest));
            Line::new(
                name,
                CHECK,
                Verdict::Ok,
                format!("{timezone} is plausible: the newest row is {ago} old"),
            )
        }
        ZoneCheck::Future { written, ahead } => {
            let detail = format!("in {timezone} a row of {written} lies {} in the future", lag_text(*ahead));
            let hint = "set `timezone` to the account's, as its settings in the CRM show it".to_owned();
            Line::new(name, CHECK, Verdict::Failed, detail).hint(Some(hint))
        }
        ZoneCheck::NoRows => {
            Line::new(name, CHECK, Verdict::Unknown, format!("no recent row to tell {timezone} by"))
        }
        ZoneCheck::NoServerTime => Line::new(name, CHECK, Verdict::Unknown, "the CRM did not tell its time"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail")]

    use super::*;

    fn lines(probe: &Probe) -> String {
        let line =
            |line: &Line| format!("{} {:?} {} {:?}\n", line.check, line.result, line.detail, line.hint);
        report("crm", "America/New_York", probe).iter().map(line).collect()
    }

    #[test]
    fn a_rejected_address_is_named() {
        let error = ReadError::Whitelist { address: Some("198.51.100.7".to_owned()), text: "IP".to_owned() };
        let probe = Probe {
            access: Access::Whitelist { address: Some("198.51.100.7".to_owned()), text: "IP".to_owned() },
            endpoints: vec![EndpointProbe {
                endpoint: Endpoint::Orders,
                access: EndpointAccess::Refused(error),
            }],
            zone: ZoneCheck::NoRows,
            ampersand_in_password: false,
        };
        insta::assert_snapshot!(lines(&probe), @r#"login Failed the CRM does not accept this machine's address 198.51.100.7 Some("add 198.51.100.7 to the API user's whitelist in the CRM")"#);
    }

    #[test]
    fn a_missing_permission_is_named() {
        let error = ReadError::Permission { text: "not permitted".to_owned() };
        let probe = Probe {
            access: Access::Granted,
            endpoints: vec![
                EndpointProbe { endpoint: Endpoint::Orders, access: EndpointAccess::Readable { recent: 1 } },
                EndpointProbe { endpoint: Endpoint::Transactions, access: EndpointAccess::Refused(error) },
            ],
            zone: ZoneCheck::Future {
                written: "2026-09-16T14:00:00".parse().unwrap(),
                ahead: jiff::SignedDuration::from_hours(3),
            },
            ampersand_in_password: true,
        };
        insta::assert_snapshot!(lines(&probe), @r#"
        login Ok login, password and address are accepted None
        Query Orders Ok order/query, 1 row in the last days None
        Query Transactions Failed transactions/query: the API user may not use this endpoint: not permitted Some("give the API user the permission `Query Transactions` in the CRM")
        time zone Failed in America/New_York a row of 2026-09-16T14:00:00 lies 3h 0m in the future Some("set `timezone` to the account's, as its settings in the CRM show it")
        password Unknown the password holds `&`, which the vendor asks to avoid None
        "#);
    }
}
