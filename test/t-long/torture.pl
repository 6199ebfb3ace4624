# The server is killed over and over while clients add, delete, restore, move and purge, and while a store goes up and
# down between its versions, at once and prepared. After each recovery: no content is live twice, the counts are exact,
# the log agrees with the rows, the store has the shape of its version, and no table or index is damaged.
#   KILLS=n   how often; SEED=n   repeats the choices of what is killed and when, not the moments themselves
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/../t/lib";
use IPC::Run;
use Invariants;
use PostgreSQL::Test::Utils;
use RandomSql qw(pick);
use Stores;
use Stress;
use Test::More;

my $kills = $ENV{KILLS} || 10;
srand($ENV{SEED} || 1);

# What a killed process has written is the kernel's: no fsync needed, as long as the machine stays up.
my $node = new_server('main', conf => "restart_after_crash = on\ndeadlock_timeout = 20ms\nautovacuum_naptime = 1s\n"
	. "max_connections = 60\nlog_line_prefix = '%e '\nlog_statement = none\nlog_error_verbosity = verbose\n");
my $dir = $PostgreSQL::Test::Utils::tmp_check;
my $quiet = "SET client_min_messages = error;\n";

# In `steady` a store stays at its version; in `moving` it goes up and down. The clients are its owner, whom a limit of
# connections keeps out while the stores are looked at.
my @databases = ('steady', 'moving');
$node->safe_psql('postgres', 'CREATE ROLE worker LOGIN');
foreach my $database (@databases)
{
	$node->safe_psql('postgres', "CREATE DATABASE $database OWNER worker");
	$node->safe_psql($database, 'CREATE EXTENSION amcheck');
	$node->safe_psql($database, "${quiet}CREATE EXTENSION discovery;\n$stress_functions"
		. "INSERT INTO notebooks (id, name) SELECT md5('n' || n)::uuid, 'notebook ' || n FROM generate_series(1, 50) AS n;\n"
		. "INSERT INTO sources (notebook_id, name, source_type, content_hash, file_path) SELECT id, 's', 'file',
			'c' || n, '/' || n"
		. ' FROM notebooks, generate_series(1, 40) AS n', extra_params => [ '-U', 'worker' ]);
}

# A client ends with the first error that it does not expect, and with the server; the loop begins again.
my $stop = "$dir/stop";
sub client
{
	my ($number, $database, @arguments) = @_;
	my $command = join ' ', map { "'" . s/'/'\\''/gr . "'" } @arguments;
	my $connection = $node->connstr($database) . ' user=worker application_name=client';
	return IPC::Run::start([ 'sh', '-c', "while [ ! -e '$stop' ]; do $command '$connection' || sleep 0.05; done" ],
		'<', \undef, '>', "$dir/client$number", '2>&1');
}
mkdir "$dir/scripts" or die;
my @mixed = ('pgbench', '-n', '-c', 1, '-t', 1000, scripts_in("$dir/scripts", in_transactions()));
my @old = ('pgbench', '-n', '-c', 1, '-t', 1000, '-f', "$FindBin::RealBin/../t/lib/old_client.pgbench");

# The store of `moving` goes up and down by whole steps, in longer transactions, and by preparations that are carried
# on, carried out or cancelled.
my $prepare = 'SELECT statement FROM discovery_prepare_upgrade()';
my %moves = (
	up => 'SELECT discovery_upgrade();',
	one => "SET discovery.allow_data_loss = on;\nSELECT discovery_downgrade('1.1');\nSELECT discovery_upgrade('1.1');",
	down => "SET discovery.allow_data_loss = on;\nSELECT discovery_downgrade('1.0');",
	open => "BEGIN;\nSELECT discovery_upgrade();\nSELECT pg_sleep(0.1);\nCOMMIT;",
	prepare => "$prepare\n\\gexec\n", part => "$prepare LIMIT 3\n\\gexec\n",
	cancel => "SET discovery.allow_data_loss = on;\nSELECT statement FROM discovery_cancel_upgrade()\n\\gexec\n");
append_to_file("$dir/move.sql", "${quiet}SET lock_timeout = '2s';\n"
	. join("\n", map { $moves{ pick(qw(up one one down down open prepare prepare part cancel)) } } 1 .. 400) . "\n");
