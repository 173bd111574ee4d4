//! A dashboard of a fresh database, served as `pgq web` serves it, and a client that follows no redirect.

#![allow(dead_code, reason = "each test uses a part of it")]

use axum::Router;
use pgqueuer_client::Postgres;
use pgqueuer_e2e::cluster::{Database, database};
use pgqueuer_web::Options;
use std::net::SocketAddr;
use std::sync::LazyLock;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use ureq::Agent;

/// One for all dashboards of a test program.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

pub struct Site {
    pub database: Database<'static>,
    pub sql: postgres::Client,
    pub address: SocketAddr,
    agent: Agent,
    /// Dropped, it ends the server.
    _stop: oneshot::Sender<()>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
    pub headers: ureq::http::HeaderMap,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The page has this in it.
    #[track_caller]
    pub fn has(&self, text: &str) -> &Self {
        assert!(self.body.contains(text), "no {text:?} in:\n{}", self.body);
        self
    }

    #[track_caller]
    pub fn has_not(&self, text: &str) -> &Self {
        assert!(!self.body.contains(text), "{text:?} in:\n{}", self.body);
        self
    }

    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// The key that every form carries.
    pub fn key(&self) -> String {
        let begin = self.body.find("name=\"key\" value=\"").expect("a form") + 18;
        self.body[begin..begin + 64].to_owned()
    }
}

pub fn site() -> Site {
    site_with(Options::default())
}

pub fn site_with(options: Options) -> Site {
    let database = database();
    let address = database.address();
    site_of(database, &address, options)
}

/// A dashboard that connects as `address` says.
pub fn site_of(database: Database<'static>, address: &str, options: Options) -> Site {
    let queue = Postgres::new(address).unwrap();
    serve(database, || pgqueuer_web::router(queue, options))
}

/// A dashboard under a path of another application.
pub fn site_at(path: &'static str) -> Site {
    let database = database();
    let queue = Postgres::new(&database.address()).unwrap();
    serve(database, || Router::new().nest(path, pgqueuer_web::router(queue, Options::default())))
}

fn serve(database: Database<'static>, router: impl FnOnce() -> Router + Send + 'static) -> Site {
    let sql = database.connect();
    let (stop, stopped) = oneshot::channel::<()>();
    let listener = RUNTIME.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    RUNTIME.spawn(async move {
        let stopped = async { drop(stopped.await) };
        pgqueuer_web::serve(listener, router(), stopped).await.unwrap();
    });
    let config = Agent::config_builder().http_status_as_error(false).max_redirects(0);
    Site { database, sql, address, agent: config.build().into(), _stop: stop }
}

impl Site {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    pub fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let request =
            headers.iter().fold(self.agent.get(self.url(path)), |request, (name, value)| request.header(*name, *value));
        answer(request.call().unwrap())
    }

    /// Sends a form as a page of the dashboard does.
    pub fn act(&self, action: &str, fields: &[(&str, &str)]) -> Answer {
        let key = self.get("/entrypoint?name=any").key();
        let fields = [&[("key", key.as_str())], fields].concat();
        self.post(&format!("/do/{action}"), &fields, &[("sec-fetch-site", "same-origin")])
    }

    pub fn post(&self, path: &str, fields: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.post_bytes(path, body.as_bytes(), headers)
    }

    pub fn post_bytes(&self, path: &str, body: &[u8], headers: &[(&str, &str)]) -> Answer {
        let request = self.agent.post(self.url(path)).header("content-type", "application/x-www-form-urlencoded");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        answer(request.send(body).unwrap())
    }

    /// Acts, follows to the page that shows it, and returns that.
    #[track_caller]
    pub fn done(&self, action: &str, fields: &[(&str, &str)]) -> Answer {
        let answer = self.act(action, fields);
        answer.is(303);
        let page = self.get(answer.header("location"));
        page.is(200);
        page
    }
}

fn answer(mut response: ureq::http::Response<ureq::Body>) -> Answer {
    let bytes = response.body_mut().with_config().limit(100_000_000).read_to_vec().unwrap();
    let body = String::from_utf8_lossy(&bytes).into_owned();
    Answer { status: response.status().as_u16(), headers: response.headers().clone(), body }
}
