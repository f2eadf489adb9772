//! JUnit XML, as CI systems read it: a suite for each zap.

use super::Outcome;

/// The whole document. Errors of the project are an error of a suite of their own, so that no report is green without
/// them.
pub(super) fn render(outcomes: &[Outcome<'_>], errors: usize) -> String {
    let failed = outcomes.iter().filter(|outcome| !outcome.passed()).count();
    let broken = usize::from(errors > 0);
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let tests = outcomes.len() + broken;
    out.push_str(&format!(
        "<testsuites name=\"zaprun\" tests=\"{tests}\" failures=\"{failed}\" errors=\"{broken}\">\n"
    ));
    if errors > 0 {
        out.push_str("  <testsuite name=\"project\" tests=\"1\" failures=\"0\" errors=\"1\">\n");
        out.push_str("    <testcase classname=\"project\" name=\"is valid\">\n");
        out.push_str(&format!("      <error message=\"{errors} in all: run `zaprun validate`\"/>\n"));
        out.push_str("    </testcase>\n  </testsuite>\n");
    }
    let mut zaps: Vec<&str> = outcomes.iter().map(|outcome| outcome.case.zap.as_str()).collect();
    zaps.sort_unstable();
    zaps.dedup();
    for zap in zaps {
        suite(zap, outcomes, &mut out);
    }
    out.push_str("</testsuites>\n");
    out
}

fn suite(zap: &str, outcomes: &[Outcome<'_>], out: &mut String) {
    let its = || outcomes.iter().filter(|outcome| outcome.case.zap == zap);
    let failed = its().filter(|outcome| !outcome.passed()).count();
    let name = escaped(zap);
    out.push_str(&format!(
        "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{failed}\" errors=\"0\">\n",
        its().count()
    ));
    for outcome in its() {
        let case = format!(
            "    <testcase classname=\"{name}\" name=\"{}\" file=\"{}\" line=\"{}\"",
            escaped(&outcome.case.name),
            escaped(outcome.file),
            outcome.line
        );
        out.push_str(&case);
        let Some(first) = outcome.differences.first() else {
            out.push_str("/>\n");
            continue;
        };
        let message = format!("{}: expected {}, got {}", first.place, first.expected, first.got);
        let all: String = outcome
            .differences
            .iter()
            .map(|difference| {
                let help =
                    difference.help.as_ref().map(|help| format!("\n  hint: {help}")).unwrap_or_default();
                let (place, expected, got) = (&difference.place, &difference.expected, &difference.got);
                format!("{place}\n  expected  {expected}\n  got       {got}{help}\n")
            })
            .collect();
        out.push_str(&format!(">\n      <failure message=\"{}\">{}", escaped(&message), escaped(&all)));
        out.push_str("</failure>\n    </testcase>\n");
    }
    out.push_str("  </testsuite>\n");
}

/// Text within XML. Signs that XML does not have, escaped or not, are shown as U+FFFD.
pub(super) fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len() + 8), |mut out, sign| {
        match sign {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(sign),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        assert_eq!(escaped("a<b> & \"c\"\u{1b}[1m\n"), "a&lt;b&gt; &amp; &quot;c&quot;\u{fffd}[1m\n");
    }

    #[test]
    fn without_tests_it_is_a_document_all_the_same() {
        insta::assert_snapshot!(render(&[], 2), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="zaprun" tests="1" failures="0" errors="1">
          <testsuite name="project" tests="1" failures="0" errors="1">
            <testcase classname="project" name="is valid">
              <error message="2 in all: run `zaprun validate`"/>
            </testcase>
          </testsuite>
        </testsuites>
        "#);
    }
}
