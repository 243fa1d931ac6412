// A session of postgres.js, which pipelines what it sends and looks up array types in pg_type when it connects.
const postgres = require('postgres');
const { pipeline } = require('node:stream/promises');
const { Readable } = require('node:stream');
const { ENDLESS, Checks, list, tls } = require('./check.js');

const checks = new Checks();
const notices = [];
const options = { ssl: tls(), max: 1, onnotice: (notice) => notices.push(notice.message) };

async function failure(promise) {
  try {
    await promise;
    return 'no error';
  } catch (error) {
    return error.position ? `${error.code} ${error.position}` : error.code;
  }
}

const parts = {
  async connecting() {
    const wrong = postgres({ ...options, password: 'wrong' });
    checks.equal('wrong password', await failure(wrong`SELECT 1`), '28P01');
    const socket = postgres({ ...options, path: `${process.env.CLIENTS_SOCKET}/.s.PGSQL.${process.env.PGPORT}`, ssl: false });
    checks.equal('Unix socket', [...(await socket`SELECT current_user AS me`)], [{ me: 'clients' }]);
    await socket.end();
    const other = postgres({ ...options, connection: { statement_timeout: 12000, application_name: 'a b' } });
    checks.equal('settings', (await other`SHOW statement_timeout`)[0].statement_timeout, '12s');
    await other.end();
  },

  async values(sql) {
    for (const value of list()) {
      await checks.value(value, 'text', async () => (await sql.unsafe(`SELECT format('%s', ${value.sql}) AS v`))[0].v);
      const query = `SELECT format('%s', $1::text::${value.type}) AS v`;
      await checks.value(value, 'sent as text', async () => (await sql.unsafe(query, [value.text]))[0].v);
      checks.equal(`NULL of ${value.type}`, (await sql.unsafe(`SELECT $1::${value.type} AS v`, [null]))[0].v, null);
      if (['int2', 'int4', 'int8', 'float8', 'numeric', 'text', 'bool', 'uuid', 'bytea', 'jsonb'].includes(value.type)) {
        const native = (await sql.unsafe(`SELECT ${value.sql} AS v`))[0].v;
        await checks.value(value, 'sent', async () => (await sql.unsafe(`SELECT format('%s', $1::${value.type}) AS v`, [native]))[0].v);
      }
    }
    // By what it has looked up in pg_type.
    checks.equal('array', [...(await sql`SELECT ${['a', '"{}"']}::text[] AS a`)[0].a], ['a', '"{}"']);
    const day = new Date('2024-07-01T12:00:00.123Z');
    checks.equal('date', (await sql`SELECT ${day}::timestamptz AS d`)[0].d.getTime(), day.getTime());
    checks.equal('fragment', (await sql`SELECT ${1}::int + ${sql`2`} AS n`)[0].n, 3);
    checks.equal('list', (await sql`SELECT 2 IN ${sql([1, 2])} AS is_in`)[0].is_in, true);
  },

  async prepared(sql) {
    for (let number = 0; number < 15; number++) {
      checks.equal('prepared', [...(await sql`SELECT ${number}::int * 2 AS n, upper(${'ü'}) AS t`)], [{ n: number * 2, t: 'Ü' }]);
    }
    const all = await Promise.all([...Array(50).keys()].map((it) => sql`SELECT ${it}::int AS n`));
    checks.equal('pipelined', all.map((it) => it[0].n), [...Array(50).keys()]);
    const described = await sql`SELECT ${1}::int + 1, ${'x'}::text`.describe();
    checks.equal('described', [described.types, described.columns.map((it) => it.type)], [[23, 25], [23, 25]]);
  },

  async failing(sql) {
    checks.equal('table', await failure(sql`SELECT *  FROM nowhere`), '42P01 16');
    checks.equal('division', await failure(sql`SELECT 1 / ${0}::int`), '22012');
    checks.equal('lives on', (await sql`SELECT 1 AS n`)[0].n, 1);
  },

  async transactions(sql) {
    await sql`CREATE TEMP TABLE rows (id int, t text)`;
    await sql.begin(async (transaction) => {
      await transaction`INSERT INTO rows ${transaction([{ id: 1, t: 'a' }, { id: 2, t: null }])}`;
      const inner = transaction.savepoint(async (savepoint) => {
        await savepoint`INSERT INTO rows VALUES (3)`;
        await savepoint`SELECT 1 / 0`;
      });
      checks.equal('savepoint', await failure(inner), '22012');
      checks.equal('goes on', (await transaction`SELECT count(*)::int AS n FROM rows`)[0].n, 2);
    });
    checks.equal('rolled back', await failure(sql.begin((it) => [it`INSERT INTO rows VALUES (4)`, it`SELECT 1 / 0`])), '22012');
    checks.equal('rows', (await sql`SELECT array_agg(id ORDER BY id) AS ids FROM rows`)[0].ids, [1, 2]);
    const several = await sql.unsafe('SELECT 1 AS a; SELECT 2 AS b').simple();
    checks.equal('several', several.map((it) => [...it]), [[{ a: 1 }], [{ b: 2 }]]);
  },

  async copying(sql) {
    await sql`CREATE TEMP TABLE copied (i int, t text)`;
    await pipeline(Readable.from(['1\tü\n', '2\t\\N\n']), await sql`COPY copied FROM STDIN`.writable());
    let out = '';
    for await (const chunk of await sql`COPY copied TO STDOUT (FORMAT csv)`.readable()) out += chunk;
    checks.equal('CSV', out, '1,ü\n2,\n');
  },

  async cursors(sql) {
    let sum = 0;
    await sql`SELECT i FROM generate_series(1, ${1000}::int) AS s(i)`.cursor(97, (rows) => rows.forEach((row) => (sum += row.i)));
    checks.equal('cursor', sum, 500500);
    for await (const [row] of sql`SELECT generate_series(1, 10) AS i`.cursor()) if (row.i === 3) break;
    checks.equal('broken off', (await sql`SELECT 1 AS n`)[0].n, 1);
    sum = 0;
    await sql`SELECT i::int, repeat('x', 100) FROM generate_series(1, 100000) AS s(i)`.forEach((row) => (sum += row.i));
    checks.equal('many rows', sum, 5000050000);
    checks.equal('big', (await sql`SELECT repeat('x', 20000000) AS x`)[0].x.length, 20000000);
  },

  async cancelling(sql) {
    const query = sql.unsafe(ENDLESS);
    setTimeout(() => query.cancel(), 300);
    checks.equal('cancelled', await failure(query), '57014');
    await sql`SET statement_timeout = 100`;
    checks.equal('timeout', await failure(sql.unsafe(ENDLESS)), '57014');
    await sql`DISCARD ALL`;
  },

  async noticesAndNotifications(sql) {
    notices.length = 0;
    await sql`DROP TABLE IF EXISTS nowhere`;
    checks.equal('notice', notices, ['table "nowhere" does not exist, skipping']);
    let hear;
    const heard = new Promise((resolve) => (hear = resolve));
    const { unlisten } = await sql.listen('bell', hear);
    await sql.notify('bell', 'ding');
    checks.equal('notification', await heard, 'ding');
    await unlisten();
  },
};

async function session() {
  const sql = postgres(options);
  for (const [name, part] of Object.entries(parts)) await checks.part(name, () => part(sql));
  await sql.end();
  checks.done();
}

session();
