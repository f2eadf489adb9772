//! One request, from its head to its answer.

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_LENGTH, EXPECT, HeaderName};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Request, StatusCode};
use ipnet::IpNet;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use zaprun_core::definition::Rate;
use zaprun_core::request::CHAIN_HEADER;
use zaprun_engine::delivery::Mask;
use zaprun_engine::intake::{Arrived, Intake, Route};
use zaprun_engine::ports::Clock;
use zaprun_engine::report::Observer;

use crate::answer::Refusal;
use crate::body::{self, Form};
use crate::caller::{self, Limiter};
use crate::complaints::Complaints;
use crate::context::context;
use crate::verify::{Check, Unverified};

/// What a server is made of.
pub struct Config {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The systems that call.
    pub connections: Vec<Connection>,
    /// Hides secrets in what is kept of a request beside its data.
    pub mask: Arc<dyn Mask>,
    /// What no request may exceed.
    pub limits: Limits,
}

/// A system that calls.
pub struct Connection {
    /// Its name, by which the intake's routes mean it.
    pub name: String,
    /// How it proves who it is.
    pub check: Check,
    /// How many requests one caller may make.
    pub rate: Rate,
}

/// What no request may exceed.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of a body.
    pub body: usize,
    /// Bytes of a head.
    pub head: usize,
    /// The time until the head is there; also how long a connection may be idle.
    pub head_time: Duration,
    /// The time until the body is there.
    pub body_time: Duration,
    /// Connections at once; more wait to be accepted.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            body: 1024 * 1024,
            head: 64 * 1024,
            head_time: Duration::from_secs(15),
            body_time: Duration::from_secs(30),
            connections: 256,
        }
    }
}

/// Where requests are looked at.
pub(crate) struct Desk {
    rules: RwLock<Arc<Rules>>,
    mask: Arc<dyn Mask>,
    limits: Limits,
    intake: Intake,
    clock: Arc<dyn Clock>,
    complaints: Complaints,
}

/// Who may come, and where. A request that has come in is dealt with by the rules that it met.
struct Rules {
    routes: HashMap<String, Arc<Caller>>,
    proxies: Vec<IpNet>,
}

/// A system that calls, and how often its callers came.
struct Caller {
    name: String,
    check: Check,
    rate: Rate,
    limiter: Arc<Limiter>,
}

impl Rules {
    /// Rules for these routes; `Err`: a connection that one of them names and that is not there. Who has reached a limit
    /// that stays has reached it `before`.
    fn new(
        connections: Vec<Connection>,
        proxies: Vec<IpNet>,
        routes: &[Route],
        before: Option<&Rules>,
    ) -> Result<Rules, String> {
        let limiter = |name: &str, rate: Rate| {
            let mut known = before.into_iter().flat_map(|rules| rules.routes.values());
            let same = known.find(|caller| caller.name == name && caller.rate == rate);
            same.map_or_else(|| Arc::new(Limiter::new(rate)), |caller| Arc::clone(&caller.limiter))
        };
        let callers: HashMap<String, Arc<Caller>> = connections
            .into_iter()
            .map(|Connection { name, check, rate }| {
                let limiter = limiter(&name, rate);
                (name.clone(), Arc::new(Caller { name, check, rate, limiter }))
            })
            .collect();
        let mut by_path = HashMap::new();
        for route in routes {
            let caller = callers.get(&route.connection).ok_or_else(|| route.connection.clone())?;
            by_path.insert(route.path.clone(), Arc::clone(caller));
        }
        Ok(Rules { routes: by_path, proxies })
    }
}

const METHODS: &str = "GET, POST, PUT";
const METHODS_WITH_BODY: &str = "POST, PUT";

/// What of a body that is not taken is read all the same, and for how long: a line that is closed while its caller still
/// sends is reset, and the answer never read. Who sends more is cut off.
const DRAINED: (usize, Duration) = (4 * 1024 * 1024, Duration::from_secs(5));

/// Reads the rest of a body and throws it away.
async fn drain(body: &mut Incoming) {
    let (most, time) = DRAINED;
    let mut rest = 0;
    let all = async {
        while let Some(Ok(frame)) = body.frame().await {
            rest += frame.data_ref().map_or(0, Bytes::len);
            if rest > most {
                return;
            }
        }
    };
    // Where the time is up, the line is closed as it is.
    let _ = tokio::time::timeout(time, all).await;
}

