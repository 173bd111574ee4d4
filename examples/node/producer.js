// Enqueues welcome mails with node-postgres: node producer.js ADDRESS…

const { Pool } = require('pg');

const addresses = process.argv.length > 2 ? process.argv.slice(2) : ['ada@example.org'];
const mails = addresses.map((to) => JSON.stringify({ to, text: 'Welcome!' }));

async function enqueue(db) {
  // A bigint comes as a string, for a number of JavaScript may be too small. It is a right parameter as it is.
  const id = async (rest, ...values) => {
    const { rows } = await db.query(`SELECT pgq.enqueue('welcome', ${rest}) AS id`, values);
    return rows[0].id;
  };

  // JSON as a string: pg turns objects into JSON by itself, but an array into one of PostgreSQL's.
  console.log('as JSON, before the others:', await id('payload_jsonb => $1, priority => 5', mails[0]));

  // pg sends no types, so a bare $1 is text, which not all bytes are.
  console.log('as bytes, in a second:', await id("payload_bytes => $1, delay => '1 s'", Buffer.from(mails[0])));

  // Not enqueue_many: that takes bytes, and would read the backslashes in a list of strings as escapes.
  const { rows } = await db.query('SELECT pgq.enqueue_many_text($1, $2) AS ids', [['welcome'], mails]);
  console.log('all of them, in one call:', rows[0].ids);
}

async function main() {
  const pool = new Pool({ connectionString: process.env.PGQUEUER_DSN });
  // One connection for the transaction: pool.query('BEGIN') would begin on one and go on with another.
  const db = await pool.connect();
  try {
    await db.query('BEGIN');
    await enqueue(db);
    await db.query('COMMIT');
    db.release();
  } catch (error) {
    db.release(error); // Closes it, which rolls back.
    throw error;
  } finally {
    await pool.end();
  }
}

main();
