# The server is killed while the extension is created, while a store is brought up and down, while rows are imported and
# while a batch is deleted: after the restart either the old or the new state is there, whole.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Utils;
use Stores;
use IPC::Run;
use Test::More;

# What a killed process has written is the kernel's: no fsync needed, as long as the machine stays up.
my $node = new_server('main', conf => "restart_after_crash = on\n");
my $counts = 'SELECT * FROM check_source_counts()';

# Runs the SQL in a transaction of a session of its own, waits until it is done and not committed, and kills as `how`
# says.
sub killed
{
	my ($database, $how, $sql) = @_;
	my ($in, $out, $err, $timer) = ('', '', '', IPC::Run::timeout(120));
	my $psql = IPC::Run::start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($database) ],
		'<', \$in, '>', \$out, '2>', \$err, $timer);
	$in = "BEGIN;\nSELECT pg_backend_pid();\n$sql;\n\\echo done\n";
	$psql->pump until $out =~ /done/ || $err =~ /ERROR|FATAL/;
	my ($pid) = $out =~ /(\d+)/;
	like($out, qr/done/, "$database: " . substr($sql, 0, 60) . " $err");
	crash($node, $how, $pid, $psql);
}

my @hows = ('backend', 'postmaster', 'immediate stop');
$node->safe_psql('postgres',
	'CREATE ROLE reader; CREATE DATABASE fresh; CREATE DATABASE made; CREATE DATABASE old; CREATE DATABASE new');
$node->safe_psql('made', 'CREATE EXTENSION discovery');
$node->safe_psql('old', "CREATE EXTENSION discovery VERSION '1.0'");
script($node, 'old', 'rows');
$node->safe_psql('new', 'CREATE EXTENSION discovery');
script($node, 'new', 'rows', 'deletions', 'additions');
$node->safe_psql('postgres', "CREATE DATABASE ${_}_before TEMPLATE $_") foreach 'old', 'new';

foreach my $how (@hows)
{
	killed('fresh', $how, 'CREATE EXTENSION discovery');
	is(value($node, 'fresh', "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"), '0',
		"$how: CREATE EXTENSION left no table");
	is(value($node, 'fresh', "SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace"), '0',
		"$how: and no function");

	killed('old', $how, 'ALTER EXTENSION discovery UPDATE');
	same_stores($node, 'old_before', 'old', "$how: the update left the old store");
	is(value($node, 'old', 'SELECT state, extension_version FROM discovery_status()'), 'current|1.0', "$how: status");

	killed('new', $how,
		"DROP VIEW own_view; SET LOCAL discovery.allow_data_loss = on; ALTER EXTENSION discovery UPDATE TO '1.0'");
	same_stores($node, 'new_before', 'new', "$how: the downgrade left the new store");

	killed('new', $how, "INSERT INTO sources (notebook_id, name, source_type, extracted_text, content_hash)
		SELECT id, 'bulk', 'text', n || repeat('x', 1000), '' FROM notebooks, generate_series(1, 1000) AS n");
	same_stores($node, 'new_before', 'new', "$how: the import left the old rows");

	killed('new', $how, "SELECT delete_sources(array_agg(id), 'killed') FROM live_sources");
	same_stores($node, 'new_before', 'new', "$how: the deletion left them live");
	is(value($node, 'new', $counts), '', "$how: right counts");
	is(value($node, 'new', "SELECT object FROM discovery_check() WHERE kind <> 'extra'"), '', "$how: check");
}

# Killed at any moment while committed statements follow each other: what is there is a whole number of them.
# psql reads and writes files, so that nothing it has told is lost in a pipe.
my $dir = $PostgreSQL::Test::Utils::tmp_check;
foreach my $how (@hows)
{
	my $batches = value($node, 'new', "SELECT count(*) FROM sources WHERE name = 'batch'") / 100;
	my ($script, $told_file) = map { "$dir/$how.$_" } 'sql', 'told';
	append_to_file($script, join '', map { "INSERT INTO sources (notebook_id, name, source_type, content_hash)
		SELECT '00000000-0000-4000-8000-000000000001', 'batch', 'text', '$how $_ ' || n
			FROM generate_series(1, 100) AS n;\n\\! echo done $_\n" } 1 .. 2000);
	my $psql = IPC::Run::start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-f', $script, '-d', $node->connstr('new') ],
		'<', \undef, '>', $told_file, '2>', "$told_file.err");
	foreach (1 .. 600) { last if slurp_file($told_file) =~ /done 5\n/; select undef, undef, undef, 0.1; }
	my $writer = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'INSERT%' AND pid <> pg_backend_pid()";
	crash($node, $how, $how eq 'backend' ? value($node, 'new', $writer) : undef, $psql);
	my $told = () = slurp_file($told_file) =~ /^done /mg;
	cmp_ok($told, '>=', 5, "$how: it was at work");
	my $rows = value($node, 'new', "SELECT count(*) FROM sources WHERE name = 'batch'");
	is($rows % 100, 0, "$how: whole statements");
	cmp_ok($rows / 100 - $batches, '>=', $told, "$how: all that were told to be committed");
	cmp_ok($rows / 100 - $batches, '<=', $told + 1, "$how: and at most one more");
	is(value($node, 'new', $counts), '', "$how: right counts");
}

# After all that, the way goes on.
$node->safe_psql('fresh', 'CREATE EXTENSION discovery');
same_stores($node, 'made', 'fresh', 'the extension is created', '--except', 'history');
$node->safe_psql('old', 'ALTER EXTENSION discovery UPDATE');
is(value($node, 'old', 'SELECT state FROM discovery_status()'), 'current', 'the store is brought up');
is(value($node, 'old', $counts), '', 'right counts');

done_testing();
