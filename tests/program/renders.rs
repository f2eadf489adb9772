//! `zaprun render`: a record's requests, and what of the zap made each part.

use crate::harness::{BUYERS, Lab, SALES, shown};

const SALE: &str = r#"{"orderId":"A1","orderStatus":"COMPLETE","orderType":"NEW_SALE","totalAmount":"49.90",
  "campaignId":7,"emailAddress":"ada@example.test","firstName":"Ada","lastName":"L","items":{"9":{"productId":9,"name":"Kit","qty":"1","price":"49.90"}}}"#;

/// Two steps, the second of which reads what the first was answered.
const TWO: &str = r#"name: two
trigger: { type: konnektive.orders, connection: crm, order_type: new_sale }
filter: "{{ record.totalAmount > 20 }}"
actions:
  - id: first
    type: http
    connection: api
    path: "orders/{{ record.orderId }}"
    json:
      channel: "{{ vars.channel }}"
      name: { $if: "{{ record.firstName is defined }}", $then: $.firstName, $else: nobody }
  - id: second
    type: http
    connection: api
    text: "got {{ steps.first.response.body.id }}"
tests:
  - name: both
    record: fixtures/sale.json
    replies: { first: { body: { id: 5 } } }
    expect: { second: { text: got 5 } }
"#;

fn lab() -> Lab {
    let lab = Lab::new(&[SALES, BUYERS]);
    lab.write("zaps/two.yaml", TWO);
    lab.write("zaps/fixtures/sale.json", SALE);
    lab
}

