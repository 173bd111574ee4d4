// A worker with node-postgres, ten jobs at a time, on one connection: node worker.js

const { setTimeout: sleep } = require('node:timers/promises');
const { Client } = require('pg');

const stop = new AbortController();
process.on('SIGTERM', () => stop.abort()).on('SIGINT', () => stop.abort());
let delay = 1;

async function send({ payload }) {
  const mail = JSON.parse(payload); // A Buffer, taken for UTF-8.
  if (!mail.to.includes('@')) throw new Error(`no address: ${mail.to}`);
  await sleep(1000 * (mail.seconds ?? 0)); // Here the mail would be sent.
}

async function run(client, jobs) {
  const results = await Promise.allSettled(jobs.map(send));
  // Ids stay the strings that they are: a number of JavaScript may be too small for a bigint.
  const done = jobs.filter((_, n) => results[n].status === 'fulfilled').map(({ id }) => id);
  await client.query('SELECT pgq.complete_many($1)', [done]);
  for (const [n, { status, reason }] of results.entries()) {
    const error = String(reason).replaceAll('\0', ''); // The one character that PostgreSQL's text does not take.
    if (status === 'rejected') await client.query('SELECT pgq.fail($1, $2)', [jobs[n].id, error]);
  }
}

async function work(client) {
  let ring = () => {};
  // Without a listener for errors a lost connection would end the process.
  client.on('notification', () => ring()).on('error', () => ring());
  stop.signal.addEventListener('abort', () => ring());
  await client.connect();
  await client.query("SELECT pgq.listen('{welcome}')");
  delay = 1;
  while (!stop.signal.aborted) {
    const bell = new Promise((resolve) => { ring = resolve; }); // Before the look, so that no ring is missed.
    // A claim is its session's. So the client that dequeues completes, too; a pool would take any.
    const { rows: jobs } = await client.query("SELECT id, payload FROM pgq.dequeue('{welcome}', 10)");
    if (jobs.length > 0) {
      await run(client, jobs);
    } else {
      setTimeout(ring, 30_000).unref();
      await bell;
    }
  }
}

async function main() {
  for (; !stop.signal.aborted; delay = Math.min(2 * delay, 30)) {
    const client = new Client({ connectionString: process.env.PGQUEUER_DSN });
    await work(client).catch(async (error) => {
      console.error(`next try in ${delay} s: ${error.message || error.code}`);
      await sleep(1000 * delay, null, { signal: stop.signal }).catch(() => {});
    });
    await client.end();
  }
}

main();
