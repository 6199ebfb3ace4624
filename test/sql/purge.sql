-- purge_deleted_sources() removes for good what was deleted longer ago than a
-- time, oldest first, a number at most, but nothing that is held; and the log's
-- entries of which nothing is deleted any more.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE ROLE regress_discovery_writer;
CREATE SCHEMA discovery_purge;
CREATE EXTENSION discovery SCHEMA discovery_purge;
SET search_path = discovery_purge;
-- A wrong time zone would show.
SET TimeZone = 'Asia/Tokyo';
INSERT INTO notebooks (id, name) VALUES ('00000000-0000-4000-8000-00000000000a', 'a');
CREATE FUNCTION source(text) RETURNS uuid LANGUAGE sql STABLE AS 'SELECT id FROM discovery_purge.sources WHERE name = $1';
-- Deleted so and so many days ago, in truth: as a dump brings them, with their
-- deletion, for a row that dies now has died now. One time for the whole test,
-- so that what is of one reason and day is of one deletion.
SELECT set_config('regress.now', now()::text, false) IS NOT NULL AS set;
CREATE PROCEDURE add_deleted(name text, days numeric, reason text DEFAULT 'old') LANGUAGE plpgsql AS $$
DECLARE
    moment CONSTANT timestamptz := current_setting('regress.now')::timestamptz - days * interval '1 day';
    -- a UUID of version 7 of that time
    deletion CONSTANT uuid := overlay(overlay(md5(reason || days) PLACING lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0')
                                      FROM 1) PLACING '7' FROM 13)::uuid;
BEGIN
    INSERT INTO discovery_deletions (id, deleted_at, login_role, acting_role, reason, sources)
        VALUES (deletion, moment, 'somebody', 'somebody', reason, 1)
        ON CONFLICT (id) DO UPDATE SET sources = discovery_deletions.sources + 1;
    INSERT INTO sources (notebook_id, name, source_type, file_path, content_hash, deleted_at, deletion_id)
        VALUES ('00000000-0000-4000-8000-00000000000a', name, 'file', '/files/' || name, 'hash of ' || name,
                timezone('UTC', moment), deletion);
END $$;
CREATE VIEW rest AS
    SELECT (SELECT string_agg(name, ' ' ORDER BY name) FROM sources) AS sources,
           (SELECT string_agg(reason, ' ' ORDER BY reason) FROM discovery_deletions) AS log;

-- The default is 30 days; what is younger, alive, or died just now, stays.
CALL add_deleted('d31', 31);
CALL add_deleted('d29', 29);
CALL add_deleted('d40a', 40, 'both');
CALL add_deleted('d40b', 40, 'both');
INSERT INTO sources (notebook_id, name, source_type) VALUES ('00000000-0000-4000-8000-00000000000a', 'live', 'file'),
                                                            ('00000000-0000-4000-8000-00000000000a', 'now', 'file');
SELECT deleted FROM delete_source(source('now'), 'just now');
SELECT notebook_id, content_hash, file_path, id IS NOT NULL AS has_id FROM purge_deleted_sources() ORDER BY content_hash;
TABLE rest;
SELECT source_count FROM notebooks;
-- To the hour; everything
CALL add_deleted('h5', 5.0 / 24);
CALL add_deleted('h7', 7.0 / 24);
SELECT file_path FROM purge_deleted_sources('6 hours') ORDER BY 1;
SELECT file_path FROM purge_deleted_sources(older_than => '1000 years');
SELECT pg_sleep(0.01) IS NOT NULL AS later;
SELECT file_path FROM purge_deleted_sources('0') ORDER BY 1;
TABLE rest;

