//! A rehearsal and the engine send the same, and nothing of a test can reach a network.

use super::super::play;
use super::Bench;
use proptest::prelude::*;
use zaprun_core::rehearsal::{Did, End, Judged, Played, Rehearsal};

const ZAPS: [&str; 3] = [
    r#"
filter: "{{ record.totalAmount > 10 }}"
let: { who: "{{ record.firstName }}" }
actions:
  - { id: one, type: http, connection: sink, path: "orders/{{ record.orderId }}", json: { who: "{{ let.who }}", at: "{{ event.at }}", key: "{{ event.key }}", run: "{{ run.id }} {{ run.started_at }}", step: "{{ step.key }}" } }
  - { id: two, type: http, connection: sink, when: "{{ steps.one.outcome == 'done' and record.totalAmount > 50 }}", form: { total: $.totalAmount } }
"#,
    r#"
actions:
  - { id: one, type: http, connection: sink, each: "{{ record['items'] }}", json: { item: "{{ item.name }}", step: "{{ step.key }}" } }
  - { id: two, type: http, url: https://api.example.com/v1, delay: 2d, stop_if: "{{ response.status == 204 }}", text: "{{ steps.one['items'] | map(attribute='outcome') | join(',') }}" }
  - { id: three, type: http, connection: sink, json: { last: true } }
on_failure:
  - { id: alarm, type: http, connection: sink, json: { why: "{{ failure.reason }}", step: "{{ failure.step }}" } }
"#,
    r#"
actions:
  - { id: one, type: konnektive.update_customer, connection: crm, continue_on_error: true, map: { customerId: $.customerId, firstName: $.firstName } }
  - { id: two, type: http, connection: sink, json: { then: "{{ steps.one.outcome }}" } }
on_failure:
  - { id: alarm, type: http, connection: sink, json: { why: "{{ failure.reason }}" } }
"#,
];

/// Steps as people would compare them: what each sent, or why it did not.
fn shown(rehearsal: &Rehearsal) -> Vec<String> {
    rehearsal
        .steps
        .iter()
        .map(|step| match &step.did {
            Did::Skipped { .. } => format!("{} skipped", step.id),
            Did::Broken(error) | Did::Unknown(error) => format!("{} {error}", step.id),
            Did::Sent(sent) => {
                let sent: Vec<String> = sent
                    .iter()
                    .map(|sent| format!("{:?} {:?} {:?}", sent.element, sent.request, sent.refused))
                    .collect();
                format!("{} {}", step.id, sent.join("\n"))
            }
        })
        .collect()
}

fn replies() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        3 => Just("{}"),
        1 => Just("{ one: {}, two: { status: 204 } }"),
        1 => Just("{ one: { refused: not today }, two: {} }"),
        1 => Just("{ two: { status: 422 } }"),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// Whatever the record, as long as nothing is answered that a run would try again.
    #[test]
    fn a_rehearsal_and_the_engine_send_the_same(
        zap in 0..ZAPS.len(), first in proptest::option::of("\\PC{0,6}"), cents in 0_u32..9_000, items in 0_usize..4,
        replies in replies(),
    ) {
        let name = first.map_or_else(|| "null".to_owned(), |first| serde_json::to_string(&first).unwrap());
        let item = |at: usize| format!(r#"{{"productId":{at},"name":"Item {at}"}}"#);
        let items: Vec<String> = (0..items).map(item).collect();
        let record = format!(
            r#"{{"orderId":"A1","orderStatus":"COMPLETE","orderType":"NEW_SALE","dateCreated":"2026-09-16 14:25:31",
            "customerId":7,"firstName":{name},"totalAmount":"{}.{:02}","items":[{}]}}"#,
            cents / 100, cents % 100, items.join(","),
        );
        let head = "name: z\ntrigger: { type: konnektive.orders, connection: crm, order_type: new_sale }";
        let tests = format!("tests: [{{ name: a, record: sale.json, replies: {replies}, expect: filtered }}]\n");
        let bench = Bench::new(&format!("{head}{}{tests}", ZAPS[zap]), &record);
        prop_assert_eq!(bench.findings(), "");
        let zap = bench.zap.as_ref().unwrap();
        let rehearsed = bench.cases[0].rehearsed(zap).unwrap();
        let played = play(&bench.cases[0], zap);
        let [Played::Run(ran)] = played.as_slice() else { panic!("{played:?}") };
        prop_assert_eq!(shown(&rehearsed), shown(&ran.rehearsal));
        match &rehearsed.end {
            End::Delivered => prop_assert_eq!(ran.judged, Judged::Delivered),
            End::Filtered { why } => {
                prop_assert_eq!(ran.judged, Judged::Filtered);
                // A run says with which values, too.
                let filter = why.trim_start_matches("{{ ").trim_end_matches(" }}");
                prop_assert!(ran.detail.starts_with(&format!("{filter}, where record.")), "{}", ran.detail);
            }
            End::Dead(failure) => {
                prop_assert_eq!((ran.judged, &failure.reason), (Judged::Dead, &ran.detail));
                let End::Dead(other) = &ran.rehearsal.end else { panic!("{ran:?}") };
                prop_assert_eq!(&failure.step, &other.step);
            }
        }
    }
}

/// The crate in which tests run knows no adapter, and opens no socket and no file by itself.
#[test]
fn no_test_can_reach_a_network() {
    let manifest = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
    let (_, dependencies) = manifest.split_once("[dependencies]").unwrap();
    let (dependencies, _) = dependencies.split_once("[dev-dependencies]").unwrap();
    for adapter in ["zaprun-http", "zaprun-konnektive", "zaprun-webhooks", "reqwest", "hyper", "rustls"] {
        assert!(!dependencies.contains(adapter), "{adapter}");
    }
    let src = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    let mut folders = vec![src.to_owned()];
    let mut read = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.strip_prefix(src).unwrap().components().any(|part| part.as_os_str() == "tests") {
                let text = std::fs::read_to_string(&path).unwrap();
                for door in ["std::net", "tokio::net", "std::fs", "std::process", "TcpStream", "UdpSocket"] {
                    assert!(!text.contains(door), "{} uses {door}", path.display());
                }
                read += 1;
            }
        }
    }
    assert!(read > 40);
}
