-- discovery_drop_store() on a store in which another role has replaced a table: the owner of a schema may drop an
-- object in it and put another in its place. An object with the name of a table is read only if it is a plain table
-- of the store's owner, so none of the other role's code runs as the store's owner or as the caller (design.md:
-- nothing is read as superuser from tables of others).
SET client_min_messages = warning;
CREATE ROLE regress_discovery_mallory;
CREATE ROLE regress_discovery_victim;
SET discovery.create_store = off;
CREATE SCHEMA discovery_ext;
CREATE EXTENSION discovery VERSION '1.0' SCHEMA discovery_ext;
GRANT USAGE ON SCHEMA discovery_ext TO PUBLIC;
-- It does not matter here whether the call drops what is left of the store or refuses.
CREATE PROCEDURE discovery_ext.try_to_drop() LANGUAGE plpgsql AS $$
BEGIN
    PERFORM discovery_ext.discovery_drop_store('discovery_shop');
EXCEPTION WHEN OTHERS THEN NULL;
END $$;
CREATE SCHEMA discovery_shop AUTHORIZATION regress_discovery_mallory;
GRANT USAGE, CREATE ON SCHEMA discovery_shop TO regress_discovery_victim;

-- Records that another role ran mallory's code. An error would undo rows of a table; a sequence keeps its value.
SET ROLE regress_discovery_mallory;
CREATE SEQUENCE discovery_shop.runs_as_other MINVALUE 0;
GRANT ALL ON SEQUENCE discovery_shop.runs_as_other TO PUBLIC;
CREATE FUNCTION discovery_shop.evil() RETURNS boolean LANGUAGE plpgsql COST 1 AS $$
BEGIN
    IF current_user <> 'regress_discovery_mallory' THEN
        PERFORM nextval('discovery_shop.runs_as_other');
    END IF;
    RETURN true;
END $$;
RESET ROLE;

-- A superuser's store, with a view in place of sources.
SELECT discovery_ext.discovery_create_store('discovery_shop');
SET ROLE regress_discovery_mallory;
DROP TABLE discovery_shop.sources;
CREATE VIEW discovery_shop.sources AS SELECT 1 AS id WHERE discovery_shop.evil();
GRANT ALL ON discovery_shop.sources TO PUBLIC;
RESET ROLE;
CALL discovery_ext.try_to_drop();
SELECT is_called AS evil_ran_as_another FROM discovery_shop.runs_as_other;
-- If data loss is allowed, mallory's view is not dropped either.
SET discovery.allow_data_loss = on;
CALL discovery_ext.try_to_drop();
RESET discovery.allow_data_loss;
SELECT is_called AS evil_ran_as_another FROM discovery_shop.runs_as_other;
SELECT count(*) AS mallorys_view_is_there FROM pg_views
    WHERE schemaname = 'discovery_shop' AND viewname = 'sources' AND viewowner = 'regress_discovery_mallory';
DROP VIEW discovery_shop.sources;
DROP TABLE IF EXISTS discovery_shop.notebooks, discovery_shop.discovery_migrations;

-- The store of a role that is no superuser, with a table with a policy in place of notebooks: the policy would run
-- with the rights of the store's owner.
SET ROLE regress_discovery_victim;
SELECT discovery_ext.discovery_create_store('discovery_shop');
SET ROLE regress_discovery_mallory;
DROP TABLE discovery_shop.sources, discovery_shop.notebooks;
CREATE TABLE discovery_shop.notebooks (id uuid);
INSERT INTO discovery_shop.notebooks VALUES (gen_random_uuid());
ALTER TABLE discovery_shop.notebooks ENABLE ROW LEVEL SECURITY;
CREATE POLICY evil ON discovery_shop.notebooks USING (discovery_shop.evil());
GRANT ALL ON discovery_shop.notebooks TO PUBLIC;
SET ROLE regress_discovery_victim;
CALL discovery_ext.try_to_drop();
RESET ROLE;
SELECT is_called AS evil_ran_as_another FROM discovery_shop.runs_as_other;
SELECT count(*) AS mallorys_table_is_there FROM pg_tables
    WHERE schemaname = 'discovery_shop' AND tablename = 'notebooks' AND tableowner = 'regress_discovery_mallory';

DROP SCHEMA discovery_shop CASCADE;
DROP EXTENSION discovery;
DROP SCHEMA discovery_ext CASCADE;
DROP ROLE regress_discovery_mallory, regress_discovery_victim;
