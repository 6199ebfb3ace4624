-- An adoption creates the record of the adopted tables as their owner. A role that may not act for that owner, or may
-- not create in the schema, cannot make the extension adopt: not by discovery_create_store(), not with
-- discovery.adopt_foreign, and not by CREATE EXTENSION, which a trusted extension allows to it.
SET client_min_messages = warning;
CREATE ROLE regress_discovery_owner;
CREATE ROLE regress_discovery_member IN ROLE regress_discovery_owner;
CREATE ROLE regress_discovery_nobody;
SET discovery.create_store = off;
CREATE SCHEMA discovery_ext;
CREATE EXTENSION discovery VERSION '1.0' SCHEMA discovery_ext;
GRANT USAGE ON SCHEMA discovery_ext TO PUBLIC;
CREATE SCHEMA discovery_theirs AUTHORIZATION regress_discovery_owner;
CREATE SCHEMA discovery_super;
-- Tables with the shape of version 1.0, without a record.
SET ROLE regress_discovery_owner;
SELECT discovery_ext.discovery_create_store('discovery_theirs');
DROP TABLE discovery_theirs.discovery_migrations;
RESET ROLE;
SELECT discovery_ext.discovery_create_store('discovery_super');
DROP TABLE discovery_super.discovery_migrations;

SET ROLE regress_discovery_nobody;
\set VERBOSITY sqlstate
SELECT discovery_ext.discovery_create_store('discovery_theirs');
SELECT discovery_ext.discovery_create_store('discovery_super');
SET discovery.adopt_foreign = on;
SELECT discovery_ext.discovery_create_store('discovery_super');
RESET discovery.adopt_foreign;
RESET ROLE;
SELECT count(*) AS records FROM pg_class WHERE relname = 'discovery_migrations';

-- A role with CREATE on the database may create a trusted extension in any schema. In a schema where the role may not
-- create, existing tables stay unchanged.
DROP EXTENSION discovery;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_discovery_nobody', current_database()); END $$;
SET ROLE regress_discovery_nobody;
RESET discovery.create_store;
CREATE EXTENSION discovery VERSION '1.0' SCHEMA discovery_super;
CREATE EXTENSION discovery VERSION '1.0' SCHEMA discovery_theirs;
RESET ROLE;
SELECT count(*) AS records FROM pg_class WHERE relname = 'discovery_migrations';

-- A member of the owner's role may act for the owner; a superuser may act for any role.
SET discovery.create_store = off;
CREATE EXTENSION discovery VERSION '1.0' SCHEMA discovery_ext;
SET ROLE regress_discovery_member;
SELECT discovery_ext.discovery_create_store('discovery_theirs');
RESET ROLE;
SELECT tableowner FROM pg_tables WHERE schemaname = 'discovery_theirs' AND tablename = 'discovery_migrations';
DROP TABLE discovery_theirs.discovery_migrations;
SELECT discovery_ext.discovery_create_store('discovery_theirs');

DROP SCHEMA discovery_theirs, discovery_super CASCADE;
DROP EXTENSION discovery;
DROP SCHEMA discovery_ext;
DO $$ BEGIN EXECUTE format('REVOKE CREATE ON DATABASE %I FROM regress_discovery_nobody', current_database()); END $$;
DROP ROLE regress_discovery_member, regress_discovery_owner, regress_discovery_nobody;
