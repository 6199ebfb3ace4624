# Random statements over few ids, for a store and the objects that %setup makes beside it.
package RandomSql;
use strict;
use warnings;
use Exporter 'import';

our @EXPORT = qw(pick random_write random_read $setup);

sub pick { return $_[ int rand @_ ]; }
sub notebook { return sprintf "'00000000-0000-4000-8000-00000000000%d'::uuid", 1 + int rand 4; }
sub source { return sprintf "'00000000-0000-4000-9000-0000000000%02d'::uuid", 1 + int rand 8; }
sub output { return sprintf "'00000000-0000-4000-a000-0000000000%02d'::uuid", 1 + int rand 6; }
sub hash { return pick("'a'", "'b'", "'c'", "''"); }
sub path { return pick('NULL', "'/files/' || nextval('path')"); }
sub deleted { return pick('NULL', 'NULL', 'now()'); }

# Parts of statements: each writes, and returns something.
my @parts = (
	sub { 'INSERT INTO notebooks (id, name) VALUES (' . notebook() . ", 'n' || " . int(rand 1e9) . ') RETURNING id' },
	sub {
		'INSERT INTO notebooks (id, name) VALUES (' . notebook() . ", 'n' || " . int(rand 1e9) .
		  ') ON CONFLICT (id) DO ' . pick('NOTHING', 'UPDATE SET description = excluded.name') . ' RETURNING id';
	},
	sub { 'DELETE FROM notebooks WHERE id = ' . notebook() . ' RETURNING id' },
	sub { 'UPDATE notebooks SET id = ' . notebook() . ' WHERE id = ' . notebook() . ' RETURNING id' },
	sub { 'UPDATE notebooks SET source_count = 99, description = random() WHERE id = ' . notebook() . ' RETURNING id' },
	sub {
		'INSERT INTO sources (id, notebook_id, name, source_type, content_hash, deleted_at, file_path) VALUES (' .
		  join(', ', source(), notebook(), "'s'", "'file'", hash(), deleted(), path()) . ') RETURNING id';
	},
	sub { 'UPDATE sources SET file_path = ' . path() . ' WHERE id = ' . source() . ' RETURNING id' },
	sub {
		'INSERT INTO sources (id, notebook_id, name, source_type, content_hash) SELECT id, ' . notebook() .
		  ", 's', 'file', '' FROM (VALUES (" . source() . '), (' . source() .
		  ')) AS v (id) GROUP BY id ON CONFLICT (id) DO ' .
		  pick('NOTHING', 'UPDATE SET notebook_id = excluded.notebook_id', 'UPDATE SET deleted_at = now()',
			'UPDATE SET deleted_at = NULL') . ' RETURNING id';
	},
	sub { 'UPDATE sources SET notebook_id = ' . notebook() . ' WHERE id = ' . source() . ' RETURNING id' },
	sub { 'UPDATE sources SET notebook_id = ' . notebook() . ' WHERE notebook_id = ' . notebook() . ' RETURNING id' },
	sub {
		'UPDATE sources SET deleted_at = ' . deleted() . ' WHERE id IN (' . source() . ', ' . source()
			. ') RETURNING id';
	},
	sub { 'UPDATE sources SET deleted_at = ' . deleted() . ' WHERE notebook_id = ' . notebook() . ' RETURNING id' },
	sub { 'DELETE FROM sources WHERE id = ' . source() . ' RETURNING id' },
	sub { 'DELETE FROM sources WHERE notebook_id = ' . notebook() . ' RETURNING id' },
	(   sub {
			'INSERT INTO outputs (id, notebook_id, title) VALUES (' . join(', ', output(), notebook(), "'o'") .
			  ') ON CONFLICT (id) DO ' . pick('NOTHING', 'UPDATE SET notebook_id = excluded.notebook_id') . ' RETURNING id';
		}) x 2,
	sub { 'UPDATE outputs SET notebook_id = ' . notebook() . ' WHERE notebook_id = ' . notebook() . ' RETURNING id' },
	sub { 'DELETE FROM outputs WHERE id = ' . output() . ' RETURNING id' },
);
my @writes = (
	(sub { pick(@parts)->() }) x 3,
	# Several of them in one statement.
	(   sub {
			my @with = map { "p$_ AS (" . pick(@parts)->() . ')' } 1 .. 1 + rand 3;
			'WITH ' . join(', ', @with) . ' ' . pick(@parts)->();
		}) x 4,
	# A notebook is replaced, or changes places with another.
	sub {
		my $id = notebook();
		"WITH gone AS (DELETE FROM notebooks WHERE id = $id RETURNING id, name) " .
		  'INSERT INTO notebooks (id, name) SELECT id, name FROM gone';
	},
	sub {
		my ($from, $to) = (notebook(), notebook());
		"WITH moved AS (UPDATE sources SET notebook_id = $to WHERE notebook_id = $from) " .
		  "UPDATE notebooks SET id = $to WHERE id = $from";
	},
	sub {
		my ($from, $to) = (notebook(), notebook());
		"UPDATE notebooks SET id = CASE id WHEN $from THEN $to ELSE $from END WHERE id IN ($from, $to)";
	},
	sub {
		my $id = notebook();
		"WITH renamed AS (UPDATE notebooks SET id = gen_random_uuid() WHERE id = $id) " .
		  "INSERT INTO notebooks (id, name) VALUES ($id, 'r' || " . int(rand 1e9) . ')';
	},
	sub {
		'MERGE INTO sources AS s USING (VALUES (' . source() . '), (' . source() . ')) AS v (id) ON s.id = v.id ' .
		  'WHEN MATCHED AND s.deleted_at IS NULL THEN ' .
		  pick('DELETE', 'UPDATE SET deleted_at = now()', 'UPDATE SET notebook_id = ' . notebook()) .
		  " WHEN NOT MATCHED THEN INSERT (id, notebook_id, name, source_type, content_hash) VALUES (v.id, "
			. notebook() .
		  ", 'm', 'file', '')";
	},
	sub {
		'MERGE INTO notebooks AS n USING (VALUES (' . notebook() . ')) AS v (id) ON n.id = v.id WHEN MATCHED THEN ' .
		  pick('DELETE', 'UPDATE SET source_count = 7') . " WHEN NOT MATCHED THEN INSERT (id, name) VALUES (v.id, "
			. "'m' || " .
		  int(rand 1e9) . ')';
	},
	sub { 'SELECT * FROM add_source(' . notebook() . ", 's', 'file', content_hash => " . hash() . ')' },
	sub { 'SELECT * FROM delete_source(' . source() . ')' },
	sub { 'SELECT * FROM restore_source(' . source() . ", '" . pick('error', 'keep_deleted') . "')" },
	sub { 'SELECT restore_sources(deletion_id) FROM deleted_sources WHERE id = ' . source() },
	sub {
		my @added = map { "{\"name\": \"s\", \"source_type\": \"file\", \"content_hash\": \"" . pick('a', 'b', 'c') . '"}' }
		  1 .. 1 + rand 3;
		'SELECT * FROM add_sources(' . notebook() . ", '[" . join(', ', @added) . "]')";
	},
	sub { 'SELECT * FROM delete_sources(ARRAY[' . source() . ', ' . source() . "], 'random')" },
	sub {
		'WITH gone AS (' . pick(@parts)->() . ') SELECT delete_source(' . source() . ') FROM (SELECT FROM gone LIMIT 1) AS x';
	},
	sub { 'SELECT hold_source(' . source() . ", 'held')" },
	sub { 'SELECT release_source(' . source() . ')' },
	sub { "SELECT * FROM purge_deleted_sources('0')" },
	(sub { 'SET LOCAL discovery.keep_deleted = ' . pick('on', 'off') }) x 2,
	(sub { 'SELECT * FROM delete_notebook(' . notebook() . ')' }) x 2,
	sub { 'SELECT * FROM delete_output(' . output() . ')' },
	# The latest, of which rows are most often not there again already
	(sub { 'SELECT * FROM restore_deletion((SELECT max(deletion_id::text)::uuid FROM discovery_trash), ' .
			pick("'error'", "'keep_deleted'") . ", 'rename')" }) x 4,
	sub { "SELECT * FROM purge_trash('0', 1)" },
	sub { ('SELECT * FROM erase_data(' . notebook() . ')') x (rand() < 0.1) },
	# These list no lost files.
	sub { 'TRUNCATE outputs' x (rand() < 0.1) },
	sub { 'TRUNCATE sources, had' x (rand() < 0.05) },
);


