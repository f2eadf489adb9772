//! What is known of values before there are any.

use super::testing::row_scope;
use super::{Condition, Names, Shape, Text, Type};
use crate::record::{Class, LEAD, ORDER, TRANSACTION};
use crate::value::Kind;

/// An order, and a step that may have been skipped.
fn names() -> Names {
    let response = Type::any().with_gap(super::Gap::Step("look".into()));
    let step = Shape::members([("outcome", Type::scalar(Kind::Text)), ("response", response)]);
    Names::new()
        .with("record", Shape::Record(&ORDER))
        .with("vars", Shape::Any)
        .with("steps", Shape::members([("look", step)]))
}

/// The parts of a text that may be missing.
fn doubted(source: &str) -> Vec<String> {
    doubted_of(source, &names())
}

fn doubted_of(source: &str, names: &Names) -> Vec<String> {
    let text = Text::compile(source, names).unwrap_or_else(|problems| panic!("{source}: {problems:?}"));
    let part = |range: std::ops::Range<usize>| source.get(range).unwrap_or("?").to_owned();
    text.doubts().into_iter().map(|doubt| part(doubt.range)).collect()
}

#[test]
fn what_may_be_missing_is_doubted_where_that_is_an_error() {
    for (source, at) in [
        ("{{ record.address2 }}", "record.address2"),
        ("to {{ record.address2 }}!", "record.address2"),
        ("{{ record.address2 | upper }}", "record.address2"),
        ("{{ record.orderId ~ record.address2 }}", "record.address2"),
        ("{{ record.surcharge + 1 }}", "record.surcharge"),
        ("{{ -record.surcharge }}", "record.surcharge"),
        ("{{ record.surcharge > 1 }}", "record.surcharge"),
        ("{{ 1 < record.surcharge < 2 }}", "record.surcharge"),
        ("{{ 'a' in record.address2 }}", "record.address2"),
        ("{{ record.orderId | replace('A', record.address2) }}", "record.address2"),
        ("{{ record.address2 is startingwith 'x' }}", "record.address2"),
        ("{{ record.address2[0:2] }}", "record.address2"),
        (
            "{{ record.companyName | default(record.address2) }}",
            "record.companyName | default(record.address2)",
        ),
        (
            "{{ record.address2 if record.orderType == 'NEW_SALE' else 'x' }}",
            "record.address2 if record.orderType == 'NEW_SALE' else 'x'",
        ),
        ("{{ steps.look.response.body.id }}", "steps.look.response.body.id"),
        ("{{ record.orderId | regex_search('A') }}", "record.orderId | regex_search('A')"),
        ("{% set x = record.address2 %}{{ x }}", "x"),
        ("{{ record['items'][0].productSku }}", "record['items'][0].productSku"),
        (
            "{{ (record['items'] | selectattr('qty') | first).name }}",
            "record['items'] | selectattr('qty') | first).name",
        ),
        (
            "{{ record.surcharge if (record.surcharge | default(1)) > 0 else 0 }}",
            "record.surcharge if (record.surcharge | default(1)) > 0 else 0",
        ),
    ] {
        assert!(doubted(source).iter().any(|part| part == at), "{source}: {:?}", doubted(source));
    }
}

#[test]
fn what_is_there_or_asked_for_is_not_doubted() {
    for source in [
        "{{ record.orderId }}",
        "{% for f in record.fulfillments %}{% endfor %}",
        "{{ record.address2 | default('') }}",
        "{{ record.companyName | default(record.address2) | default('') }}",
        "{{ record.address2 == 'x' }}",
        "{{ record.address2 in ['x', 'y'] }}",
        "{{ record.address2 is defined }}",
        "{{ not record.isDeclineSave }}",
        "{{ record.address2 if record.address2 else '' }}",
        "{{ record.address2 if record.address2 is defined else '' }}",
        "{{ '' if record.address2 is none else record.address2 }}",
        "{{ '' if not record.address2 else record.address2 }}",
        "{{ record.address2 | upper if record.address2 == 'a' or record.address2 == 'b' else '' }}",
        "{{ record.address2 is defined and record.address2 | length > 3 }}",
        "{{ record.address2 is none or record.address2 | length > 3 }}",
        "{{ record.address2 | upper if record.address2 != none and record.companyName != none else '' }}",
        "{% if record.address2 %}{{ record.address2 }}{% endif %}",
        "{% if record.address2 is none %}-{% else %}{{ record.address2 }}{% endif %}",
        "{% for item in record['items'] if item.clientId %}{{ item.clientId }}{% endfor %}",
        "{{ vars.anything }}",
        "{{ record['items'][0].productSku if record['items'] else '' }}",
        "{{ record['items'][-1].productSku if record['items'] | length > 0 else '' }}",
        "{{ (record['items'] | first).productSku if record['items'] else '' }}",
        "{{ record['items'][0].productSku | default('') }}",
        "{{ (record.emailAddress | split('@'))[0] }}",
        "{{ record.address2 if record.address2 | default('') != '' else '' }}",
        "{{ record.address2 if record.address2 | default('') | trim | length > 2 else '' }}",
        "{{ record.surcharge if (record.surcharge | default(0)) > 0 else 0 }}",
        "$.address2",
        "$.items[*].name",
    ] {
        assert_eq!(doubted(source), [""; 0], "{source}");
    }
}

