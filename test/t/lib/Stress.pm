# Many clients write the sources of few notebooks in every way at once; afterwards every count is right.
package Stress;
use strict;
use warnings;
use Exporter 'import';
use Invariants;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(in_transactions scripts_in stress_counts $stress_functions);

# guarded() runs a statement that may meet what another client did: a duplicate, or a row that is gone.
# It does not catch a deadlock.
our $stress_functions = <<'END';
CREATE FUNCTION some_book() RETURNS uuid LANGUAGE sql VOLATILE AS 'SELECT id FROM notebooks ORDER BY random() LIMIT 1';
CREATE FUNCTION some_sources(live boolean, most int) RETURNS uuid[] LANGUAGE sql VOLATILE AS
    'SELECT ARRAY(SELECT id FROM sources WHERE (deleted_at IS NULL) = live ORDER BY random() LIMIT most)';
CREATE FUNCTION guarded(statement text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
EXCEPTION WHEN unique_violation OR foreign_key_violation OR no_data_found THEN NULL;
END $$;
END
# Functions that are volatile are called once a row, but for those in a sub-select.
my $setup = "CREATE EXTENSION discovery;\n$stress_functions"
  . "INSERT INTO notebooks (name) SELECT 'book ' || number FROM generate_series(1, 6) AS number;\n";

# Single statements that come in key order: sources by id, notebooks by id. No content, so no waiting for a duplicate.
my %ordered = (
	add => q{INSERT INTO sources (notebook_id, name, source_type)
		SELECT notebook.id, 'ordered', 'file' FROM (SELECT id FROM notebooks ORDER BY random() LIMIT 3) AS notebook},
	delete => q{SELECT guarded('SELECT FROM delete_sources(some_sources(true, 5))')},
	delete_one => q{UPDATE sources SET deleted_at = timezone('UTC', now())
		WHERE id = ANY ((SELECT some_sources(true, 1))::uuid[])},
	restore => q{SELECT guarded('SELECT FROM unnest(some_sources(false, 1)) AS given (id), restore_source(given.id)')},
	restore_all => q{SELECT guarded('SELECT FROM (SELECT id FROM discovery_deletions ORDER BY random() LIMIT 1) AS batch,
		restore_sources(batch.id)')},
	move => q{UPDATE sources SET notebook_id = some_book() WHERE id = ANY ((SELECT some_sources(true, 1))::uuid[])},
	remove => q{DELETE FROM sources WHERE id = ANY ((SELECT some_sources(random() < 0.5, 1))::uuid[])},
	purge => q{SELECT FROM purge_deleted_sources('0', 40)},
	count => q{UPDATE notebooks SET source_count = 133, output_count = output_count + 1 WHERE id = (SELECT some_book())},
);

# Everything, in any order, in transactions of several statements.
my $insert = q{INSERT INTO sources (notebook_id, name, source_type, content_hash)
	SELECT notebook.id, 'mixed', 'file', 'hash ' || (random() * 60)::int FROM notebooks AS notebook, generate_series(1, 4)
	ORDER BY random() LIMIT 6};
my %mixed = (
	add => qq{$insert ON CONFLICT DO NOTHING},
	replace => qq{$insert}
	  . q{ ON CONFLICT (notebook_id, content_hash) WHERE deleted_at IS NULL AND content_hash <> '' DO NOTHING},
	function => q{SELECT FROM add_source(some_book(), 'function', 'file',
		content_hash => 'hash ' || (random() * 60)::int)},
	delete => q{UPDATE sources SET deleted_at = timezone('UTC', now())
		WHERE id = ANY ((SELECT some_sources(true, 6))::uuid[])},
	restore => q{UPDATE sources SET deleted_at = NULL WHERE id = ANY ((SELECT some_sources(false, 2))::uuid[])},
	restore_all => q{SELECT FROM (SELECT id FROM discovery_deletions ORDER BY random() LIMIT 1) AS batch,
		restore_sources(batch.id, 'keep_deleted')},
	move => q{UPDATE sources SET notebook_id = some_book()
		WHERE id = ANY ((SELECT some_sources(random() < 0.8, 3))::uuid[])},
	turn => q{UPDATE sources SET deleted_at = CASE WHEN deleted_at IS NULL THEN now() END
		WHERE id = ANY ((SELECT some_sources(true, 3) || some_sources(false, 3))::uuid[])},
	remove => q{DELETE FROM sources WHERE id = ANY ((SELECT some_sources(random() < 0.5, 4))::uuid[])},
	purge => q{SELECT FROM purge_deleted_sources('0', 100)},
	book => q{WITH gone AS (DELETE FROM notebooks WHERE id = (SELECT some_book()) RETURNING name)
		INSERT INTO notebooks (name) SELECT 'book ' || gen_random_uuid() FROM gone},
	output => q{INSERT INTO outputs (notebook_id, title) SELECT id, 'mixed' FROM notebooks ORDER BY random() LIMIT 3},
	move_outputs => q{UPDATE outputs SET notebook_id = some_book()
		WHERE id IN (SELECT id FROM outputs ORDER BY random() LIMIT 3)},
	delete_outputs => q{SELECT FROM unnest(ARRAY(SELECT id FROM outputs ORDER BY random() LIMIT 2)) AS given (id),
		delete_output(given.id)},
	trash => q{WITH book AS MATERIALIZED (SELECT id FROM notebooks ORDER BY random() LIMIT 1),
		gone AS MATERIALIZED (SELECT deletion_id FROM book, delete_notebook(book.id))
		INSERT INTO notebooks (name) SELECT 'book ' || gen_random_uuid() FROM gone
		WHERE (SELECT count(*) FROM notebooks) < 8},
	untrash => q{SELECT FROM (SELECT deletion_id FROM discovery_trash ORDER BY random() LIMIT 1) AS gone,
		restore_deletion(gone.deletion_id, 'keep_deleted', 'rename')},
	purge_trash => q{SELECT FROM purge_trash('0', 20)},
);

sub in_transactions
{
	my %scripts = map { $_ => "SELECT guarded(\$\$$mixed{$_}\$\$);\n" } keys %mixed;
	my @names = sort keys %mixed;
	for my $i (0 .. $#names)
	{
		my ($one, $two, $three) = map { $scripts{ $names[ ($i + $_) % @names ] } } 0, 3, 7;
		$scripts{"several $i"} = "BEGIN;\n$one$two$three" . ($i % 3 ? 'COMMIT' : 'ROLLBACK') . ";\n";
		$scripts{"savepoint $i"} = "BEGIN;\n${one}SAVEPOINT s;\n$two"
		  . ($i % 2 ? "ROLLBACK TO s;\n$three" : "RELEASE s;\nSAVEPOINT t;\n${three}ROLLBACK TO t;\n") . "COMMIT;\n";
	}
	# Single statements more often than long transactions, which mostly wait for each other.
	$scripts{$_} =~ s/\A/-- weight 4\n/ foreach @names;
	return %scripts;
}

# Writes the scripts into files; returns the arguments by which pgbench runs them, in the order of their names.
sub scripts_in
{
	my ($folder, %scripts) = @_;
	my @files;
	foreach my $name (sort keys %scripts)
	{
		my $file = "$folder/" . ($name =~ s/\W/_/gr) . '.sql';
		open(my $handle, '>', $file) or die "$file: $!";
		print $handle $scripts{$name} =~ s/;?\s*\z/;\n/r;
		close $handle;
		push @files, '-f', $scripts{$name} =~ /weight (\d+)/ ? "$file\@$1" : $file;
	}
	return @files;
}

# Runs the scripts by pgbench; returns how many transactions were done and how many deadlocks there were.
sub run_clients
{
	my ($node, $clients, $seconds, %scripts) = @_;
	my @files = scripts_in($PostgreSQL::Test::Utils::tmp_check, %scripts);
	my $start = -s $node->logfile;
	my ($out, $err) = ('', '');
	local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port);
	IPC::Run::run([ 'pgbench', '-n', '-c', $clients, '-j', 2, '-T', $seconds, @files, 'postgres' ],
		'<', \undef, '>', \$out, '2>', \$err);
	my ($done) = $out =~ /number of transactions actually processed: (\d+)/;
	$err = $err =~ s/^pgbench.*: (?:pghost|starting|client \d+ (?:got|sending|receiving)).*\n//mgr;
	is($? . ($err =~ s/^pgbench \(.*\n//mr), '0', "$clients clients for $seconds s: nothing fails but by deadlock");
	my $log = slurp_file($node->logfile, $start);
	my @others = grep { !/deadlock detected|canceling autovacuum task/ } $log =~ /ERROR:  (.*)/g;
	# Autovacuum gives way to who waits for its lock. What guarded() catches is in no log.
	is_deeply(\@others, [], 'no other error in the log');
	return ($done // 0, scalar(() = $log =~ /ERROR:  deadlock detected/g), $log);
}

sub stress_counts
{
	my ($clients, $seconds) = @_;
	my $node = PostgreSQL::Test::Cluster->new('main');
	$node->init;
	$node->append_conf('postgresql.conf',
		"fsync = off\nautovacuum_naptime = 1s\ndeadlock_timeout = 10ms\nlog_statement = none\n");
	$node->start;
	$node->safe_psql('postgres', $setup);
	$node->safe_psql('postgres', "$ordered{add}") for 1 .. 30;

	my ($done, $deadlocks, $log) = run_clients($node, $clients, $seconds / 3, %ordered);
	cmp_ok($done, '>', 0, 'single statements in key order were run');
	is($deadlocks, 0, 'and none of them met a deadlock') or diag($log =~ /(ERROR:  deadlock.*(?:\n.*){12})/);
	note("$done transactions");
	is(join("\n", broken($node, 'postgres')), '', 'single statements in key order: the store holds what it promises');

	($done, $deadlocks, $log) = run_clients($node, $clients, $seconds * 2 / 3, in_transactions());
	cmp_ok($done, '>', 0, 'transactions of all kinds were run');
	# Several statements of one transaction lock in no order, and a notebook's DELETE locks it before its sources.
	my %where;
	$where{$1}++ while $log =~ /deadlock detected\n(?:.*\n){1,12}?.*while \w+ (?:\w+ )*?tuple .* in relation "(\w+)"/g;
	note("$done transactions, $deadlocks deadlocks; the victim was waiting for a row of ",
		join(', ', map { "$_ $where{$_} times" } sort keys %where) || 'none');
	is(join("\n", broken($node, 'postgres')), '', 'transactions of all kinds: the store holds what it promises');
	cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM sources'), '>', 0, 'there are sources at the end');

	# Would the check have seen a wrong count?
	$node->safe_psql('postgres', 'ALTER TABLE sources DISABLE TRIGGER discovery_update');
	run_clients($node, $clients, 1, delete => $ordered{delete_one});
	cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM check_source_counts()'), '>', 0,
		'with a trigger switched off counts are wrong');
	$node->safe_psql('postgres', 'ALTER TABLE sources ENABLE TRIGGER discovery_update');
	cmp_ok($node->safe_psql('postgres', 'SELECT repair_source_counts()'), '>', 0, 'and the repair repairs them');
	is($node->safe_psql('postgres', 'SELECT count(*) FROM check_source_counts()'), '0', 'all');
	$node->stop;
	return;
}

1;
