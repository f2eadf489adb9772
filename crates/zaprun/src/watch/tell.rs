//! The engine's events in words.

mod reload;

use jiff::{SignedDuration, Timestamp};
use zaprun_engine::ports::{LIMIT, ReadError, RunReason};
use zaprun_engine::report::{Event, ItemProblem, RowProblem, RunRef};
use zaprun_http::duration_text;

use crate::output::{count, thousands};

mod again;

/// How much an event matters to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// For those who look for it.
    Detail,
    /// As it should be.
    Note,
    /// It mends itself, or concerns one run.
    Warning,
    /// A person must act.
    Trouble,
}

/// An event in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    /// How much it matters.
    pub(crate) weight: Weight,
    /// A lowercase fragment.
    pub(crate) text: String,
    /// What to do.
    pub(crate) hint: Option<String>,
    /// The zap concerned.
    pub(crate) zap: Option<String>,
    /// The event: `kind:id`.
    pub(crate) event: Option<String>,
    /// The run.
    pub(crate) run: Option<i64>,
    /// The trace of the run's requests, as `traceparent` carries it.
    pub(crate) trace: Option<String>,
    /// The connection, or the host.
    pub(crate) connection: Option<String>,
    /// The query's name.
    pub(crate) query: Option<String>,
    /// How a reload ended: `done`, `nothing`, `refused`.
    pub(crate) reload: Option<&'static str>,
}

impl Told {
    fn new(weight: Weight, text: impl Into<String>) -> Self {
        Told {
            weight,
            text: text.into(),
            hint: None,
            zap: None,
            event: None,
            run: None,
            trace: None,
            connection: None,
            query: None,
            reload: None,
        }
    }

    fn run(mut self, run: &RunRef) -> Self {
        self.zap = Some(run.zap.clone());
        self.event = Some(run.event.to_string());
        self.run = Some(run.run.0);
        self.trace = Some(run.trace.simple().to_string());
        self
    }

    fn zap(mut self, zap: &str) -> Self {
        self.zap = Some(zap.to_owned());
        self
    }

    fn at(mut self, connection: &str) -> Self {
        self.connection = Some(connection.to_owned());
        self
    }

    fn of(mut self, query: &str) -> Self {
        self.query = Some(query.to_owned());
        self
    }

    fn hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// What it is about, as it stands before the text: `new-sale-to-sheet new_sale:D6C8C390A7`, `crm`.
    pub(crate) fn about(&self) -> String {
        let parts = [&self.zap, &self.event, &self.connection];
        let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        parts.join(" ")
    }
}