# Beside the store: functions of each volatility that read a count, and such that count the sources.
our $setup = <<'END';
CREATE FUNCTION count_sql(uuid) RETURNS bigint LANGUAGE sql STABLE AS
	'SELECT source_count FROM notebooks WHERE id = $1';
CREATE FUNCTION count_stable(uuid) RETURNS bigint LANGUAGE plpgsql STABLE PARALLEL SAFE AS
	'BEGIN RETURN (SELECT source_count FROM notebooks WHERE id = $1); END';
CREATE FUNCTION count_volatile(uuid) RETURNS bigint LANGUAGE plpgsql AS
	'BEGIN RETURN (SELECT source_count FROM notebooks WHERE id = $1); END';
CREATE FUNCTION count_immutable(uuid) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS
	'BEGIN RETURN (SELECT source_count FROM notebooks WHERE id = $1); END';
CREATE FUNCTION counts() RETURNS TABLE (notebook uuid, number int) LANGUAGE sql STABLE AS
	'SELECT id, source_count FROM notebooks';
CREATE FUNCTION live(uuid) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS
	'SELECT count(*) FROM sources WHERE notebook_id = $1 AND deleted_at IS NULL
	 AND EXISTS (SELECT FROM notebooks WHERE id = $1)';
CREATE VIEW counted AS SELECT id, name, source_count FROM notebooks;
CREATE TABLE ids AS SELECT format('00000000-0000-4000-8000-00000000000%s', n)::uuid AS id FROM generate_series(1,
	4) AS n;