/// After a comparison that fails on what is missing, it is there.
#[test]
fn one_use_that_is_an_error_is_enough() {
    assert_eq!(doubted("{{ record.surcharge if record.surcharge > 1 else 0 }}"), ["record.surcharge"]);
}

#[test]
fn the_other_branch_knows_the_opposite() {
    for source in [
        "{{ '' if record.address2 else record.address2 }}",
        "{{ record.address2 is defined or record.address2 | length > 3 }}",
        "{{ record.address2 | upper if record.address2 is defined or record.city else '' }}",
        "{{ record.address2 | upper if record.address2 != 'x' else '' }}",
        "{% if record.address2 %}{% else %}{{ record.address2 }}{% endif %}",
        "{% if record.address2 %}{% endif %}{{ record.address2 }}",
    ] {
        assert_ne!(doubted(source), [""; 0], "{source}");
    }
}

#[test]
fn conditions_hold_for_what_follows() {
    let holds = |condition: &str| names().given(Condition::compile(condition, &names()).unwrap().given());
    for (condition, sure) in [
        ("{{ record.address2 is defined }}", true),
        ("{{ record.address2 == 'x' and record.orderId == 'y' }}", true),
        ("{{ record.address2 is defined and record.companyName is defined }}", true),
        ("{{ record.address2 is defined or record.companyName is defined }}", false),
        ("{{ record.address2 is none }}", false),
        ("{{ not (record.address2 is none) }}", true),
        ("{{ record.companyName is defined }}", false),
    ] {
        let doubts = doubted_of("{{ record.address2 }}", &holds(condition));
        assert_eq!(doubts.is_empty(), sure, "{condition}");
    }
    let done = holds("{{ steps.look.response is defined }}");
    assert_eq!(doubted_of("{{ steps.look.response.body.id }}", &done), [""; 0]);
    for (condition, sure) in [
        ("{{ steps.look.outcome == 'done' }}", true),
        ("{{ 'done' == steps.look.outcome and record.orderType == 'NEW_SALE' }}", true),
        ("{{ not (steps.look.outcome != 'done') }}", true),
        ("{{ steps.look.outcome != 'done' }}", false),
        ("{{ steps.look.outcome == 'failed' }}", false),
        ("{{ vars.outcome == 'done' }}", false),
    ] {
        assert_eq!(
            doubted_of("{{ steps.look.response }}", &holds(condition)).is_empty(),
            sure,
            "{condition}"
        );
    }
    assert_eq!(doubted("{{ steps.look.response.body.id if steps.look.outcome == 'done' else 0 }}"), [""; 0]);
    // A name that is bound anew is another value.
    let again = done.with("record", Shape::Record(&TRANSACTION));
    assert_eq!(doubted_of("{{ record.address2 }}", &again), ["record.address2"]);
}

#[test]
fn a_lead_lacks_more_than_an_order() {
    let lead = Names::new().with("record", Shape::Record(&LEAD));
    assert_eq!(doubted("{{ record.emailAddress }}"), [""; 0]);
    assert_eq!(doubted_of("{{ record.emailAddress }}", &lead), ["record.emailAddress"]);
}

