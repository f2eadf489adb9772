//! Examples of a zap, as its author writes them: a record, and what is to come of it. `zaprun test` checks them offline.
//!
//! They stand under `tests:` of the zap, or of a file `*.test.yaml` beside it, which says `zap: NAME`.
//!
//! ```yaml
//! tests:
//!   - name: a sale is booked, and its parcel is ordered      # needed; unique in the zap
//!     record: fixtures/sale.json         # the row as the CRM sends it, the item, or the body: a map, or a file beside
//!     expect:                            # by step; steps that are not named may be done or skipped, not fail
//!       book: { json: { order: "D6C8C390A7", total: 49.9 } }
//!       ship: done                       # done | skipped
//! ```
//!
//! **Records.** A path is relative to the file that names it and stays inside the project (`.json`, `.yaml`).
//! `{ $from: fixtures/sale.json, totalAmount: "5.00", $remove: [couponCode] }` is the file with the other keys laid over
//! it: maps merge, lists and scalars replace, null is null, `$remove` takes members out; both words work in any map of a
//! test, also in what is expected. `fresh:` is the record as it is when `unless` reads it again (by default as it was). A record that the trigger does not take (`where`, `cycles`, a status of another kind) fails the test.
//!
//! **Other triggers.** For `webhook`: `headers:` and `query:`; without `record` the query is the record. For `schedule`:
//! `at: "2026-09-16T08:00:00-04:00"`, one of the times of `cron`, instead of a record. `event: { at: …, key: … }` sets
//! what `event.at` and `event.key` are; by default they come from the record. `vars:` is laid over the project's `vars`:
//! those of zaprun.yaml and of the overlay that `--env` chooses.
//!
//! **Replies.** `replies: { STEP: … }` answers a step, for `steps.STEP.response`, `success` and `stop_if`:
//! `{ status: 200, headers: …, body: … }` to http, `{ result: SUCCESS, message: …, orderId: … }` to a write to the CRM
//! (any `result` but SUCCESS refuses it; ids in `message` are lifted as in a run), `{ rows: [ … ] }` to a
//! look-up, `{ refused: "text" }` to any: the step is given up with that reason. For a step with `each`, one reply serves
//! all elements, a list one each. A step without a reply counts as done; a step that reads its answer fails the test.
//!
//! **Expectations.** `expect: filtered` (the filter says no), `expect: ignored` (the trigger does not take the record, a
//! request with card data is refused, `cron` has no such time), or a map by step id, of `actions` and `on_failure`:
//! `done`, `skipped`, or a map of
//! - for http: `method`, `url` or `path` (as sent, escapes and all), `query`, `headers`, and `json`, `form` or `text`;
//! - for a write to the CRM: `map`, its parameters as they are sent, and `lead`, those of the lead that goes first;
//! - for `konnektive.query`: `find`, its parameters as they are sent, `from` and `to`, its days;
//! - for all: `skipped: true`; `error: "text"`, which the reason for giving the step up holds; `exact: true`;
//! - under `each`: `each: [ … ]`, an expectation for each element in order, or `each: { KEY: … }` for some of them; other
//!   keys then hold for every element.
//!
//! `$error: "text"` beside the steps: the run is given up before its first step, since `filter` or `let` fails so.
//!
//! Maps match in part: what is not named is not looked at; `exact: true` forbids other members. Lists match as a whole, a
//! member at a time. Numbers are equal by value whatever their scale (19.9 and 19.90), and are not text; in `query`,
//! `headers`, `form`, `map`, `lead` and `find`, where all is text, a number matches its digits by value, a list the
//! values of a repeated name, and null a name that is not there. A step that fails though no `error` says so, and a run
//! that ends by its filter though steps are expected, fail the test. `delay` does not wait, `once_per`, `settle` and
//! `retry` do not apply: a reply that a run would retry counts as given up.
//!
//! **Through the engine.** A test that says one of the following runs through the engine itself, with a ledger in memory
//! and a clock that jumps to whatever is due next; then `delay`, `once_per`, `settle`, `retry`, `on_uncertain`, breakers and
//! look-ups do as they do in production:
//!
//! ```yaml
//! - name: a busy target is asked again, and a repeated row does nothing
//!   records: [fixtures/sale.json, { record: fixtures/sale.json, at: "2026-09-16T12:00:00Z" }]
//!   replies:
//!     book: [{ status: 429, headers: { Retry-After: 60 } }, { fault: cut }, { status: 200 }]
//!   expect:                            # by record; or one map for `record:`; or { $totals: … }
//!     - { $outcome: delivered, $attempts: { book: 3 }, book: { json: { order: "D6C8C390A7" } } }
//!     - known                          # the ledger holds it already
//! ```
//!
//! - `records:` instead of `record:`: each as `record` is, or a map of `record`, `at` (when it arrives; by default a minute
//!   after the one before), `fresh`, `headers`, `query`, `event`, `replies` (laid over the test's), and `also`, the request
//!   by which a trigger with `also:` is told of the row. A map with other keys than these is a record.
//! - Replies that are lists for a step without `each`, or for an element: one for each attempt, the last for all further
//!   ones. `{ fault: WORD }` is no answer: [`FAULTS`]. `retry_after: 60s` beside one that asks to wait. For a write to the
//!   CRM of which nobody knows, `seen:` says what looks show: `not_happened` (the default), `happened` (other keys are the
//!   answer; `seen_after: 10m` says from when on), `refused`, `unclear`. The lead that goes first is always imported.
//! - `$outcome` beside the steps: `delivered`, `filtered`, `held`, `dead` or `pending` (what still waits days later).
//!   `$attempts: { STEP: 3 }` is how often a step was asked, its elements together, looks not counted.
//!   `$reason: "text"`: the run's reason holds it. Where `$outcome` says that a run does not end well, steps may fail.
//! - `$totals: { delivered: 1, known: 1, … }` for all of `records`: [`TOTALS`]; `$attempts` beside it adds up too.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::formats::Name;
use super::start::Moment;
use crate::yaml::{MapRef, NodeRef, Spanned};

