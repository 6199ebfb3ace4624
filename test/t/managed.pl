# The SQL-only edition on a server of somebody else's: what the owner of the database does to the tables around it, or
# sets, loses no row and no count, and an error changes nothing.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Managed;
use Stores;
use Test::More;

my $node = managed_server();
my $a = '00000000-0000-4000-8000-00000000000a';
my $b = '00000000-0000-4000-8000-00000000000b';
as($node, 'keeper', "INSERT INTO notebooks (id, name, created_by) VALUES ('$a', 'a', 'ann'), ('$b', 'b', 'bob');
	INSERT INTO sources (notebook_id, name, source_type, created_by)
		VALUES ('$a', 's', 'file', 'ann'), ('$b', 't', 'file', 'ann');
	INSERT INTO outputs (notebook_id, title, created_by) VALUES ('$a', 'o', 'ann'), ('$b', 'p', 'bob')");
# All that the store has, as a superuser sees it
my $state = q{SELECT format('%s', n) FROM notebooks AS n UNION ALL SELECT format('%s', s) FROM sources AS s
	UNION ALL SELECT format('%s', o) FROM outputs AS o UNION ALL SELECT format('%s', d) FROM discovery_deletions AS d
	UNION ALL SELECT format('%s', t) FROM discovery_trash AS t UNION ALL SELECT discovery_version() ORDER BY 1};
my $counts = q{SELECT id, source_count, actual_count FROM check_source_counts() AS c (id)
	UNION ALL SELECT id, output_count, actual_count FROM check_output_counts() AS c (id)};
# It must fail so, and change nothing.
sub refused
{
	my ($sql, $expected, $name) = @_;
	my $before = value($node, 'managed', $state);
	fails($node, 'keeper', $sql, $expected, $name);
	is(value($node, 'managed', $state), $before, "$name: nothing is changed");
}

#
# Row security that is forced upon the owner
#
foreach my $table (qw(outputs sources))
{
	$node->safe_psql('managed',
		"ALTER TABLE $table ENABLE ROW LEVEL SECURITY; ALTER TABLE $table FORCE ROW LEVEL SECURITY");
	my $hidden = qr/ERROR:  (?:.*\n)*.*query would be affected by row-level security policy for table "\w+"/;
	refused("SELECT discovery_downgrade('1.1')", $hidden, "a downgrade does not overlook $table") if $table eq 'outputs';
	refused('SELECT discovery_drop_store()', $hidden, "nor does discovery_drop_store()");
	refused("SELECT * FROM erase_data(created_by => 'ann')", $hidden, "nor does erase_data()");
	refused("SELECT * FROM erase_data(notebook_id => '$a')", $hidden, "nor does it for a notebook");
	$node->safe_psql('managed',
		"ALTER TABLE $table NO FORCE ROW LEVEL SECURITY; ALTER TABLE $table DISABLE ROW LEVEL SECURITY");
}
my ($code, undef, $err) = as($node, 'keeper', "CREATE SCHEMA older; SELECT discovery_create_store('older');
	SELECT discovery_downgrade('1.0', 'older');
	INSERT INTO older.notebooks (id, name, tags, created_at, updated_at, source_count)
		VALUES ('$a', 'a', '{}', now(), now(), 3);
	ALTER TABLE older.notebooks ENABLE ROW LEVEL SECURITY; ALTER TABLE older.notebooks FORCE ROW LEVEL SECURITY");
is("$code $err", '0 ', 'a store of version 1.0');
refused("SELECT discovery_upgrade('head', 'older')", qr/query would be affected by row-level security/,
	'an upgrade corrects all counts, or none');
is(value($node, 'managed', "SELECT discovery_version('older')"), '1.0', 'and the version stays');

#
# Counts that are written at the end of each statement
#
sub keys_with
{
	my ($what) = @_;
	as($node, 'keeper', "ALTER TABLE $_ DROP CONSTRAINT ${_}_notebook_id_fkey, ADD CONSTRAINT ${_}_notebook_id_fkey
		FOREIGN KEY (notebook_id) REFERENCES notebooks $what") foreach qw(sources outputs);
}
# A deferred foreign key: sources or outputs that a notebook leaves behind could not be counted for the next one.
keys_with('DEFERRABLE INITIALLY DEFERRED');
my $other = '00000000-0000-4000-8000-00000000000c';
refused("BEGIN; UPDATE notebooks SET id = '$other' WHERE id = '$a'; INSERT INTO notebooks (id, name) VALUES ('$a', 'n');
	COMMIT", qr/ERROR:  cannot count the sources of notebook $a after it is gone\n/,
	'a notebook that changes its id leaves no sources behind');
refused("BEGIN; DELETE FROM sources; DELETE FROM notebooks WHERE id = '$a'; INSERT INTO notebooks (id, name)
	VALUES ('$a', 'n'); COMMIT", qr/ERROR:  cannot count the outputs of notebook $a after it is gone\n/,
	'nor does one that is deleted leave outputs');
($code, undef, $err) = as($node, 'keeper', "BEGIN; DELETE FROM sources WHERE notebook_id = '$b';
	UPDATE sources SET notebook_id = '$b'; DELETE FROM outputs WHERE notebook_id = '$a';
	DELETE FROM notebooks WHERE id = '$a'; INSERT INTO notebooks (id, name) VALUES ('$a', 'a');
	UPDATE sources SET notebook_id = '$a'; COMMIT");
is("$code $err", '0 ', 'who moves them first may');
is(value($node, 'managed', "$counts ORDER BY 1"), '', 'the counts are right');
is(value($node, 'managed', 'SELECT name, source_count, output_count FROM notebooks ORDER BY 1'), "a|1|0\nb|0|1",
	'and say what is there');
# One that cascades takes them along.
keys_with('ON UPDATE CASCADE ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED');
($code, undef, $err) = as($node, 'keeper', "UPDATE notebooks SET id = '$other' WHERE id = '$a'");
is("$code $err", '0 ', 'ON UPDATE CASCADE');
is(value($node, 'managed', "SELECT source_count FROM notebooks WHERE id = '$other'"), '1', 'moves the count');
foreach my $delete ("DELETE FROM notebooks WHERE id = '$other'", "SELECT FROM delete_notebook('$other')",
	"BEGIN; SET LOCAL discovery.keep_deleted = on; DELETE FROM notebooks WHERE id = '$other'; COMMIT")
{
	as($node, 'keeper', "INSERT INTO notebooks (id, name) VALUES ('$other', 'c') ON CONFLICT DO NOTHING;
		INSERT INTO sources (notebook_id, name, source_type) VALUES ('$other', 'u', 'file');
		INSERT INTO outputs (notebook_id, title) VALUES ('$other', 'v')");
	($code, undef, $err) = as($node, 'keeper', $delete);
	is("$code $err", '0 ', $delete);
}

keys_with('ON DELETE CASCADE');

# Above READ COMMITTED, what others have counted meanwhile is not seen.
refused("BEGIN ISOLATION LEVEL REPEATABLE READ; TRUNCATE $_; COMMIT",
	qr/ERROR:  cannot truncate $_ in a transaction with isolation level repeatable read/, "TRUNCATE of $_")
	foreach qw(sources outputs);
as($node, 'keeper', 'DROP TRIGGER discovery_insert ON sources');
refused('BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT discovery_create_store(); COMMIT',
	qr/ERROR:  cannot repair counts in a transaction with isolation level serializable/, 'a store that is attached');
($code, undef, $err) = as($node, 'keeper', 'SELECT discovery_create_store()');
is($code, 0, 'in READ COMMITTED it is') or diag $err;

#
# The functions are removed.
#
as($node, 'keeper', 'ALTER TABLE sources ADD COLUMN own_id uuid DEFAULT uuid_v7();
	ALTER TABLE outputs ADD COLUMN own_hash text DEFAULT content_hash(uuid_v7()::text)');
my $defaults = q{SELECT format('%s.%I', a.attrelid::regclass, a.attname), pg_get_expr(d.adbin, d.adrelid)
	FROM pg_attrdef AS d JOIN pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum ORDER BY 1};
my $before = value($node, 'managed', $defaults);
my (undef, undef, $kept) = as($node, 'keeper', 'SELECT discovery_remove_functions()');
like(
	$kept,
	qr/because other objects depend on .*\nDETAIL:.* column own_id of table public.sources .*\n.* column own_hash of/,
	'not while columns of users have them as default, which it names');
is(value($node, 'managed', $defaults), $before, 'and no default is lost');
($code, undef, $err) = as($node, 'keeper', 'BEGIN; ALTER TABLE sources ALTER own_id DROP DEFAULT;
	ALTER TABLE outputs ALTER own_hash DROP DEFAULT; SELECT discovery_remove_functions(); ROLLBACK');
is("$code $err", '0 ', 'without these they are removed');

#
# standard_conforming_strings
#
$node->safe_psql('postgres', 'CREATE DATABASE strings OWNER keeper; CREATE DATABASE usual OWNER keeper');
try_ok($node, 'an installation to compare with', '', installing('public', 'usual'));
# All that is kept as text, not what comes as a result
my $comments = "SELECT p.proname, obj_description(p.oid, 'pg_proc') FROM pg_proc AS p
	WHERE pronamespace = 'public'::regnamespace ORDER BY 1, 2";
{
	local $ENV{PGOPTIONS} = '-c standard_conforming_strings=off -c escape_string_warning=off';
	$node->safe_psql('strings', 'CREATE SCHEMA "back\slash" AUTHORIZATION keeper');
	my (undef, undef, $refused) = try($node, installing('back\slash', 'strings'));
	like($refused, qr/ERROR:  schema "back\\slash" cannot have the functions/, 'a schema with a backslash is refused');
	try_ok($node, 'it is installed with standard_conforming_strings = off', '', installing('public', 'strings'));
	is(value($node, 'strings', $comments), value($node, 'usual', $comments), 'with the same comments');
	is( value($node, 'strings', "SET ROLE keeper; INSERT INTO notebooks (id, name) VALUES ('$a', 'a');
		SELECT outcome FROM add_sources('$a', '[{\"name\": \"x\", \"source_type\": \"file\", \"content\": \"\\\\\\\\x6162\"},
			{\"name\": \"y\", \"source_type\": \"file\", \"content\": \"YWI=\"}]');
		SELECT content_hash = content_hash('ab'::text) FROM sources;
		SELECT deleted FROM delete_source((SELECT id FROM sources));
		SELECT outcome FROM restore_sources((SELECT id FROM discovery_deletions));
		SELECT sources FROM delete_notebook('$a');
		SELECT outcome FROM restore_deletion((SELECT deletion_id FROM deleted_notebooks));
		SET discovery.allow_data_loss = on;
		SELECT discovery_downgrade('1.0'); SELECT discovery_upgrade('+2'); SELECT state FROM discovery_status()"),
		"added\nduplicate\nt\n1\nrestored\n1\nrestored\nrestored\n1.0\n$newest\ncurrent", 'and works');
}

done_testing();
