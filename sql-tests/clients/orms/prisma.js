// A session of Prisma's client over node-pg. Its schema engine (db pull, migrate) cannot be had from the registry.
const { PrismaClient, Prisma } = require('@prisma/client');
const { PrismaPg } = require('@prisma/adapter-pg');
const { Checks, list, tls } = require('../check');

const checks = new Checks();
const prisma = new PrismaClient({
  adapter: new PrismaPg({
    host: process.env.PGHOST, port: Number(process.env.PGPORT), user: process.env.PGUSER, password: process.env.PGPASSWORD,
    database: process.env.PGDATABASE, ssl: tls(),
  }),
});
const failure = (promise) => promise.then(() => null, (error) => error.code ?? error.message);

// As Prisma's migrations write them.
const TABLES = [
  `CREATE TYPE "mood_of_prisma" AS ENUM ('calm', 'wild')`,
  `CREATE TABLE "authors_of_prisma" ("id" SERIAL NOT NULL, "name" VARCHAR(40) NOT NULL, "mood" "mood_of_prisma" NOT NULL DEFAULT 'calm',
    CONSTRAINT "authors_of_prisma_pkey" PRIMARY KEY ("id"))`,
  `CREATE TABLE "books_of_prisma" ("id" BIGSERIAL NOT NULL, "title" TEXT NOT NULL, "price" DECIMAL(38,10), "weight" DOUBLE PRECISION,
    "at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP, "day" DATE, "mark" UUID, "raw" BYTEA, "facts" JSONB, "tags" TEXT[],
    "kept" BOOLEAN NOT NULL DEFAULT true, "author" INTEGER, CONSTRAINT "books_of_prisma_pkey" PRIMARY KEY ("id"))`,
  `ALTER TABLE "authors_of_prisma" ADD CONSTRAINT "authors_of_prisma_name_key" UNIQUE ("name")`,
  `ALTER TABLE "books_of_prisma" ADD CONSTRAINT "books_of_prisma_author_fkey" FOREIGN KEY ("author")
    REFERENCES "authors_of_prisma"("id") ON DELETE CASCADE ON UPDATE CASCADE`,
];

