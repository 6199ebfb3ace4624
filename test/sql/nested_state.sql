-- What spans statements nests: a user's trigger may run our functions in the middle of another call of them. And two
-- statements of ours whose texts have the same 32-bit hash are two statements.
SET client_min_messages = warning;
CREATE EXTENSION discovery;
INSERT INTO notebooks (id, name) VALUES ('00000000-0000-4000-8000-000000000001', 'Nested');
INSERT INTO sources (id, notebook_id, name, source_type, extracted_text)
    SELECT id, '00000000-0000-4000-8000-000000000001', name, 'text', name || ' text'
    FROM (VALUES ('00000000-0000-4000-9000-000000000001'::uuid, 'outer'),
                 ('00000000-0000-4000-9000-000000000002'::uuid, 'inner')) AS v (id, name);
SELECT deleted FROM delete_sources(ARRAY(SELECT id FROM sources));

-- add_source() restores under a hash that is not that of the new text: the hash that was asked for stands, also where
-- a trigger restores another source meanwhile.
CREATE FUNCTION companion() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.name = 'outer' AND NEW.deleted_at IS NULL AND OLD.deleted_at IS NOT NULL THEN
        PERFORM add_source(NEW.notebook_id, 'inner', 'text', extracted_text => 'inner text');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER companion BEFORE UPDATE ON sources FOR EACH ROW EXECUTE FUNCTION companion();
SELECT outcome FROM add_source('00000000-0000-4000-8000-000000000001', 'outer', 'text',
    content_hash => content_hash('outer text'), extracted_text => 'another rendering');
SELECT name, content_hash = content_hash(name || ' text') AS hash_is_asked_for, deleted_at IS NULL AS is_live
    FROM sources ORDER BY name;
-- The next UPDATE hashes again.
UPDATE sources SET extracted_text = 'new text', content_hash = '' WHERE name = 'outer';
SELECT content_hash = content_hash('new text') AS hash_is_of_text FROM sources WHERE name = 'outer';
DROP TRIGGER companion ON sources;

-- A trigger that deletes in a deletion of its own: each source is in the deletion of its call.
CREATE FUNCTION delete_inner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.name = 'outer' AND NEW.deleted_at IS NOT NULL THEN
        PERFORM delete_source((SELECT id FROM sources WHERE name = 'inner'), 'inner');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER delete_inner BEFORE UPDATE ON sources FOR EACH ROW EXECUTE FUNCTION delete_inner();
SELECT deleted FROM delete_source((SELECT id FROM sources WHERE name = 'outer'), 'outer');
SELECT source.name, deletion.reason, deletion.sources
    FROM sources AS source JOIN discovery_deletions AS deletion ON deletion.id = source.deletion_id ORDER BY 1;
DROP TRIGGER delete_inner ON sources;

-- A trigger that makes the notebook of a source, and moves the source there.
CREATE FUNCTION own_notebook() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO notebooks (name) VALUES ('made for ' || NEW.name) ON CONFLICT (name) DO NOTHING;
    NEW.notebook_id := (SELECT id FROM notebooks WHERE name = 'made for ' || NEW.name);
    RETURN NEW;
END $$;
CREATE TRIGGER own_notebook BEFORE INSERT ON sources FOR EACH ROW EXECUTE FUNCTION own_notebook();
INSERT INTO sources (notebook_id, name, source_type)
    SELECT '00000000-0000-4000-8000-000000000001', name, 'file' FROM unnest('{a,a,b}'::text[]) AS name;
SELECT name, source_count FROM notebooks ORDER BY name COLLATE "C";
SELECT * FROM check_source_counts();
DROP TRIGGER own_notebook ON sources;

-- A notebook is replaced, gets another id, or changes places with another in one statement.
WITH gone AS (DELETE FROM notebooks WHERE name = 'made for a' RETURNING id, name)
INSERT INTO notebooks (id, name) SELECT id, name || ', again' FROM gone;
WITH renamed AS (UPDATE notebooks SET id = gen_random_uuid() WHERE name = 'made for b' RETURNING name),
     old AS (SELECT id FROM notebooks WHERE name = 'made for b')
INSERT INTO notebooks (id, name) SELECT old.id, 'in place of b' FROM old, renamed;
WITH other AS (SELECT id FROM notebooks WHERE name = 'made for a, again'),
     moved AS (UPDATE sources SET notebook_id = '00000000-0000-4000-8000-00000000000f'
               WHERE notebook_id = '00000000-0000-4000-8000-000000000001')
UPDATE notebooks SET id = '00000000-0000-4000-8000-00000000000f' WHERE name = 'Nested';
SELECT name, source_count FROM notebooks ORDER BY name COLLATE "C";
SELECT * FROM check_source_counts();

-- The statements that count in these two schemas have one hash.
CREATE SCHEMA tenant_200104;
CREATE SCHEMA tenant_209696;
SELECT discovery_create_store('tenant_200104'), discovery_create_store('tenant_209696');
INSERT INTO tenant_200104.notebooks (name) VALUES ('n');
INSERT INTO tenant_209696.notebooks (name) VALUES ('n');
INSERT INTO tenant_200104.sources (notebook_id, name, source_type) SELECT id, 's', 'file' FROM tenant_200104.notebooks;
INSERT INTO tenant_209696.sources (notebook_id, name, source_type) SELECT id, 's', 'file' FROM tenant_209696.notebooks;
INSERT INTO tenant_209696.sources (notebook_id, name, source_type) SELECT id, 's', 'file' FROM tenant_209696.notebooks;
SELECT source_count FROM tenant_209696.notebooks;
DROP SCHEMA tenant_200104, tenant_209696 CASCADE;

DROP FUNCTION companion(), delete_inner(), own_notebook();
SET discovery.allow_data_loss = on;
SELECT discovery_drop_store();
DROP EXTENSION discovery;
