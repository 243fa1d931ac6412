// What the sessions of node share: the list of values, and checks that are counted.
const fs = require('node:fs');
const { isDeepStrictEqual } = require('node:util');

// Runs until it is cancelled.
exports.ENDLESS = 'SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b';

exports.tls = () => ({ ca: fs.readFileSync(process.env.PGSSLROOTCERT), rejectUnauthorized: true });

exports.list = () =>
  fs.readFileSync(process.env.CLIENTS_VALUES, 'utf8').split('\n').filter((line) => line && !line.startsWith('#')).map((line) => {
    const [name, type, sql, text] = line.split('\t');
    return { name, type, sql, text };
  });

exports.Checks = class {
  count = 0;
  failures = 0;

  equal(name, got, expected) {
    this.count++;
    if (!isDeepStrictEqual(got, expected)) this.fail(name, `${JSON.stringify(got)} instead of ${JSON.stringify(expected)}`);
  }

  fail(name, message) {
    this.failures++;
    console.log(`FAIL ${name}: ${message}`.replaceAll('\n', ' '));
  }

  // Checks what a function answers about a value; without more, the value's text.
  async value(value, how, get, expected = value.text) {
    const name = `${value.name}, ${how}`;
    try {
      this.equal(name, await get(), expected);
    } catch (error) {
      this.count++;
      this.fail(name, error.message);
    }
  }

  // One subject of the session. That it breaks off is a failure, and the next one follows.
  async part(name, run) {
    try {
      await run();
    } catch (error) {
      this.count++;
      this.fail(name, error.stack.split('\n').slice(0, 3).join(' '));
    }
  }

  done() {
    console.log(`checks ${this.count}, failures ${this.failures}`);
  }
};
