// What belongs to a session in node-postgres: its claims, its pool, its notifications, its transactions, its errors.

const assert = require('node:assert/strict');
const { randomUUID } = require('node:crypto');
const { on } = require('node:events');
const { test } = require('node:test');
const { connect, newEntrypoint, openPool } = require('./connection.js');
const { DEADLINE, until } = require('./until.js');

const value = async (db, text, values) => Object.values((await db.query(text, values)).rows[0])[0];
const enqueue = (db, entrypoint) => value(db, "SELECT pgq.enqueue($1, 'x')", [entrypoint]);
const complete = (db, job, worker = null) => value(db, 'SELECT pgq.complete($1, worker => $2)', [job, worker]);
const status = (db, job) => value(db, 'SELECT status FROM pgq.status($1)', [[job]]);

async function dequeue(db, entrypoint, worker = null) {
  const { rows } = await db.query('SELECT id FROM pgq.dequeue($1, worker => $2)', [[entrypoint], worker]);
  return rows.map((row) => row.id);
}

// Collects notifications from now on. The answer gives the next one that is wanted: an empty one only says that there
// may be jobs, and may come any time.
function hear(client) {
  const messages = on(client, 'notification', { signal: AbortSignal.timeout(DEADLINE) });
  return async (wanted) => {
    for (;;) {
      const { value: [message] } = await messages.next();
      if (wanted(message)) return message;
    }
  };
}

test('a session claims and completes on one connection', async (t) => {
  const [client, name] = [await connect(t), newEntrypoint()];
  const jobs = [await enqueue(client, name), await enqueue(client, name)];
  for (const job of jobs) {
    assert.deepEqual(await dequeue(client, name), [job]);
    assert.equal(await complete(client, job), true);
  }
  assert.deepEqual(await dequeue(client, name), []);
});

test('a connection that ends gives its claims back', async (t) => {
  const [worker, other, name] = [await connect(t), await connect(t), newEntrypoint()];
  const job = await enqueue(other, name);
  assert.deepEqual(await dequeue(worker, name), [job]);
  assert.deepEqual(await dequeue(other, name), []);
  await worker.end();
  const again = await until(async () => (await dequeue(other, name))[0]);
  assert.equal(again, job);
});

test('a connection that the server ends gives its claims back', async (t) => {
  const [worker, other, name] = [await connect(t), await connect(t), newEntrypoint()];
  const job = await enqueue(other, name);
  assert.deepEqual(await dequeue(worker, name), [job]);
  await other.query('SELECT pg_terminate_backend($1)', [worker.processID]);
  const again = await until(async () => (await dequeue(other, name))[0]);
  assert.equal(again, job);
});

test('a claim in a transaction that rolls back is given back', async (t) => {
  const [worker, other, name] = [await connect(t), await connect(t), newEntrypoint()];
  const job = await enqueue(other, name);
  await worker.query('BEGIN');
  assert.deepEqual(await dequeue(worker, name), [job]);
  assert.equal(await status(other, job), 'picked');
  await worker.query('ROLLBACK');
  assert.equal(await status(other, job), 'queued');
});

test('trap: another connection of the pool cannot complete, and a warning says why', async (t) => {
  const [{ take }, name] = [openPool(t, 2), newEntrypoint()];
  const [one, two] = [await take(), await take()];
  const notices = [];
  two.on('notice', (notice) => notices.push(notice));
  const job = await enqueue(one, name);
  assert.deepEqual(await dequeue(one, name), [job]);
  assert.equal(await complete(two, job), false);
  assert.equal(notices.length, 1);
  assert.equal(notices[0].severity, 'WARNING');
  assert.ok(notices[0].message.includes(job));
  assert.match(notices[0].hint, /worker =>/);
  assert.equal(await status(two, job), 'picked');
  assert.equal(await complete(one, job), true);
});

test('trap: pool.query goes to any connection', async (t) => {
  const [{ pool, take }, name] = [openPool(t, 2), newEntrypoint()];
  const one = await take();
  const job = await enqueue(one, name);
  assert.deepEqual(await dequeue(one, name), [job]);
  assert.equal(await complete(pool, job), false);
  assert.equal(await status(pool, job), 'picked');
});

test('a named worker completes on another connection of the pool', async (t) => {
  const [{ pool, take }, name, worker] = [openPool(t, 2), newEntrypoint(), randomUUID()];
  const one = await take();
  const job = await enqueue(one, name);
  assert.deepEqual(await dequeue(one, name, worker), [job]);
  assert.equal(await complete(pool, job, worker), true);
});

test('a claim outlives the return of its connection to the pool', async (t) => {
  const [{ pool }, name] = [openPool(t, 1), newEntrypoint()];
  const job = await enqueue(pool, name);
  assert.deepEqual(await dequeue(pool, name), [job]);
  assert.equal(await complete(pool, job), true);
});

