//! What is valid starts, and what cannot start is told with its place and what to do.

use std::fs;

use crate::harness::{Lab, Program, SALES};

#[test]
fn what_is_not_read_and_a_project_without_zaps_are_findings() {
    let lab = Lab::new(&[]);
    lab.write("zaps/sales.yml", SALES);
    let report = lab.zaprun(&["validate", "--strict", "--format", "json"]).expect(1).json();
    assert_eq!(report["valid"], true);
    let found = report["diagnostics"].as_array().unwrap();
    let told: Vec<_> = found.iter().map(|one| (one["code"].as_str(), one["file"].as_str())).collect();
    assert_eq!(told, [(Some("ZR0311"), Some("zaprun.yaml")), (Some("ZR0118"), Some("zaps/sales.yml"))]);
    lab.zaprun(&["validate"]).expect(0).says("rename it to .yaml");
}

#[test]
fn a_project_in_which_nothing_runs_starts_and_waits() {
    let lab = Lab::new(&[]);
    lab.zaprun(&["validate"]).expect(0).says("with 1 warning");
    lab.zaprun(&["run", "--once"]).expect(0).says("0 new, 0 delivered");
    lab.zaprun(&["run", "--once", "--dry-run"]).expect(0);
    let engine = lab.start(&["run"]);
    engine.wait_for_err("running 0 zaps");
    engine.signal("TERM");
    engine.wait().expect(0).says("stopping");
}

#[test]
fn a_variable_that_cannot_be_an_address_has_its_place() {
    let mut lab = Lab::new(&[SALES]);
    lab.change("base_url: ${SINK_URL}", "base_url: ${ODD_URL}");
    lab.program().set("ODD_URL", "http://user:canary-in-a-url@127.0.0.1:9/");
    lab.zaprun(&["validate", "--strict"]).expect(0);
    let ran = lab.zaprun(&["run", "--once"]).expect(1).says("ZR0606").says("auth: { basic:");
    assert!(ran.err.contains("zaprun.yaml:") && !ran.all().contains("canary-in"), "{}", ran.all());
}

#[test]
fn a_state_that_cannot_be_is_told_without_numbers_of_the_system() {
    let lab = Lab::new(&[SALES]);
    let mut before = "sqlite:state/zaprun.db".to_owned();
    for (place, words) in [
        ("sqlite:/proc/nope/x.db", "/proc/nope: no such file or folder"),
        ("sqlite:zaprun.yaml/x.db", "zaprun.yaml: it is a file, and should be a folder"),
    ] {
        lab.change(&before, place);
        place.clone_into(&mut before);
        let ran = lab.zaprun(&["run", "--once"]).expect(1).says(words).says("hint: `state:` in zaprun.yaml");
        assert!(!ran.err.contains("os error"), "{}", ran.err);
    }
    lab.change(&before, "sqlite:");
    lab.zaprun(&["validate"]).expect(1).says("write the path of the state after it");
}

#[test]
fn a_newer_state_asks_for_the_newer_zaprun_and_not_to_begin_anew() {
    let lab = Lab::new(&[SALES]);
    lab.once(0);
    let path = lab.path("state/zaprun.db");
    let mut bytes = fs::read(&path).unwrap();
    // The version of its schema, where a SQLite file has it.
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    fs::write(&path, bytes).unwrap();
    for command in [&["run", "--once"][..], &["runs", "list"]] {
        let ran = lab.zaprun(command).expect(1).says("by a newer zaprun").says("hint: run the newer zaprun");
        assert!(!ran.err.contains("anew") && !ran.err.contains("restore"), "{}", ran.err);
    }
}

#[test]
fn names_that_are_not_there_are_answered_with_those_that_are() {
    let lab = Lab::new(&[SALES]);
    lab.zaprun(&["run", "--once", "--only", "qqq"]).expect(2).says("the zap is `sales`");
    lab.zaprun(&["validate", "--explain", "zr106"]).expect(0).says("ZR0106 template without quotes");
}

