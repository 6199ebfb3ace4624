# The rows are never the extension's: DROP EXTENSION is refused while the store uses its functions, DROP … CASCADE
# takes the functions and leaves the tables, and CREATE EXTENSION takes the store over again as it was, with right
# counts.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Utils;
use Stores;
use Test::More;

my $node = new_server('main');
$node->safe_psql('postgres', 'CREATE ROLE keeper LOGIN; CREATE ROLE reader');
my $counts = 'SELECT name, source_count, actual_count FROM check_source_counts()
	UNION ALL SELECT name, output_count, actual_count FROM check_output_counts()';
my $status = 'SELECT schema, store_version, extension_version, state FROM discovery_status()';

# A fresh database `now`, as the SQL makes it, and its copy `before`.
sub prepare
{
	my ($sql, @scripts) = @_;
	$node->safe_psql('postgres', "DROP DATABASE IF EXISTS $_") foreach 'now', 'before';
	$node->safe_psql('postgres', 'CREATE DATABASE now OWNER keeper');
	$node->safe_psql('now', $sql);
	script($node, 'now', @scripts) if @scripts;
	$node->safe_psql('postgres', 'CREATE DATABASE before TEMPLATE now OWNER keeper');
}
sub run_ok
{
	my ($name, $sql) = @_;
	my ($code, $out, $err) = try_psql($node, 'now', $sql);
	is($code, 0, "$name: $err");
	return $err;
}

foreach my $user ('keeper', 'postgres')
{
	my $as = "SET ROLE $user;";
	prepare('SET ROLE keeper; CREATE EXTENSION discovery', '@keeper', 'rows', 'deletions', 'additions');
	my $rows = differences($node->connstr('before'), $node->connstr('now'));
	is($rows, '', "$user: a store");

	my ($code, $out, $err) = try_psql($node, 'now', "$as DROP EXTENSION discovery");
	isnt($code, 0, "$user: DROP EXTENSION is refused");
	my $depends = qr/default value for column id of table notebooks depends on function uuid_v7/;
	like($err, qr/ERROR:  cannot drop extension discovery because other objects depend on it\nDETAIL:.*$depends/s,
		'and says what depends on it');
	unlike($err, qr/^table /m, 'no table depends on it as a whole');
	same_stores($node, 'before', 'now', "$user: and nothing is changed");

	$err = run_ok("$user: with CASCADE", "$as SET client_min_messages = notice; DROP EXTENSION discovery CASCADE");
	unlike($err, qr/drop cascades to (?:table|view|column|index)/, "$user: no table or view goes with it");
	my @lost = map { s/^([-+]\S+ [^:(]+).*/$1/r } split /\n/,
		differences($node->connstr('before'), $node->connstr('now'),
			'--except', 'extension,function,member,owner,privileges,comment');
	is_deeply([ sort @lost ], [ sort(
		(map { ("-column public.$_.id", "+column public.$_.id") } qw(notebooks outputs sources)),
		(map { "-trigger public.notebooks.discovery_$_" } qw(row trash update)),
		(map { "-trigger public.outputs.discovery_$_" } qw(insert row statement trash truncate update)),
		map { "-trigger public.sources.discovery_$_" } qw(file_update insert row statement trash truncate update)) ],
		"$user: what the store lost");

	run_ok("$user: and back", "$as CREATE EXTENSION discovery");
	is(differences($node->connstr('before'), $node->connstr('now')),
		$user eq 'keeper' ? '' : "-owner discovery: keeper\n+owner discovery: postgres\n",
		"$user: all is as before, history too");
	is(value($node, 'now', $status), "public|$newest|$newest|current", "$user: status");
	is(value($node, 'now', "SELECT object FROM discovery_check() WHERE kind <> 'extra'"), '', "$user: check");
}

# Rows are changed while the extension is away, as an application would: what it writes stays, the counts become right.
prepare('SET ROLE keeper; CREATE EXTENSION discovery', '@keeper', 'rows', 'deletions', 'additions');
run_ok('the extension is away', 'SET ROLE keeper; SET client_min_messages = error; DROP EXTENSION discovery CASCADE');
run_ok('rows change', "SET ROLE keeper;
	INSERT INTO sources (id, notebook_id, name, source_type, content_hash)
		SELECT gen_random_uuid(), id, 'meanwhile', 'text', 'abc' FROM notebooks;
	INSERT INTO outputs (id, notebook_id, title) SELECT gen_random_uuid(), id, 'meanwhile' FROM notebooks;
	UPDATE sources SET deleted_at = '2031-01-01' WHERE id = '00000000-0000-4000-9000-000000000106';
	UPDATE sources SET deleted_at = NULL WHERE id = '00000000-0000-4000-9000-000000000102';
	DELETE FROM sources WHERE id = '00000000-0000-4000-9000-000000000302';
	UPDATE notebooks SET source_count = 99 WHERE name LIKE '%4 %';
	INSERT INTO notebooks (id, name) VALUES ('00000000-0000-4000-8000-000000000009', 'neu');
	TRUNCATE discovery_deletions");
my $written = 'SELECT md5(string_agg(md5(s::text), NULL ORDER BY id)) FROM sources s';
my $notebooks = 'SELECT md5(string_agg(md5(row(id, name, description, tags, created_at, updated_at)::text), NULL
	ORDER BY id)) FROM notebooks';