/// An event in words; requests of a dry run are data, and not told here. With `once` the process ends before it would
/// poll again.
pub(crate) fn tell(event: &Event, once: bool) -> Option<Told> {
    let told = match event {
        Event::WouldSend { .. } => return None,
        Event::Page { .. } | Event::WalkDone { .. } | Event::CatchingUp { .. } | Event::FirstRun { .. } => {
            reading(event)
        }
        Event::Looked { .. }
        | Event::DeepSwept { .. }
        | Event::SweepFailed { .. }
        | Event::Backfilling { .. }
        | Event::Backfilled { .. }
        | Event::BackfillFailed { .. } => again::tell(event, once),
        Event::CaughtUp { zap, since, until, held, dropped } => {
            caught_up(zap, (*since, *until), *held, *dropped)
        }
        Event::WalkFailed { .. }
        | Event::Stopped { .. }
        | Event::Recovered { .. }
        | Event::Unstable { .. } => trouble_reading(event, once),
        Event::ClockSetBack { .. } | Event::ClockSkew { .. } | Event::RowProblem { .. } => oddity(event),
        Event::Arrived { .. } | Event::Unheard { .. } | Event::TurnedAway { .. } => arriving(event),
        Event::FeedRead { .. }
        | Event::FeedFailed { .. }
        | Event::FeedStopped { .. }
        | Event::FeedRecovered { .. }
        | Event::ItemProblem { .. } => feed(event, once),
        Event::Missed { zap, first, fired } => {
            let what = match fired {
                0 => "left out".to_owned(),
                1 => "one of them fires now".to_owned(),
                many => format!("{} of them fire now", thousands(*many)),
            };
            let text = format!("times passed while nothing ran, from {} on: {what}", time(*first));
            Told::new(Weight::Warning, text).zap(zap)
        }
        Event::AlertTold { target, kind, resolved } => {
            let what = if *resolved { "that it is over" } else { "of it" };
            Told::new(Weight::Detail, format!("alert {kind}: {target} was told {what}"))
        }
        Event::AlertFailed { target, kind, reason, retry_at } => Told::new(
            Weight::Warning,
            format!("alert {kind}: {target} was not told: {reason}; tried again at {}", time(*retry_at)),
        ),
        Event::StoreTrouble { error, retry_at } => Told::new(
            Weight::Trouble,
            format!("{error}; nothing is lost, tried again at {}", time(*retry_at)),
        ),
        Event::StoreRecovered { since } => Told::new(
            Weight::Note,
            format!("the state can be written again, after trouble since {}", time(*since)),
        ),
        Event::Reloaded(_) | Event::ReloadRefused { .. } | Event::ReloadedNothing => reload::tell(event),
        _ => delivery(event),
    };
    Some(told)
}

fn reading(event: &Event) -> Told {
    match event {
        Event::Page { connection, query, page, rows, total, fired } => {
            let text = format!(
                "page {page}: {} of {}, {} new",
                thousands(*rows),
                count(*total, "row", "rows"),
                thousands(*fired)
            );
            Told::new(Weight::Detail, text).at(connection).of(query)
        }
        Event::WalkDone { connection, query, tally, took } => {
            let text = format!(
                "read {} in {}: {} new, {} known, {} from before",
                count(tally.rows, "row", "rows"),
                lag_text(*took),
                thousands(tally.fired),
                thousands(tally.known),
                thousands(tally.primed),
            );
            Told::new(Weight::Detail, text).at(connection).of(query)
        }
        Event::CatchingUp { connection, query, from, slices } => {
            let left = count(u64::from(*slices), "slice", "slices");
            let text = format!("reading {query} from {from}, {left} of at most ten days to go");
            Told::new(Weight::Note, text).at(connection).of(query)
        }
        Event::FirstRun { zap, primed, fired } => {
            let before = match primed {
                0 => "nothing is there from before its start".to_owned(),
                _ => format!("{} from before its start will not be sent", count(*primed, "row", "rows")),
            };
            Told::new(Weight::Note, format!("first run: {before}; {} new", thousands(*fired))).zap(zap)
        }
        _ => Told::new(Weight::Detail, ""),
    }
}

/// One line for the whole group.
fn caught_up(zap: &str, (since, until): (Timestamp, Timestamp), held: u64, dropped: u64) -> Told {
    let off = format!("while it was switched off, from {} to {}", time(since), time(until));
    let (weight, what, hint) = match (held, dropped) {
        (0, _) => (Weight::Warning, format!("{} dropped", count(dropped, "event", "events")), None),
        (_, 0) => (Weight::Trouble, held_for_a_person(held), Some(CAUGHT_UP_HINT)),
        _ => {
            let what = format!("{}, {} dropped", held_for_a_person(held), thousands(dropped));
            (Weight::Trouble, what, Some(CAUGHT_UP_HINT))
        }
    };
    Told::new(weight, format!("{off}: {what}")).zap(zap).hint(hint.map(str::to_owned))
}

fn held_for_a_person(held: u64) -> String {
    format!("{} held for a person", count(held, "event", "events"))
}

const CAUGHT_UP_HINT: &str = "`zaprun runs list --status held` lists them, `zaprun runs resolve ID --as done` sends one, \
                              `--as failed` gives it up; `catch_up` of its trigger says what becomes of them";

