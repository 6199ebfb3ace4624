-- purge_deleted_sources() permanently removes sources that were soft-deleted longer ago than a time, oldest first, at
-- most a given number of them, but none that is held; and the log's entries that have no soft-deleted source any
-- more.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE ROLE regress_discovery_writer;
CREATE SCHEMA discovery_purge;
CREATE EXTENSION discovery SCHEMA discovery_purge;
SET search_path = discovery_purge;
-- With this time zone a confusion of local time and UTC changes the results.
SET TimeZone = 'Asia/Tokyo';
INSERT INTO notebooks (id, name) VALUES ('00000000-0000-4000-8000-00000000000a', 'a');
CREATE FUNCTION source(text) RETURNS uuid LANGUAGE sql STABLE AS
    'SELECT id FROM discovery_purge.sources WHERE name = $1';
-- Adds a source that was soft-deleted so many days ago. It is inserted with its deletion, as a dump does, because a
-- deletion now would be logged with the current time. The whole test uses one time, so that sources with the same
-- reason and days belong to the same deletion.
SELECT set_config('regress.now', now()::text, false) IS NOT NULL AS set;
CREATE PROCEDURE add_deleted(name text, days numeric, reason text DEFAULT 'old') LANGUAGE plpgsql AS $$
DECLARE
    moment CONSTANT timestamptz := current_setting('regress.now')::timestamptz - days * interval '1 day';
    -- a UUID of version 7 of that time
    deletion CONSTANT uuid := overlay(
        overlay(md5(reason || days) PLACING lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') FROM 1)
        PLACING '7' FROM 13)::uuid;
BEGIN
    INSERT INTO discovery_deletions (id, deleted_at, login_role, acting_role, reason, sources)
        VALUES (deletion, moment, 'somebody', 'somebody', reason, 1)
        ON CONFLICT (id) DO UPDATE SET sources = discovery_deletions.sources + 1;
    INSERT INTO sources (notebook_id, name, source_type, file_path, content_hash, deleted_at, deletion_id)
        VALUES ('00000000-0000-4000-8000-00000000000a', name, 'file', '/files/' || name, 'hash of ' || name,
                timezone('UTC', moment), deletion);
END $$;
CREATE VIEW rest AS
    SELECT (SELECT string_agg(name, ' ' ORDER BY name COLLATE "C") FROM sources) AS sources,
           (SELECT string_agg(reason, ' ' ORDER BY reason) FROM discovery_deletions) AS log;

-- The default is 30 days; younger sources, live ones and those deleted just now stay.
CALL add_deleted('d31', 31);
CALL add_deleted('d29', 29);
CALL add_deleted('d40a', 40, 'both');
CALL add_deleted('d40b', 40, 'both');
INSERT INTO sources (notebook_id, name, source_type) VALUES ('00000000-0000-4000-8000-00000000000a', 'live', 'file'),
                                                            ('00000000-0000-4000-8000-00000000000a', 'now', 'file');
SELECT deleted FROM delete_source(source('now'), 'just now');
SELECT notebook_id, content_hash, file_path, id IS NOT NULL AS has_id
    FROM purge_deleted_sources() ORDER BY content_hash;
TABLE rest;
SELECT source_count FROM notebooks;
-- A time in hours; no time, which purges everything
CALL add_deleted('h5', 5.0 / 24);
CALL add_deleted('h7', 7.0 / 24);
SELECT file_path FROM purge_deleted_sources('6 hours') ORDER BY 1;
SELECT file_path FROM purge_deleted_sources(older_than => '1000 years');
SELECT pg_sleep(0.01) IS NOT NULL AS later;
SELECT file_path FROM purge_deleted_sources('0') ORDER BY 1;
TABLE rest;

-- Oldest first, in batches; the last batch is smaller, and then there are none.
DO $$ BEGIN FOR number IN 31..35 LOOP CALL add_deleted('d' || number, number, 'day ' || number); END LOOP; END $$;
SELECT file_path FROM purge_deleted_sources(max_rows => 2) ORDER BY 1;
TABLE rest;
SELECT file_path FROM purge_deleted_sources('30 days', 2) ORDER BY 1;
SELECT file_path FROM purge_deleted_sources('30 days', 2) ORDER BY 1;
SELECT count(*) FROM purge_deleted_sources('30 days', 2);
TABLE rest;

-- Sources deleted at one time, one by one: the log's entry is removed with the last of them.
CALL add_deleted('d40a', 40, 'both');
CALL add_deleted('d40b', 40, 'both');
SELECT count(*) FROM purge_deleted_sources(max_rows => 1);
SELECT sources, still_deleted FROM list_source_deletions();
SELECT count(*) FROM purge_deleted_sources(max_rows => 1);
TABLE rest;
-- An entry whose sources were all restored is removed as well.
CALL add_deleted('d40', 40, 'restored');
SELECT outcome FROM restore_source(source('d40'));
SELECT count(*) FROM purge_deleted_sources();
TABLE rest;
DELETE FROM sources WHERE name = 'd40';

-- A held source stays, whatever its age, and so does its entry in the log; held by the function or by plain SQL.
-- DELETE by the user removes it.
CALL add_deleted('held', 40, 'held');
CALL add_deleted('held too', 40, 'held');
SELECT hold_source(source('held'), 'asked for by the court');
UPDATE sources SET hold_reason = 'plain SQL' WHERE name = 'held too';
SELECT name, hold_reason FROM sources WHERE deleted_at IS NOT NULL ORDER BY name;
SELECT count(*) FROM purge_deleted_sources();
TABLE rest;
SELECT release_source(source('held'));
SELECT file_path FROM purge_deleted_sources();
TABLE rest;
DELETE FROM sources WHERE name = 'held too';
SELECT count(*) FROM purge_deleted_sources();
TABLE rest;
-- A hold on a live source applies when it is deleted. Restoring and deleting it again does not end the hold; holding
-- it twice is one hold, with the last reason.
SELECT hold_source(source('live'), 'early');
SELECT hold_source(source('live'), 'later');
SELECT deleted FROM delete_source(source('live'));
SELECT count(*) FROM restore_source(source('live'));
SELECT deleted FROM delete_source(source('live'));
SELECT pg_sleep(0.01) IS NOT NULL AS later;
SELECT count(*) FROM purge_deleted_sources('0');
SELECT hold_reason FROM sources WHERE name = 'live';
-- A hold does not prevent DELETE of the notebook.
BEGIN;
DELETE FROM notebooks;
SELECT count(*) FROM sources;
ROLLBACK;
SELECT release_source(source('live'));
SELECT release_source(source('live'));
SELECT count(*) FROM purge_deleted_sources('0');

-- A deleted_at that a client writes cannot make the purge take a source that was deleted just now; sources with a
-- deleted_at in the future or infinite stay.
INSERT INTO sources (notebook_id, name, source_type)
    SELECT '00000000-0000-4000-8000-00000000000a', name, 'file'
    FROM unnest(ARRAY['past', 'future', 'never', 'always']) AS name;
UPDATE sources SET deleted_at = CASE name WHEN 'past' THEN timestamp '2000-01-01' WHEN 'future' THEN '2999-01-01'
                                          WHEN 'never' THEN 'infinity' WHEN 'always' THEN '-infinity' END;
SELECT count(*) FROM purge_deleted_sources();
SELECT pg_sleep(0.01) IS NOT NULL AS later;
SELECT file_path IS NULL AS no_path FROM purge_deleted_sources('0');
TABLE rest;
DELETE FROM sources;
DELETE FROM discovery_deletions;
-- Sources that were inserted with deleted_at: there is no other time than the client's.
INSERT INTO sources (notebook_id, name, source_type, deleted_at)
    SELECT '00000000-0000-4000-8000-00000000000a', moment, 'file', moment::timestamp
    FROM unnest(ARRAY['2000-01-01', '2999-01-01', 'infinity', '-infinity']) AS moment;
SELECT count(*) FROM purge_deleted_sources();
TABLE rest;
DELETE FROM sources;

-- Rights: UPDATE alone does not allow removing, DELETE alone does not allow locking, and policies apply. The log's
-- entries are removed although the caller has no right on the log.
CALL add_deleted('mine', 40, 'theirs');
CALL add_deleted('not mine', 41, 'not theirs');
GRANT USAGE ON SCHEMA discovery_purge TO regress_discovery_writer;
GRANT SELECT, UPDATE ON sources TO regress_discovery_writer;
SET ROLE regress_discovery_writer;
SELECT count(*) FROM purge_deleted_sources();
\echo :SQLSTATE
RESET ROLE;
REVOKE UPDATE ON sources FROM regress_discovery_writer;
GRANT DELETE ON sources TO regress_discovery_writer;
SET ROLE regress_discovery_writer;
SELECT count(*) FROM purge_deleted_sources();
\echo :SQLSTATE
RESET ROLE;
TABLE rest;
BEGIN;
GRANT UPDATE (hold_reason) ON sources TO regress_discovery_writer;
SET LOCAL ROLE regress_discovery_writer;
SELECT count(*) FROM purge_deleted_sources();
ROLLBACK;
GRANT UPDATE ON sources TO regress_discovery_writer;
ALTER TABLE sources ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON sources TO regress_discovery_writer USING (name = 'mine');
SET ROLE regress_discovery_writer;
SELECT file_path FROM purge_deleted_sources();
RESET ROLE;
TABLE rest;
-- Rows that the caller can see but not change
CREATE POLICY seen ON sources FOR SELECT TO regress_discovery_writer USING (true);
SET ROLE regress_discovery_writer;
SELECT count(*) FROM purge_deleted_sources();
RESET ROLE;
TABLE rest;

DROP SCHEMA discovery_purge CASCADE;
DROP ROLE regress_discovery_writer;
