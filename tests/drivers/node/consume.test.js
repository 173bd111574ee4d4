// Claiming and ending claims from node-postgres, where ids are strings: what dequeue gives, every call takes.

const assert = require('node:assert/strict');
const { randomUUID } = require('node:crypto');
const { testCall } = require('./connection.js');

const BACKOFF = "SELECT execute_after - clock_timestamp() > interval '1 hour' FROM pgq.jobs WHERE id = $1";
const IDS = { 'the string dequeue gave': String, 'a number': Number, 'a bigint': BigInt };
const FAR = '4611686018427387904';

// Enqueues and claims jobs for this session; returns their ids as the driver gives them.
async function claimed(call, count = 1) {
  const payloads = Array(count).fill(Buffer.from('x'));
  await call.value('SELECT pgq.enqueue_many($1, $2)', [[call.entrypoint], payloads]);
  const rows = await call.rows('SELECT id FROM pgq.dequeue($1, $2)', [[call.entrypoint], count]);
  assert.equal(rows.length, count);
  return rows.map((row) => row.id);
}

const status = async (call, ...jobs) =>
  (await call.rows('SELECT status FROM pgq.status($1)', [jobs])).map((row) => row.status);
const logged = (call, job) =>
  call.value('SELECT error FROM pgq.job_log WHERE job_id = $1 ORDER BY finished DESC LIMIT 1', [job]);

testCall('dequeue takes a list of entrypoints and returns whole jobs', async (call) => {
  const other = `${call.entrypoint}_2`;
  const first = await call.value("SELECT pgq.enqueue($1, 'a', priority => 1, headers => $2)", [other, { h: 1 }]);
  const second = await call.value("SELECT pgq.enqueue($1, 'b')", [call.entrypoint]);
  const rows = await call.rows('SELECT * FROM pgq.dequeue($1, $2)', [[call.entrypoint, other, 'no such'], 10]);
  assert.deepEqual(rows.map((row) => row.id), [first, second]);
  const { worker, created, execute_after: due, picked, ...one } = rows[0];
  assert.deepEqual(one, {
    id: first, entrypoint: other, payload: Buffer.from('a'), headers: { h: 1 }, priority: 1, status: 'picked',
    attempts: 0, dedupe_key: null, ordering_key: null,
  });
  assert.match(worker, /^[0-9a-f-]{36}$/);
  assert.deepEqual(due, created);
  assert.ok(picked instanceof Date);
});

testCall('dequeue takes names that an array literal must quote', async (call) => {
  const names = [`${call.entrypoint} "{a},\\b"`, `${call.entrypoint} NULL`, `${call.entrypoint} é`];
  const jobs = await call.value('SELECT pgq.enqueue_many($1, $2)', [names, names.map((name) => Buffer.from(name))]);
  const rows = await call.rows('SELECT id, entrypoint FROM pgq.dequeue($1, 10)', [names]);
  assert.deepEqual(rows, names.map((entrypoint, n) => ({ id: jobs[n], entrypoint })));
});

testCall('dequeue takes its options by name', async (call) => {
  const worker = randomUUID();
  await call.value('SELECT pgq.enqueue_many($1, $2)', [[call.entrypoint], Array(5).fill(Buffer.from('x'))]);
  const sql = 'SELECT worker FROM pgq.dequeue($1, batch_size => $2, worker => $3, lease => $4, max_in_flight => $5)';
  const rows = await call.rows(sql, [[call.entrypoint], 4, worker, '5 minutes', 3]);
  assert.deepEqual(rows, Array(3).fill({ worker }));
  assert.equal(await call.value("SELECT lease = interval '5 min' FROM pgq.workers WHERE worker = $1", [worker]), true);
});

for (const [kind, convert] of Object.entries(IDS)) {
  testCall(`complete takes ${kind}`, async (call) => {
    const [job] = await claimed(call);
    assert.equal(await call.value('SELECT pgq.complete($1)', [convert(job)]), true);
    assert.equal(await call.value('SELECT pgq.complete($1)', [convert(job)]), false);
    assert.deepEqual(await status(call, job), ['successful']);
  });

  testCall(`complete_many takes a list of ${kind}`, async (call) => {
    const jobs = await claimed(call, 2);
    assert.deepEqual(await call.value('SELECT pgq.complete_many($1)', [jobs.map(convert)]), jobs);
    assert.deepEqual(await status(call, ...jobs), ['successful', 'successful']);
  });
}

