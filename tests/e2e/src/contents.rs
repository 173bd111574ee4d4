//! What the queue's tables and sequences hold.

use crate::ask::column;
use postgres::Client;

/// Every row of every table and sequence, in the words of the server, after the name of its table.
pub fn contents(session: &mut Client) -> Vec<String> {
    let tables = "SELECT relname::text FROM pg_class WHERE relnamespace = 'pgq'::regnamespace AND relkind IN ('r', 'S') ORDER BY 1";
    let tables: Vec<String> = column(session, tables, &[]);
    let expected = ["job", "job_id_seq", "job_log_0", "entrypoints", "log_ring", "schedules"];
    assert!(expected.iter().all(|table| tables.contains(&(*table).to_owned())), "{tables:?}");
    let of_table = |table: String| {
        // Where a sequence stands in its log is not part of what it says.
        let rows = format!(
            "SELECT format('%s %s', '{table}', to_jsonb(t) - 'log_cnt') FROM (SELECT * FROM pgq.{table}) AS t ORDER BY 1"
        );
        column::<String>(session, &rows, &[])
    };
    tables.into_iter().flat_map(of_table).collect()
}

/// The same without what speaks of the server itself, which a dump leaves there.
pub fn dumped(session: &mut Client) -> Vec<String> {
    let of_the_server = |row: &String| row.starts_with("installation ") || row.starts_with("receipt ");
    contents(session).into_iter().filter(|row| !of_the_server(row)).collect()
}

/// What only one of the two has, each line cut where nobody would read on.
pub fn differing(left: &[String], right: &[String]) -> Vec<String> {
    let only = |name: &str, one: &[String], other: &[String]| -> Vec<String> {
        let lines = one.iter().filter(|line| !other.contains(line));
        lines.map(|line| format!("only {name}: {}", line.chars().take(300).collect::<String>())).collect()
    };
    [only("left", left, right), only("right", right, left)].concat()
}
