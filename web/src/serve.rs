//! A server that outlasts clients which are slow, silent or many.

use axum::Router;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;

/// How many connections there may be at one time; the next ones wait to be accepted.
const CONNECTIONS: usize = 512;
/// For how long a connection may be silent before, between and in the heads of requests.
const SILENCE: Duration = Duration::from_secs(20);
/// For how long a client may take nothing of an answer. Events come more often.
const STALLED: Duration = Duration::from_secs(60);
/// After an error of `accept`, such as too many open files.
const AFTER_ERROR: Duration = Duration::from_millis(200);
/// For how long requests may go on after the shutdown.
const GRACE: Duration = Duration::from_secs(2);
/// A head of more bytes is refused.
const LARGEST_HEAD: usize = 32 * 1024;

/// Serves a router until `shutdown`; requests under way then have two seconds more.
///
/// # Errors
/// Those of the listener's address; a connection that fails ends alone.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    listener.local_addr()?;
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        // One that ends makes room again.
        while connections.try_join_next().is_some() {}
        let next = async { (room.clone().acquire_owned().await, listener.accept().await) };
        let (permit, accepted) = tokio::select! {
            next = next => next,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let router = router.clone();
                connections.spawn(async move {
                    converse(stream, router).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(AFTER_ERROR).await;
            }
        }
    }
    let ended = async { while connections.join_next().await.is_some() {} };
    // Those that wait for events never end by themselves; dropped, they do.
    tokio::time::timeout(GRACE, ended).await.ok();
    Ok(())
}

async fn converse(stream: TcpStream, router: Router) {
    // Without it small answers wait for each other.
    stream.set_nodelay(true).ok();
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(STALLED));
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(SILENCE).max_buf_size(LARGEST_HEAD);
    let service = TowerToHyperService::new(router);
    if let Err(error) = http.serve_connection(TokioIo::new(Box::pin(stream)), service).await {
        tracing::debug!(%error, "a connection ended badly");
    }
}
