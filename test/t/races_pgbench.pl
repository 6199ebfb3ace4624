# Each race of add_source() a thousand times, by eight clients that pgbench runs, on a few contents so that they meet
# all the time. After each: no content lives twice in a notebook, every source_count is the number of live sources, and
# no client saw an error but those that the race allows. That the check can fail is shown on a store of 1.0, with plain
# read-then-write.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Invariants;
use PostgreSQL::Test::Utils;
use Stores;
use Test::More;

my $node = new_server('main', conf => "deadlock_timeout = 5ms\nmax_connections = 50\n");
my $dir = $PostgreSQL::Test::Utils::tmp_check;
my $times = 1000;
my $clients = 8;

# What must hold whatever happened, a line for each thing that does not.
my $broken = "$broken_sources UNION ALL
	SELECT 'add_source() said ' || outcome FROM said WHERE outcome NOT IN ('added', 'duplicate', 'restored')";

# fresh('name'): a database with two notebooks, and functions of the clients' own
sub fresh
{
	my ($database, $version) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, "CREATE EXTENSION discovery VERSION '$version'") if $version;
	$node->safe_psql($database, 'CREATE EXTENSION discovery') if !$version;
	$node->safe_psql($database, <<~'END');
		CREATE FUNCTION notebook(n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT lpad(n::text, 32, '0')::uuid $$;
		INSERT INTO notebooks (id, name) SELECT notebook(n), 'notebook ' || n FROM generate_series(1, 2) AS n;
		CREATE TABLE said (outcome text NOT NULL);
		END
	$node->safe_psql($database, <<~'END') if !$version;
		-- add_source(), and what it said, in one statement.
		CREATE FUNCTION add(n int, content text, on_deleted text DEFAULT 'restore') RETURNS void LANGUAGE sql AS
			$$ INSERT INTO said SELECT outcome FROM add_source(notebook(n), 'name', 'text', extracted_text => content,
				on_deleted => on_deleted) $$;
		-- The same where a race allows an error.
		CREATE FUNCTION try_add(n int, content text, allowed text) RETURNS void LANGUAGE plpgsql AS
			$$ BEGIN PERFORM add(n, content);
			EXCEPTION WHEN OTHERS THEN IF SQLSTATE <> allowed THEN RAISE; END IF; END $$;
		END
	return;
}

# race('database', { script => weight, … }, options of pgbench): its exit code and errors
sub race
{
	my ($database, $scripts, @options) = @_;
	my @files;
	foreach my $script (sort keys %$scripts)
	{
		my $file = "$dir/$database." . @files . '.pgbench';
		append_to_file($file, $script) if !-e $file;
		push @files, '-f', "$file\@$scripts->{$script}";
	}
	my ($status, $out, $err) = try($node, 'pgbench', '-n', '-c', $clients, '-j', 2, '-t', $times / $clients, @files,
		@options, $database);
	return ($status, $err);
}

# The same, with what has to hold after it.
sub holds
{
	my ($database, $name, $scripts, @options) = @_;
	fresh($database);
	my ($status, $err) = race($database, $scripts, @options);
	is("$status $err", '0 ', "$name: no error");
	is(value($node, $database, $broken), '', "$name: all is well after it");
	my $outcomes = "SELECT outcome || ' ' || count(*) FROM said GROUP BY outcome ORDER BY 1";
	note(join ', ', split /\n/, value($node, $database, $outcomes));
	return;
}

# The check itself: the application's way, at 1.0.
fresh('checker', '1.0');
$node->safe_psql('checker', 'ALTER TABLE sources ADD deletion_id uuid');
race('checker', { <<~'END' => 1 }, '-D', 'i=0');
	\set i :i + 1
	SELECT count(*) AS live FROM sources
		WHERE notebook_id = notebook(1) AND content_hash = (:i / 2)::text AND deleted_at IS NULL \gset
	\if :live = 0
	INSERT INTO sources (id, notebook_id, name, source_type, content_hash)
		VALUES (gen_random_uuid(), notebook(1), 'name', 'text', (:i / 2)::text);
	SELECT source_count + 1 AS count FROM notebooks WHERE id = notebook(1) \gset
	UPDATE notebooks SET source_count = :count WHERE id = notebook(1);
	\endif
	END