CREATE TABLE guarded AS SELECT id FROM ids;
CREATE TABLE seen (way text, number bigint, actual bigint);
CREATE SEQUENCE path;
CREATE TABLE had (path text NOT NULL);
CREATE FUNCTION had() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN INSERT INTO had VALUES (NEW.file_path); RETURN NULL; END';
CREATE TRIGGER had AFTER INSERT OR UPDATE ON sources FOR EACH ROW WHEN (NEW.file_path IS NOT NULL) EXECUTE FUNCTION
	had();
CREATE TABLE copied (id uuid, number bigint);
CREATE ROLE reader;
GRANT SELECT ON guarded, ids, notebooks, sources TO reader;
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY right_counts ON guarded USING (coalesce(count_stable(id), 0) = live(id));
CREATE PROCEDURE compare(at text) LANGUAGE plpgsql AS $$
DECLARE one uuid; BEGIN
	-- The first call in an expression writes what is owed, and the others have the same snapshot.
	FOR one IN SELECT id FROM ids LOOP
		IF coalesce(count_stable(one) + count_sql(one) + count_immutable(one), 0) <> 3 * live(one) THEN
			RAISE WARNING 'WRONG %', at;
		END IF;
	END LOOP;
END $$;
PREPARE prepared AS SELECT 'WRONG prepared ' || id FROM notebooks WHERE source_count <> live(id);
SET plan_cache_mode = force_generic_plan;
END

