//! Which records are tried.

use std::collections::HashSet;
use std::path::PathBuf;

use zaprun_core::rehearsal::{Case, Fixtures, Occasion};
use zaprun_core::value::Value;
use zaprun_core::zap::{Trigger, Zap};
use zaprun_engine::ports::{History, RunFilter};
use zaprun_store::SqliteReader;

use super::compare::Given;
use super::zaps::Pair;
use crate::commands::render::stored;
use crate::commands::runs::state_error;
use crate::context::Context;
use crate::error::CommandError;
use crate::loading::Loading;
use crate::project::Within;

/// Which records are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// So many that the state has, the newest.
    Stored(usize),
    /// Those of a file.
    File(PathBuf),
}

impl std::str::FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("write a number or the path of a file".to_owned());
        }
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Wanted::File(PathBuf::from(text)));
        }
        match text.parse() {
            Ok(number @ 1..=10_000) => Ok(Wanted::Stored(number)),
            _ => Err("write a number from 1 to 10000, or the path of a file".to_owned()),
        }
    }
}

/// Where records come from.
pub(super) enum Records<'a> {
    /// The tests of the zaps, and the fixtures beside them.
    OfProject { new: &'a Loading, old: Option<&'a Loading>, fixtures: Vec<(String, Vec<u8>)> },
    /// What ran.
    Stored { reader: SqliteReader, state: PathBuf, most: usize },
    /// A file. `whole`: there is one zap, so it is meant, whatever may arrive for it.
    File { name: String, records: Vec<Vec<u8>>, whole: bool },
}

impl<'a> Records<'a> {
    /// Those of a project: the fixtures that lie under `zaps/` are read once.
    pub(super) fn of_project(
        root: &std::path::Path,
        new: &'a Loading,
        old: Option<&'a Loading>,
    ) -> Records<'a> {
        let within = Within::new(root);
        let paths = crate::project::fixtures(root);
        let mut fixtures = Vec::new();
        for path in paths {
            let Ok(bytes) = within.read(&path) else { continue };
            // What cannot be read is a finding of the test that names it.
            let mut sources = zaprun_core::source::SourceMap::default();
            let read = zaprun_core::rehearsal::read_records(&mut sources, &path, &bytes).unwrap_or_default();
            let many = read.len() > 1;
            fixtures.extend(read.into_iter().enumerate().map(|(at, record)| {
                let name = if many { format!("{path}#{}", at + 1) } else { path.clone() };
                (name, record)
            }));
        }
        Records::OfProject { new, old, fixtures }
    }

    /// That there is none for a zap, and where one would come from: silence would read as "nothing changes".
    pub(super) fn none_of(&self) -> String {
        match self {
            Records::OfProject { .. } => {
                "no record was tried: neither its tests nor fixtures beside it have one; \
                                          `--records` gives some"
                    .to_owned()
            }
            Records::File { name, .. } => {
                format!("no record was tried: those of {name} are not for its trigger")
            }
            Records::Stored { .. } => "no record was tried: none that ran is for its trigger".to_owned(),
        }
    }

    /// Those for one zap.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub(super) fn of(
        &self,
        context: &Context,
        pair: &Pair<'a>,
        all: &[Pair<'a>],
    ) -> Result<Vec<Given<'a>>, CommandError> {
        match self {
            Records::OfProject { new, old, fixtures } => Ok(of_project(pair, new, *old, fixtures)),
            Records::File { name, records, whole } => Ok(of_file(pair, name, records, *whole)),
            Records::Stored { reader, state, most } => context.block_on(async {
                of_state(pair, all, reader, *most).await.map_err(|error| state_error(&error, state))
            }),
        }
    }
}

fn zaps<'a>(pair: &Pair<'a>) -> impl Iterator<Item = &'a Zap> + use<'a> {
    [pair.new, pair.old].into_iter().flatten().filter_map(|side| side.zap)
}

