//! What has run, as far as it can be had. The state keeps of a zap's text a hash and the commit it was at, and git the
//! text; where the text at that commit has the hash, it is what ran.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use zaprun_store::Deployed;

use super::zaps::{self, Side};
use crate::context::Context;
use crate::error::CommandError;
use crate::loading::{self, Loading};
use crate::project::{Repository, Within};

/// Every zap that has run.
pub(super) struct Ran {
    zaps: Vec<RanZap>,
    /// The projects of the commits, read without any variable, so that both sides are read alike.
    commits: BTreeMap<String, Loading>,
}

struct RanZap {
    deployed: Deployed,
    /// It is what the project has now, wherever git stands.
    same: bool,
    /// Why its text cannot be had.
    unknown: Option<String>,
}

/// The project of a commit, without variables, and the hashes of its zaps with them.
type Read = Result<(Loading, HashSet<String>), String>;

impl Ran {
    /// Looks for the texts of these zaps.
    pub(super) fn find(context: &Context, root: &Path, known: Vec<Deployed>, new: &Loading) -> Ran {
        // What ran saw the variables of where it ran, so its hash is found with them, or without.
        let with = loading::load_of(&Within::new(root), root, context.env.as_deref());
        let now: HashSet<String> = hashes(&with).chain(hashes(new)).collect();
        let mut commits: BTreeMap<String, Read> = BTreeMap::new();
        for commit in known.iter().filter_map(|zap| zap.git.as_ref()) {
            if !commits.contains_key(commit) {
                commits.insert(commit.clone(), read(context, root, commit));
            }
        }
        let zaps = known.into_iter().map(|deployed| RanZap {
            same: now.contains(&deployed.content),
            unknown: unknown(&deployed, &commits),
            deployed,
        });
        let zaps = zaps.collect();
        let commits = commits.into_iter().filter_map(|(id, read)| Some((id, read.ok()?.0))).collect();
        Ran { zaps, commits }
    }

    /// The zaps, by name.
    pub(super) fn sides(&self) -> Vec<Side<'_>> {
        self.zaps.iter().map(|ran| self.side(ran)).collect()
    }

    fn side<'a>(&'a self, ran: &'a RanZap) -> Side<'a> {
        let name = ran.deployed.name.as_str();
        let found = ran.deployed.git.as_ref().filter(|_| ran.unknown.is_none());
        let at = found.and_then(|commit| self.commits.get(commit));
        let written =
            at.and_then(|project| zaps::of_project(project).into_iter().find(|side| side.name == name));
        let side = written.unwrap_or_else(|| Side::bare(name));
        Side { state: Some(&ran.deployed), same: ran.same, unknown: ran.unknown.as_deref(), ..side }
    }

    /// What a reader should know.
    pub(super) fn note(&self) -> String {
        match self.zaps.iter().map(|ran| ran.deployed.since).max() {
            Some(newest) => format!("the state's newest content ran first at {newest:.0}"),
            None => "nothing has run here yet: every zap is new".to_owned(),
        }
    }
}

fn hashes(project: &Loading) -> impl Iterator<Item = String> {
    project.zaps.iter().map(|zap| zap.content.clone())
}

fn read(context: &Context, root: &Path, commit: &str) -> Read {
    let read = || -> Result<_, CommandError> {
        let repository = Repository::of(root)?;
        let revision = repository.revision(&repository.named(commit)?.commit)?;
        let env = context.env.as_deref();
        let project = loading::load_tests_of(&revision, env, false);
        let with = loading::load_of(&revision, root, env);
        let hashes = hashes(&with).chain(hashes(&project)).collect();
        Ok((project, hashes))
    };
    read().map_err(|error| error.to_string())
}

/// Why what ran cannot be shown; nothing when it can.
fn unknown(deployed: &Deployed, commits: &BTreeMap<String, Read>) -> Option<String> {
    let Some(commit) = &deployed.git else { return Some("it ran outside of git".to_owned()) };
    let short = commit.get(..10).unwrap_or(commit);
    match commits.get(commit)? {
        Ok((_, hashes)) => (!hashes.contains(&deployed.content)).then(|| {
            format!(
                "it is not what commit {short} has; it ran with changes that were not committed, or with other variables"
            )
        }),
        Err(why) => Some(format!("commit {short}: {why}")),
    }
}
