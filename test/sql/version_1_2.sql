-- From version 1.1 to 1.2 and back. The columns created_by and the table of outputs may be there already, as a later
-- version of the application made them: what they lack is added, and their rows stay.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
SET DateStyle = ISO;
CREATE EXTENSION discovery VERSION '1.1';
INSERT INTO notebooks (id, name, output_count, updated_at) VALUES
    ('00000000-0000-4000-8000-00000000000a', 'a', 39, '2026-01-01'),
    ('00000000-0000-4000-8000-00000000000b', 'b', 0, '2026-01-01');
INSERT INTO sources (notebook_id, name, source_type, extracted_text, created_at)
    VALUES ('00000000-0000-4000-8000-00000000000a', 's', 'text', 's', '2025-01-01');
CREATE FUNCTION indexes() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes
    WHERE schemaname = 'public' AND indexname ~ '^(ix_outputs|ix_.*created_by|outputs)' $$;

-- No outputs: a client has kept the count.
ALTER EXTENSION discovery UPDATE TO '1.2';
SELECT state, store_version FROM discovery_status();
SELECT name, source_count, output_count, updated_at, created_by FROM notebooks ORDER BY name;
SELECT indexes();
-- What 1.2 has added is empty, so it can go.
ALTER EXTENSION discovery UPDATE TO '1.1';
SELECT state, store_version FROM discovery_status();
SELECT to_regclass('outputs') IS NULL AS no_outputs, indexes() IS NULL AS no_indexes;
-- From here on the client keeps the count again.
UPDATE notebooks SET output_count = 39, updated_at = '2026-01-02' WHERE name = 'a' RETURNING output_count;

-- Outputs as revision 91f6c7ffafc4 makes them
CREATE TABLE outputs (
    id uuid NOT NULL, notebook_id uuid NOT NULL, title varchar(500) NOT NULL, content text DEFAULT '' NOT NULL,
    output_type varchar(50) DEFAULT 'blog_post' NOT NULL, status varchar(20) DEFAULT 'draft' NOT NULL,
    prompt text, template_name varchar(100), output_metadata json DEFAULT '{}' NOT NULL,
    source_references varchar[] DEFAULT '{}' NOT NULL, word_count integer DEFAULT '0' NOT NULL,
    created_at timestamp DEFAULT now() NOT NULL, updated_at timestamp DEFAULT now() NOT NULL, completed_at timestamp,
    PRIMARY KEY (id), FOREIGN KEY (notebook_id) REFERENCES notebooks (id) ON DELETE CASCADE);
CREATE INDEX ix_outputs_notebook_id ON outputs (notebook_id);
CREATE INDEX ix_outputs_status ON outputs (status);
CREATE INDEX ix_outputs_output_type ON outputs (output_type);
CREATE INDEX ix_outputs_created_at ON outputs (created_at);
CREATE INDEX ix_outputs_updated_at ON outputs (updated_at);
CREATE INDEX ix_outputs_completed_at ON outputs (completed_at);
CREATE INDEX ix_outputs_notebook_status ON outputs (notebook_id, status);
INSERT INTO outputs (id, notebook_id, title, content, output_metadata)
    SELECT gen_random_uuid(), '00000000-0000-4000-8000-00000000000a', 'o' || n, repeat('text ', n), '{"n":  1}'
    FROM generate_series(1, 3) AS n;
CREATE TABLE before AS SELECT id, content, output_metadata::text, created_at, updated_at FROM outputs;
ALTER EXTENSION discovery UPDATE TO '1.2';
SELECT state, store_version FROM discovery_status();
SELECT name, source_count, output_count, updated_at, created_by FROM notebooks ORDER BY name;
SELECT count(*), min(created_by) AS created_by FROM outputs
    JOIN before USING (id, content, created_at, updated_at)
    WHERE outputs.output_metadata::text = before.output_metadata;
SELECT indexes();
-- They are not lost silently.
SET discovery.allow_data_loss = off;
ALTER EXTENSION discovery UPDATE TO '1.1';
UPDATE notebooks SET created_by = 'ann' WHERE name = 'a';
SELECT discovery_downgrade('1.1');
SET discovery.allow_data_loss = on;
SELECT discovery_downgrade('1.1');

-- As add_created_by_001 and add_users_001 leave them: created_by without a default
ALTER TABLE notebooks ADD COLUMN created_by varchar(255) DEFAULT 'system@discovery.local' NOT NULL;
ALTER TABLE notebooks ALTER COLUMN created_by DROP DEFAULT;
CREATE INDEX ix_notebooks_created_by ON notebooks (created_by);
ALTER TABLE sources ADD COLUMN created_by varchar(255) DEFAULT 'ann' NOT NULL;
ALTER TABLE sources ALTER COLUMN created_by DROP DEFAULT;
CREATE INDEX ix_sources_created_by ON sources (created_by);
-- And as create_all() makes them: no defaults, two of the indexes, the columns in another order
CREATE TABLE outputs (
    created_by varchar(255) NOT NULL, id uuid NOT NULL, notebook_id uuid NOT NULL, title varchar(500) NOT NULL,
    content text NOT NULL, output_type varchar(50) NOT NULL, status varchar(20) NOT NULL,
    prompt text, template_name varchar(100), output_metadata json NOT NULL,
    source_references varchar[] NOT NULL, word_count integer NOT NULL,
    created_at timestamp NOT NULL, updated_at timestamp NOT NULL, completed_at timestamp,
    PRIMARY KEY (id), FOREIGN KEY (notebook_id) REFERENCES notebooks (id) ON DELETE CASCADE);
CREATE INDEX ix_outputs_notebook_id ON outputs (notebook_id);
CREATE INDEX ix_outputs_created_by ON outputs (created_by);
INSERT INTO outputs (created_by, id, notebook_id, title, content, output_type, status, output_metadata,
                     source_references, word_count, created_at, updated_at)
    VALUES ('ann', gen_random_uuid(), '00000000-0000-4000-8000-00000000000b', 'o', '', 'podcast', 'strange', '{}', '{}',
            0, '2026-01-02', '2026-01-02');
ALTER EXTENSION discovery UPDATE TO '1.2';
SELECT state, store_version FROM discovery_status();
SELECT name, source_count, output_count, created_by FROM notebooks ORDER BY name;
SELECT name, created_by FROM sources;
SELECT title, output_type, status, created_by FROM outputs;
SELECT indexes();
-- Defaults, for clients that know nothing of them
INSERT INTO notebooks (name) VALUES ('c') RETURNING created_by;
INSERT INTO outputs (notebook_id, title) SELECT id, 'new' FROM notebooks WHERE name = 'c'
    RETURNING output_type, status, content, output_metadata, source_references, word_count, created_by,
              created_at = timezone('UTC', now()) AS now;
SELECT name, output_count FROM notebooks ORDER BY name;

SELECT discovery_drop_store();
DROP EXTENSION discovery;
DROP TABLE before;
DROP FUNCTION indexes();
