-- What drivers are asked about: relations of the kinds that both servers have, with keys, defaults, comments, and columns of
-- every type that drivers know by name.
SET client_min_messages TO warning;
DROP SCHEMA IF EXISTS store CASCADE;
CREATE SCHEMA store;
COMMENT ON SCHEMA store IS 'where things are kept';
CREATE TYPE store.state AS ENUM ('new', 'paid', 'shipped');
COMMENT ON TYPE store.state IS 'how far it has come';
CREATE DOMAIN store.mail AS varchar(80) NOT NULL;
CREATE DOMAIN store.amount AS numeric(14,4);
CREATE TYPE store.place AS (street text, city varchar(40), number integer, prices numeric(10,2)[]);
CREATE SEQUENCE store.numbers START WITH 7 INCREMENT BY 3;
CREATE TABLE store.customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name varchar(100) NOT NULL,
    mail store.mail UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    tags text[],
    facts jsonb,
    state store.state DEFAULT 'new',
    home store.place
);
COMMENT ON TABLE store.customers IS 'People who buy';
COMMENT ON COLUMN store.customers.name IS 'Full name';
CREATE TABLE store.orders (
    id serial PRIMARY KEY,
    customer bigint NOT NULL CONSTRAINT orders_customer REFERENCES store.customers (id) ON DELETE CASCADE,
    quantity integer DEFAULT 1 CHECK (quantity > 0),
    doubled integer GENERATED ALWAYS AS (quantity * 2) STORED,
    at timestamp(3) DEFAULT CURRENT_TIMESTAMP,
    price store.amount,
    CONSTRAINT orders_customer_at UNIQUE (customer, at)
);
CREATE TABLE store.parts (
    "order" integer CONSTRAINT parts_order REFERENCES store.orders (id) ON UPDATE SET NULL,
    line smallint,
    note text DEFAULT 'none',
    PRIMARY KEY ("order", line)
);
CREATE TABLE store.pairs (
    "order" integer,
    line smallint,
    CONSTRAINT pairs_parts FOREIGN KEY ("order", line) REFERENCES store.parts ("order", line)
);
CREATE TABLE store."Odd name" (" a" integer, "select" text, "100%_\" text);
CREATE VIEW store.names AS SELECT id, name, upper(name) AS upper FROM store.customers;
COMMENT ON VIEW store.names IS 'only names';
CREATE TABLE store.kinds (
    a_bool boolean,
    a_char "char",
    a_name name,
    a_small smallint,
    an_integer integer,
    a_big bigint,
    an_oid oid,
    a_real real,
    a_double double precision,
    a_numeric numeric,
    a_numeric_20 numeric(20),
    a_numeric_38_10 numeric(38,10),
    a_text text,
    a_varchar varchar,
    a_varchar_20 varchar(20),
    a_character char,
    a_character_5 char(5),
    a_bytea bytea,
    a_date date,
    a_time time,
    a_time_3 time(3),
    a_timetz timetz,
    a_timestamp timestamp,
    a_timestamp_0 timestamp(0),
    a_timestamptz timestamptz,
    a_timestamptz_6 timestamptz(6),
    an_interval interval,
    a_uuid uuid,
    a_json json,
    a_jsonb jsonb,
    integers integer[],
    varchars varchar(7)[],
    numerics numeric(9,3)[],
    states store.state[]
);
