//! A web service: an order and its mail are written together, or not at all.
//!
//!     PGQUEUER_DSN=postgresql://… cargo run --bin service
//!     curl -H 'content-type: application/json' -d '{"item": "book", "mail": "you@example.org"}' 127.0.0.1:3000/orders

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use deadpool_postgres::Pool;
use pgqueuer_client::{BoxError, NewJob, Postgres, Producer};
use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
struct Order {
    item: String,
    mail: String,
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let queue = Postgres::new(&std::env::var("PGQUEUER_DSN")?)?;
    let pool = queue.pool().clone();
    let table =
        "CREATE TABLE IF NOT EXISTS orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, item text NOT NULL)";
    pool.get().await?.batch_execute(table).await?;
    let service = Router::new().route("/orders", post(order)).with_state(pool);
    let address = std::env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:3000".into());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, service).await?;
    Ok(())
}

async fn order(
    State(pool): State<Pool>,
    Json(order): Json<Order>,
) -> Result<(StatusCode, Json<i64>), (StatusCode, String)> {
    match place(&pool, &order).await {
        Ok(id) => Ok((StatusCode::CREATED, Json(id))),
        Err(error) => Err((StatusCode::UNPROCESSABLE_ENTITY, error.to_string())),
    }
}

async fn place(pool: &Pool, order: &Order) -> Result<i64, BoxError> {
    let mut client = pool.get().await?;
    let transaction = client.transaction().await?;
    let row = transaction.query_one("INSERT INTO orders (item) VALUES ($1) RETURNING id", &[&order.item]).await?;
    // On the transaction: the job exists exactly if the order does.
    transaction.enqueue(NewJob::new("mail").json(order)?).await?;
    if order.item.is_empty() {
        return Err("an order needs an item".into());
    }
    transaction.commit().await?;
    Ok(row.get(0))
}
