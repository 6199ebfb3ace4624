-- From version @FROM@ to @TO@ and back: @MESSAGE@
-- [ ] Rows that the step has to deal with are put in before it; what became of them is asked after it.
-- [ ] What is new in @TO@ is used, well and badly.
-- [ ] The functions are in sql/portable, too; what differs there is in test/editions/differences, as discovery_check().
SET client_min_messages = warning;
SET discovery.allow_data_loss = on;
CREATE EXTENSION discovery VERSION '@FROM@';
INSERT INTO notebooks (id, name) VALUES ('00000000-0000-0000-0000-000000000001', 'Notebook');
INSERT INTO sources (id, notebook_id, name, source_type, content_hash)
    VALUES ('00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000001', 'Source', 'text',
            'abc123hash');

ALTER EXTENSION discovery UPDATE TO '@TO@';
SELECT name, source_count FROM notebooks;
SELECT object, kind, actual, expected FROM discovery_check();

ALTER EXTENSION discovery UPDATE TO '@FROM@';
SELECT name, source_count FROM notebooks;
SELECT object, kind, actual, expected FROM discovery_check();

SELECT discovery_drop_store();
DROP EXTENSION discovery;
