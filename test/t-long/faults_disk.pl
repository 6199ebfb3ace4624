# The disk is full, or nearly: what does not fit fails with an error, or stops a server that cannot write its log, and
# leaves a right state. The server's files are on a small disk in memory, in a namespace of the test's own.
use strict;
use warnings;
use FindBin;
use Test::More;

# Runs this file again, where a file system is mounted at the directory of its data.
BEGIN
{
	my $data = $ENV{TESTDATADIR} // "$ENV{TESTDIR}/tmp_check";
	my @as_root = ('unshare', '--user', '--map-root-user', '--mount', 'sh', '-euc');
	my $mount = 'mkdir -p "$1"; mount -t tmpfs -o size=160m,mode=700 tmpfs "$1"; export DISCOVERY_SMALL_DISK="$1"; '
	  . 'user=$2; group=$3; shift 3; exec unshare --user --map-user="$user" --map-group="$group" "$@"';
	if (!$ENV{DISCOVERY_SMALL_DISK})
	{
		plan skip_all => 'needs a kernel that lets a user mount a file system in a namespace'
		  if system(@as_root, 'mount -t tmpfs tmpfs /tmp && unshare --user --map-user=1 true 2>/dev/null', 'sh') != 0;
		exec(@as_root, $mount, 'sh', $data, $>, (split / /, $))[0], $^X, (map { "-I$_" } @INC), $0) or die;
	}
}
use lib "$FindBin::RealBin/../t/lib";
use Entries;
use Invariants;
use Stores;

my $disk = $ENV{DISCOVERY_SMALL_DISK};
my $node = new_server('main', conf => "autovacuum = off\nlog_statement = none\nrestart_after_crash = off\n"
	. "max_wal_size = 64MB\nmin_wal_size = 32MB\n");
make_entries($node, 'disk');

# Leaves so many bytes free.
sub fill
{
	my ($free) = @_;
	open(my $ballast, '>', "$disk/ballast") or die;
	my ($size, $zeros) = (0, "\0" x 65536);
	foreach my $piece (65536, 4096)
	{
		while (my $written = syswrite $ballast, $zeros, $piece) { $size += $written; }
	}
	truncate $ballast, $size > $free ? $size - $free : 0;
	return;
}

my (@wrong, %states);
my ($crashes, $tries) = (0, 0);
foreach my $name (in_order())
{
	my $done = 0;
	foreach my $free (0, 8192, 32768, 131072, 524288, 2097152, 16777216)
	{
		fill($free);
		my ($status, $out, $err) = try_psql($node, 'disk',
			"SET client_min_messages = error;\n\\set VERBOSITY sqlstate\nBEGIN; $entries{$name}; COMMIT;", on_error_stop => 0);
		unlink "$disk/ballast";
		$tries++;
		my @states = $err =~ /(?:ERROR|FATAL|PANIC):  (\w{5})/g;
		$states{$_}++ foreach @states;
		push @wrong, "$name with $free bytes: $err" if grep { !/^(?:53100|25P02)$/ } @states;
		# A server that cannot write its log ends; it has to come back.
		if ($err =~ /server closed the connection|connection to server/)
		{
			$crashes++;
			$node->stop('immediate', fail_ok => 1);
			start_again($node);
		}
		push @wrong, map { "after $name with $free bytes: $_" } broken($node, 'disk');
		last if @wrong > 10 || !@states && ++$done == 2;
	}
}
is(join("\n", @wrong), '', "$tries statements on a full disk: errors only, and a right state");
diag("$crashes crashes; ", join(', ', map { "$_ x $states{$_}" } sort keys %states));
cmp_ok($states{53100} // 0, '>', 10, 'the disk was full');
$node->stop;
done_testing();
