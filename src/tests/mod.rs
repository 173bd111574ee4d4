//! Tests inside the server: only what cannot be seen from SQL, or not without settings of its own. `lib.rs` gives the
//! test server a claim table of 64 places.

use pgrx::pg_schema;

#[pg_schema]
mod tests {
    use crate::pg;
    use crate::shmem::{memory, transaction};
    use pgqueuer_core::claims::{JobKey, Outcome};
    use pgrx::datum::Interval;
    use pgrx::prelude::*;

    fn count(query: &str) -> i64 {
        Spi::get_one::<i64>(query).expect("the query runs").expect("the query gives a number")
    }

    #[pg_test]
    fn a_full_claim_table_hands_out_less_and_refuses_no_enqueue() {
        let enqueued = "SELECT count(pgq.enqueue('full', i::text)) FROM generate_series(1, 100) AS i";
        assert_eq!(count(enqueued), 100);
        assert_eq!(count("SELECT count(*) FROM pgq.dequeue('{full}', 100)"), 56, "the rest is other databases'");
        assert_eq!(count("SELECT count(*) FROM pgq.dequeue('{full}', 100)"), 0);
        assert!(count("SELECT pgq.enqueue('full', 'still')") > 0);
        Spi::run("SELECT pgq.complete((SELECT min(id) FROM pgq.claims()))").expect("complete");
        assert_eq!(count("SELECT count(*) FROM pgq.dequeue('{full}', 1)"), 0, "the claim ends with the transaction");
    }

    #[pg_test]
    fn what_a_subtransaction_claimed_is_free_when_it_aborts() {
        Spi::run("SELECT pgq.enqueue('sub', 'x')").expect("enqueue");
        let caught = "DO $$ BEGIN
                PERFORM * FROM pgq.dequeue('{sub}');
                RAISE EXCEPTION 'undo';
            EXCEPTION WHEN raise_exception THEN NULL; END $$";
        Spi::run(caught).expect("the exception is caught");
        assert_eq!(count("SELECT count(*) FROM pgq.claims()"), 0);
        assert_eq!(count("SELECT count(*) FROM pgq.dequeue('{sub}')"), 1);
    }

    #[pg_test]
    fn a_transaction_sees_its_own_ends_before_they_take_effect() {
        let one = count("SELECT pgq.enqueue('own', 'x', dedupe_key => 'k')");
        let two = count("SELECT pgq.enqueue('own', 'y')");
        assert_eq!(count("SELECT count(*) FROM pgq.dequeue('{own}', 2)"), 2);
        assert_eq!(count(&format!("SELECT cardinality(pgq.release('{{{one}}}'))")), 1);
        assert_eq!(count(&format!("SELECT count(*) FROM pgq.jobs WHERE id = {one} AND status = 'queued'")), 1);
        let replaced = "SELECT pgq.enqueue('own', 'z', dedupe_key => 'k', on_conflict => 'replace')";
        assert_eq!(count(replaced), one);
        assert_eq!(
            count(&format!("SELECT cardinality(pgq.reschedule('{{{one},{two}}}'))")),
            1,
            "the other is still picked"
        );
        assert_eq!(count(&format!("SELECT cardinality(pgq.finish('{{{two}}}', '{{failed}}'))")), 1);
        assert_eq!(count(&format!("SELECT cardinality(pgq.delete('{{{one},{two}}}'))")), 2);
    }

    #[pg_test]
    fn a_note_of_a_claim_that_is_gone_does_nothing() {
        let relation = memory::relation(pg::relation(c"job").expect("the table exists"));
        let key = JobKey { relation, id: 4711 };
        transaction::reserve(2).expect("there is memory");
        transaction::claimed(key, 99);
        transaction::ending(key, 99, Outcome::Successful);
        transaction::unend(key, 99);
        transaction::unclaim(key, 99, None);
        assert_eq!(count("SELECT count(*) FROM pgq.claims()"), 0);
    }

    #[pg_test]
    fn an_interval_of_any_size_is_a_number_of_microseconds() {
        let least = Interval::new(i32::MIN, i32::MIN, i64::MIN).expect("an interval");
        let most = Interval::new(i32::MAX, i32::MAX, i64::MAX).expect("an interval");
        assert_eq!((pg::microseconds(&least), pg::microseconds(&most)), (i64::MIN, i64::MAX));
        assert_eq!(pg::microseconds(&Interval::from_micros(1_500_000)), 1_500_000);
    }
}
