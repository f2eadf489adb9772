//! One record through a zap: what each step would send, what it is answered, and how the run would end.

use super::answer::Answer;
use crate::mapping::{MapError, Source};
use crate::request::Request;
use crate::value::Value;
use crate::zap::{Action, Pass, Plan, Scope, StepFacts, Zap};

/// What a rehearsal is told of the world.
pub trait Stage {
    /// The answer to a step, or to an element of it; nothing when nobody knows.
    fn answer(&self, step: &str, element: Option<Element<'_>>) -> Option<&Answer>;

    /// How a step, or one element of it, ended before: it is not done again.
    fn ended(&self, step: &str, element: Option<&str>) -> Option<Ended> {
        let _ = (step, element);
        None
    }

    /// Whether it is to be told what made each part of a request.
    fn traces(&self) -> bool {
        false
    }

    /// The record as it is when `unless` reads it again; nothing when it is as it was.
    fn fresh(&self) -> Option<&Value> {
        None
    }
}

/// An element of a step under `each`.
#[derive(Debug, Clone, Copy)]
pub struct Element<'a> {
    /// Its place among those that are done.
    pub at: usize,
    /// Its key.
    pub key: &'a str,
}

/// How a step ended before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Done or skipped.
    Well,
    /// Given up.
    Failed,
}

/// One record, taken through a zap.
#[derive(Debug)]
pub struct Rehearsal {
    /// The steps that were come to, in order: those of `actions`, then those of `on_failure`.
    pub steps: Vec<Step>,
    /// How the run ends.
    pub end: End,
}

/// How a run ends.
#[derive(Debug)]
pub enum End {
    /// Every step is done or skipped.
    Delivered,
    /// The filter says no.
    Filtered {
        /// The filter, as its author wrote it.
        why: String,
    },
    /// It is given up.
    Dead(Failure),
}

/// Why a run is given up.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The step; none when it did not come to one.
    pub step: Option<String>,
    /// Plain words.
    pub reason: String,
    /// The error of the zap's own, where it was one.
    pub error: Option<MapError>,
}

/// What became of a step.
#[derive(Debug)]
pub struct Step {
    /// Its id.
    pub id: String,
    /// Whether it is one of `on_failure`.
    pub on_failure: bool,
    /// What became of it.
    pub did: Did,
    /// The steps that would have to be answered for this one to be known, itself where its `stop_if` asks.
    pub needs: Vec<String>,
}

/// What became of a step.
#[derive(Debug)]
pub enum Did {
    /// Nothing to send.
    Skipped {
        /// Why.
        why: String,
    },
    /// Requests: one, or one per element.
    Sent(Vec<Sent>),
    /// Its requests cannot be made, and it is given up.
    Broken(MapError),
    /// Its requests cannot be made as long as other steps have no answer; taken as done.
    Unknown(MapError),
}

/// A request, and what it was answered.
#[derive(Debug)]
pub struct Sent {
    /// The element's key.
    pub element: Option<String>,
    /// The request.
    pub request: Request,
    /// Why it is given up, where it is.
    pub refused: Option<String>,
    /// What of the zap made which part of it, where [`Stage::traces`].
    pub sources: Vec<Source>,
}

/// Takes a record through the filter and the steps.
pub fn rehearse(zap: &Zap, scope: &mut Scope, stage: &dyn Stage) -> Rehearsal {
    match zap.passes(scope) {
        Ok(Pass::Yes) => rehearse_steps(zap, scope, stage),
        Ok(Pass::No { why }) => Rehearsal { steps: Vec::new(), end: End::Filtered { why } },
        Err(error) => Rehearser::new(zap, scope, stage).die(Failure::of(None, error)),
    }
}

/// Takes a record that the filter lets pass through the steps.
pub fn rehearse_steps(zap: &Zap, scope: &mut Scope, stage: &dyn Stage) -> Rehearsal {
    let bound = zap.bind(scope);
    let mut rehearser = Rehearser::new(zap, scope, stage);
    let next = match bound {
        Ok(()) => rehearser.actions(),
        Err(error) => Next::Die(Failure::of(None, error)),
    };
    match next {
        Next::Die(failure) => rehearser.die(failure),
        Next::Go | Next::Stop => match rehearser.failure.take() {
            Some(failure) => rehearser.die(failure),
            None => Rehearsal { steps: rehearser.steps, end: End::Delivered },
        },
    }
}

