# What fails, fails with an error and leaves a right state: an allocation by C++ fails, or a backend has no more memory,
# at any point of any way into the extension; there are no more locks; statements are cancelled, time out or wait too
# long for locks, and connections are lost, at random moments.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/../t/lib";
use Entries;
use Invariants;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Stores;
use Stress;
use Test::More;

my $node = new_server('main', conf => "max_connections = 30\nautovacuum = off\nlog_statement = none\n"
	. "log_line_prefix = '%e '\n"
	. "deadlock_timeout = 10ms\nmax_locks_per_transaction = 64\njit = off\n");
my $dir = $PostgreSQL::Test::Utils::tmp_check;
my $quiet = "SET client_min_messages = error;\n\\set VERBOSITY verbose\n";

# A session of psql that is asked one thing after another.
sub session
{
	my ($database) = @_;
	my %session = (in => '', out => '');
	$session{run} = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr($database) ],
		'<', \$session{in}, '>', \$session{out},
		'2>&1', IPC::Run::timeout(300));
	return \%session;
}
sub ask
{
	my ($session, $sql) = @_;
	$session->{out} = '';
	$session->{in} .= "$sql\n\\echo end of answer\n";
	$session->{run}->pump until $session->{out} =~ /^end of answer$/m || !$session->{run}->pumpable;
	return $session->{out} =~ s/end of answer\n//r;
}
sub quit { my ($session) = @_; $session->{in} .= "\\q\n"; eval { $session->{run}->finish }; return; }

# A statement fails with one of these states, or it is done; afterwards the store is right.
my (%failed, @wrong);
sub tried
{
	my ($kind, $name, $answer, $states) = @_;
	my @states = $answer =~ /(?:ERROR|FATAL):  (\w{5})/g;
	$failed{$kind}{$name}{$_}++ foreach @states;
	push @wrong, "$kind: $name: $answer" if grep { !/$states/ } @states or $answer =~ /server closed|terminated/;
	return @states > 0;
}
sub is_right
{
	my ($kind, $database) = @_;
	push @wrong, map { "$kind: $_" } broken($node, $database);
	is(join("\n", @wrong > 10 ? @wrong[ 0 .. 9 ] : @wrong), '', "$kind: errors only, and a right state");
	@wrong = ();
	my %states;
	foreach my $name (sort keys %{ $failed{$kind} })
	{
		$states{$_} += $failed{$kind}{$name}{$_} foreach keys %{ $failed{$kind}{$name} };
	}
	diag("$kind: ", join(', ', map { "$_ x $states{$_}" } sort keys %states));
	return;
}

# Allocations by C++: more and more of them go well before one fails.
SKIP:
{
	my $library = "$dir/fail_new.so";
	chomp(my $headers = `pg_config --includedir-server`);
	skip 'needs g++', 2 if system('g++', '-shared', '-fPIC', '-w', '-o', $library, "-I$headers",
		"$FindBin::RealBin/../t/lib/fail_new.cpp") != 0;
	$node->stop;
	{ local $ENV{LD_PRELOAD} = $library; $node->start; }
	make_entries($node, 'allocations');
	$node->safe_psql('allocations', "CREATE FUNCTION fail_new(int) RETURNS int LANGUAGE c AS '$library'");
	my (%most, $attempts);
	foreach my $name (in_order())
	{
		my $done = 0;
		for (my $number = 0; !$done && $number < 1e6; $number += 1 + int $number / 8)
		{
			my ($status, $out, $err) = try_psql($node, 'allocations',
				"${quiet}SELECT content_hash('');\nSELECT fail_new($number);\n"
				. "BEGIN; $entries{$name}; COMMIT;\nSELECT 'allocations', fail_new(-1);", on_error_stop => 0);
			my ($allocations) = $out =~ /^allocations\|(\d+)/m;
			push @wrong, "allocations: $name: $err" if !defined $allocations;
			$most{$name} = $allocations // 0;
			# Errors that come of others in the same transaction do not count.
			$err =~ s/.*25P02.*//g;
			$done = !tried('allocations', $name, $err, qr/^53200$/);
			$attempts++;
			push @wrong, "allocations: $name: number $number of $allocations failed, and nobody noticed"
			  if $done && $allocations > $number;
		}
		push @wrong, "allocations: $name is never done" if !$done;
		push @wrong, map { "allocations: after $name: $_" } broken($node, 'allocations');
	}
	is_right('allocations', 'allocations');
	my @none = grep { !$most{$_} } sort keys %most;
	diag("$attempts attempts; without an allocation by C++: @none");
	cmp_ok(keys(%most) - @none, '>=', 15, 'many of the entries allocate');
	$node->stop;
	$node->start;
}

