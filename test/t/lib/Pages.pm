# Runs what the pages of docs/ show, and compares what comes out with what they say. In a page:
#   ```sql      statements for psql, in the database discovery_db as its owner discovery_user; after the word,
#               user=… and database=… choose another session, if=EXTENSION leaves the block out where the server
#               has no such extension, missing=1 shows what a server says that has no extension or library `discovery`
#   ```output   right after it: all that psql printed. Without one, nothing may fail or warn
#   ```console  shell commands after "$ ", with what they print; port=… makes the server's port, 5432 in the page, that
# A block within <!-- --> is run and not shown. Ids, times, folders, the width of columns, and which version above 1.0
# is the newest are not compared. With DISCOVERY_WRITE_DOCS=1 the page is written with what came out instead.
package Pages;
use strict;
use warnings;
use Exporter 'import';
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(documentation_server fresh_database run_page blocks_of);
my ($node, %sessions, @exports);
my $marker = 'end of the block';

# The server that the pages speak of: TCP with passwords; whoever reaches the socket is trusted.
sub documentation_server
{
	$node = PostgreSQL::Test::Cluster->new('main');
	$node->init(extra => [ '--locale=C.UTF-8', '--encoding=UTF8' ]);
	$node->append_conf('postgresql.conf', "listen_addresses = '127.0.0.1'\nfsync = off\ntimezone = UTC\n");
	chomp(my $library = `pg_config --pkglibdir`);
	$node->append_conf('postgresql.conf', "shared_preload_libraries = pg_cron\ncron.database_name = discovery_db\n")
	  if -e "$library/pg_cron.so";
	open(my $hba, '>', $node->data_dir . '/pg_hba.conf') or die;
	print $hba "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
	close $hba;
	$node->start;
	return $node;
}

# An empty discovery_db of discovery_user, and no session.
sub fresh_database
{
	$_->{in} = "\\q\n", $_->{handle}->finish foreach values %sessions;
	%sessions = ();
	$node->safe_psql('postgres', 'DROP DATABASE IF EXISTS discovery_db WITH (FORCE)');
	$node->safe_psql('postgres', 'DROP ROLE IF EXISTS discovery_user');
	$node->safe_psql('postgres', "CREATE ROLE discovery_user LOGIN PASSWORD 'discovery_pass'");
	$node->safe_psql('postgres', 'CREATE DATABASE discovery_db OWNER discovery_user');
	return;
}

sub slurp
{
	open(my $file, '<:raw', $_[0]) or die "$_[0]: $!";
	local $/;
	return <$file>;
}

