//! A throw-away server, and fresh databases in it.
//!
//! A server listens on a free port of 127.0.0.1, trusts everybody and keeps its files in a folder of its own. It belongs
//! to a guard process that waits for this one: when the [`Cluster`] is dropped, or this process ends in whatever way, the
//! guard stops the server by its pid file and removes the folder. As root all of it runs as the account `postgres`.

use postgres::{Client, NoTls};
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// A setting of `postgresql.conf`.
pub type Setting<'a> = (&'a str, &'a str);

/// How a server is told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Ends all sessions and shuts down in good order.
    Fast,
    /// Ends without a checkpoint: the next start recovers as after a crash.
    Immediate,
}

/// A server.
#[derive(Debug)]
pub struct Cluster {
    /// Where the server's programs lie.
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    /// What its processes find in their environment.
    environment: Vec<(String, String)>,
    /// Made once the template of databases with the extension is.
    pattern: OnceLock<()>,
    databases: AtomicU32,
    guard: Child,
}

/// A database of a server.
#[derive(Debug)]
pub struct Database<'a> {
    cluster: &'a Cluster,
    /// Its name.
    pub name: String,
}

/// A fresh database in the server that the tests of one process share.
pub fn database() -> Database<'static> {
    shared().database()
}

/// The same, without the extension.
pub fn empty_database() -> Database<'static> {
    shared().empty_database()
}

fn shared() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(|| Cluster::start(&[]))
}

impl Cluster {
    /// Starts a server that preloads the extension, unless a setting says otherwise.
    pub fn start(settings: &[Setting]) -> Self {
        Self::start_in(|_| vec![], settings)
    }

    /// The same, with variables in the environment of its processes, which may name files in the server's folder.
    pub fn start_in(environment: impl FnOnce(&Path) -> Vec<(String, String)>, settings: &[Setting]) -> Self {
        let mut cluster = Self::in_new_folder(programs());
        cluster.environment = environment(&cluster.folder);
        cluster.initialize(settings);
        cluster.begin();
        cluster
    }

    /// Starts a server of another PostgreSQL than that of `PG_CONFIG`, whose programs lie there.
    pub fn start_of(programs: &Path, settings: &[Setting]) -> Self {
        let cluster = Self::in_new_folder(programs);
        cluster.initialize(settings);
        cluster.begin();
        cluster
    }

    /// A server of `PG_CONFIG` with what this one has, which is stopped; not started yet. `arguments` are pg_upgrade's.
    ///
    /// # Errors
    /// What pg_upgrade says.
    pub fn upgraded(&self, arguments: &[&str], settings: &[Setting]) -> Result<Self, String> {
        let cluster = Self::in_new_folder(programs());
        cluster.initialize(settings);
        let mut upgrade = as_server(&cluster.program("pg_upgrade"));
        // It writes into the folder that it is called in; its servers listen there alone.
        upgrade.current_dir(&cluster.folder).arg("-s").arg(&cluster.folder).args(["-U", "postgres"]).args(arguments);
        upgrade.arg("-b").arg(&self.programs).arg("-d").arg(self.data());
        upgrade.arg("-B").arg(&cluster.programs).arg("-D").arg(cluster.data());
        let output = upgrade.stdin(Stdio::null()).output().expect("there is pg_upgrade");
        let said = [output.stdout, output.stderr].concat();
        if output.status.success() { Ok(cluster) } else { Err(String::from_utf8_lossy(&said).into_owned()) }
    }

    /// Makes the files of a server.
    fn initialize(&self, settings: &[Setting]) {
        let mut initdb = as_server(&self.program("initdb"));
        initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8", "-N", "-D"]);
        initdb.arg(self.data());
        // Without them on every version, as pg_upgrade wants it.
        if major() >= 18 && self.programs == programs() {
            initdb.arg("--no-data-checksums");
        }
        output_of(&mut initdb);
        self.configure(&[
            ("shared_preload_libraries", "pgqueuer"),
            ("listen_addresses", "127.0.0.1"),
            ("unix_socket_directories", ""),
            // Tests run side by side, as many as the machine has cores, some with ten sessions.
            ("max_connections", "500"),
            // Each database has a background worker of its own, all the time.
            ("max_worker_processes", "200"),
            ("pgqueuer.max_background_workers", "150"),
            // The machine itself does not crash in these tests.
            ("fsync", "off"),
            // Who says something: see `serving::complaints`. 12 only knows who is a session.
            ("log_line_prefix", if major() < 13 { "%m [%p] %q client backend " } else { "%m [%p] %b " }),
        ]);
        self.configure(settings);
    }

