//! The store that an engine holds.

use crate::codes::PENDING;
use crate::lease::Lease;
use crate::place::{self, Found};
use crate::schema::Stamp;
use crate::source::Source;
use crate::writer::{Desk, Mailbox, Tx, load_kinds, take_over};
use crate::{
    SqliteReader, absence, backfill, begun, commands, copy, fault, history, limits, pages, prune, runs,
    schema, scrub, status, swept, touched, zaps,
};
use async_trait::async_trait;
use bytes::Bytes;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use zaprun_engine::ports::{
    Absence, Answer, Backfill, BackfillId, Begun, BegunAttempt, ClaimedRun, Command, Counts, History, Obeyed,
    OffZap, OnceOutcome, Own, PageCommit, PageCommitted, Part, RunDetail, RunFilter, RunId, RunSummary,
    RunUpdate, Spend, Spent, Status, Store, StoreError, Sweeps, Swept, ZapId, ZapIdentity, ZapState,
};

/// How to open a state.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long to wait while another program has the database locked.
    pub busy_timeout: Duration,
    /// The most pages of 8 KiB the database may have; what needs more fails like a full disk.
    pub max_pages: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Options { busy_timeout: Duration::from_secs(5), max_pages: None }
    }
}

/// The state, held by one engine.
///
/// Dropping it finishes what was ordered and gives the lease up, as [`SqliteStore::close`] does, but tells no error.
#[derive(Debug)]
pub struct SqliteStore {
    path: Arc<Path>,
    pub(crate) mailbox: Mailbox,
}

impl SqliteStore {
    /// Opens the state at `path` for an engine: takes the lease, makes the file and its folder when they are not
    /// there (readable by the owner only), and brings an older state up to date.
    ///
    /// # Errors
    /// `Busy` while another engine has it; `Unusable` when the file is not a state or damaged, `Newer` when it is newer,
    /// and then it is left as it is; `Io` when it cannot be written.
    pub fn open_engine(path: &Path, options: &Options) -> Result<SqliteStore, StoreError> {
        let path = place::resolve(path, true)?;
        let found = place::inspect(&path)?;
        let lease = Lease::take(&path)?;
        match found {
            Found::Nothing => place::create_private(&path)?,
            Found::Empty => {}
            Found::Database => place::check_length(&path)?,
        }
        place::tighten(&path);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(&path, flags).map_err(|error| fault::sql(&path, &error))?;
        prepare(&conn, &path, options)?;
        begun::release(&conn).map_err(|error| fault::sql(&path, &error))?;
        Self::serve(conn, &path, Some(lease))
    }

    /// Looks at the state at `path`, also while an engine runs. Creates and changes nothing.
    ///
    /// # Errors
    /// `Missing` when there is no state yet; `Unusable` when the file is not a state, damaged, or of another version.
    pub fn open_reader(path: &Path) -> Result<SqliteReader, StoreError> {
        SqliteReader::open(path)
    }

    /// A state that lasts as long as the store, for tests.
    ///
    /// # Errors
    /// `Io` when SQLite or the thread cannot start.
    pub fn in_memory() -> Result<SqliteStore, StoreError> {
        let path = Path::new(":memory:");
        Self::fleeting(Connection::open_in_memory(), path, |_| Ok(()))
    }