-- Oldest first, in bites; the last is smaller, and then there are none.
DO $$ BEGIN FOR number IN 31..35 LOOP CALL add_deleted('d' || number, number, 'day ' || number); END LOOP; END $$;
SELECT file_path FROM purge_deleted_sources(max_rows => 2) ORDER BY 1;
TABLE rest;
SELECT file_path FROM purge_deleted_sources('30 days', 2) ORDER BY 1;
SELECT file_path FROM purge_deleted_sources('30 days', 2) ORDER BY 1;
SELECT count(*) FROM purge_deleted_sources('30 days', 2);
TABLE rest;

-- Of one moment, some at a time: the log's entry goes with the last of them.
CALL add_deleted('d40a', 40, 'both');
CALL add_deleted('d40b', 40, 'both');
SELECT count(*) FROM purge_deleted_sources(max_rows => 1);
SELECT sources, still_deleted FROM list_source_deletions();
SELECT count(*) FROM purge_deleted_sources(max_rows => 1);
TABLE rest;
-- An entry whose sources were restored is finished as well.
CALL add_deleted('d40', 40, 'restored');
SELECT outcome FROM restore_source(source('d40'));
SELECT count(*) FROM purge_deleted_sources();
TABLE rest;
DELETE FROM sources WHERE name = 'd40';

-- A held source stays, whatever its age, and its deletion with it; by the
-- function or by plain SQL. DELETE is the user's own word.
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
-- A hold of a live source is for the day when it is deleted. Restoring and
-- deleting again does not end it; holding twice is one hold, with the last reason.
SELECT hold_source(source('live'), 'early');
SELECT hold_source(source('live'), 'later');
SELECT deleted FROM delete_source(source('live'));
SELECT count(*) FROM restore_source(source('live'));
SELECT deleted FROM delete_source(source('live'));
SELECT pg_sleep(0.01) IS NOT NULL AS later;
SELECT count(*) FROM purge_deleted_sources('0');
SELECT hold_reason FROM sources WHERE name = 'live';
-- Nor does it keep the notebook's DELETE.
BEGIN;
DELETE FROM notebooks;
SELECT count(*) FROM sources;
ROLLBACK;
SELECT release_source(source('live'));
SELECT release_source(source('live'));
SELECT count(*) FROM purge_deleted_sources('0');

-- What a client writes into deleted_at cannot make the purge take a source that
-- was deleted just now; of the future and of no time stay until then.
INSERT INTO sources (notebook_id, name, source_type)
    SELECT '00000000-0000-4000-8000-00000000000a', name, 'file' FROM unnest(ARRAY['past', 'future', 'never', 'always']) AS name;
UPDATE sources SET deleted_at = CASE name WHEN 'past' THEN timestamp '2000-01-01' WHEN 'future' THEN '2999-01-01'
                                          WHEN 'never' THEN 'infinity' WHEN 'always' THEN '-infinity' END;
SELECT count(*) FROM purge_deleted_sources();
SELECT pg_sleep(0.01) IS NOT NULL AS later;
SELECT file_path IS NULL AS no_path FROM purge_deleted_sources('0');
TABLE rest;
DELETE FROM sources;
DELETE FROM discovery_deletions;
-- That came in deleted: there is only the client's word.
INSERT INTO sources (notebook_id, name, source_type, deleted_at)
    SELECT '00000000-0000-4000-8000-00000000000a', moment, 'file', moment::timestamp
    FROM unnest(ARRAY['2000-01-01', '2999-01-01', 'infinity', '-infinity']) AS moment;
SELECT count(*) FROM purge_deleted_sources();
TABLE rest;
DELETE FROM sources;

-- Rights: UPDATE is not enough to remove, DELETE not enough to lock, and policies hold. The log's entries go although the caller has no right on the log.
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
-- Seen, but not to be changed
CREATE POLICY seen ON sources FOR SELECT TO regress_discovery_writer USING (true);
SET ROLE regress_discovery_writer;
SELECT count(*) FROM purge_deleted_sources();
RESET ROLE;
TABLE rest;

DROP SCHEMA discovery_purge CASCADE;
DROP ROLE regress_discovery_writer;
