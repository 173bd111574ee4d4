// Producing from node-postgres, which sends every parameter as a text without a type, and buffers as bytes.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { connect, newEntrypoint, testCall } = require('./connection.js');

const TEXT = 'a "b" \\ c é';
const BYTES = Buffer.from(Uint8Array.from({ length: 256 }, (_, n) => n));
const KINDS_OF_BYTES = { Buffer: BYTES, 'an empty Buffer': Buffer.alloc(0), Uint8Array: new Uint8Array(BYTES) };
const DELAYS = [['$2', '2 hours'], ['make_interval(secs => $2)', 7200], ['make_interval(hours => $2)', 2]];
const OBJECT = { path: 'C:\\dir\\new', list: [1, 'two', null], é: {} };

const payload = (call, job) => call.value('SELECT payload FROM pgq.jobs WHERE id = $1', [job]);
const payloads = async (call, jobs) =>
  (await call.rows('SELECT payload FROM pgq.jobs WHERE id = ANY ($1) ORDER BY id', [jobs])).map((row) => row.payload);
const text = (call, job) => call.value('SELECT pgq.payload_text(payload) FROM pgq.jobs WHERE id = $1', [job]);

for (const argument of ['$2', 'payload => $2']) {
  testCall(`a text is stored as UTF-8: ${argument}`, async (call) => {
    const job = await call.value(`SELECT pgq.enqueue($1, ${argument})`, [call.entrypoint, TEXT]);
    assert.deepEqual(await payload(call, job), Buffer.from(TEXT));
  });
}

testCall('an id is a string of digits', async (call) => {
  assert.match(await call.value('SELECT pgq.enqueue($1)', [call.entrypoint]), /^[1-9][0-9]*$/);
});

for (const [kind, value] of Object.entries(KINDS_OF_BYTES)) {
  testCall(`bytes are stored as they are: ${kind}`, async (call) => {
    const job = await call.value('SELECT pgq.enqueue($1, payload_bytes => $2)', [call.entrypoint, value]);
    assert.deepEqual(await payload(call, job), Buffer.from(value));
  });
}

for (const argument of ['payload_json => $2', 'payload_jsonb => $2', '$2']) {
  testCall(`an object is stored as JSON: ${argument}`, async (call) => {
    const job = await call.value(`SELECT pgq.enqueue($1, ${argument})`, [call.entrypoint, OBJECT]);
    assert.deepEqual(JSON.parse(await text(call, job)), OBJECT);
  });
}

for (const argument of ['payload_json => $2', 'payload_jsonb => $2']) {
  for (const value of [OBJECT, [1, { a: [] }], [], 'a string', null]) {
    testCall(`a stringified value is stored as JSON: ${argument} ${JSON.stringify(value)}`, async (call) => {
      const job = await call.value(`SELECT pgq.enqueue($1, ${argument})`, [call.entrypoint, JSON.stringify(value)]);
      assert.deepEqual(JSON.parse(await text(call, job)), value);
    });
  }
}

for (const argument of ['$2', 'payload => $2', 'payload_bytes => $2', 'payload_json => $2', 'payload_jsonb => $2']) {
  for (const value of [null, undefined]) {
    testCall(`${value} is no payload: ${argument}`, async (call) => {
      const job = await call.value(`SELECT pgq.enqueue($1, ${argument})`, [call.entrypoint, value]);
      assert.equal(await payload(call, job), null);
    });
  }
}

testCall('the payload can be left out', async (call) => {
  assert.equal(await payload(call, await call.value('SELECT pgq.enqueue($1)', [call.entrypoint])), null);
});

testCall('every option takes the type that JavaScript has for it', async (call) => {
  const later = new Date('2100-01-02T03:04:05.678Z');
  const job = await call.value(
    `SELECT pgq.enqueue($1, $2, priority => $3, execute_after => $4, dedupe_key => $5, on_conflict => $6,
                        headers => $7, ordering_key => $8)`,
    [call.entrypoint, 'x', -3, later, `${call.entrypoint} key`, 'skip', { trace: '1' }, 'order'],
  );
  const sql = 'SELECT priority, execute_after, dedupe_key, headers, ordering_key FROM pgq.jobs WHERE id = $1';
  assert.deepEqual(await call.rows(sql, [job]), [
    {
      priority: -3, execute_after: later, dedupe_key: `${call.entrypoint} key`, headers: { trace: '1' },
      ordering_key: 'order',
    },
  ]);
});

