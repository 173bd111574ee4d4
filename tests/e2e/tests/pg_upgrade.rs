//! pg_upgrade brings everything to another major version of PostgreSQL, and the queue goes on there as after a restart; a dump
//! brings everything, too, and schedules wait until they are armed.
//!
//! Needs two servers with the extension: `tests/pg_upgrade/run` starts it, with `PGQUEUER_OLD_PG_CONFIG` for the old one.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what a test calls may end it with a panic"
)]

use pgqueuer_e2e::ask::{claims, column, complete, dequeue, enqueue, refused, run, value};
use pgqueuer_e2e::cluster::{Cluster, Setting, Stop};
use pgqueuer_e2e::contents::{contents, differing, dumped};
use pgqueuer_e2e::health::health;
use pgqueuer_e2e::serving::{complaints, until_served, workers};
use pgqueuer_e2e::ticks::{beats, each_second_catching_up, faults, server_now, shown, ticks, until_more};
use pgqueuer_e2e::until::until;
use postgres::Client;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use uuid::Uuid;

const WORKER: Uuid = Uuid::from_u128(7);
const AT_REST: Setting = ("pgqueuer.enabled", "off");
const AT_WORK: Setting = ("pgqueuer.enabled", "on");

/// Where the programs of the old server lie.
fn old() -> PathBuf {
    let config = std::env::var_os("PGQUEUER_OLD_PG_CONFIG");
    let config =
        config.expect("PGQUEUER_OLD_PG_CONFIG names the pg_config of the old server: see tests/pg_upgrade/run");
    let said = Command::new(config).arg("--bindir").output().expect("the old server has a pg_config");
    String::from_utf8(said.stdout).unwrap().trim().into()
}

/// What was claimed when the old server stopped.
struct Held {
    /// By a session, written down and not.
    session: Vec<i64>,
    young: Vec<i64>,
    /// By a worker with a name and a lease that outlives the upgrade.
    named: Vec<i64>,
    /// Its lease does not.
    late: Vec<i64>,
}

const LATE: Uuid = Uuid::from_u128(8);

fn dequeue_named(session: &mut Client, entrypoint: &str, worker: Uuid, lease: &str) -> Vec<i64> {
    let sql = "SELECT id FROM pgq.dequeue(ARRAY[$1::text], 2, $2, $3::text::interval)";
    column(session, sql, &[&entrypoint, &worker, &lease])
}

/// Something of everything. `worker` claims, and lives until the server stops.
fn fill(session: &mut Client, worker: &mut Client) -> Held {
    run(
        session,
        r#"CREATE ROLE shop;
           SELECT pgq.grant_producer('shop'), pgq.grant_monitor('shop');
           SELECT pgq.configure('fetch', max_attempts => 1, backoff_initial => '90 s', rate_limit => 1000, rate_period => '1 day');
           SELECT pgq.configure('one', concurrency_limit => 1);
           SELECT pgq.pause('it''s "quoted" \ Ü');
           SELECT pgq.enqueue('it''s "quoted" \ Ü', payload_bytes => '\x00ff5c', priority => -3, dedupe_key => E'k\n',
                              headers => '{"a": [1, null]}', delay => '1 day');
           SELECT pgq.enqueue('key', 'entry ' || i, ordering_key => 'account 7') FROM generate_series(1, 3) AS i;
           SELECT pgq.enqueue('one') FROM generate_series(1, 3) AS i;
           SELECT pgq.enqueue('big', repeat('x', 1000000));
           SELECT pgq.schedule('rare', '30 6 1 * mon', 'r', E'line\n', 'Europe/Berlin', -5, '{"a": 1}', 'skip', true, 'key');
           SELECT pgq.schedule('paused', '* * * * * *', overlap => true, catch_up => 'all');
           SELECT pgq.pause_schedule('paused')"#,
    );
    each_second_catching_up(session, "beat", "all");
    let ids = enqueue(session, "fetch", 4);
    assert_eq!(dequeue(session, "fetch", 4), ids);
    run(
        session,
        &format!(
            "SELECT pgq.complete({}), pgq.fail({}, E'tab\\t'), pgq.retry({}, '1 day', 'later'), pgq.cancel('{{{}}}')",
            ids[0], ids[1], ids[2], ids[3]
        ),
    );
    enqueue(session, "mine", 3);
    let mine = dequeue(worker, "mine", 2);
    enqueue(session, "named", 3);
    let named = dequeue_named(session, "named", WORKER, "1 hour");
    enqueue(session, "late", 2);
    let late = dequeue_named(session, "late", LATE, "1 s");
    until("the claims have receipts", || {
        // Each heartbeat is for as long again.
        value::<Vec<i64>>(session, "SELECT pgq.heartbeat($1, '1 s')", &[&LATE]);
        (value::<i64>(session, "SELECT count(*) FROM pgq.receipt", &[]) == 6).then_some(())
    });
    let young = dequeue(worker, "mine", 2);
    until_more(session, "beat", 2);
    Held { session: mine, young, named, late }
}

