-- Where a store cannot be created or dropped: each case has an error of its own, which says what is wrong and what to
-- do, and nothing is changed.
SET client_min_messages = warning;
-- A superuser with a fixed name, because errors print it.
CREATE ROLE regress_discovery_dba SUPERUSER;
CREATE DATABASE regress_discovery_errors OWNER regress_discovery_dba;
\set current :DBNAME
\c regress_discovery_errors
SET client_min_messages = warning;
SET SESSION AUTHORIZATION regress_discovery_dba;
CREATE ROLE regress_discovery_other;
CREATE EXTENSION discovery VERSION '1.0';
CREATE SCHEMA mine;
SELECT discovery_create_store('mine');
INSERT INTO mine.notebooks (id, name) VALUES ('00000000-0000-0000-0000-00000000000a', 'kept');
INSERT INTO mine.sources (id, notebook_id, name, source_type, content_hash)
    SELECT gen_random_uuid(), '00000000-0000-0000-0000-00000000000a', n, 'text', n FROM generate_series(1, 2) AS n;
CREATE SCHEMA empty;
CREATE SCHEMA theirs AUTHORIZATION regress_discovery_other;
CREATE SCHEMA taken;
GRANT USAGE ON SCHEMA mine, empty, taken TO PUBLIC;
-- A digest of what the catalogs have about the schemas of this test; it is the same at the end.
CREATE VIEW everything AS
    SELECT md5(string_agg(line, ';' ORDER BY line)) AS digest FROM (
        SELECT concat('r', oid, relname, relnamespace, relowner, relfilenode, reltype, relkind, relacl)
            FROM pg_class WHERE relnamespace > 16383 AND relname <> 'everything'
        UNION ALL SELECT concat('p', oid, proname, pronamespace) FROM pg_proc WHERE oid > 16383
        UNION ALL SELECT concat('d', oid, adrelid, adnum, adbin) FROM pg_attrdef
        UNION ALL SELECT concat('a', attrelid, attname, atttypid, attnotnull, attisdropped)
            FROM pg_attribute WHERE attrelid > 16383
        UNION ALL SELECT concat('c', oid, conname) FROM pg_constraint
        UNION ALL SELECT concat('t', oid, typname) FROM pg_type WHERE oid > 16383) AS v (line);
SELECT digest AS before FROM everything \gset

--
-- discovery_create_store()
--
SELECT discovery_create_store('nowhere');
\echo :SQLSTATE
SELECT discovery_create_store('nowhere', distributed => true);
\echo :SQLSTATE
SELECT discovery_create_store('empty', distributed => NULL);
\echo :SQLSTATE
SELECT discovery_create_store('mine');
\echo :SQLSTATE
SELECT discovery_create_store('');
\echo :SQLSTATE
SET search_path = '';
SELECT public.discovery_create_store();
\echo :SQLSTATE
SET search_path = nowhere, pg_temp;
SELECT public.discovery_create_store();
\echo :SQLSTATE
RESET search_path;
-- A store cannot be created in PostgreSQL's own schemas.
SELECT discovery_create_store('pg_catalog');
\echo :SQLSTATE
SELECT discovery_create_store('pg_toast');
\echo :SQLSTATE
CREATE TEMPORARY TABLE makes_the_schema ();
SELECT nspname AS temporary FROM pg_namespace WHERE oid = pg_my_temp_schema() \gset
\set VERBOSITY sqlstate
SELECT discovery_create_store(:'temporary');
\set VERBOSITY default
DROP TABLE makes_the_schema;
-- A schema in which the caller may not create; what the HINT says helps.
SET ROLE regress_discovery_other;
SELECT discovery_create_store('empty');
\echo :SQLSTATE
SELECT discovery_create_store('mine');
\echo :SQLSTATE
RESET ROLE;
BEGIN;
GRANT CREATE ON SCHEMA empty TO regress_discovery_other;
SET LOCAL ROLE regress_discovery_other;
SELECT discovery_create_store('empty');
ROLLBACK;

-- Another object has the name of one of the store's three tables, whatever kind of object it is. It is not taken for
-- the table, and not read. (The error undoes each of them.)
CREATE FUNCTION try(name text, ddl text, OUT code text, OUT message text, OUT detail text, OUT hint text)
    LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(ddl, 'taken.' || name);
    PERFORM discovery_create_store('taken');
    RAISE 'made';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
        hint = PG_EXCEPTION_HINT;
