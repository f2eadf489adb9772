//! The first edition of a zap: for any trigger and any action, out of the examples and the tables that the reference
//! shows.

use std::sync::Arc;

use super::examples::{self, ACTIONS, PROJECT, RECORDS, TRIGGERS};
use super::{actions, keys, triggers};
use crate::crm::{self, Endpoint, LOOKUPS, Lookup, Param, ParamType};
use crate::load::{File, Input, load};
use crate::record::{FieldType, ReadSet, Schema};
use crate::rehearsal::read_tests;
use crate::schema::Document;
use crate::trigger::{self, KINDS};
use crate::value::Value;
use crate::yaml::{Entry, Kind, NodeId, Tree};
use crate::zap::{self, ProjectFacts};

/// What a new zap is to be.
#[derive(Debug, Clone)]
pub struct Starter {
    /// Its name.
    pub name: String,
    /// Its trigger's `type`.
    pub trigger: &'static str,
    /// The kind of event, where the trigger knows several: `new_sale`.
    pub event: Option<&'static str>,
    /// The connection that the trigger reads or is reached by.
    pub connection: Option<String>,
    /// Its action's `type`.
    pub action: &'static str,
    /// The connection that the action calls.
    pub to: String,
    /// The path to the schema of zaps, from the file's folder.
    pub schema: String,
}

/// A new zap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The file.
    pub text: String,
    /// What stands in it only to be replaced: `map.orderId`.
    pub placeholders: Vec<String>,
}

/// Every `type` of a trigger.
pub fn trigger_types() -> Vec<&'static str> {
    keys::kinds(Document::Zap, "Trigger")
}

/// Every `type` of an action.
pub fn action_types() -> Vec<&'static str> {
    keys::kinds(Document::Zap, "Action")
}

/// The key that chooses among several kinds of events, and these; nothing for a trigger that knows one.
pub fn events_of(trigger: &str) -> Option<(&'static str, Vec<&'static str>)> {
    let events: Vec<&'static str> = triggers::events(trigger).iter().map(|event| event.name()).collect();
    let keys = keys::Keys::of_kind(Document::Zap, "Trigger", trigger)?;
    let key = keys.that_takes(events.first()?)?;
    (events.len() > 1).then_some((key, events))
}

/// The type that the connection of a trigger has; nothing where it has none.
pub fn connection_of_trigger(trigger: &str) -> Option<&'static str> {
    match trigger {
        "schedule" => None,
        "webhook" => Some("webhook"),
        "http" => Some("http"),
        _ => Some("konnektive"),
    }
}

/// The type that the connection of an action has.
pub fn connection_of_action(action: &str) -> &'static str {
    if action == "http" { "http" } else { "konnektive" }
}

/// Writes a zap: its trigger as in the reference's example of it, its action with every parameter that the example of
/// that action has, and a test.
///
/// What a record gives is taken from it by its name; a parameter for which neither the record nor the example has a
/// value gets a placeholder, and the zap is switched off.
pub fn start(starter: &Starter) -> Started {
    let kind = starter.event.or_else(|| sole_event(starter.trigger)).unwrap_or(starter.trigger);
    let example = Example::of(kind);
    let mut writer = Writer {
        schema: trigger::kind(kind).map(trigger::Kind::schema),
        anything: matches!(starter.trigger, "webhook" | "http"),
        read: Vec::new(),
        placeholders: Vec::new(),
    };
    let (step, action) = match (crm::endpoint(starter.action), starter.action) {
        (Some(endpoint), _) => (endpoint.short_name(), writer.write(endpoint)),
        (None, "http") => ("send", writer.http(kind)),
        (None, _) => ("look_up", writer.query()),
    };
    let Writer { read, placeholders, .. } = writer;
    let mut text = format!("# yaml-language-server: $schema={}\nname: {}\n", starter.schema, starter.name);
    text.push_str(&format!("description: {}\n", description(kind, starter)));
    if crm::endpoint(starter.action).is_some() {
        text.push_str("enabled: false # it writes to the CRM: switch it on once all values are yours\n");
    }
    text.push_str(&format!("\n{}\n", example.trigger(starter)));
    text.push_str(&format!("actions:\n  - id: {step}\n    type: {}\n", starter.action));
    text.push_str(&format!("    connection: {}\n{action}", word(&starter.to)));
    text.push_str(&format!("\ntests:\n  - name: an example\n{}", example.given(&read)));
    text.push_str(&format!("    expect: {{ {step}: {} }}\n", example.expected(kind, starter)));
    Started { text, placeholders }
}

