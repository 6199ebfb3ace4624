# A server with the SQL-only edition: in the database "managed", made by the role "keeper", who owns it and is no
# superuser. "admin" is one, "evil" has a schema of its own, "clerk" and "stranger" may read the store.
package Managed;
use strict;
use warnings;
use Exporter 'import';
use PostgreSQL::Test::Utils;
use Stores;
use Test::More;

our @EXPORT = qw(as fails installing managed_server);
my $top = "$FindBin::RealBin/../..";

sub managed_server
{
	my $node = new_server('main');
	system("$top/test/tools/installer >/dev/null") == 0 or die "no installer";
	$node->safe_psql('postgres', 'CREATE ROLE keeper LOGIN; CREATE ROLE admin LOGIN SUPERUSER; CREATE ROLE evil LOGIN;
		CREATE ROLE clerk LOGIN; CREATE ROLE stranger LOGIN; CREATE DATABASE managed OWNER keeper');
	try_ok($node, 'the edition is installed', '', installing('public', 'managed'));
	$node->safe_psql('managed', 'CREATE SCHEMA evil AUTHORIZATION evil; GRANT USAGE ON SCHEMA evil TO PUBLIC;
		GRANT SELECT ON notebooks, sources, outputs TO clerk, stranger');
	return $node;
}

# The command that installs it, for try()
sub installing
{
	my ($schema, $database) = @_;
	my ($file) = glob "$top/dist/discovery-*.*.[0-9].sql";
	return ([ 'keeper' ], 'psql', '-Xq', '-1', '-o', '/dev/null', '-v', "schema=$schema", '-f', $file, $database);
}

# Runs SQL as a role that has logged in; returns psql's exit code, output and errors.
sub as
{
	my ($node, $role, $sql) = @_;
	local $ENV{PGUSER} = $role;
	return try_psql($node, 'managed', "\\set SHOW_CONTEXT never\n$sql");
}

# It must fail so.
sub fails
{
	my ($node, $role, $sql, $expected, $name) = @_;
	my ($code, $out, $err) = as($node, $role, $sql);
	like($err, $expected, $name) or diag "$code: $out";
}

1;
