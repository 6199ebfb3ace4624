-- uuid_v7(): the layout of RFC 9562, the clock's time in it, an order that always rises within a session, and the
-- default of both tables.
SET client_min_messages = warning;
CREATE SCHEMA discovery_uuid;
CREATE EXTENSION discovery SCHEMA discovery_uuid;
SET search_path = discovery_uuid;

-- The clock in milliseconds. It is read before and after the first UUID, when no UUID is ahead of the clock yet.
CREATE FUNCTION milliseconds(at timestamptz) RETURNS bigint LANGUAGE sql AS
    $$ SELECT floor(extract(epoch FROM at) * 1000)::bigint $$;
CREATE FUNCTION milliseconds(id uuid) RETURNS bigint LANGUAGE sql AS
    $$ SELECT ('x' || substr(replace(id::text, '-', ''), 1, 12))::bit(48)::bigint $$;
SELECT clock_timestamp() AS before \gset
SELECT uuid_v7() AS id \gset
SELECT milliseconds(:'id'::uuid) BETWEEN milliseconds(:'before'::timestamptz) AND milliseconds(clock_timestamp())
    AS has_the_time;

CREATE TABLE made AS
    SELECT n, uuid_v7() AS id FROM generate_series(1, 20000) AS n;
SELECT count(*) AS made,
       count(DISTINCT id) AS distinct_ids,
       count(*) FILTER (WHERE id::text ~ '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$')
           AS of_version_7
    FROM made;
-- More UUIDs than the counter of one millisecond holds, all in order.
SELECT count(*) AS out_of_order
    FROM (SELECT id, lag(id) OVER (ORDER BY n) AS previous FROM made) AS pair WHERE id <= previous;
SELECT count(DISTINCT substr(id::text, 20)) AS distinct_random_parts FROM made;

-- UUIDs go on rising in the next statement, and after a ROLLBACK.
SELECT uuid_v7() > (SELECT id FROM made ORDER BY id DESC LIMIT 1) AS rises;
BEGIN;
SELECT uuid_v7() AS inside \gset
ROLLBACK;
SELECT uuid_v7() > :'inside' AS rises;
-- Two calls in one row give two UUIDs.
SELECT uuid_v7() < uuid_v7() AS rises;
SELECT provolatile, proparallel FROM pg_proc WHERE oid = 'uuid_v7()'::regprocedure;

-- The default of both tables, also for a role that may not use the extension's schema; an id that the client gives is
-- kept.
CREATE SCHEMA discovery_shop;
DO $$ BEGIN PERFORM discovery_create_store('discovery_shop'); END $$;
CREATE ROLE regress_discovery_writer;
GRANT USAGE ON SCHEMA discovery_shop TO regress_discovery_writer;
GRANT INSERT, SELECT ON discovery_shop.notebooks, discovery_shop.sources TO regress_discovery_writer;
SET ROLE regress_discovery_writer;
SET search_path = discovery_shop;
INSERT INTO notebooks (name) VALUES ('first'), ('second');
INSERT INTO notebooks (id, name) VALUES ('11111111-1111-4111-8111-111111111111', 'given');
INSERT INTO sources (notebook_id, name, source_type) SELECT id, 'made', 'text' FROM notebooks WHERE name = 'first';
RESET ROLE;
SELECT name, substr(id::text, 15, 1) AS version FROM notebooks ORDER BY name;
SELECT name, substr(id::text, 15, 1) AS version FROM sources;
SELECT (SELECT id FROM notebooks WHERE name = 'first') < (SELECT id FROM notebooks WHERE name = 'second') AS in_order;

RESET search_path;
DROP SCHEMA discovery_shop, discovery_uuid CASCADE;
DROP ROLE regress_discovery_writer;
