//! The worker of the service: sends the mails of the orders, and ends in good order on SIGTERM or Ctrl-C.
//!
//!     PGQUEUER_DSN=postgresql://… cargo run --bin worker

use pgqueuer_client::{BoxError, Context, Entrypoint, Outcome, Postgres, Worker};
use serde::Deserialize;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Deserialize)]
struct Order {
    item: String,
    mail: String,
}

/// What all handlers share: here a name, elsewhere a client of the mail server.
struct App {
    sender: String,
}

async fn mail(context: Context<App>) -> Result<Outcome, BoxError> {
    let order: Order = context.job.json()?;
    let Some((_, host)) = order.mail.split_once('@') else {
        // No retry makes an address of it: held until somebody looks.
        return Ok(Outcome::hold(format!("\"{}\" is no address", order.mail)));
    };
    if host == "busy.example" && context.job.attempts == 0 {
        return Ok(Outcome::retry(Duration::from_millis(100)));
    }
    println!("{} writes to {}: your {} is on its way", context.state.sender, order.mail, order.item);
    Ok(Outcome::Done)
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let queue = Postgres::new(&std::env::var("PGQUEUER_DSN")?)?;
    let mail = Entrypoint::new("mail", mail).concurrency(20).timeout(Duration::from_secs(60));
    let app = App { sender: "shop".into() };
    let worker = Worker::with_state(queue, app).register(mail).concurrency(50).build()?;
    let mut terminate = signal(SignalKind::terminate())?;
    worker
        .run(async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        })
        .await?;
    Ok(())
}