# The fenced blocks of a page in their order: kind, options, text, and where the text stands.
sub blocks_of
{
	my ($page) = @_;
	my @blocks;
	while ($page =~ /^```(\w+)([^\n]*)\n(.*?)^```$/msg)
	{
		my ($kind, $options, $text) = ($1, $2, $3);
		my %block = (kind => $kind, text => $text, start => $-[3], line => 1 + (substr($page, 0, $-[0]) =~ tr/\n//));
		$block{$1} = $2 while $options =~ /(\w+)=(\S+)/g;
		push @blocks, \%block;
	}
	return @blocks;
}

sub session
{
	my ($user, $database) = @_;
	return $sessions{"$user $database"} //= do
	{
		my $session = { in => '', out => '' };
		local %ENV = (%ENV, PGTZ => 'UTC', PAGER => '', PGAPPNAME => 'psql');
		$session->{handle} = IPC::Run::start([ 'psql', '-X', '-h', $node->host, '-p', $node->port, '-U', $user, $database ],
			'<', \$session->{in}, '>', \$session->{out}, '2>&1', IPC::Run::timer(120));
		$session;
	};
}

# psql flushes what it printed before it prints an error, so both come in their order.
sub run_sql
{
	my ($block) = @_;
	my $session = session($block->{user} // 'discovery_user', $block->{database} // 'discovery_db');
	my $text = $block->{text};
	$text =~ s/discovery/discovery_none/g if $block->{missing};
	$session->{out} = '';
	$session->{in} .= "$text\n\\echo $marker\n";
	$session->{handle}->pump until $session->{out} =~ s/^$marker\n\z//m || !$session->{handle}->pumpable;
	return $block->{missing} ? $session->{out} =~ s/discovery_none/discovery/gr : $session->{out};
}

# The commands of a console block, run one by one; what they export holds for those after them.
sub run_console
{
	my ($block) = @_;
	my ($port, $transcript) = ($block->{port} // $node->port, '');
	while ($block->{text} =~ /^\$ ((?:.*\\\n)*.*)\n/mg)
	{
		my $command = $1;
		$transcript .= "\$ $command\n";
		push @exports, $command if $command =~ /^export /;
		my $script = join("\n", @exports, $command);
		$script =~ s/\b5432\b/$port/g;
		my $out = '';
		local %ENV = (%ENV, PGHOST => $node->host, PGPORT => $port, PGUSER => 'discovery_user', PGDATABASE => 'discovery_db',
			PGTZ => 'UTC', PAGER => '', LC_ALL => 'C.UTF-8');
		IPC::Run::run([ 'bash', '-c', $script ], '<', \undef, '>', \$out, '2>&1', IPC::Run::timer(120));
		$transcript .= $out =~ s/\b$port\b/5432/gr;
	}
	return $transcript;
}

# What differs from run to run, from machine to machine.
sub normalized
{
	my ($text) = @_;
	$text =~ s/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/ID/g;
	$text =~ s/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?(?:\+00)?/TIME/g;
	$text =~ s/\b\d\d:\d\d:\d\d(?:\.\d+)?\b/DURATION/g;
	$text =~ s/\b1\.[1-9]\d*\b/NEWEST/g;
	# What 18 says and its forerunners do not, or the other way round.
	$text =~ s/^DETAIL:  Could not open extension control file .*\n//mg;
	$text =~ s/^( *)List of (?:tables|views|indexes)$/$1List of relations/mg;
	$text =~ s/^CONTEXT:  SQL statement .*\nextension script file .*\n(SQL statement )?/$1 ? "CONTEXT:  $1" : ''/mge;
	$text =~ s{"/[^"]*/(discovery\.(?:so|control))"}{"/$1"}g;
	$text =~ s{on socket "[^"]*/}{on socket "/}g;
	# localhost may be ::1 too
	$text =~ s/connection to server at "localhost" \(::1\).*\n\tIs the server.*\n//g;
	$text =~ s/^(psql: error: )?connection to server at "localhost"/connection to server at "localhost"/mg;
	$text =~ s/^[-+]{3,}$/---/mg;
	$text =~ s/^-\[ RECORD (\d+) \][-+]*$/-[ RECORD $1 ]/mg;
	$text =~ s/[ \t]+/ /g;
	$text =~ s/ $//mg;
	$text =~ s/\n+\z/\n/;
	return $text;
}

sub available
{
	my ($extension) = @_;
	return $node->safe_psql('postgres', "SELECT count(*) FROM pg_available_extensions WHERE name = '$extension'");
}

# Runs a page from its beginning to its end, one case a block that has output; returns how many blocks it ran.
sub run_page
{
	my ($path) = @_;
	my $page = slurp($path);
	my ($name) = $path =~ m{([^/]+)$};
	my @blocks = blocks_of($page);
	my ($ran, @changes) = (0);
	@exports = ();
	fresh_database();
	while (my $block = shift @blocks)
	{
		if ($block->{if} && !available($block->{if}))
		{
			shift @blocks if @blocks && $blocks[0]{kind} eq 'output';
			next;
		}
		my $case = "$name:$block->{line}";
		if ($block->{kind} eq 'sql')
		{
			my $output = @blocks && $blocks[0]{kind} eq 'output' ? shift @blocks : undef;
			my $printed = run_sql($block);
			if ($output) { push @changes, [ $case, $output, $printed ]; }
			else { unlike($printed, qr/^(?:ERROR|WARNING|FATAL|\\|invalid command|psql|server closed)/m, "$case: goes well"); }
			$ran++;
		}
		elsif ($block->{kind} eq 'console')
		{
			push @changes, [ $case, $block, run_console($block) ];
			$ran++;
		}
		elsif ($block->{kind} eq 'output') { fail("$case: output of nothing"); }
	}
	if ($ENV{DISCOVERY_WRITE_DOCS})
	{
		# psql ends a table with an empty line, which a page does not need.
		substr($page, $_->[1]{start}, length $_->[1]{text}) = $_->[2] =~ s/\n+\z/\n/r =~ s/[ \t]+$//mgr
		  =~ s{"/[^"]*?(/usr/(?:share|lib)/postgresql/)}{"$1}gr foreach reverse @changes;
		open(my $file, '>:raw', $path) or die "$path: $!";
		print $file $page;
		close $file;
	}
	is(normalized($_->[2]), normalized($_->[1]{text}), "$_->[0]: as the page says") foreach @changes;
	return $ran;
}

1;
