//! The background workers of a server, as its operator sees them: from a session in a database of its own, so that
//! nobody touches those that they serve.

use crate::ask::{column, value};
use crate::cluster::Database;
use crate::until::until;
use postgres::{Client, NoTls};
use std::process::Command;

/// The processes of the databases' workers.
pub fn workers(session: &mut Client) -> Vec<i32> {
    let sql = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'pgqueuer worker' ORDER BY pid";
    column(session, sql, &[])
}

/// The worker of a database, if it has one now.
pub fn worker_of(session: &mut Client, database: &str) -> Option<i32> {
    let sql = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'pgqueuer worker' AND datname = $1";
    column(session, sql, &[&database]).first().copied()
}

/// The worker that a database gets.
pub fn until_served(session: &mut Client, database: &str) -> i32 {
    until(&format!("{database} has its worker"), || worker_of(session, database))
}

/// The launcher, if there is one.
pub fn launcher(session: &mut Client) -> Option<i32> {
    let sql = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'pgqueuer launcher'";
    column(session, sql, &[]).first().copied()
}

/// The launcher, once it is there.
pub fn until_launched(session: &mut Client) -> i32 {
    until("there is a launcher", || launcher(session))
}

/// Ends a process as an operator does.
pub fn terminate(session: &mut Client, process: i32) {
    value::<bool>(session, "SELECT pg_terminate_backend($1)", &[&process]);
}

/// The signal that no process can answer.
pub fn kill_nine(process: i32) {
    let killed = Command::new("kill").args(["-9", &process.to_string()]).status();
    assert!(killed.is_ok_and(|status| status.success()), "process {process} can be killed");
}

/// How much of a processor a process has used, in the kernel's hundredths of a second; `None` where it has ended.
pub fn processor_time(process: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name in parentheses may hold blanks; user and system time are the 12th and 13th field after it.
    let (_, fields) = stat.rsplit_once(')')?;
    let times = fields.split_whitespace().skip(11).take(2);
    times.map(|field| field.parse::<u64>().ok()).sum()
}

/// Waits until the server takes sessions again.
pub fn until_connected(database: &Database) -> Client {
    until("the server takes sessions", || Client::connect(&database.address(), NoTls).ok())
}

/// What the server's log says against our processes: their own lines from WARNING on, what it could not do for lack of
/// places, and ends that it calls abnormal.
pub fn complaints(log: &str) -> Vec<String> {
    let loud = ["WARNING:", "ERROR:", "FATAL:", "PANIC:"];
    let ours = |line: &&str| {
        line.contains("pgqueuer")
            && (loud.iter().any(|word| line.contains(word)) && !line.contains(" client backend ")
                || line.contains("exited with exit code")
                || line.contains("was terminated by signal")
                || line.contains("will try again")
                || line.contains("has no background worker"))
    };
    log.lines().filter(ours).map(str::to_owned).collect()
}
