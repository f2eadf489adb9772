//! A project in a temporary folder, beside a stand-in CRM and sink.

use std::collections::BTreeMap;
use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use zaprun_sandbox::{Config, Control, FaultRule, Received, Running, Sandbox};

use super::program::{Going, PATIENCE, Program, Ran};
use super::zaps::START;

/// Secrets of every project here. None may ever be written anywhere by the program.
pub(crate) const CANARIES: [&str; 4] =
    ["canary-login-77a1", "canary-password-5e1f", "canary-token-c0ffee41", "T0CANARYHOOK77XZ"];

/// The project file of every lab, unless it writes its own.
const PROJECT: &str = r##"version: 1
connections:
  crm:
    type: konnektive
    base_url: ${CRM_URL}
    login_id: ${CRM_LOGIN}
    password: ${CRM_PASSWORD}
    timezone: America/New_York
    currency: USD
    rate: 1000/s
    timeout: 10s
  api:
    type: http
    base_url: ${SINK_URL}
    auth: { bearer: "${API_TOKEN}" }
    may_receive: personal
    timeout: 10s
  hook:
    type: http
    base_url: ${HOOK_URL}
vars: { channel: "#orders" }
state: sqlite:state/zaprun.db
"##;

/// A project, its CRM and its sink.
pub(crate) struct Lab {
    // Declared first: it stops serving while its runtime still runs.
    sandbox: Running,
    runtime: Runtime,
    folder: TempDir,
    program: Program,
}

impl Lab {
    /// A project with these zaps.
    pub(crate) fn new(zaps: &[&str]) -> Lab {
        Lab::with(Config::default(), zaps)
    }

    /// A project with these zaps, and a CRM as configured but for its credentials.
    pub(crate) fn with(config: Config, zaps: &[&str]) -> Lab {
        let lab = Lab::empty(config);
        lab.write("zaprun.yaml", PROJECT);
        zaps.iter().for_each(|zap| lab.zap(zap));
        lab
    }

