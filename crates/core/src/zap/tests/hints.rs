//! What a finding says to write heals what it is about.

use super::*;
use crate::diagnostic::Diagnostic;

/// One zap, with holes for what hints say.
struct Broken {
    /// Where the value stands that may be missing: in `let`, in a body, in an element of a list.
    at: At,
    /// The expression.
    source: &'static str,
    /// The part of it that may be missing.
    label: &'static str,
}

#[derive(Clone, Copy, PartialEq)]
enum At {
    Body,
    Each,
    Element,
}

impl Broken {
    fn zap(&self, source: &str, filter: &str, when: &str, test: &str) -> String {
        let value = match test {
            "" => format!("\"{{{{ {source} }}}}\""),
            test => format!("{{ $if: {test}, $then: \"{{{{ {source} }}}}\" }}"),
        };
        let value = match self.at {
            At::Element => format!("{{ $each: $.fulfillments, $as: parcel, $map: {value} }}"),
            _ => value,
        };
        let each =
            if self.at == At::Each { "\n    each: \"{{ record['items'] }}\"\n    as: line" } else { "" };
        format!(
            "name: z
trigger: {{ type: konnektive.orders, connection: crm, order_type: new_sale }}
{filter}let: {{ coupon: $.couponCode, extra: \"{{{{ record.surcharge }}}}\" }}
actions:
  - id: look
    type: konnektive.query
    connection: crm
    find: customers
    by: {{ customerId: $.customerId }}
  - id: send
    type: http
    connection: sink{each}{when}
    json: {{ value: {value} }}
"
        )
    }

    fn found(&self, source: &str, filter: &str, when: &str, test: &str) -> Vec<Diagnostic> {
        let zap = self.zap(source, filter, when, test);
        let input = Input {
            project: file("zaprun.yaml", PROJECT),
            overlays: Vec::new(),
            zaps: vec![file("zaps/z.yaml", &zap)],
            tables: Vec::new(),
            env: None,
        };
        let loaded = load(&input, None);
        let project = loaded.project.as_ref().unwrap();
        let facts = ProjectFacts::of(&project.definition, &project.tree);
        let one = &loaded.zaps[0];
        let compiled = compile(one.definition.as_ref().unwrap(), one.tree.as_ref().unwrap(), &facts);
        // `let.extra` has a doubt of its own.
        let own = |finding: &Diagnostic| !finding.message.contains("record.surcharge` is null");
        loaded.conclude(compiled.diagnostics).into_iter().filter(own).collect()
    }
}

const CASES: &[Broken] = &[
    Broken { at: At::Body, source: "record.couponCode ~ '!'", label: "record.couponCode" },
    Broken {
        at: At::Body,
        source: "record.totalAmount + record.discountPrice",
        label: "record.discountPrice",
    },
    Broken { at: At::Body, source: "let.coupon | upper", label: "let.coupon" },
    Broken { at: At::Body, source: "record['items'][0].qty * 2", label: "record['items'][0].qty" },
    Broken { at: At::Body, source: "record['items'][0].name", label: "record['items'][0].name" },
    Broken {
        at: At::Body,
        source: "steps.look.response.row.emailAddress",
        label: "steps.look.response.row.emailAddress",
    },
    Broken {
        at: At::Body,
        source: "steps.look.response.rows[0].customerId",
        label: "steps.look.response.rows[0].customerId",
    },
    Broken { at: At::Element, source: "parcel.trackingNumber | lower", label: "parcel.trackingNumber" },
    Broken {
        at: At::Body,
        source: "not record.isDeclineSave and record.discountPrice > 1",
        label: "record.discountPrice",
    },
];

#[test]
fn what_a_hint_says_heals() {
    for case in CASES {
        let found = case.found(case.source, "", "", "");
        let doubt = found.iter().find(|finding| finding.message.starts_with(&format!("`{}`", case.label)));
        let Some(doubt) = doubt else { panic!("{}: {found:?}", case.source) };
        let help = doubt.help.as_deref().unwrap();
        let (written, pass) = help.split_once(", or let only those pass that have it: ").unwrap();
        let default = written.trim_start_matches("write `").trim_end_matches('`');
        let source = case.source.replace(case.label, &format!("({default})"));
        let left = case.found(&source, "", "", "");
        assert!(left.is_empty(), "{source}: {left:?}");
        let pass = pass.trim_matches('`');
        let left = match pass.split_once(": ").unwrap() {
            ("filter", _) => case.found(case.source, &format!("{pass}\n"), "", ""),
            ("when", _) => case.found(case.source, "", &format!("\n    {pass}"), ""),
            ("$if", condition) => case.found(case.source, "", "", condition),
            other => panic!("{other:?}"),
        };
        assert!(left.is_empty(), "{} with {pass}: {left:?}", case.source);
    }
}

/// An element of `each` is seen by `when`, and one of a loop in a text by the text alone.
#[test]
fn a_hint_names_a_key_that_sees_the_value() {
    let each = Broken { at: At::Each, source: "line.qty", label: "line.qty" };
    assert!(each.found(each.source, "", "", "").is_empty());
    let looped = "\"{% for parcel in record.fulfillments %}{{ parcel.trackingNumber }}{% endfor %}\"";
    let found = findings(&format!(
        "actions:\n  - id: send\n    type: http\n    connection: sink\n    json: {{ a: {looped}, b: $.nothing }}\n"
    ));
    let hint = found.iter().find(|finding| finding.contains("`parcel.trackingNumber`")).unwrap();
    assert!(hint.contains("`{% if parcel.trackingNumber is defined %}`"), "{hint}");
}
