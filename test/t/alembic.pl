# A database that Alembic made becomes a store in place: its tables keep their OIDs and rows, alembic_version stays, and
# the application's own statements work before, while the store is still at 1.0, and after the upgrade; in any schema.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Alembic;
use PostgreSQL::Test::Utils;
use Stores;
use Test::More;

need_alembic();
my $node = new_server('main');
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN');
my $counts = 'SELECT name, source_count, actual_count FROM check_source_counts()';
my $status = 'SELECT schema, store_version, state FROM discovery_status() WHERE store_version IS NOT NULL';

# What the application prints in a round, but for its number.
sub application
{
	my ($url, $round) = @_;
	my ($code, $out, $err) = python($node, 'application.py', $url, $round);
	is($code, 0, "round $round of the application: $err");
	return $out =~ s/$round/N/gr;
}

# The owner or the superuser creates the extension, in the schema of the tables, or elsewhere, where a function makes
# the store.
my @ways = (
	[ 'by the owner', 'public', 'SET ROLE app; CREATE EXTENSION discovery', 'public' ],
	[ 'by the superuser', 'public', 'CREATE EXTENSION discovery', 'public' ],
	[ 'in another schema', 'app', 'SET ROLE app; CREATE EXTENSION discovery SCHEMA app', 'app' ],
	[ 'in another schema than the extension', 'app',
		'SET ROLE app; SET discovery.create_store = off; CREATE EXTENSION discovery SCHEMA public; '
		. 'SELECT discovery_create_store($$app$$)', 'public' ]);
my $number = 0;
foreach my $way (@ways)
{
	my ($name, $schema, $create, $functions) = @$way;
	my $database = 'app' . ++$number;
	my $url = url_of($node, $database, 'app');
	$node->safe_psql('postgres', "CREATE DATABASE $database OWNER app");
	$node->safe_psql($database,
		"CREATE SCHEMA app AUTHORIZATION app; ALTER DATABASE $database SET search_path = app, public")
		if $schema eq 'app';
	alembic_ok($node, $url, $schema, $name, 'upgrade', '913390ba554c');
	my $seen = application($url, 9001);
	like($seen, qr/^refused again has the content of Seite$/m, "$name: the application sees what it should");
	# What its race leaves: two live sources of one content, a wrong count.
	$node->safe_psql($database, "INSERT INTO $schema.sources (id, notebook_id, name, source_type, content_hash, created_at)
		SELECT gen_random_uuid(), notebook_id, 'duplicate', 'text', content_hash, now() + interval '1 day'
			FROM $schema.sources WHERE name = 'Notiz 2';
		UPDATE $schema.notebooks SET source_count = 77");

	# The tables by their OIDs and files, and all rows.
	my $tables = "SELECT relname, oid, relfilenode, (SELECT md5(string_agg(md5(t), '' ORDER BY t)) FROM (
			SELECT n::text FROM $schema.notebooks n UNION ALL SELECT s::text FROM $schema.sources s
			UNION ALL SELECT 'alembic ' || version_num FROM $schema.alembic_version) AS t (t))
		FROM pg_class WHERE relnamespace = '$schema'::regnamespace
			AND relname IN ('notebooks', 'sources', 'alembic_version') ORDER BY 1";
	my $before = value($node, $database, $tables);
	my ($code, $out, $err) = try_psql($node, $database, $create);
	is($code, 0, "$name: adopted: $err");
	is(value($node, $database, $tables), $before, "$name: tables and rows are what they were");
	is(value($node, $database, $status), "$schema|1.0|behind", "$name: status");
	is(value($node, $database,
		"SELECT version, previous_version, direction, description, applied_by FROM $schema.discovery_migrations"),
		'1.0||adopt|tables of Alembic revision 913390ba554c|' . ($create =~ /SET ROLE/ ? 'app' : 'postgres'),
		"$name: history") if $create !~ /SET ROLE/;
	is(value($node, $database, "SELECT version, direction, description FROM $schema.discovery_migrations"),
		'1.0|adopt|tables of Alembic revision 913390ba554c', "$name: the record tells the revision");
	is(value($node, $database, "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = '$schema'"), 'app',
		"$name: all is the owner's");
	is(value($node, $database, "SELECT object FROM $functions.discovery_check('$schema') WHERE kind <> 'extra'"), '',
		"$name: as 1.0 should be");
	is(application($url, 9002), $seen, "$name: the application sees the same on the adopted store");

	my $next = value($node, $database, 'SELECT next_step FROM discovery_status() WHERE store_version IS NOT NULL')
		=~ s/^.*?: //r;
	($code, $out, $err) = try_psql($node, $database, "SET ROLE app; $next");
	is($code, 0, "$name: upgraded by $next");
	like($err, qr/^\S+ WARNING:  duplicate sources were soft-deleted: 1$/m, "$name: and says what it found");
	is(value($node, $database, $status), "$schema|$newest|current", "$name: status");
	is(value($node, $database, "SELECT relname, oid FROM pg_class
			WHERE oid IN ('$schema.notebooks'::regclass, '$schema.sources'::regclass) ORDER BY 1"),
		join("\n", map { /^((?:notebooks|sources)\|\d+)/ } split /\n/, $before), "$name: the tables are the same ones");
	is(value($node, $database, $counts), '', "$name: counts are right");
	is(application($url, 9003), $seen, "$name: the application sees the same on the upgraded store");
	is(value($node, $database, $counts), '', "$name: and the counts stay right");

	# Alembic finds its database as it was.
	like(alembic_ok($node, $url, $schema, $name, 'current'), qr/^913390ba554c$/m, "$name: alembic current");
	alembic_ok($node, $url, $schema, $name, 'upgrade', '913390ba554c');
	is(value($node, $database, $status), "$schema|$newest|current", "$name: nor did it anything");
	# A way back, while there is nothing to lose but the log.
	($code, $out, $err) = try_psql($node, $database,
		($create =~ s{CREATE EXTENSION.*}{}sr)
		. "SET discovery.allow_data_loss = on; SELECT $functions.discovery_downgrade('1.0', '$schema')");
	is($code, 0, "$name: and down again: $err");
	is(application($url, 9004), $seen, "$name: the application sees the same on it");
}

done_testing();