/// The kind of event of a trigger that knows one.
fn sole_event(trigger: &str) -> Option<&'static str> {
    match triggers::events(trigger).as_slice() {
        [event] => Some(event.name()),
        _ => None,
    }
}

fn description(kind: &str, starter: &Starter) -> String {
    let when = KINDS.iter().find(|known| known.name() == kind).map_or_else(
        || match kind {
            "webhook" => "a request arrives".to_owned(),
            "schedule" => "it is time".to_owned(),
            _ => "an item appears".to_owned(),
        },
        |kind| kind.summary().split(';').next().unwrap_or_default().to_owned(),
    );
    let then = match crm::endpoint(starter.action) {
        Some(endpoint) => endpoint.summary.trim_end_matches('.').to_owned(),
        None if starter.action == "http" => format!("Calls {}", starter.to),
        None => format!("Looks up what {} has", starter.to),
    };
    scalar(&format!("{then} when {when}"))
}

/// The reference's example of a kind of event.
struct Example {
    text: &'static str,
    record: Value,
    at: Option<jiff::Timestamp>,
    /// The members that the trigger reads.
    fields: Vec<String>,
}

impl Example {
    fn of(kind: &str) -> Example {
        let text = examples::find_whole(TRIGGERS, kind);
        let file = |path: &str, text: &str| File { path: path.to_owned(), content: Ok(text.into()) };
        let input = Input {
            project: file("zaprun.yaml", PROJECT),
            overlays: Vec::new(),
            zaps: vec![file("zaps/example.yaml", text)],
            env: None,
        };
        let mut loaded = load(&input, None);
        let cases = read_tests(&mut loaded, &[], &RECORDS);
        let occasion = cases.first().map(crate::rehearsal::Case::occasion).unwrap_or_default();
        let json = occasion.record.and_then(|record| String::from_utf8(record).ok());
        let record = json.and_then(|json| Value::from_json(&json).ok()).unwrap_or_default();
        let facts = loaded.project.as_ref();
        let facts = facts.map(|project| ProjectFacts::of(&project.definition, &project.tree));
        let zap = loaded.zaps.first().zip(facts).and_then(|(file, facts)| {
            zap::compile(file.definition.as_ref()?, file.tree.as_ref()?, &facts).zap
        });
        let fields = match zap.as_ref().and_then(|zap| zap.trigger.crm()).map(|trigger| trigger.fields()) {
            Some(ReadSet::Only(names)) => names.iter().map(|name| name.to_string()).collect(),
            // Its key, and what tells items apart, are templates over the record.
            _ => read_in(&block(text, "trigger")),
        };
        Example { text, record, at: occasion.tick, fields }
    }

    /// The trigger, with the connection that is wanted.
    fn trigger(&self, starter: &Starter) -> String {
        let line = |line: &str| match (line.trim_start().split_once(": "), &starter.connection) {
            (Some(("connection", _)), Some(connection)) => format!("  connection: {}\n", word(connection)),
            (Some(("path", path)), _) if path.starts_with("/hooks/") => {
                format!("  path: /hooks/{}\n", starter.name)
            }
            _ => format!("{line}\n"),
        };
        // What an example selects would keep another account's events out, and a second way in hangs on a connection of
        // its own, which the project need not have.
        let mut beside = false;
        let keeps = |line: &&str| {
            if !line.starts_with("    ") {
                let key = line.trim_start().split(':').next().unwrap_or_default();
                beside = ["where", "settle", "also"].contains(&key);
            }
            !beside
        };
        format!("trigger:\n{}", block(self.text, "trigger").lines().filter(keeps).map(line).collect::<String>())
    }