test('listen hears of a new job', async (t) => {
  const [listener, producer, name] = [await connect(t), await connect(t), newEntrypoint()];
  const next = hear(listener);
  const channel = await value(listener, 'SELECT pgq.listen($1)', [[name]]);
  await enqueue(producer, name);
  const { payload } = await next((message) => message.channel === channel);
  assert.equal(payload, '');
});

test('listen hears of each of its entrypoints', async (t) => {
  const [listener, producer, name] = [await connect(t), await connect(t), newEntrypoint()];
  const names = [`${name}_2`, `${name} with Blanks`];
  const next = hear(listener);
  const { rows } = await listener.query('SELECT pgq.listen($1) AS channel', [names]);
  for (const [n, { channel }] of rows.entries()) {
    assert.equal(channel, await value(producer, 'SELECT pgq.channel($1)', [names[n]]));
    await enqueue(producer, names[n]);
    assert.equal((await next((message) => message.channel === channel)).payload, '');
  }
  assert.equal(rows.length, 2);
});

test('listen hears that a running job was canceled', async (t) => {
  const [worker, operator, name] = [await connect(t), await connect(t), newEntrypoint()];
  const next = hear(worker);
  await worker.query('SELECT pgq.listen($1)', [[name]]);
  const job = await enqueue(operator, name);
  assert.deepEqual(await dequeue(worker, name), [job]);
  await operator.query('SELECT pgq.cancel($1)', [[job]]);
  const { payload } = await next((message) => message.payload !== '');
  assert.deepEqual(JSON.parse(payload), { event: 'canceled', ids: [Number(job)] });
  assert.equal(await complete(worker, job), false);
});

test('a channel can be listened to by name, quoted or not', async (t) => {
  const [quoted, plain, producer, name] = [await connect(t), await connect(t), await connect(t), newEntrypoint()];
  const channel = await value(producer, 'SELECT pgq.channel($1)', [`${name} with Blanks`]);
  const heard = [hear(quoted), hear(plain)];
  await quoted.query(`LISTEN ${quoted.escapeIdentifier(channel)}`);
  await plain.query(`LISTEN ${channel}`);
  await enqueue(producer, `${name} with Blanks`);
  for (const next of heard) assert.equal((await next((message) => message.channel === channel)).payload, '');
});

test('a bad argument is named and explained', async (t) => {
  const client = await connect(t);
  await assert.rejects(enqueue(client, ''), { code: '22023', severity: 'ERROR', message: /entrypoint/, hint: /./ });
});

test('a duplicate key is in the detail', async (t) => {
  const [client, name] = [await connect(t), newEntrypoint()];
  const [sql, key] = ['SELECT pgq.enqueue($1, dedupe_key => $2)', `${name} "quoted" \\ é`];
  await client.query(sql, [name, key]);
  await assert.rejects(client.query(sql, [name, key]), (error) => {
    assert.equal(error.code, '23505');
    assert.ok(error.detail.includes(key));
    assert.match(error.hint, /on_conflict/);
    return true;
  });
});

for (const command of ['UPDATE pgq.jobs SET priority = 1 WHERE id = $1', 'DELETE FROM pgq.jobs WHERE id = $1']) {
  test(`changing jobs by hand is refused with a hint: ${command}`, async (t) => {
    const client = await connect(t);
    const job = await enqueue(client, newEntrypoint());
    await assert.rejects(client.query(command, [job]), { code: '0A000', hint: /pgq\.cancel/ });
    assert.equal(await status(client, job), 'queued');
  });
}

test('trap: after an error the transaction takes no fail', async (t) => {
  const [client, name] = [await connect(t), newEntrypoint()];
  const job = await enqueue(client, name);
  assert.deepEqual(await dequeue(client, name), [job]);
  await client.query('BEGIN');
  await assert.rejects(client.query('SELECT 1 / 0'), { code: '22012' });
  await assert.rejects(client.query('SELECT pgq.fail($1, $2)', [job, 'boom']), { code: '25P02' });
  await client.query('ROLLBACK');
  assert.equal(await value(client, 'SELECT pgq.fail($1, $2)', [job, 'boom']), 'queued');
});

test('the work and its completion commit together', async (t) => {
  const [worker, other, name] = [await connect(t), await connect(t), newEntrypoint()];
  const job = await enqueue(other, name);
  assert.deepEqual(await dequeue(worker, name), [job]);
  for (const [ending, state, followUps] of [['ROLLBACK', 'picked', 0], ['COMMIT', 'successful', 1]]) {
    await worker.query('BEGIN');
    await enqueue(worker, `${name}_next`);
    assert.equal(await complete(worker, job), true);
    await worker.query(ending);
    assert.equal(await status(other, job), state);
    assert.equal((await dequeue(other, `${name}_next`)).length, followUps);
  }
});
