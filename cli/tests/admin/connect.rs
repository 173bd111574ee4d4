//! The command finds its server as libpq's programs do, and never shows a password.

use crate::pgq::{Folder, bare, command, pgq, ran};
use pgqueuer_e2e::ask::run;
use pgqueuer_e2e::cluster::{Cluster, Database, database};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// A server that asks its users for passwords: `guest` has "se:cret\", `postgres` none.
fn with_passwords() -> Cluster {
    let mut hba = None;
    let cluster = Cluster::start_in(
        |folder| {
            let file = folder.join("pg_hba.conf");
            std::fs::write(&file, "host all postgres all trust\nhost all all all scram-sha-256\n").unwrap();
            std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
            hba = Some(file);
            vec![]
        },
        &[],
    );
    cluster.reload(&[("hba_file", hba.unwrap().to_str().unwrap())]);
    run(
        &mut cluster.connect("postgres"),
        "CREATE ROLE guest LOGIN SUPERUSER PASSWORD E'se:cret\\\\'; CREATE EXTENSION pgqueuer",
    );
    cluster.stop(pgqueuer_e2e::cluster::Stop::Fast);
    cluster.begin();
    cluster
}

fn libpq(database: &Database, command: &mut Command) {
    let (host, port) = database.host_and_port();
    command.env("PGHOST", host).env("PGPORT", port.to_string()).env("PGDATABASE", &database.name);
}

#[test]
fn a_uri_keywords_and_variables_lead_to_the_same_database() {
    let database = database();
    let (host, port) = database.host_and_port();
    let name = &database.name;
    let uri = format!("postgresql://postgres@{host}:{port}/{name}");
    assert_eq!(ran(&mut bare(&["--dsn", &uri, "durability"])).ok(), "durable\n");
    assert_eq!(ran(&mut bare(&["durability", "--dsn", &database.address()])).ok(), "durable\n");
    assert_eq!(ran(bare(&["durability"]).env("PGQUEUER_DSN", &uri)).ok(), "durable\n");
    let mut command = bare(&["durability"]);
    libpq(&database, command.env("PGUSER", "postgres"));
    assert_eq!(ran(&mut command).ok(), "durable\n");
    // What the text says comes before what a variable says, and the argument before the variable with a text.
    let mut command = bare(&["durability", "--dsn", &format!("dbname={name} user=postgres")]);
    libpq(&database, command.env("PGDATABASE", "nowhere").env("PGQUEUER_DSN", "host=nowhere"));
    assert_eq!(ran(&mut command).ok(), "durable\n");
}

#[test]
fn a_service_comes_between_the_text_and_the_variables() {
    let database = database();
    let (host, port) = database.host_and_port();
    let folder = Folder::new();
    let file = folder.file(
        "services",
        format!(
            "# mine\n[other]\nhost=nowhere\n\n[shop]\nhost={host}\nport={port}\nuser=postgres\ndbname=nowhere\n[last]\n"
        ),
    );
    let text = format!("service=shop dbname={}", database.name);
    let mut command = bare(&["durability", "--dsn", &text]);
    command.env("PGSERVICEFILE", &file).env("PGHOST", "nowhere").env("PGPORT", "1");
    assert_eq!(ran(&mut command).ok(), "durable\n");
    let mut command = bare(&["durability"]);
    command.env("PGSERVICEFILE", &file).env("PGSERVICE", "shop");
    assert!(ran(&mut command).ends(3).contains("\"nowhere\" does not exist"));
    let mut command = bare(&["durability"]);
    assert!(ran(command.env("PGSERVICEFILE", &file).env("PGSERVICE", "nix")).ends(2).contains("no service \"nix\""));
    let broken = folder.file("broken", "[shop]\nhost\n");
    let mut command = bare(&["durability"]);
    assert!(ran(command.env("PGSERVICEFILE", &broken).env("PGSERVICE", "shop")).ends(2).contains("line 2"));
    // The user's own file.
    std::fs::rename(&file, folder.path().join(".pg_service.conf")).unwrap();
    let mut command = bare(&["durability", "--dsn", &text]);
    assert_eq!(ran(command.env("HOME", folder.path())).ok(), "durable\n");
}

