# Each alteration of lib/alterations.txt: what discovery_autogenerate() makes of it brings a fresh store to the same
# dump, and back, and up again; what cannot be brought along is said. And the statements of discovery_check() repair the
# altered store.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Utils;
use Stores;
use Test::More;

my $node = new_server('main');
my $dir = $PostgreSQL::Test::Utils::tmp_check;
$node->safe_psql('postgres', 'CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION discovery');

# The dump of the schema, without what differs from run to run.
sub dump_of
{
	my ($database) = @_;
	system('pg_dump', '-s', '-O', '-x', '-f', "$dir/dump.sql", $node->connstr($database)) == 0 or die;
	return slurp_file("$dir/dump.sql") =~ s/^(--.*|\\(un)?restrict.*)?\n//mgr;
}
# Runs statements as a script; returns the error.
sub error_of
{
	my ($database, @statements) = @_;
	open(my $file, '>', "$dir/script.sql") or die;
	foreach my $statement (@statements)
	{
		print $file $statement =~ s/\@store\@/public/gr =~ s/\@functions\@/public/gr, ";\n";
	}
	close $file;
	my ($status, $out, $error) = $node->psql($database, "\\i $dir/script.sql", on_error_stop => 1);
	return $error =~ /ERROR/ ? $error : '';
}
# Rows of text columns, of which any may have newlines.
sub rows
{
	my ($database, $sql, $columns) = @_;
	my $out = $node->safe_psql($database, "SET client_min_messages = warning; $sql",
		extra_params => [ '-F', "\x1f", '-R', "\x1e" ]);
	return map { [ split /\x1f/, $_, $columns ] } split /\x1e/, $out;
}

my $before = dump_of('fresh');
foreach my $line (split /\n/, slurp_file("$FindBin::RealBin/lib/alterations.txt"))
{
	next if $line =~ /^#/;
	my ($kind, $name, $alteration) = $line =~ /^([!~]?|18!)(\w+)\|(.*)$/ or die $line;
	$kind = $node->pg_version >= 18 ? '!' : '' if $kind eq '18!';
	$node->safe_psql('postgres', "CREATE DATABASE $_ TEMPLATE fresh") foreach "${name}_a", "${name}_b";
	my ($altered, $made) = ("${name}_a", "${name}_b");
	$node->safe_psql($altered, $alteration);
	my @rows = rows($altered, "SELECT direction, coalesce(statement, ''), coalesce(comment, '')
		FROM discovery_autogenerate()", 3);
	my @up = map { $_->[1] } grep { $_->[0] eq 'up' && $_->[1] ne '' } @rows;
	my @down = map { $_->[1] } grep { $_->[0] eq 'down' && $_->[1] ne '' } @rows;
	my @notes = map { $_->[2] } grep { $_->[1] eq '' } @rows;
	my $error = error_of($made, @up);
	my $is_made = $error eq '' && dump_of($altered) eq dump_of($made);
	if ($kind eq '!')
	{
		ok(!$is_made && @notes > 0, "$name: what is not brought along is said") or diag($error, explain \@rows);
	}
	else
	{
		is($error, '', "$name: up runs") or diag(explain \@rows);
		is(dump_of($made), dump_of($altered), "$name: up makes the same") if $kind eq '';
	}
	if ($error eq '')
	{
		is(error_of($made, @down), '', "$name: down runs") or diag(explain \@down);
		my $dumped = dump_of($made);
		# Where the order of columns cannot come back, a note says so.
		if (grep { /order of the columns/ } @notes)
		{
			($dumped, my $sorted) = map { join "\n", sort map { s/,$//r } split /\n/ } $dumped, $before;
			is($dumped, $sorted, "$name: down brings the store back, but for the order of columns");
		}
		else
		{
			is($dumped, $before, "$name: down brings the store back");
		}
		is(error_of($made, @up), '', "$name: up runs again");
	}
	foreach my $row (rows($altered, "SELECT object, coalesce(fix, '') FROM discovery_check() WHERE kind <> 'extra'", 2))
	{
		my $failed = $row->[1] eq '' ? '' : error_of($altered, $row->[1]);
		is($failed, '', "$name: $row->[0] is repaired") if $failed ne '';
	}
	is($node->safe_psql($altered, "SELECT string_agg(kind || ' ' || object, ', ') FROM discovery_check()
			WHERE kind <> 'extra'"),
		'', "$name: discovery_check() repairs it");
	$node->safe_psql('postgres', "DROP DATABASE $_") foreach $altered, $made;
}

# Beside a DROP that commits while the shape is read, it is read again.
my $dropping = $node->background_psql('fresh') if $node->can('background_psql');
SKIP:
{
	skip 'no background_psql in this PostgreSQL', 3 unless $dropping;
	foreach my $function ('discovery_check', 'discovery_shape', 'discovery_autogenerate')
	{
		$dropping->query_safe('BEGIN; DROP VIEW deleted_sources;');
		my ($out, $error) = ('', '');
		my $reader = IPC::Run::start(
			[ 'psql', '-XAtq', '-d', $node->connstr('fresh'), '-c', "SELECT count(*) > 0 FROM $function()" ],
			'>', \$out, '2>', \$error);
		$node->poll_query_until('postgres', "SELECT count(*) > 0 FROM pg_stat_activity
			WHERE wait_event_type = 'Lock' AND query LIKE '%$function%'");
		$dropping->query_safe('COMMIT; CREATE VIEW deleted_sources AS SELECT 1 AS x;');
		$reader->finish;
		is("$out$error", "t\n", "$function() beside a DROP");
	}
	$dropping->quit;
}
done_testing();