const parts = {
  async values() {
    for (const value of list()) {
      const get = async () => (await prisma.$queryRawUnsafe(`SELECT format('%s', ${value.sql}) AS text`))[0].text;
      await checks.value(value, 'text', get);
    }
  },

  async tables() {
    for (const statement of TABLES) await prisma.$executeRawUnsafe(statement);
  },

  // Prisma's migrations say it so.
  async uniqueIndexes() {
    await prisma.$executeRawUnsafe('CREATE UNIQUE INDEX "unique_of_prisma" ON "books_of_prisma"("mark")');
    await prisma.$executeRawUnsafe('DROP INDEX "unique_of_prisma"');
  },

  async writing() {
    const book = {
      title: 'ü', price: new Prisma.Decimal('1234567890123456789012345678.0123456789'), weight: 0.1, at: new Date('2024-07-01T12:00:00.123Z'),
      day: new Date('2024-02-29'), mark: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', raw: new Uint8Array([0, 255]), facts: { a: [1, null] }, tags: ['x', 'y,z'],
    };
    const ann = await prisma.author.create({ data: { name: 'Ann', books: { create: [book] } }, include: { books: true } });
    const { id, authorId, kept, ...got } = ann.books[0];
    checks.equal('row', JSON.stringify(got), JSON.stringify({ ...book, raw: got.raw }));
    checks.equal('generated', [ann.id, ann.mood, id, authorId, kept, [...got.raw]], [1, 'calm', 1n, 1, true, [0, 255]]);
    const many = await prisma.book.createMany({ data: [...Array(250).keys()].map((n) => ({ title: `n${n}`, weight: n })) });
    checks.equal('many', many.count, 250);
    const returned = await prisma.author.createManyAndReturn({ data: [{ name: 'Bo', mood: 'wild' }, { name: 'Ann' }], skipDuplicates: true });
    checks.equal('returned', returned.map((it) => it.name), ['Bo']);
    const upsert = (name) => prisma.author.upsert({ where: { name }, create: { name }, update: { mood: 'wild' } });
    checks.equal('upserted', [(await upsert('Ann')).mood, (await upsert('Cy')).mood], ['wild', 'calm']);
    checks.equal('updated', (await prisma.book.updateMany({ where: { weight: { gte: 200 } }, data: { kept: false } })).count, 50);
    checks.equal('incremented', (await prisma.book.update({ where: { id: 1n }, data: { weight: { increment: 2 }, tags: { push: 'z' } } })).tags, ['x', 'y,z', 'z']);
    checks.equal('deleted', (await prisma.book.deleteMany({ where: { title: { in: ['n248', 'n249'] } } })).count, 2);
    checks.equal('duplicate', await failure(prisma.author.create({ data: { name: 'Bo' } })), 'P2002');
    checks.equal('nothing', await failure(prisma.book.delete({ where: { id: 9999n } })), 'P2025');
  },

  async reading() {
    const page = await prisma.book.findMany({ where: { weight: { gt: 3 } }, orderBy: [{ weight: 'desc' }, { id: 'asc' }], skip: 2, take: 3, select: { title: true } });
    checks.equal('page', page.map((it) => it.title), ['n245', 'n244', 'n243']);
    const next = await prisma.book.findMany({ cursor: { id: 5n }, take: 2, orderBy: { id: 'asc' }, select: { id: true } });
    checks.equal('cursor', next.map((it) => it.id), [5n, 6n]);
    const grouped = await prisma.book.groupBy({ by: ['kept'], _count: true, _sum: { weight: true }, orderBy: { kept: 'asc' }, having: { weight: { _sum: { gt: 0 } } } });
    checks.equal('grouped', grouped, [{ kept: false, _count: 48, _sum: { weight: 10728 } }, { kept: true, _count: 201, _sum: { weight: 19902.1 } }]);
    const all = await prisma.book.aggregate({ _count: true, _avg: { weight: true }, _max: { title: true } });
    checks.equal('aggregate', [all._count, Math.round(all._avg.weight), all._max.title], [249, 123, 'ü']);
    const some = { author: { name: { startsWith: 'a', mode: 'insensitive' } }, tags: { has: 'x' }, facts: { path: ['a', '0'], equals: 1 } };
    checks.equal('filters', await prisma.book.count({ where: some }), 1);
    const nested = await prisma.author.findMany({ include: { _count: { select: { books: true } } }, orderBy: { books: { _count: 'desc' } }, where: { NOT: { name: 'Cy' } } });
    checks.equal('counted', nested.map((it) => [it.name, it._count.books]), [['Ann', 1], ['Bo', 0]]);
    checks.equal('distinct', (await prisma.book.findMany({ distinct: ['kept'], orderBy: { kept: 'asc' }, select: { kept: true } })).length, 2);
    checks.equal('raw', await prisma.$queryRaw`SELECT ${1}::int + 1 AS n, ${'x'} AS t, ${new Date(0)}::timestamptz IS NULL AS nothing`, [{ n: 2, t: 'x', nothing: false }]);
    checks.equal('no table', (await prisma.$queryRaw`SELECT * FROM nowhere`.catch((error) => error.meta?.driverAdapterError?.cause?.originalCode ?? error.meta?.code)), '42P01');
  },

  async transactions() {
    const both = await prisma.$transaction([prisma.author.count(), prisma.book.count()]);
    checks.equal('batch', both, [3, 249]);
    const broken = prisma.$transaction(async (inner) => {
      await inner.author.create({ data: { name: 'Di' } });
      throw new Error('enough');
    });
    checks.equal('rolled back', await failure(broken), 'enough');
    await prisma.$transaction((inner) => inner.author.create({ data: { name: 'Ed' } }), { isolationLevel: 'RepeatableRead' });
    checks.equal('rows', (await prisma.author.findMany({ orderBy: { name: 'asc' } })).map((it) => it.name), ['Ann', 'Bo', 'Cy', 'Ed']);
    await prisma.author.delete({ where: { name: 'Cy' } });
    checks.equal('deleted', await prisma.author.count(), 3);
    await prisma.$executeRawUnsafe('DROP TABLE "books_of_prisma", "authors_of_prisma"');
    await prisma.$executeRawUnsafe('DROP TYPE "mood_of_prisma"');
  },
};

async function session() {
  for (const [name, part] of Object.entries(parts)) await checks.part(name, part);
  await prisma.$disconnect();
  checks.done();
}

session();