testCall('complete of null is refused', async (call) => {
  await assert.rejects(call.value('SELECT pgq.complete($1)', [null]), { code: '22023' });
});

testCall('complete_many returns only those completed', async (call) => {
  const jobs = await claimed(call, 3);
  const completed = await call.value('SELECT pgq.complete_many($1)', [[jobs[2], jobs[0], FAR]]);
  assert.deepEqual(new Set(completed), new Set([jobs[0], jobs[2]]));
  assert.deepEqual(await status(call, ...jobs), ['successful', 'picked', 'successful']);
});

testCall('complete_many of nothing completes nothing', async (call) => {
  const [job] = await claimed(call);
  assert.deepEqual(await call.value('SELECT pgq.complete_many($1)', [[]]), []);
  assert.deepEqual(await status(call, job), ['picked']);
});

testCall('an id and a list of ids are not taken for each other', async (call) => {
  const [job] = await claimed(call);
  await assert.rejects(call.value('SELECT pgq.complete_many($1)', [job]), { code: '22P02' });
  await assert.rejects(call.value('SELECT pgq.complete($1)', [[job]]), { code: '22P02' });
  assert.deepEqual(await status(call, job), ['picked']);
});

testCall('fail without a text', async (call) => {
  const [job] = await claimed(call);
  assert.equal(await call.value('SELECT pgq.fail($1)', [job]), 'queued');
  assert.equal(await logged(call, job), null);
  assert.equal(await call.value('SELECT pgq.fail($1)', [job]), null);
});

for (const argument of ['$2', 'error => $2']) {
  testCall(`fail with a text: ${argument}`, async (call) => {
    const [job] = await claimed(call);
    assert.equal(await call.value(`SELECT pgq.fail($1, ${argument})`, [job, 'C:\\dir "x"']), 'queued');
    assert.equal(await logged(call, job), 'C:\\dir "x"');
  });
}

for (const argument of ['$2', 'error => $2', 'error_json => $2', 'error_jsonb => $2']) {
  testCall(`fail with null is a failure without an error: ${argument}`, async (call) => {
    const [job] = await claimed(call);
    assert.equal(await call.value(`SELECT pgq.fail($1, ${argument})`, [job, null]), 'queued');
    assert.equal(await logged(call, job), null);
  });
}

for (const argument of ['error_json => $2', 'error_jsonb => $2']) {
  testCall(`fail with an object: ${argument}`, async (call) => {
    const [job] = await claimed(call);
    const error = { code: 503, path: 'C:\\dir', trace: [1, null] };
    assert.equal(await call.value(`SELECT pgq.fail($1, ${argument})`, [job, error]), 'queued');
    assert.deepEqual(await logged(call, job), error);
  });
}

testCall('fail says what the job is now', async (call) => {
  await call.rows('SELECT pgq.configure($1, max_attempts => $2)', [call.entrypoint, 1]);
  const [held] = await claimed(call);
  assert.equal(await call.value('SELECT pgq.fail($1, $2)', [held, 'boom']), 'failed');
  await call.rows('SELECT pgq.configure($1, on_failure => $2)', [call.entrypoint, 'delete']);
  const [gone] = await claimed(call);
  assert.equal(await call.value('SELECT pgq.fail($1, $2)', [gone, 'boom']), 'exception');
});

for (const [argument, value] of [
  ['$2', '2 hours'], ['delay => $2', '2 hours'], ['make_interval(secs => $2)', 7200],
  ['delay => make_interval(hours => $2)', 2],
]) {
  testCall(`retry with a delay: ${argument}`, async (call) => {
    const [job] = await claimed(call);
    assert.equal(await call.value(`SELECT pgq.retry($1, ${argument}, reason => $3)`, [job, value, 'later']), true);
    assert.equal(await call.value(BACKOFF, [job]), true);
    assert.equal(await logged(call, job), 'later');
    assert.equal(await call.value('SELECT pgq.retry($1)', [job]), false);
  });
}

testCall('retry without a delay is due at once', async (call) => {
  const [id] = await claimed(call);
  assert.equal(await call.value('SELECT pgq.retry($1)', [id]), true);
  const rows = await call.rows('SELECT id, attempts FROM pgq.dequeue($1)', [[call.entrypoint]]);
  assert.deepEqual(rows, [{ id, attempts: 1 }]);
});

