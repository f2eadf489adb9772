//! The demo: the main job on a machine with nothing configured.

use crate::harness::Program;

#[test]
fn the_demo_ends_by_itself_with_nothing_sent_twice() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::in_folder(folder.path());
    let ran = program.run(&["demo", "--records", "20", "--rate", "40/s"]).expect(0);
    assert!(ran.out.contains("20 business events"), "{}", ran.all());
    assert!(ran.out.contains("none twice"), "{}", ran.all());
    let delivered = ran.out.lines().filter(|line| line.starts_with('✓')).count();
    assert!(delivered > 0, "{}", ran.all());
    for zap in ["new-sale-to-sheet", "declined-card-to-chat", "refund-to-books"] {
        assert!(ran.out.lines().any(|line| line.starts_with(zap)), "{zap} is in the table\n{}", ran.out);
    }
    let widest = ran.all().lines().map(|line| line.chars().count()).max().unwrap();
    assert!(widest <= 80, "a line does not fit a plain terminal\n{}", ran.all());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "it leaves nothing behind");
}

/// A line without what differs from machine to machine: times, ports, the width of columns.
fn without_times(line: &str) -> String {
    let word = |word: &str| {
        let number = word.trim_end_matches("ms").trim_end_matches('s');
        let time = number.len() < word.len() && number.parse::<f64>().is_ok();
        if time || word.starts_with("http://127.0.0.1:") { "TIME".to_owned() } else { word.to_owned() }
    };
    let words = line.split_whitespace().map(word).collect::<Vec<_>>().join(" ");
    // The first window is the account's day, so how much of the history is in it depends on the hour.
    match words.split_once(" rows from before the start") {
        Some((_, rest)) => format!("SOME rows from before the start{rest}"),
        None => words,
    }
}

/// The same seed gives the same business, so what the README shows is what everybody sees.
#[test]
fn the_readme_shows_what_the_demo_prints() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let shown = readme.split("$ zaprun demo --records 15\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ran = Program::in_folder(folder.path()).run(&["demo", "--records", "15"]).expect(0);
    let printed: Vec<String> = ran.all().lines().map(without_times).collect();
    let lines: Vec<&str> = shown.lines().filter(|line| !line.is_empty() && *line != "…").collect();
    assert!(lines.len() > 10, "{shown}");
    for line in lines {
        assert!(printed.contains(&without_times(line)), "README: {line}\n{}", ran.all());
    }
}

#[test]
fn the_demo_can_be_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Program::in_folder(folder.path()).start(&["demo", "--keep", "--rate", "20/s"]);
    demo.wait_for_out("✓");
    demo.signal("INT");
    demo.wait().expect(130);
}

#[test]
fn bad_usage_of_the_demo_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::in_folder(folder.path());
    program.run(&["demo", "--for", "20"]).expect(2).says("write a whole number and its unit");
    program.run(&["demo", "--records", "0"]).expect(2);
}
