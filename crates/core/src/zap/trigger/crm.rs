//! A compiled polling trigger.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::webhook::{self, Entrance};
use crate::definition::{self, Cycles, OrderType, TransactionType};
use crate::diagnostic::{Diagnostic, Severity, code, did_you_mean};
use crate::expression::{Base, Fact, Key, Place, Settings};
use crate::mapping::Compiler;
use crate::record::{Field, FieldType, ReadSet, Row, Schema, fit};
use crate::trigger::{Charges, Kind, Narrowing, Options, Query, Verdict, When, kind};
use crate::value::Value;
use crate::yaml::{self, Entry, MapRef, Spanned};

/// The pause between two polls unless the zap says otherwise.
const EVERY: Duration = Duration::from_secs(60);

/// What counts as new when a zap first runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// What happens from the first start on.
    Now,
    /// Everything the CRM has.
    Beginning,
    /// What happened at or after an instant.
    At(Timestamp),
}

/// One condition of `where:`.
#[derive(Debug, Clone, PartialEq)]
pub enum Where {
    /// A field equals one of these values, which are of the field's type.
    Field(&'static Field, Vec<Value>),
    /// An item has one of these campaign product ids: `campaignProductId`.
    Product(Vec<Value>),
}

/// A trigger that polls the CRM.
#[derive(Debug, Clone)]
pub struct CrmTrigger {
    /// Name of the connection.
    pub connection: String,
    /// Time between two polls.
    pub every: Duration,
    /// What counts as new at first.
    pub start: Start,
    /// The account's zone.
    pub zone: TimeZone,
    pub(crate) kind: &'static dyn Kind,
    pub(crate) options: Options,
    pub(crate) wheres: Vec<Where>,
    pub(crate) once_per: Option<&'static Field>,
    /// Whether orders that zaprun itself made fire too.
    pub own: bool,
    /// How long an order must be quiet before it is mapped.
    pub settle: Option<Settle>,
    /// Where requests tell of the same rows.
    pub also: Option<Entrance>,
}

/// How long an order must be quiet before it is mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settle {
    /// Without a change for so long.
    pub quiet: Duration,
    /// Waited for no longer than this in all.
    pub most: Duration,
}

