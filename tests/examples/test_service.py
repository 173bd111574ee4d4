"""Both services: the row and the job are there together, or neither is."""

import json
import socket
import urllib.error
import urllib.request

import pytest

from until import until

SERVICES = ["python/fastapi_service.py", "python/flask_service.py"]

pytestmark = pytest.mark.usefixtures("shown")


@pytest.fixture(scope="module", params=SERVICES)
def file(request):
    return request.param


class Service:
    def __init__(self, program, port):
        self.program = program
        self.url = f"http://127.0.0.1:{port}/members"

    def post(self, body):
        """The status and the JSON of the answer."""
        request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, None

    def join(self, address):
        return self.post(json.dumps({"address": address}).encode())

    def answers(self):
        """Whether it can be reached; this enqueues nothing."""
        try:
            return self.post(b"{}")
        except urllib.error.URLError:
            return not self.program.alive()


@pytest.fixture(scope="module")
def service(file, start):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    service = Service(start(file, "--port", str(port)), port)
    until(service.answers)
    return service


def members(database):
    return [address for (address,) in database.rows("SELECT address FROM member ORDER BY id")]


def mails(database):
    jobs = database.rows("SELECT pgq.payload_json(payload) ->> 'to' FROM pgq.jobs ORDER BY id")
    return [address for (address,) in jobs]


def test_the_member_and_the_job_commit_together(service, database):
    status, answer = service.join("ada@example.org")
    assert status == 201
    assert members(database) == mails(database) == ["ada@example.org"]
    one_transaction = "SELECT m.xmin = j.xmin FROM member AS m, pgq.job AS j WHERE m.id = %s AND j.id = %s"
    assert database.value(one_transaction, answer["member"], answer["job"])


def test_where_the_commit_fails_there_is_no_job(service, database):
    before = mails(database)
    assert service.join("ada@example.org") == (409, None)
    assert members(database) == mails(database) == before


WRONG = ["{", "[]", "1", "{}", '{"address": 1}', '{"address": "ada"}', '{"address": "a\\u0000@b"}']


@pytest.mark.parametrize("body", WRONG)
def test_what_is_no_address_is_refused(service, database, body):
    before = mails(database)
    status, _ = service.post(body.encode())
    assert status in (400, 422)
    assert members(database) == mails(database) == before


def test_lost_connections_cost_no_request(service, database):
    database.terminate()
    assert service.join("bob@example.org")[0] == 201
    assert mails(database)[-1] == "bob@example.org"


def test_a_worker_writes_the_mails(service, database, start):
    jobs = database.rows("SELECT id FROM pgq.jobs")
    start("python/psycopg_worker.py")
    until(lambda: all(database.outcomes(job) == ["successful"] for (job,) in jobs))
    assert members(database) == [address for (address,) in database.rows("SELECT address FROM sent ORDER BY job")]
