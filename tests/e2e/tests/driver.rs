//! The natural calls from a driver that sends parameters without a type, tokio-postgres: no cast, no surprise.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::cluster::{Database, database};
use serde_json::{Value, json};
use std::future::poll_fn;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;
use tokio_postgres::types::{FromSqlOwned, ToSql};
use tokio_postgres::{AsyncMessage, Client, NoTls, Notification};
use uuid::Uuid;

const WORKER: Uuid = Uuid::from_u128(7);

/// Runs a test with a fresh database. The database is made before the runtime: making it blocks.
fn with_database(test: impl AsyncFnOnce(&Database)) {
    let database = database();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(test(&database));
}

/// A session, and what it is notified of.
async fn connect(database: &Database<'_>) -> (Client, UnboundedReceiver<Notification>) {
    let (client, mut connection) = tokio_postgres::connect(&database.address(), NoTls).await.unwrap();
    let (heard, notifications) = unbounded_channel();
    tokio::spawn(async move {
        while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(notification) = message.unwrap() {
                // A test that does not listen has dropped the other end.
                let _ = heard.send(notification);
            }
        }
    });
    (client, notifications)
}

async fn value<T: FromSqlOwned>(client: &Client, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> T {
    client.query_one(sql, parameters).await.unwrap_or_else(|error| panic!("{sql}: {error:?}")).get(0)
}

async fn payload(client: &Client, id: i64) -> Vec<u8> {
    value(client, "SELECT payload FROM pgq.jobs WHERE id = $1", &[&id]).await
}

#[test]
fn a_payload_is_text_bytes_or_json() {
    with_database(async |database| {
        let (client, _) = connect(database).await;
        let alone: i64 = value(&client, "SELECT pgq.enqueue($1)", &[&"fetch"]).await;
        let none: Option<Vec<u8>> = value(&client, "SELECT payload FROM pgq.jobs WHERE id = $1", &[&alone]).await;
        assert_eq!(none, None);
        let text = r"a\b 'ü' \x00ff";
        let id = value(&client, "SELECT pgq.enqueue($1, $2)", &[&"fetch", &text]).await;
        assert_eq!(payload(&client, id).await, text.as_bytes());
        let bytes = vec![0u8, 255, b'\\', 1];
        let id = value(&client, "SELECT pgq.enqueue($1, payload_bytes => $2)", &[&"fetch", &bytes]).await;
        assert_eq!(payload(&client, id).await, bytes);
        let json = json!({"path": r"C:\dir", "list": [1, null, "ü"]});
        let id = value(&client, "SELECT pgq.enqueue($1, payload_jsonb => $2)", &[&"fetch", &json]).await;
        assert_eq!(serde_json::from_slice::<Value>(&payload(&client, id).await).unwrap(), json);
        let id = value(&client, "SELECT pgq.enqueue($1, payload_json => $2)", &[&"fetch", &json]).await;
        assert_eq!(serde_json::from_slice::<Value>(&payload(&client, id).await).unwrap(), json);
    });
}

#[test]
fn the_other_arguments_of_enqueue_take_the_natural_types() {
    with_database(async |database| {
        let (client, _) = connect(database).await;
        let sql = "SELECT pgq.enqueue($1, $2, priority => $3, delay => make_interval(secs => $4), dedupe_key => $5,
                                      on_conflict => $6, headers => $7, ordering_key => $8)";
        let headers = json!({"trace": "1"});
        let arguments: &[&(dyn ToSql + Sync)] =
            &[&"fetch", &None::<&str>, &7, &1.5f64, &"key", &"skip", &headers, &"order"];
        let id: i64 = value(&client, sql, arguments).await;
        assert_eq!(value::<Option<i64>>(&client, sql, arguments).await, None);
        let row = "SELECT to_jsonb(ARRAY[priority::text, dedupe_key, ordering_key, headers->>'trace']) FROM pgq.jobs WHERE id = $1";
        assert_eq!(value::<Value>(&client, row, &[&id]).await, json!(["7", "key", "order", "1"]));
    });
}