END $$;
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER nothing FOREIGN DATA WRAPPER nothing;
SELECT t.* FROM (VALUES
    ('notebooks', 'CREATE VIEW %s AS SELECT 1 AS id'), ('sources', 'CREATE VIEW %s AS SELECT 1 AS id'),
    ('discovery_migrations', 'CREATE VIEW %s AS SELECT ''1.0''::text AS version'),
    ('notebooks', 'CREATE TABLE %s (id uuid) PARTITION BY HASH (id)'),
    ('sources', 'CREATE MATERIALIZED VIEW %s AS SELECT 1 AS id'),
    ('notebooks', 'CREATE FOREIGN TABLE %s (id uuid) SERVER nothing'), ('sources', 'CREATE SEQUENCE %s'),
    ('notebooks', 'CREATE TYPE %s AS (id uuid)'), ('notebooks', 'CREATE TYPE %s AS ENUM ()'),
    ('sources', 'CREATE DOMAIN %s AS text'),
    ('sources', 'CREATE TABLE taken.other (id uuid); CREATE INDEX sources ON taken.other (id)'),
    ('notebooks', 'CREATE UNLOGGED TABLE %s (id uuid)'),
    ('notebooks', 'CREATE TABLE taken.other (id uuid); CREATE TABLE %s () INHERITS (taken.other)'),
    ('notebooks', 'CREATE TABLE %1$s (id uuid); CREATE TABLE taken.other () INHERITS (%1$s)'),
    ('notebooks', 'CREATE TABLE taken.other (id uuid) PARTITION BY HASH (id);
                   CREATE TABLE %s PARTITION OF taken.other FOR VALUES WITH (MODULUS 2, REMAINDER 0)')
    ) AS v (name, ddl), try(name, ddl) AS t;
-- A table with the record's name that is no record; and a record without the store's other tables.
SELECT t.* FROM (VALUES
    ('discovery_migrations', 'CREATE TABLE %s (version text)'),
    ('discovery_migrations', 'CREATE TABLE %s (id integer)'),
    ('discovery_migrations', 'CREATE TABLE %s (version text DEFAULT current_user)'),
    ('discovery_migrations', 'CREATE TABLE %s (version text DEFAULT ''one'')'),
    ('discovery_migrations', 'CREATE TABLE %s (version varchar(10) DEFAULT ''1.0'')'),
    ('discovery_migrations', 'CREATE TABLE %s (version text DEFAULT ''base'')')
    ) AS v (name, ddl), try(name, ddl) AS t;
SELECT code, message FROM try('discovery_migrations', 'CREATE TABLE %s (version text DEFAULT ''1.0'')');
-- A store of a version that this library does not know.
SELECT * FROM try('discovery_migrations', 'CREATE TABLE %s (version text DEFAULT ''9.0'')');
-- Tables of another role.
SELECT * FROM try('notebooks', 'CREATE TABLE %1$s (id uuid); ALTER TABLE %1$s OWNER TO regress_discovery_other');
-- Even a superuser who allows it cannot adopt anything but plain tables.
SET discovery.adopt_foreign = on;
SELECT * FROM try('notebooks', 'CREATE VIEW %1$s AS SELECT 1 AS id; ALTER VIEW %1$s OWNER TO regress_discovery_other');
RESET discovery.adopt_foreign;

--
-- discovery_version(), discovery_shape(), discovery_drop_store()
--
SELECT discovery_version('nowhere');
\echo :SQLSTATE
SELECT discovery_version('empty');
\echo :SQLSTATE
SELECT discovery_shape('empty');
\echo :SQLSTATE
SET search_path = '';
SELECT public.discovery_version();
\echo :SQLSTATE
RESET search_path;
SELECT discovery_drop_store('nowhere');
\echo :SQLSTATE
SELECT discovery_drop_store('empty');
\echo :SQLSTATE
SELECT discovery_drop_store('mine');
\echo :SQLSTATE
SET ROLE regress_discovery_other;
SELECT discovery_drop_store('mine');
\echo :SQLSTATE
SET discovery.allow_data_loss = on;
SELECT discovery_drop_store('mine');
\echo :SQLSTATE
RESET discovery.allow_data_loss;
RESET ROLE;
-- Objects of the user's that depend on the store are not dropped with it, even if data loss is allowed.
BEGIN;
CREATE VIEW titles AS SELECT name FROM mine.sources;
SET LOCAL discovery.allow_data_loss = on;
\set VERBOSITY sqlstate
SELECT discovery_drop_store('mine');
\set VERBOSITY default
ROLLBACK;
BEGIN;
DROP TABLE mine.sources;
SELECT discovery_drop_store('mine');
\echo :SQLSTATE
ROLLBACK;

--
-- Functions only for the scripts
--
SELECT discovery_install_store();
\echo :SQLSTATE
SELECT discovery_run_step('1.0', 'base');
\echo :SQLSTATE
SET ROLE regress_discovery_other;
SELECT discovery_install_store();
\echo :SQLSTATE
SELECT discovery_run_step('1.0', 'base');
\echo :SQLSTATE
RESET ROLE;
-- The settings accept only their own words, and their prefix is reserved.
SET discovery.create_store = maybe;
\echo :SQLSTATE
SET discovery.adopt_foreign = perhaps;
\echo :SQLSTATE
SET discovery.allow_dataloss = on;
\echo :SQLSTATE

DROP SERVER nothing;
DROP FOREIGN DATA WRAPPER nothing;
DROP FUNCTION try;
SELECT digest = :'before' AS nothing_changed, (SELECT count(*) FROM mine.sources) AS sources FROM everything;
-- The digest would show a change: if data loss is allowed, the store is dropped.
SET discovery.allow_data_loss = on;
SELECT discovery_drop_store('mine');
SELECT digest = :'before' AS nothing_changed FROM everything;

\c :current
DROP DATABASE regress_discovery_errors;
DROP ROLE regress_discovery_other, regress_discovery_dba;
