// A session of knex: its schema builder, migrations, queries, transactions and streams.
const makeKnex = require('knex');
const { Checks, list, tls } = require('../check');

const checks = new Checks();
const knex = makeKnex({
  client: 'pg',
  connection: {
    host: process.env.PGHOST, port: process.env.PGPORT, user: process.env.PGUSER, password: process.env.PGPASSWORD,
    database: process.env.PGDATABASE, ssl: tls(),
  },
  pool: { min: 0, max: 4 },
});

const failure = (promise) => promise.then(() => null, (error) => error.code ?? error.message);

const MIGRATIONS = {
  '1_authors': {
    up: (schema) => schema.createTable('authors_of_knex', (table) => {
      table.increments();
      table.string('name', 40).notNullable().unique();
      table.enu('mood', ['calm', 'wild']).defaultTo('calm');
      table.timestamps(true, true);
    }),
    down: (schema) => schema.dropTable('authors_of_knex'),
  },
  '2_books': {
    up: (schema) => schema.createTable('books_of_knex', (table) => {
      table.bigIncrements('id');
      table.integer('author').references('id').inTable('authors_of_knex').onDelete('CASCADE');
      table.text('title').comment('as on the cover');
      table.decimal('price', 38, 10);
      table.double('weight').checkPositive();
      table.date('day');
      table.uuid('mark').defaultTo(knex.raw('gen_random_uuid()'));
      table.binary('raw');
      table.jsonb('facts');
      table.specificType('tags', 'text[]');
      table.boolean('kept').notNullable().defaultTo(true);
    }),
    down: (schema) => schema.dropTable('books_of_knex'),
  },
};
const source = {
  getMigrations: async () => Object.keys(MIGRATIONS),
  getMigrationName: (name) => name,
  getMigration: async (name) => ({ up: (it) => MIGRATIONS[name].up(it.schema), down: (it) => MIGRATIONS[name].down(it.schema) }),
};