for (const [argument, value] of DELAYS) {
  testCall(`a delay is a text or a number of units: ${argument}`, async (call) => {
    const job = await call.value(`SELECT pgq.enqueue($1, 'x', delay => ${argument})`, [call.entrypoint, value]);
    const sql = "SELECT execute_after - created = interval '2 hours' FROM pgq.jobs WHERE id = $1";
    assert.equal(await call.value(sql, [job]), true);
  });
}

testCall('a skipped job is null', async (call) => {
  const sql = "SELECT pgq.enqueue($1, dedupe_key => $2, on_conflict => 'skip')";
  assert.notEqual(await call.value(sql, [call.entrypoint, call.entrypoint]), null);
  assert.equal(await call.value(sql, [call.entrypoint, call.entrypoint]), null);
});

testCall('enqueue_many takes a list of buffers', async (call) => {
  const buffers = [BYTES, Buffer.alloc(0), Buffer.from('a\\b'), null];
  const jobs = await call.value('SELECT pgq.enqueue_many($1, $2)', [[call.entrypoint], buffers]);
  assert.deepEqual(await payloads(call, jobs), buffers);
});

testCall('enqueue_many takes a list for every option', async (call) => {
  const later = new Date('2100-01-01T00:00:00Z');
  const entrypoints = [call.entrypoint, `${call.entrypoint}_2`];
  const jobs = await call.value(
    `SELECT pgq.enqueue_many($1, $2, priorities => $3, execute_after => $4, dedupe_keys => $5, on_conflict => $6,
                             headers => $7, ordering_keys => $8)`,
    [entrypoints, [Buffer.from('1'), Buffer.from('2')], [1, 2], [later, null], [null, call.entrypoint], 'skip',
      [null, { h: 'C:\\dir "x"' }], ['k', null]],
  );
  const rows = await call.rows(
    `SELECT entrypoint, priority, execute_after = $1 AS later, dedupe_key, headers, ordering_key
       FROM pgq.jobs WHERE id = ANY ($2) ORDER BY id`,
    [later, jobs],
  );
  assert.deepEqual(rows, [
    { entrypoint: entrypoints[0], priority: 1, later: true, dedupe_key: null, headers: null, ordering_key: 'k' },
    {
      entrypoint: entrypoints[1], priority: 2, later: false, dedupe_key: call.entrypoint,
      headers: { h: 'C:\\dir "x"' }, ordering_key: null,
    },
  ]);
});

testCall('enqueue_many says with null what it skipped', async (call) => {
  const keys = ['a', 'a', 'b'].map((key) => `${call.entrypoint} ${key}`);
  const sql = "SELECT pgq.enqueue_many($1, $2, dedupe_keys => $3, on_conflict => 'skip')";
  const jobs = await call.value(sql, [[call.entrypoint], keys.map((key) => Buffer.from(key)), keys]);
  assert.deepEqual(jobs.map((job) => job === null), [false, true, false]);
});

testCall('enqueue_many_text keeps backslashes and JSON', async (call) => {
  const texts = ['a\\b', '{"path": "C:\\\\dir"}', '\\x00ff', 'say "hi", {now}', 'NULL', '', 'é', null];
  const jobs = await call.value('SELECT pgq.enqueue_many_text($1, $2)', [[call.entrypoint], texts]);
  assert.deepEqual(await payloads(call, jobs), texts.map((one) => (one === null ? null : Buffer.from(one))));
  const sql = 'SELECT pgq.payload_json(payload) FROM pgq.jobs WHERE id = $1';
  assert.deepEqual(await call.value(sql, [jobs[1]]), { path: 'C:\\dir' });
});

testCall('enqueue_many_text takes a list of objects', async (call) => {
  const jobs = await call.value('SELECT pgq.enqueue_many_text($1, $2)', [[call.entrypoint], [OBJECT, {}]]);
  const stored = await payloads(call, jobs);
  assert.deepEqual(stored.map((json) => JSON.parse(json)), [OBJECT, {}]);
});

testCall('empty lists enqueue nothing', async (call) => {
  assert.deepEqual(await call.value('SELECT pgq.enqueue_many($1, $2)', [[call.entrypoint], []]), []);
  assert.deepEqual(await call.value('SELECT pgq.enqueue_many_text($1, $2)', [[call.entrypoint], []]), []);
});

