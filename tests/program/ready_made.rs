//! What is there to copy: the files under docs/ci, and the finding that the README shows.

use std::path::{Path, PathBuf};

use regex::Regex;
use zaprun_core::source::SourceMap;
use zaprun_core::yaml;

use crate::harness::Program;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn ready_made() -> Vec<(String, String)> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(repository().join("docs/ci"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yml"))
        .collect();
    files.push(repository().join(".pre-commit-hooks.yaml"));
    files.sort();
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    files.iter().map(|path| (name(path), std::fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn every_file_is_yaml() {
    let files = ready_made();
    assert!(files.len() >= 5, "{files:?}");
    for (name, text) in files {
        let parsed = yaml::parse(&mut SourceMap::default(), &name, text.as_bytes());
        let problems: Vec<_> = parsed.diagnostics.iter().map(|finding| &finding.message).collect();
        assert!(parsed.tree.is_some() && problems.is_empty(), "{name}: {problems:?}");
    }
}

#[test]
fn every_command_and_flag_exists() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::in_folder(folder.path());
    let commands = program.run(&["--help"]).expect(0).out;
    let call = Regex::new(r"(?m)(?:^|[^-\w./{])zaprun ([a-z]+)((?: +[^\s>|#`]+)*)").unwrap();
    let mut seen = 0;
    for (name, text) in ready_made() {
        // Only lines that run something: the rest is prose and names.
        let lines = text.lines().filter(|line| {
            let line = line.trim_start();
            !line.starts_with('#') && !line.starts_with("name:") && !line.starts_with("- name:")
        });
        let runs =
            lines.filter(|line| line.contains("run:") || line.contains("entry:") || line.contains("zaprun "));
        for line in runs.filter(|line| !line.trim_end().ends_with(':') && !line.contains("needs:")) {
            for found in call.captures_iter(line) {
                let command = &found[1];
                assert!(
                    commands.contains(&format!("\n  {command} ")),
                    "{name}: no command {command} in `{line}`"
                );
                let help = program.run(&[command, "--help"]).expect(0).out;
                for flag in found[2].split_whitespace().filter(|word| word.starts_with("--")) {
                    assert!(help.contains(flag), "{name}: {command} has no {flag}");
                    seen += 1;
                }
            }
        }
    }
    assert!(seen >= 6, "only {seen} flags were looked at");
}

#[test]
fn no_workflow_runs_a_strangers_files_with_rights() {
    let scripts = Regex::new(r"(?m)^ +run: (?:\|\n(?: {10,}.*\n?)*|.*)").unwrap();
    for (name, text) in ready_made() {
        let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
        let code = code.join("\n");
        assert!(!code.contains("pull_request_target"), "{name}");
        assert!(!code.contains("write-all") && !code.contains("${{ secrets"), "{name}");
        if !name.starts_with("github") {
            continue;
        }
        assert!(code.contains("\npermissions:\n  contents: read\n"), "{name}: the default is to read");
        // What may write to pull requests neither checks out nor runs this program.
        for job in jobs(&code) {
            let writes = job.contains("pull-requests: write");
            assert!(!(writes && (job.contains("checkout") || job.contains("zaprun "))), "{name}: {job}");
        }
        // A script gets values through the environment, where no shell reads them.
        assert!(scripts.is_match(&code), "{name}");
        for script in scripts.find_iter(&code) {
            assert!(!script.as_str().contains("${{"), "{name}: {}", script.as_str());
        }
    }
}

/// The jobs of a workflow: what stands below each key of two spaces.
fn jobs(workflow: &str) -> Vec<String> {
    let (_, jobs) = workflow.split_once("\njobs:\n").unwrap();
    let mut all: Vec<String> = Vec::new();
    for line in jobs.lines() {
        let begins = line.starts_with("  ") && !line.starts_with("   ");
        match all.last_mut().filter(|_| !begins) {
            Some(job) => *job += &format!("{line}\n"),
            None => all.push(format!("{line}\n")),
        }
    }
    all
}

/// The block of the README after the line that names the zap, and what the program says of it.
#[test]
fn the_finding_in_the_readme_is_real() {
    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let (_, rest) = readme.split_once("```console\n$ zaprun validate\n").unwrap();
    let (shown, _) = rest.split_once("\n```").unwrap();

    let folder = tempfile::tempdir().unwrap();
    let root = repository();
    let copy = |from: &str| {
        let to = folder.path().join(from);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(root.join(from), to).unwrap();
    };
    for file in ["zaprun.yaml", "zaps/chat/declined-card-to-chat.yaml", "zaps/chat/fixtures/decline.json"] {
        copy(file);
    }
    let zap = folder.path().join("zaps/chat/declined-card-to-chat.yaml");
    let text = std::fs::read_to_string(&zap).unwrap();
    assert!(text.contains("record.firstName"));
    std::fs::write(&zap, text.replacen("record.firstName", "record.fristName", 1)).unwrap();

    let said = Program::in_folder(folder.path()).run(&["validate"]).expect(1);
    assert_eq!(shown.trim_end(), said.out.trim_end(), "\n{}", said.out);
}
