-- TRUNCATE and the counts that a transaction has changed before it and changes after it
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE SCHEMA discovery_truncate;
CREATE EXTENSION discovery SCHEMA discovery_truncate;
SET search_path = discovery_truncate;
\set a '\'00000000-0000-4000-8000-00000000000a\''
\set b '\'00000000-0000-4000-8000-00000000000b\''
CREATE VIEW counts AS SELECT name, source_count, output_count FROM notebooks;
CREATE VIEW wrong AS SELECT (SELECT count(*) FROM check_source_counts()) + (SELECT count(*) FROM check_output_counts());
INSERT INTO notebooks (id, name) VALUES (:a, 'a');

-- A notebook with the id of one that was truncated begins anew.
BEGIN;
INSERT INTO sources (notebook_id, name, source_type) VALUES (:a, 'a1', 'file'), (:a, 'a2', 'file');
INSERT INTO outputs (notebook_id, title) VALUES (:a, 'a1');
TRUNCATE notebooks, sources, outputs;
INSERT INTO notebooks (id, name) VALUES (:a, 'again');
INSERT INTO sources (notebook_id, name, source_type) VALUES (:a, 'a3', 'file');
COMMIT;
TABLE counts;
TABLE wrong;
BEGIN;
DELETE FROM sources;
TRUNCATE notebooks CASCADE;
INSERT INTO notebooks (id, name) VALUES (:a, 'once more');
COMMIT;
TABLE counts;
-- Also by TRUNCATE of a table to which notebooks refers
BEGIN;
CREATE TABLE owners (id int PRIMARY KEY);
ALTER TABLE notebooks ADD COLUMN owner int REFERENCES owners;
INSERT INTO sources (notebook_id, name, source_type) VALUES (:a, 'a4', 'file');
TRUNCATE owners CASCADE;
INSERT INTO notebooks (id, name) VALUES (:a, 'after its owners');
INSERT INTO outputs (notebook_id, title) VALUES (:a, 'a2');
TABLE counts;
TABLE wrong;
ROLLBACK;

-- In a subtransaction that is rolled back, nothing was truncated.
BEGIN;
INSERT INTO sources (notebook_id, name, source_type) VALUES (:a, 'a5', 'file');
SAVEPOINT s;
TRUNCATE sources;
TABLE counts;
ROLLBACK TO s;
INSERT INTO sources (notebook_id, name, source_type) VALUES (:a, 'a6', 'file');
COMMIT;
TABLE counts;
TABLE wrong;
-- One of the two counts
BEGIN;
INSERT INTO sources (notebook_id, name, source_type) VALUES (:a, 'a7', 'file');
INSERT INTO outputs (notebook_id, title) VALUES (:a, 'a3');
TRUNCATE sources;
INSERT INTO outputs (notebook_id, title) VALUES (:a, 'a4');
COMMIT;
TABLE counts;
TABLE wrong;
TRUNCATE outputs;
TABLE counts;

DROP SCHEMA discovery_truncate CASCADE;
