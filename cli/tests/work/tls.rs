//! `https`: whoever does not prove who he is gets no job.

use crate::pgq::{Folder, command};
use crate::working::{Working, logged};
use pgqueuer_e2e::ask::enqueue;
use pgqueuer_e2e::cluster::database;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

/// A server with a certificate for `localhost`, which is done with every job; the certificate, and the requests' first lines.
fn server() -> (u16, String, Receiver<String>) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let der = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], der).unwrap();
    let (config, listener) = (Arc::new(config), TcpListener::bind(("127.0.0.1", 0)).unwrap());
    let port = listener.local_addr().unwrap().port();
    let (sender, lines) = channel();
    let sender = Mutex::new(sender);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let stream = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream);
            let mut stream = BufReader::new(stream);
            let mut line = String::new();
            // A client that is not content says so, and is gone.
            if stream.read_line(&mut line).is_ok_and(|count| count > 0) {
                sender.lock().unwrap().send(line.trim_end().to_owned()).unwrap();
                let mut header = String::from("x");
                while !header.trim_end().is_empty() {
                    header.clear();
                    stream.read_line(&mut header).unwrap();
                }
                let answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
                stream.get_mut().write_all(answer).and_then(|()| stream.get_mut().flush()).unwrap();
            }
        }
    });
    (port, certificate.pem(), lines)
}

#[test]
fn a_certificate_of_nobody_is_refused_and_one_of_a_known_authority_is_not() {
    let (database, folder) = (database(), Folder::new());
    let mut session = database.connect();
    let (port, certificate, lines) = server();
    let (_, other, _) = server();
    let url = format!("https://localhost:{port}/jobs");
    for (known, name) in [(&other, "other"), (&certificate, "own")] {
        let file = folder.file(name, known);
        let id = enqueue(&mut session, "a", 1)[0];
        let mut worker = command(&database, &["work", "-e", "a", "--http", &url]);
        worker.env("SSL_CERT_FILE", file);
        let worker = Working::run(worker);
        let row = logged(&mut session, id);
        worker.stop();
        if name == "other" {
            assert!(row.message().contains("certificate"), "{row:?}");
            assert!(lines.try_recv().is_err());
        } else {
            assert_eq!(row.outcome, "successful", "{row:?}");
            assert_eq!(lines.recv().unwrap(), "POST /jobs HTTP/1.1");
        }
    }
}

#[test]
fn a_machine_without_authorities_is_told_so_at_the_start() {
    let (database, folder) = (database(), Folder::new());
    let empty = folder.file("empty", "");
    let mut worker = command(&database, &["work", "-e", "a", "--http", "https://localhost/"]);
    let error = crate::pgq::ran(worker.env("SSL_CERT_FILE", empty)).ends(2);
    assert!(error.contains("no authority") && error.contains("hint: Install ca-certificates"), "{error}");
}
