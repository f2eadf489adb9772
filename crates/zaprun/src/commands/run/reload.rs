//! Running what the project is now instead of what it was.
//!
//! Everything that may be wrong is found out before anything changes: the project is loaded and compiled, its secrets
//! are read, its connections prepared, its address listened at. What cannot run leaves what runs alone.

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use zaprun_core::definition::Project;
use zaprun_core::diagnostic::Severity;
use zaprun_core::zap::{Alerts, Zap};
use zaprun_engine::intake::routes;
use zaprun_engine::ports::{Clock, History, RunState};
use zaprun_engine::report::{Event, Observer, Reload};
use zaprun_engine::{Reloads, Set, connections};
use zaprun_store::SqliteStore;

use super::admin::Watchers;
use super::changes::{Changes, Places};
use super::signals::Hangups;
use super::webhooks::Doors;
use super::{Chosen, choose, git, history, openable};
use crate::error::CommandError;
use crate::loading::{Inputs, Loading, alerts, load_noting, written};
use crate::output::{Printer, count};
use crate::recall::Recaller;
use crate::render::{Findings, Format};
use crate::watch::{LogFormat, Watch};
use crate::wiring::{self, Rewired, Wired};

/// Where the project is and how it is read; does not change while the program runs.
#[derive(Clone)]
pub(super) struct Origin {
    pub(super) root: PathBuf,
    pub(super) env: Option<String>,
    pub(super) only: Vec<String>,
    pub(super) clock: Arc<dyn Clock>,
}

/// What runs.
pub(super) struct Present {
    /// Those that run, switched off ones left out.
    pub(super) zaps: Vec<Arc<Zap>>,
    pub(super) inputs: Inputs,
    pub(super) wired: Arc<Wired>,
    /// The file of the state, where it really is.
    pub(super) state: PathBuf,
}

/// Reloads.
pub(super) struct Reloader {
    pub(super) origin: Origin,
    pub(super) present: Present,
    pub(super) reloads: Reloads,
    pub(super) store: Arc<SqliteStore>,
    pub(super) watch: Watch,
    pub(super) printer: Printer,
    pub(super) format: Option<LogFormat>,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) watchers: Watchers,
    /// Whether requests are sent, so that tokens are asked for.
    pub(super) sends: bool,
    /// The hash of what was last refused.
    pub(super) refused: Option<String>,
}

/// Why the project is loaded again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// Somebody asked.
    Asked,
    /// Something may have changed.
    Changed,
}

/// What the project has become.
enum Looked {
    /// What it is already.
    Same,
    Other(Box<Next>),
    Refused(Refused),
}

/// What could run instead.
struct Next {
    project: Project,
    alerts: Option<Alerts>,
    zaps: Vec<Arc<Zap>>,
    /// Those that are switched off.
    off: Vec<Arc<Zap>>,
    inputs: Inputs,
    rewired: Rewired,
    git: Option<String>,
    /// What each zap can be compiled from again.
    sources: HashMap<String, Bytes>,
    recaller: Recaller,
    /// Findings that stand in nobody's way.
    findings: String,
    warnings: Vec<String>,
}

/// What cannot run.
struct Refused {
    inputs: Inputs,
    error: CommandError,
    /// What is wrong with it, ready to be shown.
    findings: String,
}

/// The file of a state, where it really is: a link on the way may be turned.
pub(super) fn real(state: &Path) -> PathBuf {
    state.canonicalize().unwrap_or_else(|_| state.to_owned())
}

impl Reloader {
    /// Reloads when asked to and, where the project is watched, when it changes.
    pub(super) async fn run(
        &mut self,
        doors: &mut Doors,
        mut hangups: Hangups,
        watching: bool,
    ) -> Infallible {
        let mut changes = watching.then(|| Changes::of(self.places()));
        loop {
            let changed = async {
                match &mut changes {
                    Some(changes) => changes.next().await,
                    None => std::future::pending().await,
                }
            };
            let cause = tokio::select! {
                () = hangups.next() => Cause::Asked,
                () = changed => Cause::Changed,
            };
            if let Some(why) = changes.as_mut().and_then(Changes::trouble) {
                self.watch.say(&format!(
                    "changes of files are not reported: {why}; they are looked for every few seconds instead"
                ));
            }
            let files = self.reload(doors, cause).await;
            if let Some(changes) = &mut changes {
                changes.follow(files);
            }
        }
    }

    fn places(&self) -> Places {
        let Present { inputs, state, .. } = &self.present;
        Places { root: self.origin.root.clone(), files: inputs.files.clone(), state: state.clone() }
    }

