#![allow(clippy::unwrap_used, reason = "a test may fail")]

use zaprun_core::diagnostic::{Diagnostic, code};
use zaprun_core::source::{SourceMap, Span};

use super::*;

const ZAP: &str = "name: a\ntrigger:\n  type: konnektive.ordres\nactions: [é, 100%]\n";

fn sample() -> (SourceMap, Vec<Diagnostic>) {
    let mut sources = SourceMap::default();
    let zap = sources.add("zaps/a, b:c.yaml", ZAP);
    let broken = sources.add("zaps/broken.yaml", "");
    let at = |needle: &str| {
        let start = ZAP.find(needle).unwrap();
        Span::new(zap, start, start + needle.len())
    };
    let mut doubtful =
        Diagnostic::new(&code::UNREADABLE, "100% of it is\nodd").at(at("é, 100%")).help("say: less");
    doubtful.severity = Severity::Warning;
    let findings = vec![
        Diagnostic::new(&code::UNREADABLE, "no trigger type `konnektive.ordres`")
            .at(at("konnektive.ordres"))
            .help("did you mean `konnektive.orders`?")
            .zap("a")
            .pointer("/trigger/type")
            .related(at("name: a"), "this zap"),
        doubtful,
        Diagnostic::new(&code::UNREADABLE, "bytes that are not \u{1b}[31mUTF-8").at(Span::new(broken, 0, 0)),
        Diagnostic::new(&code::UNREADABLE, "nowhere"),
    ];
    (sources, findings)
}

fn rendered(format: Format) -> String {
    let (sources, diagnostics) = sample();
    let findings = Findings { sources: &sources, diagnostics: &diagnostics, prefix: "shop/" };
    assert_eq!(findings.counts(), (3, 1));
    findings.render(format, &Printer::new(&crate::cli::Global::default()))
}

