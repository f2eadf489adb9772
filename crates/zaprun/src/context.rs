//! What every command works with.

use std::future::Future;
use std::path::PathBuf;

use crate::cli::Global;
use crate::env;
use crate::error::{CommandError, io_words};
use crate::output::Printer;
use crate::project;

/// Global options, understood.
#[derive(Debug)]
pub(crate) struct Context {
    /// Where output goes.
    pub(crate) printer: Printer,
    /// `-C`
    pub(crate) project: Option<PathBuf>,
    /// `--env`; an empty name is none.
    pub(crate) env: Option<String>,
}

impl Context {
    pub(crate) fn new(global: Global, printer: Printer) -> Self {
        Context {
            printer,
            project: global.project.filter(|path| !path.as_os_str().is_empty()),
            env: global.env.filter(|env| !env.is_empty()),
        }
    }

    /// The project's folder.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn find_project(&self) -> Result<PathBuf, CommandError> {
        let current = env::current_dir().map_err(|error| {
            CommandError::usage(format!("the current folder cannot be read: {}", io_words(&error)))
        })?;
        project::find(self.project.as_deref(), &current)
    }

    /// Runs a task to its end on a runtime of its own, in this thread: an engine is one task, and handing its requests
    /// from thread to thread would cost more than it gains. What still hangs in it afterwards is left behind.
    pub(crate) fn block_on<T, E: From<CommandError>>(
        &self,
        task: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        block_on(tokio::runtime::Builder::new_current_thread(), task)
    }

    /// The same over several threads, for a task that is server and client at once.
    pub(crate) fn block_on_threads<T, E: From<CommandError>>(
        &self,
        task: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        block_on(tokio::runtime::Builder::new_multi_thread(), task)
    }
}

fn block_on<T, E: From<CommandError>>(
    mut runtime: tokio::runtime::Builder,
    task: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let runtime = runtime
        .enable_all()
        .build()
        .map_err(|error| CommandError::failure(format!("cannot start: {}", io_words(&error))))?;
    let result = runtime.block_on(task);
    runtime.shutdown_background();
    result
}

/// Runs a task until it ends or somebody presses Ctrl-C.
pub(crate) async fn interruptible<T>(
    task: impl Future<Output = Result<T, CommandError>>,
) -> Result<T, CommandError> {
    tokio::select! {
        result = task => result,
        _ = tokio::signal::ctrl_c() => Err(CommandError::interrupted()),
    }
}