    /// Starts a hot standby of another server.
    pub fn standby_of(primary: &Self) -> Self {
        let cluster = Self::in_new_folder(&primary.programs);
        let mut backup = as_server(&primary.program("pg_basebackup"));
        primary.to(&mut backup, "postgres");
        output_of(backup.args(["-c", "fast", "-N", "-D"]).arg(cluster.data()));
        // Not by pg_basebackup: one that is newer than the server writes words that the server does not know.
        output_of(as_server(Path::new("touch")).arg(cluster.data().join("standby.signal")));
        cluster.configure(&[("primary_conninfo", &format!("host=127.0.0.1 port={} user=postgres", primary.port))]);
        cluster.begin();
        cluster
    }

    fn in_new_folder(programs: &Path) -> Self {
        let place = std::env::var_os("PGQUEUER_DATA").unwrap_or_else(|| std::env::temp_dir().into());
        let made = output_of(as_server(Path::new("mktemp")).args(["-d", "pgqueuer-e2e.XXXXXXXX", "-p"]).arg(place));
        let folder = PathBuf::from(made.trim());
        let script = r#"read -r line; "$1" -D "$2/data" -m immediate -s stop; rm -rf "$2""#;
        let mut guard = as_server(Path::new("sh"));
        guard.args(["-c", script, "guard"]).arg(programs.join("pg_ctl")).arg(&folder);
        // A group of its own, so that Ctrl-C ends the tests and not the guard.
        guard.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let guard = guard.spawn().expect("the guard starts");
        let (pattern, databases) = (OnceLock::new(), AtomicU32::new(0));
        let (programs, environment) = (programs.to_owned(), vec![]);
        Self { programs, folder, port: free_port(), environment, pattern, databases, guard }
    }

    fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Adds settings to `postgresql.conf`, for the next start.
    pub fn configure(&self, settings: &[Setting]) {
        let lines = settings.iter().fold(String::new(), |mut lines, (name, value)| {
            writeln!(lines, "{name} = '{value}'").expect("a string takes everything");
            lines
        });
        let file = OpenOptions::new().append(true).open(self.data().join("postgresql.conf"));
        file.and_then(|mut file| file.write_all(lines.as_bytes())).expect("postgresql.conf can be written");
    }

    /// Adds settings to `postgresql.conf` and has it read again. The server's processes do so a moment later.
    pub fn reload(&self, settings: &[Setting]) {
        self.configure(settings);
        self.connect("postgres").batch_execute("SELECT pg_reload_conf()").expect("the settings can be read again");
    }

    /// Starts a server that is not running, for the first time or again.
    pub fn begin(&self) {
        self.configure(&[("port", &self.port.to_string())]);
        let mut start = as_server(&self.program("pg_ctl"));
        start.arg("-D").arg(self.data()).arg("-l").arg(self.folder.join("log")).args(["-w", "-s", "start"]);
        start.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let status = start.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(status.is_ok_and(|status| status.success()), "the server does not start: {}", self.log());
    }

    /// Stops the server.
    pub fn stop(&self, how: Stop) {
        let mode = if how == Stop::Fast { "fast" } else { "immediate" };
        output_of(as_server(&self.program("pg_ctl")).arg("-D").arg(self.data()).args(["-m", mode, "-w", "-s", "stop"]));
    }

    /// The server's processes as they are now, the one that starts the others first.
    pub fn processes(&self) -> Vec<i32> {
        let read = |path: PathBuf| std::fs::read_to_string(path).unwrap_or_default();
        let file = read(self.data().join("postmaster.pid"));
        let first = file.lines().next().unwrap_or_default();
        let children = read(format!("/proc/{first}/task/{first}/children").into());
        format!("{first} {children}").split_whitespace().filter_map(|process| process.parse().ok()).collect()
    }