#[test]
fn many_jobs_are_enqueued_with_lists() {
    with_database(async |database| {
        let (client, _) = connect(database).await;
        let payloads = vec![vec![0u8, 255], vec![]];
        let sql = "SELECT pgq.enqueue_many($1, $2)";
        let ids: Vec<i64> = value(&client, sql, &[&vec!["fetch", "parse"], &payloads]).await;
        assert_eq!(payload(&client, ids[0]).await, payloads[0]);
        assert_eq!(payload(&client, ids[1]).await, payloads[1]);
        let texts = vec![r#"{"path": "C:\\dir"}"#, r"a\b"];
        let sql = "SELECT pgq.enqueue_many_text($1, $2, priorities => $3, dedupe_keys => $4, on_conflict => $5)";
        let keys = vec![Some("k"), None];
        let arguments: &[&(dyn ToSql + Sync)] = &[&vec!["fetch"], &texts, &vec![1, 2], &keys, &"skip"];
        let ids: Vec<i64> = value(&client, sql, arguments).await;
        assert_eq!(payload(&client, ids[0]).await, texts[0].as_bytes());
        assert_eq!(payload(&client, ids[1]).await, texts[1].as_bytes());
        let again: Vec<Option<i64>> = value(&client, sql, arguments).await;
        assert_eq!((again.len(), again[0], again[1].is_some()), (2, None, true));
    });
}

#[test]
fn jobs_are_claimed_with_a_list_and_ended_by_their_ids() {
    with_database(async |database| {
        let (client, _) = connect(database).await;
        let entrypoints = vec!["fetch", "parse"];
        let payloads = vec!["x"; 12];
        value::<Vec<i64>>(&client, "SELECT pgq.enqueue_many_text($1, $2)", &[&vec!["parse"], &payloads]).await;
        let rows = client.query("SELECT * FROM pgq.dequeue($1, $2)", &[&entrypoints, &12]).await.unwrap();
        let ids: Vec<i64> = rows.iter().map(|row| row.get("id")).collect();
        assert_eq!(ids.len(), 12);
        assert_eq!(rows[0].get::<_, &[u8]>("payload"), b"x");
        assert!(value::<bool>(&client, "SELECT pgq.complete($1)", &[&ids[0]]).await);
        let two = ids[1..3].to_vec();
        assert_eq!(value::<Vec<i64>>(&client, "SELECT pgq.complete_many($1)", &[&two]).await, two);
        assert!(value::<Vec<i64>>(&client, "SELECT pgq.complete_many($1)", &[&Vec::<i64>::new()]).await.is_empty());
        let state: String = value(&client, "SELECT pgq.fail($1, $2)::text", &[&ids[3], &"boom"]).await;
        assert_eq!(state, "queued");
        let error = json!({"code": 503});
        value::<String>(&client, "SELECT pgq.fail($1, error_jsonb => $2)::text", &[&ids[4], &error]).await;
        value::<String>(&client, "SELECT pgq.fail($1)::text", &[&ids[5]]).await;
        let logged = "SELECT error FROM pgq.job_log WHERE job_id = $1";
        assert_eq!(value::<Value>(&client, logged, &[&ids[3]]).await, json!("boom"));
        assert_eq!(value::<Value>(&client, logged, &[&ids[4]]).await, error);
        assert_eq!(value::<Option<Value>>(&client, logged, &[&ids[5]]).await, None);
        let retried = "SELECT pgq.retry($1, make_interval(secs => $2), $3)";
        assert!(value::<bool>(&client, retried, &[&ids[6], &60f64, &"busy"]).await);
        let (three, errors) = (ids[7..10].to_vec(), vec![None, Some(error.clone()), Some(json!("e"))]);
        let finished = "SELECT pgq.finish($1, $2, errors => $3)";
        let outcomes = vec!["successful", "exception", "failed"];
        assert_eq!(value::<Vec<i64>>(&client, finished, &[&three, &outcomes, &errors]).await, three);
        assert_eq!(value::<Value>(&client, logged, &[&ids[8]]).await, error);
        let rest = ids[10..].to_vec();
        assert_eq!(value::<Vec<i64>>(&client, "SELECT pgq.release($1)", &[&rest]).await, rest);
    });
}

#[test]
fn a_named_worker_is_a_uuid() {
    with_database(async |database| {
        let (client, _) = connect(database).await;
        let payloads = vec!["x"; 2];
        let ids: Vec<i64> = value(&client, "SELECT pgq.enqueue_many_text($1, $2)", &[&vec!["fetch"], &payloads]).await;
        let sql = "SELECT * FROM pgq.dequeue($1, $2, $3, make_interval(secs => $4), max_in_flight => $5)";
        let rows = client.query(sql, &[&vec!["fetch"], &9, &WORKER, &60f64, &1]).await.unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].get::<_, i64>("id"), rows[0].get::<_, Uuid>("worker")), (ids[0], WORKER));
        assert!(value::<Vec<i64>>(&client, "SELECT pgq.heartbeat($1)", &[&WORKER]).await.is_empty());
        let held = "SELECT pgq.heartbeat($1, held => $2)";
        assert_eq!(value::<Vec<i64>>(&client, held, &[&WORKER, &ids]).await, ids[1..]);
        let complete = "SELECT pgq.complete($1, worker => $2, attempt => $3)";
        assert!(!value::<bool>(&client, complete, &[&ids[0], &WORKER, &1]).await);
        assert!(value::<bool>(&client, complete, &[&ids[0], &WORKER, &0]).await);
    });
}

