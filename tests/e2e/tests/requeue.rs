//! `pgq.requeue` works in a subtransaction of its own, which ends on every way out.

use pgqueuer_e2e::ask::{enqueue, run, value};
use pgqueuer_e2e::cluster::database;
use postgres::Client;

/// A job that is held as failed and has a dedupe key.
fn held_job(session: &mut Client) -> i64 {
    let id: i64 = value(session, "SELECT pgq.enqueue('fetch', dedupe_key => 'key')", &[]);
    let held = "SELECT pgq.finish(array_agg(id), '{failed}') FROM pgq.dequeue('{fetch}')";
    assert_eq!(value::<Vec<i64>>(session, held, &[]), [id]);
    id
}

#[test]
fn an_error_inside_a_requeue_that_the_caller_catches_leaves_rights_and_transaction_as_they_were() {
    let database = database();
    let (mut owner, mut producer, mut operator) = (database.connect(), database.connect(), database.connect());
    run(&mut owner, "CREATE ROLE operator; SELECT pgq.grant_admin('operator')");
    let job = held_job(&mut owner);
    run(&mut producer, "BEGIN; SELECT pgq.enqueue('fetch', dedupe_key => 'key')");

    run(&mut operator, "CREATE TABLE said (who text, path text); GRANT INSERT ON said TO operator");
    run(&mut operator, "SET lock_timeout = '100ms'; SET search_path = public; SET ROLE operator");
    let requeue = format!(
        "DO $$ BEGIN
            INSERT INTO said VALUES ('before', NULL);
            BEGIN
                PERFORM pgq.requeue(ARRAY[{job}]);
            EXCEPTION WHEN lock_not_available THEN
                INSERT INTO said SELECT current_user, current_setting('search_path');
            END;
        END $$"
    );
    run(&mut operator, &requeue);

    assert_eq!(value::<String>(&mut operator, "SELECT current_user::text", &[]), "operator");
    run(&mut producer, "ROLLBACK");
    let said = "SELECT string_agg(format('%s %s', who, path), ', ' ORDER BY who) FROM said";
    assert_eq!(value::<String>(&mut owner, said, &[]), "before , operator public", "it has committed");
    assert_eq!(value::<Vec<i64>>(&mut operator, &format!("SELECT pgq.requeue(ARRAY[{job}])"), &[]), [job]);
}

#[test]
fn an_error_inside_a_requeue_that_nobody_catches_ends_its_transaction() {
    let database = database();
    let mut session = database.connect();
    let job = held_job(&mut session);
    let refuse = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
                  CREATE TRIGGER refuse BEFORE UPDATE ON pgq.job FOR EACH ROW EXECUTE FUNCTION refuse()";
    run(&mut session, refuse);
    assert!(session.query("SELECT pgq.requeue(ARRAY[$1::bigint])", &[&job]).is_err());
    assert_eq!(enqueue(&mut session, "fetch", 1).len(), 1, "the session goes on");
}