/// Every row, and every object with what belongs to it.
fn rows_and_objects(session: &mut Client) -> Vec<String> {
    let mut contents = contents(session);
    let objects = [
        // Owners' rights are not the same in all versions of PostgreSQL.
        "SELECT format('%s %s %s %s %s %s', relname, relkind, relpersistence, reloptions, obj_description(oid, 'pg_class'),
                       (SELECT string_agg(format('%s %s', grantee::regrole, privilege_type), ' ' ORDER BY 1)
                          FROM aclexplode(relacl) WHERE grantee <> relowner))
           FROM pg_class WHERE relnamespace = 'pgq'::regnamespace ORDER BY 1",
        "SELECT format('%s %s %s', attrelid::regclass, attname, col_description(attrelid, attnum)) FROM pg_attribute
          WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'pgq'::regnamespace) AND attnum > 0 ORDER BY 1",
        "SELECT format('%s %s %s %s %s %s %s', oid::regprocedure, prosecdef, provolatile, proconfig, proacl, prosrc, obj_description(oid, 'pg_proc'))
           FROM pg_proc WHERE pronamespace = 'pgq'::regnamespace ORDER BY 1",
        "SELECT format('%s %s %s %s %s', tgrelid::regclass, tgname, tgenabled, tgtype, obj_description(oid, 'pg_trigger')) FROM pg_trigger
          WHERE tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'pgq'::regnamespace) ORDER BY 1",
        "SELECT format('%s of the extension', coalesce(r.oid::regclass::text, f.oid::regprocedure::text)) FROM pg_depend AS d
           LEFT JOIN pg_class AS r ON (d.classid, d.objid) = ('pg_class'::regclass, r.oid)
           LEFT JOIN pg_proc AS f ON (d.classid, d.objid) = ('pg_proc'::regclass, f.oid)
          WHERE d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pgqueuer') AND d.deptype = 'e'
            AND d.classid IN ('pg_class'::regclass, 'pg_proc'::regclass) ORDER BY 1",
        "SELECT format('%s %s', extversion, ARRAY(SELECT c::regclass FROM unnest(extconfig) AS c)) FROM pg_extension
          WHERE extname = 'pgqueuer'",
    ];
    objects.iter().for_each(|sql| contents.extend(column::<String>(session, sql, &[])));
    contents
}

/// What is in one and not in the other.
fn is_the_same(before: &[String], after: &[String]) {
    assert!(before.len() > 200, "something of everything: {}", before.len());
    assert_eq!(differing(before, after), [""; 0]);
    assert_eq!(before.len(), after.len());
}

/// The old server with the extension, filled and at rest, and stopped.
struct Filled {
    cluster: Cluster,
    held: Held,
    contents: Vec<String>,
}

impl Filled {
    fn with(create: &str) -> Self {
        let cluster = Cluster::start_of(&old(), &[]);
        let mut session = cluster.connect("postgres");
        run(&mut session, create);
        let mut worker = cluster.connect("postgres");
        let held = fill(&mut session, &mut worker);
        cluster.reload(&[AT_REST]);
        until("the background worker has left", || workers(&mut session).is_empty().then_some(()));
        let contents = rows_and_objects(&mut session);
        cluster.stop(Stop::Fast);
        // The servers that pg_upgrade starts are free to do what they want, and do nothing.
        cluster.configure(&[AT_WORK]);
        Self { cluster, held, contents }
    }

    /// A new server with all of it, which runs, at rest.
    fn upgraded(&self, arguments: &[&str], settings: &[Setting]) -> Cluster {
        let new = self.cluster.upgraded(arguments, settings).unwrap_or_else(|said| panic!("{said}"));
        new.configure(&[AT_REST]);
        new.begin();
        new
    }
}

