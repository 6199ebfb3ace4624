-- Tables that match a version only if the names of schemas are ignored: they use objects of the extension's schema,
-- or of the store's, in place of PostgreSQL's own, or have a foreign key into another store. Each of these is a
-- difference.
SET client_min_messages = warning;
\set VERBOSITY sqlstate
SET discovery.create_store = off;
CREATE SCHEMA discovery_ext;
CREATE EXTENSION discovery VERSION '1.0' SCHEMA discovery_ext;
CREATE SCHEMA discovery_shop;
SELECT discovery_ext.discovery_create_store('discovery_ext');
SELECT discovery_ext.discovery_create_store('discovery_shop');
DROP TABLE discovery_shop.discovery_migrations;
CREATE FUNCTION discovery_ext.now() RETURNS timestamp LANGUAGE sql AS $$ SELECT timestamp '2000-01-01' $$;
CREATE FUNCTION discovery_shop.now() RETURNS timestamp LANGUAGE sql AS $$ SELECT timestamp '2000-01-01' $$;
CREATE DOMAIN discovery_ext.uuid AS pg_catalog.uuid;
CREATE DOMAIN discovery_shop.text AS pg_catalog.text;

-- Each difference by itself; ROLLBACK undoes it.
BEGIN;
ALTER TABLE discovery_shop.sources ALTER created_at SET DEFAULT discovery_ext.now();
SELECT discovery_ext.discovery_create_store('discovery_shop');
ROLLBACK;
BEGIN;
ALTER TABLE discovery_shop.sources ALTER created_at SET DEFAULT discovery_shop.now();
SELECT discovery_ext.discovery_create_store('discovery_shop');
ROLLBACK;
BEGIN;
ALTER TABLE discovery_shop.sources DROP CONSTRAINT sources_pkey, ALTER id TYPE discovery_ext.uuid;
ALTER TABLE discovery_shop.sources ADD CONSTRAINT sources_pkey PRIMARY KEY (id);
SELECT discovery_ext.discovery_create_store('discovery_shop');
ROLLBACK;
BEGIN;
ALTER TABLE discovery_shop.sources ALTER url TYPE discovery_shop.text;
SELECT discovery_ext.discovery_create_store('discovery_shop');
ROLLBACK;
BEGIN;
ALTER TABLE discovery_shop.sources DROP CONSTRAINT sources_notebook_id_fkey;
ALTER TABLE discovery_shop.sources ADD CONSTRAINT sources_notebook_id_fkey
    FOREIGN KEY (notebook_id) REFERENCES discovery_ext.notebooks (id) ON DELETE CASCADE;
SELECT discovery_ext.discovery_create_store('discovery_shop');
ROLLBACK;

-- Without these differences the tables are a store.
SELECT discovery_ext.discovery_create_store('discovery_shop');

DROP SCHEMA discovery_shop CASCADE;
DROP EXTENSION discovery;
DROP SCHEMA discovery_ext CASCADE;
