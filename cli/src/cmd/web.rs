//! `pgq web`: the dashboard in a browser.

use super::Context;
use crate::error::{Error, Result};
use crate::output::Answer;
use pgqueuer_web::Options;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use tokio::net::TcpListener;

/// Where, and for whom.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  pgq web\n  pgq web --read-only --title staging --listen 127.0.0.1:8081\n  PGQUEUER_WEB_PASSWORD=... pgq web --listen 0.0.0.0:8080\n\n\
                        On an address that other machines reach it asks for a login: a password, of --password-file or \
                        PGQUEUER_WEB_PASSWORD, with any name; or Authorization: Bearer with PGQUEUER_WEB_TOKEN. /healthz asks \
                        for none. docs/web.md tells more."
)]
pub struct Args {
    /// Address and port to listen on; beyond this machine only with a login
    #[arg(long, env = "PGQUEUER_WEB_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// Looks and changes nothing
    #[arg(long)]
    read_only: bool,
    /// Asks for a login, by any name, with the password in the first line of this file; or set PGQUEUER_WEB_PASSWORD
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Answers under this name, too, where no login is asked for: that of a proxy in front
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,
    /// Stands in the head of each page: which queue this is
    #[arg(long)]
    title: Option<String>,
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    let options = options(context, &args)?;
    log();
    let listener = TcpListener::bind(args.listen)
        .await
        .map_err(|source| Error::System { what: format!("cannot listen on {}", args.listen), source })?;
    let address = listener.local_addr().unwrap_or(args.listen);
    context.output.done(
        &format!("The dashboard is at http://{address}/. Ctrl-C ends it."),
        serde_json::json!({ "address": address.to_string() }),
    );
    let router = pgqueuer_web::router(context.queue.clone(), options);
    pgqueuer_web::serve(listener, router, ended())
        .await
        .map_err(|source| Error::System { what: "the dashboard stopped".to_owned(), source })?;
    Ok(Answer::Yes)
}

/// What the pages do not tell visitors goes to standard error: why one could not be made, which connection fails.
fn log() {
    let filter = tracing_subscriber::EnvFilter::new("pgqueuer_web=warn,pgqueuer_client=warn");
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_target(false);
    // Set before by nobody.
    subscriber.with_writer(std::io::stderr).try_init().ok();
}

/// Who may come: everybody on this machine, or whoever knows a secret.
fn options(context: &Context, args: &Args) -> Result<Options> {
    let mut options = Options::default().prefix(&context.global.prefix).read_only(args.read_only);
    if let Some(title) = &args.title {
        options = options.title(title);
    }
    let (password, token) = (password(args)?, variable("PGQUEUER_WEB_TOKEN")?);
    if password.is_none() && token.is_none() {
        if !is_this_machine(args.listen.ip()) {
            return Err(Error::usage(
                format!("{} can be reached from other machines, and no login is set", args.listen.ip()),
                "Pass --password-file, or set PGQUEUER_WEB_PASSWORD or PGQUEUER_WEB_TOKEN; or listen on 127.0.0.1.",
            ));
        }
        let hosts = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        options = options.hosts(hosts.into_iter().chain([args.listen.ip().to_string()]).chain(args.host.clone()));
    }
    let empty = |error| Error::usage(format!("{error}"), "Give one that nobody guesses.");
    if let Some(password) = password {
        options = options.password(&password).map_err(empty)?;
    }
    if let Some(token) = token {
        options = options.token(&token).map_err(empty)?;
    }
    Ok(options)
}

fn is_this_machine(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

fn password(args: &Args) -> Result<Option<String>> {
    let Some(file) = &args.password_file else { return variable("PGQUEUER_WEB_PASSWORD") };
    let text = std::fs::read_to_string(file)
        .map_err(|source| Error::System { what: format!("cannot read {}", file.display()), source })?;
    Ok(Some(text.lines().next().unwrap_or_default().to_owned()))
}

/// Of the environment alone: what stands on the command line everybody on this machine can read.
fn variable(name: &str) -> Result<Option<String>> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(Error::usage(format!("{name} is not UTF-8"), "Set it to text, or unset it."))
        }
    }
}

/// Ctrl-C, or SIGTERM of whoever manages this process.
pub(super) async fn ended() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return tokio::signal::ctrl_c().await.unwrap_or(()) };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
