-- Schemas with names that SQL has to quote, or that look like the placeholders for names in our scripts: a store
-- there works like any other, also through the steps. A name that cannot be the name of a store's schema is refused.
SET client_min_messages = warning;
CREATE DATABASE regress_discovery_schemas;
\set current :DBNAME
\c regress_discovery_schemas
SET client_min_messages = warning;
CREATE EXTENSION discovery VERSION '1.0';
CREATE TABLE names (name name, number integer GENERATED ALWAYS AS IDENTITY);
INSERT INTO names (name) VALUES ('Mixed Case'), ('with "quotes"'), ('"'), ('it''s'), ('100%s'), ('%I %L'), ('@store@'),
    ('@extschema@'), ('back\slash'), ('select'), ('a.b'), ('*/ --'), (repeat('long ', 12) || 'n'), ('notebooks'),
    ('; DROP TABLE names');
SELECT format('CREATE SCHEMA %I', name) FROM names ORDER BY number \gexec
DO $$ BEGIN PERFORM discovery_create_store(n.name) FROM names AS n; END $$;
SELECT name, discovery_version(name), (SELECT count(*) FROM pg_tables WHERE schemaname = name) AS tables,
       (SELECT count(*) FROM (SELECT discovery_shape(name)
                              EXCEPT SELECT line FROM discovery_shape('public') AS line) AS v) AS differences
    FROM names ORDER BY number;
SELECT count(*) AS stores, count(DISTINCT schema) AS schemas, bool_and(state = 'current') AS all_current
    FROM discovery_status();
-- Commands that the user is told to type have the name quoted.
DROP TABLE "it's".notebooks, "it's".sources;
DROP TABLE "with ""quotes""".discovery_migrations;
INSERT INTO "100%s".notebooks (id, name) VALUES (gen_random_uuid(), 'one');
SELECT discovery_drop_store('100%s');
DELETE FROM "100%s".notebooks;
SELECT schema, state FROM discovery_status() WHERE state <> 'current';
SELECT discovery_create_store('with "quotes"');
SELECT count(*) AS dropped FROM names, discovery_drop_store(name) WHERE name NOT IN ('it''s');
SELECT schemaname, tablename FROM pg_tables
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'public') ORDER BY schemaname, tablename;
DROP TABLE "it's".discovery_migrations;
DROP EXTENSION discovery;

-- The extension itself in such a schema, so that the steps name functions in it. PostgreSQL refuses a name that it
-- cannot quote.
DROP TABLE sources, notebooks, discovery_migrations;
CREATE FUNCTION tell(schema name) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    EXECUTE format('CREATE EXTENSION discovery SCHEMA %I', schema);
    EXECUTE format('SELECT state FROM %I.discovery_status()', schema) INTO answer;
    EXECUTE format('INSERT INTO %I.notebooks (id, name) VALUES (gen_random_uuid(), ''one'')', schema);
    EXECUTE format('ALTER EXTENSION discovery UPDATE TO ''1.0''');
    EXECUTE format('SELECT %L || '', then '' || state || '' at '' || store_version FROM %I.discovery_status()',
                   answer, schema) INTO answer;
    EXECUTE format('DROP EXTENSION discovery; DROP TABLE %1$I.sources, %1$I.notebooks, %1$I.discovery_migrations',
                   schema);
    RETURN answer;
EXCEPTION WHEN OTHERS THEN
    IF sqlerrm LIKE 'invalid character in extension%' THEN RETURN 'refused by PostgreSQL'; END IF;
    RAISE;
END $$;
-- (Comment marks and @extschema@ are refused by newer minor releases only.)
SELECT name, tell(name) FROM names WHERE name NOT IN ('it''s', '@extschema@', '*/ --') ORDER BY number;

-- A dollar sign in a name could end the dollar quotes around the text of a step.
CREATE SCHEMA "a$b";
CREATE SCHEMA "$q$";
CREATE EXTENSION discovery VERSION '1.0';
SELECT discovery_create_store('a$b');
\echo :SQLSTATE
SELECT discovery_create_store('$q$');
\echo :SQLSTATE
DROP EXTENSION discovery;
SELECT count(*) AS tables FROM pg_tables WHERE schemaname LIKE '%$%';

\c :current
DROP DATABASE regress_discovery_schemas;
