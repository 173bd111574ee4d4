//! Of several hosts the command finds the one that is wanted.

use crate::pgq::{bare, ran};
use pgqueuer_e2e::ask::run;
use pgqueuer_e2e::cluster::Cluster;

#[test]
fn of_several_hosts_the_primary_or_the_standby_is_found() {
    let primary = Cluster::start(&[]);
    run(&mut primary.connect("postgres"), "CREATE EXTENSION pgqueuer");
    let standby = Cluster::standby_of(&primary);
    let ports = [&standby, &primary].map(|cluster| cluster.named("postgres").host_and_port().1);
    let uri = |wanted: &str| {
        let [standby, primary] = ports;
        format!(
            "postgresql://postgres@127.0.0.1:1,127.0.0.1:{standby},127.0.0.1:{primary}/postgres?target_session_attrs={wanted}"
        )
    };
    for primary in ["read-write", "primary"] {
        let said = ran(&mut bare(&["enqueue", "fetch", "--dsn", &uri(primary)])).ok();
        assert!(said.contains("is queued"), "{said}");
    }
    for standby in ["read-only", "standby", "any"] {
        let refused = ran(&mut bare(&["enqueue", "fetch", "--dsn", &uri(standby)])).ends(3);
        assert!(refused.contains("read-only") || refused.contains("recovery"), "{refused}");
    }
    // Lists work on a standby.
    ran(&mut bare(&["jobs", "--dsn", &uri("standby")])).ok();
    ran(&mut bare(&["health", "--dsn", &uri("standby")])).ok();
    let nobody = ran(&mut bare(&["jobs", "--dsn", "postgresql://postgres@127.0.0.1:1,127.0.0.1:2/postgres"])).ends(3);
    assert!(nobody.contains("127.0.0.1 port 1, 127.0.0.1 port 2"), "{nobody}");
}