impl Desk {
    /// A desk for these routes; `Err`: a connection that one of them names and that is not there.
    pub(crate) fn new(
        config: Config,
        routes: &[Route],
        intake: Intake,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, String> {
        let rules = Rules::new(config.connections, config.trusted_proxies, routes, None)?;
        Ok(Desk {
            rules: RwLock::new(Arc::new(rules)),
            mask: config.mask,
            limits: config.limits,
            intake,
            complaints: Complaints::new(Arc::clone(&clock), observer),
            clock,
        })
    }

    /// Other rules from now on; `Err`: see [`Desk::new`], and then the old ones stay.
    pub(crate) fn change(
        &self,
        connections: Vec<Connection>,
        proxies: Vec<IpNet>,
        routes: &[Route],
    ) -> Result<(), String> {
        let before = self.rules();
        let rules = Arc::new(Rules::new(connections, proxies, routes, Some(&before))?);
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = rules;
        Ok(())
    }

    fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes a request in; it is told of when it is not taken.
    pub(crate) async fn serve(&self, peer: IpAddr, request: Request<Incoming>) -> Result<(), Refusal> {
        let path = request.uri().path().to_owned();
        let (head, mut body) = request.into_parts();
        let rules = self.rules();
        let outcome = match rules.routes.get(&path) {
            Some(caller) => {
                let address = caller::address(peer, &head.headers, &rules.proxies);
                self.take(caller, address, &path, &head, &mut body).await
            }
            None => Err(Refusal::new(StatusCode::NOT_FOUND, "no zap has this path")),
        };
        if let Err(refusal) = &outcome {
            // Whoever waits to be asked for the body is not asked.
            if !head.headers.contains_key(EXPECT) {
                drain(&mut body).await;
            }
            let known = rules.routes.contains_key(&path).then_some(path.as_str());
            self.complaints.add(known, refusal);
        }
        outcome
    }

    async fn take(
        &self,
        caller: &Caller,
        address: IpAddr,
        path: &str,
        head: &Parts,
        body: &mut Incoming,
    ) -> Result<(), Refusal> {
        caller
            .limiter
            .count(address)
            .map_err(|wait| Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too many requests").after(wait))?;
        if !self.intake.is_open() {
            let refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the engine is not running");
            return Err(refusal.after(Duration::from_secs(5)));
        }
        let bodiless = head.method == Method::GET;
        allowed(&head.method, caller.check.needs_body())?;
        let claim = caller.check.head(&head.headers, self.clock.now());
        let claim = claim.map_err(|why| unverified(why, &caller.check))?;
        let body = self.read(&head.headers, body).await?;
        caller.check.body(&claim, &body).map_err(|why| unverified(why, &caller.check))?;

        let query = body::object(body::pairs(head.uri.query().unwrap_or_default().as_bytes())?);
        let record = match bodiless {
            true => body::json(query.clone()),
            false => Form::of(&head.headers)?.record(body)?,
        };
        let arrived = Arrived {
            path: path.to_owned(),
            record,
            context: context(&head.headers, query, caller.check.header(), &*self.mask),
            depth: depth(&head.headers),
        };
        self.intake.accept(&arrived).await?;
        Ok(())
    }

    /// The whole body, within bounds.
    async fn read(&self, headers: &HeaderMap, body: &mut Incoming) -> Result<Bytes, Refusal> {
        let too_large = || {
            let reason = format!("the body has more than {} bytes", self.limits.body);
            Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, reason)
        };
        let said = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        let most = self.limits.body as u64;
        if said.is_some_and(|length| length > most) || body.size_hint().lower() > most {
            return Err(too_large());
        }
        let whole = Limited::new(body, self.limits.body).collect();
        match tokio::time::timeout(self.limits.body_time, whole).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
            Ok(Err(_)) => Err(Refusal::new(StatusCode::BAD_REQUEST, "the body was cut off")),
            Err(_) => Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body takes too long")),
        }
    }
}

fn allowed(method: &Method, needs_body: bool) -> Result<(), Refusal> {
    let allow = if needs_body { METHODS_WITH_BODY } else { METHODS };
    if allow.split(", ").any(|one| one == method.as_str()) {
        return Ok(());
    }
    let reason = match *method == Method::GET {
        true => "a signature is over a body, and GET has none".to_owned(),
        false => format!("one of {allow} is taken here"),
    };
    Err(Refusal { allow: Some(allow), ..Refusal::new(StatusCode::METHOD_NOT_ALLOWED, reason) })
}

fn unverified(why: Unverified, check: &Check) -> Refusal {
    let refusal = Refusal::new(StatusCode::UNAUTHORIZED, why.to_string());
    Refusal { challenge: check.challenge(), ..refusal }
}

/// How many of zaprun's own writes led to the request, as it says. Nobody gains by saying more than is true.
fn depth(headers: &HeaderMap) -> u32 {
    const MOST: u32 = 1_000;
    let written = headers.get(HeaderName::from_static(CHAIN_HEADER)).and_then(|value| value.to_str().ok());
    written.and_then(|text| text.trim().parse().ok()).unwrap_or(0).min(MOST)
}