/// Tests of a zap, in a file of their own.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TestFile {
    /// The zap's name.
    pub zap: Spanned<Name>,
    /// Its examples.
    #[schemars(with = "Vec<Test>")]
    pub tests: Vec<NodeRef>,
}

/// One example: a record, and what is to come of it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Test {
    /// What it shows, in a few words; no other test of the zap has the name.
    #[schemars(length(min = 1, max = 200))]
    pub name: Spanned<String>,
    /// The record as it arrives: a map, or the path of a JSON or YAML file beside this one. `$from: PATH` in a map lays
    /// its other keys over a file; `$remove: [KEY]` takes members out.
    #[serde(default)]
    #[schemars(schema_with = "record")]
    pub record: Option<NodeRef>,
    /// Records that arrive one after the other, through the engine: each as `record` is, or a map of `record`, `at`,
    /// `fresh`, `headers`, `query`, `event`, `also` and `replies`.
    #[serde(default)]
    #[schemars(schema_with = "records")]
    pub records: Option<NodeRef>,
    /// The record as it is when `unless` reads it again. Default: as it was.
    #[serde(default)]
    #[schemars(schema_with = "record")]
    pub fresh: Option<NodeRef>,
    /// For a webhook: the request's headers.
    pub headers: Option<MapRef>,
    /// For a webhook: the request's query.
    pub query: Option<MapRef>,
    /// For a schedule: the time at which it fires, for example 2026-09-16T08:00:00-04:00.
    pub at: Option<Spanned<Moment>>,
    /// What is known of the event beside its record.
    pub event: Option<Spanned<TestEvent>>,
    /// Laid over the project's `vars`.
    pub vars: Option<MapRef>,
    /// What steps are answered, by their ids: { status, headers, body }, { result, message, orderId }, { rows: [] },
    /// { refused: TEXT } or { fault: WORD }; under `each` one for all elements, or a list; else a list is by attempt.
    #[serde(default)]
    #[schemars(schema_with = "replies")]
    pub replies: Option<MapRef>,
    /// What comes of it: filtered, ignored, known, or by the steps' ids done, skipped or what is sent; of `records` a list.
    #[schemars(schema_with = "expected")]
    pub expect: NodeRef,
}