    /// What the test expects: of a call its key, of what the tables describe that it can be made.
    fn expected(&self, kind: &str, starter: &Starter) -> String {
        let key = trigger::kind(kind).filter(|_| starter.action == "http").map(trigger::Kind::key_field);
        let record = self.record.as_object();
        let value = key.and_then(|key| Some((key, record?.get(key)?.to_text().ok()?)));
        match value {
            Some((key, value)) => format!("{{ json: {{ {key}: {} }} }}", quoted(&value)),
            None => "done".to_owned(),
        }
    }

    /// What the test gives: of the example's record what the trigger reads, and what the action does.
    fn given(&self, read: &[(String, String)]) -> String {
        if let Some(at) = self.at {
            return format!("    at: \"{at}\"\n");
        }
        let mut members: Vec<(String, String)> = Vec::new();
        for (name, value) in self.record.as_object().into_iter().flat_map(crate::value::Object::iter) {
            let wanted = self.fields.iter().any(|field| **field == **name);
            if wanted || read.iter().any(|(read, _)| **read == **name) {
                let text = value.as_text().map(scalar);
                members.push((name.to_string(), text.unwrap_or_else(|| value.to_json().unwrap_or_default())));
            }
        }
        for (name, sample) in read {
            if !members.iter().any(|(known, _)| known == name) {
                members.push((name.clone(), sample.clone()));
            }
        }
        if members.is_empty() {
            return "    record: {}\n".to_owned();
        }
        let member = |(name, value): &(String, String)| format!("      {}: {value}\n", word(name));
        format!("    record:\n{}", members.iter().map(member).collect::<String>())
    }
}

/// The lines below a key at the left edge.
fn block(text: &str, key: &str) -> String {
    let below = text.lines().skip_while(|line| *line != format!("{key}:")).skip(1);
    below.take_while(|line| line.starts_with(' ')).map(|line| format!("{line}\n")).collect()
}

/// The members of the record that templates in a text read.
fn read_in(text: &str) -> Vec<String> {
    let name = |rest: &str| -> String {
        rest.chars().take_while(|sign| sign.is_ascii_alphanumeric() || *sign == '_').collect()
    };
    text.split("record.").skip(1).map(name).collect()
}

/// Writes an action.
struct Writer {
    /// The rows that the trigger reads, where it reads the CRM.
    schema: Option<&'static Schema>,
    /// Anything may arrive.
    anything: bool,
    /// What is read of the record, with a value for the test.
    read: Vec<(String, String)>,
    placeholders: Vec<String>,
}

impl Writer {
    fn http(&mut self, kind: &str) -> String {
        let mut text = "    json:\n      event: \"{{ event.id }}\"\n      at: \"{{ event.at }}\"\n".to_owned();
        if let Some(kind) = trigger::kind(kind) {
            let key = kind.key_field();
            text.push_str(&format!("      {key}: $.{key}\n"));
            self.read.push((key.to_owned(), sample(key, &ParamType::Id)));
        }
        text
    }

    /// A write to the CRM: the parameters of its example.
    fn write(&mut self, endpoint: &'static Endpoint) -> String {
        let mut text = "    map:\n".to_owned();
        // The examples are compiled by a test.
        let Some((tree, map)) = example_map(endpoint) else { return text };
        for entry in tree.entries(map) {
            let Some(param) = endpoint.param(&entry.key) else { continue };
            let line = match self.value(&tree, entry, param, "map", endpoint.requires(&entry.key)) {
                Some(value) => value,
                None => continue,
            };
            text.push_str(&format!("      {}: {line}\n", entry.key));
        }
        text
    }

    /// The value of a parameter; nothing where the example only shows what else can be written.
    fn value(&mut self, tree: &Tree, entry: &Entry, param: &Param, part: &str, needed: bool) -> Option<String> {
        match &tree.node(entry.value).kind {
            Kind::Map(_) | Kind::List(_) if !needed => None,
            Kind::Text { value, .. } if is_template(value) => Some(self.of_record(&entry.key, param, part)),
            Kind::Text { value, .. } => Some(scalar(value)),
            Kind::Number(digits) => Some(digits.to_string()),
            Kind::Bool(truth) => Some(truth.to_string()),
            _ => Some(self.of_record(&entry.key, param, part)),
        }
    }

