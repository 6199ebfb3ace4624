-- A session's settings, above all those that pg_dump sets, change nothing in what is made, read and
-- migrated; nor does the name of the schema.
SET client_min_messages = warning;

-- Makes a store, alters it, has it compared, and takes it down and up.
CREATE FUNCTION pg_temp.outcome(schema name) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    outcome text;
    found text;
BEGIN
    BEGIN
        EXECUTE format('CREATE SCHEMA %I', schema);
        IF schema = 'discovery_settings' THEN
            EXECUTE 'CREATE EXTENSION discovery SCHEMA discovery_settings';
        ELSE
            -- PostgreSQL does not take every name for the schema of an extension.
            CREATE SCHEMA discovery_functions;
            SET LOCAL discovery.create_store = off;
            CREATE EXTENSION discovery SCHEMA discovery_functions;
            PERFORM discovery_functions.discovery_create_store(schema);
        END IF;
        PERFORM set_config('search_path', format('%I, discovery_functions', schema), true);
        EXECUTE $s$SELECT string_agg(object, ', ') FROM discovery_check()$s$ INTO found;
        outcome := coalesce('differences: ' || found, 'no difference');
        EXECUTE $s$SELECT count(*)::text FROM discovery_autogenerate()$s$ INTO found;
        outcome := outcome || '; ' || found || ' statements';
        EXECUTE $s$SELECT discovery_downgrade('1.0') || ', ' || discovery_upgrade()$s$ INTO found;
        outcome := outcome || '; ' || found;
        EXECUTE $s$ALTER TABLE sources ADD COLUMN own text DEFAULT chr(92), ADD CONSTRAINT own CHECK (name <> chr(10));
                   ALTER TABLE sources ALTER COLUMN own SET DEFAULT U&'a\005Cb'$s$;
        EXECUTE $s$SELECT string_agg(statement, '; ') FROM discovery_autogenerate()
            WHERE direction = 'up'$s$ INTO found;
        outcome := outcome || '; ' || found;
        RAISE EXCEPTION USING ERRCODE = 'Y0001';
    EXCEPTION
        WHEN SQLSTATE 'Y0001' THEN RETURN outcome;
        WHEN OTHERS THEN RETURN concat_ws(', ', SQLSTATE, SQLERRM);
    END;
END $$;
CREATE FUNCTION pg_temp.outcome_with(setting text, value text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config(setting, value, true);
    RETURN pg_temp.outcome('discovery_settings');
END $$;
SELECT pg_temp.outcome('discovery_settings') AS usual \gset
\echo :usual

SELECT setting, value, pg_temp.outcome_with(setting, value) = :'usual' AS is_usual
FROM (VALUES ('DateStyle', 'SQL, DMY'), ('IntervalStyle', 'sql_standard'), ('TimeZone', 'Asia/Kathmandu'),
             ('extra_float_digits', '-15'), ('standard_conforming_strings', 'on'), ('quote_all_identifiers', 'on'),
             ('synchronize_seqscans', 'off'), ('statement_timeout', '10min'), ('lock_timeout', '1min'),
             ('idle_in_transaction_session_timeout', '10min'), ('xmloption', 'document'), ('xmlbinary', 'hex'),
             ('bytea_output', 'escape'), ('check_function_bodies', 'off'), ('escape_string_warning', 'off'),
             ('backslash_quote', 'off'), ('transform_null_equals', 'on'), ('array_nulls', 'off'),
             ('search_path', ''), ('default_toast_compression', 'pglz'), ('lc_monetary', 'C')) AS v (setting, value);
RESET ALL;
SET client_min_messages = warning;

-- plpgsql reads its literals by this setting as well, so it comes last, without the function above.
CREATE SCHEMA discovery_settings;
SET search_path = discovery_settings;
SET standard_conforming_strings = off;
SET escape_string_warning = off;
CREATE EXTENSION discovery SCHEMA discovery_settings;
SELECT object, kind FROM discovery_check();
CREATE INDEX own ON sources (name) WITH (fillfactor = 70) WHERE name <> E'\\n)';
SELECT direction, statement FROM discovery_autogenerate();
SELECT discovery_downgrade('1.0'), discovery_upgrade();
DROP SCHEMA discovery_settings CASCADE;
RESET ALL;
SET client_min_messages = warning;

-- Names that look like marks, or have to be quoted in more than one way.
SELECT to_json(name) AS schema, pg_temp.outcome(name) = :'usual' AS is_usual
FROM (VALUES ('@compression@'), ('@store@'), ('@functions@'), (E'new\nline'), ('it''s "quoted"'), (E'back\\slash'),
             ('-- a comment'), ('/* a comment */')) AS v (name);
