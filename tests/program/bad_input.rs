//! Broken projects: a clear error, the right exit code, no panic, no secret.

use std::fs;
use std::os::unix::fs::symlink;

use crate::harness::{CANARIES, Lab, Program, SALES, shown};

/// What is wrong, and how it is brought about in a valid project.
type Case = (&'static str, fn(&Lab));

const CASES: &[Case] = &[
    ("empty zaprun.yaml", |lab| lab.write("zaprun.yaml", "")),
    ("malformed zaprun.yaml", |lab| lab.write("zaprun.yaml", "version: 1\nconnections: [crm\n")),
    ("tabs", |lab| lab.write("zaprun.yaml", "version: 1\nconnections:\n\tcrm: {}\n")),
    ("not UTF-8", |lab| lab.write("zaprun.yaml", b"version: 1\nvars: { caf\xe9: x }\n")),
    ("zero bytes", |lab| lab.write("zaprun.yaml", b"\0\0\0\0")),
    ("zaprun.yaml is a list", |lab| lab.write("zaprun.yaml", "- 1\n")),
    ("zaprun.yaml is a folder", |lab| {
        fs::remove_file(lab.path("zaprun.yaml")).unwrap();
        fs::create_dir(lab.path("zaprun.yaml")).unwrap();
    }),
    ("zaprun.yaml is a link to nothing", |lab| {
        fs::remove_file(lab.path("zaprun.yaml")).unwrap();
        symlink("nowhere.yaml", lab.path("zaprun.yaml")).unwrap();
    }),
    ("an empty zap", |lab| lab.write("zaps/empty.yaml", "")),
    ("a zap of 10 MB", |lab| {
        lab.write(
            "zaps/big.yaml",
            format!("name: big\ndescription: |\n{}", "  all work and no play\n".repeat(480_000)),
        );
    }),
    ("aliases that explode", |lab| {
        let bomb: String = ('b'..='j')
            .map(|letter| {
                let before = char::from(u8::try_from(letter).unwrap() - 1);
                format!("{letter}: &{letter} [{}]\n", vec![format!("*{before}"); 9].join(", "))
            })
            .collect();
        lab.write("zaps/bomb.yaml", format!("a: &a [lol, lol, lol]\n{bomb}"));
    }),
    ("a hundred thousand brackets", |lab| {
        lab.write("zaps/deep.yaml", format!("name: {}", "[".repeat(100_000)));
    }),
    ("a zap that is a folder", |lab| fs::create_dir(lab.path("zaps/folder.yaml")).unwrap()),
    ("zaps is a file", |lab| {
        fs::remove_dir_all(lab.path("zaps")).unwrap();
        lab.write("zaps", "nothing");
    }),
    ("a link to a zap outside", |lab| {
        symlink("/etc/passwd", lab.path("zaps/outside.yaml")).unwrap();
    }),
    ("a duplicate key", |lab| {
        lab.zap(&SALES.replace("name: sales\n", "name: sales\nenabled: true\nenabled: false\n"));
    }),
    ("two zaps of one name", |lab| {
        lab.write("zaps/again.yaml", fs::read(lab.path("zaps/sales.yaml")).unwrap());
    }),
    ("a secret in plain", |lab| lab.change("${API_TOKEN}", "sk-live-0123456789abcdef0123456789abcdef")),
];

/// The first finding and its place.
fn first(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).take(2).map(str::trim).collect();
    shown(&lines.join(" "))
}

