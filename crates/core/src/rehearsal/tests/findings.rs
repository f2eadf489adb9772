//! What is wrong with a test is a finding at its place.

use super::*;

const ZAP: &str = r#"
actions:
  - { id: notify, type: http, connection: sink, json: { order: $.orderId } }
  - { id: note, type: konnektive.add_note, connection: crm, map: { customerId: "7", message: x } }
"#;

#[test]
fn every_mistake_has_its_place() {
    let told = bench(&format!(
        r#"{ZAP}
tests:
  - name: no record
    expect: {{ notify: done }}
  - {{ name: no expectation, record: fixtures/sale.json }}
  - {{ name: unknown key, recrod: fixtures/sale.json, record: fixtures/sale.json, expect: {{ notify: done }} }}
  - {{ name: no such file, record: fixtures/sales.json, expect: {{ notify: done }} }}
  - {{ name: no such file again, record: {{ $from: fixtures/sales.json }}, expect: {{ notify: done }} }}
  - {{ name: outside, record: ../../../etc/passwd.json, expect: {{ notify: done }} }}
  - {{ name: absolute, record: /etc/passwd.json, expect: {{ notify: done }} }}
  - {{ name: another kind of file, record: fixtures/sale.csv, expect: {{ notify: done }} }}
  - {{ name: broken, record: fixtures/broken.json, expect: {{ notify: done }} }}
  - {{ name: broken yaml, record: fixtures/broken.yaml, expect: {{ notify: done }} }}
  - {{ name: a list, record: {{ $from: fixtures/list.json, a: 1 }}, expect: {{ notify: done }} }}
  - {{ name: near, record: {{ $form: fixtures/sale.json, $remove: [cuoponCode] }}, expect: {{ notify: done }} }}
  - {{ name: nothing to take out, record: {{ $from: fixtures/sale.json, $remove: [cuoponCode, 1] }}, expect: {{ notify: done }} }}
  - {{ name: unknown step, record: fixtures/sale.json, expect: {{ notfy: done }}, replies: {{ nobody: {{}} }} }}
  - {{ name: unknown word, record: fixtures/sale.json, expect: {{ notify: sent }} }}
  - {{ name: unknown words, record: fixtures/sale.json, expect: sent }}
  - {{ name: unknown part, record: fixtures/sale.json, expect: {{ notify: {{ jsn: {{}} }} }} }}
  - {{ name: parts of another kind, record: fixtures/sale.json, expect: {{ notify: {{ map: {{}} }}, note: {{ json: {{}}, each: [] }} }} }}
  - {{ name: both, record: fixtures/sale.json, expect: {{ notify: {{ skipped: true, json: {{}} }} }} }}
  - {{ name: not skipped, record: fixtures/sale.json, expect: {{ notify: {{ skipped: false }} }} }}
  - {{ name: replies, record: fixtures/sale.json, expect: {{ notify: done }},
      replies: {{ notify: {{ statsu: 200 }}, note: [{{}}] }} }}
  - {{ name: values of replies, record: fixtures/sale.json, expect: {{ notify: done }}, replies: {{ notify: {{ status: 1000 }}, note: {{ refused: 1 }} }} }}
  - {{ name: of other triggers, record: fixtures/sale.json, at: "2026-09-16T08:00:00Z", headers: {{}}, query: {{}}, expect: {{ notify: done }} }}
  - {{ name: no instant, record: fixtures/sale.json, event: {{ at: "2026-02-30T08:00:00Z" }}, expect: {{ notify: done }} }}
  - {{ name: unknown var, record: fixtures/sale.json, vars: {{ chanel: x }}, expect: {{ notify: done }} }}
  - {{ name: unknown var, record: fixtures/sale.json, expect: {{ notify: done }} }}
"#
    ));
    let told = Bench::new(
        &format!(
            "name: z\ntrigger: {{ type: konnektive.orders, connection: crm, order_type: new_sale }}\n{}",
            {
                let text = told
                    .loaded
                    .sources
                    .files()
                    .find(|(_, file)| file.path.ends_with("z.yaml"))
                    .unwrap()
                    .1
                    .text
                    .clone();
                text.split_once("new_sale }\n").unwrap().1.to_owned()
            }
        ),
        &[],
        &[
            ("zaps/shop/fixtures/broken.json", "{\n  \"orderId\": }\n"),
            ("zaps/shop/fixtures/broken.yaml", "orderId: [\n"),
            ("zaps/shop/fixtures/list.json", "[1]"),
        ],
    )
    .findings();
    insta::assert_snapshot!(told, @r"
    zaps/shop/z.yaml:9:11 ZR0203 the test has no `record` | write `record:` with a map, or the path of a file beside this one
    zaps/shop/z.yaml:11:7 ZR0203 member 2 of `tests` has no `expect` | add `expect:`
    zaps/shop/z.yaml:12:26 ZR0202 unknown key `recrod` | did you mean `records`?
    zaps/shop/z.yaml:13:35 ZR0902 zaps/shop/fixtures/sales.json cannot be read: no such file or directory
    zaps/shop/z.yaml:14:50 ZR0902 zaps/shop/fixtures/sales.json cannot be used
    zaps/shop/z.yaml:15:30 ZR0902 `../../../etc/passwd.json` leads out of the project | write a path from the folder of this file to a file of the project
    zaps/shop/z.yaml:16:31 ZR0902 `/etc/passwd.json` leads out of the project | write a path from the folder of this file to a file of the project
    zaps/shop/z.yaml:17:43 ZR0902 zaps/shop/fixtures/sale.csv is neither .json nor .yaml | a record is a JSON or YAML file
    zaps/shop/z.yaml:20:38 ZR0902 fixtures/list.json holds a list, over which no keys can be laid
    zaps/shop/z.yaml:21:29 ZR0704 `$form` is nearly `$from` | did you mean `$from`?
    zaps/shop/z.yaml:21:66 ZR0902 there is no `cuoponCode` to take out
    zaps/shop/z.yaml:22:81 ZR0902 there is no `cuoponCode` to take out | did you mean `couponCode`?
    zaps/shop/z.yaml:22:93 ZR0201 `$remove` takes the names of members | write a list of names: $remove: [couponCode]
    zaps/shop/z.yaml:23:65 ZR0903 `z` has no step `notfy` | did you mean `notify`?
    zaps/shop/z.yaml:23:91 ZR0903 `z` has no step `nobody` | its steps are `notify` and `note`
    zaps/shop/z.yaml:24:73 ZR0205 `notify` cannot be `sent` | write done, skipped, or what is sent: { json: { … } }
    zaps/shop/z.yaml:25:64 ZR0205 `expect` cannot be `sent` | write filtered, ignored, or what each step sends: notify: { json: { … } }
    zaps/shop/z.yaml:26:75 ZR0202 unknown key `jsn` | did you mean `json`?
    zaps/shop/z.yaml:27:84 ZR0904 the step is an http request, which has no `map` | it takes `method`, `url`, `path`, `query`, `headers`, `json`, `form` and `text`
    zaps/shop/z.yaml:27:103 ZR0904 the step is a write to the CRM, which has no `json` | it takes `map` and `lead`
    zaps/shop/z.yaml:27:113 ZR0904 the step has no `each` | write what is sent without it
    zaps/shop/z.yaml:28:82 ZR0209 `skipped` and `json` exclude each other (zaps/shop/z.yaml:28:67 `skipped` is here)
    zaps/shop/z.yaml:29:83 ZR0204 `skipped` can only be true | write true
    zaps/shop/z.yaml:31:28 ZR0202 a reply to an http request has no `statsu` | did you mean `status`?
    zaps/shop/z.yaml:32:115 ZR0201 `status` of a reply takes an HTTP status
    zaps/shop/z.yaml:32:140 ZR0201 `refused` of a reply takes text
    zaps/shop/z.yaml:33:64 ZR0905 `at` says nothing to a zap with a trigger of type konnektive.orders | remove it; such a test takes `record` and `fresh`
    zaps/shop/z.yaml:33:97 ZR0905 `headers` says nothing to a zap with a trigger of type konnektive.orders | remove it; such a test takes `record` and `fresh`
    zaps/shop/z.yaml:33:108 ZR0905 `query` says nothing to a zap with a trigger of type konnektive.orders | remove it; such a test takes `record` and `fresh`
    zaps/shop/z.yaml:34:66 ZR0205 `2026-02-30T08:00:00Z` is not an instant | write a time and its offset: 2026-09-16T14:00:00-04:00, or Z for UTC
    zaps/shop/z.yaml:35:62 ZR0906 the project has no var `chanel` | did you mean `channel`?
    zaps/shop/z.yaml:36:13 ZR0907 another test of `z` is called so | give one of the two another name
    zaps/shop/fixtures/broken.json:2:14 ZR0902 zaps/shop/fixtures/broken.json is not JSON: unexpected character (zaps/shop/z.yaml:18:29 the test that reads it)
    zaps/shop/fixtures/broken.yaml:1:10 ZR0104 a `[` is opened here and never closed | close the bracket, or put text that begins with it in quotes (zaps/shop/z.yaml:19:34 the test that reads it)
    ");
}

#[test]
fn a_broken_test_hides_neither_the_others_nor_the_zap() {
    let bench = bench(&format!(
        "{ZAP}tests:\n  - {{ name: broken, expect: 1 }}\n  - {{ name: fine, record: fixtures/sale.json, expect: {{ notify: done }} }}\n"
    ));
    assert!(bench.zap.is_some());
    assert_eq!(bench.cases.iter().map(|case| case.name.as_str()).collect::<Vec<_>>(), ["fine"]);
}

#[test]
fn files_of_tests_have_findings_too() {
    let head = "name: z\ntrigger: { type: konnektive.orders, connection: crm, order_type: new_sale }\n";
    let files = [
        ("zaps/shop/a.test.yaml", "zap: y\ntests: []\n"),
        ("zaps/shop/b.test.yaml", ""),
        ("zaps/shop/c.test.yaml", "zap: z\ntests:\n  - { name: a, record: {}, expct: filtered }\n"),
        ("zaps/shop/d.test.yaml", "tests: [\n"),
        (
            "zaps/shop/e.test.yaml",
            "zap: z\ntests:\n  - { name: a, record: { zip: 01234 }, expect: filtered } # zaprun: ignore ZR0114 -- it is text\n",
        ),
        (
            "zaps/shop/f.test.yaml",
            "zap: z\ntests:\n  - { name: a, record: { token: xoxb-1234567890-abc }, expect: filtered }\n",
        ),
    ];
    let told = Bench::new(&format!("{head}{ZAP}"), &files, &[]).findings();
    insta::assert_snapshot!(told, @r"
    zaps/shop/a.test.yaml:1:6 ZR0305 there is no zap `y`
    zaps/shop/b.test.yaml:1:1 ZR0103 zaps/shop/b.test.yaml is empty | write `zap:` with the name of a zap and `tests:`, or remove the file
    zaps/shop/c.test.yaml:3:28 ZR0202 unknown key `expct` | did you mean `expect`?
    zaps/shop/d.test.yaml:1:8 ZR0104 a `[` is opened here and never closed | close the bracket, or put text that begins with it in quotes
    zaps/shop/f.test.yaml:3:13 ZR0907 another test of `z` is called so | give one of the two another name
    zaps/shop/f.test.yaml:3:33 ZR0605 this looks like a secret in plain | let a connection in zaprun.yaml carry it: `auth:`, `headers:` or its address
    ");
}

#[test]
fn words_of_tests_say_nothing_in_fixtures() {
    let head = "name: z\ntrigger: { type: konnektive.orders, connection: crm, order_type: new_sale }";
    let told = |path: &str, text: &str| {
        let test = format!("tests:\n  - {{ name: a, record: {path}, expect: ignored }}\n");
        Bench::new(&format!("{head}{ZAP}{test}"), &[], &[(&format!("zaps/shop/{path}"), text)]).findings()
    };
    insta::assert_snapshot!(told("fixtures/over.yaml", "a: 1\nb:\n  $from: sale.json\n"), @"zaps/shop/fixtures/over.yaml:3:3 ZR0902 `$from` lays nothing over anything in a file of its own | write it in the test; in a .json file it is a member like any other (zaps/shop/z.yaml:7:24 the test that reads it)");
    assert_eq!(told("fixtures/over.json", r#"{"b":{"$from":"sale.json"}}"#), "");
}