    /// A copy of the state at `path` that is thrown away in the end: ledger, cursors and pending runs, without the
    /// history. Takes no lease and leaves the file as it is; where there is no file the copy is empty.
    ///
    /// A small copy stays in memory; a large one spills to a nameless temporary file, so that memory stays flat.
    ///
    /// # Errors
    /// `Unusable` when the file is not a state, damaged, or of another version.
    pub fn copy_in_memory(path: &Path) -> Result<SqliteStore, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        // The empty name is SQLite's for a private temporary database.
        let conn = Connection::open_with_flags("", flags);
        Self::fleeting(conn, path, |conn| match Source::find(path) {
            Ok(source) => copy::copy(&source, conn),
            Err(StoreError::Missing { .. }) => Ok(()),
            Err(error) => Err(error),
        })
    }

    /// Finishes what was ordered, folds the log into the file, and gives the lease up. Orders that come later fail.
    ///
    /// # Errors
    /// `Io` when the file could not be folded or was closed already; what was answered before is kept all the same.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.mailbox.close().await
    }

    /// Carries out a command, in one transaction. Runs that are pending then go on when their zap runs.
    ///
    /// # Errors
    /// As any write.
    pub async fn carry_out(&self, command: Command, now: Timestamp) -> Result<Answer, StoreError> {
        let weight = 1 + command.runs().len();
        self.mailbox.change(weight, move |tx| Ok(commands::carry_out(tx, &command, now, &[])?.0)).await
    }

    /// Overwrites what was deleted and is still in the file or its log; see [`crate::scrub`].
    ///
    /// # Errors
    /// `Io` when it cannot be written, or readers keep the log in use.
    pub async fn scrub(&self) -> Result<(), StoreError> {
        self.mailbox.tend(scrub::scrub).await
    }

    /// Counts the rows themselves, however many there are. [`History::counts`] must give the same; it reads what is
    /// kept up with every change.
    ///
    /// # Errors
    /// As any look at the state.
    pub async fn recount(&self) -> Result<Counts, StoreError> {
        self.look(history::recount).await
    }

    /// When the oldest pending run of each zap was made, by the zap's name.
    ///
    /// # Errors
    /// As any look at the state.
    pub async fn oldest_pending(&self) -> Result<Vec<(String, Timestamp)>, StoreError> {
        self.look(history::oldest_pending).await
    }

    /// Writes to the state, and nothing in it: whether that can be done is known then.
    ///
    /// # Errors
    /// As any write.
    pub async fn prove_writable(&self) -> Result<(), StoreError> {
        // A row that is set to what it holds is written all the same.
        self.mailbox.change(1, |tx| tx.execute("UPDATE meta SET fence = fence", []).map(|_| ())).await
    }

    fn fleeting(
        conn: rusqlite::Result<Connection>,
        path: &Path,
        fill: impl FnOnce(&Connection) -> Result<(), StoreError>,
    ) -> Result<SqliteStore, StoreError> {
        let sql = |error: rusqlite::Error| fault::sql(path, &error);
        let conn = conn.map_err(sql)?;
        schema::common(&conn, Options::default().busy_timeout).map_err(sql)?;
        // Nobody reads it after a crash.
        conn.execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;").map_err(sql)?;
        schema::migrate(&conn, 0).map_err(sql)?;
        fill(&conn)?;
        Self::serve(conn, path, None)
    }

    fn serve(conn: Connection, path: &Path, lease: Option<Lease>) -> Result<SqliteStore, StoreError> {
        let sql = |error: rusqlite::Error| fault::sql(path, &error);
        let fence = take_over(&conn).map_err(sql)?;
        let kinds = load_kinds(&conn).map_err(sql)?;
        let touches = touched::any(&conn).map_err(sql)?;
        let mailbox = Mailbox::open(Desk { conn, path: PathBuf::from(path), fence, lease, kinds, touches })?;
        Ok(SqliteStore { path: Arc::from(path), mailbox })
    }

    /// Writes something small, see [`Mailbox::change`].
    pub(crate) async fn change<T, F>(&self, body: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.mailbox.change(1, body).await
    }

    pub(crate) async fn look<T, F>(&self, body: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, &Path) -> Result<T, StoreError> + Send + 'static,
    {
        let path = Arc::clone(&self.path);
        self.mailbox.look(move |conn| body(conn, &path)).await
    }
}

/// Makes sure that the open file is ours, writable and up to date, in this order: nothing is written to another's.
fn prepare(conn: &Connection, path: &Path, options: &Options) -> Result<(), StoreError> {
    let sql = |error: rusqlite::Error| fault::sql(path, &error);
    conn.busy_timeout(options.busy_timeout).map_err(sql)?;
    let stamp = Stamp::read(conn, "main").map_err(sql)?;
    if !stamp.is_blank() {
        stamp.check(path)?;
    }
    if conn.is_readonly("main").map_err(sql)? {
        return Err(StoreError::Io { reason: format!("{} is read-only", path.display()) });
    }
    schema::prepare_writer(conn, options.busy_timeout, stamp.is_blank()).map_err(sql)?;
    if let Some(pages) = options.max_pages {
        conn.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).map_err(sql)?;
    }
    schema::migrate(conn, stamp.version).map_err(sql)?;
    if stamp.is_blank() {
        conn.execute_batch("UPDATE meta SET clean = 1").map_err(sql)?;
    }
    Ok(())
}

#[async_trait]
impl Store for SqliteStore {
    async fn open_zap(&self, identity: ZapIdentity) -> Result<ZapState, StoreError> {
        self.mailbox.change(1, move |tx| zaps::open(tx, &identity)).await
    }

    async fn keep_skew(&self, zap: ZapId, skew: SignedDuration) -> Result<SignedDuration, StoreError> {
        self.mailbox.change(1, move |tx| zaps::keep_skew(tx, zap, skew)).await
    }

    async fn unknown(&self, zap: ZapId, kind: &str, ids: Vec<String>) -> Result<Vec<String>, StoreError> {
        let kind = kind.to_owned();
        self.look(move |conn, path| pages::unknown(conn, path, zap, &kind, ids)).await
    }

    async fn commit_page(&self, commit: PageCommit) -> Result<PageCommitted, StoreError> {
        self.mailbox.change(1 + commit.events.len(), move |tx| pages::commit(tx, &commit)).await
    }

    async fn claim(
        &self,
        zap: ZapId,
        now: Timestamp,
        limit: usize,
        busy: Vec<RunId>,
    ) -> Result<Vec<ClaimedRun>, StoreError> {
        self.look(move |conn, path| runs::claim(conn, path, zap, now, limit, busy)).await
    }

