-- What recorded statements ask about: the relations of the database in which they were recorded, with few rows. What follows
-- "unless" takes the place of what a server without that kind of object has refused.
SET client_min_messages TO warning;
DROP SCHEMA IF EXISTS analytics CASCADE;
DROP TABLE IF EXISTS public.order_items, public.orders, public.products, public.customers CASCADE;
DROP TYPE IF EXISTS public.order_status, public.addr;
DROP DOMAIN IF EXISTS public.email;

CREATE SCHEMA analytics;
CREATE TYPE public.order_status AS ENUM ('new', 'paid', 'shipped', 'returned');
CREATE DOMAIN public.email AS text CHECK (VALUE ~ '@');
CREATE TYPE public.addr AS (street text, city text, zip varchar(10));

CREATE TABLE public.customers (
    customer_id bigserial PRIMARY KEY,
    name varchar(100) NOT NULL,
    email public.email UNIQUE,
    country char(2) DEFAULT 'GB',
    created_at timestamptz NOT NULL DEFAULT now(),
    birthday date,
    tags text[],
    attrs jsonb,
    home public.addr,
    vip boolean DEFAULT false
);
COMMENT ON TABLE public.customers IS 'People who buy';
COMMENT ON COLUMN public.customers.name IS 'Full name';

CREATE TABLE public.products (
    product_id integer PRIMARY KEY,
    sku uuid DEFAULT gen_random_uuid(),
    title text NOT NULL,
    price numeric(12,2) CHECK (price >= 0),
    weight real,
    volume double precision,
    stock smallint,
    discontinued boolean
);

CREATE TABLE public.orders (
    order_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES public.customers (customer_id) ON DELETE CASCADE,
    status public.order_status NOT NULL DEFAULT 'new',
    ordered_at timestamp NOT NULL,
    total numeric(14,4),
    note text,
    t_of_day time,
    dur interval,
    raw bytea,
    ip inet
);
-- unless columns of inet are possible
CREATE TABLE IF NOT EXISTS public.orders (
    order_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES public.customers (customer_id) ON DELETE CASCADE,
    status public.order_status NOT NULL DEFAULT 'new',
    ordered_at timestamp NOT NULL,
    total numeric(14,4),
    note text,
    t_of_day time,
    dur interval,
    raw bytea,
    ip text
);
CREATE INDEX orders_customer_idx ON public.orders (customer_id, ordered_at DESC);
CREATE INDEX orders_total_part ON public.orders (total) WHERE total > 100;

CREATE TABLE public.order_items (
    order_id bigint REFERENCES public.orders,
    line integer,
    product_id integer REFERENCES public.products (product_id),
    qty integer NOT NULL,
    price numeric(12,2),
    PRIMARY KEY (order_id, line)
);

CREATE TABLE analytics.events (event_date date NOT NULL, event_id bigint, user_id bigint, kind text, payload jsonb)
    PARTITION BY RANGE (event_date);
CREATE TABLE analytics.events_2024 PARTITION OF analytics.events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE analytics.events_2025 PARTITION OF analytics.events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- unless partitions are possible
CREATE TABLE IF NOT EXISTS analytics.events (event_date date NOT NULL, event_id bigint, user_id bigint, kind text, payload jsonb);
CREATE TABLE IF NOT EXISTS analytics.events_2024 (event_date date NOT NULL, event_id bigint, user_id bigint, kind text, payload jsonb);
CREATE TABLE IF NOT EXISTS analytics.events_2025 (event_date date NOT NULL, event_id bigint, user_id bigint, kind text, payload jsonb);

INSERT INTO public.customers (name, email, country, birthday, tags, attrs, vip)
    SELECT 'Cust ' || i, 'c' || i || '@example.com', (ARRAY['GB', 'DE', 'FR', 'US'])[1 + i % 4], date '1980-01-01' + i,
        ARRAY['t' || i % 3, 'x'], jsonb_build_object('n', i, 's', 'v' || i), i % 10 = 0
    FROM generate_series(1, 20) AS s(i);
INSERT INTO public.products
    SELECT i, gen_random_uuid(), 'Product ' || i, (i * 1.37)::numeric(12,2), i * 0.5, i * 1.25, i % 100, i % 17 = 0
    FROM generate_series(1, 20) AS s(i);
INSERT INTO public.orders (customer_id, status, ordered_at, total, note, t_of_day, dur, raw, ip)
    SELECT 1 + i % 20, (ARRAY['new', 'paid', 'shipped', 'returned']::public.order_status[])[1 + i % 4],
        timestamp '2024-01-01' + i * interval '37 minutes', (i * 7919 % 100000) / 100.0, CASE WHEN i % 5 = 0 THEN 'note ' || i END,
        time '08:00' + i * interval '1 second', i * interval '1 hour', decode(md5(i::text), 'hex'), '10.0.0.1'
    FROM generate_series(1, 100) AS s(i);
INSERT INTO public.order_items SELECT 1 + i / 3, i % 3, 1 + i % 20, 1 + i % 5, 9.99 FROM generate_series(0, 200) AS s(i);
INSERT INTO analytics.events
    SELECT date '2024-01-01' + (i % 700), i, i % 500, (ARRAY['view', 'click', 'buy'])[1 + i % 3], jsonb_build_object('i', i)
    FROM generate_series(1, 100) AS s(i);

CREATE VIEW analytics.revenue_by_country AS
    SELECT c.country, date_trunc('month', o.ordered_at) AS month, sum(o.total) AS revenue, count(*) AS orders
    FROM public.orders o JOIN public.customers c USING (customer_id) GROUP BY 1, 2;
CREATE MATERIALIZED VIEW analytics.daily AS
    SELECT ordered_at::date AS d, count(*) AS n, sum(total) AS total FROM public.orders GROUP BY 1;
-- unless materialized views are possible
CREATE TABLE IF NOT EXISTS analytics.daily AS
    SELECT ordered_at::date AS d, count(*) AS n, sum(total) AS total FROM public.orders GROUP BY 1;
CREATE UNIQUE INDEX daily_d ON analytics.daily (d);
CREATE SEQUENCE analytics.seq1;
CREATE FUNCTION analytics.add_tax(amount numeric, rate numeric DEFAULT 0.2) RETURNS numeric
    LANGUAGE sql IMMUTABLE AS $$ SELECT amount * (1 + rate) $$;
CREATE PROCEDURE analytics.refresh()
    LANGUAGE plpgsql AS $$ BEGIN REFRESH MATERIALIZED VIEW analytics.daily; END $$;
CREATE EXTENSION IF NOT EXISTS file_fdw;
CREATE SERVER IF NOT EXISTS files FOREIGN DATA WRAPPER file_fdw;
