// Connections that the end of the test closes, entrypoints that no other test uses, and ways to send a call.

const { createHash, randomUUID } = require('node:crypto');
const { test } = require('node:test');
const pg = require('pg');

const connectionString = process.env.PGQUEUER_TEST_DSN;
if (!connectionString) throw new Error('PGQUEUER_TEST_DSN must be set');

async function connect(t) {
  const client = new pg.Client({ connectionString });
  // A connection that a test has the server end reports it here; without a listener that would end the process.
  client.on('error', () => {});
  await client.connect();
  t.after(() => client.end());
  return client;
}

// A pool, and what takes a connection out of it until the end of the test.
function openPool(t, size) {
  const pool = new pg.Pool({ connectionString, max: size });
  const taken = [];
  // The end of a pool waits for every connection that is out.
  t.after(() => {
    taken.forEach((client) => client.release());
    return pool.end();
  });
  const take = async () => {
    taken.push(await pool.connect());
    return taken.at(-1);
  };
  return { pool, take };
}

const newEntrypoint = () => `job_${randomUUID().replaceAll('-', '')}`;

// Names of prepared statements hold at most 63 bytes.
const fingerprint = (text) => createHash('md5').update(text).digest('hex');

// How node-postgres can send a call with parameters: as a statement for one use, or prepared under a name and kept.
const MODES = { unprepared: () => ({}), prepared: (text) => ({ name: fingerprint(text) }) };

// Runs one test for each way; what is done with the answer does not depend on it.
function testCall(name, body) {
  for (const [mode, options] of Object.entries(MODES)) {
    test(`${name} (${mode})`, async (t) => {
      const client = await connect(t);
      const rows = async (text, values = []) => (await client.query({ text, values, ...options(text) })).rows;
      const value = async (text, values) => Object.values((await rows(text, values))[0])[0];
      await body({ t, client, rows, value, entrypoint: newEntrypoint() });
    });
  }
}

module.exports = { connect, openPool, newEntrypoint, testCall };
