//! Commands that need a database for themselves, and a shutdown, do not wait for workers: whether those sleep, start, work
//! or rest. And what is made by such commands is served.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{dequeue, enqueue, run, value};

use pgqueuer_e2e::cluster::{Cluster, Database, Setting, Stop};
use pgqueuer_e2e::serving::{complaints, is_told_to_end, until_launched, until_served, worker_of, workers};
use pgqueuer_e2e::ticks::each_second_catching_up;
use pgqueuer_e2e::until::until;
use postgres::{Client, Config, NoTls};
use std::time::{Duration, Instant};

/// PostgreSQL itself waits 5 s for others before it refuses such a command, and a worker that is asked to leave needs some
/// 10 ms, or one slice of its work. What takes longer than this has waited for nothing.
const NOT_HELD_UP: Duration = Duration::from_secs(2);

fn server(more: &[Setting]) -> Cluster {
    let settings = [("autovacuum", "off"), ("allow_in_place_tablespaces", "on")];
    let cluster = Cluster::start(&[&settings, more].concat());
    run(&mut cluster.connect("postgres"), "CREATE TABLESPACE other LOCATION ''");
    cluster
}

/// Runs a command and returns how long it took, which is not too long.
#[track_caller]
fn at_once(operator: &mut Client, sql: &str) -> Duration {
    let start = Instant::now();
    run(operator, sql);
    let took = start.elapsed();
    assert!(took < NOT_HELD_UP, "{sql}: {took:?}");
    took
}

/// Every command that needs the database for itself, the DROP last. The copy that is made stays.
fn command_all(operator: &mut Client, name: &str, between: &mut dyn FnMut(&mut Client, &str)) {
    let renamed = format!("{name}_renamed");
    let commands = [
        (format!("CREATE DATABASE {name}_copy TEMPLATE {name}"), name),
        (format!("ALTER DATABASE {name} SET TABLESPACE other"), name),
        (format!("ALTER DATABASE {name} RENAME TO {renamed}"), renamed.as_str()),
        (format!("DROP DATABASE {renamed}"), ""),
    ];
    let mut took = vec![];
    for (command, is_then) in &commands {
        took.push(at_once(operator, command));
        if !is_then.is_empty() {
            between(operator, is_then);
        }
    }
    println!("copy, tablespace, rename, drop of {name}: {took:?}");
}

fn served_soon(operator: &mut Client, name: &str) {
    let start = Instant::now();
    until_served(operator, name);
    assert!(start.elapsed() < NOT_HELD_UP, "{name}: {:?}", start.elapsed());
}

#[test]
fn commands_do_not_wait_for_a_worker_that_sleeps_and_it_comes_back() {
    let cluster = server(&[]);
    let mut operator = cluster.connect("postgres");
    let database = cluster.database();
    served_soon(&mut operator, &database.name);
    command_all(&mut operator, &database.name, &mut |operator, name| served_soon(operator, name));
    served_soon(&mut operator, &format!("{}_copy", database.name));
    assert_eq!(complaints(&cluster.log()), [""; 0]);
}

#[test]
fn commands_do_not_wait_for_a_worker_that_starts() {
    let cluster = server(&[]);
    let mut operator = cluster.connect("postgres");
    until_launched(&mut operator);
    cluster.database();
    for _ in 0..2 {
        // Each brings a worker, which the next one meets on its way.
        let database = cluster.database();
        command_all(&mut operator, &database.name, &mut |_, _| {});
    }
    for round in 0..6 {
        run(&mut operator, "CREATE DATABASE brief TEMPLATE pattern");
        if round % 2 == 0 {
            until("its worker is about to be there", || (workers(&mut operator).len() > 1).then_some(()));
        }
        at_once(&mut operator, "DROP DATABASE brief");
    }
    assert_eq!(complaints(&cluster.log()), [""; 0]);
}

/// Makes a worker release thousands of jobs, and returns once it is in the middle of it.
fn make_busy(database: &Database) {
    let mut session = database.connect();
    enqueue(&mut session, "fetch", 20_000);
    let mut lost = database.connect();
    assert_eq!(dequeue(&mut lost, "fetch", 20_000).len(), 20_000);
    drop(lost);
    let releases = "SELECT count(*) FROM pgq.job_log WHERE outcome = 'released'";
    until("it is in the middle of it", || (value::<i64>(&mut session, releases, &[]) > 0).then_some(()));
}