testCall('finish takes lists of words and of errors', async (call) => {
  const jobs = await claimed(call, 3);
  const [words, errors] = [['successful', 'exception', 'failed'], [null, { path: 'C:\\dir "x"' }, '"boom"']];
  assert.deepEqual(await call.value('SELECT pgq.finish($1, $2, $3)', [jobs, words, errors]), jobs);
  assert.deepEqual(await status(call, ...jobs), words);
  const log = await call.rows('SELECT error FROM pgq.job_log WHERE job_id = ANY ($1) ORDER BY job_id', [jobs]);
  assert.deepEqual(log.map((row) => row.error), [null, { path: 'C:\\dir "x"' }, 'boom']);
});

testCall('finish without errors', async (call) => {
  const jobs = await claimed(call, 2);
  assert.deepEqual(await call.value('SELECT pgq.finish($1, $2)', [jobs, ['successful', 'failed']]), jobs);
});

testCall('finish of nothing ends nothing', async (call) => {
  assert.deepEqual(await call.value('SELECT pgq.finish($1, $2)', [[], []]), []);
});

testCall('finish refuses a word it does not know and ends nothing', async (call) => {
  const jobs = await claimed(call, 2);
  const refused = call.value('SELECT pgq.finish($1, $2)', [jobs, ['successful', 'done']]);
  await assert.rejects(refused, { code: '22023', message: /outcomes/, hint: /exception/ });
  assert.deepEqual(await status(call, ...jobs), ['picked', 'picked']);
});

testCall('release gives back without counting the attempt', async (call) => {
  const jobs = await claimed(call, 2);
  assert.deepEqual(new Set(await call.value('SELECT pgq.release($1)', [jobs])), new Set(jobs));
  assert.deepEqual(await call.value('SELECT pgq.release($1)', [[]]), []);
  const rows = await call.rows('SELECT id, attempts FROM pgq.dequeue($1, 10)', [[call.entrypoint]]);
  assert.deepEqual(rows, jobs.map((id) => ({ id, attempts: 0 })));
});

testCall('heartbeat names the claims that were lost', async (call) => {
  const worker = randomUUID();
  const payloads = Array(3).fill(Buffer.from('x'));
  const jobs = await call.value('SELECT pgq.enqueue_many($1, $2)', [[call.entrypoint], payloads]);
  await call.rows('SELECT * FROM pgq.dequeue($1, 3, worker => $2)', [[call.entrypoint], worker]);
  assert.deepEqual(await call.value('SELECT pgq.heartbeat($1)', [worker]), []);
  assert.deepEqual(await call.value('SELECT pgq.heartbeat($1, held => $2)', [worker, jobs]), []);
  assert.deepEqual(await call.value('SELECT pgq.cancel($1)', [[jobs[1]]]), [jobs[1]]);
  assert.deepEqual(await call.value('SELECT pgq.heartbeat($1, $2, $3)', [worker, '1 minute', jobs]), [jobs[1]]);
  assert.deepEqual(await call.value('SELECT pgq.heartbeat($1, held => $2)', [worker, []]), []);
});

testCall('the number of the attempt fences', async (call) => {
  const [job] = await claimed(call);
  assert.equal(await call.value('SELECT pgq.complete($1, attempt => $2)', [job, 1]), false);
  assert.deepEqual(await call.value('SELECT pgq.complete_many($1, attempts => $2)', [[job], [1]]), []);
  assert.equal(await call.value('SELECT pgq.complete($1, attempt => $2)', [job, 0]), true);
});

testCall('trap: one entrypoint is no list', async (call) => {
  const refused = call.rows('SELECT * FROM pgq.dequeue($1)', [call.entrypoint]);
  await assert.rejects(refused, { code: '22P02', message: /malformed array literal/ });
});

for (const shape of ['pgq.dequeue($1)', '(pgq.dequeue($1)).*']) {
  testCall(`trap: dequeue in a select list is refused and claims nothing: ${shape}`, async (call) => {
    const job = await call.value('SELECT pgq.enqueue($1)', [call.entrypoint]);
    const refused = call.rows(`SELECT ${shape}`, [[call.entrypoint]]);
    await assert.rejects(refused, { code: '0A000', hint: /FROM pgq\.dequeue/ });
    assert.deepEqual(await status(call, job), ['queued']);
  });
}

testCall('trap: an array as the error is refused and fails nothing', async (call) => {
  const [job] = await claimed(call);
  await assert.rejects(call.value('SELECT pgq.fail($1, error_jsonb => $2)', [job, [1, 2]]), { code: '22P02' });
  assert.deepEqual(await status(call, job), ['picked']);
});
