-- The owner of a store's schema replaces a table that a preparation has made: discovery_cancel_upgrade() does not read
-- it as the owner of the store.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE ROLE regress_discovery_mallory;
CREATE ROLE regress_discovery_owner;
CREATE SCHEMA discovery_ext;
SET discovery.create_store = off;
CREATE EXTENSION discovery VERSION '1.1' SCHEMA discovery_ext;
GRANT USAGE ON SCHEMA discovery_ext TO PUBLIC;
CREATE SCHEMA discovery_shop AUTHORIZATION regress_discovery_mallory;
GRANT ALL ON SCHEMA discovery_shop TO regress_discovery_owner;
SET ROLE regress_discovery_owner;
SELECT discovery_ext.discovery_create_store('discovery_shop') IS NOT NULL AS has_store;
RESET ROLE;
ALTER EXTENSION discovery UPDATE;
SET ROLE regress_discovery_owner;
CALL discovery_ext.discovery_run_ahead('1.2', 0, 'discovery_shop');
RESET ROLE;
SET ROLE regress_discovery_mallory;
CREATE SEQUENCE discovery_shop.runs_as_other MINVALUE 0;
GRANT ALL ON SEQUENCE discovery_shop.runs_as_other TO PUBLIC;
CREATE FUNCTION discovery_shop.evil() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF current_user <> 'regress_discovery_mallory' THEN PERFORM nextval('discovery_shop.runs_as_other'); END IF;
    RETURN true;
END $$;
DROP TABLE discovery_shop.outputs CASCADE;
CREATE VIEW discovery_shop.outputs AS SELECT 1 AS id WHERE discovery_shop.evil();
GRANT SELECT ON discovery_shop.outputs TO PUBLIC;
RESET ROLE;
SET ROLE regress_discovery_owner;
SELECT number FROM discovery_ext.discovery_cancel_upgrade('discovery_shop');
RESET ROLE;
SELECT is_called AS evil_ran_as_another FROM discovery_shop.runs_as_other;
SET ROLE regress_discovery_owner;
SELECT count(*) FROM discovery_shop.outputs;
RESET ROLE;
SELECT is_called AS evil_ran_as_another FROM discovery_shop.runs_as_other;
DROP SCHEMA discovery_shop, discovery_ext CASCADE;
DROP ROLE regress_discovery_mallory, regress_discovery_owner;