#[test]
fn words_that_never_come_are_doubted() {
    for (source, word) in [
        ("{{ record.orderStatus == 'Complete' }}", "'Complete'"),
        ("{{ 'PARTAIL' != record.orderStatus }}", "'PARTAIL'"),
        ("{{ record.orderStatus in ['COMPLETE', 'SHIPPED'] }}", "'SHIPPED'"),
        ("{{ record.orderStatus is eq('x') }}", "'x'"),
        ("{{ record.orderStatus | lower == 'COMPLETE' }}", "'COMPLETE'"),
        ("{{ record.orderStatus | trim | lower in ['complete', 'PARTIAL'] }}", "'PARTIAL'"),
        ("{{ record['items'] | selectattr('productType', 'eq', 'UPSELL') | list }}", "'UPSELL'"),
        ("{{ record.orderStatus == 'COMPLETE' and record.orderStatus == 'PARTIAL' }}", "'PARTIAL'"),
        ("{{ record.orderStatus != 'COMPLETE' and record.orderStatus == 'COMPLETE' }}", "'COMPLETE'"),
    ] {
        assert_eq!(doubted(source), [word], "{source}");
    }
    assert_eq!(doubted("{{ record.orderStatus == 'COMPLETE' or record.paySource == 'PREPAID' }}"), [""; 0]);
}

/// What a text carries: class and names.
fn carried(source: &str) -> String {
    let text = Text::compile(source, &names()).unwrap_or_else(|problems| panic!("{source}: {problems:?}"));
    let carried = text.of().all_carried();
    let names = |class| carried.of(class).collect::<Vec<_>>().join(" ");
    format!("{}|{}|{}", names(Class::Personal), names(Class::Card), names(Class::Secret))
}

#[test]
fn what_is_of_a_person_stays_so_on_its_way() {
    for (source, names) in [
        ("{{ record.orderId }}", "||"),
        ("{{ record.firstName }}", "firstName||"),
        ("Dear {{ record.firstName }} {{ record.lastName }}", "firstName lastName||"),
        ("{{ record.emailAddress | norm_email }}", "emailAddress||"),
        ("{{ record.emailAddress | sha256 }}", "||"),
        ("{{ record.emailAddress | length }}", "||"),
        ("{{ record.emailAddress == 'a' }}", "||"),
        ("{{ [record.firstName, record.orderId] | join(' ') }}", "firstName||"),
        ("{{ {'a': record.cardLast4} | tojson }}", "|cardLast4|"),
        ("{{ {'a': record.cardLast4}.a }}", "|cardLast4|"),
        ("{{ record.orderId | default(record.firstName) }}", "firstName||"),
        ("{{ record.orderId | replace('A', record.firstName) }}", "firstName||"),
        ("{{ record.firstName if record.orderType == 'NEW_SALE' else 'x' }}", "firstName||"),
        ("{{ record['items'] | map(attribute='name') | join }}", "||"),
        (
            "{% for item in record['items'] %}{{ item.name }}{% endfor %}{{ record.achAccountNumber | default('') }}",
            "||achAccountNumber",
        ),
        ("{% set x = record.firstName %}{{ x }}", "firstName||"),
        ("$.emailAddress", "emailAddress||"),
        ("$..achAccountNumber", "name emailAddress"),
        ("{{ record | tojson }}", "name emailAddress"),
        ("{{ record | jsonpath('$.emailAddress') }}", "emailAddress||"),
        ("{{ record | jsonpath('$.orderId') }}", "||"),
    ] {
        let found = carried(source);
        assert!(
            if names.contains('|') { found == names } else { found.starts_with(names) },
            "{source}: {found}"
        );
    }
}

#[test]
fn the_length_of_a_text_is_known_where_it_follows() {
    let (names, _) = row_scope("{}");
    let bounds = |source: &str| {
        let of = Text::compile(source, &names).unwrap().of();
        (of.text.min, of.text.max)
    };
    assert_eq!(bounds("abc"), (3, Some(3)));
    assert_eq!(bounds("abc {{ record.orderId }}"), (4, None));
    assert_eq!(bounds("{{ record.orderId | truncate_chars(30) }}"), (0, Some(30)));
    assert_eq!(bounds("{{ 'ab' if record.isTest else 'abcd' }}"), (2, Some(4)));
    assert_eq!(bounds("{% if record.isTest %}ab{% else %}abcd{% endif %}!"), (3, Some(5)));
}