/// Waits until only the worker is left in a database.
fn until_left(operator: &mut Client, name: &str) {
    let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'";
    until("the sessions have ended", || (value::<i64>(operator, others, &[&name]) == 0).then_some(()));
}

#[test]
fn commands_do_not_wait_for_a_worker_that_is_busy() {
    let cluster = server(&[]);
    let mut operator = cluster.connect("postgres");
    let database = cluster.database();
    served_soon(&mut operator, &database.name);
    make_busy(&database);
    until_left(&mut operator, &database.name);
    command_all(&mut operator, &database.name, &mut |operator, name| {
        // It comes back to the rest of its work.
        served_soon(operator, name);
    });
    // One that has not left in a moment is told to end in the middle of its work.
    let all = complaints(&cluster.log());
    assert!(all.iter().all(|line| is_told_to_end(line)), "{all:?}");
}

#[test]
fn a_dump_and_a_shutdown_do_not_wait_for_a_worker_that_is_busy() {
    let cluster = server(&[]);
    let mut operator = cluster.connect("postgres");
    let database = cluster.database();
    served_soon(&mut operator, &database.name);
    each_second_catching_up(&mut database.connect(), "beat", "all");
    make_busy(&database);
    let start = Instant::now();
    let dumped = database.program("pg_dump").args(["-f", "/dev/null"]).status().unwrap();
    assert!(dumped.success());
    println!("pg_dump took {:?}", start.elapsed());
    assert!(start.elapsed() < 2 * NOT_HELD_UP, "20000 jobs are dumped: {:?}", start.elapsed());
    run(&mut database.connect(), "SELECT pgq.clear()");
    make_busy(&database);
    let start = Instant::now();
    cluster.stop(Stop::Fast);
    println!("the shutdown took {:?}", start.elapsed());
    assert!(start.elapsed() < NOT_HELD_UP, "{:?}", start.elapsed());
    // The launcher ends so always: it asks the server for another start.
    let all = complaints(&cluster.log());
    assert!(all.iter().all(|line| is_told_to_end(line)) && all.len() <= 3, "{all:?}");
}

#[test]
fn a_shutdown_does_not_wait_for_workers_that_start_or_rest() {
    let cluster = server(&[("max_worker_processes", "8"), ("pgqueuer.max_background_workers", "2")]);
    let databases: Vec<Database> = (0..8).map(|_| cluster.database()).collect();
    databases.iter().for_each(|database| each_second_catching_up(&mut database.connect(), "beat", "all"));
    for _ in 0..3 {
        let start = Instant::now();
        cluster.stop(Stop::Fast);
        println!("the shutdown took {:?}", start.elapsed());
        assert!(start.elapsed() < NOT_HELD_UP, "{:?}", start.elapsed());
        cluster.begin();
        let mut operator = cluster.connect("postgres");
        until("workers are starting", || (!workers(&mut operator).is_empty()).then_some(()));
    }
}

#[test]
fn commands_do_not_wait_for_a_worker_that_rests_or_is_about_to_come_back() {
    let cluster = server(&[("pgqueuer.max_background_workers", "1")]);
    let mut operator = cluster.connect("postgres");
    let databases: Vec<Database> = (0..3).map(|_| cluster.database()).collect();
    // They take turns at the one place, each second.
    databases.iter().for_each(|database| each_second_catching_up(&mut database.connect(), "beat", "all"));
    for database in &databases {
        until_left(&mut operator, &database.name);
        command_all(&mut operator, &database.name, &mut |_, _| {});
    }
    assert_eq!(complaints(&cluster.log()), [""; 0]);
}

/// A session of somebody who may make databases and owns none.
fn maker(cluster: &Cluster) -> Client {
    run(&mut cluster.connect("postgres"), "CREATE ROLE maker LOGIN CREATEDB");
    let mut config: Config = cluster.named("postgres").address().parse().unwrap();
    config.user("maker").connect(NoTls).unwrap()
}

