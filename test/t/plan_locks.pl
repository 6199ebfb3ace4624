# What discovery_plan() says of each statement is what happens when it runs: the strongest lock it takes on each table
# that was there before (pg_locks), and which tables get a new file (pg_class.relfilenode). Each statement of a step
# runs in a transaction of its own, so that its locks are its alone. And up, down, up leaves the same shape and the same
# rows.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stores;
use Test::More;

my $node = new_server('main');
my @modes = qw(AccessShareLock RowShareLock RowExclusiveLock ShareUpdateExclusiveLock ShareLock ShareRowExclusiveLock
	ExclusiveLock AccessExclusiveLock);
my %strength = map { $modes[$_] => $_ } 0 .. $#modes;

sub rows { return map { [ split /\x01/, $_, -1 ] } split /\x02\n?/, $_[0] }

# The tables of the store, with their files.
sub files
{
	my ($psql) = @_;
	return { map { split /\|/ } split /\n/, $psql->query_safe("SELECT relname || '|' || relfilenode FROM pg_class
		WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'") };
}

# What the plan says and does not, step by step, on the way to a version.
sub follow
{
	my ($database, $target, $expected_steps) = @_;
	my $one = $node->background_psql($database, on_error_stop => 1);
	# The plan for the whole way is asked first, then a statement runs at a time.
	my @plan = rows($one->query_safe("SELECT
		concat_ws(E'\\x01', step, number, statement, coalesce(locks, ''), coalesce(effect, '')) || E'\\x02'
		FROM discovery_plan('$target')"));
	cmp_ok(scalar @plan, '>', 0, "$database to $target: there is a plan");
	my %steps = map { $_->[0] => 1 } @plan;
	is(join(', ', sort keys %steps), $expected_steps, "$database to $target: of these steps");
	my ($step, %before) = ('');
	foreach my $line (@plan)
	{
		my ($its_step, $number, $statement, $locks, $effect) = @$line;
		my $name = "$its_step, statement $number";
		my $files = files($one);
		# Of a table that the step made itself nobody waits.
		%before = %$files if $its_step ne $step;
		$step = $its_step;
		# As the runner does: without the functions of a search_path in the way.
		$one->query_safe("BEGIN");
		$one->query_safe("SET LOCAL search_path = pg_catalog, pg_temp");
		$one->query_safe($statement);
		my %taken;
		foreach (split /\n/, $one->query_safe("SELECT relname || ' ' || mode FROM pg_locks JOIN pg_class c ON c.oid = relation
			WHERE locktype = 'relation' AND pid = pg_backend_pid() AND relnamespace = 'public'::regnamespace AND relkind = 'r'"))
		{
			my ($table, $mode) = split / /;
			$taken{$table} = $mode if !$taken{$table} || $strength{$mode} > $strength{ $taken{$table} };
		}
		my $after = files($one);
		$one->query_safe("COMMIT");
		# A table that is dropped has no name left to ask for; its lock is what dropping takes.
		foreach my $gone (grep { !exists $after->{$_} } keys %$files) { $taken{$gone} = 'AccessExclusiveLock'; }
		delete $taken{$_} foreach grep { !exists $before{$_} } keys %taken;
		is(join(', ', sort split(/, /, $locks)), join(', ', sort map { "$_: $taken{$_}" } keys %taken), "$name: locks");

		my @rewritten = sort grep { exists $after->{$_} && $after->{$_} != $files->{$_} } keys %$files;
		my @said = sort $effect =~ /\brewrites (\w+)/g;
		my %may = map { $_ => 1 } $effect =~ /\bmay rewrite (\w+)/g;
		is("@said", join(' ', grep { !$may{$_} } @rewritten), "$name: rewrites");
		my @gone = sort grep { !exists $after->{$_} } keys %$files;
		is(join(' ', sort $effect =~ /\bdrops (?!column)(\w+)/g), "@gone", "$name: drops");
	}
	$one->quit;
	return;
}

# The functions of the newest of the two versions, in a schema of their own, and a store of one of them.
sub database
{
	my ($name, $version) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($name, "ALTER DATABASE $name SET search_path = public, functions; CREATE SCHEMA functions;
		SET discovery.create_store = off; CREATE EXTENSION discovery VERSION '1.1' SCHEMA functions");
	$node->safe_psql($name, "SELECT discovery_create_store('public')");
	$node->safe_psql($name, "SELECT discovery_downgrade('1.0')") if $version eq '1.0';
	script($node, $name, 'rows');
}

SKIP:
{
	skip 'PostgreSQL::Test::Cluster has no background_psql', 1 unless $node->can('background_psql');

	database('up', '1.0');
	# Copies of one content, and a wrong count: each statement has something to do.
	$node->safe_psql('up', "INSERT INTO sources (id, notebook_id, name, source_type, content_hash)
		SELECT gen_random_uuid(), notebook_id, name || ' again', source_type, upper(md5('x') || md5('y'))
			FROM sources, generate_series(1, 2) LIMIT 4;
		UPDATE notebooks SET source_count = 99");
	follow('up', '1.1', '1.0 -> 1.1');
	database('down', '1.1');
	follow('down', '1.0', '1.1 -> 1.0');
	database('all_the_way', '1.1');
	follow('all_the_way', 'base', '1.0 -> base, 1.1 -> 1.0');
}

# Up, down, up: nothing is left of the way.
$node->safe_psql('postgres', "CREATE DATABASE $_") foreach qw(straight round);
foreach my $database (qw(straight round))
{
	$node->safe_psql($database, "CREATE EXTENSION discovery VERSION '1.0'");
	script($node, $database, 'rows');
	$node->safe_psql($database, "SELECT discovery_upgrade('1.1')");
}
my $all = "SELECT md5(string_agg(line, E'\\n' ORDER BY line)) FROM (SELECT discovery_shape() UNION ALL
	SELECT to_jsonb(n)::text FROM notebooks n UNION ALL SELECT to_jsonb(s)::text FROM sources s) AS everything (line)";
my $before = value($node, 'round', $all);
$node->safe_psql('round',
	"SET discovery.allow_data_loss = on; SELECT discovery_downgrade('1.0'); SELECT discovery_upgrade('1.1')");
is(value($node, 'round', $all), $before, 'up, down, up: the same shape and rows');
same_stores($node, 'straight', 'round', 'up, down, up: the same objects as straight up', '--except', 'history,rows');

done_testing();