#[test]
fn each_broken_project_is_told_alike_by_validate_and_run() {
    let mut told = String::new();
    for (what, breaks) in CASES {
        let lab = Lab::new(&[SALES]);
        breaks(&lab);
        let validated = lab.zaprun(&["validate"]);
        let ran = lab.zaprun(&["run", "--once"]);
        assert!(matches!(validated.code, Some(1 | 2)), "{what}: {}", validated.all());
        let finding = first(if validated.out.is_empty() { &validated.err } else { &validated.out });
        assert_eq!(finding, first(&ran.err), "{what}");
        assert!(
            validated.all().len() < 20_000 && ran.all().len() < 20_000,
            "{what}: {} bytes",
            ran.all().len()
        );
        assert_eq!(lab.crm().crm_count(), 0, "{what}: it does not start");
        told += &format!("{what} ({}/{}): {finding}\n", validated.code.unwrap(), ran.code.unwrap());
    }
    insta::assert_snapshot!(told, @r"
    empty zaprun.yaml (1/1): error[ZR0103]: zaprun.yaml is empty --> zaprun.yaml
    malformed zaprun.yaml (1/1): error[ZR0104]: a `[` is opened here and never closed --> zaprun.yaml:2:14
    tabs (1/1): error[ZR0105]: a tab stands where YAML wants spaces --> zaprun.yaml:3:1
    not UTF-8 (1/1): error[ZR0101]: zaprun.yaml is not UTF-8 text --> zaprun.yaml:2:12
    zero bytes (1/1): error[ZR0117]: a control character (U+0000) stands in the file --> zaprun.yaml:1:1
    zaprun.yaml is a list (1/1): error[ZR0201]: the file takes a map of keys, found a list --> zaprun.yaml:1:3
    zaprun.yaml is a folder (2/2): error[ZR0101]: zaprun.yaml cannot be read: it is a folder, not a file --> zaprun.yaml
    zaprun.yaml is a link to nothing (2/2): error[ZR0101]: zaprun.yaml cannot be read: no such file or directory --> zaprun.yaml
    an empty zap (1/1): error[ZR0103]: zaps/empty.yaml is empty --> zaps/empty.yaml
    a zap of 10 MB (1/1): error[ZR0102]: zaps/big.yaml has 11040025 bytes, more than the 1048576 that are read --> zaps/big.yaml
    aliases that explode (1/1): error[ZR0111]: the file holds more than 100000 values --> zaps/bomb.yaml:6:16
    a hundred thousand brackets (1/1): error[ZR0111]: lists and maps stand more than 64 deep --> zaps/deep.yaml:1:71
    a zap that is a folder (1/1): error[ZR0101]: zaps/folder.yaml cannot be read: it is a folder, not a file --> zaps/folder.yaml
    zaps is a file (1/1): error[ZR0101]: zaps cannot be read: it is a file, and should be a folder --> zaps
    a link to a zap outside (1/1): error[ZR0101]: zaps/outside.yaml cannot be read: it is a link that leads out of the project --> zaps/outside.yaml
    a duplicate key (1/1): error[ZR0107]: the key `enabled` occurs twice in one map --> zaps/sales.yaml:3:1
    two zaps of one name (1/1): error[ZR0301]: another zap is called `sales` --> zaps/sales.yaml:1:7
    a secret in plain (1/1): error[ZR0605]: `bearer` is written in plain --> zaprun.yaml:15:21
    ");
}

#[test]
fn a_file_that_may_not_be_read_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let lab = Lab::new(&[SALES]);
    fs::set_permissions(lab.path("zaps/sales.yaml"), fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(lab.path("zaps/sales.yaml")).is_ok() {
        // Whoever runs this may read everything.
        return;
    }
    lab.zaprun(&["validate"]).expect(1).says("permission denied");
}

#[test]
fn folders_that_lead_in_circles_are_read_once() {
    let lab = Lab::new(&[SALES]);
    symlink("../zaps", lab.path("zaps/again")).unwrap();
    fs::create_dir(lab.path("zaps/inner")).unwrap();
    symlink("..", lab.path("zaps/inner/up")).unwrap();
    lab.zaprun(&["validate", "--strict"]).expect(0).says("1 zap");
    lab.sales(1);
    lab.once(0);
    assert_eq!(lab.received().len(), 1);
}

#[test]
fn an_unset_variable_is_named_with_its_line() {
    let mut lab = Lab::new(&[SALES]);
    lab.program().unset("API_TOKEN");
    lab.zaprun(&["validate", "--strict"]).expect(0).says("API_TOKEN");
    let ran = lab.once(1);
    insta::assert_snapshot!(shown(&ran.err), @r#"
    error[ZR0602]: the variable `API_TOKEN` is not set
      --> zaprun.yaml:15:22
       |
    15 |     auth: { bearer: "${API_TOKEN}" }
       |                      ^^^^^^^^^^^^
       |
       = help: set it where the program runs, or read a file: ${file:/run/secrets/name}
    error: the project has 1 error
    "#);
    assert_eq!(lab.crm().crm_count(), 0);
}

#[test]
fn a_secret_may_hold_anything_that_a_header_can() {
    let mut lab = Lab::new(&[SALES]);
    lab.sales(1);
    let odd = r##"a: {b}# "x" 'y' ${HOME} *z &w"##;
    lab.program().set("API_TOKEN", odd);
    lab.once(0);
    assert_eq!(lab.received()[0].header("authorization"), Some(format!("Bearer {odd}").as_str()));

    lab.program().set("API_TOKEN", &format!("{}\nX-Injected: 1", CANARIES[2]));
    let ran = lab.zaprun(&["run", "--once"]);
    assert_eq!(ran.code, Some(1), "{}", ran.all());
    assert_eq!(lab.received().len(), 1);
}

#[test]
fn secrets_from_a_file() {
    let lab = Lab::new(&[SALES]);
    lab.change("${CRM_PASSWORD}", "${file:secrets/crm}");
    lab.zaprun(&["run", "--once"]).expect(1).says("secrets/crm");
    lab.write("secrets/crm", format!("{}\n", CANARIES[1]));
    lab.sales(1);
    lab.once(0);
    assert_eq!(lab.received().len(), 1);
}

#[test]
fn no_project_is_bad_usage() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::in_folder(folder.path());
    for command in [&["validate"][..], &["run", "--once"], &["check"], &["runs", "list"], &["sample", "x"]] {
        let ran = program.run(command).expect(2);
        assert!(ran.err.contains("there is no zaprun.yaml here or in any folder above"), "{}", ran.err);
        assert_eq!(ran.out, "");
    }
    program.run(&["validate", "-C", "nowhere"]).expect(2).says("nowhere cannot be read");
    fs::write(folder.path().join("file"), "").unwrap();
    program.run(&["validate", "-C", "file"]).expect(2).says("file is not a folder");
    program.run(&["valdate"]).expect(2).says("validate");
    program.run(&["run", "--grace", "30"]).expect(2).says("write a whole number and its unit");
}

#[test]
fn the_nearest_project_upward_is_used() {
    let lab = Lab::new(&[SALES]);
    fs::create_dir_all(lab.path("deep/er")).unwrap();
    let program = Program::in_folder(&lab.path("deep/er"));
    program.run(&["validate", "--strict"]).expect(0).says("1 zap");
}

#[test]
fn an_overlay_that_is_broken_is_found_and_one_that_is_absent_is_told() {
    let lab = Lab::new(&[SALES]);
    lab.write("zaprun.staging.yaml", "zaps: { sales: { enabled: false } }\n");
    lab.zaprun(&["validate", "--strict"]).expect(0).says("1 overlay");
    lab.zaprun(&["run", "--once", "--env", "staging"]).expect(0).says("every zap is switched off");
    lab.zaprun(&["run", "--once", "--env", "nowhere"]).says("nowhere");
    lab.write("zaprun.prod.yaml", "connections: { crm: { timezone: Mars/Olympus } }\n");
    lab.zaprun(&["validate"]).expect(1).says("zaprun.prod.yaml");
}