/// Everything is there, and nothing has been done to it.
fn has_everything(filled: &Filled, new: &Cluster) {
    let mut session = new.connect("postgres");
    is_the_same(&filled.contents, &rows_and_objects(&mut session));
    assert_eq!(workers(&mut session), [0; 0]);
}

/// A worker does what there is to do, in the new server, as after a restart.
fn goes_on(held: &Held, new: &Cluster) {
    let mut session = new.connect("postgres");
    let since = server_now(&mut session);
    new.reload(&[AT_WORK]);
    until_served(&mut session, "postgres");
    assert!(value::<bool>(&mut session, "SELECT pgq.is_armed()", &[]));

    // Claims are those of a restart: a session's are free, a name's are kept for one lease.
    let mut mine = [&held.session[..], &held.young[..]].concat();
    mine.sort_unstable();
    let mut again = vec![];
    until("what a session held is free", || {
        again.extend(dequeue(&mut session, "mine", 9));
        (again.len() >= mine.len()).then_some(())
    });
    again.sort_unstable();
    assert_eq!(again, mine);
    assert_eq!(complete(&mut session, &mine).len(), mine.len());
    let lost: Vec<i64> = value(&mut session, "SELECT pgq.heartbeat($1, '1 hour', $2)", &[&WORKER, &held.named]);
    assert_eq!(lost, [0; 0]);
    let done = "SELECT pgq.complete_many($1, $2)";
    assert_eq!(value::<Vec<i64>>(&mut session, done, &[&held.named, &WORKER]), held.named);
    until("a lease that has ended is free", || {
        complete(&mut session, &held.late);
        dequeue(&mut session, "late", 2);
        (claims(&mut session) == 2).then_some(())
    });
    assert_eq!(complete(&mut session, &held.late), held.late);

    // Limits, pauses, keys, what is held and what is deferred.
    assert_eq!(dequeue(&mut session, "one", 9).len(), 1);
    assert_eq!(dequeue(&mut session, "key", 9).len(), 1);
    run(&mut session, r#"SELECT pgq.reschedule(array_agg(id)) FROM pgq.jobs WHERE entrypoint LIKE 'it%'"#);
    assert_eq!(dequeue(&mut session, r#"it's "quoted" \ Ü"#, 9), [0; 0]);
    let twice = refused(session.simple_query("SELECT pgq.enqueue('other', dedupe_key => E'k\\n')"));
    assert_eq!(twice.code().code(), "23505");
    let failed: Vec<i64> = column(&mut session, "SELECT id FROM pgq.jobs WHERE status = 'failed'", &[]);
    assert_eq!(failed.len(), 1);
    assert_eq!(value::<Vec<i64>>(&mut session, "SELECT pgq.requeue($1)", &[&failed]), failed);
    assert_eq!(dequeue(&mut session, "fetch", 9), failed);
    let length = "SELECT length(payload) FROM pgq.jobs WHERE entrypoint = 'big'";
    assert_eq!(value::<i32>(&mut session, length, &[]), 1_000_000);

    // Schedules: those of the time between, each once, and those that come.
    until_more(&mut session, "beat", 3);
    assert_eq!(faults(&beats(&mut session, "beat")), [""; 0]);
    assert!(beats(&mut session, "beat").last().unwrap() > &since);
    assert_eq!(ticks(&mut session, "paused").len(), 0);
    assert_eq!(shown(&mut session, "paused", "enabled").unwrap(), "false");

    // Also what is written past the functions wakes, and the view enqueues in every role.
    run(&mut session, "SET session_replication_role = replica; INSERT INTO pgq.jobs (entrypoint) VALUES ('last')");
    assert_eq!(dequeue(&mut session, "last", 9).len(), 1);
    let mut other = new.connect("postgres");
    run(&mut other, "SELECT pgq.set_durability('balanced'), pgq.set_durability('durable')");
    until("all is well", || {
        let all = "SELECT coalesce(string_agg(\"check\" || ': ' || detail, '; '), '') FROM pgq.health() WHERE NOT ok";
        value::<String>(&mut other, all, &[]).is_empty().then_some(())
    });
    assert_eq!(complaints(&new.log()), [""; 0]);
}

#[test]
#[ignore = "takes two servers: tests/pg_upgrade/run"]
fn by_copying_everything_is_brought_and_goes_on() {
    let filled = Filled::with("CREATE EXTENSION pgqueuer");
    let new = filled.upgraded(&[], &[]);
    has_everything(&filled, &new);
    goes_on(&filled.held, &new);
}

#[test]
#[ignore = "takes two servers: tests/pg_upgrade/run"]
fn by_links_into_a_server_that_does_not_preload_everything_is_brought_and_goes_on_once_it_does() {
    let filled = Filled::with("CREATE EXTENSION pgqueuer");
    let new = filled.upgraded(&["--link"], &[("shared_preload_libraries", "")]);
    has_everything(&filled, &new);
    let mut session = new.connect("postgres");
    let row = health(&mut session, "preload");
    assert!(!row.ok && row.hint.contains("shared_preload_libraries = 'pgqueuer'"), "{row:?}");
    let error = refused(session.simple_query("SELECT * FROM pgq.dequeue('{mine}')"));
    assert_eq!(error.code().code(), "55000");
    assert!(error.hint().unwrap().contains("shared_preload_libraries"), "{error:?}");
    drop(session);
    new.stop(Stop::Fast);
    new.configure(&[("shared_preload_libraries", "pgqueuer")]);
    new.begin();
    goes_on(&filled.held, &new);
}

#[test]
#[ignore = "takes two servers: tests/pg_upgrade/run"]
fn the_extension_of_the_last_version_and_its_unlogged_tables_are_brought_and_updated_there() {
    let filled = Filled::with("CREATE EXTENSION pgqueuer VERSION '0.1.0'; SELECT pgq.set_durability('volatile')");
    let new = filled.upgraded(&[], &[]);
    has_everything(&filled, &new);
    run(&mut new.connect("postgres"), "ALTER EXTENSION pgqueuer UPDATE");
    goes_on(&filled.held, &new);
}

#[test]
#[ignore = "takes two servers: tests/pg_upgrade/run"]
fn a_dump_of_the_old_server_brings_everything_to_the_new_one() {
    let old = Cluster::start_of(&old(), &[]);
    let mut session = old.connect("postgres");
    run(&mut session, "CREATE EXTENSION pgqueuer");
    let mut worker = old.connect("postgres");
    let held = fill(&mut session, &mut worker);
    old.reload(&[AT_REST]);
    until("the background worker has left", || workers(&mut session).is_empty().then_some(()));
    let new = Cluster::start(&[AT_REST]);
    run(&mut new.connect("postgres"), "CREATE ROLE shop");
    // By the programs of the new version, which know the old ones.
    let (from, to) = (old.named("postgres"), new.empty_database());
    let mut dump = to.program("pg_dump");
    let (host, port) = from.host_and_port();
    let output = dump.args(["-h", host, "-p", &port.to_string(), "-d", &from.name]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    restore(&output.stdout, to.program("psql"));

    let mut other = to.connect();
    let (there, here) = (dumped(&mut session), dumped(&mut other));
    assert!(there.len() > 25, "something of everything: {}", there.len());
    assert_eq!(here, there);
    let rights = "SELECT has_function_privilege('shop', 'pgq.metrics()', 'EXECUTE') AND has_table_privilege('shop', 'pgq.jobs', 'INSERT')";
    assert!(value::<bool>(&mut other, rights, &[]));
    assert_eq!(claims(&mut other), 0);
    for (entrypoint, ids) in [("mine", [&held.session[..], &held.young[..]].concat()), ("named", held.named)] {
        let free = dequeue(&mut other, entrypoint, 9);
        assert!(ids.iter().all(|id| free.contains(id)), "{entrypoint}: {ids:?}, {free:?}");
    }
    new.reload(&[AT_WORK]);
    let ticked = ticks(&mut other, "beat").len();
    until_served(&mut other, &to.name);
    assert!(!value::<bool>(&mut other, "SELECT pgq.is_armed()", &[]));
    assert_eq!(ticks(&mut other, "beat").len(), ticked);
    assert!(value::<bool>(&mut other, "SELECT pgq.arm()", &[]));
    until_more(&mut other, "beat", 2);
}

fn restore(script: &[u8], mut psql: Command) {
    psql.args(["-XqAt", "-v", "ON_ERROR_STOP=1"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut psql = psql.spawn().unwrap();
    psql.stdin.take().unwrap().write_all(script).unwrap();
    let ended = psql.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}