impl CrmTrigger {
    /// The kind's name.
    pub fn kind(&self) -> &'static str {
        self.kind.name()
    }

    /// The rows it is made of.
    pub fn schema(&self) -> &'static Schema {
        self.kind.schema()
    }

    /// What is asked of the CRM, without narrowing.
    pub fn queries(&self) -> Vec<Query> {
        self.kind.queries(self.options)
    }

    /// How this zap alone would narrow its queries.
    pub fn narrowing(&self) -> Narrowing {
        let mut narrowing = Narrowing::default();
        for condition in &self.wheres {
            match condition {
                Where::Field(field, values) if field.name == "campaignId" => {
                    narrowing.campaign_ids = ids(values);
                }
                Where::Product(values) => narrowing.campaign_product_ids = ids(values),
                Where::Field(..) => {}
            }
        }
        narrowing
    }

    /// What is so of every row that it takes: what `where` asks for is there, and one of its values.
    pub(crate) fn facts(&self, record: usize) -> Vec<Fact> {
        let fact = |path: Vec<Key>, words| {
            let place = Place { base: Base::Root(record), path };
            Fact { place, present: true, words }
        };
        let name = |name: &str| Key::Name(Arc::from(name));
        let of = |condition: &Where| match condition {
            Where::Field(field, values) => {
                let words: Option<Vec<Arc<str>>> =
                    values.iter().map(|value| value.as_text().map(Arc::from)).collect();
                vec![fact(vec![name(field.name)], words.map(Into::into))]
            }
            Where::Product(_) => [0, -1].map(|at| fact(vec![name("items"), Key::At(at)], None)).into(),
        };
        self.wheres.iter().flat_map(of).collect()
    }

    /// The members of a row that the methods below read.
    pub fn fields(&self) -> ReadSet {
        let mut fields = ReadSet::of(self.kind.fields().iter().copied());
        fields.add(self.kind.key_field());
        for condition in &self.wheres {
            match condition {
                Where::Field(field, _) => fields.add(field.name),
                Where::Product(_) => fields.add("items"),
            }
        }
        if let Some(field) = self.once_per {
            fields.add(field.name);
        }
        if self.schema().field(ORDER_ID).is_some() {
            fields.add(ORDER_ID);
        }
        fields
    }

    /// The field that holds the natural id, which is also the parameter by which the CRM finds the row.
    pub fn key_field(&self) -> &'static str {
        self.kind.key_field()
    }

    /// The natural id; nothing when the row has none.
    pub fn key(&self, row: &Row) -> Option<String> {
        row.text(self.kind.key_field()).map(std::borrow::Cow::into_owned)
    }

    /// The order that the row is about.
    pub fn order(&self, row: &Row) -> Option<String> {
        self.schema().field(ORDER_ID)?;
        row.text(ORDER_ID).map(std::borrow::Cow::into_owned)
    }

    /// Whether the row enters this zap's ledger: its kind, `where`, `cycles` and `include_*`.
    pub fn wants(&self, row: &Row) -> bool {
        self.kind.takes(row, self.options) && self.wheres.iter().all(|condition| condition.holds(row))
    }

    /// Why the row does not enter this zap's ledger, in plain words; nothing when it does.
    pub(crate) fn declines(&self, row: &Row) -> Option<String> {
        if !self.kind.takes(row, self.options) {
            return Some(format!("it is not what `{}` is about", self.kind()));
        }
        let name = match self.wheres.iter().find(|condition| !condition.holds(row))? {
            Where::Field(field, _) => field.name,
            Where::Product(_) => PRODUCT,
        };
        Some(format!("`where` wants another `{name}`"))
    }

    /// Whether a row that the ledger does not hold is news.
    pub fn judge(&self, row: &Row, when: &When) -> Verdict {
        self.kind.judge(row, when, &self.zone)
    }

    /// The verdict once the order's transactions are known; never [`Verdict::LookUp`].
    pub fn judge_charges(&self, row: &Row, charges: &Charges, when: &When) -> Verdict {
        self.kind.judge_charges(row, charges, when, &self.zone)
    }

    /// The value of `once_per`, when the trigger has one and the row has it.
    pub fn once(&self, row: &Row) -> Option<String> {
        self.once_per.and_then(|field| row.text(field.name)).map(std::borrow::Cow::into_owned)
    }

    /// Whether the trigger has `once_per`.
    pub fn has_once(&self) -> bool {
        self.once_per.is_some()
    }

    /// What decides which rows enter the ledger, in one text.
    pub(in crate::zap) fn selection(&self) -> String {
        let Options { all_cycles, include_test, include_bought, include_voids } = self.options;
        let mut wheres: Vec<String> = self.wheres.iter().map(Where::written).collect();
        wheres.sort_unstable();
        let parts = format!(
            "{} {} {all_cycles} {include_test} {include_bought} {include_voids} {}",
            self.connection,
            self.kind(),
            wheres.join(" ")
        );
        blake3::hash(parts.as_bytes()).to_hex().chars().take(32).collect()
    }
}

impl Where {
    fn holds(&self, row: &Row) -> bool {
        match self {
            Where::Field(field, values) => values.contains(row.value(field.name)),
            Where::Product(values) => row.rows("items").any(|item| values.contains(item.value("productId"))),
        }
    }

    fn written(&self) -> String {
        let (name, values) = match self {
            Where::Field(field, values) => (field.name, values),
            Where::Product(values) => (PRODUCT, values),
        };
        let mut values: Vec<String> = values.iter().filter_map(|value| value.to_json().ok()).collect();
        values.sort_unstable();
        format!("{name}={}", values.join(","))
    }
}

/// The field that names the order, in rows of several kinds.
const ORDER_ID: &str = "orderId";

/// The longest wait for an order to settle, unless the zap says otherwise.
const SETTLE_MOST: Duration = Duration::from_secs(2 * 60 * 60);

/// The name by which `where:` means the products of an order's items.
const PRODUCT: &str = "campaignProductId";

/// The rows of a trigger's kind.
pub(in crate::zap) fn schema(written: &definition::Trigger) -> Option<&'static Schema> {
    kind_name(written).and_then(kind).map(Kind::schema)
}

/// The kind of a trigger that polls the CRM.
fn kind_name(written: &definition::Trigger) -> Option<&'static str> {
    Some(match written {
        definition::Trigger::Orders(orders) => match orders.order_type.value {
            OrderType::NewSale => "new_sale",
            OrderType::Cancelled => "cancelled",
            OrderType::NewLead => "new_lead",
            OrderType::Rebill => "rebill",
            OrderType::Declined => "declined",
            OrderType::Refunded => "refunded",
            OrderType::Shipped => "shipped",
        },
        definition::Trigger::Transactions(transactions) => match transactions.transaction_type.value {
            TransactionType::Decline => "decline",
            TransactionType::Refund => "refund",
            TransactionType::Chargeback => "chargeback",
        },
        definition::Trigger::Customers(_) => "new_customer",
        definition::Trigger::Webhook(_)
        | definition::Trigger::Http(_)
        | definition::Trigger::Schedule(_)
        | definition::Trigger::Unread => return None,
    })
}