my $found = value($node, 'checker', $broken);
like($found, qr/live copies in notebook/, 'at 1.0 the check finds duplicates');
like($found, qr/^notebook .* counts /m, 'at 1.0 the check finds wrong counts');

# All clients add the same content, one after the other, each content new to all of them.
holds('same', 'the same content', { "\\set i :i + 1\nSELECT add(1, 'content ' || :i);\n" => 1 },
	'-D', 'i=0', '-M', 'prepared');
is(value($node, 'same', "SELECT count(*) FROM said WHERE outcome = 'added'"), $times / $clients,
	'the same content: each was added once');
is(value($node, 'same', 'SELECT source_count FROM notebooks WHERE id = notebook(1)'), $times / $clients,
	'the same content: and lives');

# Half of them roll back, after others have begun to wait for them.
holds('rollback', 'one rolls back', { <<~'END' => 1 }, '-D', 'i=0');
	\set i :i + 1
	\set rolls_back random(0, 1)
	BEGIN;
	SELECT add(1, 'content ' || :i);
	\if :rolls_back
	ROLLBACK;
	\else
	COMMIT;
	\endif
	END
is(value($node, 'rollback', "SELECT count(*) FROM said WHERE outcome = 'added'"),
	value($node, 'rollback', 'SELECT count(*) FROM sources'), 'one rolls back: what was added is there');

# Some wait for a millisecond and are then cancelled; the others hold what they added for two. The count of what they
# added is written by COMMIT, which waits as long as it takes.
holds('cancel', 'one is cancelled', { <<~'END' => 1 }, '-D', 'i=0');
	\set i :i + 1
	\set impatient random(0, 2)
	BEGIN;
	\if :impatient = 0
	SET LOCAL lock_timeout = '1ms';
	SELECT try_add(1, 'content ' || :i, '55P03');
	SET LOCAL lock_timeout = 0;
	\else
	SELECT add(1, 'content ' || :i);
	\sleep 2 ms
	\endif
	COMMIT;
	END

# Some are killed: the only error is theirs. pgbench goes on with the other clients.
fresh('kill');
{
	append_to_file("$dir/kill.pgbench",
		"\\set i :i + 1\nBEGIN;\nSELECT add(1, 'content ' || :i);\n\\sleep 5 ms\nCOMMIT;\n");
	my ($out, $err) = ('', '');
	my $run = IPC::Run::start([ 'pgbench', '-n', '-c', $clients, '-j', 2, '-t', $times / $clients, '-D', 'i=0',
		'-f', "$dir/kill.pgbench", $node->connstr('kill') ], '<', \undef, '>', \$out, '2>', \$err);
	my ($status, undef, $killed) = try_psql($node, 'kill', <<~"END");
		DO \$\$
		DECLARE killed int := 0; more int;
		BEGIN
			FOR try IN 1 .. 1000 LOOP
				PERFORM pg_sleep(0.002), pg_stat_clear_snapshot();
				SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) INTO more FROM (SELECT pid FROM pg_stat_activity
					WHERE datname = current_database() AND wait_event_type = 'Lock' ORDER BY random() LIMIT 1) AS victim;
				killed := killed + more;
				EXIT WHEN killed = $clients / 2;
			END LOOP;
			RAISE WARNING 'killed %', killed;
		END \$\$
		END
	$run->finish;
	like($killed, qr/killed [1-4]/, 'one is killed: while it waits for another');
	unlike($err, qr/ERROR/, 'one is killed: no other sees an error') or note($err);
	is(value($node, 'kill', $broken), '', 'one is killed: all is well after it');
}

# The duplicate is deleted, restored, removed and purged meanwhile; on_deleted both ways.
my %changes = (
	"\\set c random(1, 3)\nSELECT add(1, 'content ' || :c, 'restore');\n" => 3,
	"\\set c random(1, 3)\nSELECT add(1, 'content ' || :c, 'add');\n" => 2,
	"\\set c random(1, 3)\nUPDATE sources SET deleted_at = '2020-01-01'"
	. " WHERE content_hash = content_hash('content ' || :c) AND deleted_at IS NULL;\n" => 3,
	"\\set c random(1, 3)\nDELETE FROM sources WHERE content_hash = content_hash('content ' || :c);\n" => 1,
	"SELECT count(*) FROM purge_deleted_sources('0 days');\n" => 1);
