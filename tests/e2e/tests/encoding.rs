//! The extension needs a database in UTF-8 and says so; nothing of it is left behind where it is refused.

use pgqueuer_e2e::ask::{refused, run, value};
use pgqueuer_e2e::cluster::{Cluster, database};
use postgres::error::SqlState;

#[test]
fn a_database_of_another_encoding_is_refused() {
    let cluster = Cluster::start(&[]);
    let mut session = cluster.connect("postgres");
    for encoding in ["LATIN1", "SQL_ASCII", "EUC_JP"] {
        let name = encoding.to_lowercase();
        run(
            &mut session,
            &format!("CREATE DATABASE {name} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"),
        );
        let mut other = cluster.connect(&name);
        let error = refused(other.batch_execute("CREATE EXTENSION pgqueuer"));
        assert_eq!(error.code(), &SqlState::FEATURE_NOT_SUPPORTED);
        assert!(error.message().contains(encoding) && error.hint().unwrap().contains("ENCODING 'UTF8'"));
        assert_eq!(value::<i64>(&mut other, "SELECT count(*) FROM pg_namespace WHERE nspname = 'pgq'", &[]), 0);
    }
}

#[test]
fn the_settings_that_configure_returns_can_be_stored_and_read_by_another_session() {
    let database = database();
    run(&mut database.connect(), "CREATE TABLE stored AS SELECT pgq.configure('fetch', max_attempts => 7) AS settings");
    let mut other = database.connect();
    assert_eq!(value::<i32>(&mut other, "SELECT (settings).max_attempts FROM stored", &[]), 7);
}
