//! A queue with jobs in every state.

use pgqueuer_e2e::cluster::{Database, database};
use postgres::types::FromSqlOwned;

pub struct Shop {
    pub database: Database<'static>,
    pub sql: postgres::Client,
}

pub fn shop() -> Shop {
    let database = database();
    let mut sql = database.connect();
    sql.batch_execute(include_str!("shop.sql")).unwrap();
    Shop { database, sql }
}

impl Shop {
    /// The only value of a query.
    pub fn ask<T: FromSqlOwned>(&mut self, sql: &str) -> T {
        self.sql.query_one(sql, &[]).unwrap().get(0)
    }

    /// Waits until a query says yes.
    #[track_caller]
    pub fn is(&mut self, sql: &str) {
        pgqueuer_e2e::until::until(sql, || self.ask::<bool>(sql).then_some(()));
    }
}