#[test]
fn a_template_that_everybody_may_copy_is_in_nobodys_way_and_the_copy_is_served() {
    let cluster = server(&[]);
    let mut operator = cluster.connect("postgres");
    let database = cluster.database();
    served_soon(&mut operator, &database.name);
    let mut maker = maker(&cluster);
    // From now on anybody who may make databases may copy it: the worker cannot be asked by them.
    run(&mut operator, &format!("ALTER DATABASE {} IS_TEMPLATE true", database.name));
    until("the worker leaves a template", || worker_of(&mut operator, &database.name).is_none().then_some(()));
    at_once(&mut maker, &format!("CREATE DATABASE copy TEMPLATE {}", database.name));
    served_soon(&mut operator, "copy");
}

#[test]
fn a_database_that_is_no_template_any_more_is_served() {
    let cluster = server(&[]);
    let mut operator = cluster.connect("postgres");
    let database = cluster.database();
    run(&mut operator, &format!("ALTER DATABASE {} IS_TEMPLATE true", database.name));
    // Makes the launcher look around.
    cluster.reload(&[("pgqueuer.databases", "*")]);
    until("the worker leaves a template", || worker_of(&mut operator, &database.name).is_none().then_some(()));
    run(&mut operator, &format!("ALTER DATABASE {} IS_TEMPLATE false", database.name));
    enqueue(&mut database.connect(), "fetch", 1);
    served_soon(&mut operator, &database.name);
}

#[test]
fn a_database_that_takes_no_connections_is_left_alone_and_served_again_afterwards() {
    let cluster = server(&[]);
    let mut operator = cluster.connect("postgres");
    let database = cluster.database();
    let worker = until_served(&mut operator, &database.name);
    run(&mut operator, &format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", database.name));
    value::<bool>(&mut operator, "SELECT pg_terminate_backend($1)", &[&worker]);
    until("its worker has ended", || (worker_of(&mut operator, &database.name) != Some(worker)).then_some(()));
    let mut looks = 0;
    until("nobody tries to get in", || {
        looks += 1;
        (looks == 150).then_some(())
    });
    let refused = "is not currently accepting connections";
    let tried = cluster.log().lines().filter(|line| line.contains(refused)).count();
    assert_eq!(tried, 0, "{:?}", complaints(&cluster.log()));
    run(&mut operator, &format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", database.name));
    served_soon(&mut operator, &database.name);
}

#[test]
fn a_command_that_fails_leaves_the_worker_where_it_is_needed() {
    let cluster = server(&[]);
    let mut operator = cluster.connect("postgres");
    let database = cluster.database();
    let _user = database.connect();
    until_served(&mut operator, &database.name);
    let name = &database.name;
    for command in [
        format!("BEGIN; DROP DATABASE {name}"),
        format!("CREATE DATABASE pattern TEMPLATE {name}"),
        format!("ALTER DATABASE {name} RENAME TO pattern"),
        format!("ALTER DATABASE {name} SET TABLESPACE nowhere"),
    ] {
        assert!(operator.batch_execute(&command).is_err(), "{command}");
        run(&mut operator, "ROLLBACK");
        served_soon(&mut operator, name);
    }
}

#[test]
fn many_databases_that_come_and_go_leave_nothing_in_the_log() {
    let cluster = server(&[("pgqueuer.max_background_workers", "2")]);
    let beating: Vec<Database> = (0..3).map(|_| cluster.database()).collect();
    beating.iter().for_each(|database| each_second_catching_up(&mut database.connect(), "beat", "all"));
    let mut operators: Vec<Client> = (0..2).map(|_| cluster.connect("postgres")).collect();
    // The launcher is at work all the time: it must not start a worker in a database that has just gone.
    std::thread::scope(|scope| {
        for (place, operator) in operators.iter_mut().enumerate() {
            scope.spawn(move || {
                for _ in 0..15 {
                    run(operator, &format!("CREATE DATABASE brief_{place} TEMPLATE template0"));
                    at_once(operator, &format!("DROP DATABASE brief_{place}"));
                }
            });
        }
    });
    assert_eq!(complaints(&cluster.log()), [""; 0]);
}
