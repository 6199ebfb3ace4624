-- A role that may create objects where a superuser, or the owner of the database, creates and uses the extension,
-- plants code there: look-alikes of built-in functions and operators in public; tables, views, rules, triggers and
-- policies under the names of a store in a schema of its own. Whatever is called, none of it runs with more rights
-- than that role has, and no setting stays changed. Each planted function raises a WARNING when another role runs it:
-- the expected output has such a line only where the test itself calls one.
SET client_min_messages = warning;
CREATE ROLE regress_discovery_mallory LOGIN;
CREATE ROLE regress_discovery_dbowner LOGIN;
CREATE DATABASE regress_discovery_planted OWNER regress_discovery_dbowner;
\getenv inputdir PG_ABS_SRCDIR
\set alembic_tables :inputdir '/sql/include/alembic_tables.sql'
\set current :DBNAME
\set superuser :USER
\c regress_discovery_planted
SET client_min_messages = warning;
CREATE SCHEMA traps AUTHORIZATION regress_discovery_mallory;
GRANT USAGE ON SCHEMA traps TO PUBLIC;
GRANT CREATE ON SCHEMA public TO regress_discovery_mallory;

SET SESSION AUTHORIZATION regress_discovery_mallory;
CREATE SEQUENCE traps.runs;
GRANT USAGE ON SEQUENCE traps.runs TO PUBLIC;
CREATE FUNCTION traps.spring(trap text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$
BEGIN
    IF current_user <> 'regress_discovery_mallory' THEN
        RAISE WARNING 'trap "%" runs as another role, superuser: %', trap,
            (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) current_user);
    END IF;
    PERFORM pg_catalog.nextval('traps.runs'), pg_catalog.set_config('search_path', 'traps', false),
            pg_catalog.set_config('planted.leak', 'leaked', false);
    RETURN true;
END $$;
CREATE FUNCTION traps.on_row() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM traps.spring(tg_name::text); RETURN coalesce(NEW, OLD); END $$;
-- Functions and operators that match arguments of these types better than PostgreSQL's own.
CREATE FUNCTION public.lower(varchar) RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN PERFORM traps.spring('lower'); RETURN pg_catalog.lower($1::text); END $$;
CREATE FUNCTION public.lower(name) RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN PERFORM traps.spring('lower of name'); RETURN pg_catalog.lower($1::text); END $$;
CREATE FUNCTION public.quote_ident(name) RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN PERFORM traps.spring('quote_ident'); RETURN pg_catalog.quote_ident($1::text); END $$;
CREATE FUNCTION public.btrim(varchar) RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN PERFORM traps.spring('btrim'); RETURN $1; END $$;
CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE plpgsql AS
    $$ BEGIN PERFORM traps.spring('now'); RETURN pg_catalog.now(); END $$;
CREATE FUNCTION public.gen_random_uuid() RETURNS uuid LANGUAGE plpgsql AS
    $$ BEGIN PERFORM traps.spring('gen_random_uuid'); RETURN pg_catalog.gen_random_uuid(); END $$;
CREATE FUNCTION public.timezone(unknown, timestamptz) RETURNS timestamp LANGUAGE plpgsql AS
    $$ BEGIN PERFORM traps.spring('timezone'); RETURN pg_catalog.now(); END $$;
