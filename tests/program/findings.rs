//! What validate finds, in each of its forms; and that this repository is what it says of itself.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::{Lab, Program, SALES};

/// A zap with a mistake of every kind.
const BROKEN: &str = r#"name: broken
trigger: { type: konnektive.orders, connection: crn, order_type: new_sail, every: 1s }
filter: "{{ record.totalAmout >= 20 }}"
actions:
  - id: post
    type: http
    connection: api
    methd: POST
    json:
      mail: "{{ record.emailAdress | lower }}"
      city: "{{ record.shipCity | uper }}"
      half: "{{ record.orderId "
      path: $.items[
      trap: {{ record.orderId }}
"#;

/// A valid zap with a warning at most, beside the broken ones.
fn broken() -> Lab {
    let lab = Lab::new(&[SALES]);
    lab.write("zaps/broken.yaml", BROKEN.replace("      trap: {{ record.orderId }}\n", ""));
    lab.write("zaps/trap.yaml", BROKEN);
    lab.write(
        "zaps/known.yaml",
        BROKEN
            .replace("name: broken", "name: known")
            .replace("connection: crn", "connection: crm")
            .replace("new_sail", "new_sale")
            .replace("    methd: POST\n", "")
            .replace("      trap: {{ record.orderId }}\n", ""),
    );
    lab
}

fn diagnostics(lab: &Lab) -> Vec<Value> {
    let report = lab.zaprun(&["validate", "--format", "json"]).expect(1).json();
    assert_eq!(report["valid"], false);
    report["diagnostics"].as_array().unwrap().clone()
}

/// The text that a finding points at.
fn pointed_at(lab: &Lab, finding: &Value) -> String {
    let text = std::fs::read_to_string(lab.path(finding["file"].as_str().unwrap())).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let at = |end: &str| {
        let place = &finding["range"][end];
        let number = |name: &str| usize::try_from(place[name].as_u64().unwrap()).unwrap() - 1;
        (number("line"), number("column"))
    };
    let ((line, from), (last, to)) = (at("start"), at("end"));
    let shown = lines.get(line).copied().unwrap_or("");
    if line == last { shown.get(from..to).unwrap_or("").to_owned() } else { format!("{}…", &shown[from..]) }
}

#[test]
fn every_finding_points_at_what_is_wrong() {
    let lab = broken();
    let told: Vec<String> = diagnostics(&lab)
        .iter()
        .map(|finding| {
            let start = &finding["range"]["start"];
            format!(
                "{}:{}:{} {} `{}` {}",
                finding["file"].as_str().unwrap(),
                start["line"],
                start["column"],
                finding["code"].as_str().unwrap(),
                pointed_at(&lab, finding),
                finding["message"].as_str().unwrap(),
            )
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    zaps/broken.yaml:2:49 ZR0303 `crn` there is no connection `crn`
    zaps/broken.yaml:2:66 ZR0204 `new_sail` `order_type` cannot be `new_sail`
    zaps/broken.yaml:3:13 ZR0404 `record.totalAmout` `record` has no field `totalAmout`
    zaps/broken.yaml:8:5 ZR0202 `methd` unknown key `methd`
    zaps/broken.yaml:10:17 ZR0404 `record.emailAdress` `record` has no field `emailAdress`
    zaps/broken.yaml:11:35 ZR0405 `uper` unknown filter `uper`
    zaps/broken.yaml:12:24 ZR0401 `orderId` `{{` is opened and never closed
    zaps/broken.yaml:13:13 ZR0501 `$.items[` not a JSONPath (RFC 9535) to its last character
    zaps/known.yaml:3:13 ZR0404 `record.totalAmout` `record` has no field `totalAmout`
    zaps/known.yaml:9:17 ZR0404 `record.emailAdress` `record` has no field `emailAdress`
    zaps/known.yaml:10:35 ZR0405 `uper` unknown filter `uper`
    zaps/known.yaml:11:24 ZR0401 `orderId` `{{` is opened and never closed
    zaps/known.yaml:12:13 ZR0501 `$.items[` not a JSONPath (RFC 9535) to its last character
    zaps/trap.yaml:1:7 ZR0301 `broken` another zap is called `broken`
    zaps/trap.yaml:2:49 ZR0303 `crn` there is no connection `crn`
    zaps/trap.yaml:2:66 ZR0204 `new_sail` `order_type` cannot be `new_sail`
    zaps/trap.yaml:3:13 ZR0404 `record.totalAmout` `record` has no field `totalAmout`
    zaps/trap.yaml:8:5 ZR0202 `methd` unknown key `methd`
    zaps/trap.yaml:10:17 ZR0404 `record.emailAdress` `record` has no field `emailAdress`
    zaps/trap.yaml:11:35 ZR0405 `uper` unknown filter `uper`
    zaps/trap.yaml:12:24 ZR0401 `orderId` `{{` is opened and never closed
    zaps/trap.yaml:13:13 ZR0501 `$.items[` not a JSONPath (RFC 9535) to its last character
    zaps/trap.yaml:14:13 ZR0106 `{{ record.orderId }}` `{{ … }}` without quotes is a YAML map, not a template
    ");
}

#[test]
fn the_text_form_underlines() {
    let lab = broken();
    let ran = lab.zaprun(&["validate"]).expect(1);
    let text = ran.out.split("\n\n").find(|finding| finding.contains("emailAdress")).unwrap();
    insta::assert_snapshot!(text, @r#"
    error[ZR0404]: `record` has no field `emailAdress`
      --> zaps/broken.yaml:10:17
       |
    10 |       mail: "{{ record.emailAdress | lower }}"
       |                 ^^^^^^^^^^^^^^^^^^
       |
       = help: did you mean `emailAddress`?
    "#);
    assert!(ran.err.contains("errors"), "{}", ran.err);
}

#[test]
fn sarif_says_the_same() {
    let lab = broken();
    let found = diagnostics(&lab);
    let sarif = lab.zaprun(&["validate", "--format", "sarif"]).expect(1).json();
    assert_eq!(sarif["version"], "2.1.0");
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let theirs: Vec<(Value, Value, Value)> = results
        .iter()
        .map(|result| {
            let region = &result["locations"][0]["physicalLocation"]["region"];
            (result["ruleId"].clone(), region["startLine"].clone(), region["startColumn"].clone())
        })
        .collect();
    let ours: Vec<(Value, Value, Value)> = found
        .iter()
        .map(|finding| {
            let start = &finding["range"]["start"];
            (finding["code"].clone(), start["line"].clone(), start["column"].clone())
        })
        .collect();
    assert_eq!(theirs, ours);
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    for (code, ..) in &ours {
        assert!(rules.iter().any(|rule| rule["id"] == *code), "{code} is described");
    }
}

#[test]
fn github_annotations_say_the_same() {
    let lab = broken();
    let found = diagnostics(&lab);
    let ran = lab.zaprun(&["validate", "--format", "github"]).expect(1);
    let annotations: Vec<&str> = ran.out.lines().collect();
    assert_eq!(annotations.len(), found.len(), "one line each\n{}", ran.out);
    for (line, finding) in annotations.iter().zip(&found) {
        let place =
            format!("file={},line={}", finding["file"].as_str().unwrap(), finding["range"]["start"]["line"]);
        assert!(line.starts_with(&format!("::{} ", finding["severity"].as_str().unwrap())), "{line}");
        assert!(line.contains(&place), "{line} {place}");
    }
}

#[test]
fn each_code_that_is_found_can_be_explained() {
    let lab = broken();
    let program = Program::in_folder(&lab.path(""));
    for finding in diagnostics(&lab) {
        let code = finding["code"].as_str().unwrap();
        let told = program.run(&["validate", "--explain", code]).expect(0);
        assert!(told.out.starts_with(code) && told.out.contains("\ngood\n"), "{}", told.out);
    }
    program.run(&["validate", "--explain", "ZR9999"]).expect(2);
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

#[test]
fn the_repositorys_own_project_is_valid() {
    let program = Program::in_folder(&repository());
    program.run(&["validate", "--strict"]).expect(0).says("12 zaps");
    let report = program.run(&["validate", "--format", "json", "--strict"]).expect(0).json();
    assert_eq!(report, serde_json::json!({ "valid": true, "diagnostics": [] }));
}

#[test]
fn the_schemas_of_the_repository_are_fresh() {
    Program::in_folder(&repository()).run(&["schema", "--check"]).expect(0);
}