fn of_project<'a>(
    pair: &Pair<'a>,
    new: &'a Loading,
    old: Option<&'a Loading>,
    fixtures: &[(String, Vec<u8>)],
) -> Vec<Given<'a>> {
    let (loading, side) = match (pair.new, pair.old, old) {
        (Some(side), ..) => (new, side),
        (None, Some(side), Some(old)) => (old, side),
        _ => return Vec::new(),
    };
    let cases = loading.cases.iter().filter(|case| case.zap == side.name);
    let of_case = |case: &'a Case| {
        let occasions: Vec<Occasion> = case.occasions().collect();
        let many = occasions.len() > 1;
        occasions.into_iter().enumerate().map(move |(at, occasion)| {
            let number = if many { format!(", record {}", at + 1) } else { String::new() };
            let from = format!("test \"{}\"{number}", case.name);
            Given { from, occasion, case: Some((case, at)), known: true }
        })
    };
    let mut given: Vec<Given<'a>> = cases.flat_map(of_case).collect();
    let value = |record: &[u8]| std::str::from_utf8(record).ok().and_then(|text| Value::from_json(text).ok());
    let tried: Vec<Option<Value>> =
        given.iter().map(|given| given.occasion.record.as_deref().and_then(value)).collect();
    let folder =
        side.path().and_then(|path| path.rsplit_once('/')).map(|(folder, _)| format!("{folder}/fixtures/"));
    let beside = |path: &str| folder.as_deref().is_some_and(|folder| path.starts_with(folder));
    for (path, record) in fixtures.iter().filter(|(path, _)| beside(path)) {
        let occasion = Occasion { record: Some(record.clone()), ..Occasion::default() };
        // Only a trigger with a schema tells whose record it is; of what may be anything, the tests say it.
        let taken = zaps(pair).any(|zap| zap.trigger.schema().is_some() && occasion.event(zap).is_ok());
        if taken && !tried.contains(&value(record)) {
            given.push(Given { from: path.clone(), occasion, case: None, known: true });
        }
    }
    given
}

fn of_file<'a>(pair: &Pair<'a>, name: &str, records: &[Vec<u8>], whole: bool) -> Vec<Given<'a>> {
    let fits = |zap: &Zap| match &zap.trigger {
        Trigger::Crm(_) => true,
        Trigger::Webhook(_) | Trigger::Http(_) => whole,
        Trigger::Schedule(_) => false,
    };
    if !zaps(pair).any(fits) {
        return Vec::new();
    }
    let given = |(at, record): (usize, &Vec<u8>)| Given {
        from: format!("{name}#{}", at + 1),
        occasion: Occasion { record: Some(record.clone()), ..Occasion::default() },
        case: None,
        known: false,
    };
    records.iter().enumerate().map(given).collect()
}

/// The newest that ran for the zap; where it reads the CRM, for any zap that reads the same rows there.
async fn of_state<'a>(
    pair: &Pair<'a>,
    all: &[Pair<'a>],
    reader: &SqliteReader,
    most: usize,
) -> Result<Vec<Given<'a>>, zaprun_engine::ports::StoreError> {
    let rows =
        |zap: &Zap| zap.trigger.crm().map(|trigger| (trigger.connection.clone(), trigger.schema().name));
    let read: Vec<_> = zaps(pair).filter_map(rows).collect();
    let alike = |other: &&Pair<'a>| {
        other.name() == pair.name()
            || zaps(other).any(|zap| rows(zap).is_some_and(|rows| read.contains(&rows)))
    };
    let names: HashSet<&str> = all
        .iter()
        .filter(alike)
        .flat_map(|pair| [pair.new, pair.old].into_iter().flatten().map(|side| side.name))
        .collect();
    let mut runs = Vec::new();
    for name in names {
        let filter = RunFilter { zap: Some(name.to_owned()), limit: most, ..RunFilter::default() };
        runs.extend(reader.runs(filter).await?);
    }
    runs.sort_by_key(|run| std::cmp::Reverse(run.id));
    // One event may have made a run of several zaps.
    let mut seen = HashSet::new();
    runs.retain(|run| seen.insert(run.event.clone()));
    let mut given = Vec::new();
    for run in runs.into_iter().take(most) {
        // It may be gone since.
        let Some(detail) = reader.run(run.id).await? else { continue };
        let mut occasion = stored(&detail);
        // What another kind of event made of it is not what this one would.
        if zaps(pair).all(|zap| zap.trigger.kind() != run.event.kind) {
            occasion = Occasion { record: occasion.record, ..Occasion::default() };
        }
        given.push(Given { from: format!("run {}", run.id), occasion, case: None, known: false });
    }
    Ok(given)
}