    /// What the record has by that name, or something to be replaced.
    fn of_record(&mut self, name: &str, param: &Param, part: &str) -> String {
        let field = self.schema.and_then(|schema| schema.field(name));
        let fits = field.is_some_and(|field| !matches!(field.ty, FieldType::List(_) | FieldType::Any));
        if self.anything || fits {
            self.read.push((name.to_owned(), sample(name, &param.ty)));
            return format!("\"{{{{ record.{name} }}}}\"");
        }
        self.placeholders.push(format!("{part}.{name}"));
        format!("{} # put yours here", sample(name, &param.ty))
    }

    /// A look-up: by an id that the record has, else by days.
    fn query(&mut self) -> String {
        let by_id = |lookup: &&&'static Lookup| {
            let own = self.schema.is_some_and(|schema| *lookup.endpoint.schema() == *schema);
            !own && lookup.ids.iter().any(|id| self.has(id))
        };
        let found = LOOKUPS.iter().find(by_id).copied();
        let id = found.and_then(|lookup| {
            let id = lookup.ids.iter().find(|id| self.has(id))?;
            Some((lookup, lookup.param(id)?))
        });
        match id {
            Some((lookup, param)) => {
                let value = self.of_record(param.name, param, "by");
                format!("    find: {}\n    by: {{ {}: {value} }}\n", lookup.find, param.name)
            }
            None => "    find: transactions\n    by: { txnType: SALE, responseType: SUCCESS }\n    \
                     from: \"{{ event.at | date_add('-1d') }}\"\n"
                .to_owned(),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.anything || self.schema.is_some_and(|schema| schema.field(name).is_some())
    }
}

/// The map of an endpoint's example.
fn example_map(endpoint: &Endpoint) -> Option<(Tree, NodeId)> {
    let text = examples::find_whole(ACTIONS, actions::short(endpoint.action));
    let mut sources = crate::source::SourceMap::default();
    let parsed = crate::yaml::parse(&mut sources, "example.yaml", text.as_bytes());
    let tree = parsed.tree?;
    let steps = tree.get(tree.root(), "actions").map_or(&[][..], |actions| tree.items(actions));
    let ours = |step: &&NodeId| {
        tree.get(**step, "type").and_then(|kind| tree.text(kind)) == Some(endpoint.action)
    };
    let map = tree.get(*steps.iter().find(ours)?, "map")?;
    Some((tree, map))
}

fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%") || text.starts_with("$.")
}

/// A value for what goes by a name, as YAML and as JSON.
fn sample(name: &str, ty: &ParamType) -> String {
    let lower = name.to_lowercase();
    let known = [
        ("firstname", "Ada"),
        ("lastname", "Lovelace"),
        ("address1", "1 Main St"),
        ("city", "New York"),
        ("state", "NY"),
        ("postalcode", "10001"),
    ];
    if let Some((_, text)) = known.iter().find(|(part, _)| lower.ends_with(part)) {
        return scalar(text);
    }
    match ty {
        ParamType::Id => scalar("1001"),
        ParamType::Number | ParamType::Count => "1".to_owned(),
        ParamType::Text => scalar("text"),
        ParamType::Email => scalar("ada@example.com"),
        ParamType::Phone => scalar("2125550100"),
        ParamType::Country => scalar("US"),
        ParamType::Enum(words) => scalar(words.first().copied().unwrap_or_default()),
        ParamType::Date => scalar("2026-09-16"),
        ParamType::Flag => "true".to_owned(),
        ParamType::Money => "1.00".to_owned(),
        ParamType::Json => "{}".to_owned(),
    }
}

