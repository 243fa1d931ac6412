// A session of TypeORM: tables that it synchronizes with entities, migrations, repositories, queries, and what it asks of the catalog.
require('reflect-metadata');
const { DataSource, EntitySchema, In, MoreThan, Table, TableColumn, TableForeignKey, TableUnique } = require('typeorm');
const { Checks, list, tls } = require('../check');

const checks = new Checks();
const failure = (promise) => promise.then(() => null, (error) => error.driverError?.code ?? error.message);

const Author = new EntitySchema({
  name: 'Author', tableName: 'authors_of_typeorm',
  columns: { id: { type: 'int', primary: true, generated: true }, name: { type: 'varchar', length: 40, unique: true } },
  relations: { books: { type: 'one-to-many', target: 'Book', inverseSide: 'author' } },
});
const columns = {
  id: { type: 'bigint', primary: true, generated: 'increment' },
  title: { type: 'text', nullable: true, comment: 'as on the cover' },
  price: { type: 'numeric', precision: 38, scale: 10, nullable: true },
  weight: { type: 'double precision', nullable: true },
  at: { type: 'timestamptz', createDate: true },
  changed: { type: 'timestamp', precision: 3, updateDate: true },
  day: { type: 'date', nullable: true },
  mark: { type: 'uuid', generated: 'uuid' },
  raw: { type: 'bytea', nullable: true },
  facts: { type: 'jsonb', nullable: true },
  kept: { type: 'boolean', default: true },
};
const Book = new EntitySchema({
  name: 'Book', tableName: 'books_of_typeorm', columns,
  relations: { author: { type: 'many-to-one', target: 'Author', onDelete: 'CASCADE', joinColumn: { name: 'author' }, nullable: true } },
});
const Moody = new EntitySchema({
  name: 'Moody', tableName: 'moods_of_typeorm',
  columns: {
    id: { type: 'uuid', primary: true, generated: 'uuid' },
    mood: { type: 'enum', enum: ['calm', 'wild'], default: 'calm' },
    tags: { type: 'text', array: true, default: [] },
  },
});
const Indexed = new EntitySchema({
  name: 'Indexed', tableName: 'indexed_of_typeorm',
  columns: { id: { type: 'int', primary: true }, n: { type: 'int' } }, indices: [{ name: 'indexed_by_n', columns: ['n'] }],
});

class Made1700000000000 {
  name = 'Made1700000000000';

  async up(runner) {
    await runner.createTable(new Table({ name: 'made_of_typeorm', columns: [{ name: 'id', type: 'int', isPrimary: true, isGenerated: true, generationStrategy: 'increment' }] }));
    await runner.addColumn('made_of_typeorm', new TableColumn({ name: 'a', type: 'varchar', length: '10', isNullable: true }));
  }

  async down(runner) {
    await runner.dropTable('made_of_typeorm');
  }
}

const connect = (entities, more = {}) => new DataSource({
  type: 'postgres', host: process.env.PGHOST, port: Number(process.env.PGPORT), username: process.env.PGUSER, password: process.env.PGPASSWORD,
  database: process.env.PGDATABASE, ssl: tls(), entities, migrations: [Made1700000000000], ...more,
}).initialize();