/// When it is polled again, where this process still does.
fn tried_again(at: Timestamp, once: bool) -> String {
    if once { String::new() } else { format!("; tried again at {}", time(at)) }
}

fn feed(event: &Event, once: bool) -> Told {
    match event {
        Event::FeedRead { zap, source, pages, tally, took } => {
            let text = format!(
                "read {} on {} in {}: {} new, {} known, {} from before",
                count(tally.rows, "item", "items"),
                count(u64::from(*pages), "page", "pages"),
                lag_text(*took),
                thousands(tally.fired),
                thousands(tally.known),
                thousands(tally.primed),
            );
            Told::new(Weight::Detail, text).zap(zap).at(source)
        }
        Event::FeedFailed { zap, source, cause, failures, retry_at, .. } => {
            let times = if *failures > 1 { format!(", {failures} times in a row") } else { String::new() };
            let text = format!("poll failed{times}: {cause}{}", tried_again(*retry_at, once));
            Told::new(Weight::Warning, text).zap(zap).at(source)
        }
        Event::FeedStopped { zap, source, cause, retry_at } => {
            let text = format!("polling stopped: {cause}{}", tried_again(*retry_at, once));
            let hint =
                format!("check what `{source}` wants to know of the caller: its `auth`, its permissions");
            Told::new(Weight::Trouble, text).zap(zap).at(source).hint(Some(hint))
        }
        Event::FeedRecovered { zap, source, since } => {
            let text = format!("works again, after trouble since {}", time(*since));
            Told::new(Weight::Note, text).zap(zap).at(source)
        }
        Event::ItemProblem { zap, problem } => {
            let text = match problem {
                ItemProblem::NoKey { reason } => format!("an item has no key and is passed over: {reason}"),
                ItemProblem::Doubled { key } => {
                    format!("two items of one page have the key {key}; only the first of them counts")
                }
                ItemProblem::Card { field } => {
                    format!("`{field}` of an item held card data, which was taken out")
                }
                ItemProblem::Undated { reason } => {
                    format!("when an item happened cannot be told, so it counts as now: {reason}")
                }
            };
            Told::new(Weight::Warning, text).zap(zap)
        }
        _ => Told::new(Weight::Detail, ""),
    }
}

fn trouble_reading(event: &Event, once: bool) -> Told {
    match event {
        Event::WalkFailed { connection, query, cause, failures, retry_at, .. } => {
            let times = if *failures > 1 { format!(", {failures} times in a row") } else { String::new() };
            let text = format!("poll failed{times}: {cause}{}", tried_again(*retry_at, once));
            Told::new(Weight::Warning, text).at(connection).of(query)
        }
        Event::Stopped { connection, query, permission, error, retry_at } => {
            // Without a query all rests that uses the connection.
            let what = if query.is_some() { "polling stopped" } else { "stopped" };
            let text = format!("{what}: {error}{}", tried_again(*retry_at, once));
            let told =
                Told::new(Weight::Trouble, text).at(connection).hint(remedy(connection, error, *permission));
            match query {
                Some(query) => told.of(query),
                None => told,
            }
        }
        Event::Recovered { connection, query, since } => {
            let told = Told::new(Weight::Note, format!("works again, after trouble since {}", time(*since)));
            let told = told.at(connection);
            match query {
                Some(query) => told.of(query),
                None => told,
            }
        }
        Event::Unstable { connection, query, since, moved_on, .. } => {
            let ends = if *moved_on { "went on all the same" } else { "what was found is kept" };
            let text = format!(
                "rows left while they were read, three times in a row, since {}; {ends}",
                time(*since)
            );
            Told::new(Weight::Warning, text).at(connection).of(query)
        }
        _ => Told::new(Weight::Detail, ""),
    }
}

