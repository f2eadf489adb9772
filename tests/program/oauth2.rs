//! Connections whose tokens an authorisation server gives.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::harness::{Lab, SALES};

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
fn serve(books: &Shared) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let books = Arc::clone(books);
    std::thread::spawn(move || listener.incoming().flatten().for_each(|line| answer(line, &books)));
    format!("http://{address}")
}

fn answer(mut line: TcpStream, books: &Shared) {
    let Some(told) = request(&mut line) else { return };
    let (head, body) = told.split_once("\r\n\r\n").unwrap();
    let shown = head.lines().find_map(|line| line.strip_prefix("authorization: ")).unwrap_or_default();
    let mut books = books.lock().unwrap();
    let (status, said) = match head.starts_with("POST /token") {
        true => books.token(body),
        false => {
            books.shown.push(shown.to_owned());
            let taken = shown.starts_with("Bearer secret-access-");
            (if taken { 200 } else { 401 }, format!("you said: {told}"))
        }
    };
    let answer = format!(
        "HTTP/1.1 {status} Told\r\nX-Told: {shown}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{said}",
        said.len()
    );
    // Whoever has gone needs no answer.
    let _ = line.write_all(answer.as_bytes());
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

/// A whole request; none if the line ends before it does.
fn request(line: &mut TcpStream) -> Option<String> {
    let (mut told, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&told);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text.into_owned());
            }
        }
        let read = line.read(&mut chunk).ok().filter(|read| *read > 0)?;
        told.extend_from_slice(&chunk[..read]);
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
    let base = serve(books);
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
