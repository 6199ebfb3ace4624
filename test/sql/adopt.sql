-- Tables that are there in the shape of a known version, made by plain SQL as
-- Alembic makes them, with rows: CREATE EXTENSION takes them over in place and
-- changes nothing in them. Whose tables, from whom: the caller's, the schema
-- owner's and the database owner's; another's only where the session asks for it.
-- (PostgreSQL 18 adds the place in the script as CONTEXT.)
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_discovery_dba SUPERUSER LOGIN;
CREATE ROLE regress_discovery_dbowner;
CREATE ROLE regress_discovery_schemaowner;
CREATE ROLE regress_discovery_app;
CREATE DATABASE regress_discovery_adopt OWNER regress_discovery_dbowner;
\getenv inputdir PG_ABS_SRCDIR
\set alembic_tables :inputdir '/sql/include/alembic_tables.sql'
\set current :DBNAME
\set superuser :USER
\c regress_discovery_adopt
SET client_min_messages = warning;
SET SESSION AUTHORIZATION regress_discovery_dba;

--
-- Nothing of the tables changes
--
\set ECHO none
\i :alembic_tables
\set ECHO all
-- The shape is the tables', not the order of their columns.
CREATE VIEW everything AS
    SELECT md5(string_agg(line, ';' ORDER BY line)) AS digest FROM (
        SELECT concat('r', oid, relname, relowner, relfilenode, relkind, relacl, relhastriggers, relchecks, relnatts, reloptions, xmin) FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relname !~ '^(everything|discovery_migrations)'
        UNION ALL SELECT concat('a', a.*) FROM pg_attribute a WHERE attrelid IN ('notebooks'::regclass, 'sources'::regclass, 'alembic_version'::regclass)
        UNION ALL SELECT concat('c', c.*) FROM pg_constraint c WHERE conrelid IN ('notebooks'::regclass, 'sources'::regclass, 'alembic_version'::regclass)
        UNION ALL SELECT concat('t', t.*) FROM pg_trigger t WHERE tgrelid IN ('notebooks'::regclass, 'sources'::regclass)
        UNION ALL SELECT concat('n', ctid, n.xmin, n.*) FROM notebooks n
        UNION ALL SELECT concat('s', ctid, s.xmin, s.*) FROM sources s
        UNION ALL SELECT concat('v', ctid, v.xmin, v.*) FROM alembic_version v) AS v (line);
SELECT digest AS before FROM everything \gset
CREATE EXTENSION discovery VERSION '1.0';
SELECT digest = :'before' AS unchanged, (SELECT count(*) FROM sources) AS sources FROM everything;
SELECT schema, owner, store_version, state FROM discovery_status();
SELECT version, previous_version, direction, description, applied_by, checksum FROM discovery_migrations;
SELECT tableowner FROM pg_tables WHERE tablename = 'discovery_migrations';
-- A second look finds a store.
SELECT discovery_create_store();
\echo :SQLSTATE
DROP EXTENSION discovery;
DROP TABLE discovery_migrations;
-- With the newest extension the tables stay at 1.0 as well, though the steps to the newest version run in the same command:
-- to bring them up is the user's next command.
CREATE EXTENSION discovery;
SELECT digest = :'before' AS unchanged FROM everything;
SELECT schema, store_version, state, next_step LIKE 'upgrade the store: %' AS told_how FROM discovery_status();
SELECT direction, version FROM discovery_migrations;
DROP EXTENSION discovery;
DROP TABLE discovery_migrations;
-- The same by discovery_create_store(), in another schema than the extension's.
CREATE SCHEMA tools;
SET discovery.create_store = off;
CREATE EXTENSION discovery SCHEMA tools;
RESET discovery.create_store;
SELECT tools.discovery_create_store('public');
SELECT digest = :'before' AS unchanged FROM everything;
SELECT schema, store_version, state FROM tools.discovery_status() WHERE schema = 'public';
DROP EXTENSION discovery;
DROP TABLE discovery_migrations;
DROP VIEW everything;
-- Without Alembic's table, or with none of its rows, and with two.
BEGIN;
DROP TABLE alembic_version;
CREATE EXTENSION discovery VERSION '1.0';
SELECT description FROM discovery_migrations;
ROLLBACK;
BEGIN;
DELETE FROM alembic_version;
CREATE EXTENSION discovery VERSION '1.0';
SELECT description FROM discovery_migrations;
ROLLBACK;
BEGIN;
INSERT INTO alembic_version VALUES ('0123456789ab');
CREATE EXTENSION discovery VERSION '1.0';
SELECT description FROM discovery_migrations;
ROLLBACK;
-- The order of the columns is not the shape.
BEGIN;
ALTER TABLE notebooks DROP COLUMN description, ADD COLUMN description text;
CREATE EXTENSION discovery VERSION '1.0';
SELECT state FROM discovery_status();
ROLLBACK;