CREATE FUNCTION traps.same(varchar, varchar) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN PERFORM traps.spring('varchar'); RETURN $1::text OPERATOR(pg_catalog.=) $2::text; END $$;
CREATE FUNCTION traps.same(varchar, text) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN PERFORM traps.spring('varchar and text'); RETURN $1::text OPERATOR(pg_catalog.=) $2; END $$;
CREATE FUNCTION traps.same(name, varchar) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN PERFORM traps.spring('name and varchar'); RETURN $1::text OPERATOR(pg_catalog.=) $2::text; END $$;
CREATE FUNCTION traps.same(text, text) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN PERFORM traps.spring('text'); RETURN $1 OPERATOR(pg_catalog.=) $2; END $$;
CREATE FUNCTION traps.same(name, name) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN PERFORM traps.spring('name'); RETURN $1 OPERATOR(pg_catalog.=) $2; END $$;
CREATE FUNCTION traps.same(uuid, uuid) RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN PERFORM traps.spring('uuid'); RETURN $1 OPERATOR(pg_catalog.=) $2; END $$;
CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = traps.same);
CREATE OPERATOR public.<> (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = traps.same);
CREATE OPERATOR public.~ (LEFTARG = varchar, RIGHTARG = text, FUNCTION = traps.same);
CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = text, FUNCTION = traps.same);
CREATE OPERATOR public.<> (LEFTARG = varchar, RIGHTARG = text, FUNCTION = traps.same);
CREATE OPERATOR public.= (LEFTARG = name, RIGHTARG = varchar, FUNCTION = traps.same);
CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = traps.same);
CREATE OPERATOR public.= (LEFTARG = name, RIGHTARG = name, FUNCTION = traps.same);
CREATE OPERATOR public.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = traps.same);
CREATE OPERATOR public.<> (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = traps.same);
CREATE VIEW public.pg_settings AS SELECT 'row_security' AS name, 'session' AS source WHERE traps.spring('pg_settings');
CREATE VIEW public.pg_class AS SELECT 1 AS oid WHERE traps.spring('pg_class');
GRANT SELECT ON public.pg_settings, public.pg_class TO PUBLIC;
RESET SESSION AUTHORIZATION;
-- The traps work: a call with a varchar runs one, which changes the caller's settings.
SELECT lower('A'::varchar);
SHOW search_path;
SHOW planted.leak;

--
-- public is full of traps
--
\c
SET client_min_messages = warning;
CREATE PROCEDURE traps.use_all() LANGUAGE plpgsql AS $$
DECLARE
    notebook CONSTANT uuid := '00000000-0000-0000-0000-00000000000a';
BEGIN
    CREATE EXTENSION discovery VERSION '1.0';
    INSERT INTO notebooks (id, name, created_at, updated_at)
        SELECT notebook, 'One', timestamp '2025-01-01', timestamp '2025-01-01';
    -- Two sources with the same content in two spellings, so that the step up has all of its work to do.
    INSERT INTO sources (id, notebook_id, name, source_type, content_hash, created_at, updated_at)
        SELECT pg_catalog.gen_random_uuid(), notebook, 'S', 'text',
               CASE n WHEN 1 THEN pg_catalog.repeat('ab', 32) ELSE pg_catalog.repeat('AB', 32) END,
               timestamp '2025-01-01', timestamp '2025-01-01'
        FROM pg_catalog.generate_series(1, 2) AS n;
    ALTER EXTENSION discovery UPDATE;
    INSERT INTO sources (notebook_id, name, source_type, extracted_text, content_hash)
        VALUES (notebook, 'T', 'text', 'new', '');
    UPDATE sources SET deleted_at = timestamp '2025-01-02';
    PERFORM discovery_status(), discovery_version(), discovery_shape();
    SET LOCAL discovery.allow_data_loss = on;
    ALTER EXTENSION discovery UPDATE TO '1.0';
    PERFORM discovery_drop_store();
    PERFORM discovery_create_store();
    PERFORM discovery_drop_store();
    DROP EXTENSION discovery;
END $$;
GRANT EXECUTE ON PROCEDURE traps.use_all() TO PUBLIC;
-- (The WARNING of the step up has an id in its HINT.)
\set VERBOSITY terse
SET SESSION AUTHORIZATION regress_discovery_dbowner;
CALL traps.use_all();
RESET SESSION AUTHORIZATION;
CALL traps.use_all();
\set VERBOSITY default
SHOW search_path;
SELECT current_setting('planted.leak', true) AS leak;

-- A function with the name of one of ours is neither used as ours nor replaced.
SET SESSION AUTHORIZATION regress_discovery_mallory;
CREATE FUNCTION public.content_hash(text) RETURNS text LANGUAGE sql AS
    $$ SELECT 'forged' WHERE traps.spring('content_hash') $$;
RESET SESSION AUTHORIZATION;
\set SHOW_CONTEXT never
CREATE EXTENSION discovery;
\echo :SQLSTATE
DROP FUNCTION public.content_hash(text);

-- Objects of every kind with the names of a store's tables, before the store is created: CREATE EXTENSION neither
-- reads nor adopts any of them.
CREATE FUNCTION traps.try(ddl text, OUT code text, OUT message text) LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL ROLE regress_discovery_mallory;
    EXECUTE ddl;
    RESET ROLE;
    CREATE EXTENSION discovery;
    DROP EXTENSION discovery CASCADE;
    RAISE 'made';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
    message := regexp_replace(message, 'statement \d+$', 'statement ...');
