//! What a program is given.

use crate::pgq::Folder;
use crate::working::{Working, drained, log, logged, written};
use pgqueuer_e2e::ask::{run, value};
use pgqueuer_e2e::cluster::database;
use std::collections::BTreeMap;

#[test]
fn the_payload_is_standard_input_byte_for_byte() {
    let database = database();
    let mut session = database.connect();
    let folder = Folder::new();
    let all: Vec<u8> = (0..=255).chain([0, 0, 10]).collect();
    let ids: [i64; 3] = [Some(all.clone()), Some(vec![]), None]
        .map(|payload| value(&mut session, "SELECT pgq.enqueue('a', payload_bytes => $1)", &[&payload]));
    drained(&database, "-e a", &format!("cat > {}/$PGQ_ID", folder.path().display()), 0);
    let read = |id: i64| std::fs::read(folder.path().join(id.to_string())).unwrap();
    assert_eq!([read(ids[0]), read(ids[1]), read(ids[2])], [all, vec![], vec![]]);
}

#[test]
fn a_hundred_megabytes_are_read_or_not_as_the_program_likes() {
    let database = database();
    let mut session = database.connect();
    let sql =
        "SELECT pgq.enqueue('a', payload_bytes => convert_to(repeat('0123456789', 10000000), 'UTF8'), headers => $1)";
    let ids: [i64; 4] = ["wc -c >&2; exit 65", "exit 0", "head -c 5 >&2; exit 65", "exec <&-; sleep 0.2; exit 65"]
        .map(|script| value(&mut session, sql, &[&serde_json::json!({ "do": script })]));
    drained(&database, "-e a", r#"eval "$PGQ_HEADER_DO""#, 1);
    let [count, unread, some, closed] = ids.map(|id| log(&mut session, id).remove(0));
    assert_eq!(count.message(), "exit code 65: 100000000");
    assert_eq!(unread.outcome, "successful", "{unread:?}");
    assert_eq!(some.message(), "exit code 65: 01234");
    assert_eq!(closed.message(), "exit code 65");
}

/// The variables that a program was told, of a job enqueued by `sql`.
fn told(sql: &str, prefix: &str, args: &str) -> BTreeMap<String, String> {
    let (database, folder) = (database(), Folder::new());
    run(&mut database.connect(), sql);
    let script = format!("env -0 > {}/env", folder.path().display());
    let mut command = crate::pgq::command(&database, &["work", "--drain", "-e", "a"]);
    command.args(args.split(' ').filter(|word| !word.is_empty())).args(["--", "bash", "-c", &script]);
    command.env("PGQUEUER_PREFIX", prefix).env("PGQ_HEADER_OLD", "x").env("TRACEPARENT", "old").env("MINE", "7");
    assert_eq!(Working::run(command).code(), Some(0));
    let text = std::fs::read_to_string(folder.path().join("env")).unwrap();
    let lines = text.split('\0').filter_map(|line| line.split_once('='));
    lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn everything_else_is_in_the_environment() {
    let sql = r#"SELECT pgq.enqueue('shop/a', 'x', priority => 5, dedupe_key => 'd', ordering_key => 'o',
        headers => '{"tenant-id": "ü\n7", "n": {"deep": [1]}, "traceparent": "00-1-2-01", "LD_PRELOAD": "evil"}')"#;
    let told = told(sql, "shop/", "--timeout 1h");
    let is = |name: &str, value: &str| assert_eq!(told.get(name).map(String::as_str), Some(value), "{name}");
    is("PGQ_ENTRYPOINT", "a");
    is("PGQ_ATTEMPT", "1");
    is("PGQ_PRIORITY", "5");
    is("PGQ_DEDUPE_KEY", "d");
    is("PGQ_ORDERING_KEY", "o");
    is("PGQ_TIMEOUT", "3600");
    is("PGQ_HEADER_TENANT_ID", "ü\n7");
    is("PGQ_HEADER_N", r#"{"deep":[1]}"#);
    is("PGQ_HEADER_LD_PRELOAD", "evil");
    is("TRACEPARENT", "00-1-2-01");
    is("MINE", "7");
    let headers: serde_json::Value = serde_json::from_str(&told["PGQ_HEADERS"]).unwrap();
    assert_eq!(headers["tenant-id"], "ü\n7");
    assert!(told["PGQ_ID"].parse::<i64>().is_ok() && told["PGQ_WORKER"].len() == 36);
    assert!(told["PGQ_CREATED"].contains('T') && told["PGQ_DEADLINE"].contains('T'));
    assert!(!told.contains_key("LD_PRELOAD") && !told.contains_key("PGQ_HEADER_OLD"));
}

#[test]
fn what_a_job_does_not_have_is_not_there() {
    let told = told("SELECT pgq.enqueue('a')", "", "");
    assert_eq!(told["PGQ_HEADERS"], "{}");
    for name in ["PGQ_DEDUPE_KEY", "PGQ_ORDERING_KEY", "PGQ_TIMEOUT", "PGQ_DEADLINE", "TRACEPARENT", "PGQ_HEADER_OLD"] {
        assert!(!told.contains_key(name), "{name}");
    }
}

#[test]
fn headers_that_do_not_fit_into_the_environment_are_given_up_with_a_word() {
    let database = database();
    let mut session = database.connect();
    let sql = "SELECT pgq.enqueue('a', headers => jsonb_build_object('x', repeat('x', $1::int)))";
    let [great, small]: [i64; 2] = [10_000_000, 60_000].map(|size| value(&mut session, sql, &[&size]));
    let worker = Working::start(&database, "-e a", "[ ${#PGQ_HEADER_X} = 60000 ]");
    assert_eq!(logged(&mut session, small).outcome, "successful");
    let row = logged(&mut session, great);
    assert_eq!(row.outcome, "failed");
    assert!(row.message().contains("at most 65536 can be passed to a program"), "{row:?}");
    worker.stop();
}

#[test]
fn where_the_kernel_takes_less_the_job_that_wants_more_is_given_up() {
    let database = database();
    let mut session = database.connect();
    let sql = "SELECT pgq.enqueue('a', headers => jsonb_build_object('x', repeat('x', $1::int)))";
    let [great, small]: [i64; 2] = [65_500, 10].map(|size| value(&mut session, sql, &[&size]));
    // A quarter of it is for arguments and variables.
    let line = format!("ulimit -s 480; exec {} work -e a -- true", env!("CARGO_BIN_EXE_pgq"));
    let mut narrow = std::process::Command::new("bash");
    let worker = Working::run({
        narrow.args(["-c", &line]).env("PGQUEUER_DSN", database.address());
        narrow
    });
    assert_eq!(logged(&mut session, small).outcome, "successful");
    let row = logged(&mut session, great);
    assert!(row.outcome == "failed" && row.message().contains("cannot be started: Argument list too long"), "{row:?}");
    worker.stop();
}

#[test]
fn a_program_can_complete_its_job_itself_in_its_own_transaction() {
    let (database, folder) = (database(), Folder::new());
    let mut session = database.connect();
    run(&mut session, "CREATE TABLE paid (job bigint)");
    let id: i64 = value(&mut session, "SELECT pgq.enqueue('a')", &[]);
    let psql = database.program("psql");
    let (host, port) = database.host_and_port();
    let script = format!(
        r#"{} -h {host} -p {port} -U postgres -d {} -XAtqc "INSERT INTO paid VALUES ($PGQ_ID);
           SELECT pgq.complete($PGQ_ID, worker => '$PGQ_WORKER', attempt => $PGQ_ATTEMPT - 1)" > {}/answer"#,
        psql.get_program().display(),
        database.name,
        folder.path().display()
    );
    drained(&database, "-e a", &script, 0);
    assert_eq!(written(&folder, "answer"), "t");
    assert_eq!(log(&mut session, id).len(), 1);
    assert_eq!(value::<i64>(&mut session, "SELECT count(*) FROM paid", &[]), 1);
}