/// What is known of an event beside its record.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TestEvent {
    /// When it happened: `event.at`. Default: as the record says.
    pub at: Option<Spanned<Moment>>,
    /// Its natural id: `event.key`. Default: as the record says.
    #[schemars(length(min = 1))]
    pub key: Option<Spanned<String>>,
}

/// One of several records, where it is more than the record alone. The keys are read off its node: [`ARRIVAL_KEYS`].
pub const ARRIVAL_KEYS: [&str; 8] = ["record", "at", "fresh", "headers", "query", "event", "also", "replies"];

/// What may go wrong with a request, instead of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// Nothing reaches the target.
    RefusedConnection,
    /// It was sent, and no answer comes in time.
    TimeoutAfterSend,
    /// It was sent, and the line is cut before an answer.
    Cut,
    /// The answer's head arrives, and the line is cut in its body.
    CutAnswer,
    /// The target asks to come later; nothing was done.
    TooManyRequests,
    /// The target fails, and what it has done is not known.
    ServerError,
    /// The target does not know who calls.
    BadCredentials,
}

/// A fault, as a reply names it.
#[derive(Debug)]
pub struct FaultWord {
    /// The word.
    pub word: &'static str,
    /// What it is.
    pub kind: FaultKind,
    /// Whether only http has it.
    pub http_only: bool,
    /// In a few words.
    pub meaning: &'static str,
}

macro_rules! faults {
    ($($word:literal $kind:ident $http_only:literal $meaning:literal;)*) => {
        &[$(FaultWord { word: $word, kind: FaultKind::$kind, http_only: $http_only, meaning: $meaning }),*]
    };
}

/// Every fault that a reply can name.
pub static FAULTS: &[FaultWord] = faults! {
    "refused_connection" RefusedConnection false "Nothing reaches the target.";
    "timeout_after_send" TimeoutAfterSend false "It was sent, and no answer comes in time.";
    "cut" Cut false "It was sent, and the line is cut before an answer.";
    "cut_answer" CutAnswer true "The head of the answer arrives (`status`, by default 200), and the line is cut in its body.";
    "too_many_requests" TooManyRequests false "The target says 429: nothing was done, come later (`retry_after`).";
    "server_error" ServerError false "The target says 500: what it has done is not known.";
    "bad_credentials" BadCredentials false "The target does not know who calls.";
};

/// What looks show of a write to the CRM whose answer was lost.
pub const SEEN: [&str; 4] = ["not_happened", "happened", "refused", "unclear"];

/// How a run may end, as `$outcome` names it.
pub const OUTCOMES: [&str; 5] = ["delivered", "filtered", "held", "dead", "pending"];

/// What `$totals` counts, and what that is.
pub const TOTALS: [(&str, &str); 7] = [
    ("delivered", "Runs whose steps are all done or skipped."),
    ("filtered", "Runs that were left alone."),
    ("held", "Runs that wait for a person."),
    ("dead", "Runs that are given up."),
    ("pending", "Runs that still wait days later."),
    ("known", "Records that the ledger held already."),
    ("ignored", "Records that the trigger does not take."),
];

/// What a step asks of the world, as far as tests tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepKind {
    /// An HTTP request.
    Http,
    /// A write to the CRM.
    Crm,
    /// A look-up in the CRM.
    Query,
}

/// One part of a request, as an expectation names it.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    /// The key.
    pub key: &'static str,
    /// The kind of step that has it.
    pub of: StepKind,
    /// What may stand there: `string`, `object`, or `any`.
    ty: &'static str,
    meaning: &'static str,
}

macro_rules! parts {
    ($($of:ident $key:literal $ty:literal $meaning:literal;)*) => {
        &[$(Part { key: $key, of: StepKind::$of, ty: $ty, meaning: $meaning }),*]
    };
}

