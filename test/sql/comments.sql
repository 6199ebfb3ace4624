-- The step to 1.1 comments the tables, views and columns of the store, but never
-- over a comment of the user's; the step down removes only comments that are
-- still the store's. What a client may leave out has a default, for tools that
-- read the catalogs.
SET client_min_messages = warning;
CREATE SCHEMA discovery_comments;
SET search_path = discovery_comments;
CREATE EXTENSION discovery VERSION '1.0' SCHEMA discovery_comments;
CREATE VIEW comments AS
    SELECT format('%s%s', relation.relname, '.' || attname) AS object, description
    FROM pg_description JOIN pg_class AS relation ON relation.oid = objoid
    LEFT JOIN pg_attribute ON attrelid = objoid AND attnum = objsubid AND objsubid > 0
    WHERE classoid = 'pg_class'::regclass AND relnamespace = 'discovery_comments'::regnamespace
      AND relation.relname !~ '^discovery_(migrations|calls|own_calls)$';
TABLE comments;
COMMENT ON TABLE notebooks IS 'mine';
COMMENT ON COLUMN sources.url IS 'where we found it';
-- A difference of comments is none that must stop a step.
SET discovery.verify_steps = off;
SELECT discovery_upgrade('1.1');
SELECT * FROM comments WHERE object IN ('notebooks', 'sources', 'sources.url', 'sources.name', 'live_sources')
    ORDER BY object;
-- Every table, view and column of a table has one.
SELECT relname, attname AS without_comment FROM pg_class LEFT JOIN pg_attribute ON attrelid = pg_class.oid
    AND attnum > 0 AND NOT attisdropped
    WHERE relnamespace = 'discovery_comments'::regnamespace AND relkind = 'r'
    AND col_description(attrelid, attnum) IS NULL
UNION ALL
SELECT relname, NULL FROM pg_class WHERE relnamespace = 'discovery_comments'::regnamespace AND relkind IN ('r', 'v')
    AND relname <> 'comments' AND obj_description(oid, 'pg_class') IS NULL;

COMMENT ON COLUMN sources.name IS 'how we call it';
COMMENT ON COLUMN sources.file_size IS NULL;
SELECT discovery_downgrade('1.0');
SELECT * FROM comments ORDER BY object;
SELECT discovery_upgrade('1.1');
SELECT * FROM comments WHERE object IN ('notebooks', 'sources.url', 'sources.name', 'sources.file_size')
    ORDER BY object;

--
-- Defaults
--
SELECT attrelid::regclass AS "table", attname AS required FROM pg_attribute
    WHERE attrelid IN ('notebooks'::regclass, 'sources'::regclass) AND attnum > 0 AND attnotnull
    AND NOT atthasdef ORDER BY attrelid, attnum;
INSERT INTO notebooks (name) VALUES ('A');
INSERT INTO sources (notebook_id, name, source_type, content_hash, extracted_text)
    VALUES ((SELECT id FROM notebooks), 'text', 'text', DEFAULT, 'abc'), ((SELECT id
    FROM notebooks), 'file', 'file', DEFAULT, 'abc');
SELECT name, content_hash = content_hash('abc') AS is_hash, content_hash FROM sources ORDER BY name;
DROP SCHEMA discovery_comments CASCADE;