#[test]
fn init_tells_a_file_from_a_folder_and_reads_what_it_keeps() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("f"), "").unwrap();
    let program = Program::in_folder(folder.path());
    program.run(&["init", "f"]).expect(2).says("f is a file, not a folder");
    fs::write(folder.path().join(".gitignore"), "/state/\n").unwrap();
    let ran = program.run(&["init"]).expect(0).says("kept");
    assert!(!ran.err.contains("hint"), "{}", ran.err);
}

#[test]
fn a_project_that_is_a_folder_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("zaprun.yaml")).unwrap();
    let program = Program::in_folder(folder.path());
    for command in [&["validate"][..], &["run"], &["test"]] {
        let ran = program.run(command).expect(2);
        assert_eq!(ran.all().matches("it is a folder, not a file").count(), 1, "{command:?}: {}", ran.all());
    }
}

#[test]
fn what_is_not_built_yet_is_refused() {
    let lab = Lab::new(&[SALES]);
    lab.write(
        "zaps/sales.yaml",
        SALES.replace("    path: sales\n", "    path: sales\n    batch: { size: 10 }\n"),
    );
    let ran = lab.zaprun(&["validate"]).expect(1);
    assert_eq!(ran.out.matches("error[ZR0207]").count(), 1, "{}", ran.out);
}

#[test]
fn places_are_those_of_the_repository_or_of_where_it_is_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::in_folder(folder.path());
    program.run(&["init", "shop"]).expect(0);
    let zap = folder.path().join("shop/zaps/new-sale.yaml");
    fs::write(&zap, fs::read_to_string(&zap).unwrap().replace("firstName", "firstNam")).unwrap();
    let check = |program: &Program, place: &str| {
        program
            .run(&["-C", "shop", "validate", "--format", "github"])
            .expect(1)
            .says(&format!("file={place},"));
        let sarif = program.run(&["-C", "shop", "validate", "--format", "sarif"]).expect(1).json();
        let at = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"];
        assert_eq!((at["uri"].as_str(), at["uriBaseId"].as_str()), (Some(place), Some("%SRCROOT%")));
        assert!(sarif["runs"][0]["originalUriBaseIds"]["%SRCROOT%"].is_object());
    };
    check(&program, "shop/zaps/new-sale.yaml");
    let name = folder.path().file_name().unwrap().to_str().unwrap().to_owned();
    program.set("GITHUB_WORKSPACE", folder.path().parent().unwrap().to_str().unwrap());
    check(&program, &format!("{name}/shop/zaps/new-sale.yaml"));
    fs::create_dir(folder.path().join("shop/.git")).unwrap();
    check(&program, "zaps/new-sale.yaml");
}

/// One type error hides none of what is wrong below it.
#[test]
fn all_findings_of_a_zap_at_once() {
    let lab = Lab::new(&[&SALES.replacen("trigger:", "description: [a]\ntrigger:", 1)]);
    let zap = fs::read_to_string(lab.path("zaps/sales.yaml")).unwrap();
    assert!(zap.contains("record.") || zap.contains("$."), "{zap}");
    lab.write(
        "zaps/sales.yaml",
        zap.replace("$.orderId", "$.orderI").replace("record.orderId", "record.orderI"),
    );
    let zap = fs::read_to_string(lab.path("zaps/sales.yaml")).unwrap();
    let tests = "tests:\n  - { name: t, record: { orderId: A }, expect: { nobody: done } }\n";
    lab.write("zaps/sales.yaml", format!("{zap}{tests}"));
    lab.write("zaps/more.test.yaml", format!("zap: sales\n{}", tests.replace("nobody", "nothing")));
    let ran = lab.zaprun(&["validate"]).expect(1).says("ZR0201").says("orderI");
    ran.says("has no step `nobody`").says("has no step `nothing`");
}