async fn next(notifications: &mut UnboundedReceiver<Notification>) -> (String, String) {
    let heard = timeout(Duration::from_secs(10), notifications.recv()).await;
    let heard = heard.expect("a notification arrives").expect("the session lives");
    (heard.channel().to_owned(), heard.payload().to_owned())
}

#[test]
fn a_worker_hears_of_new_jobs_and_of_canceled_ones() {
    with_database(async |database| {
        let ((worker, mut heard), (other, _)) = (connect(database).await, connect(database).await);
        let names = vec!["fetch", "Straße \"1\""];
        let rows = worker.query("SELECT pgq.listen($1)", &[&names]).await.unwrap();
        let channels: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        for (name, channel) in names.iter().zip(&channels) {
            assert_eq!(&value::<String>(&other, "SELECT pgq.channel($1)", &[name]).await, channel);
            value::<i64>(&other, "SELECT pgq.enqueue($1)", &[name]).await;
            assert_eq!(next(&mut heard).await, (channel.clone(), String::new()));
        }
        let ids: Vec<i64> = worker
            .query("SELECT id FROM pgq.dequeue($1, 2)", &[&names])
            .await
            .unwrap()
            .iter()
            .map(|row| row.get(0))
            .collect();
        for (id, channel) in ids.iter().zip(&channels) {
            assert_eq!(value::<Vec<i64>>(&other, "SELECT pgq.cancel($1)", &[&vec![*id]]).await, [*id]);
            let (on, message) = next(&mut heard).await;
            let message: Value = serde_json::from_str(&message).unwrap();
            assert_eq!((&on, message), (channel, json!({"event": "canceled", "ids": [id]})));
            assert!(!value::<bool>(&worker, "SELECT pgq.complete($1)", &[id]).await);
        }
    });
}

#[test]
fn a_channel_can_be_listened_to_by_its_name_quoted_or_not() {
    with_database(async |database| {
        let ((worker, mut heard), (other, _)) = (connect(database).await, connect(database).await);
        let mut told: Vec<String> = vec![];
        for name in ["fetch", "Fetch", "a.b"] {
            let channel: String = value(&other, "SELECT pgq.channel($1)", &[&name]).await;
            for listen in [format!("LISTEN {channel}"), format!("UNLISTEN *; LISTEN \"{channel}\"")] {
                worker.batch_execute(&listen).await.unwrap();
                value::<i64>(&other, "SELECT pgq.enqueue($1)", &[&name]).await;
                // A worker that has just begun may tell of a job twice.
                while next(&mut heard).await.0 != channel {
                    assert!(!told.is_empty(), "a notification that nobody has sent");
                }
            }
            told.push(channel);
        }
    });
}