# Each of these reads counts in its own way, and says WRONG if one is not the number of live sources that the same
# statement sees. $at tells where it stands; $file is one that the server can write.
my $live = '(SELECT count(*) FROM sources AS s WHERE s.notebook_id = n.id AND s.deleted_at IS NULL)';
my @reads = (
	sub { "SELECT 'WRONG column $_[0]' FROM notebooks AS n WHERE source_count <> $live" },
	sub { "SELECT 'WRONG row $_[0]' FROM notebooks AS n WHERE (to_jsonb(n) ->> 'source_count')::int <> $live" },
	sub {
		"SELECT 'WRONG whole row $_[0]' FROM (SELECT n AS r, id FROM notebooks AS n) AS n WHERE "
		  . "(r).source_count <> $live";
	},
	sub { "SELECT 'WRONG view $_[0]' FROM counted AS n WHERE source_count <> $live" },
	sub {
		"SELECT 'WRONG join $_[0]' FROM notebooks AS n LEFT JOIN sources AS s ON s.notebook_id = n.id"
		  . ' AND s.deleted_at IS NULL GROUP BY n.id HAVING n.source_count <> count(s.id)';
	},
	sub { "SELECT 'WRONG lock $_[0]' FROM notebooks AS n WHERE source_count <> $live FOR UPDATE" },
	sub { "SELECT 'WRONG inlined $_[0]' FROM counts() AS n (id, number) WHERE number <> $live" },
	(   map {
			my $function = $_;
			sub { "SELECT 'WRONG $function $_[0]' FROM ids AS n WHERE $function(id) <> live(id) OR $function(id) <> "
				. "$live" }
		} qw(count_sql count_stable count_volatile count_immutable)
	),
	sub {
		"WITH i AS (UPDATE sources SET name = 'i' RETURNING id) SELECT 'WRONG cte $_[0]' FROM notebooks AS "
		  . "n, (SELECT count(*) FROM i) AS i WHERE source_count <> $live";
	},
	sub {
		my $id = notebook();
		"INSERT INTO sources (notebook_id, name, source_type, content_hash) SELECT $id, count_stable($id) - "
			. "live($id), 'file', ''"
		  . " FROM generate_series(1, 3) WHERE EXISTS (SELECT FROM notebooks WHERE id = $id)"
		  . " RETURNING CASE WHEN name <> '0' THEN 'WRONG while inserting $_[0]' END";
	},
	sub { "INSERT INTO seen SELECT 'insert $_[0]', count_stable(id), live(id) FROM ids" },
	sub {
		"UPDATE notebooks AS n SET description = 'read' RETURNING CASE WHEN source_count <> $live THEN "
		  . "'WRONG returning $_[0]' END";
	},
	sub {
		"MERGE INTO notebooks AS n USING (SELECT id, live(id) AS actual FROM ids) AS v ON v.id = n.id"
		  . " WHEN MATCHED AND n.source_count <> actual THEN UPDATE SET description = 'WRONG merge $_[0]'";
	},
	sub {
		"INSERT INTO notebooks AS n (id, name) VALUES (" . notebook() . ", 'c') ON CONFLICT (id) DO UPDATE"
		  . " SET description = CASE WHEN n.source_count <> $live THEN 'WRONG conflict $_[0]' END";
	},
	sub { "CALL compare('expression $_[0]')" },
	sub { 'EXECUTE prepared' },
	sub { "COPY (SELECT 'WRONG copy $_[0]' FROM notebooks AS n WHERE source_count <> $live) TO STDOUT" },
	sub {
		"COPY notebooks (id, source_count) TO '$_[1]';\nTRUNCATE copied;\nCOPY copied FROM '$_[1]';\n"
		  . "SELECT 'WRONG copy table $_[0]' FROM copied AS n WHERE number <> $live";
	},
	sub {
		"CLOSE ALL;\nDECLARE c CURSOR FOR SELECT source_count AS number, $live AS actual, 'WRONG cursor $_[0]' "
			. "FROM notebooks AS n;\n"
		  . random_write() . ";\nSELECT 'WRONG between $_[0]' FROM notebooks AS n WHERE source_count <> $live";
	},
	sub {
		"SET LOCAL ROLE reader;\nSELECT 'WRONG policy $_[0] ' || count(*) FROM guarded HAVING count(*) <> "
		  . "4;\nRESET ROLE";
	},
	sub {
		"SET LOCAL force_parallel_mode = on;\n"
		  . pick("SELECT 'WRONG parallel $_[0]' FROM ids WHERE count_stable(id) <> live(id);\n",
			"CREATE TEMP TABLE made ON COMMIT DROP AS SELECT id FROM ids WHERE count_stable(id) <> live(id);\n"
			  . "SELECT 'WRONG parallel made $_[0]' FROM made;\nDROP TABLE made;\n")
		  . 'SET LOCAL force_parallel_mode = off';
	},
	sub {
		"DO \$do\$ BEGIN BEGIN UPDATE sources SET deleted_at = now() WHERE notebook_id = " . notebook()
		  . "; CALL compare('inner $_[0]'); RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN NULL; END;"
		  . " CALL compare('outer $_[0]'); END \$do\$";
	},
	sub {
		"CREATE TEMP TABLE made ON COMMIT DROP AS SELECT id, source_count FROM notebooks;\nSELECT 'WRONG "
		  . "made $_[0]' FROM made AS n WHERE source_count <> $live;\nDROP TABLE made";
	},
	sub {
		"SELECT 'WRONG xml $_[0]' WHERE query_to_xml('SELECT sum(source_count) AS n FROM notebooks', true, "
		  . "true, '')::text <> query_to_xml('SELECT count(*) AS n FROM sources WHERE deleted_at IS NULL', "
		  . "true, true, '')::text AND EXISTS (SELECT FROM sources WHERE deleted_at IS NULL)";
	},
	sub { "SELECT 'WRONG report $_[0]' FROM check_source_counts()" },
	sub { "SELECT 'WRONG report of outputs $_[0]' FROM check_output_counts()" },
	(sub { "SELECT 'WRONG outputs $_[0]' FROM notebooks AS n WHERE output_count <> "
			. '(SELECT count(*) FROM outputs AS o WHERE o.notebook_id = n.id)' }) x 2,
	sub { "EXPLAIN (COSTS OFF) SELECT source_count FROM notebooks" },
);

sub random_write { return pick(@writes)->(); }
sub random_read { return pick(@reads)->(@_); }

1;
