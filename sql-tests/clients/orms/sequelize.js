// A session of Sequelize: models that it makes and alters tables of, associations, what it asks of the catalog, migrations' steps.
const { DataTypes, Op, Sequelize, Transaction } = require('sequelize');
const { Checks, list, tls } = require('../check');

const checks = new Checks();
const sequelize = new Sequelize(process.env.PGDATABASE, process.env.PGUSER, process.env.PGPASSWORD, {
  dialect: 'postgres', host: process.env.PGHOST, port: process.env.PGPORT, dialectOptions: { ssl: tls() }, logging: false,
});
const steps = sequelize.getQueryInterface();

const failure = (promise) => promise.then(() => null, (error) => error.original?.code ?? error.message);

const Author = sequelize.define('author', { name: { type: DataTypes.STRING(40), allowNull: false, unique: true } }, { tableName: 'authors_of_sequelize' });
const Book = sequelize.define('book', {
  id: { type: DataTypes.BIGINT, primaryKey: true, autoIncrement: true },
  title: { type: DataTypes.TEXT, comment: 'as on the cover' },
  price: DataTypes.DECIMAL(38, 10),
  weight: DataTypes.DOUBLE,
  at: DataTypes.DATE,
  day: DataTypes.DATEONLY,
  mark: { type: DataTypes.UUID, defaultValue: DataTypes.UUIDV4 },
  raw: DataTypes.BLOB,
  facts: DataTypes.JSONB,
  tags: DataTypes.ARRAY(DataTypes.TEXT),
  kept: { type: DataTypes.BOOLEAN, defaultValue: true },
}, { tableName: 'books_of_sequelize', timestamps: false });
Author.hasMany(Book, { foreignKey: 'authorId', onDelete: 'CASCADE' });
Book.belongsTo(Author, { foreignKey: 'authorId' });