    async fn next_due(&self, zaps: Vec<ZapId>, busy: Vec<RunId>) -> Result<Option<Timestamp>, StoreError> {
        self.look(move |conn, path| runs::next_due(conn, path, &zaps, busy)).await
    }

    async fn begin_attempt(&self, run: RunId, begun: BegunAttempt) -> Result<Begun, StoreError> {
        self.mailbox.change(1, move |tx| begun::begin(tx, run, &begun)).await
    }

    async fn own(&self, order: &str, serial: Option<String>) -> Result<Own, StoreError> {
        let order = order.to_owned();
        self.look(move |conn, path| begun::own(conn, path, &order, serial.as_deref())).await
    }

    async fn obey(&self, now: Timestamp, busy: Vec<RunId>) -> Result<Obeyed, StoreError> {
        // Nearly always nothing is asked, and then nothing is locked.
        if !self.look(commands::asked).await? {
            return Ok(Obeyed::default());
        }
        self.mailbox.change(1, move |tx| commands::obey(tx, now, &busy)).await
    }

    async fn prune(&self, before: Timestamp, most: usize) -> Result<u64, StoreError> {
        self.mailbox.change(most, move |tx| prune::prune(tx, before, most)).await
    }

    async fn source(&self, zap: ZapId, content: &str) -> Result<Option<Bytes>, StoreError> {
        let content = content.to_owned();
        self.look(move |conn, path| zaps::source(conn, path, zap, &content)).await
    }

    async fn update_run(&self, update: RunUpdate) -> Result<(), StoreError> {
        self.mailbox.change(1, move |tx| runs::update(tx, &update)).await
    }

    async fn take_once(&self, zap: ZapId, value: &str, run: RunId) -> Result<OnceOutcome, StoreError> {
        let value = value.to_owned();
        self.mailbox.change(1, move |tx| runs::take_once(tx, zap, &value, run)).await
    }

    async fn commit_part(&self, commit: PageCommit, part: Part) -> Result<PageCommitted, StoreError> {
        self.mailbox.change(1 + commit.events.len(), move |tx| pages::commit_part(tx, &commit, &part)).await
    }

    async fn without_run(&self, zap: ZapId, kind: &str, ids: Vec<String>) -> Result<Vec<String>, StoreError> {
        let kind = kind.to_owned();
        self.look(move |conn, path| pages::without_run(conn, path, zap, &kind, ids)).await
    }

    async fn swept(&self, connection: &str, query: &str) -> Result<Option<Swept>, StoreError> {
        let (connection, query) = (connection.to_owned(), query.to_owned());
        self.look(move |conn, path| swept::swept(conn, path, &connection, &query)).await
    }

    async fn keep_swept(&self, swept: Swept) -> Result<(), StoreError> {
        self.mailbox.change(1, move |tx| swept::keep(tx, &swept)).await
    }

    async fn place_backfill(
        &self,
        zap: ZapId,
        first: Date,
        last: Date,
        now: Timestamp,
    ) -> Result<Backfill, StoreError> {
        self.mailbox.change(1, move |tx| backfill::place(tx, zap, first, last, now)).await
    }

    async fn next_backfill(&self, zaps: Vec<ZapId>) -> Result<Option<Backfill>, StoreError> {
        self.look(move |conn, path| backfill::next(conn, path, &zaps)).await
    }

    async fn end_backfill(&self, id: BackfillId, now: Timestamp) -> Result<(), StoreError> {
        self.mailbox.change(1, move |tx| backfill::end(tx, id, now)).await
    }

    async fn pending(&self, zap: ZapId) -> Result<u64, StoreError> {
        self.look(move |conn, path| swept::tally(conn, path, zap, PENDING)).await
    }

    async fn spend(&self, spend: Spend) -> Result<Spent, StoreError> {
        self.mailbox.change(1, move |tx| limits::spend(tx, &spend)).await
    }

    async fn switched_off(&self, zap: OffZap) -> Result<(), StoreError> {
        self.mailbox.change(1, move |tx| absence::begin(tx, &zap)).await
    }

    async fn absences(&self, zap: ZapId) -> Result<Vec<Absence>, StoreError> {
        self.look(move |conn, path| absence::all(conn, path, zap)).await
    }

    async fn absences_told(&self, zap: ZapId, absences: Vec<Absence>) -> Result<(), StoreError> {
        self.mailbox.change(1, move |tx| absence::told(tx, zap, &absences)).await
    }
}

#[async_trait]
impl History for SqliteStore {
    async fn runs(&self, filter: RunFilter) -> Result<Vec<RunSummary>, StoreError> {
        self.look(move |conn, path| history::list(conn, path, &filter)).await
    }

    async fn run(&self, id: RunId) -> Result<Option<RunDetail>, StoreError> {
        self.look(move |conn, path| history::detail(conn, path, id)).await
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        self.look(history::counts).await
    }

    async fn sweeps(&self) -> Result<Sweeps, StoreError> {
        self.look(swept::sweeps).await
    }

    async fn status(&self, prove: bool) -> Result<Status, StoreError> {
        self.look(move |conn, path| status::status(conn, path, prove)).await
    }
}
