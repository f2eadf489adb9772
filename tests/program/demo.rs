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
