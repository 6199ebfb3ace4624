# Tests of databases that Alembic made share this: a python3 that has it, and its commands on the chain of revisions in
# lib/alembic, which has the ids and the DDL of the application's.
package Alembic;
use strict;
use warnings;
use Exporter 'import';
use Stores;
use Test::More;

our @EXPORT = qw(need_alembic python url_of alembic_ok);

my $lib = "$FindBin::RealBin/lib";
my $python;

# Skips the whole test where there is none. Debian's python3, for which it packages these, comes first: a python3 of
# somebody's own may come before it in PATH.
sub need_alembic
{
	$python = (grep { system("$_ -c 'import alembic, sqlalchemy, psycopg2' 2>/dev/null") == 0 }
		'/usr/bin/python3', 'python3')[0]
	  or plan skip_all =>
	  'needs python3 with alembic, sqlalchemy and psycopg2 (Debian: python3-alembic, python3-psycopg2)';
	$ENV{PYTHONDONTWRITEBYTECODE} = 1;
	return;
}

# The database as SQLAlchemy names it
sub url_of
{
	my ($node, $database, $role) = @_;
	return "postgresql+psycopg2://$role\@/$database?host=" . $node->host . '&port=' . $node->port;
}

# Runs a program of this folder; returns its exit code, output and errors.
sub python
{
	my ($node, $program, @arguments) = @_;
	return try($node, $python, '-W', 'ignore', "$lib/$program", @arguments);
}

# alembic_ok($node, $url, 'schema', 'name of the test', 'upgrade', 'head'): returns the output
sub alembic_ok
{
	my ($node, $url, $schema, $name, @command) = @_;
	my ($code, $out, $err) = try($node, $python, '-m', 'alembic', '-c', "$lib/alembic/alembic.ini", '-x', "url=$url",
		'-x', "schema=$schema", @command);
	is($code, 0, "$name: alembic @command: $err");
	return $out;
}

1;