const parts = {
  async values() {
    for (const value of list()) {
      const get = async () => (await knex.raw(`SELECT format('%s', ${value.sql}) AS text`)).rows[0].text;
      await checks.value(value, 'text', get);
    }
  },

  async migrations() {
    const [batch, names] = await knex.migrate.latest({ migrationSource: source });
    checks.equal('migrated', [batch, names], [1, ['1_authors', '2_books']]);
    checks.equal('again', (await knex.migrate.latest({ migrationSource: source }))[1], []);
    checks.equal('list', (await knex.migrate.list({ migrationSource: source }))[0].length, 2);
    checks.equal('version', await knex.migrate.currentVersion({ migrationSource: source }), '2');
    await knex.migrate.rollback({ migrationSource: source });
    checks.equal('rolled back', await knex.schema.hasTable('books_of_knex'), false);
    await knex.migrate.latest({ migrationSource: source });
    checks.equal('has table', await knex.schema.hasTable('books_of_knex'), true);
    checks.equal('has column', await knex.schema.hasColumn('books_of_knex', 'title'), true);
    const columns = await knex('books_of_knex').columnInfo();
    checks.equal('column', columns.price, { type: 'numeric', maxLength: null, nullable: true, defaultValue: null });
    checks.equal('columns', Object.keys(columns).length, 11);
  },

  async altering() {
    await knex.schema.dropTableIfExists('changing_of_knex');
    await knex.schema.createTable('changing_of_knex', (table) => {
      table.increments();
      table.string('a', 10);
      table.integer('b').notNullable();
    });
    await knex('changing_of_knex').insert({ a: 'x', b: 1 });
    await knex.schema.alterTable('changing_of_knex', (table) => {
      table.integer('c').defaultTo(7).notNullable();
      table.renameColumn('a', 'renamed');
      table.setNullable('b');
    });
    await knex.schema.alterTable('changing_of_knex', (table) => table.string('renamed', 50).notNullable().alter());
    await knex.schema.alterTable('changing_of_knex', (table) => table.bigInteger('b').alter());
    await knex.schema.alterTable('changing_of_knex', (table) => table.unique(['renamed', 'c'], { indexName: 'both' }));
    checks.equal('duplicate', await failure(knex('changing_of_knex').insert({ renamed: 'x', b: 2 })), '23505');
    await knex.schema.alterTable('changing_of_knex', (table) => table.dropUnique(['renamed', 'c'], 'both'));
    checks.equal('row', await knex('changing_of_knex').first(), { id: 1, renamed: 'x', b: '1', c: 7 });
    await knex.schema.alterTable('changing_of_knex', (table) => table.dropColumn('c'));
    await knex.schema.renameTable('changing_of_knex', 'changed_of_knex');
    checks.equal('columns', Object.keys(await knex('changed_of_knex').columnInfo()), ['id', 'renamed', 'b']);
    await knex.schema.dropTable('changed_of_knex');
  },

  async indexes() {
    await knex.schema.createTable('indexed_of_knex', (table) => {
      table.increments();
      table.string('name').index();
      table.integer('n');
    });
    await knex.schema.alterTable('indexed_of_knex', (table) => table.index(['n', 'name'], 'by_n'));
    const names = await knex('pg_indexes').where({ tablename: 'indexed_of_knex' }).orderBy('indexname').pluck('indexname');
    checks.equal('indexes', names, ['by_n', 'indexed_of_knex_name_index', 'indexed_of_knex_pkey']);
    await knex.schema.alterTable('indexed_of_knex', (table) => table.dropIndex(['n', 'name'], 'by_n'));
    await knex.schema.dropTable('indexed_of_knex');
  },

  async writing() {
    const ids = await knex('authors_of_knex').insert([{ name: 'Ann' }, { name: 'Bo', mood: 'wild' }]).returning(['id', 'mood']);
    checks.equal('returned', ids, [{ id: 1, mood: 'calm' }, { id: 2, mood: 'wild' }]);
    checks.equal('check', await failure(knex('authors_of_knex').insert({ name: 'Cy', mood: 'sad' })), '23514');
    const book = {
      author: 1, title: 'ü', price: '1234567890123456789012345678.0123456789', weight: 0.1, day: '2024-02-29',
      raw: Buffer.from([0, 255]), facts: { a: [1, null] }, tags: ['x', null, 'y,z'],
    };
    const [row] = await knex('books_of_knex').insert(book).returning('*');
    checks.equal('row', { ...row, mark: row.mark.length, day: row.day.getDate() }, { ...book, id: '1', mark: 36, day: 29, kept: true });
    await knex.batchInsert('books_of_knex', [...Array(250).keys()].map((n) => ({ author: 2, title: `n${n}`, weight: n + 1 })), 100);
    const merged = knex('authors_of_knex').insert({ name: 'Ann', mood: 'wild' }).onConflict('name').merge(['mood']).returning('mood');
    checks.equal('merged', await merged, [{ mood: 'wild' }]);
    checks.equal('ignored', (await knex('authors_of_knex').insert({ name: 'Ann' }).onConflict('name').ignore()).rowCount, 0);
    checks.equal('updated', await knex('books_of_knex').where('weight', '>', 200).update({ kept: false }), 50);
    await knex('books_of_knex').where({ id: 1 }).increment('weight', 2);
    checks.equal('incremented', (await knex('books_of_knex').where({ id: 1 }).first('weight')).weight, 2.1);
    checks.equal('deleted', await knex('books_of_knex').whereBetween('weight', [241, 250]).del(), 10);
  },

  async reading() {
    const joined = knex('authors_of_knex as a').join('books_of_knex as b', 'a.id', 'b.author').groupBy('a.name').orderBy('a.name');
    const counted = await joined.select('a.name').count('* as n').sum('b.weight as weight').havingRaw('count(*) > ?', [0]);
    checks.equal('grouped', counted, [{ name: 'Ann', n: '1', weight: 2.1 }, { name: 'Bo', n: '240', weight: 28920 }]);
    checks.equal('in', await knex('books_of_knex').whereIn('title', ['n1', 'n2', 'none']).pluck('title'), ['n1', 'n2']);
    const json = knex('books_of_knex').whereJsonPath('facts', '$.a[0]', '=', 1).jsonExtract('facts', '$.a', 'a');
    checks.equal('JSON', await json, [{ a: [1, null] }]);
    checks.equal('contains', (await knex('books_of_knex').whereJsonSupersetOf('facts', { a: [1] })).length, 1);
    const cte = knex.with('few', knex('books_of_knex').where('weight', '<', 5)).from('few').max('weight as m').first();
    checks.equal('with', await cte, { m: 4 });
    const union = knex('authors_of_knex').select('name').union([knex.select(knex.raw("'Z'"))]).orderBy('name', 'desc');
    checks.equal('union', (await union).map((it) => it.name), ['Z', 'Bo', 'Ann']);
    const ranked = knex('books_of_knex').select('title').rank('r', 'weight', 'author').orderBy('weight').limit(2).offset(1);
    checks.equal('window', await ranked, [{ title: 'n1', r: '2' }, { title: 'ü', r: '1' }]);
    checks.equal('distinct', await knex('books_of_knex').countDistinct('author as n').first(), { n: '2' });
    const latest = knex('books_of_knex').distinctOn('author').select('title').orderBy([{ column: 'author' }, { column: 'weight', order: 'desc' }]);
    checks.equal('distinct on', (await latest).map((it) => it.title), ['ü', 'n239']);
    let streamed = 0;
    for await (const row of knex('books_of_knex').select('weight').stream()) streamed += row.weight;
    checks.equal('streamed', streamed, 28922.1);
    checks.equal('bindings', (await knex.raw('SELECT :a::int + :b AS n', { a: 1, b: 2 })).rows, [{ n: 3 }]);
    checks.equal('no table', await failure(knex('nowhere')), '42P01');
  },

  async transactions() {
    const broken = knex.transaction(async (outer) => {
      await outer('authors_of_knex').insert({ name: 'Di' });
      await outer.transaction((inner) => inner('authors_of_knex').insert({ name: 'Di' })).catch(() => {});
      checks.equal('lives on', (await outer('authors_of_knex').where({ name: 'Di' })).length, 1);
      throw new Error('enough');
    });
    checks.equal('rolled back', await failure(broken), 'enough');
    const kept = await knex.transaction((it) => it('authors_of_knex').insert({ name: 'Ed' }, 'name'), { isolationLevel: 'repeatable read' });
    checks.equal('committed', kept, [{ name: 'Ed' }]);
    checks.equal('rows', await knex('authors_of_knex').orderBy('name').pluck('name'), ['Ann', 'Bo', 'Ed']);
  },

  async locking() {
    const locked = knex.transaction((it) => it('authors_of_knex').where({ id: 1 }).forUpdate().pluck('name'));
    checks.equal('locked', await locked, ['Ann']);
  },

  async views() {
    await knex.schema.createViewOrReplace('titles_of_knex', (view) => view.as(knex('books_of_knex').select('title')));
    checks.equal('view', (await knex('titles_of_knex').count('* as n').first()).n, '241');
    await knex.schema.dropView('titles_of_knex');
    await knex.raw('TRUNCATE books_of_knex RESTART IDENTITY');
    checks.equal('truncated', await knex('books_of_knex').insert({ title: 'first' }).returning('id'), [{ id: '1' }]);
    await knex.migrate.rollback({ migrationSource: source }, true);
    checks.equal('gone', await knex.schema.hasTable('authors_of_knex'), false);
  },
};

async function session() {
  for (const [name, part] of Object.entries(parts)) await checks.part(name, part);
  await knex.destroy();
  checks.done();
}

session();