fn oddity(event: &Event) -> Told {
    match event {
        Event::ClockSkew { connection, skew } => {
            let (direction, amount) =
                if skew.is_negative() { ("behind", -*skew) } else { ("ahead of", *skew) };
            let text = format!("the CRM's clock is {} {direction} this machine's", lag_text(amount));
            Told::new(Weight::Warning, text)
                .at(connection)
                .hint(Some("let this machine set its clock by NTP".to_owned()))
        }
        Event::ClockSetBack { connection, by } => {
            let text = format!("this machine's clock was set back by {}; polling goes on", lag_text(*by));
            Told::new(Weight::Warning, text).at(connection)
        }
        Event::RowProblem { connection, row, problem, id } => {
            let which = id.as_ref().map(|id| format!(", first in {id}")).unwrap_or_default();
            let text = match problem {
                RowProblem::Unreadable { reason } => {
                    format!("a {row} cannot be read and is passed over: {reason}{which}")
                }
                RowProblem::NoId => format!("a {row} has no id and is passed over{which}"),
                RowProblem::Card { field } => {
                    format!("`{field}` of a {row} held card data, which was taken out{which}")
                }
                RowProblem::Misfit { field } => {
                    format!("`{field}` of a {row} does not fit its type and stays as it came{which}")
                }
            };
            Told::new(Weight::Warning, text).at(connection)
        }
        _ => Told::new(Weight::Detail, ""),
    }
}

fn arriving(event: &Event) -> Told {
    match event {
        Event::Arrived { path, fired, known } => {
            let text = format!("request at {path}: {} new, {} known", thousands(*fired), thousands(*known));
            Told::new(Weight::Detail, text)
        }
        Event::Unheard { connection, path, row } => {
            let text = format!("a request at {path} told of {} that the CRM does not show", a(row));
            Told::new(Weight::Warning, text).at(connection).hint(Some(
                "its key must be the id by which the CRM's API knows it; the poll finds what is there"
                    .to_owned(),
            ))
        }
        Event::TurnedAway { path, status, reason, times } => {
            let requests = count(*times, "request", "requests");
            let place = path.as_ref().map_or("paths that no zap has", |path| path.as_str());
            let text = format!("{requests} at {place} answered {status}: {reason}");
            // Strangers try many paths.
            let weight = if path.is_none() { Weight::Detail } else { Weight::Warning };
            let hint = (*status == 401).then(|| {
                "compare the secret of its connection with the sender's, and the connection's `verify`"
                    .to_owned()
            });
            Told::new(weight, text).hint(hint)
        }
        _ => Told::new(Weight::Detail, ""),
    }
}

/// `an order`, `a transaction`
fn a(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {noun}")
}