    /// A CRM and a sink beside an empty folder.
    pub(crate) fn empty(config: Config) -> Lab {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let config = Config { login: CANARIES[0].to_owned(), password: CANARIES[1].to_owned(), ..config };
        let sandbox = runtime.block_on(Sandbox::start(config)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut program = Program::in_folder(folder.path());
        program.set("CRM_URL", &sandbox.base_url());
        program.set("CRM_LOGIN", CANARIES[0]);
        program.set("CRM_PASSWORD", CANARIES[1]);
        program.set("SINK_URL", &sandbox.sink_url());
        program.set("API_TOKEN", CANARIES[2]);
        program.set("HOOK_URL", &format!("{}/{}", sandbox.sink_url(), CANARIES[3]));
        Lab { sandbox, runtime, folder, program }
    }

    // The project.

    /// Writes a zap under its name.
    pub(crate) fn zap(&self, text: &str) {
        let name = text.lines().find_map(|line| line.strip_prefix("name: ")).unwrap();
        self.write(&format!("zaps/{name}.yaml"), text.replace(START, &self.yesterday().to_string()));
    }

    /// Writes a file of the project.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Changes the project file.
    pub(crate) fn change(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.path("zaprun.yaml")).unwrap();
        assert!(text.contains(from), "{text}");
        self.write("zaprun.yaml", text.replace(from, to));
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// The files below `state/` with their bytes.
    pub(crate) fn state(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        files(&self.path("state"))
    }

    // The program.

    pub(crate) fn program(&mut self) -> &mut Program {
        &mut self.program
    }

    /// Runs the binary to its end.
    #[track_caller]
    pub(crate) fn zaprun(&self, args: &[&str]) -> Ran {
        self.ended(self.program.run(args))
    }

    /// Polls and delivers once; it must end with this code.
    #[track_caller]
    pub(crate) fn once(&self, code: i32) -> Ran {
        self.zaprun(&["run", "--once"]).expect(code)
    }

    /// Starts the binary.
    pub(crate) fn start(&self, args: &[&str]) -> Going {
        self.program.start(args)
    }

    /// Starts the binary with a limit on the size of each file that it writes, in blocks of 512 bytes.
    pub(crate) fn start_limited(&self, blocks: u32, args: &[&str]) -> Going {
        self.program.start_limited(blocks, args)
    }

    /// Asks a running engine to end, and waits until it has.
    #[track_caller]
    pub(crate) fn stop(&self, engine: Going) -> Ran {
        engine.signal("TERM");
        self.ended(engine.wait())
    }

    /// What holds for every run: no secret in what it wrote, wherever.
    #[track_caller]
    pub(crate) fn ended(&self, ran: Ran) -> Ran {
        for canary in CANARIES {
            assert!(!ran.all().contains(canary), "{canary} in the output\n{}", ran.all());
            for (path, bytes) in self.state() {
                let found = bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
                assert!(!found, "{canary} in {}", path.display());
            }
        }
        ran
    }

    /// The runs as `runs list` gives them, newest first.
    #[track_caller]
    pub(crate) fn runs(&self) -> Vec<Value> {
        let listed = self.zaprun(&["runs", "list", "--format", "json", "--limit", "100000"]).expect(0).json();
        listed["runs"].as_array().unwrap().clone()
    }

    /// How many runs are in each state.
    #[track_caller]
    pub(crate) fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for run in self.runs() {
            *counts.entry(run["state"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        counts
    }

    // The stand-in.

    pub(crate) fn crm(&self) -> Control {
        self.sandbox.control()
    }

    pub(crate) fn crm_url(&self) -> String {
        self.sandbox.base_url()
    }

    /// Sales made now, with different buyers; their orderIds.
    pub(crate) fn sales(&self, count: usize) -> Vec<String> {
        let control = self.crm();
        (0..count).map(|number| control.sale(&format!("buyer{number}@example.test")).unwrap()).collect()
    }

    /// Puts a fault in force, written as for `zaprun sandbox --fault`.
    pub(crate) fn fault(&self, text: &str) {
        self.crm().add_fault(text.parse::<FaultRule>().unwrap());
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.crm().received()
    }

    /// What the sink received as JSON, in no promised order: sorted by text.
    pub(crate) fn bodies(&self) -> Vec<Value> {
        let mut bodies: Vec<Value> = self.received().iter().map(|one| one.json().unwrap()).collect();
        bodies.sort_by_key(Value::to_string);
        bodies
    }

    /// Waits until the sink has received so many requests in all.
    #[track_caller]
    pub(crate) fn wait_for_sink(&self, count: u64) {
        let control = self.crm();
        self.wait(control.wait_for_sink(count), &format!("{count} requests at the sink"));
    }

    /// Waits until something holds that only a request at the sink can bring about.
    #[track_caller]
    pub(crate) fn wait_until(&self, holds: impl Fn(&Lab) -> bool) {
        loop {
            // Counted before it is asked, so that what comes in between ends the wait.
            let seen = self.crm().sink_summary().received;
            if holds(self) {
                return;
            }
            self.wait_for_sink(seen + 1);
        }
    }

    /// Waits until the CRM has served so many requests in all.
    #[track_caller]
    pub(crate) fn wait_for_crm(&self, count: u64) {
        let control = self.crm();
        self.wait(control.wait_for_crm(count), &format!("{count} requests at the CRM"));
    }

    #[track_caller]
    fn wait(&self, event: impl Future<Output = ()>, what: &str) {
        let waited = self.runtime.block_on(async { tokio::time::timeout(PATIENCE, event).await });
        assert!(waited.is_ok(), "waited in vain for {what}; there were {:?}", self.crm().sink_summary());
    }

    // The account's calendar.

    /// The day before today in the account's zone: where the zaps of these tests start.
    pub(crate) fn yesterday(&self) -> Date {
        self.crm().with(|state| state.now().date().yesterday().unwrap())
    }
}

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            // A file of a running engine may go away meanwhile.
            found.extend(fs::read(entry.path()).ok().map(|bytes| (entry.path(), bytes)));
        }
    }
    found
}
