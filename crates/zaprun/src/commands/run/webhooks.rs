//! The server of webhooks, beside the engine.

use std::collections::BTreeSet;
use std::sync::Arc;

use zaprun_core::definition::Project;
use zaprun_engine::delivery::Mask;
use zaprun_engine::intake::Intake;
use zaprun_engine::ports::Clock;
use zaprun_engine::report::Observer;
use zaprun_webhooks::{Config, Limits, ServeError, Server};

use super::Args;
use crate::error::{CommandError, io_words};
use crate::watch::Watch;
use crate::wiring;

/// What a server of webhooks is made from.
pub(super) struct Door<'a> {
    pub(super) project: &'a Project,
    pub(super) intake: Intake,
    pub(super) mask: Arc<dyn Mask>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) observer: Arc<dyn Observer>,
}

impl Door<'_> {
    /// Listens, where a zap has a webhook; `None` where none has, or none is to be taken.
    ///
    /// # Errors
    /// When the address cannot be had, or a connection's secret is of no use.
    pub(super) async fn open(self, args: &Args, watch: &Watch) -> Result<Option<Server>, CommandError> {
        let routes = self.intake.routes().to_vec();
        let listen = self.project.listen.as_ref();
        let Some(address) = listen.and_then(|listen| listen.webhooks.as_ref()).filter(|_| !routes.is_empty())
        else {
            return Ok(None);
        };
        if args.once || args.dry_run {
            watch.say("webhooks are not taken in this run");
            return Ok(None);
        }
        let callers: BTreeSet<&str> = routes.iter().map(|route| route.connection.as_str()).collect();
        let config = Config {
            listen: address.value.0,
            trusted_proxies: listen
                .map_or(&[][..], |listen| &listen.trusted_proxies)
                .iter()
                .map(|network| network.value.0)
                .collect(),
            connections: wiring::callers(self.project, &callers)?,
            mask: self.mask,
            limits: Limits::default(),
        };
        let server = Server::bind(config, self.intake, self.clock, self.observer).await.map_err(refused)?;
        let address = server.address().map_or(address.value.0, |address| address);
        let paths: BTreeSet<&str> = routes.iter().map(|route| route.path.as_str()).collect();
        let paths: Vec<&str> = paths.into_iter().collect();
        watch.say(&format!("webhooks arrive at http://{address}: {}", paths.join(", ")));
        Ok(Some(server))
    }
}

fn refused(error: ServeError) -> CommandError {
    match error {
        ServeError::Listen { address, source } => {
            let error = CommandError::failure(format!(
                "webhooks cannot be taken at {address}: {}",
                io_words(&source)
            ));
            error.hint("`listen.webhooks` in zaprun.yaml says where; another program may listen there")
        }
        error @ ServeError::NoConnection { .. } => CommandError::failure(error.to_string()),
    }
}
