-- Existing tables with the shape of a known version, made by plain SQL as Alembic makes them, with rows: CREATE
-- EXTENSION adopts them in place and changes nothing in them. It adopts the tables of the caller, of the schema's owner
-- and of the database's owner; those of another role only if the session allows it.
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
-- A digest of all catalog rows and table rows.
CREATE VIEW everything AS
    SELECT md5(string_agg(line, ';' ORDER BY line)) AS digest FROM (
        SELECT concat('r', oid, relname, relowner, relfilenode, relkind, relacl, relhastriggers, relchecks, relnatts,
                      reloptions, xmin)
            FROM pg_class
            WHERE relnamespace = 'public'::regnamespace
                AND relname !~ '^(everything|discovery_(migrations|calls|own_calls))'
        UNION ALL SELECT concat('a', a.*) FROM pg_attribute a
            WHERE attrelid IN ('notebooks'::regclass, 'sources'::regclass, 'alembic_version'::regclass)
        UNION ALL SELECT concat('c', c.*) FROM pg_constraint c
            WHERE conrelid IN ('notebooks'::regclass, 'sources'::regclass, 'alembic_version'::regclass)
        UNION ALL SELECT concat('t', t.*) FROM pg_trigger t
            WHERE tgrelid IN ('notebooks'::regclass, 'sources'::regclass)
        UNION ALL SELECT concat('n', ctid, n.xmin, n.*) FROM notebooks n
        UNION ALL SELECT concat('s', ctid, s.xmin, s.*) FROM sources s
        UNION ALL SELECT concat('v', ctid, v.xmin, v.*) FROM alembic_version v) AS v (line);
SELECT digest AS before FROM everything \gset
CREATE EXTENSION discovery VERSION '1.0';
SELECT digest = :'before' AS unchanged, (SELECT count(*) FROM sources) AS sources FROM everything;
SELECT schema, owner, store_version, state FROM discovery_status();
SELECT version, previous_version, direction, description, applied_by, checksum FROM discovery_migrations;
SELECT tableowner FROM pg_tables WHERE tablename = 'discovery_migrations';
-- A second call finds a store.
SELECT discovery_create_store();
\echo :SQLSTATE
DROP EXTENSION discovery;
DROP TABLE discovery_migrations;
-- The newest extension also leaves the tables at 1.0, although its steps to the newest version run in the same command.
-- Upgrading the tables is the user's next command.
CREATE EXTENSION discovery;
SELECT digest = :'before' AS unchanged FROM everything;
SELECT schema, store_version, state, next_step LIKE 'upgrade the store: %' AS told_how FROM discovery_status();
SELECT direction, version FROM discovery_migrations;
DROP EXTENSION discovery;
DROP TABLE discovery_migrations;
-- The same by discovery_create_store(), in a schema other than the extension's.
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
-- Without Alembic's table, with no row in it, and with two.
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
-- The order of the columns is not part of the shape.
BEGIN;
ALTER TABLE notebooks DROP COLUMN description, ADD COLUMN description text;
CREATE EXTENSION discovery VERSION '1.0';
SELECT state FROM discovery_status();
ROLLBACK;

--
-- Owners of the tables
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
    EXECUTE format('ALTER TABLE shop.notebooks OWNER TO %1$I; ALTER TABLE shop.sources OWNER TO %1$I;
                    ALTER TABLE shop.alembic_version OWNER TO %1$I', owner);
END $$;
CREATE VIEW record AS SELECT schemaname, tableowner FROM pg_tables WHERE tablename = 'discovery_migrations';
GRANT SELECT ON record TO PUBLIC;
-- Tables of the database's owner.
BEGIN;
CALL give('regress_discovery_dbowner');
SELECT tools.discovery_create_store('shop');
SELECT * FROM record;
ROLLBACK;
-- Tables of the schema's owner.
BEGIN;
CALL give('regress_discovery_schemaowner');
ALTER SCHEMA shop OWNER TO regress_discovery_schemaowner;
SELECT tools.discovery_create_store('shop');
SELECT * FROM record;
ROLLBACK;
-- Tables of the caller, or of a role that the caller is a member of.
BEGIN;
CALL give('regress_discovery_app');
SET LOCAL ROLE regress_discovery_app;
SELECT tools.discovery_create_store('shop');
SELECT * FROM record;
ROLLBACK;
-- Tables of any other role are refused, because that role could have planted them.
CALL give('regress_discovery_app');
SELECT tools.discovery_create_store('shop');
\echo :SQLSTATE
SELECT * FROM record;
-- The setting counts only if this session made it, not if it is set for the database or the role.
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
-- The same with CREATE EXTENSION.
DROP EXTENSION discovery;
CREATE EXTENSION discovery SCHEMA shop;
\echo :SQLSTATE
SELECT count(*) AS extensions FROM pg_extension WHERE extname = 'discovery';
SET discovery.adopt_foreign = on;
CREATE EXTENSION discovery SCHEMA shop;
SELECT owner, store_version, state FROM shop.discovery_status();
-- The store now belongs to the tables' owner, although a superuser created the extension.
SELECT * FROM record;
DROP EXTENSION discovery;
DROP TABLE shop.discovery_migrations;
RESET discovery.adopt_foreign;
-- A role that is no superuser adopts only its own tables, whatever it sets.
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
-- The tables have different owners.
ALTER TABLE shop.notebooks OWNER TO regress_discovery_dba;
CREATE EXTENSION discovery SCHEMA shop;
\echo :SQLSTATE
SELECT count(*) AS extensions FROM pg_extension WHERE extname = 'discovery';
-- Alembic's table may belong to another role; then it is not read.
CALL give('regress_discovery_dba');
ALTER TABLE shop.alembic_version OWNER TO regress_discovery_app;
CREATE EXTENSION discovery SCHEMA shop;
SELECT description FROM shop.discovery_migrations;
DROP EXTENSION discovery;

\c :current :superuser
DROP DATABASE regress_discovery_adopt;
DROP ROLE regress_discovery_dba, regress_discovery_dbowner, regress_discovery_schemaowner, regress_discovery_app;
