//! Connections whose tokens an authorisation server gives.

use std::sync::{Arc, Mutex};

use crate::harness::{Lab, SALES, header, serve};

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER_KEY: &str = "AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// An authorisation server that takes each refresh token once, and an API that says back what it was told.
#[derive(Default)]
struct Books {
    /// Bodies of the requests for tokens.
    asked: Vec<String>,
    /// What the API was shown.
    shown: Vec<String>,
    /// The one refresh token that is good; none: it gives tokens for the client's credentials.
    good: Option<String>,
    /// What it answers instead.
    refuses: Option<(u16, &'static str)>,
}

type Shared = Arc<Mutex<Books>>;

/// Serves it until the process ends; its address.
fn open(books: &Shared) -> String {
    let books = Arc::clone(books);
    serve(move |told| {
        let mut books = books.lock().unwrap();
        if told.starts_with("POST /token") {
            return books.token(told.split_once("\r\n\r\n").unwrap().1);
        }
        let shown = header(told, "authorization").unwrap_or_default();
        books.shown.push(shown.to_owned());
        let taken = shown.starts_with("Bearer secret-access-");
        (if taken { 200 } else { 401 }, format!("you said: {told}"))
    })
}

impl Books {
    fn token(&mut self, body: &str) -> (u16, String) {
        self.asked.push(body.to_owned());
        if let Some((status, said)) = self.refuses {
            return (status, said.to_owned());
        }
        let number = self.asked.len();
        let spent = body.split('&').find_map(|field| field.strip_prefix("refresh_token="));
        if spent != self.good.as_deref() {
            return (400, r#"{"error":"invalid_grant"}"#.to_owned());
        }
        let next = self.good.as_mut().map(|good| {
            *good = format!("secret-refresh-{number}");
            format!(r#","refresh_token":"{good}""#)
        });
        let token = format!(
            r#"{{"access_token":"secret-access-{number}","expires_in":3600{}}}"#,
            next.unwrap_or_default()
        );
        (200, token)
    }
}

/// A lab whose `api` gets its tokens from there.
fn lab(books: &Shared, refreshing: bool) -> Lab {
    let mut lab = Lab::new(&[SALES]);
    let way = if refreshing { "refresh_token: \"${REFRESH}\"" } else { "client_secret: \"${SECRET}\"" };
    lab.change(
        "auth: { bearer: \"${API_TOKEN}\" }",
        &format!("auth: {{ oauth2: {{ token_url: \"${{SINK_URL}}/token\", client_id: zaps, {way} }} }}"),
    );
    lab.change("version: 1\n", "version: 1\nstate_key: ${ZAPRUN_STATE_KEY}\n");
    let base = open(books);
    for (name, value) in [
        ("SINK_URL", base.as_str()),
        ("SECRET", "secret-of-client"),
        ("REFRESH", "secret-refresh-0"),
        ("ZAPRUN_STATE_KEY", KEY),
    ] {
        lab.program().set(name, value);
    }
    lab
}

/// Nothing that was written holds a secret of the tokens.
#[track_caller]
fn is_silent(lab: &Lab, said: &str) {
    let secrets = ["secret-access", "secret-refresh", "secret-of-client", KEY];
    for secret in secrets {
        assert!(!said.contains(secret), "{secret} in\n{said}");
        for (path, bytes) in lab.state() {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} in {}", path.display());
        }
    }
}

#[test]
fn a_token_is_got_used_and_never_shown() {
    let books = Shared::default();
    let lab = lab(&books, false);
    lab.sales(3);
    let ran = lab.zaprun(&["run", "--once", "--verbose"]).expect(0);
    is_silent(&lab, &ran.all());
    assert_eq!(lab.counts(), [("delivered".to_owned(), 3)].into());
    assert_eq!(books.lock().unwrap().asked, ["grant_type=client_credentials"]);
    assert_eq!(books.lock().unwrap().shown, ["Bearer secret-access-1"; 3]);
    let shown = lab.zaprun(&["runs", "show", "1"]).expect(0);
    assert!(shown.out.contains("you said"), "the reply is kept all the same\n{}", shown.out);
    is_silent(&lab, &shown.all());
    let checked = lab.zaprun(&["check"]).expect(0).says("given; lasts: 1h");
    is_silent(&lab, &checked.all());
}

#[test]
fn a_token_endpoint_that_refuses_is_the_connections_fault() {
    let books = Shared::default();
    let lab = lab(&books, false);
    books.lock().unwrap().refuses =
        Some((401, r#"{"error":"invalid_client","error_description":"not secret-of-client"}"#));
    lab.sales(2);
    let said = "the token endpoint answered invalid_client: not ***; look at `client_id`, `client_secret`";
    let ran = lab.once(1).says(said);
    is_silent(&lab, &ran.all());
    assert_eq!(lab.counts(), [("pending".to_owned(), 2)].into());
    assert_eq!(books.lock().unwrap().shown.len(), 0);
    let checked = lab.zaprun(&["check"]).expect(1).says(said);
    is_silent(&lab, &checked.all());
}

#[test]
fn the_refresh_token_that_follows_outlasts_a_kill() {
    let books = Shared::default();
    books.lock().unwrap().good = Some("secret-refresh-0".to_owned());
    let mut lab = lab(&books, true);
    lab.zaprun(&["check"]).expect(0).says("the first run spends `refresh_token`; it was not tried");
    lab.zaprun(&["run", "--once", "--dry-run"]).expect(0);
    assert_eq!(books.lock().unwrap().asked.len(), 0, "neither spends it");
    lab.sales(1);
    let going = lab.start(&["run", "--verbose", "--log-format", "text"]);
    going.wait_for_err("delivered");
    let held = lab.zaprun(&["check"]).expect(0).says("the running zaprun renews it");
    is_silent(&lab, &held.all());
    let killed = going.kill();
    is_silent(&lab, &killed.all());
    lab.sales(1);
    let ran = lab.once(0);
    is_silent(&lab, &ran.all());
    assert_eq!(lab.counts(), [("delivered".to_owned(), 2)].into());
    assert_eq!(books.lock().unwrap().good.as_deref(), Some("secret-refresh-2"));
    lab.zaprun(&["check"]).expect(0).says("given; lasts: 1h");
    assert_eq!(books.lock().unwrap().good.as_deref(), Some("secret-refresh-3"), "what check spends is kept");

    // Another key: nothing starts, and nothing is lost.
    lab.program().set("ZAPRUN_STATE_KEY", OTHER_KEY);
    lab.once(1).says("connection `api`: the kept refresh token cannot be opened with `state_key`");
    lab.zaprun(&["check"]).expect(1).says("cannot be opened with `state_key`");
    lab.program().set("ZAPRUN_STATE_KEY", "short");
    lab.once(1).says("`state_key` cannot be used: it is not 32 bytes in base64");
    lab.program().set("ZAPRUN_STATE_KEY", KEY);
    lab.sales(1);
    lab.once(0);
    assert_eq!(books.lock().unwrap().good.as_deref(), Some("secret-refresh-4"));
}

#[test]
fn a_reload_spends_no_refresh_token_twice() {
    let books = Shared::default();
    books.lock().unwrap().good = Some("secret-refresh-0".to_owned());
    let lab = lab(&books, true);
    lab.sales(1);
    let going = lab.start(&["run", "--verbose", "--log-format", "text"]);
    going.wait_for_err("delivered");
    // A zap is another one: the connection's token is still good.
    lab.zap(&SALES.replace("fixed: 19.90", "fixed: 20.90"));
    going.signal("HUP");
    going.wait_for_err("reloaded: 1 changed (sales), 0 unchanged");
    lab.sales(1);
    going.wait_for_err_times("delivered", 2);
    assert_eq!(books.lock().unwrap().asked.len(), 1);
    // The connection is another one: it goes on with the refresh token that followed.
    lab.change("auth: { oauth2:", "headers: { X-Shop: a }\n    auth: { oauth2:");
    going.signal("HUP");
    going.wait_for_err("1 connection changed (api)");
    lab.sales(1);
    going.wait_for_err_times("delivered", 3);
    assert_eq!(books.lock().unwrap().good.as_deref(), Some("secret-refresh-2"));
    assert_eq!(books.lock().unwrap().shown.last().unwrap(), "Bearer secret-access-2");
    is_silent(&lab, &lab.stop(going).expect(0).all());
}

#[test]
fn a_new_key_opens_what_the_old_one_sealed() {
    let books = Shared::default();
    books.lock().unwrap().good = Some("secret-refresh-0".to_owned());
    let mut lab = lab(&books, true);
    lab.program().set("NEW_KEY", OTHER_KEY);
    lab.program().set("SHORT", "short");
    let by = |old: &str, new: &str| {
        ["state", "rekey", "--old-key-env", old, "--new-key-env", new].map(str::to_owned)
    };
    let rekey = |lab: &Lab, args: &[String], code: i32| {
        let ran = lab.zaprun(&args.iter().map(String::as_str).collect::<Vec<_>>()).expect(code);
        is_silent(lab, &ran.all());
        assert!(!ran.all().contains(OTHER_KEY), "{}", ran.all());
        ran
    };
    rekey(&lab, &by("ZAPRUN_STATE_KEY", "NEW_KEY"), 1).says("nothing has run here yet");
    lab.sales(1);
    let engine = lab.start(&["run", "--verbose", "--log-format", "text"]);
    engine.wait_for_err("delivered");
    rekey(&lab, &by("ZAPRUN_STATE_KEY", "NEW_KEY"), 1).says("another zaprun is running");
    lab.stop(engine).expect(0);
    rekey(&lab, &by("NOT_SET", "NEW_KEY"), 1).says("the old key: `NOT_SET` is not set");
    rekey(&lab, &by("SHORT", "NEW_KEY"), 1).says("the old key in `SHORT` cannot be used");
    rekey(&lab, &by("NEW_KEY", "NEW_KEY"), 1)
        .says("what is kept of `api` cannot be opened")
        .says("--discard");
    lab.zaprun(&["state", "rekey"]).expect(2);

    // By the project's own key as the old one, and a file.
    lab.write("new.key", format!("{OTHER_KEY}\n"));
    let file = ["state", "rekey", "--new-key-file", "new.key"].map(str::to_owned);
    rekey(&lab, &file, 0).says("1 secret sealed under the new key");
    // Again, as after a run that was broken off once all was sealed.
    rekey(&lab, &by("ZAPRUN_STATE_KEY", "NEW_KEY"), 0).says("1 secret sealed under the new key");
    lab.once(1).says("cannot be opened with `state_key`");
    lab.program().set("ZAPRUN_STATE_KEY", OTHER_KEY);
    lab.sales(1);
    lab.once(0);
    assert_eq!(books.lock().unwrap().good.as_deref(), Some("secret-refresh-2"));

    // The key is lost: what was kept goes, and the project's own token is taken.
    lab.program().set("ZAPRUN_STATE_KEY", KEY);
    lab.program().set("REFRESH", "secret-refresh-anew");
    books.lock().unwrap().good = Some("secret-refresh-anew".to_owned());
    let lost = [by("ZAPRUN_STATE_KEY", "ZAPRUN_STATE_KEY").as_slice(), &["--discard".to_owned()]].concat();
    rekey(&lab, &lost, 0).says("0 secrets sealed").says("what was kept of `api` is thrown away");
    lab.sales(1);
    lab.once(0);
    assert_eq!(lab.counts(), [("delivered".to_owned(), 3)].into());
}

#[test]
fn the_tokens_of_two_connections_are_checked_one_after_the_other() {
    let (books, sheets) = (Shared::default(), Shared::default());
    for server in [&books, &sheets] {
        server.lock().unwrap().good = Some("secret-refresh-0".to_owned());
    }
    let mut lab = lab(&books, true);
    lab.change("  hook:\n    type: http\n    base_url: ${HOOK_URL}\n", "  hook:\n    type: http\n    base_url: ${HOOK_URL}\n    may_receive: personal\n    auth: { oauth2: { token_url: \"${HOOK_URL}/token\", client_id: zaps, refresh_token: \"${REFRESH}\" } }\n");
    lab.program().set("HOOK_URL", &open(&sheets));
    lab.zap(
        &SALES
            .replace("name: sales", "name: more")
            .replace("connection: api", "connection: hook")
            .replace("path: sales", "path: more"),
    );
    lab.sales(1);
    lab.once(0);
    let checked = lab.zaprun(&["check"]).expect(0);
    assert_eq!(checked.out.matches("given; lasts: 1h").count(), 2, "{}", checked.all());
    for server in [&books, &sheets] {
        assert_eq!(server.lock().unwrap().good.as_deref(), Some("secret-refresh-2"));
    }
    lab.once(0);
}