    /// Loads the project again and, where it can run and is another one, runs it. Says the files that matter beside it.
    async fn reload(&mut self, doors: &mut Doors, cause: Cause) -> BTreeSet<PathBuf> {
        let (origin, format, printer) = (self.origin.clone(), self.format, self.printer);
        let before =
            (self.present.inputs.clone(), Arc::clone(&self.present.wired), self.present.state.clone());
        let looked = tokio::task::spawn_blocking(move || look(&origin, &before, format, &printer)).await;
        match looked {
            Ok(Looked::Same) => {
                // A project that could not run and is as it was again has changed for whoever mends it.
                let mended = self.refused.take().is_some();
                if mended || cause == Cause::Asked {
                    self.observer.see(Event::ReloadedNothing);
                }
                self.present.inputs.files.clone()
            }
            Ok(Looked::Refused(refused)) => {
                let print = Some(refused.inputs.print.clone());
                let told = cause == Cause::Changed && self.refused == print;
                self.refused = print;
                if !told {
                    self.show(&refused.findings);
                    self.refuse(&refused.error);
                }
                // What runs now may be mended too.
                let files = refused.inputs.files.into_iter();
                files.chain(self.present.inputs.files.iter().cloned()).collect()
            }
            Ok(Looked::Other(next)) => {
                let files: BTreeSet<PathBuf> = next.inputs.files.clone();
                let print = next.inputs.print.clone();
                match self.take(doors, *next).await {
                    Ok(reload) => {
                        self.refused = None;
                        self.observer.see(Event::Reloaded(reload));
                    }
                    Err(error) => {
                        self.refused = Some(print);
                        self.refuse(&error);
                    }
                }
                files
            }
            Err(_) => {
                self.refuse(&CommandError::failure("the project could not be loaded: a fault of zaprun's"));
                self.present.inputs.files.clone()
            }
        }
    }

    fn show(&self, findings: &str) {
        if !findings.is_empty() {
            self.watch.aside(|| self.printer.report(findings));
        }
    }

    fn refuse(&self, error: &CommandError) {
        let hint = error.hints().first().cloned();
        self.observer.see(Event::ReloadRefused { reason: error.to_string(), hint });
    }

    /// Runs it.
    async fn take(&mut self, doors: &mut Doors, next: Next) -> Result<Reload, CommandError> {
        let Next { project, alerts, zaps, off, inputs, rewired, .. } = next;
        let Next { git, sources, recaller, findings, mut warnings, .. } = next;
        let Rewired { wired, changed } = rewired;
        if self.sends {
            openable(&wired).await?;
        }
        if self.watchers.differ(&project) {
            warnings.push("`listen.admin` has changed, which needs a restart".to_owned());
        }
        let prepared = doors.prepare(&project, routes(&zaps)).await?;
        // Before anything of it is used.
        self.present.wired.masker.learn(&wired.masker);
        let wired = Arc::new(wired.hiding_by(&self.present.wired.masker));
        let zaps = self.known(zaps, &inputs, &changed);
        let set = Set {
            zaps: [zaps.clone(), off].concat(),
            crms: wired.readers(),
            writers: wired.writers(),
            sender: Arc::clone(&wired.sender) as _,
            git,
            sources,
            recall: Arc::new(recaller),
            history: history(&project),
            changed: changed.clone(),
        };
        let taken = self.reloads.reload(set).await;
        taken.map_err(|error| CommandError::failure(error.to_string()))?;
        self.watchers.change(alerts, &zaps, &wired, &changed);
        let exchanged = prepared.map_or(Ok(()), |prepared| doors.exchange(prepared));
        let mut reload = difference(&self.present.zaps, &zaps, changed);
        self.present = Present { zaps, inputs, wired, state: self.present.state.clone() };
        exchanged?;
        reload.waiting = self.waiting(&reload.removed).await;
        if !self.printer.is_quiet() {
            self.show(&findings);
            warnings.iter().for_each(|warning| self.watch.say(warning));
        }
        Ok(reload)
    }

    /// The zaps, where one is the same as before the very same.
    fn known(&self, zaps: Vec<Arc<Zap>>, inputs: &Inputs, changed: &BTreeSet<String>) -> Vec<Arc<Zap>> {
        let same_documents = inputs.documents == self.present.inputs.documents;
        let known = |zap: Arc<Zap>| {
            let before = self.present.zaps.iter().find(|before| {
                before.name == zap.name
                    && before.content == zap.content
                    && same_documents
                    && !connections(&zap).iter().any(|name| changed.contains(name))
            });
            before.map_or(zap, Arc::clone)
        };
        zaps.into_iter().map(known).collect()
    }

