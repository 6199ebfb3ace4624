-- The store that CREATE EXTENSION creates, at version 1.0: its tables are exactly those of the user's document,
-- ordinary tables that belong to no extension and outlive it. Stores in a chosen schema, also one after another;
-- discovery_version(), discovery_status() and discovery_shape() report what there is.
SET client_min_messages = warning;
CREATE DATABASE regress_discovery_store;
\set current :DBNAME
\c regress_discovery_store
SET client_min_messages = warning;
-- Settings that our code changes for itself are set back. (The library brings settings of its own.)
LOAD 'discovery';
CREATE TEMPORARY TABLE settings_before AS SELECT name, setting, source FROM pg_settings;
SET search_path = public, pg_temp;
CREATE EXTENSION discovery VERSION '1.0';
SHOW search_path;
RESET search_path;
SELECT name, setting, source FROM pg_settings EXCEPT SELECT name, setting, source FROM settings_before;

--
-- The tables
--
\d notebooks
\d sources
-- The canonical description has a line for each of these; test/lint/shapes compares the lines with the file that is
-- shipped.
SELECT split_part(line, ' ', 1) AS kind, count(*)
    FROM discovery_shape() AS line GROUP BY 1 ORDER BY min(line COLLATE "C");
SELECT discovery_version(), discovery_version('public') AS of_public;
SELECT schema, owner = current_user AS mine, store_version, extension_version, state, notebooks, sources
    FROM discovery_status();
-- The history has one line; the store's version is a default, not a row.
SELECT version, previous_version, direction, description, applied_by = session_user AS by_me,
       applied_at BETWEEN now() - interval '1 hour' AND clock_timestamp() AS now,
       duration >= interval '0' AS timed, checksum ~ '^[0-9a-f]{64}$' AS has_checksum
    FROM discovery_migrations;
SELECT pg_get_expr(adbin, adrelid) AS version
    FROM pg_attrdef
    WHERE adrelid = 'discovery_migrations'::regclass AND
          adnum = (SELECT attnum FROM pg_attribute WHERE attrelid = adrelid AND attname = 'version');
DELETE FROM discovery_migrations;
SELECT discovery_version();

--
-- What belongs to the extension: functions, and nothing else
--
SELECT classid::regclass AS catalog, deptype, count(*) > 0 AS some FROM pg_depend
    WHERE refclassid = 'pg_extension'::regclass AND
          refobjid = (SELECT oid FROM pg_extension WHERE extname = 'discovery')
    GROUP BY 1, 2 ORDER BY 1::text;
-- Each function has a comment, and is declared as it should be.
CREATE VIEW members AS
    SELECT p.* FROM pg_proc p
    JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid WHERE e.extname = 'discovery';
SELECT oid::regprocedure AS without_comment FROM members WHERE obj_description(oid, 'pg_proc') IS NULL;
SELECT oid::regprocedure AS function, provolatile AS volatility, proparallel AS parallel,
       has_function_privilege('public', oid, 'EXECUTE') AS for_all
    FROM members
    WHERE proname IN ('discovery_create_store', 'discovery_drop_store', 'discovery_version', 'discovery_status',
                      'discovery_shape', 'discovery_install_store', 'discovery_run_step')
    ORDER BY oid::regprocedure::text COLLATE "C";
-- No function is SECURITY DEFINER or has settings; all are functions of this library.
SELECT oid::regprocedure AS unexpected FROM members
    WHERE prosecdef OR proconfig IS NOT NULL OR probin NOT IN ('$libdir/discovery', '-') OR
          pronamespace <> 'public'::regnamespace;
-- No object of the store depends on them.
SELECT pg_describe_object(d.classid, d.objid, d.objsubid) AS dependent
    FROM pg_depend d JOIN members m ON d.refclassid = 'pg_proc'::regclass AND d.refobjid = m.oid
    WHERE d.classid NOT IN ('pg_proc'::regclass, 'pg_rewrite'::regclass);
DROP VIEW members;

--
-- Without the extension
--
INSERT INTO notebooks (id, name) VALUES ('00000000-0000-0000-0000-00000000000a', 'Kept');
INSERT INTO sources (id, notebook_id, name, source_type, content_hash)
    VALUES (gen_random_uuid(), '00000000-0000-0000-0000-00000000000a', 'Kept', 'text', 'abc');
CREATE TEMPORARY TABLE relations_before AS
    SELECT oid, relname, relfilenode, relowner FROM pg_class WHERE relnamespace = 'public'::regnamespace;
DROP EXTENSION discovery;
SELECT count(*) AS functions FROM pg_proc WHERE pronamespace = 'public'::regnamespace;
INSERT INTO sources (id, notebook_id, name, source_type, content_hash)
    VALUES (gen_random_uuid(), '00000000-0000-0000-0000-00000000000a', 'Added without', 'text', 'def');