/// Every part of a request that an expectation can name.
pub static PARTS: &[Part] = parts! {
    Http "method" "string" "The method.";
    Http "url" "string" "The whole address, of a step without a connection.";
    Http "path" "string" "What follows the connection's address, as it is sent.";
    Http "query" "object" "Query parameters.";
    Http "headers" "object" "Headers that the zap sets.";
    Http "json" "any" "The body, as JSON.";
    Http "form" "object" "The body, as the pairs of a form.";
    Http "text" "string" "The body, as text.";
    Crm "map" "object" "The parameters as they are sent.";
    Crm "lead" "object" "The parameters of the lead that goes first.";
    Query "find" "object" "The parameters of the look-up as they are sent.";
    Query "from" "string" "The first day it looks at: 2026-09-16.";
    Query "to" "string" "The last day it looks at: 2026-09-16.";
};

/// The form of an expectation for a step that is a word.
pub(crate) const STEP_WORD: &str = "^(done|skipped)$";
/// The form of an expectation for the run that is a word.
const RUN_WORD: &str = "^(filtered|ignored|known)$";

/// What is expected of a step: known to the schema; tests read it off its node.
#[derive(Debug)]
struct Expectation;

impl JsonSchema for Expectation {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Expectation".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let inner = generator.subschema_for::<Expectation>();
        let mut properties = Map::new();
        for part in PARTS {
            let mut schema = Map::new();
            if part.ty != "any" {
                schema.insert("type".to_owned(), part.ty.into());
            }
            schema.insert("description".to_owned(), part.meaning.into());
            properties.insert(part.key.to_owned(), Value::Object(schema));
        }
        let common = [
            (
                "exact",
                json!({ "type": "boolean", "description": "Members that are not named are forbidden. Default: false." }),
            ),
            ("skipped", json!({ "const": true, "description": "The step is not done." })),
            (
                "error",
                json!({ "type": "string", "description": "The step is given up, and the reason holds this text." }),
            ),
            (
                "each",
                json!({
                    "type": ["array", "object"],
                    "items": inner,
                    "additionalProperties": inner,
                    "description": "Under `each`: what is expected of each element in order, or of some by their keys.",
                }),
            ),
        ];
        properties.extend(common.map(|(key, schema)| (key.to_owned(), schema)));
        json_schema!({
            "description": "done, skipped, or what is sent; maps match in part unless `exact: true`.",
            "type": ["string", "object"],
            "pattern": STEP_WORD,
            "properties": properties,
            "additionalProperties": false,
        })
    }
}

fn record(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "object", "array"], "minLength": 1 })
}

fn records(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "minItems": 1, "items": { "type": ["string", "object", "array"] } })
}

fn replies(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "additionalProperties": { "type": ["object", "array"] } })
}

fn expected(generator: &mut SchemaGenerator) -> Schema {
    let run = run_schema(generator);
    let mut schema = run.clone();
    if let Some(members) = schema.as_object_mut() {
        members.insert("type".to_owned(), json!(["string", "object", "array"]));
        members.insert("items".to_owned(), run);
    }
    Schema::try_from(schema).unwrap_or_default()
}

fn run_schema(generator: &mut SchemaGenerator) -> Value {
    let step = generator.subschema_for::<Expectation>();
    let count = json!({ "type": "integer", "minimum": 0 });
    let total = |(word, meaning): (&str, &str)| {
        (word.to_owned(), json!({ "type": "integer", "minimum": 0, "description": meaning }))
    };
    let totals: Map<String, Value> = TOTALS.map(total).into_iter().collect();
    json!({
        "type": ["string", "object"],
        "pattern": RUN_WORD,
        "minProperties": 1,
        // Not among `properties`: beside the steps' ids these are the keys that are known.
        "patternProperties": {
            "^\\$error$": {
                "type": "string",
                "description": "The run is given up before its first step, and the reason holds this text.",
            },
            "^\\$outcome$": {
                "enum": OUTCOMES,
                "description": "How the run ends, through the engine; `pending`: it still waits days later.",
            },
            "^\\$reason$": {
                "type": "string",
                "description": "The reason of the run's outcome holds this text.",
            },
            "^\\$attempts$": {
                "type": "object",
                "additionalProperties": count,
                "description": "How often steps are asked, by their ids.",
            },
            "^\\$totals$": {
                "type": "object",
                "properties": totals,
                "additionalProperties": false,
                "description": "How many of `records` come to what: delivered, filtered, held, dead, pending, known, ignored.",
            },
        },
        "additionalProperties": step,
    })
}