    /// The pending runs of these zaps.
    async fn waiting(&self, zaps: &[String]) -> Vec<(String, u64)> {
        // It is only told; a state that cannot be read now is told of elsewhere.
        let Ok(counts) = History::counts(&*self.store).await else { return Vec::new() };
        let pending = counts
            .runs
            .into_iter()
            .filter(|(zap, state, number)| *state == RunState::Pending && *number > 0 && zaps.contains(zap));
        pending.map(|(zap, _, number)| (zap, number)).collect()
    }
}

/// Loads the project and prepares all it needs.
fn look(
    origin: &Origin,
    before: &(Inputs, Arc<Wired>, PathBuf),
    format: Option<LogFormat>,
    printer: &Printer,
) -> Looked {
    let (present, wired, state) = before;
    let Loading { sources, findings, project, zaps, files: zap_files, inputs, .. } =
        load_noting(&origin.root, origin.env.as_deref());
    let files = project.as_ref().map(|project| wiring::files(&project.definition, &origin.root));
    let inputs = inputs.and(&files.unwrap_or_default());
    // What was a secret, and what would be one.
    let masker = match &project {
        Some(project) => wired.masker.with(&wiring::masker(&project.definition)),
        None => wired.masker.with(&Default::default()),
    };
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let shown = Findings { sources: &sources, diagnostics: &findings, prefix: "" };
    let shown = match format {
        Some(LogFormat::Json) => shown.log_lines(origin.clock.now()),
        _ => shown.render(Format::Text, printer),
    };
    let shown = masker.text(&shown).into_owned();
    let refused = |inputs, error: CommandError, findings| {
        let mut masked = CommandError::failure(masker.text(&error.to_string()));
        for hint in error.hints() {
            masked = masked.hint(masker.text(hint));
        }
        Looked::Refused(Refused { inputs, error: masked, findings })
    };
    let (project, alerts) = match project {
        Some(project) if errors == 0 => {
            let alerts = alerts(&project).0;
            (project.definition, alerts)
        }
        _ => {
            let error =
                CommandError::failure(format!("the project has {}", count(errors as u64, "error", "errors")));
            return refused(inputs, error, shown);
        }
    };
    if inputs.print == present.print {
        return Looked::Same;
    }
    let elsewhere = wiring::state_path(&project, &origin.root);
    if real(&elsewhere) != *state {
        let error = CommandError::failure(format!(
            "the state would be {} instead of {}, which needs a restart",
            elsewhere.display(),
            state.display()
        ));
        return refused(
            inputs,
            error.hint("leave `state` as it was, or stop zaprun and start it again"),
            shown,
        );
    }
    let Chosen { zaps, off, warnings } = match choose(zaps, &origin.only) {
        Ok(chosen) => chosen,
        Err(error) => return refused(inputs, error, shown),
    };
    let rewired = match wiring::rewire(&project, &origin.root, &origin.clock, wired) {
        Ok(rewired) => rewired,
        Err(error) => return refused(inputs, error, shown),
    };
    let git = git::revision(&origin.root);
    let recaller = Recaller::of(&origin.root, origin.env.as_deref());
    let sources = recaller.sources(&written(&sources, &zap_files), &masker);
    let findings = shown;
    Looked::Other(Box::new(Next {
        project,
        alerts,
        zaps,
        off,
        inputs,
        rewired,
        git,
        sources,
        recaller,
        findings,
        warnings,
    }))
}

/// How two sets differ.
fn difference(before: &[Arc<Zap>], now: &[Arc<Zap>], changed: BTreeSet<String>) -> Reload {
    let mut reload = Reload { connections: changed.into_iter().collect(), ..Reload::default() };
    let mut followed = BTreeSet::new();
    for zap in now {
        let same = before.iter().any(|before| Arc::ptr_eq(before, zap));
        let known = |name: &String| before.iter().any(|before| before.name == *name);
        let renamed = zap.formerly.as_ref().filter(|name| !known(&zap.name) && known(name));
        followed.extend(renamed.cloned());
        if same {
            reload.unchanged += 1;
        } else if renamed.is_some() || known(&zap.name) {
            reload.changed.push(zap.name.clone());
        } else {
            reload.added.push(zap.name.clone());
        }
    }
    let gone = |zap: &&Arc<Zap>| !now.iter().any(|now| now.name == zap.name) && !followed.contains(&zap.name);
    reload.removed = before.iter().filter(gone).map(|zap| zap.name.clone()).collect();
    reload
}