# A look and then a call by id: the row may be gone between them, which is the client's own race.
$changes{"DO \$\$ BEGIN PERFORM $_ ORDER BY random() LIMIT 1; EXCEPTION WHEN no_data_found THEN NULL; END \$\$;\n"} = 2
	foreach "delete_source(id) FROM sources WHERE deleted_at IS NULL",
		"restore_source(id, 'keep_deleted') FROM sources WHERE deleted_at IS NOT NULL";
holds('changes', 'the duplicate is deleted, restored, removed, purged', \%changes);

# The notebook is deleted meanwhile: the only error is that it is not there.
holds('notebooks', 'the notebook is deleted', {
	"\\set c random(1, 3)\n\\set n random(1, 2)\nSELECT try_add(:n, 'content ' || :c, '23503');\n" => 6,
	"\\set n random(1, 2)\nDELETE FROM notebooks WHERE id = notebook(:n);\n" => 1,
	"\\set n random(1, 2)\nINSERT INTO notebooks (id, name) VALUES (notebook(:n), 'notebook ' || :n)"
	. " ON CONFLICT DO NOTHING;\n" => 2,
	"\\set n random(1, 2)\nUPDATE sources SET deleted_at = '2020-01-01'"
	. " WHERE notebook_id = notebook(:n) AND deleted_at IS NULL;\n" => 1 },
	'--max-tries=100');

# Two contents into two notebooks in opposite order, in one transaction: deadlocks, which pgbench tries again.
holds('opposite', 'opposite order', {
	"\\set i :i + 1\nBEGIN;\nSELECT add(1, 'content ' || :i);\nSELECT add(2, 'content ' || :i);\nCOMMIT;\n" => 1,
	"\\set i :i + 1\nBEGIN;\nSELECT add(2, 'content ' || :i);\nSELECT add(1, 'content ' || :i);\nCOMMIT;\n" => 1 },
	'-D', 'i=0', '--max-tries=100');

# Above READ COMMITTED: 40001, which pgbench tries again, and nothing else.
foreach my $level ('REPEATABLE READ', 'SERIALIZABLE')
{
	my $name = lc $level =~ s/ /_/r;
	holds($name, lc $level, {
		"\\set c random(1, 3)\nBEGIN ISOLATION LEVEL $level;\nSELECT add(1, 'content ' || :c);\nCOMMIT;\n" => 3,
		"\\set c random(1, 3)\nBEGIN ISOLATION LEVEL $level;\nSELECT add(1, 'content ' || :c, 'add');\nCOMMIT;\n" => 2,
		"\\set c random(1, 3)\nBEGIN ISOLATION LEVEL $level;\nUPDATE sources SET deleted_at = '2020-01-01'"
		. " WHERE content_hash = content_hash('content ' || :c) AND deleted_at IS NULL;\nCOMMIT;\n" => 3 },
		'--max-tries=1000');
}

# Row-level security hides half of the sources from half of the clients.
fresh('hidden');
$node->safe_psql('hidden', <<~'END');
	CREATE ROLE half LOGIN;
	GRANT SELECT, INSERT, UPDATE ON sources TO half;
	GRANT INSERT ON said TO half;
	ALTER TABLE sources ENABLE ROW LEVEL SECURITY;
	CREATE POLICY own ON sources USING (name = current_user) WITH CHECK (true);
	CREATE OR REPLACE FUNCTION add(n int, content text, on_deleted text DEFAULT 'restore') RETURNS void LANGUAGE sql AS
		$$ INSERT INTO said SELECT outcome FROM add_source(notebook(n), current_user, 'text', extracted_text => content,
			on_deleted => on_deleted) $$;
	END
my ($status, $err) = race('hidden', {
	"\\set c random(1, 5)\nSELECT add(1, 'content ' || :c);\n" => 2,
	"\\set c random(1, 5)\nSET ROLE half;\nSELECT try_add(1, 'content ' || :c, '23505');\nRESET ROLE;\n" => 2,
	"\\set c random(1, 5)\nUPDATE sources SET deleted_at = '2020-01-01'"
	. " WHERE content_hash = content_hash('content ' || :c) AND deleted_at IS NULL;\n" => 2 });
is("$status $err", '0 ', 'a hidden duplicate: no error but 23505');
is(value($node, 'hidden', $broken), '', 'a hidden duplicate: all is well after it');

done_testing();
