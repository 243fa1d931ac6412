-- What psql describes: relations, types and roles of every kind that both servers have, with what is said about them. What
-- is written is in the form in which PostgreSQL shows it.
CREATE SCHEMA shop;
COMMENT ON SCHEMA shop IS 'where things are sold';
CREATE TYPE shop.status AS ENUM ('new', 'paid', 'shipped');
COMMENT ON TYPE shop.status IS 'how far it has come';
CREATE DOMAIN shop.email AS text NOT NULL CONSTRAINT email_check CHECK (VALUE IS NOT NULL);
CREATE TYPE shop.address AS (street text, city varchar(40));
CREATE SEQUENCE shop.numbers START WITH 7 INCREMENT BY 3 MAXVALUE 1000 CYCLE;
CREATE TABLE shop.customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name varchar(100) NOT NULL,
    email shop.email UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    tags text[],
    attributes jsonb,
    status shop.status
);
COMMENT ON TABLE shop.customers IS 'People who buy';
COMMENT ON COLUMN shop.customers.name IS 'Full name';
COMMENT ON CONSTRAINT customers_pkey ON shop.customers IS 'who';
CREATE TABLE shop.orders (
    id serial PRIMARY KEY,
    customer bigint NOT NULL REFERENCES shop.customers (id) ON DELETE CASCADE,
    quantity integer DEFAULT 1 CHECK (quantity > 0),
    doubled integer GENERATED ALWAYS AS (quantity * 2) STORED,
    at timestamp(3) DEFAULT CURRENT_TIMESTAMP,
    price numeric(14,4),
    CONSTRAINT orders_customer_at_key UNIQUE (customer, at)
);
CREATE TABLE shop.parts (n integer, m integer, PRIMARY KEY (n, m), FOREIGN KEY (n) REFERENCES shop.orders (id));
CREATE TABLE shop."Odd name" (" a" integer, "select" text);
CREATE VIEW shop.names AS SELECT id, name FROM shop.customers;
COMMENT ON VIEW shop.names IS 'only names';
CREATE ROLE psql_analyst NOLOGIN;
CREATE ROLE psql_eva LOGIN CONNECTION LIMIT 3 VALID UNTIL '2030-01-01 00:00:00+00';
