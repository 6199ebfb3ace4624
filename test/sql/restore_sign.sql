-- A restore of a dump: the tables come with the dump, so CREATE EXTENSION does not create the store, and says so. A
-- restore is recognized by a setting of row_security in this session, which pg_dump's output always has;
-- discovery.create_store overrides that.
SET client_min_messages = warning;
CREATE DATABASE regress_discovery_restore;
\set current :DBNAME
\c regress_discovery_restore
SET client_min_messages = warning;
CREATE PROCEDURE tell() LANGUAGE plpgsql AS $$
DECLARE
    tables bigint;
BEGIN
    SELECT count(*) INTO tables FROM pg_tables WHERE tablename IN ('notebooks', 'sources', 'discovery_migrations');
    RAISE WARNING 'tables of a store: %', tables;
    DROP TABLE IF EXISTS sources, notebooks, discovery_migrations CASCADE;
    DROP EXTENSION discovery CASCADE;
END $$;

-- pg_dump without and with --enable-row-security.
SET row_security = off;
CREATE EXTENSION discovery;
CALL tell();
SET row_security = on;
CREATE EXTENSION discovery;
-- The command in the HINT works, in whichever schema the extension is.
SELECT state FROM discovery_status();
SELECT public.discovery_create_store('public') IS NOT NULL AS made;
SELECT state FROM discovery_status();
CALL tell();
CREATE SCHEMA "Own Tools";
CREATE EXTENSION discovery SCHEMA "Own Tools";
SELECT "Own Tools".discovery_create_store('Own Tools') IS NOT NULL AS made;
DROP SCHEMA "Own Tools" CASCADE;
-- The commands around it in a restore by pg_restore, with its search_path.
BEGIN;
SELECT set_config('search_path', '', false);
SET LOCAL row_security = off;
CREATE EXTENSION IF NOT EXISTS discovery WITH SCHEMA public;
CALL public.tell();
COMMIT;
RESET search_path;
-- A setting that has ended does not count.
RESET row_security;
BEGIN;
SET LOCAL row_security = off;
COMMIT;
CREATE EXTENSION discovery VERSION '1.0';
CALL tell();
-- An upgrade does not create a store that was left out.
SET row_security = off;
CREATE EXTENSION discovery VERSION '1.0';
ALTER EXTENSION discovery UPDATE;
CALL tell();
RESET row_security;

-- Settings of the database or of a role do not mean a restore.
ALTER DATABASE regress_discovery_restore SET row_security = off;
\c
SET client_min_messages = warning;
SHOW row_security;
CREATE EXTENSION discovery VERSION '1.0';
CALL tell();
ALTER DATABASE regress_discovery_restore RESET row_security;
\c
SET client_min_messages = warning;

-- discovery.create_store decides: on and off, whatever row_security says.
SET discovery.create_store = off;
CREATE EXTENSION discovery;
CALL tell();
SET discovery.create_store = on;
SET row_security = off;
CREATE EXTENSION discovery VERSION '1.0';
CALL tell();
SET discovery.create_store = auto;
CREATE EXTENSION discovery;
CALL tell();
RESET row_security;
CREATE EXTENSION discovery VERSION '1.0';
CALL tell();
-- The same if it is set for the database.
ALTER DATABASE regress_discovery_restore SET discovery.create_store = off;
\c
SET client_min_messages = warning;
CREATE EXTENSION discovery;
CALL tell();

\c :current
DROP DATABASE regress_discovery_restore;