#[test]
fn each_part_is_shown_with_what_made_it() {
    let lab = lab();
    let ran = lab.zaprun(&["render", "sales", "--record", "zaps/fixtures/sale.json"]).expect(0);
    insta::assert_snapshot!(shown(&ran.all()), @r#"
    --- stdout
    sales new_sale:A1
      post
        POST {api}/sales?campaign=7
        idempotency key KEY
        X-Order: order A1
        content-type: application/json
        {
          "order": "A1",
          "total": 49.90,
          "email": "ada@example.test",
          "fixed": 19.90,
          "items": [
            {
              "product": "9",
              "name": "Kit",
              "qty": 1,
              "price": 49.90
            }
          ]
        }

        made by zaps/sales.yaml
         7  path                   sales
        10  query.campaign         7                   $.campaignId
         9  headers.X-Order        order A1            "order {{ record.orderId }}"
        12  json.order             "A1"                $.orderId
        13  json.total             49.90               "{{ record.totalAmount }}"
        14  json.email             "ada@example.test"  $.emailAddress
        15  json.fixed             19.90
        18  json.items[0].product  "9"                 "{{ item.productId }}"
        18  json.items[0].name     "Kit"               "{{ item.name }}"
        18  json.items[0].qty      1                   "{{ item.qty }}"
        18  json.items[0].price    49.90               "{{ item.price }}"

    --- stderr
    "#);
    let ran = lab.zaprun(&["render", "two", "--record", "zaps/fixtures/sale.json"]).expect(0);
    insta::assert_snapshot!(shown(&ran.all()), @r##"
    --- stdout
    two new_sale:A1
      first
        POST {api}/orders/A1
        idempotency key KEY
        content-type: application/json
        {
          "channel": "#orders",
          "name": "Ada"
        }

        made by zaps/two.yaml
         8  path          orders/A1  "orders/{{ record.orderId }}"
        10  json.channel  "#orders"  "{{ vars.channel }}"
        11  json.name     "Ada"      $.firstName
      second  depends on the answer of `first`
        hint: a test of the zap can give it: `replies:`, then `--test NAME`

    --- stderr
    "##);
    let ran = lab.zaprun(&["render", "two", "--test", "both"]).expect(0).says("got 5");
    assert!(!ran.all().contains("depends on"), "{}", ran.all());
    assert!(lab.received().is_empty() && lab.crm().crm_count() == 0, "nothing is asked and nothing is sent");
}

#[test]
fn machines_get_the_places_too() {
    let lab = lab();
    let told = lab.zaprun(&["render", "buyers", "--record", "zaps/fixtures/sale.json", "--format", "json"]);
    let told = told.expect(0).json();
    let step = &told["records"][0]["steps"][0];
    assert_eq!(step["requests"][0]["request"]["body"], "email=ada%40example.test&name=Ada+%26+L");
    let parts = step["requests"][0]["parts"].as_array().unwrap();
    let name = parts.iter().find(|part| part["part"] == "form.name").unwrap();
    assert_eq!(name["value"], "Ada & L");
    assert_eq!((&name["file"], &name["line"]), (&"zaps/buyers.yaml".into(), &9.into()));
    assert_eq!(name["written"], r#""{{ record.firstName }} & {{ record.lastName }}""#);
    assert_eq!(told["records"][0]["outcome"], "delivered");
}

#[test]
fn what_sends_nothing_and_what_fails_say_why() {
    let lab = lab();
    let small = SALE.replace("49.90\",\n", "4.90\",\n");
    lab.write("small.json", &small);
    lab.write("lead.yaml", "orderId: A1\norderStatus: PARTIAL\n");
    lab.write("bare.json", r#"[{"orderId":"A1","orderStatus":"COMPLETE","orderType":"NEW_SALE"}]"#);
    lab.write("broken.json", "{\"orderId\": \n");
    let ran = |zap: &str, file: &str, code| lab.zaprun(&["render", zap, "--record", file]).expect(code).all();
    let told = [
        ran("two", "small.json", 0),
        ran("two", "lead.yaml", 0),
        ran("sales", "bare.json", 1),
        ran("two", "bare.json", 1),
        ran("two", "broken.json", 2),
        ran("tow", "bare.json", 2),
        ran("two", "nowhere.json", 2),
    ];
    insta::assert_snapshot!(shown(&told.join("")), @r#"
    --- stdout
    two new_sale:A1
      the filter says no: nothing is sent
          zaps/two.yaml:3:9
            "{{ record.totalAmount > 20 }}"

    --- stderr
    --- stdout
    two a record
      the trigger does not take it: it is not what `new_sale` is about

    --- stderr
    --- stdout
    sales new_sale:A1
      post  fails: `$.campaignId` is missing
          zaps/sales.yaml:10:24
            $.campaignId
          hint: write `{{ record.… | default(…) }}`
      the run would be given up

    --- stderr
    --- stdout
    two new_sale:A1
      the run would be given up: `record.totalAmount` is missing
          zaps/two.yaml:3:9
            "{{ record.totalAmount > 20 }}"
          hint: give it a value with `| default(…)`, or ask `is defined`

    --- stderr
    --- stdout

    --- stderr
    error[ZR0101]: it is not JSON: unexpected end
     --> broken.json:2:1
      |
    2 |
      | ^
    error: broken.json holds no record that can be read
    --- stdout

    --- stderr
    error: there is no zap `tow`
    hint: zaps are the .yaml files under zaps/; `name:` is what they are called by
    --- stdout

    --- stderr
    error: nowhere.json cannot be read: no such file or directory
    "#);
}

#[test]
fn a_run_is_shown_as_it_was_sent() {
    let lab = Lab::new(&[SALES, BUYERS]);
    let order = lab.sales(1).remove(0);
    lab.once(0);
    let run = lab.runs().into_iter().find(|run| run["zap"] == "sales").unwrap();
    let id = run["id"].to_string();
    let told = lab.zaprun(&["render", "sales", "--run", &id, "--format", "json"]).expect(0).json();
    let request = &told["records"][0]["steps"][0]["requests"][0]["request"];
    let sent = lab.received().into_iter().find(|sent| sent.path.ends_with("/sales")).unwrap();
    assert_eq!(request["body"].as_str().unwrap().as_bytes(), &*sent.body);
    assert_eq!(request["idempotency_key"].as_str(), sent.header("idempotency-key"));
    assert_eq!(told["records"][0]["event"], format!("new_sale:{order}"));
    lab.zaprun(&["render", "sales", "--run", "999"]).expect(1).says("there is no run 999");
}

#[test]
fn a_zap_with_errors_is_not_rendered() {
    let lab = lab();
    lab.write("zaps/two.yaml", TWO.replace("record.orderId", "record.ordrId"));
    let ran = lab.zaprun(&["render", "two", "--record", "zaps/fixtures/sale.json"]).expect(1);
    ran.says("did you mean `orderId`?").says("`two` cannot be rendered: 1 error");
    // Another zap's errors do not matter.
    lab.zaprun(&["render", "sales", "--record", "zaps/fixtures/sale.json"]).expect(0);
}