my @before = map { value($node, 'now', $_) } $written, $notebooks;
run_ok('the extension is back', 'SET ROLE keeper; CREATE EXTENSION discovery');
is(value($node, 'now', $counts), '', 'right counts');
is(value($node, 'now',
	'SELECT name, source_count FROM notebooks WHERE name IN ($$neu$$) OR name LIKE $$%4 %$$ ORDER BY 2') =~ s/.*\|//mgr,
	"0\n2", 'also of those that were written by hand');
is_deeply([ map { value($node, 'now', $_) } $written, $notebooks ], \@before, 'what was written stays as it was');
is(value($node, 'now', $status), "public|$newest|$newest|current", 'status');
run_ok('a source that came back meanwhile belongs to no deletion',
	"SET ROLE keeper; UPDATE sources SET name = name || '!' WHERE id = '00000000-0000-4000-9000-000000000102'");
is(value($node, 'now', "SELECT deletion_id FROM sources WHERE id = '00000000-0000-4000-9000-000000000102'"), '',
	'indeed');
run_ok('and the store works', "SET ROLE keeper; SELECT delete_source(id) FROM sources WHERE name = 'meanwhile'");
is(value($node, 'now', "$counts"), '', 'right counts after it');

# The extension in public, the store elsewhere: DROP SCHEMA public CASCADE takes the extension away under it.
my $elsewhere = 'SET discovery.create_store = off; CREATE EXTENSION discovery;
	CREATE SCHEMA "Mein Lager" AUTHORIZATION keeper; SET ROLE keeper; SELECT discovery_create_store($$Mein Lager$$)';
my $fill = "SET ROLE keeper; SET search_path = \"Mein Lager\", public;" . join '',
	map { slurp_file("$FindBin::RealBin/lib/$_.sql") } 'rows', 'deletions', 'additions';
