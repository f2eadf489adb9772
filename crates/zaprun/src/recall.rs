//! Zaps as they were when a run was made: what is kept of them in the state, and how they are made of it again.
//!
//! Kept are the zap's file and the tables it may look up, which hold no secret. Connections, `vars` and the files that a
//! zap names are those of the project now; the hash of the zap's content tells whether it came out the same.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use zaprun_core::load::{File, Input, Overlay};
use zaprun_core::zap::Zap;
use zaprun_engine::delivery::{Mask, Recall};

use crate::loading::{self, Loading};
use crate::project::{Origin, Within};

/// What is larger is not kept: a zap with huge tables can be replayed as it is now only.
const MOST_BYTES: usize = 1 << 20;

/// What is kept of a zap.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    /// Where its file was.
    path: String,
    zap: String,
    /// Text by path.
    tables: BTreeMap<String, String>,
}

/// The project around recorded zaps.
pub(crate) struct Recaller {
    root: PathBuf,
    project: File,
    overlays: Vec<Overlay>,
    env: Option<String>,
    tables: BTreeMap<String, String>,
}

impl Recaller {
    /// The project as it lies in `root` now.
    pub(crate) fn of(root: &Path, env: Option<&str>) -> Recaller {
        let files = Within::new(root).files();
        let text = |file: File| Some((file.path, String::from_utf8(file.content.ok()?).ok()?));
        Recaller {
            root: root.to_owned(),
            project: files.project,
            overlays: files.overlays,
            env: env.map(str::to_owned),
            tables: files.tables.into_iter().filter_map(text).collect(),
        }
    }

    /// What is to be kept of each zap, by its name, without secrets. `written`: name, path and text of each.
    pub(crate) fn sources(
        &self,
        written: &[(String, String, String)],
        mask: &dyn Mask,
    ) -> HashMap<String, Bytes> {
        let source = |(name, path, text): &(String, String, String)| {
            let tables = if text.contains("lookup") { self.tables.clone() } else { BTreeMap::new() };
            // Texts always serialise.
            let body = serde_json::to_vec(&Source { path: path.clone(), zap: text.clone(), tables }).ok()?;
            (body.len() <= MOST_BYTES).then(|| (name.clone(), Bytes::from(mask.mask(&body).into_owned())))
        };
        written.iter().filter_map(source).collect()
    }

    /// The project with the one zap that is recorded so.
    ///
    /// # Errors
    /// When what is kept cannot be read.
    pub(crate) fn load(&self, source: &[u8]) -> Result<Loading, String> {
        let Source { path, zap, tables } = serde_json::from_slice(source)
            .map_err(|_| "what is kept of the mapping cannot be read".to_owned())?;
        let file = |(path, text): (String, String)| File { path, content: Ok(text.into_bytes()) };
        let input = Input {
            project: self.project.clone(),
            overlays: self.overlays.clone(),
            zaps: vec![file((path, zap))],
            tables: tables.into_iter().map(file).collect(),
            env: self.env.clone(),
        };
        Ok(loading::load_recorded(&input, &self.root))
    }

    /// The same, where the zap has that content.
    ///
    /// # Errors
    /// When it has another one now.
    pub(crate) fn load_same(&self, content: &str, source: &[u8]) -> Result<Loading, String> {
        let loading = self.load(source)?;
        match loading.zaps.first() {
            Some(zap) if zap.content == content => Ok(loading),
            _ => Err("the mapping that the run was made with cannot be had again: zaprun.yaml has other `vars` or \
                      accounts now"
                .to_owned()),
        }
    }
}

impl Recall for Recaller {
    fn zap(&self, content: &str, source: &[u8]) -> Result<Zap, String> {
        let mut zaps = self.load_same(content, source)?.zaps;
        // There is one.
        zaps.pop().ok_or_else(|| "what is kept of the mapping cannot be read".to_owned())
    }
}
