-- The extension is trusted: the owner of a database, who is no superuser, may create it, and owns what it creates. A
-- role that may create in the database but not in the schema is told which GRANT it needs.
-- (PostgreSQL 18 adds the place in the script as CONTEXT.)
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_discovery_dbowner LOGIN;
CREATE ROLE regress_discovery_app LOGIN;
CREATE ROLE regress_discovery_guest LOGIN;
CREATE DATABASE regress_discovery_trusted OWNER regress_discovery_dbowner;
\set current :DBNAME
\set superuser :USER
\c regress_discovery_trusted regress_discovery_dbowner
SET client_min_messages = warning;
SELECT rolsuper FROM pg_roles WHERE rolname = current_user;

CREATE EXTENSION discovery VERSION '1.0';
SELECT extowner::regrole AS owner FROM pg_extension WHERE extname = 'discovery';
SELECT relkind, relowner::regrole AS owner, count(*) > 0 AS some
    FROM pg_class WHERE relnamespace = 'public'::regnamespace GROUP BY 1, 2 ORDER BY 1;
SELECT schema, owner, store_version, state FROM discovery_status();
SELECT applied_by FROM discovery_migrations;
-- The owner uses it, upgrades and downgrades it, and drops it.
INSERT INTO notebooks (id, name) VALUES ('00000000-0000-0000-0000-00000000000a', 'His');
ALTER EXTENSION discovery UPDATE;
SELECT owner, state FROM discovery_status();
SELECT DISTINCT relowner::regrole AS owner FROM pg_class WHERE relnamespace = 'public'::regnamespace;
ALTER EXTENSION discovery UPDATE TO '1.0';
SELECT owner, store_version, state FROM discovery_status();
SELECT discovery_drop_store();
\echo :SQLSTATE
DELETE FROM notebooks;
SELECT discovery_drop_store();
-- The scripts run as a superuser; no function that remains can be misused for that.
SELECT discovery_install_store();
\echo :SQLSTATE
SELECT discovery_run_step('base', '1.0');
\echo :SQLSTATE
SELECT count(*) AS security_definer
    FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e' WHERE prosecdef;
-- The owner may not change settings on which safety depends.
SET discovery.verify_steps = off;
\echo :SQLSTATE
-- Another role sees what there is, but may change nothing.
SELECT discovery_create_store();
SET SESSION AUTHORIZATION DEFAULT;
\c - regress_discovery_guest
SET client_min_messages = warning;
SELECT schema, owner, store_version, state FROM discovery_status();
SELECT discovery_version(), count(*) > 0 AS has_shape FROM discovery_shape();
SELECT content_hash('abc') = encode(sha256('abc'), 'hex') AS hashes;
SELECT discovery_drop_store();
\echo :SQLSTATE
SELECT discovery_create_store('public');
\echo :SQLSTATE
SELECT * FROM notebooks;
\echo :SQLSTATE
DROP EXTENSION discovery;
\echo :SQLSTATE
\c - regress_discovery_dbowner
SET client_min_messages = warning;
DROP EXTENSION discovery;
DROP TABLE sources, notebooks, discovery_migrations;

-- A role that may create in the database, but not in the schema.
GRANT CREATE ON DATABASE regress_discovery_trusted TO regress_discovery_app;
CREATE SCHEMA "Main Store";
GRANT USAGE ON SCHEMA "Main Store" TO regress_discovery_app;
\c - regress_discovery_app
SET client_min_messages = warning;
CREATE EXTENSION discovery VERSION '1.0' SCHEMA "Main Store";
\echo :SQLSTATE
SELECT count(*) AS extensions FROM pg_extension WHERE extname = 'discovery';
\c - regress_discovery_dbowner
-- The command in the HINT, as it is written there.
GRANT CREATE ON SCHEMA "Main Store" TO regress_discovery_app;
\c - regress_discovery_app
SET client_min_messages = warning;
CREATE EXTENSION discovery VERSION '1.0' SCHEMA "Main Store";
SELECT schema, owner, store_version, state FROM "Main Store".discovery_status();
-- A role that may not create in the database gets PostgreSQL's own error.
DROP EXTENSION discovery;
DROP TABLE "Main Store".sources, "Main Store".notebooks, "Main Store".discovery_migrations;
\c - regress_discovery_guest
CREATE EXTENSION discovery;
\echo :SQLSTATE

\c :current :superuser
DROP DATABASE regress_discovery_trusted;
DROP ROLE regress_discovery_dbowner, regress_discovery_app, regress_discovery_guest;