/// The keys that both triggers share, and those of one of them.
struct Written<'a> {
    every: Option<&'a Spanned<definition::Duration>>,
    start: Option<&'a Spanned<definition::Start>>,
    conditions: Option<MapRef>,
    once_per: Option<&'a Spanned<String>>,
    cycles: Option<&'a Spanned<Cycles>>,
    include_test: Option<&'a Spanned<bool>>,
    include_bought: Option<&'a Spanned<bool>>,
    include_voids: Option<&'a Spanned<bool>>,
    own: Option<&'a Spanned<bool>>,
    also: Option<&'a Spanned<definition::AlsoWebhook>>,
    settle: Option<&'a Spanned<definition::Duration>>,
    settle_max: Option<&'a Spanned<definition::Duration>>,
}

impl<'a> Written<'a> {
    fn of(trigger: &'a definition::Trigger) -> Option<Self> {
        Some(match trigger {
            definition::Trigger::Orders(orders) => Written {
                every: orders.every.as_ref(),
                start: orders.start.as_ref(),
                conditions: orders.conditions,
                once_per: orders.once_per.as_ref(),
                cycles: orders.cycles.as_ref(),
                include_test: orders.include_test.as_ref(),
                include_bought: orders.include_bought.as_ref(),
                include_voids: None,
                own: orders.own.as_ref(),
                also: orders.also.as_ref(),
                settle: orders.settle.as_ref(),
                settle_max: orders.settle_max.as_ref(),
            },
            definition::Trigger::Transactions(transactions) => Written {
                every: transactions.every.as_ref(),
                start: transactions.start.as_ref(),
                conditions: transactions.conditions,
                once_per: transactions.once_per.as_ref(),
                cycles: transactions.cycles.as_ref(),
                include_test: transactions.include_test.as_ref(),
                include_bought: None,
                include_voids: transactions.include_voids.as_ref(),
                own: None,
                also: transactions.also.as_ref(),
                settle: None,
                settle_max: None,
            },
            definition::Trigger::Customers(customers) => Written {
                every: customers.every.as_ref(),
                start: customers.start.as_ref(),
                conditions: customers.conditions,
                once_per: customers.once_per.as_ref(),
                cycles: None,
                include_test: None,
                include_bought: None,
                include_voids: None,
                own: None,
                also: None,
                settle: None,
                settle_max: None,
            },
            definition::Trigger::Webhook(_)
            | definition::Trigger::Http(_)
            | definition::Trigger::Schedule(_)
            | definition::Trigger::Unread => return None,
        })
    }
}

/// Compiles a trigger; nothing when it has findings.
pub(in crate::zap) fn compile(
    compiler: &mut Compiler<'_>,
    trigger: &Spanned<definition::Trigger>,
    settings: &Settings,
) -> Option<CrmTrigger> {
    let kind = kind_name(&trigger.value).and_then(kind)?;
    let written = Written::of(&trigger.value)?;
    let connection = trigger.connection()?.value.clone();
    let before = compiler.findings.len();
    let every = written.every.map_or(EVERY, |every| every.value.0);
    let once_per = written.once_per.and_then(|name| once_field(compiler, kind.schema(), name));
    let conditions = written.conditions.map_or(&[][..], |conditions| compiler.tree.entries(conditions.0));
    let wheres = conditions.iter().filter_map(|entry| condition(compiler, kind, entry)).collect();
    let at_midnight = |day: jiff::civil::Date| {
        settings.zone.to_ambiguous_timestamp(day.to_datetime(jiff::civil::Time::midnight())).compatible()
    };
    let start = match written.start.map(|start| &start.value) {
        None | Some(definition::Start::Now) => Start::Now,
        Some(definition::Start::Beginning) => Start::Beginning,
        Some(definition::Start::Date(day)) => at_midnight(*day).map_or(Start::Now, Start::At),
        Some(definition::Start::Local(local)) => {
            settings.zone.to_ambiguous_timestamp(*local).compatible().map_or(Start::Now, Start::At)
        }
        Some(definition::Start::Instant(at)) => Start::At(*at),
    };
    let is = |flag: Option<&Spanned<bool>>| flag.is_some_and(|flag| flag.value);
    let options = Options {
        all_cycles: written.cycles.is_some_and(|cycles| cycles.value == Cycles::All),
        include_test: is(written.include_test),
        include_bought: is(written.include_bought),
        include_voids: is(written.include_voids),
    };
    let also = written
        .also
        .and_then(|also| webhook::compile_also(compiler, &also.value, kind.key_field(), settings));
    let errors = compiler.findings.get(before..).unwrap_or_default().iter();
    let fine = errors.into_iter().all(|finding| finding.severity == Severity::Warning);
    fine.then(|| CrmTrigger {
        connection,
        every,
        start,
        zone: settings.zone.clone(),
        kind,
        options,
        wheres,
        once_per,
        own: kind.name() != "new_lead" || is(written.own),
        settle: written.settle.map(|quiet| Settle {
            quiet: quiet.value.0,
            most: written.settle_max.map_or(SETTLE_MOST, |most| most.value.0).max(quiet.value.0),
        }),
        also,
    })
}