my @clients = (
	(map { client("steady$_", 'steady', @mixed) } 1 .. 4),
	(map { client("old$_", 'moving', @old) } 1 .. 3), client('new', 'moving', @mixed),
	client('move', 'moving', 'psql', '-XAtq', '-f', "$dir/move.sql", '-d'));

my (%killed, %found, @wrong);
foreach my $kill (1 .. $kills)
{
	# Some of the work is done, and some is begun, unless it ends before the door is shut. Each count starts anew with the
	# crash.
	my $done = 20 + int rand 300;
	my $how = pick('backend', 'backend', 'postmaster');
	my @open;
	while (!@open)
	{
		$node->safe_psql('postgres', "ALTER DATABASE $_ CONNECTION LIMIT -1") foreach @databases;
		$node->poll_query_until('postgres', "SELECT min(xact_commit) > $done
			AND (SELECT count(*) >= 3 FROM pg_stat_activity WHERE usename = 'worker' AND xact_start IS NOT NULL)
			FROM pg_stat_database WHERE datname IN ('steady', 'moving')")
		  or die 'the clients do nothing';
		$node->safe_psql('postgres', "ALTER DATABASE $_ CONNECTION LIMIT 0") foreach @databases;
		@open = split /\n/, $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE usename = 'worker'
			AND xact_start IS NOT NULL ORDER BY pid");
	}
	crash($node, $how, pick(@open));
	$killed{$how}++;
	# Nobody but us.
	$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE usename = 'worker'") or die;
	foreach my $database (@databases)
	{
		my ($version, $state) = split /\|/, value($node, $database, 'SELECT store_version, state FROM discovery_status()');
		$found{"$version $state"}++ if $database eq 'moving';
		my @broken = $version eq $newest ? broken($node, $database) : split /\n/, value($node, $database,
			($version eq '1.0' ? '' : "$broken_sources UNION ALL ")
			. "SELECT concat_ws(' ', object, kind, actual, expected) FROM discovery_check() WHERE kind <> 'extra'");
		push @wrong, map { "after kill $kill ($how), $database ($version, $state): $_" } @broken;
		push @wrong, "after kill $kill: $database is $state" if $state !~ /^(?:current|prepar\w+(?:, \d+ of \d+)?)$/;
		my ($status, $out, $err) = try($node, 'pg_amcheck', '--no-strict-names', '--heapallindexed', '-d', $database);
		push @wrong, "after kill $kill, $database: pg_amcheck: $out $err" if $status;
	}
	last if @wrong;
}
is(join("\n", @wrong), '', "$kills kills: the stores are whole after each");
note('killed: ', join(', ', map { "$_ $killed{$_} times" } sort keys %killed));
diag('the moving store was found at: ', join(', ', map { "$_ $found{$_} times" } sort keys %found));
append_to_file($stop, '');
$node->safe_psql('postgres', "ALTER DATABASE $_ CONNECTION LIMIT -1") foreach @databases;
$_->finish foreach @clients;

# What the clients met, beside what the kills are: nothing of the class of internal errors. PostgreSQL locks no
# function: it misses one itself that is replaced while its planner waits for a table, here that of an argument in SQL.
my %met;
my $log = slurp_file($node->logfile);
my $of_server = qr/(?:get_function_rows, plancat|fmgr_info_cxt_security, fmgr)\.c/;
$met{'a function replaced'} += $log =~ s/^XX000\ ERROR:\ .*cache\ lookup\ failed\ for\ function\ \d+\n
	(?:(?!XX000\ LOCATION).*\n)*XX000\ LOCATION:\ +$of_server//gmx;
$met{$_}++ foreach $log =~ /^(?!57P|53300)(\w{5}) (?:ERROR|FATAL|PANIC):/mg;
is(join(' ', grep { /^(?:XX|58)/ } sort keys %met), '', 'the clients met no internal error');
diag('errors of the clients: ', join(', ', map { "$_ x $met{$_}" } sort keys %met));

# After all that, the way goes on.
$node->safe_psql('moving', "${quiet}SET lock_timeout = '1min'; SELECT discovery_upgrade()");
is(join("\n", broken($node, $_)), '', "$_: whole at the end") foreach @databases;
cmp_ok(value($node, $_, 'SELECT count(*) FROM sources'), '>', 0, "$_: has sources") foreach @databases;
$node->stop;
done_testing();
