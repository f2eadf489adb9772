//! Listening, and bringing CRM, sink and stream together.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State as Handle};
use axum::http::header::DATE;
use axum::http::{HeaderValue, Response};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::config::{Config, Error};
use crate::control::Control;
use crate::generator::{self, Generator};
use crate::{crm, push, sink};

/// How long requests under way may take once the sandbox is asked to stop.
const GRACE: Duration = Duration::from_secs(2);

/// Time over which the history before the start is spread.
const HISTORY: jiff::SignedDuration = jiff::SignedDuration::from_hours(72);

/// The stand-in CRM and the sink in one server.
#[derive(Debug)]
pub struct Sandbox;

impl Sandbox {
    /// Starts an empty CRM and sink.
    ///
    /// # Errors
    /// [`Error::Listen`], [`Error::Zone`], [`Error::Export`].
    pub async fn start(config: Config) -> Result<Running, Error> {
        let control = Control::new(&config)?;
        if config.history > 0 {
            Generator::new(config.seed).history(&control, config.history, HISTORY);
            control.forget_pushes();
        }
        Sandbox::resume(config, control).await
    }

    /// Starts a server for a CRM and sink that exist already, such as those of one that was shut down. Of the
    /// configuration only address, pace and seed of the stream count.
    ///
    /// # Errors
    /// [`Error::Listen`].
    pub async fn resume(config: Config, control: Control) -> Result<Running, Error> {
        let refused = |source| Error::Listen { addr: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(refused)?;
        let addr = listener.local_addr().map_err(refused)?;
        control.set_stopping(false);
        let app = Router::new().fallback(serve).with_state(control.clone());
        let stop = control.clone();
        let server = axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
            .with_graceful_shutdown(async move { stop.stopping().await });
        let server = tokio::spawn(async move {
            if let Err(error) = server.await {
                tracing::error!(%error, "sandbox stopped serving");
            }
        });
        let stream = config.rate.map(|rate| {
            let stop = control.stop_signal();
            tokio::spawn(generator::run_generator(control.clone(), rate, config.seed, stop, |_| {}))
        });
        let pushes = tokio::spawn(push::run(control.clone()));
        Ok(Running { addr, control, server, stream, pushes })
    }
}

/// A sandbox that serves; it stops when this is dropped.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    control: Control,
    server: JoinHandle<()>,
    stream: Option<JoinHandle<()>>,
    pushes: JoinHandle<()>,
}

impl Running {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The CRM's address, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The sink's address.
    pub fn sink_url(&self) -> String {
        format!("http://{}/sink", self.addr)
    }

    /// The handle that steers it.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Stops listening, lets requests under way end for two seconds, and comes back.
    pub async fn shutdown(mut self) {
        self.control.set_stopping(true);
        if let Some(stream) = self.stream.take() {
            // Its own end or its panic: either way it is over.
            let _ = stream.await;
        }
        let _ = (&mut self.pushes).await;
        if tokio::time::timeout(GRACE, &mut self.server).await.is_err() {
            self.server.abort();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.control.set_stopping(true);
    }
}

async fn serve(
    Handle(control): Handle<Control>,
    ConnectInfo(caller): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    let now = control.now();
    let path = request.uri().path();
    let mut response = if path == "/sink" || path.starts_with("/sink/") {
        sink::serve(control, request).await
    } else {
        crm::serve(control, caller.ip(), request).await
    };
    if let Ok(date) = HeaderValue::from_str(&http_date(now)) {
        response.headers_mut().insert(DATE, date);
    }
    response
}

/// The sandbox's own time, so that clients can see a clock that is off.
fn http_date(now: Timestamp) -> String {
    now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