--
-- Whose tables
--
CREATE SCHEMA shop;
GRANT ALL ON SCHEMA shop TO PUBLIC;
SET discovery.create_store = off;
CREATE EXTENSION discovery VERSION '1.0' SCHEMA tools;
GRANT USAGE ON SCHEMA tools TO PUBLIC;
RESET discovery.create_store;
SET search_path = shop;
\set ECHO none
\i :alembic_tables
\set ECHO all
RESET search_path;
CREATE PROCEDURE give(owner name) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE shop.notebooks OWNER TO %1$I; ALTER TABLE shop.sources OWNER TO %1$I; ALTER TABLE shop.alembic_version OWNER TO %1$I', owner);
END $$;
CREATE VIEW record AS SELECT schemaname, tableowner FROM pg_tables WHERE tablename = 'discovery_migrations';
GRANT SELECT ON record TO PUBLIC;
-- The database owner's.
BEGIN;
CALL give('regress_discovery_dbowner');
SELECT tools.discovery_create_store('shop');
SELECT * FROM record;
ROLLBACK;
-- The schema owner's.
BEGIN;
CALL give('regress_discovery_schemaowner');
ALTER SCHEMA shop OWNER TO regress_discovery_schemaowner;
SELECT tools.discovery_create_store('shop');
SELECT * FROM record;
ROLLBACK;
-- The caller's own, and those of a role that the caller is a member of.
BEGIN;
CALL give('regress_discovery_app');
SET LOCAL ROLE regress_discovery_app;
SELECT tools.discovery_create_store('shop');
SELECT * FROM record;
ROLLBACK;
-- A role that is none of them could have planted its tables there.
CALL give('regress_discovery_app');
SELECT tools.discovery_create_store('shop');
\echo :SQLSTATE
SELECT * FROM record;
-- The setting counts where this session made it, not where somebody left it for all.
ALTER DATABASE regress_discovery_adopt SET discovery.adopt_foreign = on;
ALTER ROLE regress_discovery_dba SET discovery.adopt_foreign = on;
\c - regress_discovery_dba
SHOW discovery.adopt_foreign;
SELECT tools.discovery_create_store('shop');
\echo :SQLSTATE
ALTER DATABASE regress_discovery_adopt RESET discovery.adopt_foreign;
ALTER ROLE regress_discovery_dba RESET discovery.adopt_foreign;
\c - regress_discovery_dba
SET client_min_messages = warning;
BEGIN;
SET LOCAL discovery.adopt_foreign = on;
SELECT tools.discovery_create_store('shop');
SELECT * FROM record;
SELECT owner, store_version, state FROM tools.discovery_status() WHERE schema = 'shop';
ROLLBACK;
-- The same at CREATE EXTENSION.
DROP EXTENSION discovery;
CREATE EXTENSION discovery SCHEMA shop;
\echo :SQLSTATE
SELECT count(*) AS extensions FROM pg_extension WHERE extname = 'discovery';
SET discovery.adopt_foreign = on;
CREATE EXTENSION discovery SCHEMA shop;
SELECT owner, store_version, state FROM shop.discovery_status();
-- The store is the tables' owner's from now on, though a superuser made the extension.
SELECT * FROM record;
DROP EXTENSION discovery;
DROP TABLE shop.discovery_migrations;
RESET discovery.adopt_foreign;
-- A role that is no superuser and adopts nothing but its own: the other's stay, whatever it sets.
GRANT CREATE ON DATABASE regress_discovery_adopt TO regress_discovery_app;
SET ROLE regress_discovery_app;
CREATE EXTENSION discovery SCHEMA shop;
SELECT owner, store_version, state FROM shop.discovery_status();
DROP EXTENSION discovery;
DROP TABLE shop.discovery_migrations;
RESET ROLE;
CALL give('regress_discovery_schemaowner');
SET ROLE regress_discovery_app;
SET discovery.adopt_foreign = on;
CREATE EXTENSION discovery SCHEMA shop;
\echo :SQLSTATE
RESET discovery.adopt_foreign;
RESET ROLE;
-- Not all of one owner.
ALTER TABLE shop.notebooks OWNER TO regress_discovery_dba;
CREATE EXTENSION discovery SCHEMA shop;
\echo :SQLSTATE
SELECT count(*) AS extensions FROM pg_extension WHERE extname = 'discovery';
-- Alembic's table may be another's: then it is not looked at.
CALL give('regress_discovery_dba');
ALTER TABLE shop.alembic_version OWNER TO regress_discovery_app;
CREATE EXTENSION discovery SCHEMA shop;
SELECT description FROM shop.discovery_migrations;
DROP EXTENSION discovery;

\c :current :superuser
DROP DATABASE regress_discovery_adopt;
DROP ROLE regress_discovery_dba, regress_discovery_dbowner, regress_discovery_schemaowner, regress_discovery_app;
