//! The sink's page: what arrived, newest first. No scripts, nothing from elsewhere, all text escaped.

use std::fmt::Write as _;

use crate::sink::{Received, SinkSummary};

/// Requests on the page; the JSON listing has them all.
const SHOWN: usize = 100;

/// Characters of a body on the page.
const SHOWN_BODY: usize = 4_000;

const STYLE: &str = "\
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#1b1f24;--dim:#667085;--line:#e3e6ea;--code:#f2f4f7;\
--good:#067647;--good-bg:#e7f6ee;--bad:#b42318;--bad-bg:#fdeceb;--mark:#b54708;--mark-bg:#fef3e2}\
@media(prefers-color-scheme:dark){:root{--bg:#0f1216;--card:#171b21;--ink:#e6e9ee;--dim:#98a2b3;--line:#2a3038;\
--code:#11151a;--good:#6ce0a4;--good-bg:#12301f;--bad:#ff9d94;--bad-bg:#3a1714;--mark:#fec76f;--mark-bg:#38270e}}\
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,sans-serif}\
main{max-width:60rem;margin:0 auto;padding:2rem 1rem 4rem}header{display:flex;flex-wrap:wrap;gap:1rem;\
align-items:baseline;justify-content:space-between}h1{font-size:1.4rem;margin:0}a{color:inherit}\
nav{color:var(--dim);font-size:.9rem}nav a{margin-left:1rem}\
dl{display:flex;flex-wrap:wrap;gap:.75rem;margin:1.25rem 0}dl div{flex:1 1 8rem;background:var(--card);\
border:1px solid var(--line);border-radius:.6rem;padding:.6rem .9rem}dt{color:var(--dim);font-size:.8rem}\
dd{margin:0;font-size:1.5rem;font-variant-numeric:tabular-nums}dd.alarm{color:var(--bad)}\
article{background:var(--card);border:1px solid var(--line);border-radius:.6rem;margin:.75rem 0;padding:.7rem .9rem}\
article.twice{border-color:var(--mark)}.head{display:flex;flex-wrap:wrap;gap:.4rem .75rem;align-items:baseline}\
.path{font-weight:600;overflow-wrap:anywhere}time,.key{color:var(--dim);font-size:.85rem;overflow-wrap:anywhere}\
time{margin-left:auto;font-variant-numeric:tabular-nums}.tag{font-size:.75rem;font-weight:600;\
border-radius:1rem;padding:.05rem .55rem;background:var(--code)}.good{color:var(--good);background:var(--good-bg)}\
.bad{color:var(--bad);background:var(--bad-bg)}.mark{color:var(--mark);background:var(--mark-bg)}\
pre{margin:.6rem 0 0;padding:.6rem .8rem;background:var(--code);border-radius:.4rem;overflow:auto;max-height:18rem;\
font:13px/1.45 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}\
.empty{color:var(--dim);text-align:center;padding:3rem 0}";

