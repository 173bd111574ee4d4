//! The web dashboard of [pgqueuer](https://github.com/pgqueuer/pgqueuer), the job queue inside PostgreSQL, as an axum
//! [`Router`]: what `pgq web` serves, to be put into an application of your own.
//!
//! ```no_run
//! # use pgqueuer_client::Postgres;
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let queue = Postgres::new("postgres://app@127.0.0.1/shop")?;
//! let options = pgqueuer_web::Options::default().title("shop").password("correct horse")?;
//! let application = axum::Router::new().nest("/queue", pgqueuer_web::router(queue, options));
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! pgqueuer_web::serve(listener, application, std::future::pending()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! - `options`  who may do what
//! - `app`      what all requests share
//! - `routes`   which address is which page
//! - `guard`    login, host, forgery, headers: before any page
//! - `page`     the pages, a file each: query, struct, template
//! - `action`   what can be changed: one door, with its checks
//! - `snapshot` the queue's figures, shared by all viewers: `figures` from `metrics`, the last `hour`, `history`
//! - `pulse`    notices changes, and `live` tells the browsers
//! - [`look`]   figures and lists for a dashboard of another kind
//! - `find`     lists of jobs, page after page, each at one price
//! - `chart`    SVG
//! - `show`     numbers, times, and hostile text made visible; `payload` the same for payloads
//! - `read`     statements in read-only transactions that end in time
//! - `assets`   style, scripts
//! - `failure`  what went wrong, in words that tell no address
//! - `serve`    a server that outlasts slow clients

#![forbid(unsafe_code)]

mod action;
mod app;
mod assets;
mod chart;
mod failure;
mod figures;
mod find;
mod frame;
mod guard;
mod history;
mod hour;
mod live;
pub mod look;
pub mod metrics;
mod options;
mod page;
mod payload;
mod pulse;
mod read;
mod routes;
mod serve;
mod show;
mod snapshot;

pub use options::{Options, OptionsError};
pub use serve::serve;

use axum::Router;
use pgqueuer_client::Postgres;

/// The dashboard of a queue. Its links are relative to where it is nested.
///
/// A task takes the queue's figures, twice a minute while nobody looks; it ends with the router.
pub fn router(queue: Postgres, options: Options) -> Router {
    routes::router(app::App::new(queue, options))
}
