# The tests of dumps, moves and updates share this: stores with rows and with the user's own objects, and their
# comparison.
package Stores;
use strict;
use warnings;
use Exporter 'import';
use File::Basename qw(dirname);
use Cwd qw(abs_path);
use IPC::Run;
use PostgreSQL::Test::Cluster;
use Test::More;

our @EXPORT = qw(crash new_server copied_server extension_directory older_server differences same_stores script
  start_again try try_ok try_psql value $newest);

# The newest version
our ($newest) = PostgreSQL::Test::Utils::slurp_file("$FindBin::RealBin/../../discovery.control")
  =~ /^default_version = '(.*)'$/m;
my $here = abs_path(dirname(__FILE__));

# A running server of the test's own; conf: lines for its postgresql.conf.
sub new_server
{
	my ($name, %options) = @_;
	# Whoever runs the tests, the superuser is the usual one.
	$ENV{PGUSER} = 'postgres';
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(%options, extra => [ '-U', 'postgres' ]);
	$node->append_conf('postgresql.conf', "fsync = off\n");
	$node->append_conf('postgresql.conf', $options{conf}) if $options{conf};
	$node->start;
	return $node;
}

# A copy of the installed server, which finds its files relative to its programs. `change` is called with the folder of
# its extensions. Returns it running.
my %directory_of;
sub copied_server
{
	my ($name, $change) = @_;
	my $root = "$PostgreSQL::Test::Utils::tmp_check/$name";
	my ($bin, @others) = map { my $path = `pg_config --$_`; chomp $path; $path } qw(bindir pkglibdir sharedir);
	mkdir $root;
	system("tar -C / -cf - .$bin .$others[0] .$others[1] | tar -C $root -xf -") == 0 or return;
	$change->($directory_of{$name} = "$root$others[1]/extension");
	my $node = PostgreSQL::Test::Cluster->new($name, install_path => $root . $bin =~ s/\/bin$//r);
	$node->init(extra => [ '-U', 'postgres' ]);
	$node->append_conf('postgresql.conf', "fsync = off\n");
	$node->start;
	return $node;
}
sub extension_directory { my ($node) = @_; return $directory_of{ $node->name } }

# A copy that has nothing newer than `version` of the extension, but the same library
sub older_server
{
	my ($name, $version) = @_;
	return copied_server($name, sub {
		my ($extension) = @_;
		unlink grep { !/--\Q$version\E\.sql$/ } glob "$extension/discovery--*";
		my $control = PostgreSQL::Test::Utils::slurp_file("$extension/discovery.control");
		$control =~ s/^default_version.*/default_version = '$version'/m;
		unlink "$extension/discovery.control";
		PostgreSQL::Test::Utils::append_to_file("$extension/discovery.control", $control);
	});
}

# Runs a script of this folder in a database: script($node, 'app', 'rows', …); a name that begins with @ is the role
# that runs the rest.
sub script
{
	my ($node, $database, @names) = @_;
	my $role = '';
	foreach my $name (@names)
	{
		if ($name =~ /^@(.*)/) { $role = "SET ROLE $1;"; next; }
		$node->safe_psql($database, "$role\n" . PostgreSQL::Test::Utils::slurp_file("$here/$name.sql"));
	}
}

# Runs a command with the connection of the server in its environment; returns its exit code, output and errors.
sub try
{
	my ($node, @command) = @_;
	local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $node->port, LC_ALL => 'C.UTF-8');
	$ENV{PGUSER} = shift(@{ $command[0] }) if ref $command[0];
	shift @command if ref $command[0];
	my ($out, $err) = ('', '');
	IPC::Run::run(\@command, '<', \undef, '>', \$out, '2>', \$err);
	return ($? >> 8, $out, $err);
}

# The same, and it must go well and say nothing but what `allowed` matches.
sub try_ok
{
	my ($node, $name, $allowed, @command) = @_;
	my ($status, $out, $err) = try($node, @command);
	$err =~ s/^.*(?:$allowed).*\n(?:(?:DETAIL|HINT|CONTEXT).*\n)*//mg if $allowed;
	is("$status $err", '0 ', $name);
	return $out;
}

# What the store of one database has otherwise than that of another, without the two lines that name them.
sub differences
{
	my ($one, $two, @options) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ "$here/../../tools/compare-stores", @options, $one, $two ], '<', \undef, '>', \$out, '2>', \$err);
	$out =~ s/\A--- .*\n\+\+\+ .*\n//;
	return $err eq '' ? $out : "error: $err";
}

# same_stores($node, 'a', 'b', 'name of the test', options of compare-stores)
sub same_stores
{
	my ($node, $one, $two, $name, @options) = @_;
	my @lines = split /\n/, differences($node->connstr($one), $node->connstr($two), @options);
	splice @lines, 20, scalar @lines, '…' if @lines > 20;
	return is(join("\n", map { substr $_, 0, 300 } @lines), '', $name);
}

# Runs SQL that may fail; returns psql's exit code, output and errors.
sub try_psql
{
	my ($node, $database, $sql, @options) = @_;
	my ($out, $err) = ('', '');
	my $status = $node->psql($database, $sql, stdout => \$out, stderr => \$err, @options);
	return ($status, $out, $err);
}

# Starts a server whose postmaster is gone: its orphans hold its memory until they notice.
sub start_again
{
	my ($node) = @_;
	foreach (1 .. 100)
	{
		last if $node->start(fail_ok => 1);
		$node->stop('fast', fail_ok => 1);
		select undef, undef, undef, 0.1;
	}
	return;
}

# Crashes the server and waits until it is up again: kills a backend of it, or the postmaster, or stops it at once.
# `client` ends before that: a server that is started inherits the pipe to its input, so it would never see its end.
sub crash
{
	my ($node, $how, $pid, $client) = @_;
	my $log = -s $node->logfile;
	if ($how eq 'backend')
	{
		kill 'KILL', $pid;
		eval { $client->finish } if $client;
		# The postmaster takes a moment to notice.
		$node->wait_for_log(qr/all server processes terminated; reinitializing/, $log);
	}
	else
	{
		if ($how eq 'postmaster') { $node->kill9; }
		else { $node->stop('immediate'); }
		eval { $client->finish } if $client;
		start_again($node);
	}
	# A query that is answered, not a ping: while it recovers the server may answer that one. A psql that ends before it
	# has read its input would be a broken pipe here, so it gets none.
	foreach (1 .. 1800)
	{
		return if (try($node, 'psql', '-XAtq', '-c', 'SELECT true', 'postgres'))[0] == 0;
		select undef, undef, undef, 0.1;
	}
	die 'the server did not come back';
}

sub value { my ($node, $database, $sql) = @_; return $node->safe_psql($database, $sql); }

1;