const parts = {
  async values() {
    for (const value of list()) {
      const get = async () => (await sequelize.query(`SELECT format('%s', ${value.sql}) AS text`))[0][0].text;
      await checks.value(value, 'text', get);
    }
  },

  async synchronizing() {
    await sequelize.authenticate();
    await sequelize.sync({ force: true });
    checks.equal('tables', (await steps.showAllTables()).filter((it) => it.endsWith('_of_sequelize')).sort(), ['authors_of_sequelize', 'books_of_sequelize']);
    await Author.sync();
    await Book.sync({ alter: true });
  },

  async describing() {
    const columns = await steps.describeTable('books_of_sequelize');
    checks.equal('column', columns.title, { type: 'TEXT', allowNull: true, defaultValue: null, comment: 'as on the cover', special: [], primaryKey: false });
    checks.equal('columns', Object.keys(columns), ['id', 'title', 'price', 'weight', 'at', 'day', 'mark', 'raw', 'facts', 'tags', 'kept', 'authorId']);
    checks.equal('types', Object.values(columns).map((it) => it.type), ['BIGINT', 'TEXT', 'NUMERIC', 'DOUBLE PRECISION', 'TIMESTAMP WITH TIME ZONE',
      'DATE', 'UUID', 'BYTEA', 'JSONB', 'ARRAY', 'BOOLEAN', 'INTEGER']);
    checks.equal('keys', [columns.id.primaryKey, columns.kept.defaultValue], [true, true]);
    const indexes = await steps.showIndex('authors_of_sequelize');
    checks.equal('indexes', indexes.map((it) => [it.name, it.primary, it.unique, it.fields.map((field) => field.attribute)]).sort(),
      [['authors_of_sequelize_name_key', false, true, ['name']], ['authors_of_sequelize_pkey', true, true, ['id']]]);
    const [reference] = await steps.getForeignKeyReferencesForTable('books_of_sequelize');
    checks.equal('reference', [reference.columnName, reference.referencedTableName, reference.referencedColumnName], ['authorId', 'authors_of_sequelize', 'id']);
    const constraints = await steps.showConstraint('books_of_sequelize');
    checks.equal('constraints', constraints.map((it) => it.constraintType).sort(), ['CHECK', 'FOREIGN KEY', 'PRIMARY KEY']);
    checks.equal('version', /^15/.test(await sequelize.databaseVersion()), true);
    checks.equal('schemas', await steps.showAllSchemas().then((all) => all.includes('pg_catalog')), false);
  },

  async altering() {
    await steps.createTable('changing_of_sequelize', { id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true }, a: DataTypes.STRING(10) });
    await steps.bulkInsert('changing_of_sequelize', [{ a: 'x' }, { a: 'y' }]);
    await steps.addColumn('changing_of_sequelize', 'b', { type: DataTypes.INTEGER, allowNull: false, defaultValue: 7 });
    await steps.renameColumn('changing_of_sequelize', 'a', 'renamed');
    await steps.changeColumn('changing_of_sequelize', 'renamed', { type: DataTypes.TEXT, allowNull: false, defaultValue: 'none' });
    await steps.addConstraint('changing_of_sequelize', { type: 'unique', fields: ['renamed', 'b'], name: 'both' });
    await steps.addConstraint('changing_of_sequelize', { type: 'check', fields: ['b'], name: 'positive', where: { b: { [Op.gt]: 0 } } });
    const insert = (row) => failure(steps.bulkInsert('changing_of_sequelize', [row]));
    checks.equal('duplicate', await insert({ renamed: 'x' }), '23505');
    checks.equal('check', await insert({ b: -1 }), '23514');
    await steps.removeConstraint('changing_of_sequelize', 'both');
    const columns = await steps.describeTable('changing_of_sequelize');
    checks.equal('changed', columns.renamed, { type: 'TEXT', allowNull: false, defaultValue: 'none', comment: null, special: [], primaryKey: false });
    await steps.removeColumn('changing_of_sequelize', 'b');
    await steps.renameTable('changing_of_sequelize', 'changed_of_sequelize');
    checks.equal('rows', await steps.select(null, 'changed_of_sequelize', { raw: true, order: ['id'] }), [{ id: 1, renamed: 'x' }, { id: 2, renamed: 'y' }]);
    await steps.dropTable('changed_of_sequelize');
  },

  async indexes() {
    await steps.addIndex('books_of_sequelize', ['title', { name: 'weight', order: 'DESC' }], { name: 'by_title' });
    checks.equal('index', (await steps.showIndex('books_of_sequelize')).map((it) => it.name).sort(), ['books_of_sequelize_pkey', 'by_title']);
    await steps.removeIndex('books_of_sequelize', 'by_title');
  },

  async enums() {
    const Mood = sequelize.define('mood', { mood: { type: DataTypes.ENUM('calm', 'wild'), defaultValue: 'calm' } }, { tableName: 'moods_of_sequelize', timestamps: false });
    await Mood.sync({ force: true });
    checks.equal('enum', (await Mood.create({})).mood, 'calm');
    checks.equal('values', (await steps.describeTable('moods_of_sequelize')).mood.special, ['calm', 'wild']);
    await Mood.sync({ alter: true });
    await Mood.drop({});
  },

  async writing() {
    const ann = await Author.create({ name: 'Ann' });
    checks.equal('id', ann.id, 1);
    const book = {
      title: 'ü', price: '1234567890123456789012345678.0123456789', weight: 0.1, at: new Date('2024-07-01T12:00:00Z'), day: '2024-02-29',
      raw: Buffer.from([0, 255]), facts: { a: [1, null] }, tags: ['x', null, 'y,z'],
    };
    const { id } = await ann.createBook(book);
    const found = await Book.findByPk(id, { raw: true });
    checks.equal('row', Object.fromEntries(Object.keys(book).map((name) => [name, found[name]])), book);
    await Book.bulkCreate([...Array(250).keys()].map((n) => ({ title: `n${n}`, weight: n })), { returning: false });
    const [bo, created] = await Author.findCreateFind({ where: { name: 'Bo' } });
    checks.equal('created', [bo.name, created], ['Bo', true]);
    const [upserted] = await Author.upsert({ id: 1, name: 'Anna' });
    checks.equal('upserted', upserted.name, 'Anna');
    checks.equal('updated', await Book.update({ kept: false }, { where: { weight: { [Op.gte]: 200 } } }), [50]);
    checks.equal('deleted', await Book.destroy({ where: { title: { [Op.in]: ['n248', 'n249'] } } }), 2);
    await Book.increment({ weight: 2 }, { where: { id } });
    checks.equal('duplicate', await failure(Author.create({ name: 'Bo' })), '23505');
  },

  async reading() {
    const [anna] = await Author.findAll({ include: { model: Book, where: { kept: true } }, order: ['id'] });
    checks.equal('included', anna.books.map((it) => it.weight), [2.1]);
    checks.equal('count', await Book.count({ where: { [Op.or]: [{ title: { [Op.iLike]: 'N1_' } }, { weight: 5 }] } }), 11);
    const { count, rows } = await Book.findAndCountAll({ limit: 3, offset: 2, order: [['weight', 'DESC'], ['id', 'ASC']] });
    checks.equal('page', [count, rows.map((it) => it.title)], [249, ['n245', 'n244', 'n243']]);
    const grouped = await Book.findAll({
      attributes: ['kept', [sequelize.fn('COUNT', sequelize.col('id')), 'n'], [sequelize.fn('SUM', sequelize.col('weight')), 'sum']],
      group: ['kept'], order: ['kept'], raw: true,
    });
    checks.equal('grouped', grouped, [{ kept: false, n: '48', sum: 10728 }, { kept: true, n: '201', sum: 19902.1 }]);
    checks.equal('aggregates', [await Book.max('weight'), await Book.min('weight')], [247, 0]);
    checks.equal('JSON', await Book.count({ where: { facts: { [Op.contains]: { a: [1] } } } }), 1);
    checks.equal('array', await Book.count({ where: { tags: { [Op.contains]: ['x'] } } }), 1);
    const replaced = await sequelize.query('SELECT :n::int + 1 AS n', { replacements: { n: 1 }, type: 'SELECT' });
    const bound = await sequelize.query('SELECT $1::int + 1 AS n', { bind: [2], type: 'SELECT' });
    checks.equal('raw', [replaced, bound], [[{ n: 2 }], [{ n: 3 }]]);
    checks.equal('no table', await failure(sequelize.query('SELECT * FROM nowhere')), '42P01');
  },

  // By a temporary function in PL/pgSQL, which Sequelize makes for it.
  async findingOrCreating() {
    const [, created] = await Author.findOrCreate({ where: { name: 'Fay' } });
    checks.equal('created', created, true);
    await Author.destroy({ where: { name: 'Fay' } });
  },

  async locking() {
    const find = (transaction) => Author.findOne({ where: { name: 'Bo' }, lock: transaction.LOCK.UPDATE, transaction });
    checks.equal('locked', (await sequelize.transaction(find)).name, 'Bo');
  },

  async transactions() {
    const broken = sequelize.transaction(async (transaction) => {
      await Author.create({ name: 'Di' }, { transaction });
      const inner = await sequelize.transaction({ transaction });
      checks.equal('inner', await failure(Author.create({ name: 'Di' }, { transaction: inner })), '23505');
      await inner.rollback();
      throw new Error('enough');
    });
    checks.equal('rolled back', await failure(broken), 'enough');
    await sequelize.transaction({ isolationLevel: Transaction.ISOLATION_LEVELS.REPEATABLE_READ }, (transaction) => Author.create({ name: 'Ed' }, { transaction }));
    checks.equal('rows', (await Author.findAll({ order: ['name'] })).map((it) => it.name), ['Anna', 'Bo', 'Ed']);
    await Author.destroy({ where: { name: 'Ed' } });
    checks.equal('deleted', await Author.count(), 2);
    await Book.truncate({ restartIdentity: true });
    checks.equal('truncated', (await Book.create({})).id, '1');
    await sequelize.drop({});
    checks.equal('dropped', (await steps.showAllTables()).filter((it) => it.endsWith('_of_sequelize')), []);
  },
};

async function session() {
  for (const [name, part] of Object.entries(parts)) await checks.part(name, () => part().catch((error) => { throw error.original ?? error; }));
  await sequelize.close();
  checks.done();
}

session();
