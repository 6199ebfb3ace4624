-- Nobody gets access to a store through the extension's functions: a role without rights on the tables gets a
-- permission error from each function that would use them, and can read nothing; a role that may read can read, but
-- not write.
SET client_min_messages = warning;
CREATE ROLE regress_discovery_keeper;
CREATE ROLE regress_discovery_stranger;
CREATE ROLE regress_discovery_reader;
CREATE SCHEMA discovery_kept AUTHORIZATION regress_discovery_keeper;
CREATE EXTENSION discovery SCHEMA discovery_kept;
DO $$
DECLARE relation regclass;
BEGIN
    FOR relation IN
        SELECT oid FROM pg_class WHERE relnamespace = 'discovery_kept'::regnamespace AND relkind IN ('r', 'v')
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO regress_discovery_keeper', relation);
    END LOOP;
END
$$;
GRANT USAGE ON SCHEMA discovery_kept TO regress_discovery_stranger, regress_discovery_reader;
SET search_path = discovery_kept;
INSERT INTO notebooks (id, name) VALUES ('00000000-0000-4000-8000-000000000001', 'Notes');
INSERT INTO sources (id, notebook_id, name, source_type, content_hash, extracted_text)
    SELECT ('00000000-0000-4000-9000-00000000000' || n)::uuid, '00000000-0000-4000-8000-000000000001', 'text ' || n,
           'text', '', 'words ' || n
    FROM generate_series(1, 3) AS n;
DO $$ BEGIN PERFORM delete_source('00000000-0000-4000-9000-000000000003', 'a secret reason'); END $$;

-- Each function, one per line: the SQLSTATE that the role gets, and the relation that the message names.
CREATE TABLE public.discovery_calls (number integer GENERATED ALWAYS AS IDENTITY, call text);
INSERT INTO public.discovery_calls (call) VALUES
    ('add_source(''00000000-0000-4000-8000-000000000001'', ''x'', ''text'', extracted_text => ''y'')'),
    ('add_source(''00000000-0000-4000-8000-000000000001'', ''x'', ''text'', extracted_text => ''words 1'')'),
    ('add_sources(''00000000-0000-4000-8000-000000000001'','
     ' ''[{"name": "x", "source_type": "text", "extracted_text": "y"}]'')'),
    ('find_duplicate_sources()'),
    ('check_source_hashes()'),
    ('check_source_counts()'),
    ('repair_source_counts()'),
    ('delete_source(''00000000-0000-4000-9000-000000000001'')'),
    ('delete_sources(ARRAY[''00000000-0000-4000-9000-000000000001'']::uuid[])'),
    ('restore_source(''00000000-0000-4000-9000-000000000003'')'),
    ('restore_sources((SELECT sources[1] FROM public.discovery_secret))'),
    ('preview_restore((SELECT sources[1] FROM public.discovery_secret))'),
    ('list_source_deletions()'),
    ('purge_deleted_sources(''0 days'')'),
    ('hold_source(''00000000-0000-4000-9000-000000000003'', ''x'')'),
    ('release_source(''00000000-0000-4000-9000-000000000003'')'),
    ('discovery_history() WHERE mark LIKE ''%current%'''),
    ('discovery_upgrade()'),
    ('discovery_downgrade(''1.0'')'),
    ('discovery_downgrade(''base'')'),
    ('discovery_stamp(''1.1'')'),
    ('discovery_drop_store()'),
    ('discovery_create_store()'),
    ('discovery_install_store()'),
    ('discovery_run_step(''1.1'', ''1.0'')');
CREATE TABLE public.discovery_secret AS SELECT ARRAY[id] AS sources FROM discovery_deletions;
GRANT SELECT ON public.discovery_calls, public.discovery_secret TO PUBLIC;
CREATE FUNCTION public.discovery_try(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE rows bigint; state text; message text;
BEGIN
    EXECUTE 'SELECT count(*) FROM ' || call INTO rows;
    -- A call that is allowed is undone.
    RAISE EXCEPTION USING ERRCODE = 'RGRSS', MESSAGE = rows || CASE rows WHEN 1 THEN ' row' ELSE ' rows' END;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
    RETURN CASE state WHEN 'RGRSS' THEN '' ELSE state || ' ' END || message;
END
$$;

-- A role without any right.
SET ROLE regress_discovery_stranger;
SELECT split_part(call, '(', 1) AS function, public.discovery_try(call) AS outcome
    FROM public.discovery_calls ORDER BY number;
SELECT relation, public.discovery_try(relation) AS outcome
    FROM unnest('{notebooks,sources,live_sources,deleted_sources,discovery_deletions,discovery_migrations}'::text[])
        AS relation;
-- The catalog shows the state of the store and its shape to everybody, and nothing of the rows.
SELECT schema, store_version = extension_version AS same_version, state FROM discovery_status();
SELECT count(*) AS differences FROM discovery_check() WHERE kind <> 'extra';
RESET ROLE;

-- A role with SELECT on everything: it can read, but not write.
GRANT SELECT ON ALL TABLES IN SCHEMA discovery_kept TO regress_discovery_reader;
SET ROLE regress_discovery_reader;
SELECT split_part(call, '(', 1) AS function, public.discovery_try(call) AS outcome
    FROM public.discovery_calls ORDER BY number;
SELECT relation, public.discovery_try(relation) AS outcome
    FROM unnest('{notebooks,sources,live_sources,deleted_sources,discovery_deletions}'::text[]) AS relation;
\set VERBOSITY terse
INSERT INTO sources (notebook_id, name, source_type, content_hash)
    VALUES ('00000000-0000-4000-8000-000000000001', 'x', 'text', '');
UPDATE sources SET deleted_at = NULL;
DELETE FROM notebooks;
UPDATE live_sources SET name = 'x';
TRUNCATE sources;
\set VERBOSITY default
RESET ROLE;

-- The views use the rights and the row-level security of the role that reads them.
SELECT relname, reloptions FROM pg_class
    WHERE relnamespace = 'discovery_kept'::regnamespace AND relkind = 'v' ORDER BY relname;
REVOKE SELECT ON sources FROM regress_discovery_reader;
SET ROLE regress_discovery_reader;
SELECT relation, public.discovery_try(relation) AS outcome
    FROM unnest('{live_sources,deleted_sources}'::text[]) AS relation;
RESET ROLE;
GRANT SELECT ON sources TO regress_discovery_reader;
CREATE POLICY regress_one ON sources FOR SELECT TO regress_discovery_reader USING (name = 'text 1');
ALTER TABLE sources ENABLE ROW LEVEL SECURITY;
SET ROLE regress_discovery_reader;
SELECT name FROM live_sources;
SELECT name FROM deleted_sources;
SELECT public.discovery_try('check_source_counts()') AS counts;
SELECT sources, still_deleted FROM list_source_deletions();
RESET ROLE;

-- A role without USAGE on the schema.
REVOKE USAGE ON SCHEMA discovery_kept FROM regress_discovery_stranger;
SET ROLE regress_discovery_stranger;
SELECT discovery_kept.discovery_version();
\echo :SQLSTATE
RESET ROLE;

RESET search_path;
DROP TABLE public.discovery_calls, public.discovery_secret;
DROP FUNCTION public.discovery_try(text);
DROP EXTENSION discovery CASCADE;
DROP SCHEMA discovery_kept CASCADE;
DROP ROLE regress_discovery_keeper, regress_discovery_stranger, regress_discovery_reader;