let source;
const parts = {
  async values() {
    for (const value of list()) {
      const get = async () => (await source.query(`SELECT format('%s', ${value.sql}) AS text`))[0].text;
      await checks.value(value, 'text', get);
    }
  },

  async synchronizing() {
    await source.synchronize(true);
    const log = await source.driver.createSchemaBuilder().log();
    checks.equal('nothing left to change', log.upQueries.map((it) => it.query), []);
  },

  async migrating() {
    checks.equal('migrated', (await source.runMigrations()).map((it) => it.name), ['Made1700000000000']);
    checks.equal('pending', await source.showMigrations(), false);
    await source.undoLastMigration();
    checks.equal('undone', await source.createQueryRunner().hasTable('made_of_typeorm'), false);
  },

  async describing() {
    const runner = source.createQueryRunner();
    const table = await runner.getTable('books_of_typeorm');
    checks.equal('columns', table.columns.map((it) => `${it.name} ${it.type} ${it.isNullable}`), ['id bigint false', 'title text true', 'price numeric true',
      'weight double precision true', 'at timestamp with time zone false', 'changed timestamp without time zone false', 'day date true', 'mark uuid false',
      'raw bytea true', 'facts jsonb true', 'kept boolean false', 'author integer true']);
    const [id, title, price] = table.columns;
    checks.equal('column', [id.isPrimary, id.isGenerated, title.comment, price.precision, price.scale], [true, true, 'as on the cover', 38, 10]);
    checks.equal('keys', table.foreignKeys.map((it) => [it.columnNames, it.referencedTableName, it.onDelete]), [[['author'], 'authors_of_typeorm', 'CASCADE']]);
    const authors = await runner.getTable('authors_of_typeorm');
    checks.equal('uniques', authors.uniques.map((it) => it.columnNames), [['name']]);
    checks.equal('has', [await runner.hasColumn('books_of_typeorm', 'title'), await runner.hasSchema('nowhere'), await runner.getCurrentSchema()], [true, false, 'public']);
    await runner.release();
  },

  async altering() {
    const runner = source.createQueryRunner();
    const id = { name: 'id', type: 'int', isPrimary: true };
    await runner.createTable(new Table({ name: 'changing_of_typeorm', columns: [id, { name: 'a', type: 'varchar', length: '10', default: "'x'" }] }), true);
    await runner.query('INSERT INTO changing_of_typeorm (id) VALUES (1)');
    await runner.addColumn('changing_of_typeorm', new TableColumn({ name: 'b', type: 'int', default: 7 }));
    await runner.renameColumn('changing_of_typeorm', 'a', 'renamed');
    await runner.createUniqueConstraint('changing_of_typeorm', new TableUnique({ name: 'both', columnNames: ['renamed', 'b'] }));
    const key = { name: 'to_authors', columnNames: ['b'], referencedTableName: 'authors_of_typeorm', referencedColumnNames: ['id'] };
    checks.equal('foreign key', await failure(runner.createForeignKey('changing_of_typeorm', new TableForeignKey(key))), '23503');
    await runner.dropUniqueConstraint('changing_of_typeorm', 'both');
    const [, renamed] = (await runner.getTable('changing_of_typeorm')).columns;
    const wider = renamed.clone();
    wider.type = 'text';
    wider.length = '';
    wider.isNullable = true;
    await runner.changeColumn('changing_of_typeorm', renamed, wider);
    checks.equal('row', await runner.query('SELECT id, b FROM changing_of_typeorm'), [{ id: 1, b: 7 }]);
    await runner.dropColumn('changing_of_typeorm', 'b');
    await runner.dropTable('changing_of_typeorm');
    await runner.release();
  },

  async enumsAndArrays() {
    const moody = await connect([Moody]);
    await moody.synchronize();
    const kept = await moody.getRepository('Moody').save({ tags: ['x', 'y,z'] });
    checks.equal('enum', [kept.mood, (await moody.getRepository('Moody').findOneBy({ mood: 'calm' })).tags], ['calm', ['x', 'y,z']]);
    checks.equal('nothing left', (await moody.driver.createSchemaBuilder().log()).upQueries.map((it) => it.query), []);
    await moody.query('DROP TABLE moods_of_typeorm; DROP TYPE moods_of_typeorm_mood_enum');
    await moody.destroy();
  },

  async indexes() {
    const indexed = await connect([Indexed]);
    await indexed.synchronize();
    const runner = indexed.createQueryRunner();
    checks.equal('indexes', (await runner.getTable('indexed_of_typeorm')).indices.map((it) => [it.name, it.columnNames]), [['indexed_by_n', ['n']]]);
    await runner.dropTable('indexed_of_typeorm');
    await indexed.destroy();
  },

  async writing() {
    const authors = source.getRepository('Author'), books = source.getRepository('Book');
    const [ann, bo] = await authors.save([{ name: 'Ann' }, { name: 'Bo' }]);
    checks.equal('ids', [ann.id, bo.id], [1, 2]);
    const book = { title: 'ü', price: '1234567890123456789012345678.0123456789', weight: 0.1, day: '2024-02-29', raw: Buffer.from([0, 255]), facts: { a: [1, null] } };
    const saved = await books.save({ ...book, author: ann });
    checks.equal('generated', [saved.id, saved.mark.length, saved.kept, saved.at instanceof Date], ['1', 36, true, true]);
    const found = await books.findOneBy({ id: '1' });
    checks.equal('row', Object.fromEntries(Object.keys(book).map((name) => [name, found[name]])), book);
    await books.insert([...Array(250).keys()].map((n) => ({ title: `n${n}`, weight: n, author: bo })));
    found.title = 'changed';
    checks.equal('updated', (await books.save(found)).title, 'changed');
    await authors.upsert({ name: 'Ann' }, ['name']);
    checks.equal('upserted', await authors.countBy({ name: 'Ann' }), 1);
    checks.equal('saved', (await authors.save({ id: 1, name: 'Anna' })).name, 'Anna');
    checks.equal('changed', (await books.update({ weight: MoreThan(199) }, { kept: false })).affected, 50);
    checks.equal('deleted', (await books.delete({ title: In(['n248', 'n249']) })).affected, 2);
    await books.increment({ id: '1' }, 'weight', 2);
    checks.equal('duplicate', await failure(authors.insert({ name: 'Bo' })), '23505');
  },

  async reading() {
    const authors = source.getRepository('Author'), books = source.getRepository('Book');
    const [anna] = await authors.find({ relations: { books: true }, order: { id: 'ASC' } });
    checks.equal('relations', anna.books.map((it) => it.weight), [2.1]);
    const [page, total] = await books.findAndCount({ where: { author: { name: 'Bo' } }, order: { weight: 'DESC' }, skip: 2, take: 3 });
    checks.equal('page', [page.map((it) => it.title), total], [['n245', 'n244', 'n243'], 248]);
    const grouped = books.createQueryBuilder('b').innerJoin('b.author', 'a').select('a.name', 'name').addSelect('count(*)', 'n').addSelect('sum(b.weight)', 'sum');
    checks.equal('grouped', await grouped.groupBy('a.name').having('count(*) > :n', { n: 1 }).getRawMany(), [{ name: 'Bo', n: '248', sum: 30628 }]);
    const joined = await authors.createQueryBuilder('a').leftJoinAndSelect('a.books', 'b', 'b.weight < :w', { w: 3 }).orderBy('a.id').addOrderBy('b.weight').take(5).getMany();
    checks.equal('joined', joined.map((it) => it.books.length), [1, 3]);
    checks.equal('exists', await books.existsBy({ title: 'n7' }), true);
    checks.equal('sum', await books.sum('weight', { kept: false }), 10728);
    const stream = await books.createQueryBuilder('b').select('b.weight', 'weight').stream();
    let sum = 0;
    for await (const row of stream) sum += row.weight;
    checks.equal('streamed', sum, 30630.1);
    checks.equal('no table', await failure(source.query('SELECT * FROM nowhere')), '42P01');
  },

  async locking() {
    const find = (manager) => manager.createQueryBuilder('Author', 'a').setLock('pessimistic_write').where({ name: 'Bo' }).getOne();
    checks.equal('locked', (await source.transaction(find)).name, 'Bo');
  },

  async transactions() {
    const authors = source.getRepository('Author');
    const broken = source.transaction(async (outer) => {
      await outer.save('Author', { name: 'Di' });
      checks.equal('inner', await failure(outer.transaction((inner) => inner.insert('Author', { name: 'Di' }))), '23505');
      throw new Error('enough');
    });
    checks.equal('rolled back', await failure(broken), 'enough');
    await source.transaction('REPEATABLE READ', (manager) => manager.save('Author', { name: 'Ed' }));
    checks.equal('rows', (await authors.find({ order: { name: 'ASC' } })).map((it) => it.name), ['Anna', 'Bo', 'Ed']);
    await source.dropDatabase();
    checks.equal('dropped', await source.createQueryRunner().hasTable('authors_of_typeorm'), false);
  },
};

async function session() {
  // Without the extension uuid-ossp, which TypeORM else takes.
  source = await connect([Author, Book], { uuidExtension: 'pgcrypto' });
  for (const [name, part] of Object.entries(parts)) await checks.part(name, part);
  await source.destroy();
  checks.done();
}

session();