fn delivery(event: &Event) -> Told {
    match event {
        Event::Delivered { run, lag, attempts } => {
            let tries = if *attempts > 1 { format!(", {attempts} requests") } else { String::new() };
            Told::new(Weight::Note, format!("delivered {} after it was seen{tries}", lag_text(*lag))).run(run)
        }
        // The values that the filter looked at may be personal; `runs show` has them.
        Event::Filtered { run, reason } => {
            Told::new(Weight::Detail, format!("filtered: {}", reason.word)).run(run)
        }
        Event::Retrying { run, step, reason, attempts, next } => {
            let why = if reason.detail.is_empty() { &reason.word } else { &reason.detail };
            let text = format!("step {step} failed (attempt {attempts}): {why}; next at {}", time(*next));
            Told::new(Weight::Warning, text).run(run)
        }
        Event::Uncertain { run, step, reason, next } => {
            let text = format!(
                "whether step {step} happened is not known: {}; the CRM is looked at next at {}",
                reason.detail,
                time(*next)
            );
            Told::new(Weight::Warning, text).run(run)
        }
        // Each zap's broken mapping is told once, by `MappingBroken`; its runs are in `runs list`.
        Event::Dead { run, reason } if reason.word == "mapping" => {
            Told::new(Weight::Detail, format!("dead: {}", reason_text(reason))).run(run)
        }
        Event::Dead { run, reason } => Told::new(Weight::Trouble, format!("dead: {}", reason_text(reason)))
            .run(run)
            .hint(Some(format!("`zaprun runs show {}` says more", run.run))),
        // The zap's brake is told once, by `BrakeTripped`.
        Event::Held { run, reason } if reason.word == LIMIT => {
            Told::new(Weight::Detail, format!("held: {}", reason_text(reason))).run(run)
        }
        Event::Held { run, reason } => {
            let id = run.run;
            Told::new(Weight::Trouble, format!("held for a person: {}", reason_text(reason))).run(run).hint(
                Some(format!(
                    "`zaprun runs show {id}` says more, `zaprun runs resolve {id} --as done` or `--as failed` settles it"
                )),
            )
        }
        Event::BrakeTripped { zap, limit, reason } => {
            Told::new(Weight::Trouble, format!("its limit `{limit}` is reached, more is held for a person: {reason}"))
                .zap(zap)
                .hint(Some(
                    "`zaprun runs list --status held` lists them, `zaprun runs resolve ID --as done` lets one through, \
                     `--as failed` gives it up"
                        .to_owned(),
                ))
        }
        Event::MappingBroken { zap, place, message, help } => {
            Told::new(Weight::Trouble, format!("{place}: {message}; runs it fails for are dead"))
                .zap(zap)
                .hint(help.clone())
        }
        Event::BreakerOpened { target, reason, probe_at } => {
            let until = time(*probe_at);
            Told::new(
                Weight::Trouble,
                format!("{target} is left alone until {until}, its runs wait: {reason}"),
            )
        }
        Event::BreakerClosed { target, open_for } => {
            let after = duration_text(whole_seconds(*open_for));
            Told::new(Weight::Note, format!("{target} works again, after {after}"))
        }
        _ => Told::new(Weight::Detail, ""),
    }
}

/// What a person does about a connection that stopped.
pub(crate) fn remedy(connection: &str, error: &ReadError, permission: Option<&str>) -> Option<String> {
    match error {
        ReadError::Credentials { .. } => {
            Some(format!("check login_id and password of connection `{connection}`; it must be an API user"))
        }
        ReadError::Whitelist { address: Some(address), .. } => {
            Some(format!("add {address} to the API user's whitelist in the CRM"))
        }
        ReadError::Whitelist { .. } => {
            Some("add this machine's address to the API user's whitelist in the CRM".to_owned())
        }
        ReadError::Permission { .. } => {
            permission.map(|permission| format!("give the API user the permission `{permission}` in the CRM"))
        }
        ReadError::Transport { .. } | ReadError::Vendor { .. } | ReadError::TooMany { .. } => None,
    }
}

/// `refused: 422 Unprocessable`, `mapping`
pub(crate) fn reason_text(reason: &RunReason) -> String {
    match reason.detail.as_str() {
        "" => reason.word.clone(),
        detail => format!("{}: {detail}", reason.word),
    }
}

/// `40ms`, `1.2s`, `2m 5s`, `3h 20m`
pub(crate) fn lag_text(lag: SignedDuration) -> String {
    let millis = lag.as_millis().max(0);
    let seconds = millis / 1000;
    match seconds {
        0 => format!("{millis}ms"),
        1..60 => format!("{seconds}.{}s", millis % 1000 / 100),
        60..3600 => format!("{}m {}s", seconds / 60, seconds % 60),
        _ => format!("{}h {}m", seconds / 3600, seconds % 3600 / 60),
    }
}