foreach my $where ('public', '"Mein Lager"')
{
	prepare("$elsewhere; $fill");
	run_ok("$where: DROP SCHEMA", 'SET client_min_messages = error; DROP SCHEMA public CASCADE;
		CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO public');
	is(value($node, 'now', 'SELECT count(*) FROM "Mein Lager".sources'),
		value($node, 'before', 'SELECT count(*) FROM "Mein Lager".sources'), "$where: the rows are there");
	run_ok("$where: and back",
		"SET ROLE keeper; SET discovery.create_store = on; CREATE EXTENSION discovery SCHEMA $where")
		if $where ne 'public';
	if ($where eq 'public')
	{
		run_ok('public: and back', "SET discovery.create_store = off; CREATE EXTENSION discovery");
		is(value($node, 'now', $status), "public||$newest|missing\nMein Lager|$newest|$newest|detached",
			'status says that it was detached');
		like(value($node, 'now', 'SELECT next_step FROM discovery_status() WHERE state = $$detached$$'),
			qr/: SELECT public\.discovery_create_store\('Mein Lager'\)$/, 'and what to do');
		my ($code, $out, $err) = try_psql($node, 'now', 'SET ROLE reader; SELECT discovery_create_store($$Mein Lager$$)');
		like($err, qr/must be owner of the tables in schema "Mein Lager"/, 'which only the owner may');
		run_ok('by the owner', 'SET ROLE keeper; SELECT discovery_create_store($$Mein Lager$$)');
		same_stores($node, 'before', 'now', "$where: all is as before", '--schema', 'Mein Lager');
	}
	else
	{
		# Functions are in another schema now, and so the defaults and triggers differ in its name.
		same_stores($node, 'before', 'now', "$where: all else is as before", '--schema', 'Mein Lager',
			'--except', 'extension,function,comment,member,owner,privileges,column,trigger');
		is(value($node, 'now', "SELECT object FROM $where.discovery_check('Mein Lager') WHERE kind <> 'extra'"), '',
			"$where: nothing is missing");
	}
	is(value($node, 'now', "SET search_path = \"Mein Lager\", public; $counts"), '', "$where: right counts");
	is(value($node, 'now', "SELECT state FROM $where.discovery_status() WHERE store_version IS NOT NULL"), 'current',
		"$where: status");
	run_ok("$where: and it works",
		"SET ROLE keeper; SET search_path = \"Mein Lager\", public; SELECT delete_source(id) FROM live_sources");
	is(value($node, 'now', 'SELECT sum(source_count) FROM "Mein Lager".notebooks'), '0', "$where: counts move");
}

# No object of 1.0 uses the extension. Whether a newer extension comes back or the same, the store stays what it was.
foreach my $version ('1.0', undef)
{
	prepare("SET ROLE keeper; CREATE EXTENSION discovery VERSION '1.0'", '@keeper', 'rows');
	my $name = 'store 1.0, back at ' . ($version // 'newest');
	run_ok("$name: DROP EXTENSION", 'SET ROLE keeper; DROP EXTENSION discovery');
	is(value($node, 'now', 'SELECT count(*) FROM sources'), '36', "$name: the rows are there");
	run_ok("$name: CREATE EXTENSION",
		'SET ROLE keeper; CREATE EXTENSION discovery' . ($version ? " VERSION '$version'" : ''));
	same_stores($node, 'before', 'now', "$name: the same store",
		$version ? () : ('--except', 'extension,function,member,owner,privileges,comment'));
	is(value($node, 'now', $status), $version ? 'public|1.0|1.0|current' : "public|1.0|$newest|behind", "$name: status");
}
# An older extension comes back: the store is ahead of it, and repaired when the extension is brought up.
prepare('SET ROLE keeper; CREATE EXTENSION discovery', '@keeper', 'rows', 'deletions');
run_ok('away', 'SET ROLE keeper; SET client_min_messages = error; DROP EXTENSION discovery CASCADE');
run_ok('an older one is back', "SET ROLE keeper; CREATE EXTENSION discovery VERSION '1.0'");
is(value($node, 'now', $status), "public|$newest|1.0|ahead", 'status');
run_ok('and is brought up', 'SET ROLE keeper; ALTER EXTENSION discovery UPDATE');
same_stores($node, 'before', 'now', 'all is as before');

# A dump of what was detached has the tables alone; CREATE EXTENSION after its restore completes them.
prepare('SET ROLE keeper; CREATE EXTENSION discovery', '@keeper', 'rows', 'deletions', 'additions');
$node->safe_psql('now', 'SET client_min_messages = error; DROP EXTENSION discovery CASCADE');
$node->safe_psql('postgres', 'CREATE DATABASE restored OWNER keeper');
try_ok($node, 'a store without extension is dumped and restored', '', 'bash', '-c',
	'pg_dump now | psql -Xq -o /dev/null -v ON_ERROR_STOP=1 restored');
$node->safe_psql('restored', 'SET ROLE keeper; CREATE EXTENSION discovery');
same_stores($node, 'before', 'restored', 'and CREATE EXTENSION makes it whole');

done_testing();
