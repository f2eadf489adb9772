//! Running the binary: a clean environment, what it wrote, how it ended.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// No step of a test takes this long unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How to start the binary.
pub(crate) struct Program {
    folder: PathBuf,
    variables: Vec<(String, String)>,
}

/// How a run of the binary ended.
pub(crate) struct Ran {
    /// The exit code; none when a signal ended it.
    pub(crate) code: Option<i32>,
    /// Its standard output.
    pub(crate) out: String,
    /// Its standard error.
    pub(crate) err: String,
}

/// The binary while it runs. It is killed when this is dropped.
pub(crate) struct Going {
    child: Child,
    out: Captured,
    err: Captured,
}

impl Program {
    /// The binary in this folder, with nothing of this process's environment.
    pub(crate) fn in_folder(folder: &Path) -> Program {
        Program { folder: folder.to_owned(), variables: Vec::new() }
    }

    /// Sets a variable; the last value counts.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// Takes a variable away.
    pub(crate) fn unset(&mut self, name: &str) {
        self.variables.retain(|(known, _)| known != name);
    }

    /// Starts it.
    pub(crate) fn start(&self, args: &[&str]) -> Going {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zaprun"));
        command.args(args);
        self.spawn(command)
    }

    /// Starts it with a limit on the size of each file that it writes, in blocks of 512 bytes.
    pub(crate) fn start_limited(&self, blocks: u32, args: &[&str]) -> Going {
        // Ignoring the signal turns the limit into a failing write.
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_zaprun")]).args(args);
        self.spawn(command)
    }

    fn spawn(&self, mut command: Command) -> Going {
        let mut child = command
            .current_dir(&self.folder)
            .env_clear()
            .env("HOME", &self.folder)
            .env("TMPDIR", std::env::temp_dir())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        Going { child, out: Captured::from(out), err: Captured::from(err) }
    }

    /// Starts it and waits for its end.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.start(args).wait()
    }
}

impl Going {
    /// Waits until it has written this to its standard error; all of it up to then.
    #[track_caller]
    pub(crate) fn wait_for_err(&self, text: &str) -> String {
        self.wait_for_err_times(text, 1)
    }

    /// Waits until it has written this so many times to its standard error.
    #[track_caller]
    pub(crate) fn wait_for_err_times(&self, text: &str, times: usize) -> String {
        let enough = |written: &str| written.matches(text).count() >= times;
        let told = self.err.wait(PATIENCE, |written| enough(&written.text()) || written.ended);
        assert!(enough(&told), "never said {text:?} {times} times:\n{told}");
        told
    }

    /// Waits until it has written this to its standard output; all of it up to then.
    #[track_caller]
    pub(crate) fn wait_for_out(&self, text: &str) -> String {
        let told = self.out.wait(PATIENCE, |written| written.text().contains(text) || written.ended);
        assert!(told.contains(text), "never said {text:?}:\n{told}");
        told
    }

    /// Asks it to end: SIGTERM or another signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        // The standard library sends only SIGKILL; the shell is there on every machine that has signals.
        let command = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("/bin/sh").args(["-c", &command]).status().unwrap().success());
    }

    /// Ends it as a power cut does: SIGKILL.
    pub(crate) fn kill(mut self) -> Ran {
        self.child.kill().unwrap();
        self.wait()
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Ran {
        let begun = Instant::now();
        let ended = |written: &Written| written.ended;
        let out = self.out.wait(PATIENCE, ended);
        let err = self.err.wait(PATIENCE.saturating_sub(begun.elapsed()), ended);
        if !self.out.ended() || !self.err.ended() {
            panic!("it did not end\n--- stdout\n{out}\n--- stderr\n{err}");
        }
        let status: ExitStatus = self.child.wait().unwrap();
        let ran = Ran { code: status.code(), out, err };
        assert!(!ran.all().contains("panicked"), "{}", ran.all());
        assert_ne!(ran.code, Some(101), "{}", ran.all());
        ran
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        // It may have ended already; either way it is over.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ran {
    /// Both outputs.
    pub(crate) fn all(&self) -> String {
        format!("--- stdout\n{}\n--- stderr\n{}", self.out, self.err)
    }

    /// Fails unless it ended with this code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "{}", self.all());
        self
    }

    /// Fails unless both outputs together hold this text.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Ran {
        assert!(self.all().contains(text), "never said {text:?}\n{}", self.all());
        self
    }

    /// Its standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}\n{}", self.all()))
    }

    /// The lines of its standard error that hold this text.
    pub(crate) fn told(&self, text: &str) -> usize {
        self.err.lines().filter(|line| line.contains(text)).count()
    }
}

/// A stream that is read by a thread of its own, so that the program never waits for us.
struct Captured(Arc<(Mutex<Written>, Condvar)>);

#[derive(Default)]
struct Written {
    bytes: Vec<u8>,
    ended: bool,
}

impl Written {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

impl Captured {
    fn from(mut stream: impl Read + Send + 'static) -> Captured {
        let shared = Arc::new((Mutex::new(Written::default()), Condvar::new()));
        let theirs = Arc::clone(&shared);
        std::thread::spawn(move || {
            let mut chunk = [0; 8192];
            loop {
                let read = stream.read(&mut chunk).unwrap_or(0);
                let mut written = theirs.0.lock().unwrap_or_else(PoisonError::into_inner);
                written.bytes.extend_from_slice(&chunk[..read]);
                written.ended = read == 0;
                theirs.1.notify_all();
                if written.ended {
                    return;
                }
            }
        });
        Captured(shared)
    }

    /// What was written once `enough` of it is there, or the time is over.
    fn wait(&self, limit: Duration, enough: impl Fn(&Written) -> bool) -> String {
        let written = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (written, _) = self
            .0
            .1
            .wait_timeout_while(written, limit, |written| !enough(written))
            .unwrap_or_else(PoisonError::into_inner);
        written.text()
    }

    fn ended(&self) -> bool {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).ended
    }
}