fn whole_seconds(duration: std::time::Duration) -> std::time::Duration {
    std::time::Duration::from_secs(duration.as_secs().max(1))
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail")]

    use zaprun_engine::ports::{EventKey, RunId};

    use super::*;

    fn run() -> RunRef {
        let event = EventKey { kind: "new_sale".to_owned(), id: "D6C8C390A7".to_owned() };
        RunRef { zap: "sales".to_owned(), event, run: RunId(7), trace: uuid::Uuid::nil() }
    }

    fn line(event: &Event) -> String {
        let told = tell(event, false).unwrap();
        format!("{:?} {}: {} {:?}", told.weight, told.about(), told.text, told.hint)
    }

    #[test]
    fn events_read_as_sentences() {
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        let events = [
            Event::Delivered { run: run(), lag: SignedDuration::from_millis(1_250), attempts: 2 },
            Event::Filtered {
                run: run(),
                reason: RunReason { word: "filter".to_owned(), detail: "ada@example.com".to_owned() },
            },
            Event::Dead {
                run: run(),
                reason: RunReason { word: "mapping".to_owned(), detail: String::new() },
            },
            Event::Held {
                run: run(),
                reason: RunReason { word: "uncertain".to_owned(), detail: "two orders fit".to_owned() },
            },
            Event::Stopped {
                connection: "crm".to_owned(),
                query: None,
                permission: None,
                error: ReadError::Whitelist {
                    address: Some("198.51.100.7".to_owned()),
                    text: "IP".to_owned(),
                },
                retry_at: at,
            },
            Event::FirstRun { zap: "sales".to_owned(), primed: 1_234, fired: 0 },
            Event::Held {
                run: run(),
                reason: RunReason { word: "limit".to_owned(), detail: "the zap is at its limit".to_owned() },
            },
            Event::BrakeTripped {
                zap: "sales".to_owned(),
                limit: "writes_per_hour",
                reason: "the zap has made 5 writes in the last hour, which is its limit".to_owned(),
            },
            Event::CaughtUp { zap: "sales".to_owned(), since: at, until: at, held: 12, dropped: 0 },
            Event::CaughtUp { zap: "sales".to_owned(), since: at, until: at, held: 0, dropped: 1 },
        ];
        let lines: Vec<String> = events.iter().map(line).collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        Note sales new_sale:D6C8C390A7: delivered 1.2s after it was seen, 2 requests None
        Detail sales new_sale:D6C8C390A7: filtered: filter None
        Detail sales new_sale:D6C8C390A7: dead: mapping None
        Trouble sales new_sale:D6C8C390A7: held for a person: uncertain: two orders fit Some("`zaprun runs show 7` says more, `zaprun runs resolve 7 --as done` or `--as failed` settles it")
        Trouble crm: stopped: the CRM does not accept this machine's address 198.51.100.7; tried again at 2027-01-15T08:00:00Z Some("add 198.51.100.7 to the API user's whitelist in the CRM")
        Note sales: first run: 1,234 rows from before its start will not be sent; 0 new None
        Detail sales new_sale:D6C8C390A7: held: limit: the zap is at its limit None
        Trouble sales: its limit `writes_per_hour` is reached, more is held for a person: the zap has made 5 writes in the last hour, which is its limit Some("`zaprun runs list --status held` lists them, `zaprun runs resolve ID --as done` lets one through, `--as failed` gives it up")
        Trouble sales: while it was switched off, from 2027-01-15T08:00:00Z to 2027-01-15T08:00:00Z: 12 events held for a person Some("`zaprun runs list --status held` lists them, `zaprun runs resolve ID --as done` sends one, `--as failed` gives it up; `catch_up` of its trigger says what becomes of them")
        Warning sales: while it was switched off, from 2027-01-15T08:00:00Z to 2027-01-15T08:00:00Z: 1 event dropped None
        "#);
    }

    #[test]
    fn lags_are_short() {
        let text = |millis| lag_text(SignedDuration::from_millis(millis));
        assert_eq!(
            [text(-5), text(40), text(1_250), text(125_000), text(12_000_000)],
            ["0ms", "40ms", "1.2s", "2m 5s", "3h 20m"]
        );
    }
}
