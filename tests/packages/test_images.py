"""The images, and docker/compose.yaml: the steps of the stages `command` and `server` done, the services started. One test after the
other, on one copy of the machine, with a network of its own for the fixed ports."""

import ctypes
import pathlib
import subprocess

import pytest
from dockerfile import run_steps, stages
from services import CHOSEN, Service, compose
from until import until

CLONE_NEWNET = 0x40000000
LOGIN = f"anybody:{CHOSEN['PGQUEUER_WEB_PASSWORD']}"


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    """All services that we build, the server running."""
    # They share one machine here, so what one image has the others have, too.
    environments = {name: run_steps(stages()[name]) for name in ("command", "server")}
    assert ctypes.CDLL(None).unshare(CLONE_NEWNET) == 0
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    logs = tmp_path_factory.mktemp("logs")
    ours = {name: service for name, service in compose()["services"].items() if "build" in service}
    with open("/etc/hosts", "a", encoding="utf-8") as hosts:
        hosts.writelines(f"127.0.0.1 {name}\n" for name in ours)
    services = {
        name: Service(name, environments[service["build"]["target"]], logs / name) for name, service in ours.items()
    }
    # A command of the user's own, which says nothing of pgqueuer.
    services["postgres"].start("-c", "max_connections=50")
    yield services
    for service in reversed(services.values()):
        if hasattr(service, "process"):
            service.stop()


def ask(services, statement, user="ops"):
    return services["worker"].run("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement, PGUSER=user)


def curl(*arguments):
    return subprocess.run(["curl", "--silent", "--show-error", *arguments], capture_output=True, text=True, check=False).stdout


def test_the_server_becomes_healthy(services):
    server = services["postgres"]
    until(server.is_healthy, server.said)


def test_a_new_cluster_preloads_it_whatever_command_the_server_is_given(services):
    answer = ask(services, "SELECT current_setting('shared_preload_libraries'), current_setting('max_connections')", user="postgres")
    assert answer.stdout == "pgqueuer|50\n", answer.stderr


def test_each_role_has_its_rights_and_no_others(services):
    assert ask(services, "SELECT pgq.enqueue('nobody''s')", user="shop").returncode == 0
    assert "permission denied" in ask(services, "SELECT pgq.enqueue('hello')", user="worker").stderr
    assert "permission denied" in ask(services, "SELECT pgq.cancel('{1}')", user="monitor").stderr


@pytest.mark.parametrize("name", [name for name, service in compose()["services"].items() if service.get("build", {}).get("target") == "command"])
def test_a_service_becomes_healthy(services, name):
    service = services[name].start()
    until(service.is_healthy, service.said)


def test_nothing_runs_as_root(services):
    for service in services.values():
        status = pathlib.Path(f"/proc/{service.process.pid}/status").read_text(encoding="ascii")
        assert f"Uid:\t{service.user}\t{service.user}" in status and service.user != "0"


def test_the_worker_runs_the_program(services):
    worker = services["worker"]
    ended = worker.run("pgq", "enqueue", "hello", "world", PGUSER="shop")
    assert ended.returncode == 0, ended.stderr
    until(lambda: "hello world, this is attempt 1" in worker.said(), worker.said)


def test_the_dashboard_wants_its_password(services):
    page = "http://127.0.0.1:8080/"
    assert curl("--output", "/dev/null", "--write-out", "%{http_code}", page) == "401"
    assert "hello" in curl("--user", LOGIN, page)


def test_prometheus_finds_figures(services):
    page = curl("http://metrics:19187/metrics")
    assert 'pgqueuer_up 1' in page or 'pgqueuer_up{' in page, page
    assert "pgqueuer_ended_total" in page


def test_services_are_unhealthy_without_the_server_and_recover(services):
    server, others = services["postgres"], [services[name] for name in ("worker", "web", "metrics")]
    assert server.stop() == 0, server.said()
    for service in others:
        until(lambda: not service.is_healthy(), "still said to be healthy")
    server.start()
    for service in [server, *others]:
        until(service.is_healthy, service.said)