    /// What the server has written.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// A fresh copy of another database's files.
    pub fn copy_of(&self, other: &str) -> Database<'_> {
        self.make(&self.next_name(), other)
    }

    /// A fresh database with the extension.
    pub fn database(&self) -> Database<'_> {
        self.pattern.get_or_init(|| {
            self.make("pattern", "template0");
            self.connect("pattern").batch_execute("CREATE EXTENSION pgqueuer").expect("the extension can be made");
        });
        self.make(&self.next_name(), "pattern")
    }

    /// A fresh database without the extension.
    pub fn empty_database(&self) -> Database<'_> {
        self.make(&self.next_name(), "template0")
    }

    /// A database that exists.
    pub fn named(&self, name: &str) -> Database<'_> {
        Database { cluster: self, name: name.to_owned() }
    }

    fn next_name(&self) -> String {
        format!("test_{}", self.databases.fetch_add(1, Relaxed))
    }

    fn make(&self, name: &str, template: &str) -> Database<'_> {
        let made = self.connect("postgres").batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template}"));
        made.unwrap_or_else(|error| panic!("database {name}: {error:?}"));
        Database { cluster: self, name: name.to_owned() }
    }

    /// A session in a database.
    pub fn connect(&self, database: &str) -> Client {
        let address = self.address(database);
        Client::connect(&address, NoTls).unwrap_or_else(|error| panic!("{error:?}: {}", self.log()))
    }

    fn address(&self, database: &str) -> String {
        format!("host=127.0.0.1 port={} user=postgres dbname={database}", self.port)
    }

    /// Points one of PostgreSQL's client programs at a database.
    fn to(&self, command: &mut Command, database: &str) {
        command.env("PGHOST", "127.0.0.1").env("PGPORT", self.port.to_string());
        command.env("PGUSER", "postgres").env("PGDATABASE", database);
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // Whatever the guard says, there is nothing more to do.
        let _ = self.guard.wait();
    }
}

impl Database<'_> {
    /// A session.
    pub fn connect(&self) -> Client {
        self.cluster.connect(&self.name)
    }

    /// How to connect, as drivers that know libpq's words take it.
    pub fn address(&self) -> String {
        self.cluster.address(&self.name)
    }

    /// Where the server listens.
    pub fn host_and_port(&self) -> (&'static str, u16) {
        ("127.0.0.1", self.cluster.port)
    }

    /// One of PostgreSQL's client programs, pointed at this database.
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.cluster.program(name));
        self.cluster.to(&mut command, &self.name);
        command
    }
}

/// The version of PostgreSQL: 12 to 18. For tests of what not every version has.
pub fn major() -> u32 {
    static MAJOR: OnceLock<u32> = OnceLock::new();
    *MAJOR.get_or_init(|| {
        let version = configured("--version");
        let digits = version.trim_start_matches("PostgreSQL ").split(|sign: char| !sign.is_ascii_digit()).next();
        digits.and_then(|digits| digits.parse().ok()).expect("pg_config says which version it is")
    })
}

/// Where the programs of the server to test lie.
fn programs() -> &'static Path {
    static BIN: OnceLock<PathBuf> = OnceLock::new();
    BIN.get_or_init(|| PathBuf::from(configured("--bindir")))
}

/// What the server to test says of itself.
fn configured(word: &str) -> String {
    let pg_config = std::env::var_os("PG_CONFIG").expect("PG_CONFIG names the pg_config of the server to test");
    output_of(Command::new(pg_config).arg(word)).trim().to_owned()
}

/// A command of the account that runs servers: PostgreSQL refuses to run as root.
pub(crate) fn as_server(program: &Path) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "postgres", "--regid", "postgres", "--init-groups"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    // The account may not enter the folder of the tests; a backtrace would end up in the DETAIL of every error.
    command.current_dir("/").env_remove("RUST_BACKTRACE");
    command
}

fn is_root() -> bool {
    static ROOT: OnceLock<bool> = OnceLock::new();
    *ROOT.get_or_init(|| output_of(Command::new("id").arg("-u")).trim() == "0")
}

/// Runs a command to its end and returns what it wrote.
pub(crate) fn output_of(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A port that nobody uses, below those that the kernel gives to clients: it stays free while the server is down.
pub(crate) fn free_port() -> u16 {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id() * 31;
    let ports = std::iter::repeat_with(|| 10_000 + (first + TRIED.fetch_add(1, Relaxed)) % 20_000);
    let mut ports = ports.filter_map(|port| u16::try_from(port).ok()).take(1000);
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("there is a free port")
}