# A limit of the address space of a backend, from what it has on, in steps: more and more of the statement is done
# before it fails, until it does not.
SKIP:
{
	skip 'needs prlimit', 2 if system('prlimit --version >/dev/null 2>&1') != 0 || !-r '/proc/self/status';
	make_entries($node, 'memory');
	foreach my $name (in_order())
	{
		my $done = 0;
		my $steps = 0;
		for (my $more = 0; $done < 2 && $more < 64_000; $more += $more < 2000 ? 100 : $more / 8)
		{
			my $session = session('memory');
			my ($pid) = ask($session, "${quiet}SELECT deep(60) IS NULL; SELECT content_hash('') IS NULL;
				SELECT pg_backend_pid();") =~ /^(\d+)$/m;
			my ($size) = slurp_file("/proc/$pid/status") =~ /^VmSize:\s+(\d+)/m;
			system('prlimit', '--pid', $pid, '--as=' . ($size + int $more) * 1024 . ':') == 0 or die;
			my $answer = ask($session, "BEGIN; $entries{$name}; COMMIT;");
			$answer =~ s/.*25P02.*//g;
			# The server says so of a time zone that it has no memory for.
			$answer =~ s/.*ERROR:  22023: invalid value for parameter "TimeZone".*//;
			$done++ if !tried('memory', $name, $answer, qr/^53200$/);
			quit($session);
			$steps++;
		}
		push @wrong, "memory: $name is never done" if !$done;
		push @wrong, map { "memory: after $name: $_" } broken($node, 'memory');
	}
	is_right('memory', 'memory');
	my @never = grep { !$failed{memory}{$_} } in_order();
	cmp_ok(scalar @never, '<', 5, 'most of them failed for want of memory') or diag("@never");
}

# The lock table is full but for a few locks.
make_entries($node, 'locks');
{
	# Nobody can connect while none is left.
	my ($holder, $client) = (session('locks'), session('locks'));
	ask($client, "${quiet}SELECT content_hash('');");
	my $fill = "DO \$\$ BEGIN FOR i IN 1 .. 1000000 LOOP PERFORM pg_advisory_lock(i); END LOOP;
		EXCEPTION WHEN out_of_memory THEN NULL; END \$\$;";
	foreach my $name (in_order())
	{
		my $done = 0;
		for (my $free = 0; $done < 2 && $free < 400; $free += 1 + int $free / 4)
		{
			ask($holder, 'SELECT pg_advisory_unlock_all();');
			ask($holder, $fill);
			ask($holder, "SELECT count(pg_advisory_unlock(i)) FROM generate_series(1, $free) AS i;");
			my $answer = ask($client, "BEGIN; $entries{$name}; COMMIT;");
			$done++ if !tried('locks', $name, $answer =~ s/.*25P02.*//gr, qr/^53200$/);
		}
	}
	ask($holder, 'SELECT pg_advisory_unlock_all();');
	quit($_) foreach $holder, $client;
	is_right('locks', 'locks');
}

# Cancels, timeouts and lost connections, while clients work and a store goes up and down.
make_entries($node, 'chaos');
{
	$node->safe_psql('chaos', "$stress_functions; ALTER SYSTEM SET autovacuum = on; SELECT pg_reload_conf()");
	mkdir "$dir/scripts" or die;
	my $stop = "$dir/stop";
	my $connection = $node->connstr('chaos');
	my @scripts = scripts_in("$dir/scripts", in_transactions());
	my %client = (
		timeout => "PGOPTIONS='-c statement_timeout=4' pgbench -n -t 500 @{[ map { qq('$_') } @scripts ]} '$connection'",
		locks => "PGOPTIONS='-c lock_timeout=1' pgbench -n -c 2 -t 500 @{[ map { qq('$_') } @scripts ]} '$connection'",
		lost => "timeout -s KILL 0.3 pgbench -n -c 2 -t 500 @{[ map { qq('$_') } @scripts ]} '$connection'",
		busy => "pgbench -n -c 3 -t 500 @{[ map { qq('$_') } @scripts ]} '$connection'");
	my $moves = "SET client_min_messages = error; SET lock_timeout = '1s'; SET discovery.allow_data_loss = on;\n"
	  . "SELECT discovery_downgrade('1.0');\nSELECT statement FROM discovery_prepare_upgrade()\n\\gexec\n"
	  . "SELECT discovery_upgrade();\n";
	append_to_file("$dir/moves.sql", $moves);
	$client{moves} = "psql -XAtq -f '$dir/moves.sql' -d '$connection'";
	my @running = map { IPC::Run::start([ 'sh', '-c', "while [ ! -e '$stop' ]; do $client{$_}; done" ],
		'<', \undef, '>', "$dir/chaos_$_", '2>&1') } sort keys %client;
	# Somebody who stops others, until enough of them were.
	my ($cancelled, $lost) = (0, 0);
	my $killer = session('postgres');
	while ($cancelled < 1500)
	{
		my $answer = ask($killer, "SELECT CASE WHEN random() < 0.9 THEN 'cancelled ' || pg_cancel_backend(pid) ELSE 'lost ' ||
			pg_terminate_backend(pid) END FROM pg_stat_activity WHERE datname = 'chaos' AND state = 'active'
				AND pid <> pg_backend_pid()
			ORDER BY random() LIMIT 1;");
		$cancelled += () = $answer =~ /cancelled t/g;
		$lost += () = $answer =~ /lost t/g;
	}
	quit($killer);
	append_to_file($stop, '');
	$_->finish foreach @running;
	$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = 'chaos'");
	my %met;
	$met{$_}++ foreach slurp_file($node->logfile) =~ /^(\w{5}) (?:ERROR|FATAL|PANIC):/mg;
	diag("$cancelled cancels, $lost connections terminated; ", join(', ', map { "$_ x $met{$_}" } sort keys %met));
	is(join(' ', grep { /^(?:XX|58)/ } sort keys %met), '', 'chaos: no internal error');
	cmp_ok($met{$_} // 0, '>', 0, "chaos: $_ came") foreach qw(57014 55P03 57P01);
	$node->safe_psql('chaos', "SET client_min_messages = error; SELECT discovery_upgrade()");
	is_right('chaos', 'chaos');
}
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC:|TRAP:/, 'no crash');
$node->stop;
done_testing();