/// Takes a run that is given up through the steps of `on_failure` that are left.
pub fn rehearse_failure(zap: &Zap, scope: &mut Scope, stage: &dyn Stage, failure: Failure) -> Rehearsal {
    let bound = zap.bind(scope);
    let rehearser = Rehearser::new(zap, scope, stage);
    match bound {
        Ok(()) => rehearser.die(failure),
        Err(error) => Rehearsal { steps: Vec::new(), end: End::Dead(Failure::of(None, error)) },
    }
}

/// What a step says of the rest of the run.
enum Next {
    Go,
    Stop,
    Die(Failure),
}

struct Rehearser<'a> {
    zap: &'a Zap,
    scope: &'a mut Scope,
    stage: &'a dyn Stage,
    steps: Vec<Step>,
    /// Steps of whose answers nothing is known, each with those that would have to be answered for it to be: itself, or
    /// those on which its own request hangs.
    unanswered: Vec<(String, Vec<String>)>,
    /// Why the run will end dead, although later steps still run.
    failure: Option<Failure>,
    on_failure: bool,
}

impl Failure {
    pub(super) fn of(step: Option<&str>, error: MapError) -> Failure {
        Failure { step: step.map(str::to_owned), reason: error.to_string(), error: Some(error) }
    }

    pub(super) fn at(step: &str, reason: impl Into<String>) -> Failure {
        Failure { step: Some(step.to_owned()), reason: reason.into(), error: None }
    }
}

impl<'a> Rehearser<'a> {
    fn new(zap: &'a Zap, scope: &'a mut Scope, stage: &'a dyn Stage) -> Self {
        Rehearser {
            zap,
            scope,
            stage,
            steps: Vec::new(),
            unanswered: Vec::new(),
            failure: None,
            on_failure: false,
        }
    }

    fn actions(&mut self) -> Next {
        let zap = self.zap;
        for (at, action) in zap.actions.iter().enumerate() {
            match self.step(action) {
                Next::Go => {}
                Next::Stop => {
                    let why = format!("the run ends at `{}`", action.id);
                    for later in zap.actions.iter().skip(at + 1) {
                        self.note(later, Did::Skipped { why: why.clone() }, Vec::new());
                    }
                    return Next::Stop;
                }
                Next::Die(failure) => return Next::Die(failure),
            }
        }
        Next::Go
    }

    /// The steps of `on_failure`, and the end.
    fn die(mut self, failure: Failure) -> Rehearsal {
        self.on_failure = true;
        self.scope.set_failure(failure.step.as_deref(), &failure.reason);
        let zap = self.zap;
        for action in &zap.on_failure {
            // One that fails stops no other and starts nothing anew.
            if matches!(self.step(action), Next::Stop) {
                break;
            }
        }
        Rehearsal { steps: self.steps, end: End::Dead(failure) }
    }

    fn step(&mut self, action: &Action) -> Next {
        match self.stage.ended(&action.id, None) {
            Some(Ended::Failed) if !action.continue_on_error => return self.failed_before(action),
            Some(_) => return Next::Go,
            None => {}
        }
        let needs = self.missing(&action.reads_of().all);
        match action.unless(self.scope, self.stage.fresh()) {
            Ok(false) => {}
            Ok(true) => {
                self.note(action, Did::Skipped { why: "`unless` holds".to_owned() }, Vec::new());
                return Next::Stop;
            }
            Err(error) => return self.broken(action, error, needs),
        }
        let planned = match self.stage.traces() {
            true => action.plan_traced(self.scope),
            false => action.plan(self.scope).map(|plan| (plan, Vec::new())),
        };
        let (plan, sources) = match planned {
            Ok(planned) => planned,
            Err(error) => return self.broken(action, error, needs),
        };
        match plan {
            Plan::Skip { why } => {
                let needs = self.missing(&action.reads_of().gate);
                self.show(action, None, "skipped", None);
                self.note(action, Did::Skipped { why }, needs);
                Next::Go
            }
            Plan::One(request) => self.send(action, vec![(None, *request)], sources, needs),
            Plan::Each(elements) => {
                let elements = elements.into_iter().map(|(key, request)| (Some(key), request));
                self.send(action, elements.collect(), sources, needs)
            }
        }
    }