END $$;
SELECT t.* FROM (VALUES ('CREATE VIEW notebooks AS SELECT 1 AS id WHERE traps.spring(''view'')'),
    ('CREATE TABLE sources (id uuid)'),
    ('CREATE VIEW discovery_migrations AS SELECT ''1.0''::text AS version WHERE traps.spring(''record'')'),
    ('CREATE TABLE discovery_migrations (version text DEFAULT ''1.0'')'),
    ('CREATE TABLE discovery_migrations (version text DEFAULT traps.spring(''default'')::text)'),
    ('CREATE TABLE discovery_deletions (id uuid)'),
    ('CREATE VIEW live_sources AS SELECT 1 AS id WHERE traps.spring(''live_sources'')'),
    ('CREATE VIEW alembic_version AS SELECT ''x''::text AS version_num WHERE traps.spring(''alembic_version'')'))
    AS v (ddl), traps.try(ddl) AS t;
DROP FUNCTION traps.try;
-- A superuser's own tables, and beside them a planted alembic_version with a policy.
\set ECHO none
\i :alembic_tables
\set ECHO all
DROP TABLE alembic_version;
SET SESSION AUTHORIZATION regress_discovery_mallory;
CREATE TABLE alembic_version (version_num text);
INSERT INTO alembic_version VALUES ('forged');
ALTER TABLE alembic_version ENABLE ROW LEVEL SECURITY;
ALTER TABLE alembic_version FORCE ROW LEVEL SECURITY;
CREATE POLICY policy ON alembic_version USING (traps.spring('policy of alembic_version'));
RESET SESSION AUTHORIZATION;
CREATE EXTENSION discovery;
SELECT description FROM discovery_migrations;
SELECT store_version, state FROM discovery_status();
DROP EXTENSION discovery;
DROP TABLE alembic_version, sources, notebooks, discovery_migrations;

-- The name of a schema ends the comment that contains a step; newer minor releases of PostgreSQL refuse the name
-- themselves.
SET SESSION AUTHORIZATION regress_discovery_dbowner;
CREATE SCHEMA "*/CREATE TABLE IF NOT EXISTS public.owned();/*";
DO $$
BEGIN
    CREATE EXTENSION discovery SCHEMA "*/CREATE TABLE IF NOT EXISTS public.owned();/*";
EXCEPTION WHEN OTHERS THEN NULL;
END $$;
SELECT to_regclass('public.owned') IS NULL AS nothing_ran;
DROP EXTENSION IF EXISTS discovery CASCADE;
DROP SCHEMA "*/CREATE TABLE IF NOT EXISTS public.owned();/*" CASCADE;
RESET SESSION AUTHORIZATION;

--
-- A schema of mallory's, and the store of a superuser in it
--
CREATE SCHEMA shop AUTHORIZATION regress_discovery_mallory;
CREATE EXTENSION discovery SCHEMA shop;
SELECT owner = session_user AS mine, state FROM shop.discovery_status();
-- As the schema's owner, mallory drops a table in it and puts something else in its place.
SET SESSION AUTHORIZATION regress_discovery_mallory;
DROP TABLE shop.sources CASCADE;
CREATE VIEW shop.sources AS
    SELECT pg_catalog.gen_random_uuid() AS id, NULL::uuid AS deletion_id WHERE traps.spring('view in place of sources');
GRANT ALL ON shop.sources TO PUBLIC;
CREATE FUNCTION shop.timezone(text, timestamptz) RETURNS timestamp LANGUAGE sql AS
    $$ SELECT timestamp '2000-01-01' WHERE traps.spring('timezone of shop') $$;
RESET SESSION AUTHORIZATION;
SELECT state FROM shop.discovery_status();
SELECT shop.discovery_version('shop') IS NOT NULL AS has_version,
       (SELECT count(*) > 0 FROM shop.discovery_shape('shop')) AS has_shape;
SET discovery.allow_data_loss = on;
\set VERBOSITY sqlstate
ALTER EXTENSION discovery UPDATE TO '1.0';
SELECT shop.discovery_drop_store('shop');
SELECT shop.discovery_create_store('shop');
\set VERBOSITY default
RESET discovery.allow_data_loss;
SELECT relkind, relowner::regrole FROM pg_catalog.pg_class WHERE oid = 'shop.sources'::regclass;
DROP EXTENSION discovery CASCADE;
DROP SCHEMA shop CASCADE;