/// A text as YAML that reads it back as text.
fn scalar(text: &str) -> String {
    let plain = |sign: char| sign.is_ascii_alphanumeric() || "_-./ ".contains(sign);
    let begins = text.chars().next().is_some_and(|sign| sign.is_ascii_alphabetic());
    let word = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        .contains(&text.to_ascii_lowercase().as_str());
    let bare = begins && !word && text.chars().all(plain) && !text.ends_with(' ');
    if bare { text.to_owned() } else { quoted(text) }
}

/// A name as YAML.
fn word(text: &str) -> String {
    scalar(text)
}

fn quoted(text: &str) -> String {
    Value::Text(Arc::from(text)).to_json().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starter(trigger: &'static str, event: Option<&'static str>, action: &'static str) -> Starter {
        let connection = |kind: &str| match kind {
            "webhook" => "shop",
            "http" => "books",
            _ => "crm",
        };
        Starter {
            name: "a-new-zap".to_owned(),
            trigger,
            event,
            connection: connection_of_trigger(trigger).map(|kind| connection(kind).to_owned()),
            action,
            to: connection(connection_of_action(action)).to_owned(),
            schema: "../schemas/zap.schema.json".to_owned(),
        }
    }

    fn all() -> Vec<Starter> {
        let mut all = Vec::new();
        for trigger in trigger_types() {
            let events = events_of(trigger).map_or_else(
                || vec![None],
                |(_, events)| events.into_iter().map(Some).collect::<Vec<_>>(),
            );
            for event in events {
                all.extend(action_types().into_iter().map(|action| starter(trigger, event, action)));
            }
        }
        all
    }

    /// What is wrong with a zap and its test, beside the project of the examples.
    fn wrong(text: &str) -> Vec<String> {
        let file = |path: &str, text: &str| File { path: path.to_owned(), content: Ok(text.into()) };
        let input = Input {
            project: file("zaprun.yaml", PROJECT),
            overlays: Vec::new(),
            zaps: vec![file("zaps/a-new-zap.yaml", text)],
            env: None,
        };
        let mut loaded = load(&input, None);
        let cases = read_tests(&mut loaded, &[], &RECORDS);
        let project = loaded.project.as_ref().unwrap();
        let facts = ProjectFacts::of(&project.definition, &project.tree);
        let file = &loaded.zaps[0];
        let (Some(definition), Some(tree)) = (&file.definition, &file.tree) else {
            return loaded.conclude(Vec::new()).into_iter().map(|finding| finding.message).collect();
        };
        let compiled = zap::compile(definition, tree, &facts);
        let mut wrong: Vec<String> =
            loaded.conclude(compiled.diagnostics).into_iter().map(|finding| finding.message).collect();
        assert_eq!(cases.len(), 1, "{text}\n{wrong:?}");
        if let Some(zap) = compiled.zap {
            let told = cases[0].check(&zap);
            wrong.extend(told.into_iter().map(|difference| {
                format!("{}: expected {}, got {}", difference.place, difference.expected, difference.got)
            }));
        }
        wrong
    }

    #[test]
    fn every_trigger_starts_with_every_action() {
        let all = all();
        let kinds = KINDS.len() + 3;
        assert_eq!(all.len(), kinds * action_types().len());
        let mut bad = Vec::new();
        for starter in all {
            let Started { text, .. } = start(&starter);
            let wrong = wrong(&text);
            if !wrong.is_empty() {
                bad.push(format!("{} {:?} {}: {wrong:?}\n{text}", starter.trigger, starter.event, starter.action));
            }
        }
        assert!(bad.is_empty(), "{} are bad, the first:\n{}", bad.len(), bad[0]);
    }

    #[test]
    fn what_writes_to_the_crm_is_switched_off() {
        for starter in all() {
            let Started { text, placeholders } = start(&starter);
            let writes = crm::endpoint(starter.action).is_some();
            assert_eq!(text.contains("\nenabled: false"), writes, "{text}");
            assert_eq!(text.matches("# put yours here").count(), placeholders.len(), "{text}");
        }
    }

    #[test]
    fn a_new_zap_reads_like_one() {
        let texts = [
            starter("konnektive.orders", Some("new_sale"), "http"),
            starter("webhook", None, "konnektive.create_sale"),
            starter("konnektive.transactions", Some("chargeback"), "konnektive.cancel_order"),
            starter("schedule", None, "konnektive.query"),
        ]
        .map(|starter| start(&starter).text);
        insta::assert_snapshot!(texts.join("--------\n"), @r##"
        # yaml-language-server: $schema=../schemas/zap.schema.json
        name: a-new-zap
        description: Calls books when an order was sold

        trigger:
          type: konnektive.orders
          connection: crm
          order_type: new_sale

        actions:
          - id: send
            type: http
            connection: books
            json:
              event: "{{ event.id }}"
              at: "{{ event.at }}"
              orderId: $.orderId

        tests:
          - name: an example
            record:
              orderId: D6C8C390A7
              orderStatus: COMPLETE
              orderType: NEW_SALE
              campaignId: 12
              dateCreated: "2026-09-16 14:25:31"
              dateUpdated: "2026-09-16 14:25:40"
            expect: { send: { json: { orderId: "D6C8C390A7" } } }
        --------
        # yaml-language-server: $schema=../schemas/zap.schema.json
        name: a-new-zap
        description: Creates a new sale when a request arrives
        enabled: false # it writes to the CRM: switch it on once all values are yours

        trigger:
          type: webhook
          connection: shop
          path: /hooks/a-new-zap
          key: "{{ record.submission_id }}"

        actions:
          - id: create_sale
            type: konnektive.create_sale
            connection: crm
            map:
              campaignId: "{{ record.campaignId }}"
              paySource: PREPAID
              firstName: "{{ record.firstName }}"
              lastName: "{{ record.lastName }}"
              emailAddress: "{{ record.emailAddress }}"
              phoneNumber: "{{ record.phoneNumber }}"
              address1: "{{ record.address1 }}"
              city: "{{ record.city }}"
              state: "{{ record.state }}"
              postalCode: "{{ record.postalCode }}"
              country: US
              billShipSame: true
              product1_id: "{{ record.product1_id }}"
              product1_qty: "{{ record.product1_qty }}"

        tests:
          - name: an example
            record:
              submission_id: 1
              campaignId: 1
              firstName: Ada
              lastName: Lovelace
              emailAddress: "ada@example.com"
              phoneNumber: "2125550100"
              address1: "1 Main St"
              city: New York
              state: NY
              postalCode: "10001"
              product1_id: "1001"
              product1_qty: 1
            expect: { create_sale: done }
        --------
        # yaml-language-server: $schema=../schemas/zap.schema.json
        name: a-new-zap
        description: "Cancels an order when the buyer's bank took a charge back"
        enabled: false # it writes to the CRM: switch it on once all values are yours

        trigger:
          type: konnektive.transactions
          connection: crm
          transaction_type: chargeback

        actions:
          - id: cancel_order
            type: konnektive.cancel_order
            connection: crm
            map:
              orderId: "{{ record.orderId }}"
              cancelReason: text # put yours here
              afterNextBill: false

        tests:
          - name: an example
            record:
              transactionId: 900033
              orderId: D6C8C390A7
              dateCreated: "2026-09-16 14:25:31"
              dateUpdated: "2026-09-16 14:25:31"
              isChargedback: 1
            expect: { cancel_order: done }
        --------
        # yaml-language-server: $schema=../schemas/zap.schema.json
        name: a-new-zap
        description: Looks up what crm has when it is time

        trigger:
          type: schedule
          cron: "0 8 * * 1-5"
          timezone: America/New_York

        actions:
          - id: look_up
            type: konnektive.query
            connection: crm
            find: transactions
            by: { txnType: SALE, responseType: SUCCESS }
            from: "{{ event.at | date_add('-1d') }}"

        tests:
          - name: an example
            at: "2026-09-16T12:00:00Z"
            expect: { look_up: done }
        "##);
    }

    #[test]
    fn texts_are_read_back_as_texts() {
        for (text, yaml) in [("US", "US"), ("no", "\"no\""), ("12", "\"12\""), ("a: b", "\"a: b\""), ("", "\"\"")] {
            assert_eq!(scalar(text), yaml);
        }
    }
}
