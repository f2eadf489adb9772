#![allow(clippy::unwrap_used, reason = "a test may fail")]

use super::*;

fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

fn paths(tree: &Files) -> Vec<&str> {
    tree.zaps.iter().map(|file| file.path.as_str()).collect()
}

#[test]
fn zaps_are_found_in_every_folder_but_fixtures_and_tests() {
    let root = project(&[
        ("zaprun.yaml", "version: 1\n"),
        ("zaprun.staging.yaml", "vars: {}\n"),
        ("zaprun.prod.yaml", "vars: {}\n"),
        (".gitignore", "zaps/\n"),
        ("zaps/b.yaml", "name: b\n"),
        ("zaps/a/c.yaml", "name: c\n"),
        ("zaps/a/c.test.yaml", ""),
        ("zaps/a/fixtures/sale.yaml", ""),
        ("zaps/a/fixtures/deep/sale.yaml", ""),
        ("zaps/.#b.yaml", ""),
        ("zaps/notes.txt", ""),
        ("zaps/d.yml", ""),
        ("other/e.yaml", ""),
    ]);
    let tree = read(root.path());
    assert_eq!(paths(&tree), ["zaps/a/c.yaml", "zaps/b.yaml"]);
    assert_eq!(tree.tests.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["zaps/a/c.test.yaml"]);
    assert_eq!(tree.zaps[1].content.as_deref(), Ok(b"name: b\n".as_slice()));
    assert_eq!(
        tree.overlays.iter().map(|overlay| overlay.env.as_str()).collect::<Vec<_>>(),
        ["prod", "staging"]
    );
    let strays: Vec<&str> = tree.strays.iter().map(|stray| stray.reason.as_str()).collect();
    assert_eq!(strays, ["zaps/d.yml is not read: zaps end in .yaml"]);
}

#[test]
fn what_cannot_be_read_is_told() {
    let root = project(&[("zaps/folder.yaml/inner.yaml", ""), ("zaprun.yaml/x", "")]);
    let tree = read(root.path());
    assert_eq!(paths(&tree), ["zaps/folder.yaml", "zaps/folder.yaml/inner.yaml"]);
    assert_eq!(tree.zaps[0].content, Err("it is a folder, not a file".to_owned()));
    assert_eq!(tree.project.content, Err("it is a folder, not a file".to_owned()));

    let root = project(&[("zaprun.yaml", ""), ("zaps", "")]);
    assert_eq!(read(root.path()).zaps[0].content, Err("it is a file, and should be a folder".to_owned()));
    let root = project(&[]);
    let tree = read(root.path());
    assert_eq!(tree.project.content, Err("no such file or directory".to_owned()));
    assert!(tree.zaps.is_empty());
}

#[cfg(unix)]
#[test]
fn links_neither_loop_nor_leave_the_project() {
    use std::os::unix::fs::symlink;

    let outside = project(&[("secret.yaml", "name: s\n")]);
    let root = project(&[("zaprun.yaml", ""), ("shared/x.yaml", "name: x\n"), ("zaps/a.yaml", "name: a\n")]);
    let zaps = root.path().join("zaps");
    symlink(&zaps, zaps.join("again")).unwrap();
    symlink(root.path(), zaps.join("up")).unwrap();
    symlink(zaps.join("a.yaml"), zaps.join("same.yaml")).unwrap();
    symlink(root.path().join("shared"), zaps.join("shared")).unwrap();
    symlink(outside.path(), zaps.join("outside")).unwrap();
    symlink(outside.path().join("secret.yaml"), zaps.join("leak.yaml")).unwrap();
    symlink("/nowhere", zaps.join("dangling.yaml")).unwrap();
    symlink("/nowhere", zaps.join("dangling.txt")).unwrap();
    let tree = read(root.path());
    let contents: Vec<_> = tree.zaps.iter().map(|file| (file.path.as_str(), file.content.is_ok())).collect();
    let told =
        |path: &str| tree.zaps.iter().find(|file| file.path == path).unwrap().content.clone().unwrap_err();
    assert_eq!(told("zaps/leak.yaml"), "it is a link that leads out of the project");
    assert_eq!(told("zaps/dangling.yaml"), "no such file or directory");
    assert!(contents.contains(&("zaps/a.yaml", true)), "{contents:?}");
    assert_eq!(contents.iter().filter(|(_, read)| *read).count(), 2, "a and x: {contents:?}");
    assert!(!contents.iter().any(|(path, _)| path.starts_with("zaps/outside/")), "{contents:?}");
}

#[cfg(unix)]
#[test]
fn a_folder_behind_a_link_out_of_the_project_is_told() {
    let elsewhere = project(&[("shared/b.yaml", "name: b\n")]);
    let root = project(&[("zaprun.yaml", ""), ("zaps/a.yaml", "name: a\n")]);
    let link =
        |target: &Path, name: &str| std::os::unix::fs::symlink(target, root.path().join(name)).unwrap();
    link(&elsewhere.path().join("shared"), "zaps/shared");
    // One that leads up shows no file that is not seen already.
    link(root.path(), "zaps/up");
    let tree = read(root.path());
    assert_eq!(paths(&tree), ["zaps/a.yaml", "zaps/shared"]);
    assert_eq!(tree.zaps[1].content, Err("it is a link that leads out of the project".to_owned()));
}

#[test]
fn tables_are_the_files_of_their_folder() {
    let root = project(&[
        ("zaprun.yaml", "version: 1\n"),
        ("tables/rates.yaml", "US: 1\n"),
        ("tables/accounts.csv", "sku,account\n"),
        ("tables/.accounts.csv.swp", ""),
        ("tables/notes.txt", ""),
        ("tables/folder.csv/inner.csv", ""),
    ]);
    let tree = read(root.path());
    let found: Vec<_> =
        tree.tables.iter().map(|file| (file.path.as_str(), file.content.as_deref().is_ok())).collect();
    assert_eq!(
        found,
        [("tables/accounts.csv", true), ("tables/folder.csv", false), ("tables/rates.yaml", true)]
    );
    let strays: Vec<String> =
        tree.strays.iter().map(|stray| format!("{}: {}", stray.path, stray.reason)).collect();
    assert_eq!(strays, ["tables/notes.txt: tables end in .csv or .yaml"]);
    assert!(read(project(&[]).path()).tables.is_empty());
}

#[cfg(unix)]
#[test]
fn a_table_from_outside_is_refused() {
    let outside = project(&[("accounts.csv", "sku,account\n")]);
    let root = project(&[("zaprun.yaml", "version: 1\n")]);
    std::os::unix::fs::symlink(outside.path(), root.path().join("tables")).unwrap();
    let tables = read(root.path()).tables;
    assert_eq!(tables[0].content, Err("it is a link that leads out of the project".to_owned()));
}