--
-- Tables of mallory's that the superuser adopts on purpose
--
CREATE SCHEMA shop AUTHORIZATION regress_discovery_mallory;
SET SESSION AUTHORIZATION regress_discovery_mallory;
SET search_path = shop;
\set ECHO none
\i :alembic_tables
\set ECHO all
RESET search_path;
CREATE TRIGGER trap_update BEFORE UPDATE ON shop.sources FOR EACH ROW EXECUTE FUNCTION traps.on_row();
CREATE TRIGGER trap_count BEFORE UPDATE ON shop.notebooks FOR EACH ROW EXECUTE FUNCTION traps.on_row();
CREATE CONSTRAINT TRIGGER trap_deferred AFTER UPDATE ON shop.notebooks DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION traps.on_row();
CREATE RULE trap_rule AS ON UPDATE TO shop.notebooks DO ALSO SELECT traps.spring('rule');
CREATE FUNCTION traps.indexed(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
    $$ BEGIN PERFORM traps.spring('index'); RETURN $1; END $$;
CREATE INDEX trap_index ON shop.sources (traps.indexed(name));
ALTER TABLE shop.sources ADD CONSTRAINT trap_check CHECK (traps.spring('check ' || name)) NOT VALID;
ALTER TABLE shop.sources ENABLE ROW LEVEL SECURITY;
ALTER TABLE shop.sources FORCE ROW LEVEL SECURITY;
CREATE POLICY trap_policy ON shop.sources USING (traps.spring('policy'));
GRANT ALL ON shop.sources, shop.notebooks, shop.alembic_version TO PUBLIC;
ALTER TABLE shop.alembic_version ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY trap_policy ON shop.alembic_version USING (traps.spring('policy of alembic_version'));
RESET SESSION AUTHORIZATION;
SET search_path = pg_catalog;
SET discovery.adopt_foreign = on;
ALTER SEQUENCE traps.runs RESTART;
CREATE EXTENSION discovery VERSION '1.0' SCHEMA shop;
SELECT owner, store_version, state FROM shop.discovery_status();
SELECT tableowner FROM pg_tables WHERE tablename = 'discovery_migrations';
SELECT shop.discovery_version('shop') AS version, count(*) > 0 AS has_shape FROM shop.discovery_shape('shop');
-- (The WARNING about duplicates of the steps up names an id, so only its first line is shown from here on.)
\set VERBOSITY terse
-- The step updates mallory's rows as mallory. Her deferred trigger, which would run at COMMIT, after that, is refused.
ALTER EXTENSION discovery UPDATE TO '1.1';
\echo :SQLSTATE
SELECT shop.discovery_version('shop');
DROP TRIGGER trap_deferred ON shop.notebooks;
ALTER EXTENSION discovery UPDATE TO '1.1';
SELECT is_called AS hers_ran_as_hers FROM traps.runs;
SELECT owner, store_version, state FROM shop.discovery_status();
-- Triggers that nobody expects, on the store's own tables.
SET SESSION AUTHORIZATION regress_discovery_mallory;
CREATE TRIGGER trap_history BEFORE INSERT ON shop.discovery_migrations FOR EACH ROW EXECUTE FUNCTION traps.on_row();
CREATE CONSTRAINT TRIGGER trap_deferred AFTER INSERT ON shop.discovery_migrations DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION traps.on_row();
RESET SESSION AUTHORIZATION;
SET discovery.allow_data_loss = on;
ALTER EXTENSION discovery UPDATE TO '1.0';
\echo :SQLSTATE
DROP TRIGGER trap_deferred ON shop.discovery_migrations;
ALTER EXTENSION discovery UPDATE TO '1.0';
SELECT owner, store_version, state FROM shop.discovery_status();
SELECT shop.discovery_drop_store('shop');
SELECT state FROM shop.discovery_status();
SHOW search_path;
SELECT current_setting('planted.leak', true) AS leak;

\c :current :superuser
DROP DATABASE regress_discovery_planted;
DROP ROLE regress_discovery_mallory, regress_discovery_dbowner;
