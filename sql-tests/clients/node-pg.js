// A session of node's pg, with pg-cursor, pg-query-stream and pg-copy-streams.
const { pipeline } = require('node:stream/promises');
const { Readable, Writable } = require('node:stream');
const { Client, Pool } = require('pg');
const Cursor = require('pg-cursor');
const QueryStream = require('pg-query-stream');
const copy = require('pg-copy-streams');
const { ENDLESS, Checks, list, tls } = require('./check.js');

const checks = new Checks();
// Values come as texts, as they were sent.
const asText = { getTypeParser: (_, format) => (format === 'binary' ? (it) => it : (it) => it) };

async function connect(options = {}) {
  const client = new Client({ ssl: tls(), ...options });
  await client.connect();
  return client;
}

async function failure(promise) {
  try {
    await promise;
    return 'no error';
  } catch (error) {
    return error.position ? `${error.code} ${error.position}` : error.code;
  }
}

const one = async (client, text, values) => Object.values((await client.query(text, values)).rows[0])[0];

const parts = {
  async connecting() {
    checks.equal('wrong password', await failure(connect({ password: 'wrong' })), '28P01');
    checks.equal('wrong authority', await failure(connect({ ssl: { rejectUnauthorized: true } })), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    const socket = await connect({ host: process.env.CLIENTS_SOCKET, ssl: false });
    checks.equal('Unix socket', await one(socket, 'SELECT current_user'), 'clients');
    await socket.end();
    const client = await connect({ statement_timeout: 12000, options: '-c geqo=off', application_name: 'a b' });
    checks.equal('statement_timeout', await one(client, 'SHOW statement_timeout'), '12s');
    checks.equal('options', await one(client, 'SHOW geqo'), 'off');
    await client.end();
  },

  async values(client) {
    for (const value of list()) {
      for (const values of [undefined, []]) {
        const read = client.query({ text: `SELECT ${value.sql} AS v`, values, types: asText });
        await checks.value(value, 'text', async () => (await read).rows[0].v);
      }
      const text = `SELECT format('%s', $1::${value.type})`;
      await checks.value(value, 'sent as text', () => one(client, text, [value.text]));
      checks.equal(`NULL of ${value.type}`, await one(client, `SELECT $1::${value.type}`, [null]), null);
      if (['bool', 'int2', 'int4', 'int8', 'oid', 'float8', 'numeric', 'text', 'bytea', 'uuid'].includes(value.type)) {
        const native = await one(client, `SELECT ${value.sql}`);
        await checks.value(value, 'sent', () => one(client, text, [native]));
        const query = { text: `SELECT ${value.sql} AS v`, binary: true };
        if (['bool', 'int2', 'int4', 'float8', 'bytea'].includes(value.type)) {
          await checks.value(value, 'binary', async () => String((await client.query(query)).rows[0].v), String(native));
        }
      }
    }
    checks.equal('date', (await one(client, 'SELECT $1::timestamptz', [new Date(0)])).getTime(), 0);
    checks.equal('array', await one(client, 'SELECT $1::text[]', [['a', null, '"{}"']]), ['a', null, '"{}"']);
    checks.equal('json', await one(client, 'SELECT $1::jsonb', [{ a: [1, null] }]), { a: [1, null] });
  },

  async prepared(client) {
    for (let number = 0; number < 15; number++) {
      const result = await client.query({ name: 'twice', text: 'SELECT $1::int * 2 AS n, upper($2) AS t', values: [number, 'ü'] });
      checks.equal('prepared', result.rows, [{ n: number * 2, t: 'Ü' }]);
    }
    const array = await client.query({ text: 'SELECT 1 AS a, 2 AS a', rowMode: 'array' });
    checks.equal('same names', array.rows, [[1, 2]]);
    checks.equal('fields', array.fields.map((it) => it.dataTypeID), [23, 23]);
    checks.equal('limit', (await client.query('SELECT generate_series(1, 10) LIMIT $1', [3])).rowCount, 3);
  },

  async failing(client) {
    checks.equal('table', await failure(client.query('SELECT *  FROM nowhere')), '42P01 16');
    checks.equal('division', await failure(client.query('SELECT 1 / $1::int', [0])), '22012');
    checks.equal('value', await failure(client.query('SELECT $1::int', ['x'])), '22P02');
    checks.equal('lives on', await one(client, 'SELECT 1'), 1);
  },

  async transactions(client) {
    await client.query('CREATE TEMP TABLE rows (id int)');
    await client.query('BEGIN');
    await client.query('INSERT INTO rows VALUES ($1)', [1]);
    await client.query('SAVEPOINT a');
    checks.equal('fails', await failure(client.query('SELECT 1 / 0')), '22012');
    checks.equal('refused', await failure(client.query('SELECT 1')), '25P02');
    await client.query('ROLLBACK TO a');
    await client.query('COMMIT');
    const several = await client.query('SELECT id FROM rows; INSERT INTO rows VALUES (2); SELECT 1 AS x, 2 AS y');
    checks.equal('several', several.map((it) => [it.command, it.rowCount]), [['SELECT', 1], ['INSERT', 1], ['SELECT', 1]]);
    checks.equal('empty', (await client.query('')).rows, []);
  },

  async copying(client) {
    await client.query('CREATE TEMP TABLE copied (i int, t text)');
    await pipeline(Readable.from(['1\tü\n', '2\t\\', 'N\n']), client.query(copy.from('COPY copied FROM STDIN')));
    let out = '';
    const collect = new Writable({ write: (chunk, _, done) => ((out += chunk), done()) });
    await pipeline(client.query(copy.to('COPY copied TO STDOUT (FORMAT csv)')), collect);
    checks.equal('CSV', out, '1,ü\n2,\n');
    const broken = pipeline(Readable.from(['x\ty\n']), client.query(copy.from('COPY copied FROM STDIN')));
    checks.equal('fails', await failure(broken), '22P02');
    checks.equal('copied', await one(client, 'SELECT count(*) FROM copied'), '2');
  },

  async cursors(client) {
    const cursor = client.query(new Cursor('SELECT i FROM generate_series(1, $1) AS s(i)', [1000]));
    checks.equal('read', (await cursor.read(2)).map((it) => it.i), [1, 2]);
    checks.equal('read on', (await cursor.read(500)).length, 500);
    await cursor.close();
    let sum = 0;
    const query = new QueryStream("SELECT i, repeat('x', 100) FROM generate_series(1, $1) AS s(i)", [100000], { batchSize: 777 });
    for await (const row of client.query(query)) sum += row.i;
    checks.equal('streamed', sum, 5000050000);
    checks.equal('big', (await one(client, "SELECT repeat('x', 20000000)")).length, 20000000);
  },

  async cancelling(client) {
    const running = failure(client.query(ENDLESS));
    const other = await connect();
    await new Promise((waited) => setTimeout(waited, 300));
    checks.equal('cancels', await one(other, 'SELECT pg_cancel_backend($1)', [client.processID]), true);
    checks.equal('cancelled', await running, '57014');
    await other.end();
    await client.query('SET statement_timeout = 100');
    checks.equal('timeout', await failure(client.query(ENDLESS)), '57014');
    await client.query('RESET statement_timeout');
    checks.equal('goes on', await one(client, 'SELECT 1'), 1);
  },

  async noticesAndNotifications(client) {
    const notice = new Promise((heard) => client.once('notice', heard));
    await client.query('DROP TABLE IF EXISTS nowhere');
    checks.equal('notice', (await notice).message, 'table "nowhere" does not exist, skipping');
    const notification = new Promise((heard) => client.once('notification', heard));
    await client.query('LISTEN bell');
    const other = await connect();
    await other.query('SELECT pg_notify($1, $2)', ['bell', 'ding']);
    await other.end();
    checks.equal('notification', (({ channel, payload }) => ({ channel, payload }))(await notification), { channel: 'bell', payload: 'ding' });
  },

  async pool() {
    const pool = new Pool({ ssl: tls(), max: 4 });
    const all = await Promise.all([...Array(40).keys()].map(async (it) => (await pool.query('SELECT $1::int AS n', [it])).rows[0].n));
    checks.equal('pool', all, [...Array(40).keys()]);
    const client = await pool.connect();
    await client.query("SET TimeZone = 'Asia/Tokyo'");
    await client.query('DISCARD ALL');
    checks.equal('reset', await one(client, 'SHOW TimeZone'), 'UTC');
    client.release();
    await pool.end();
  },
};

async function session() {
  const client = await connect();
  for (const [name, part] of Object.entries(parts)) await checks.part(name, () => part(client));
  await client.end();
  checks.done();
}

session();