#[test]
fn a_password_is_found_where_libpq_finds_it_and_never_shown() {
    let cluster = with_passwords();
    let database = cluster.named("postgres");
    let (host, port) = database.host_and_port();
    let guest = format!("postgresql://guest@{host}:{port}/postgres");
    let ask = || bare(&["durability", "--dsn", &guest]);

    let missing = ran(&mut ask()).ends(3);
    assert!(missing.contains("hint: Set PGPASSWORD") && missing.contains("user guest"), "{missing}");
    assert_eq!(ran(ask().env("PGPASSWORD", "se:cret\\")).ok(), "durable\n");
    let uri = format!("postgresql://guest:se%3Acret%5C@{host}:{port}/postgres");
    assert_eq!(ran(&mut bare(&["durability", "--dsn", &uri])).ok(), "durable\n");
    // The text comes before the variable.
    assert_eq!(ran(bare(&["durability"]).env("PGQUEUER_DSN", &uri).env("PGPASSWORD", "no")).ok(), "durable\n");

    let folder = Folder::new();
    let file = folder.file(".pgpass", format!("nowhere:*:*:*:no\n{host}:{port}:*:guest:se\\:cret\\\\\n"));
    let others = ran(ask().env("HOME", folder.path())).ends(3);
    assert!(others.contains("chmod 600"), "{others}");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    assert_eq!(ran(ask().env("HOME", folder.path())).ok(), "durable\n");
    assert_eq!(ran(ask().env("PGPASSFILE", &file)).ok(), "durable\n");

    let wrong = "postgresql://guest:top-secret@";
    let dsn = format!("{wrong}{host}:{port}/postgres");
    let refused = ran(&mut bare(&["durability", "--dsn", &dsn])).ends(3);
    assert!(refused.contains("password authentication failed") && !refused.contains("top-secret"), "{refused}");
    for args in [["durability", "--help"], ["help", "durability"], ["durability", "--nonsense"], ["--help", "--json"]] {
        let ran = ran(bare(&args).env("PGQUEUER_DSN", &dsn).env("PGPASSWORD", "top-secret"));
        assert!(!format!("{ran:?}").contains("top-secret"), "{ran:?}");
    }
    for dsn in ["postgresql://u:top-secret@x@h/d", "password=top-secret x", "postgresql://u:top-secret/x", "top-secret"]
    {
        let ran = ran(&mut bare(&["durability", "--dsn", dsn]));
        assert!(ran.code == 2 && !format!("{ran:?}").contains("top-secret"), "{ran:?}");
    }
}

#[test]
fn no_server_no_database_and_no_extension_are_told_apart() {
    let nobody = ran(&mut bare(&["jobs", "--dsn", "postgresql://me@127.0.0.1:1/shop"])).ends(3);
    assert!(nobody.contains("no connection to 127.0.0.1 port 1, database shop, user me"), "{nobody}");
    assert!(nobody.contains("cause: ") && nobody.contains("refused"), "{nobody}");
    let database = database();
    let mut wrong = command(&database, &["jobs"]);
    wrong.env("PGQUEUER_DSN", database.address().replace(&database.name, "nowhere"));
    assert!(ran(&mut wrong).ends(3).contains("database \"nowhere\" does not exist"));
    let empty = pgqueuer_e2e::cluster::empty_database();
    for args in [vec!["jobs"], vec!["enqueue", "x"], vec!["health"], vec!["backlog"], vec!["schedules"], vec!["log"]] {
        let absent = pgq(&empty, &args).ends(1);
        assert!(absent.contains("hint: Install the extension in this database: pgq install"), "{args:?}: {absent}");
    }
}

#[test]
fn an_option_that_would_be_passed_over_is_refused() {
    let of = |dsn: &str| ran(&mut bare(&["jobs", "--dsn", dsn])).ends(2);
    assert!(of("host=x require_auth=scram-sha-256").contains("\"require_auth\" is not supported"));
    assert!(of("postgresql://h/d?sslmod=require").contains("\"sslmod\" is no connection option"));
    assert!(of("host=x target_session_attrs=best").contains("target_session_attrs must be one of any"));
    assert!(ran(bare(&["jobs", "--dsn", "host=x"]).env("PGGSSENCMODE", "require")).ends(2).contains("gssencmode"));
}
