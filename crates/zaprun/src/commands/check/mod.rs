//! `zaprun check`

mod crm;
mod reach;
mod token;

use std::path::Path;
use std::sync::Arc;

use clap::ValueEnum;
use serde::Serialize;
use zaprun_core::definition::{Connection, HttpConnection};
use zaprun_http::parse_base;

use crate::clock::SystemClock;
use crate::context::{Context, interruptible};
use crate::env;
use crate::error::{CommandError, Exit};
use crate::loading::{Started, start_connections};
use crate::output::{Table, Tone, count, pretty};
use reach::{Place, reach};
use token::Tills;

/// Try every connection: credentials, whitelisted address, permissions, time zone
///
/// Reads a few recent rows of each account of the CRM. Of HTTP APIs it tries name, port and certificate, and sends
/// nothing. Where a connection has `oauth2`, it asks for a token; but a refresh token that no run has spent yet it does
/// not spend.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit: 0 all works, 1 something does not.")]
pub(crate) struct Args {
    /// How to write the results
    #[arg(long, value_name = "FORMAT", env = "ZAPRUN_FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// How one check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Ok,
    Failed,
    /// Nothing is known to be wrong, or nothing could be tried.
    Unknown,
}

/// One check of one connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    connection: String,
    check: String,
    result: Verdict,
    detail: String,
    hint: Option<String>,
}

impl Line {
    pub(super) fn new(connection: &str, check: &str, result: Verdict, detail: impl Into<String>) -> Self {
        let (connection, check) = (connection.to_owned(), check.to_owned());
        Line { connection, check, result, detail: detail.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

pub(crate) fn run(context: &Context, args: &Args) -> Result<Exit, CommandError> {
    let started = start_connections(context)?;
    let masker = Arc::new(crate::wiring::masker(&started.project.definition));
    let tills = Tills::new(&masker);
    let lines = context.block_on(async {
        let lines = interruptible(async { Ok(check_all(&started, &tills).await) }).await;
        tills.settle().await;
        lines
    })?;
    let failed = lines.iter().filter(|line| line.result == Verdict::Failed).count();
    let text = match args.format {
        Format::Json => json(&lines, failed == 0),
        Format::Text => table(&lines, context),
    };
    context.printer.data(&masker.text(&text))?;
    if args.format == Format::Text {
        for hint in lines.iter().filter_map(|line| line.hint.as_deref()) {
            context.printer.hint(&masker.text(hint));
        }
        context.printer.note(&match (lines.len(), failed) {
            (0, _) => "there is no connection to check".to_owned(),
            (_, 0) => "everything that could be tried works".to_owned(),
            _ => format!("{} failed", count(failed as u64, "check", "checks")),
        });
    }
    Ok(Exit::findings(failed > 0))
}

/// Every connection, side by side; their lines in the project's order.
async fn check_all(started: &Started, tills: &Tills) -> Vec<Line> {
    let checks = started.project.definition.connections.iter().map(|(name, connection)| async move {
        match &connection.value {
            Connection::Konnektive(crm) => {
                crm::check(name, crm, &started.root, &started.zaps, Arc::new(SystemClock)).await
            }
            Connection::Http(http) => {
                let mut lines = vec![check_http(name, http, &started.root).await];
                lines.extend(token::check(name, http, started, tills).await);
                lines
            }
            Connection::Webhook(_) => {
                vec![Line::new(name, "webhook", Verdict::Unknown, "others call it; there is nothing to try")]
            }
        }
    });
    futures::future::join_all(checks).await.concat()
}

async fn check_http(name: &str, http: &HttpConnection, root: &Path) -> Line {
    const CHECK: &str = "reachable";
    let config = match crate::wiring::http_config(name, http, root, None) {
        Ok(config) => config,
        Err(error) => return Line::new(name, CHECK, Verdict::Failed, error.to_string()),
    };
    let url = match parse_base(config.base_url.expose()) {
        Ok(url) => url,
        Err(error) => return Line::new(name, CHECK, Verdict::Failed, format!("`base_url` {error}")),
    };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let tls = url.scheme() == "https";
    let port = url.port_or_known_default().unwrap_or(if tls { 443 } else { 80 });
    if env::has_proxy(tls) && !is_local(&host) {
        let detail = format!("{host}:{port} is reached through a proxy, which was not tried");
        return Line::new(name, CHECK, Verdict::Unknown, detail);
    }
    let private_ca = http.ca_file.as_ref().and_then(|file| std::fs::read(root.join(&file.value)).ok());
    match reach(&Place { host: host.clone(), port, tls, private_ca }).await {
        Ok(_) if tls => Line::new(name, CHECK, Verdict::Ok, format!("{host}:{port}, certificate is good")),
        Ok(_) => Line::new(name, CHECK, Verdict::Ok, format!("{host}:{port}, without TLS")),
        Err(reason) => Line::new(name, CHECK, Verdict::Failed, format!("{host}:{port}: {reason}")),
    }
}

fn is_local(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn table(lines: &[Line], context: &Context) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&context.printer, &["connection", "check", "result", "detail"]);
    for line in lines {
        let (word, tone) = match line.result {
            Verdict::Ok => ("ok", Tone::Good),
            Verdict::Failed => ("failed", Tone::Bad),
            Verdict::Unknown => ("-", Tone::Quiet),
        };
        table.toned([
            (line.connection.as_str(), Tone::Plain),
            (line.check.as_str(), Tone::Plain),
            (word, tone),
            (line.detail.as_str(), Tone::Plain),
        ]);
    }
    table.render()
}

fn json(lines: &[Line], ok: bool) -> String {
    #[derive(Serialize)]
    struct Report<'a> {
        ok: bool,
        checks: &'a [Line],
    }
    pretty(&Report { ok, checks: lines })
}