#[test]
fn text_shows_the_line_and_underlines_the_place() {
    let (sources, diagnostics) = sample();
    let findings = Findings { sources: &sources, diagnostics: &diagnostics, prefix: "" };
    insta::assert_snapshot!(text::render(&findings, false, None), @r"
    error[ZR0101]: no trigger type `konnektive.ordres`
     --> zaps/a, b:c.yaml:3:9
      |
    3 |   type: konnektive.ordres
      |         ^^^^^^^^^^^^^^^^^
      |
      = help: did you mean `konnektive.orders`?
    note: this zap
     --> zaps/a, b:c.yaml:1:1
      |
    1 | name: a
      | -------

    warning[ZR0101]: 100% of it is
                     odd
     --> zaps/a, b:c.yaml:4:11
      |
    4 | actions: [é, 100%]
      |           ^^^^^^^
      |
      = help: say: less

    error[ZR0101]: bytes that are not \u{1b}[31mUTF-8
    --> zaps/broken.yaml

    error[ZR0101]: nowhere
    ");
}

#[test]
fn a_line_that_nobody_reads_is_not_shown() {
    let mut sources = SourceMap::default();
    let file = sources.add("a.yaml", format!("a: {}\nb: {}\n", "x".repeat(1_000_000), "long\nand\nlonger"));
    let diagnostics = [
        Diagnostic::new(&code::UNREADABLE, "long").at(Span::new(file, 3, 1_000_000)),
        Diagnostic::new(&code::UNREADABLE, "several lines").at(Span::new(file, 1_000_004, 1_000_016)),
        Diagnostic::new(&code::UNREADABLE, "past the end").at(Span::new(file, 5_000_000, 6_000_000)),
    ];
    let findings = Findings { sources: &sources, diagnostics: &diagnostics, prefix: "" };
    insta::assert_snapshot!(text::render(&findings, false, None), @r"
    error[ZR0101]: long
    --> a.yaml:1:4

    error[ZR0101]: several lines
     --> a.yaml:2:1
      |
    2 | b: long
      | ^^^^^^^

    error[ZR0101]: past the end
     --> a.yaml:5:1
      |
    5 |
      | ^
    ");
}

#[test]
fn no_format_shows_a_secret() {
    let mut sources = SourceMap::default();
    let text = "a: 1\nconnections: { crm: { password: \"gehéim9\", extra: 1 } }\n";
    let file = sources.add("zaprun.yaml", text);
    let at = |needle: &str| {
        let start = text.find(needle).unwrap();
        Span::new(file, start, start + needle.len())
    };
    let diagnostics = [
        Diagnostic::new(&code::PLAIN_SECRET, "`password` is written in plain").at(at("\"gehéim9\"")),
        Diagnostic::new(&code::UNKNOWN_KEY, "unknown key `extra`")
            .at(at("extra"))
            .related(at("a: 1"), "here"),
    ];
    let findings = Findings { sources: &sources, diagnostics: &diagnostics, prefix: "" };
    let printer = Printer::new(&crate::cli::Global::default());
    for format in [Format::Text, Format::Json, Format::Github, Format::Sarif] {
        assert!(!findings.render(format, &printer).contains("im9"));
    }
    insta::assert_snapshot!(text::render(&findings, false, None), @r"
    error[ZR0605]: `password` is written in plain
     --> zaprun.yaml:2:33
      |
    2 | connections: { crm: { password: *********, extra: 1 } }
      |                                 ^^^^^^^^^

    error[ZR0202]: unknown key `extra`
     --> zaprun.yaml:2:44
      |
    2 | connections: { crm: { password: *********, extra: 1 } }
      |                                            ^^^^^
      |
    note: here
     --> zaprun.yaml:1:1
      |
    1 | a: 1
      | ----
    ");
}

#[test]
fn a_line_of_broken_yaml_shows_no_secret() {
    let mut sources = SourceMap::default();
    let file = sources.add("zaprun.yaml", "password: \"gehéim9\ntimezone: x\n");
    let diagnostics = [Diagnostic::new(&code::YAML_SYNTAX, "a quote is opened").at(Span::new(file, 10, 11))];
    let findings = Findings { sources: &sources, diagnostics: &diagnostics, prefix: "" };
    insta::assert_snapshot!(text::render(&findings, false, None), @r"
    error[ZR0104]: a quote is opened
     --> zaprun.yaml:1:11
      |
    1 | password: ********
      |           ^
    ");
}

#[test]
fn json_has_the_documented_shape() {
    insta::assert_snapshot!(rendered(Format::Json), @r#"
    {
      "valid": false,
      "diagnostics": [
        {
          "code": "ZR0101",
          "severity": "error",
          "message": "no trigger type `konnektive.ordres`",
          "help": "did you mean `konnektive.orders`?",
          "zap": "a",
          "pointer": "/trigger/type",
          "file": "zaps/a, b:c.yaml",
          "range": {
            "start": {
              "line": 3,
              "column": 9
            },
            "end": {
              "line": 3,
              "column": 26
            }
          }
        },
        {
          "code": "ZR0101",
          "severity": "warning",
          "message": "100% of it is\nodd",
          "help": "say: less",
          "zap": null,
          "pointer": null,
          "file": "zaps/a, b:c.yaml",
          "range": {
            "start": {
              "line": 4,
              "column": 11
            },
            "end": {
              "line": 4,
              "column": 18
            }
          }
        },
        {
          "code": "ZR0101",
          "severity": "error",
          "message": "bytes that are not \u001b[31mUTF-8",
          "help": null,
          "zap": null,
          "pointer": null,
          "file": "zaps/broken.yaml",
          "range": {
            "start": {
              "line": 1,
              "column": 1
            },
            "end": {
              "line": 1,
              "column": 1
            }
          }
        },
        {
          "code": "ZR0101",
          "severity": "error",
          "message": "nowhere",
          "help": null,
          "zap": null,
          "pointer": null,
          "file": null,
          "range": null
        }
      ]
    }
    "#);
}

#[test]
fn github_annotations_are_escaped() {
    insta::assert_snapshot!(rendered(Format::Github), @r"
    ::error title=ZR0101,file=shop/zaps/a%2C b%3Ac.yaml,line=3,col=9,endLine=3,endColumn=26::no trigger type `konnektive.ordres`%0Ahelp: did you mean `konnektive.orders`?
    ::warning title=ZR0101,file=shop/zaps/a%2C b%3Ac.yaml,line=4,col=11,endLine=4,endColumn=18::100%25 of it is%0Aodd%0Ahelp: say: less
    ::error title=ZR0101,file=shop/zaps/broken.yaml,line=1,col=1,endLine=1,endColumn=1::bytes that are not \u{1b}[31mUTF-8
    ::error title=ZR0101::nowhere
    ");
}

#[test]
fn sarif_has_what_code_scanning_requires() {
    let log: serde_json::Value = serde_json::from_str(&rendered(Format::Sarif)).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(run["tool"]["driver"]["name"], "zaprun");
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), zaprun_core::diagnostic::CODES.len());
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 4);
    for result in results {
        let rule = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[rule]["id"], result["ruleId"]);
        assert!(["error", "warning"].contains(&result["level"].as_str().unwrap()));
        assert!(result["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap().ends_with(":1"));
    }
    insta::assert_snapshot!(serde_json::to_string_pretty(&results[0]).unwrap(), @r#"
    {
      "ruleId": "ZR0101",
      "ruleIndex": 0,
      "level": "error",
      "message": {
        "text": "no trigger type `konnektive.ordres`\nhelp: did you mean `konnektive.orders`?"
      },
      "locations": [
        {
          "physicalLocation": {
            "artifactLocation": {
              "uri": "shop/zaps/a%2C%20b%3Ac.yaml",
              "uriBaseId": "%SRCROOT%"
            },
            "region": {
              "startLine": 3,
              "startColumn": 9,
              "endLine": 3,
              "endColumn": 26
            }
          }
        }
      ],
      "relatedLocations": [
        {
          "physicalLocation": {
            "artifactLocation": {
              "uri": "shop/zaps/a%2C%20b%3Ac.yaml",
              "uriBaseId": "%SRCROOT%"
            },
            "region": {
              "startLine": 1,
              "startColumn": 1,
              "endLine": 1,
              "endColumn": 8
            }
          },
          "message": {
            "text": "this zap"
          }
        }
      ],
      "partialFingerprints": {
        "primaryLocationLineHash": "fae9d2ea813baa81:1"
      }
    }
    "#);
}

#[test]
fn fingerprints_survive_new_lines_and_tell_equals_apart() {
    let fingerprints = |text: &str| {
        let mut sources = SourceMap::default();
        let file = sources.add("a.yaml", text);
        let start = text.find("bad").unwrap();
        let found =
            Diagnostic::new(&code::UNREADABLE, "bad").at(Span::new(file, start, start + 3)).pointer("/a");
        let diagnostics = [found.clone(), found];
        let findings = Findings { sources: &sources, diagnostics: &diagnostics, prefix: "" };
        let log: serde_json::Value = serde_json::from_str(&sarif::render(&findings)).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap().clone();
        results.into_iter().map(|result| result["partialFingerprints"].to_string()).collect::<Vec<_>>()
    };
    let before = fingerprints("a: bad\n");
    assert_ne!(before[0], before[1]);
    assert_eq!(before, fingerprints("# a comment\n\na: bad\n"));
}
