# Sixteen clients do mixed work for a while. It reports how long each operation takes, errors, deadlocks with what met
# in them, how tables and indexes grow, and how many multixacts a notebook uses up that all clients add to. No error but
# a deadlock comes; no backend grows after the first third of the time (the first minute, if the whole is longer than
# three); a session that serves 200 stores in turn keeps no more memory from round to round; all is well at the end.
#   MINUTES=n   how long
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/../t/lib";
use Invariants;
use IPC::Run;
use List::Util qw(max min sum0);
use PostgreSQL::Test::Utils;
use Stores;
use Stress;
use Test::More;

plan skip_all => 'needs the /proc of Linux' unless -r '/proc/self/status';

my $seconds = 60 * ($ENV{MINUTES} || 1);
my $clients = 16;
my $node = new_server('main', conf => "autovacuum_naptime = 5s\nautovacuum_vacuum_cost_delay = 0\n"
	. "log_statement = none\nmax_connections = 60\n");
my $dir = $PostgreSQL::Test::Utils::tmp_check;

# A hundred notebooks, and a hot one; a live source or a deleted one of a notebook is found by its index.
$node->safe_psql('postgres', <<"END");
CREATE EXTENSION pgstattuple;
CREATE EXTENSION discovery;
$stress_functions
CREATE FUNCTION book(n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS \$\$ SELECT lpad(n::text, 32, '0')::uuid \$\$;
INSERT INTO notebooks (id, name) SELECT book(n), 'notebook ' || n FROM generate_series(0, 100) AS n;
INSERT INTO sources (notebook_id, name, source_type, extracted_text) SELECT book(n), 's', 'text', 'first ' || m
	FROM generate_series(0, 100) AS n, generate_series(1, 50) AS m;
ANALYZE;
END
my $live = "ARRAY(SELECT id FROM sources WHERE notebook_id = book(:book) AND deleted_at IS NULL LIMIT %d OFFSET :skip)";
my $deleted = '(SELECT id FROM sources WHERE notebook_id = book(:book) AND deleted_at IS NOT NULL LIMIT 1)';
my %statements = (
	'add a text' => "SELECT FROM add_source(book(:book), 's', 'text', extracted_text => repeat('text ' || :n, 200));",
	'add to one notebook' => "SELECT FROM add_source(book(0), 's', 'text', extracted_text => 'text ' || :n);",
	'add a duplicate' => "SELECT FROM add_source(book(:book), 's', 'text', extracted_text => 'first ' || :skip + 1);",
	'add ten' => "SELECT FROM add_sources(book(:book), (SELECT jsonb_agg(jsonb_build_object('name', 's',"
	  . " 'source_type', 'text',"
	  . " 'extracted_text', 'text ' || :n + m)) FROM generate_series(1, 10) AS m));",
	'add by INSERT' => "INSERT INTO sources (notebook_id, name, source_type, extracted_text)"
	  . " VALUES (book(:book), 's', 'text', 'text ' || :n) ON CONFLICT DO NOTHING;",
	'list a notebook' => 'SELECT id, name FROM live_sources WHERE notebook_id = book(:book)'
	  . ' ORDER BY created_at DESC LIMIT 20;',
	'read counts' => 'SELECT id, source_count FROM notebooks ORDER BY created_at LIMIT 20;',
	'change a source' => 'UPDATE sources SET name = :n::text WHERE id = ANY (' . sprintf($live, 1) . ');',
	'delete five' => 'SELECT FROM delete_sources(' . sprintf($live, 5) . ", 'soak');",
	'restore one' => "SELECT FROM restore_source($deleted, 'keep_deleted') WHERE EXISTS $deleted;",
	'restore a deletion' => "SELECT FROM (SELECT id FROM discovery_deletions ORDER BY id DESC LIMIT 1 OFFSET :skip) AS d,"
	  . " restore_sources(d.id, 'keep_deleted');",
	'move one' => 'UPDATE sources SET notebook_id = book(1 + :n % 100) WHERE id = ANY (' . sprintf($live, 1) . ');',
	'remove one' => 'DELETE FROM sources WHERE id = ANY (' . sprintf($live, 1) . ');',
	'purge' => "SELECT FROM purge_deleted_sources('0', 100);",
	'add an output' => "INSERT INTO outputs (notebook_id, title, content) VALUES (book(:book), 'o',"
	  . " repeat('output ' || :n, 100));",
	'make a notebook' => "INSERT INTO notebooks (id, name) VALUES (book(:book), 'notebook ' || :book)"
	  . ' ON CONFLICT DO NOTHING;',
	'delete a notebook' => "SELECT FROM delete_notebook(book(:book), 'soak');",
	'restore a notebook' => 'SELECT FROM (SELECT deletion_id FROM deleted_notebooks LIMIT 1 OFFSET :skip % 3) AS d,'
	  . " restore_deletion(d.deletion_id, 'keep_deleted', 'rename');",
	'delete an output' => 'SELECT FROM (SELECT id FROM outputs WHERE notebook_id = book(:book) LIMIT 1) AS o,'
	  . ' delete_output(o.id);',
	'purge the trash' => "SELECT FROM purge_trash('0', 5);",
	'replace a notebook' => "WITH gone AS (DELETE FROM notebooks WHERE id = book(:book) RETURNING id, name)"
	  . ' INSERT INTO notebooks (id, name) SELECT id, name FROM gone;',
);
my %weights = ('add to one notebook' => 8, 'add a text' => 8, 'list a notebook' => 10, 'read counts' => 4,
	'add by INSERT' => 4,
	'change a source' => 4, 'purge' => 1, 'replace a notebook' => 1, 'delete a notebook' => 1,
	'restore a notebook' => 2, 'purge the trash' => 1);
# What another client did may make it fail; what guarded() does not catch ends a client, but for a deadlock.
my $variables = "\\set book random_zipfian(1, 100, 1.1)\n\\set skip random(0, 30)\n\\set n random(1, 1000000000)\n";
my %scripts = map {
	my $statement = $statements{$_};
	$statement = 'SELECT guarded(format($guarded$' . ($statement =~ s/;\z//r =~ s/%/%%/gr =~ s/:(book|skip|n)\b/%$1/gr)
	  . '$guarded$, :book, :skip, :n));' if !/list|read/;
	$statement =~ s/%(book|skip|n)\b/{ book => '%1$s', skip => '%2$s', n => '%3$s' }->{$1}/ge;
	$_ => '-- weight ' . ($weights{$_} // 2) . "\n$variables$statement\n" } keys %statements;
mkdir "$dir/scripts" or die;
my @names = sort keys %scripts;

# One session, 200 stores, in turn.
my ($stores, $rounds) = (200, 12);
$node->safe_psql('postgres', 'CREATE DATABASE pool');
$node->safe_psql('pool', "SET client_min_messages = error;\nCREATE EXTENSION discovery;\n" . join '', map {
	"CREATE SCHEMA tenant_$_; SELECT discovery_create_store('tenant_$_');\n" } 1 .. $stores);
my $serve = '';
foreach my $round (1 .. $rounds)
{
	$serve .= <<"END" foreach 1 .. $stores;
SET search_path = tenant_$_, public;
INSERT INTO notebooks (name) VALUES ('notebook $round') RETURNING id AS notebook \\gset
SELECT id AS source FROM add_source(:'notebook', 's', 'text', extracted_text => 't') \\gset
SELECT deletion_id AS deletion FROM delete_source(:'source') \\gset
SELECT restore_sources(:'deletion');
UPDATE sources SET deleted_at = now() WHERE id = :'source';
SELECT add_source(:'notebook', 's', 'text', extracted_text => 't');
SELECT * FROM check_source_counts();
SELECT purge_deleted_sources('0', 10);
SELECT discovery_version();
END
	$serve .= "SELECT 'memory', sum(total_bytes) FROM pg_backend_memory_contexts;\n";
}
append_to_file("$dir/serve.sql", $serve);
my $pooled = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('pool'), '-f', "$dir/serve.sql" ],
	'<', \undef, '>', "$dir/serve.out", '2>', "$dir/serve.err");

sub multixacts { return split /\|/, value($node, 'postgres', 'CHECKPOINT; SELECT next_multixact_id, next_multi_offset
	FROM pg_control_checkpoint()'); }
my @before = multixacts();
my ($out, $err) = ('', '');
my $load = IPC::Run::start([ 'pgbench', '-n', '-c', $clients, '-j', 2, '-T', $seconds, '--failures-detailed', '-l',
		"--log-prefix=$dir/latency", scripts_in("$dir/scripts", %scripts), $node->connstr('postgres') ],
	'<', \undef, '>', \$out, '2>', \$err);

# The memory that is a backend's own, in kB, over time.
my (%memory, @times);
my $start = time;
while (time - $start < $seconds - 2)
{
	foreach my $pid (split /\n/, value($node, 'postgres',
		"SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = 'postgres'
			AND pid <> pg_backend_pid()"))
	{
		open(my $status, '<', "/proc/$pid/status") or next;
		my ($own) = join('', <$status>) =~ /^RssAnon:\s+(\d+)/m;
		push @{ $memory{$pid} }, [ time - $start, $own ];
	}
	sleep 2;
}
$load->finish;
$pooled->finish;
my @after = multixacts();

# Errors and deadlocks
my ($done) = $out =~ /number of transactions actually processed: (\d+)/;
cmp_ok($done // 0, '>', 0, 'transactions were done') or diag("$out $err");
my $log = slurp_file($node->logfile);
my %errors;
$errors{$_}++ foreach $log =~ /ERROR:  (.*)/g;
is(join("\n", grep { !/deadlock detected|canceling autovacuum task/ } sort keys %errors), '', 'no error but deadlocks');
my %met;
while ($log =~ /deadlock detected\n.*DETAIL:((?:.*\n)(?:\t.*\n)+)/g)
{
	my $detail = $1;
	my @kinds;
	foreach my $statement ($detail =~ /Process \d+: (.*)/g)
	{
		my ($kind) = grep { my $part = substr $statements{$_} =~ s/[:].*//sr, 0, 40; index($statement, $part) >= 0 } @names;
		push @kinds, $kind // substr $statement, 0, 60;
	}
	$met{ join ' meets ', sort @kinds }++;
}
my $deadlocks = sum0(values %met);
diag(sprintf '%d transactions by %d clients in %d s, %d deadlocks', $done, $clients, $seconds, $deadlocks);
diag("deadlock: $_: $met{$_}") foreach sort { $met{$b} <=> $met{$a} } keys %met;

# Times, in classes of one per cent
my (%times, %failed);
foreach my $file (glob "$dir/latency.*")
{
	open(my $lines, '<', $file) or die;
	while (<$lines>)
	{
		my (undef, undef, $time, $script) = split / /;
		if ($time =~ /^\d+$/) { $times{$script}{ int(100 * log($time + 1)) }++; }
		else { $failed{$script}++; }
	}
}
foreach my $script (sort { $a <=> $b } keys %times)
{
	my $all = sum0(values %{ $times{$script} });
	my @percentiles = (0.5, 0.95, 0.99);
	my ($seen, @found) = (0);
	foreach my $class (sort { $a <=> $b } keys %{ $times{$script} })
	{
		$seen += $times{$script}{$class};
		push @found, exp($class / 100) / 1000 while @found < 3 && $seen >= $percentiles[@found] * $all;
	}
	diag(sprintf '%-20s %7d times: p50 %7.1f ms, p95 %7.1f ms, p99 %7.1f ms; %d deadlocks', $names[$script], $all, @found,
		$failed{$script} // 0);
}

# Memory
my $warm = min(60, $seconds / 3);
my @growth;
foreach my $pid (sort keys %memory)
{
	my @series = @{ $memory{$pid} };
	my @early = map { $_->[1] } grep { $_->[0] >= $warm && $_->[0] <= $warm * 1.5 } @series;
	my @late = map { $_->[1] } @series[ max(0, $#series - 4) .. $#series ];
	push @growth, max(@late) - max(@early) if @early;
}
@growth = sort { $a <=> $b } @growth;
my @last = sort { $a <=> $b } map { $_->[-1][1] } values %memory;
diag(sprintf 'own memory of a backend at the end: %d to %d kB; it grew after %d s by %d to %d kB', $last[0],
	$last[-1], $warm,
	@growth[ 0, -1 ]);
is(scalar @growth, $clients, 'all backends were watched');
cmp_ok($growth[-1], '<', 1024, 'no backend grows');
is(slurp_file("$dir/serve.err"), '', "$stores stores were served by one session");
my @served = map { $_ / 1024 } slurp_file("$dir/serve.out") =~ /^memory\|(\d+)/mg;
diag("memory of one session after each round of $stores stores, in kB: ", join(', ', map { int } @served));
is(scalar @served, $rounds, 'in all rounds');
# Plans come and go, so it is the least of the last rounds.
cmp_ok(min(@served[ -4 .. -1 ]) - max(@served[ 1 .. 3 ]), '<', 256, 'and it keeps no more from round to round');

# Growth
diag(sprintf '%d multixacts with %d members: %.2f and %.2f per transaction', $after[0] - $before[0],
	$after[1] - $before[1],
	($after[0] - $before[0]) / $done, ($after[1] - $before[1]) / $done);
diag($_) foreach split /\n/, value($node, 'postgres', <<'END');
SELECT format('%s: %s kB, %s rows, %s %% dead, %s %% free', relname, pg_relation_size(oid) / 1024, approx_tuple_count,
	round(dead_tuple_percent::numeric), round(approx_free_percent::numeric))
	FROM pg_class, pgstattuple_approx(oid) WHERE relname IN ('notebooks', 'sources', 'discovery_deletions',
		'discovery_lost_files', 'outputs', 'discovery_trash')
UNION ALL
SELECT format('%s: %s kB, %s %% full', relname, pg_relation_size(oid) / 1024, round(avg_leaf_density))
	FROM pg_class, pgstatindex(oid) WHERE relname IN ('notebooks_pkey', 'sources_pkey', 'ix_sources_notebook_hash',
		'ix_sources_notebook_id')
UNION ALL SELECT 'age of the oldest multixact: ' || max(mxid_age(relminmxid)) FROM pg_class WHERE relminmxid <> '0'
END
is(join("\n", broken($node, 'postgres')), '', 'the store is whole at the end');
$node->stop;
done_testing();