test('a query without parameters can be a script', async (t) => {
  const client = await connect(t);
  const name = newEntrypoint();
  await client.query(`SELECT pgq.enqueue('${name}', 'a'); SELECT pgq.enqueue('${name}', to_jsonb(1))`);
  const sql = 'SELECT pgq.payload_text(payload) AS p FROM pgq.jobs WHERE entrypoint = $1 ORDER BY id';
  const { rows } = await client.query(sql, [name]);
  assert.deepEqual(rows, [{ p: 'a' }, { p: '1' }]);
});

testCall('INSERT enqueues several jobs and returns their ids', async (call) => {
  const sql = 'INSERT INTO pgq.jobs (entrypoint, payload) VALUES ($1, $2), ($1, $3) RETURNING id';
  const inserted = await call.rows(sql, [call.entrypoint, BYTES, null]);
  const claimed = await call.rows('SELECT id, payload, priority FROM pgq.dequeue($1, 10)', [[call.entrypoint]]);
  assert.deepEqual(claimed, [
    { id: inserted[0].id, payload: BYTES, priority: 0 }, { id: inserted[1].id, payload: null, priority: 0 },
  ]);
});

test('ROLLBACK takes the jobs away', async (t) => {
  const [producer, other, name] = [await connect(t), await connect(t), newEntrypoint()];
  const sql = 'SELECT count(*)::int AS n FROM pgq.jobs WHERE entrypoint = $1';
  const count = async () => (await producer.query(sql, [name])).rows[0].n;
  await producer.query('BEGIN');
  await producer.query("SELECT pgq.enqueue($1, 'x')", [name]);
  await producer.query('SELECT pgq.enqueue_many($1, $2)', [[name], [BYTES, BYTES]]);
  assert.equal(await count(), 3);
  assert.equal((await other.query('SELECT id FROM pgq.dequeue($1)', [[name]])).rowCount, 0);
  await producer.query('ROLLBACK');
  assert.equal(await count(), 0);
});

test('ROLLBACK TO takes away what was enqueued since the savepoint', async (t) => {
  const [client, name] = [await connect(t), newEntrypoint()];
  await client.query('BEGIN');
  const kept = (await client.query("SELECT pgq.enqueue($1, 'kept') AS id", [name])).rows;
  await client.query('SAVEPOINT s');
  await client.query("SELECT pgq.enqueue($1, 'gone')", [name]);
  await client.query('ROLLBACK TO s');
  await client.query('COMMIT');
  assert.deepEqual((await client.query('SELECT id FROM pgq.jobs WHERE entrypoint = $1', [name])).rows, kept);
});

testCall('trap: a Buffer without payload_bytes => is taken for text, and refused where it is none', async (call) => {
  const sql = 'SELECT pgq.enqueue($1, $2)';
  await assert.rejects(call.value(sql, [call.entrypoint, BYTES]), { code: '22021' });
  const job = await call.value(sql, [call.entrypoint, Buffer.from('plain')]);
  assert.deepEqual(await payload(call, job), Buffer.from('plain'));
});

testCall('trap: an array without JSON.stringify is refused, but an empty one becomes an empty object', async (call) => {
  const sql = 'SELECT pgq.enqueue($1, payload_jsonb => $2)';
  await assert.rejects(call.value(sql, [call.entrypoint, [1, { a: 2 }]]), { code: '22P02' });
  assert.equal(await text(call, await call.value(sql, [call.entrypoint, []])), '{}');
});

testCall('trap: an array without the argument\'s name is stored as an array literal', async (call) => {
  const job = await call.value('SELECT pgq.enqueue($1, $2)', [call.entrypoint, [{ a: 1 }, 2]]);
  assert.equal(await text(call, job), '{"{\\"a\\":1}","2"}');
});

testCall('trap: enqueue_many eats the backslashes of strings', async (call) => {
  const [job] = await call.value('SELECT pgq.enqueue_many($1, $2)', [[call.entrypoint], ['{"path": "C:\\\\dir"}']]);
  assert.equal(await text(call, job), '{"path": "C:\\dir"}');
});

testCall('trap: one entrypoint is no list', async (call) => {
  const values = [call.entrypoint, [Buffer.from('x')]];
  const refused = call.value('SELECT pgq.enqueue_many($1, $2)', values);
  await assert.rejects(refused, { code: '22P02', message: /malformed array literal/ });
});
