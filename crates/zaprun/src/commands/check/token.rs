//! Whether a connection with `oauth2` gets a token.

use std::sync::{Arc, Mutex, PoisonError};

use zaprun_core::definition::{Auth, HttpConnection};
use zaprun_engine::ports::{Clock, StoreError};
use zaprun_http::{Clients, Denied, HttpSender, Lasts, StateKey, Tokens, duration_text};
use zaprun_store::{Options, SqliteStore};

use super::{Line, Verdict};
use crate::clock::SystemClock;
use crate::loading::Started;
use crate::mask::Masker;
use crate::wiring;

const CHECK: &str = "token";

/// What the checks of all tokens share.
pub(super) struct Tills {
    masker: Arc<Masker>,
    /// The state has one holder at a time, and each check of a kept token is one.
    state: tokio::sync::Mutex<()>,
    open: Mutex<Vec<Tokens>>,
}

impl Tills {
    pub(super) fn new(masker: &Arc<Masker>) -> Self {
        Tills { masker: Arc::clone(masker), state: tokio::sync::Mutex::default(), open: Mutex::default() }
    }

    /// Waits until what was given is kept, also where the checks were broken off.
    pub(super) async fn settle(&self) {
        let open = std::mem::take(&mut *self.open.lock().unwrap_or_else(PoisonError::into_inner));
        for tokens in open {
            tokens.settle().await;
        }
    }
}

/// Asks for a token; nothing to say of a connection that has none.
pub(super) async fn check(
    name: &str,
    http: &HttpConnection,
    started: &Started,
    tills: &Tills,
) -> Option<Line> {
    let Some(Auth::OAuth2(said)) = http.auth.as_ref().map(|auth| &auth.value) else { return None };
    let failed = |reason: String| Line::new(name, CHECK, Verdict::Failed, reason);
    let key = match wiring::state_key(&started.project.definition) {
        Ok(key) => key,
        Err(error) => return Some(failed(error.to_string())),
    };
    let ask = Ask { name, http, started, key: key.as_ref(), tills };
    // A service account needs none.
    let refreshing = said.refresh_token.is_some() && said.service_account.is_none();
    let result = match refreshing {
        true => ask.with_what_is_kept().await,
        false => ask.with(Tokens::new(Arc::clone(&tills.masker) as _)).await,
    };
    Some(match result {
        Ok(line) => line,
        Err(reason) => failed(reason),
    })
}

struct Ask<'a> {
    name: &'a str,
    http: &'a HttpConnection,
    started: &'a Started,
    key: Option<&'a StateKey>,
    tills: &'a Tills,
}

impl Ask<'_> {
    async fn with(&self, tokens: Tokens) -> Result<Line, String> {
        let root = &self.started.root;
        let config = wiring::http_config(self.name, self.http, root, self.key).map_err(|e| e.to_string())?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let sender = HttpSender::with_tokens(&[config], &Clients::new(), clock, &tokens);
        let given = sender.map_err(|error| error.to_string())?.try_token(self.name).await;
        tokens.settle().await;
        match given {
            Some(Ok(Lasts { for_ })) => {
                let lasts = for_.map_or_else(|| "no end is said".to_owned(), duration_text);
                Ok(Line::new(self.name, CHECK, Verdict::Ok, format!("given; lasts: {lasts}")))
            }
            Some(Err(Denied::Fault(reason) | Denied::Later(reason))) => Err(reason),
            Some(Err(Denied::Unspent(reason))) => Ok(self.unknown(reason)),
            None => Ok(self.unknown("it has none")),
        }
    }

    /// Where the state keeps a refresh token already, it is this deployment's, and what follows it is kept too. The one
    /// that the project names may belong to another deployment, whose only one it is.
    async fn with_what_is_kept(&self) -> Result<Line, String> {
        let state = wiring::state_path(&self.started.project.definition, &self.started.root);
        let kept = match SqliteStore::open_reader(&state) {
            Ok(reader) => reader.all_sealed().await.map_err(|error| error.to_string())?,
            Err(StoreError::Missing { .. }) => Vec::new(),
            Err(error) => return Ok(self.unknown(&error.to_string())),
        };
        let (Some(kept), Some(key)) = (kept.iter().find(|kept| kept.name == self.name), self.key) else {
            return Ok(self.unknown("the first run spends `refresh_token`; it was not tried"));
        };
        key.open(self.name, &kept.sealed)
            .map_err(|error| format!("the kept refresh token cannot be opened with `state_key`: {error}"))?;
        let _alone = self.tills.state.lock().await;
        match SqliteStore::open_engine(&state, &Options::default()) {
            Ok(store) => {
                let store = Arc::new(store);
                let hide = Arc::clone(&self.tills.masker) as _;
                let tokens = Tokens::kept_in(Arc::clone(&store) as _, hide);
                self.tills.open.lock().unwrap_or_else(PoisonError::into_inner).push(tokens.clone());
                let line = self.with(tokens).await;
                store.close().await.map_err(|error| error.to_string())?;
                line
            }
            Err(StoreError::Busy { .. }) => {
                let detail = "the kept refresh token opens with `state_key`; the running zaprun renews it";
                Ok(Line::new(self.name, CHECK, Verdict::Ok, detail))
            }
            Err(error) => Err(error.to_string()),
        }
    }

    fn unknown(&self, detail: &str) -> Line {
        Line::new(self.name, CHECK, Verdict::Unknown, detail)
    }
}