fn unknown_field(name: &str, schema: &'static Schema, also: &'static str) -> Diagnostic {
    let known = schema.fields.iter().map(|field| field.name).chain([also]);
    let likely = did_you_mean(name, known).map(|likely| format!("did you mean `{likely}`?"));
    let article = if schema.name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    Diagnostic::new(&code::UNKNOWN_FIELD, format!("{article} {} has no field `{name}`", schema.name))
        .maybe_help(likely)
}

fn once_field(
    compiler: &mut Compiler<'_>,
    schema: &'static Schema,
    name: &Spanned<String>,
) -> Option<&'static Field> {
    let span = compiler.tree.span(name.node);
    let Some(field) = schema.field(&name.value) else {
        compiler.report(unknown_field(&name.value, schema, "").at(span));
        return None;
    };
    if matches!(field.ty, FieldType::List(_) | FieldType::Any) {
        let finding =
            Diagnostic::new(&code::UNKNOWN_FIELD, format!("`{}` holds no single value", field.name));
        compiler.report(finding.at(span).help("name an id, for example `orderId`"));
        return None;
    }
    Some(field)
}

fn condition(compiler: &mut Compiler<'_>, kind: &dyn Kind, entry: &Entry) -> Option<Where> {
    let schema = kind.schema();
    let product = &*entry.key == PRODUCT && schema.field("items").is_some();
    let (ty, field) = match schema.field(&entry.key) {
        _ if product => (FieldType::Id, None),
        Some(field) if !matches!(field.ty, FieldType::List(_) | FieldType::Any) => (field.ty, Some(field)),
        Some(field) => {
            let finding =
                Diagnostic::new(&code::WHERE_VALUE, format!("`{}` holds no single value", field.name));
            let help = "`where` compares single values; look into it with `filter`";
            compiler.report(finding.at(entry.key_span).help(help));
            return None;
        }
        None => {
            compiler.report(unknown_field(&entry.key, schema, PRODUCT).at(entry.key_span));
            return None;
        }
    };
    let tree = compiler.tree;
    let nodes: Vec<yaml::NodeId> = match &tree.node(entry.value).kind {
        yaml::Kind::List(items) => items.clone(),
        _ => vec![entry.value],
    };
    let mut values = Vec::with_capacity(nodes.len());
    for node in nodes {
        if tree.text(node).is_some_and(|text| text.contains("{{")) {
            let finding =
                Diagnostic::new(&code::WHERE_VALUE, "`where` takes values as they are, no templates");
            compiler.report(finding.at(tree.span(node)).help("compare with an expression in `filter`"));
            continue;
        }
        if let (FieldType::Enum(words), Some(text)) = (ty, tree.text(node))
            && !words.contains(&text)
        {
            compiler.report(strange_word(&entry.key, text, words).at(tree.span(node)));
        }
        match fit(&crate::zap::project::value(tree, node), ty).filter(|value| !value.is_missing()) {
            Some(value) => values.push(value),
            None => {
                let message = format!("`{}` cannot have this value", entry.key);
                let help = format!("it is {}", ty.words());
                compiler.report(Diagnostic::new(&code::WHERE_VALUE, message).at(tree.span(node)).help(help));
            }
        }
    }
    Some(field.map_or_else(|| Where::Product(values.clone()), |field| Where::Field(field, values.clone())))
}

/// A warning only: the CRM may know words that are not known here.
fn strange_word(field: &str, word: &str, words: &[&str]) -> Diagnostic {
    let listed = || words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let help = match did_you_mean(word, words.iter().copied()) {
        Some(likely) => format!("did you mean `{likely}`?"),
        None => format!("known are {}", listed()),
    };
    let message = format!("`{field}` is not known to be `{word}`");
    let mut finding = Diagnostic::new(&code::WHERE_VALUE, message).help(help);
    finding.severity = Severity::Warning;
    finding
}

fn ids(values: &[Value]) -> Vec<String> {
    let mut ids: Vec<String> = values.iter().filter_map(|value| value.to_text().ok()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