/// The whole page.
pub(crate) fn render(records: &[Received], summary: SinkSummary, refresh: bool) -> String {
    let mut page = String::from("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">");
    page.push_str(
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>Sink</title>",
    );
    if refresh {
        page.push_str("<meta http-equiv=\"refresh\" content=\"2\">");
    }
    let (link, label) = if refresh { ("?refresh=off", "pause") } else { ("?", "refresh every 2 s") };
    put(
        &mut page,
        format_args!("<style>{STYLE}</style></head><body><main><header><h1>What the sink received</h1>"),
    );
    put(
        &mut page,
        format_args!("<nav><a href=\"{link}\">{label}</a><a href=\"?format=json\">JSON</a></nav></header>"),
    );
    counts(&mut page, summary);
    if records.is_empty() {
        page.push_str("<p class=\"empty\">nothing yet: send any request to /sink or a path below it</p>");
    }
    for received in records.iter().rev().take(SHOWN) {
        record(&mut page, received);
    }
    if records.len() > SHOWN {
        put(&mut page, format_args!("<p class=\"empty\">the latest {SHOWN} of {}</p>", summary.received));
    }
    page.push_str("</main></body></html>");
    page
}

fn counts(page: &mut String, summary: SinkSummary) {
    page.push_str("<dl>");
    let all = [
        ("received", summary.received, false),
        ("accepted", summary.accepted, false),
        ("distinct keys", summary.distinct_keys, false),
        ("duplicates", summary.duplicates, summary.duplicates > 0),
    ];
    for (name, count, alarm) in all {
        let class = if alarm { " class=\"alarm\"" } else { "" };
        put(page, format_args!("<div><dt>{name}</dt><dd{class}>{count}</dd></div>"));
    }
    page.push_str("</dl>");
}

fn record(page: &mut String, received: &Received) {
    let class = if received.duplicate { " class=\"twice\"" } else { "" };
    put(
        page,
        format_args!(
            "<article{class}><div class=\"head\"><span class=\"tag\">{}</span>",
            escaped(&received.method)
        ),
    );
    let query = if received.query.is_empty() { String::new() } else { format!("?{}", received.query) };
    put(page, format_args!("<span class=\"path\">{}{}</span>", escaped(&received.path), escaped(&query)));
    let (class, status) = match received.status {
        Some(status @ 200..=299) => ("good", status.to_string()),
        Some(status) => ("bad", status.to_string()),
        None => ("bad", "no answer".to_owned()),
    };
    put(page, format_args!("<span class=\"tag {class}\">{status}</span>"));
    if received.duplicate {
        page.push_str("<span class=\"tag mark\">duplicate</span>");
    }
    put(page, format_args!("<time>{:.3}</time></div>", received.at));
    if let Some(key) = received.key() {
        put(page, format_args!("<div class=\"key\">{}</div>", escaped(key)));
    }
    if !received.body.is_empty() {
        put(page, format_args!("<pre>{}</pre>", escaped(&body(received))));
    }
    page.push_str("</article>");
}

/// The body as a person reads it: JSON laid out, the rest as text, long ones cut.
fn body(received: &Received) -> String {
    let text = String::from_utf8_lossy(&received.body);
    let text = if received.json().is_some() { laid_out(&text) } else { text.into_owned() };
    match text.char_indices().nth(SHOWN_BODY) {
        Some((end, _)) => {
            format!("{}\n… {} bytes in all", text.get(..end).unwrap_or(&text), received.body.len())
        }
        None => text,
    }
}

/// Valid JSON with line breaks and indents; what stands between them is left as it was sent, so `19.90` stays `19.90`.
fn laid_out(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let (mut in_text, mut escape) = (false, false);
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    for letter in json.chars() {
        if in_text {
            out.push(letter);
            in_text = escape || letter != '"';
            escape = letter == '\\' && !escape;
            continue;
        }
        match letter {
            '{' | '[' => {
                depth += 1;
                out.push(letter);
                line(&mut out, depth);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                let empty = out.trim_end().ends_with(['{', '[']);
                out.truncate(out.trim_end().len());
                if !empty {
                    line(&mut out, depth);
                }
                out.push(letter);
            }
            ',' => {
                out.push(',');
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            space if space.is_whitespace() => {}
            other => {
                in_text = other == '"';
                out.push(other);
            }
        }
    }
    out
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // Turning marks would let a body rewrite the line it stands in.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => safe.push('\u{fffd}'),
            other => safe.push(other),
        }
    }
    safe
}

fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = page.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_keeps_what_was_sent() {
        let sent = r#"{"a":19.90,"b":[],"c":{ "d" : "x, {y}: \"z\" " },"e":[1e5,null]}"#;
        let shown = laid_out(sent);
        let expected = "{\n  \"a\": 19.90,\n  \"b\": [],\n  \"c\": {\n    \"d\": \"x, {y}: \\\"z\\\" \"\n  },\n  \"e\": [\n    1e5,\n    null\n  ]\n}";
        assert_eq!(shown, expected);
    }
}