CREATE EXTENSION discovery VERSION '1.0';
SELECT count(*) AS changed
    FROM (SELECT oid, relname, relfilenode, relowner FROM pg_class WHERE relnamespace = 'public'::regnamespace
          EXCEPT SELECT * FROM relations_before) AS v;
SELECT discovery_version(), (SELECT state FROM discovery_status()), (SELECT count(*) FROM sources) AS sources,
       (SELECT source_count FROM notebooks) AS as_it_was;
-- The estimates come from the statistics; no table is locked for them.
SELECT FROM pg_stat_force_next_flush();
ANALYZE notebooks, sources;
SELECT notebooks, sources FROM discovery_status();
-- A newer extension finds the older store and leaves its tables unchanged: upgrading them is the user's next command.
DROP EXTENSION discovery;
BEGIN;
CREATE EXTENSION discovery;
SELECT store_version, store_version = extension_version AS is_newest, state, count(*) OVER () AS stores
    FROM discovery_status();
SELECT count(*) AS changed
    FROM (SELECT oid, relname, relfilenode, relowner FROM pg_class WHERE relnamespace = 'public'::regnamespace
          EXCEPT SELECT * FROM relations_before) AS v;
SELECT p.oid::regprocedure AS without_comment
    FROM pg_proc p
    JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
    WHERE e.extname = 'discovery' AND obj_description(p.oid, 'pg_proc') IS NULL;
ROLLBACK;

--
-- ROLLBACK leaves nothing; a read-only transaction creates nothing
--
DROP TABLE sources, notebooks, discovery_migrations;
CREATE TEMPORARY TABLE catalog_before AS
    SELECT (SELECT count(*) FROM pg_class) AS relations, (SELECT count(*) FROM pg_proc) AS functions,
           (SELECT count(*) FROM pg_depend) AS dependencies, (SELECT count(*) FROM pg_description) AS comments,
           (SELECT count(*) FROM pg_type) AS types;
BEGIN;
CREATE EXTENSION discovery;
SELECT state FROM discovery_status();
ROLLBACK;
SELECT (SELECT count(*) FROM pg_class) - 1 - relations AS relations,
       (SELECT count(*) FROM pg_proc) - functions AS functions,
       (SELECT count(*) FROM pg_description) - comments AS comments,
       (SELECT count(*) FROM pg_extension WHERE extname = 'discovery') AS extensions
    FROM catalog_before;
BEGIN READ ONLY;
CREATE EXTENSION discovery;
\echo :SQLSTATE
ROLLBACK;
CREATE EXTENSION discovery VERSION '1.0';
CREATE SCHEMA shop;
BEGIN READ ONLY;
SELECT discovery_create_store('shop');
\echo :SQLSTATE
ROLLBACK;
BEGIN READ ONLY;
SELECT discovery_drop_store();
\echo :SQLSTATE
ROLLBACK;
-- Functions that only read are allowed.
BEGIN READ ONLY;
SELECT discovery_version(), (SELECT state FROM discovery_status()),
       (SELECT count(*) > 0 FROM discovery_shape()) AS has_shape;
COMMIT;

--
-- Two stores side by side, and the extension in a schema of its own
--
SELECT discovery_create_store('shop');
SELECT schema, store_version, state FROM discovery_status();
INSERT INTO shop.notebooks (id, name) VALUES (gen_random_uuid(), 'of the shop');
SELECT (SELECT count(*) FROM notebooks) AS in_public, (SELECT count(*) FROM shop.notebooks) AS in_shop;
SELECT conrelid::regclass, confrelid::regclass
    FROM pg_constraint WHERE conname = 'sources_notebook_id_fkey' ORDER BY conrelid::regclass::text;
SELECT count(*) AS differences FROM (SELECT discovery_shape('shop') EXCEPT SELECT discovery_shape('public')) AS v;
-- Without a schema's name, the first store in the search_path is used.
SET search_path = shop, public;
DELETE FROM notebooks;
SELECT discovery_drop_store();
SELECT schema FROM discovery_status();
SELECT discovery_create_store() AS again_in_the_first_schema;
SELECT schema FROM discovery_status();
RESET search_path;
SELECT discovery_drop_store('shop');
SELECT discovery_drop_store('public');
-- If there is no store at all, the status says that one is missing in the extension's schema.
SELECT schema, owner, store_version, state, notebooks, sources FROM discovery_status();
DROP EXTENSION discovery;
CREATE SCHEMA tools;
CREATE EXTENSION discovery VERSION '1.0' SCHEMA tools;
SELECT tablename FROM pg_tables WHERE schemaname = 'tools' ORDER BY tablename;
SELECT count(*) AS in_public FROM pg_class WHERE relnamespace = 'public'::regnamespace;
DROP EXTENSION discovery;
DROP SCHEMA tools CASCADE;
-- PostgreSQL itself refuses a schema that does not exist.
CREATE EXTENSION discovery VERSION '1.0' SCHEMA nowhere;
\echo :SQLSTATE

\c :current
DROP DATABASE regress_discovery_store;
