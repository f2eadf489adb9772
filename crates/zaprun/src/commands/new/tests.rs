use super::*;

#[test]
fn files_lie_under_zaps_and_point_to_the_schemas() {
    for (folder, file, up) in [
        (None, "zaps/a.yaml", "../schemas/zap.schema.json"),
        (Some("chat"), "zaps/chat/a.yaml", "../../schemas/zap.schema.json"),
        (Some("zaps/chat/"), "zaps/chat/a.yaml", "../../schemas/zap.schema.json"),
        (Some("./a//b"), "zaps/a/b/a.yaml", "../../../schemas/zap.schema.json"),
    ] {
        let path = path(folder, "a").unwrap();
        assert_eq!(path, file);
        assert_eq!(schema(&path), up);
    }
    for bad in ["..", "a/../..", "/tmp", "fixtures", "a/fixtures", ".hidden", "c:\\x"] {
        assert!(path(Some(bad), "a").is_err(), "{bad}");
    }
}

#[test]
fn a_word_that_is_not_known_is_refused_with_a_hint() {
    let error = unknown("trigger", "konektive.orders", &trigger_types());
    assert_eq!(error.to_string(), "--trigger does not know `konektive.orders`");
    assert_eq!(error.hints(), ["did you mean `konnektive.orders`?"]);
    assert!(
        unknown("trigger", "zzz", &trigger_types()).hints()[0].starts_with("it takes konnektive.orders, ")
    );
}