    fn send(
        &mut self,
        action: &Action,
        requests: Vec<(Option<String>, Request)>,
        sources: Vec<Vec<Source>>,
        mut needs: Vec<String>,
    ) -> Next {
        let mut sent = Vec::new();
        let mut next = Next::Go;
        let mut silent = false;
        // Without a trace there are none.
        let mut sources = sources.into_iter();
        for (at, (element, request)) in requests.into_iter().enumerate() {
            let sources = sources.next().unwrap_or_default();
            let key = element.as_deref();
            match key.and_then(|key| self.stage.ended(&action.id, Some(key))) {
                Some(Ended::Failed) if !action.continue_on_error => {
                    next = self.failed_before(action);
                    break;
                }
                Some(_) => continue,
                None => {}
            }
            let answer = self.stage.answer(&action.id, key.map(|key| Element { at, key }));
            let Some(answer) = answer else {
                silent = true;
                self.show(action, key, "done", None);
                sent.push(Sent { element, request, refused: None, sources });
                continue;
            };
            let taken = answer.take(action, self.scope, key, &request);
            let refused = taken.as_ref().err().map(|failure| failure.reason.clone());
            next = self.conclude(action, key, taken);
            sent.push(Sent { element, request, refused, sources });
            if !matches!(next, Next::Go) {
                break;
            }
        }
        if silent {
            self.unanswered.push((action.id.clone(), vec![action.id.clone()]));
            needs.extend(action.has_stop_if().then(|| action.id.clone()));
        }
        self.note(action, Did::Sent(sent), needs);
        next
    }

    /// Goes on after an answer, or not.
    fn conclude(&mut self, action: &Action, key: Option<&str>, taken: Result<Vec<u8>, Box<Failure>>) -> Next {
        match taken {
            Ok(response) => {
                self.show(action, key, "done", Some(&response));
                match action.stops(self.scope, key, Some(&response)) {
                    Ok(false) => Next::Go,
                    Ok(true) => Next::Stop,
                    // The step is done; what follows cannot be told.
                    Err(error) => Next::Die(Failure::of(Some(&action.id), error)),
                }
            }
            Err(failure) => self.given_up(action, key, *failure),
        }
    }

    fn broken(&mut self, action: &Action, error: MapError, needs: Vec<String>) -> Next {
        if needs.is_empty() {
            self.note(action, Did::Broken(error.clone()), needs);
            return self.given_up(action, None, Failure::of(Some(&action.id), error));
        }
        self.show(action, None, "done", None);
        self.unanswered.push((action.id.clone(), needs.clone()));
        self.note(action, Did::Unknown(error), needs);
        Next::Go
    }

    fn given_up(&mut self, action: &Action, key: Option<&str>, failure: Failure) -> Next {
        self.show(action, key, "failed", None);
        if self.on_failure || !action.continue_on_error {
            return Next::Die(failure);
        }
        self.failure.get_or_insert(failure);
        Next::Go
    }

    fn failed_before(&self, action: &Action) -> Next {
        Next::Die(Failure::at(&action.id, format!("step `{}` failed", action.id)))
    }

    /// The answers that are missing for those of these steps to be known.
    fn missing(&self, steps: &[String]) -> Vec<String> {
        let mut missing: Vec<String> = Vec::new();
        for (_, needs) in self.unanswered.iter().filter(|(id, _)| steps.contains(id)) {
            let new: Vec<String> = needs.iter().filter(|need| !missing.contains(need)).cloned().collect();
            missing.extend(new);
        }
        missing
    }

    fn show(&mut self, action: &Action, element: Option<&str>, outcome: &str, response: Option<&[u8]>) {
        self.scope.set_step(&action.id, StepFacts { outcome, response, element });
    }

    fn note(&mut self, action: &Action, did: Did, needs: Vec<String>) {
        self.steps.push(Step { id: action.id.clone(), on_failure: self.on_failure, did, needs });
    }
}
