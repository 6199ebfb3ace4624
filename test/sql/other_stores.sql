-- Several stores, several owners: ALTER EXTENSION upgrades the store in its own schema, the other stores are upgraded
-- by their owners; a store above the target version prevents the downgrade of the functions; the owner of the
-- extension need not own the store.
SET client_min_messages = warning;
CREATE ROLE regress_discovery_keeper;
CREATE ROLE regress_discovery_tenant;
DO $$ BEGIN
    EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_discovery_keeper, regress_discovery_tenant',
                   current_database());
END $$;
CREATE SCHEMA discovery_main AUTHORIZATION regress_discovery_keeper;
CREATE SCHEMA discovery_tenant AUTHORIZATION regress_discovery_tenant;
GRANT USAGE ON SCHEMA discovery_main TO regress_discovery_tenant;
GRANT USAGE ON SCHEMA discovery_tenant TO regress_discovery_keeper;
SET search_path = discovery_main;
SET ROLE regress_discovery_keeper;
CREATE EXTENSION discovery VERSION '1.0' SCHEMA discovery_main;
SET ROLE regress_discovery_tenant;
SELECT discovery_create_store('discovery_tenant');
INSERT INTO discovery_tenant.notebooks (id, name) VALUES ('00000000-0000-0000-0000-00000000000a', 'Of the tenant');

-- The extension's owner upgrades; the other store stays behind, and its state says so.
SET ROLE regress_discovery_keeper;
ALTER EXTENSION discovery UPDATE TO '1.1';
SELECT schema, owner, store_version, state, CASE WHEN state = 'behind' THEN next_step END AS next_step
    FROM discovery_status() ORDER BY schema;
-- The store that stays behind goes on working: it has the triggers of its version, which has none.
SET ROLE regress_discovery_tenant;
INSERT INTO discovery_tenant.sources (id, notebook_id, name, source_type, content_hash)
    VALUES (md5('1')::uuid, '00000000-0000-0000-0000-00000000000a', 'Source', 'text', 'hash');
-- The error of a function that needs the newer shape says what to do.
SET search_path = discovery_tenant, discovery_main;
SELECT * FROM add_source('00000000-0000-0000-0000-00000000000a', 'Another', 'text');
\echo :SQLSTATE
-- The keeper may not upgrade that store, but its owner may.
SET ROLE regress_discovery_keeper;
SELECT discovery_upgrade('1.1', 'discovery_tenant');
\echo :SQLSTATE
SET ROLE regress_discovery_tenant;
-- If a step fails, the error has the whole statement, with the comment on it.
BEGIN;
DROP INDEX ix_sources_deleted_at;
SELECT discovery_upgrade('1.1');
\echo :SQLSTATE
ROLLBACK;
SELECT discovery_upgrade('1.1');
SELECT name, source_count FROM notebooks;
SELECT schema, store_version, state FROM discovery_status() ORDER BY schema;

-- The extension is not downgraded while a store is above the target; the error names that store. (PostgreSQL 18 and
-- newer print the script in CONTEXT, too.)
\set SHOW_CONTEXT never
SET ROLE regress_discovery_keeper;
SET search_path = discovery_main;
ALTER EXTENSION discovery UPDATE TO '1.0';
\echo :SQLSTATE
SELECT discovery_downgrade('1.0');
\echo :SQLSTATE
SELECT schema, store_version, extension_version, state FROM discovery_status() ORDER BY schema;
-- The tenant may downgrade its store alone, while the functions stay; then the keeper may downgrade, too.
SET ROLE regress_discovery_tenant;
SELECT discovery_downgrade('1.0', 'discovery_tenant');
SET ROLE regress_discovery_keeper;
SELECT discovery_downgrade('1.0');
SELECT schema, store_version, extension_version, state FROM discovery_status() ORDER BY schema;

-- The tenant cannot upgrade its store above the functions, because it does not own the extension.
SET ROLE regress_discovery_tenant;
SELECT discovery_upgrade('1.1', 'discovery_tenant');
\echo :SQLSTATE

-- A store in the extension's schema that belongs to another role stays behind with a warning, and keeps the extension
-- from being downgraded below it.
RESET ROLE;
ALTER TABLE discovery_main.notebooks OWNER TO regress_discovery_tenant;
ALTER TABLE discovery_main.sources OWNER TO regress_discovery_tenant;
ALTER TABLE discovery_main.discovery_migrations OWNER TO regress_discovery_tenant;
GRANT CREATE ON SCHEMA discovery_main TO regress_discovery_tenant;
SET ROLE regress_discovery_keeper;
ALTER EXTENSION discovery UPDATE TO '1.1';
SELECT schema, owner, store_version, state FROM discovery_status() ORDER BY schema;
SET ROLE regress_discovery_tenant;
SELECT discovery_upgrade('1.1');
SET ROLE regress_discovery_keeper;
ALTER EXTENSION discovery UPDATE TO '1.0';
\echo :SQLSTATE
-- A superuser's ALTER EXTENSION acts as the owner of the extension, too.
RESET ROLE;
ALTER EXTENSION discovery UPDATE TO '1.0';
\echo :SQLSTATE
-- The owner of the store downgrades it alone; then the functions can follow.
SET ROLE regress_discovery_tenant;
SELECT discovery_downgrade('1.0');
SELECT schema, store_version, extension_version, state FROM discovery_status() ORDER BY schema;
SET ROLE regress_discovery_keeper;
ALTER EXTENSION discovery UPDATE TO '1.0';
SELECT schema, store_version, extension_version, state FROM discovery_status() ORDER BY schema;
-- A role that may act for both owners may do all of it.
RESET ROLE;
GRANT regress_discovery_tenant TO regress_discovery_keeper;
SET ROLE regress_discovery_keeper;
ALTER EXTENSION discovery UPDATE TO '1.1';
SELECT discovery_upgrade('1.1', 'discovery_tenant');
ALTER EXTENSION discovery UPDATE TO '1.0';
\echo :SQLSTATE
SELECT discovery_downgrade('1.0', 'discovery_tenant');
ALTER EXTENSION discovery UPDATE TO '1.0';
SELECT schema, owner, store_version, state FROM discovery_status() ORDER BY schema;

RESET ROLE;
DROP SCHEMA discovery_main, discovery_tenant CASCADE;
DO $$ BEGIN
    EXECUTE format('REVOKE CREATE ON DATABASE %I FROM regress_discovery_keeper, regress_discovery_tenant',
                   current_database());
END $$;
DROP ROLE regress_discovery_keeper, regress_discovery_tenant;
