# The two editions: the SQL-only one is installed by the owner of a database, no superuser; stores go from one to the
# other and back with their rows, history, log and counts, in place and by dumps; what cannot be done says so and
# changes nothing. Both have the same functions.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Utils;
use Stores;
use Test::More;

my $node = new_server('main');
my $dir = $PostgreSQL::Test::Utils::tmp_check;
my $top = "$FindBin::RealBin/../..";
$node->safe_psql('postgres',
	'CREATE ROLE keeper LOGIN; CREATE ROLE reader; CREATE ROLE stranger LOGIN; CREATE ROLE admin LOGIN SUPERUSER');
is(system("$top/test/tools/installer >$dir/installer.log"), 0, 'the installer writes its files');
my ($file) = glob "$top/dist/discovery-*.*.[0-9].sql";
my ($tle) = glob "$top/dist/discovery-*-tle.sql";
ok($file && $tle, 'one for psql and one for pg_tle');

my $counts = q{SELECT id, source_count - actual_count FROM check_source_counts() AS c (id)
	UNION ALL SELECT id, output_count - actual_count FROM check_output_counts() AS c (id)};
my $status = "SELECT edition, state, store_version FROM discovery_status() WHERE schema = 'public'";
# What an edition has of its own
my $own = 'extension,function,aggregate,procedure,member,trigger,comment,owner,privileges';

sub psql { return ([ 'keeper' ], 'psql', '-Xq', '-1', '-f', $file, @_) }
sub install { return try($node, psql('-v', 'schema=public', $_[0])) }
sub installs
{
	my ($database, $name) = @_;
	my ($code, undef, $err) = install($database);
	is("$code $err", '0 ', $name);
}
sub run_ok
{
	my ($database, $name, $sql) = @_;
	my ($code, undef, $err) = try_psql($node, $database, $sql);
	is($code, 0, $name) or diag $err;
}
sub copy
{
	my ($from, $to) = @_;
	$node->safe_psql('postgres', "DROP DATABASE IF EXISTS $to");
	$node->safe_psql('postgres', "CREATE DATABASE $to TEMPLATE $from OWNER keeper");
}
# It is a store that works, not only looks like one.
sub works
{
	my ($database, $name) = @_;
	is(value($node, $database, $counts), '', "$name: counts are right");
	is( value($node, $database, "SET ROLE keeper; BEGIN;
		SELECT outcome FROM add_source('00000000-0000-4000-8000-000000000004', 'x', 'text', extracted_text => 'neu');
		SELECT outcome FROM add_source('00000000-0000-4000-8000-000000000004', 'x', 'text', extracted_text => 'neuer');
		SELECT source_count FROM notebooks WHERE id = '00000000-0000-4000-8000-000000000004';
		SELECT count(*) FROM restore_sources((SELECT id FROM discovery_deletions WHERE reason LIKE 'auf%')); ROLLBACK"),
		"duplicate\nadded\n2\n2", "$name: it works");
}

#
# Installation
#
$node->safe_psql('postgres', 'CREATE DATABASE managed OWNER keeper');
installs('managed', 'the owner of a database installs the file');
is(value($node, 'managed', $status), "SQL-only|current|$newest", 'the status says the edition');
is(value($node, 'managed', "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class
	WHERE relnamespace = 'public'::regnamespace"), 'keeper', 'all is the owner\'s');
script($node, 'managed', '@keeper', 'rows', 'deletions', 'additions');
works('managed', 'SQL-only');
$node->safe_psql('postgres', 'CREATE DATABASE bare OWNER keeper');
try_ok($node, 'also without -1', '',
	[ 'keeper' ], 'psql', '-Xq', '-o', '/dev/null', '-v', 'schema=public', '-f', $file, 'bare');
is(value($node, 'bare', $status), "SQL-only|current|$newest", 'the status');

$node->safe_psql('postgres', 'CREATE DATABASE native OWNER keeper');
$node->safe_psql('native', 'SET ROLE keeper; CREATE EXTENSION discovery');
script($node, 'native', '@keeper', 'rows', 'deletions', 'additions');
is(value($node, 'native', $status), "native|current|$newest", 'and so does that of the native extension');
copy('managed', 'managed_before');
copy('native', 'native_before');

# The same names, arguments, results, properties and comments
my $functions = "SELECT concat_ws(' | ', p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid),
		p.provolatile, p.proisstrict, p.prokind, obj_description(p.oid, 'pg_proc'))
	FROM pg_proc AS p WHERE p.pronamespace = 'public'::regnamespace
		AND obj_description(p.oid, 'pg_proc')
			!~ '^(internal: |for |trigger |remove the functions|a new UUID|transition|final)'
	ORDER BY 1";
my @native = split /\n/, value($node, 'native', $functions);
my @managed = split /\n/, value($node, 'managed', $functions);
cmp_ok(scalar @native, '>', 30, 'there are functions to compare');
is_deeply(\@managed, \@native, 'both editions have the same functions');
foreach my $function (qw(discovery_shape discovery_check discovery_autogenerate discovery_plan discovery_prepare_upgrade
	discovery_cancel_upgrade), "discovery_stamp('1.1')")
{
	my $call = $function =~ /\(/ ? $function : "$function()";
	my ($code, undef, $err) = try_psql($node, 'managed', "\\set VERBOSITY verbose\nSELECT * FROM $call");
	like($err, qr/ERROR:  0A000: \w+\(\) is not available in the SQL-only edition/, "$call says that it is native only");
}

# An owner, and a schema, whose names need quotes
$node->safe_psql('postgres', 'CREATE ROLE "App-Owner" LOGIN; CREATE DATABASE quotes OWNER "App-Owner"');
$node->safe_psql('quotes', 'CREATE SCHEMA "My Store" AUTHORIZATION "App-Owner"');
try_ok($node, 'an owner and a schema whose names need quotes', '',
	[ 'App-Owner' ], 'psql', '-Xq', '-1', '-o', '/dev/null', '-v', 'schema=My Store', '-f', $file, 'quotes');
is( value($node, 'quotes', q{SET ROLE "App-Owner"; SET search_path = "My Store"; BEGIN;
	INSERT INTO notebooks (id, name) VALUES ('00000000-0000-4000-8000-000000000001', 'n');
	SELECT outcome FROM add_source('00000000-0000-4000-8000-000000000001', 's', 'text', extracted_text => 'a');
	SELECT deleted FROM delete_sources(ARRAY(SELECT id FROM sources));
	SELECT source_count FROM notebooks;
	SELECT outcome FROM restore_sources((SELECT id FROM discovery_deletions));
	SELECT acting_role FROM list_source_deletions();
	SELECT source_count FROM notebooks;
	DELETE FROM sources; COMMIT;
	SET discovery.allow_data_loss = on; SELECT discovery_downgrade('1.0'); SELECT discovery_upgrade();
	SELECT state FROM discovery_status()}),
	"added\n1\n0\nrestored\nApp-Owner\n1\n1.0\n$newest\ncurrent", 'work');

#
# What is refused changes nothing.
#
sub refused
{
	my ($database, $name, $expected, @how) = @_;
	copy($database, 'kept');
	my ($code, undef, $err) = @how ? try($node, @how, $database) : install($database);
	isnt($code, 0, "$name is refused");
	like($err, $expected, "$name: the error");
	my $objects = "SELECT (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace),
		(SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace)";
	is(value($node, $database, $objects), value($node, 'kept', $objects), "$name: no object is left behind");
	same_stores($node, 'kept', $database, "$name: nothing is changed") if $database ne 'empty';
}
refused('managed', 'the file, run twice',
	qr/ERROR:  discovery is already installed in schema "public"\nHINT:  To make/);
refused('native', 'the file, beside the native extension', qr/ERROR:  extension "discovery" already exists\nHINT:/);
refused('managed', 'the file without a schema', qr/ERROR:  no schema is named\nHINT:/, psql());
refused('managed', 'the extension beside the functions',
	qr/ERROR:  function "\w+" already exists with same argument types/,
	[ 'keeper' ], 'psql', '-Xq', '-c', 'CREATE EXTENSION discovery');
$node->safe_psql('postgres', 'CREATE DATABASE empty OWNER keeper');
refused('empty', 'a schema that is not there', qr/ERROR:  schema "nowhere" does not exist/,
	psql('-v', 'schema=nowhere'));
$node->safe_psql('empty', 'CREATE SCHEMA "it\'s"');
refused('empty', 'a schema with a quote', qr/ERROR:  schema "it's" cannot have the functions/,
	psql('-v', "schema=it's"));
$node->safe_psql('empty', 'DROP SCHEMA "it\'s"');
refused('empty', 'a role without rights', qr/ERROR:  permission denied for schema public\nHINT:  GRANT CREATE ON/,
	[ 'stranger' ], 'psql', '-Xq', '-1', '-v', 'schema=public', '-f', $file);
$node->safe_psql('empty', 'SET ROLE keeper; CREATE TABLE notebooks (id integer)');
refused('empty', 'tables of another shape',
	qr/ERROR:  the tables in schema "public" do not match any version of discovery/);
$node->safe_psql('empty', 'DROP TABLE notebooks');
$node->safe_psql('empty', 'SET ROLE keeper; CREATE VIEW sources AS SELECT 1 AS id');
refused('empty', 'a view in the place of a table',
	qr/ERROR:  "public.sources" is a view and cannot be part of a store/);
$node->safe_psql('empty', 'DROP VIEW sources');

# Code of others never runs with the rights of the owner.
$node->safe_psql('managed', 'CREATE SCHEMA other AUTHORIZATION stranger; GRANT USAGE ON SCHEMA other TO keeper');
$node->safe_psql('managed', "SET ROLE stranger; SET search_path = other, public;
	CREATE TABLE notebooks (id uuid, source_count integer, updated_at timestamp);
	CREATE TABLE sources (id uuid, notebook_id uuid, created_at timestamp, deleted_at timestamp);
	CREATE FUNCTION other.seize() RETURNS trigger LANGUAGE plpgsql AS \$\$
		BEGIN RAISE EXCEPTION 'ran as %', current_user; END \$\$;
	CREATE TRIGGER seize BEFORE UPDATE ON notebooks FOR EACH ROW EXECUTE FUNCTION other.seize();
	INSERT INTO notebooks VALUES (gen_random_uuid(), 0, now());
	INSERT INTO sources SELECT gen_random_uuid(), id, now() FROM notebooks");
my $triggers = "SELECT format('%s', p.oid::regprocedure) FROM pg_proc AS p WHERE p.prorettype = 'trigger'::regtype
	AND p.prosecdef AND p.pronamespace = 'public'::regnamespace ORDER BY 1";
my @definers = split /\n/, value($node, 'managed', $triggers);
cmp_ok(scalar @definers, '>=', 3, 'some trigger functions have the rights of the owner');
foreach my $function (@definers)
{
	my (undef, undef, $attached) = try_psql($node, 'managed', "SET ROLE stranger;
		CREATE TRIGGER mine AFTER UPDATE ON other.sources FOR EACH ROW EXECUTE FUNCTION $function");
	like($attached, qr/ERROR:  permission denied for function/, "nobody else puts $function on a table");
}
# Not even then:
$node->safe_psql('managed', "GRANT EXECUTE ON FUNCTION discovery_count_sources() TO stranger; SET ROLE stranger;
	CREATE TRIGGER mine AFTER INSERT ON other.sources REFERENCING NEW TABLE AS new_rows
		FOR EACH STATEMENT EXECUTE FUNCTION public.discovery_count_sources()");
my (undef, undef, $seized) = try_psql($node, 'managed', "SET ROLE stranger;
	INSERT INTO other.sources SELECT gen_random_uuid(), id, now() FROM other.notebooks");
like($seized, qr/ERROR:  table "notebooks" does not belong to the owner of the functions/,
	'our triggers on the table of another role do nothing');
my (undef, undef, $granted) = try_psql($node, 'managed', "SET ROLE stranger;
	SELECT discovery_repair_counts(discovery_call(), 'public', 'sources')");
like($granted, qr/ERROR:  permission denied for table sources/, 'who has no rights repairs no counts');
(undef, undef, $granted) = try_psql($node, 'managed', "SET ROLE stranger;
	SELECT discovery_end_purge('public', 'sources', now())");
like($granted, qr/ERROR:  permission denied for table sources/, 'and removes no log');
$node->safe_psql('managed', 'GRANT DELETE ON notebooks TO stranger');
(undef, undef, $granted) = try_psql($node, 'managed', "SET ROLE stranger;
	SELECT discovery_end_purge('public', 'notebooks', now())");
like($granted, qr/ERROR:  invalid table to purge: "notebooks"/, 'nor does who may delete notebooks');
$node->safe_psql('managed', 'REVOKE DELETE ON notebooks FROM stranger');
(undef, undef, $granted) = try_psql($node, 'managed', "SET ROLE stranger;
	SELECT discovery_add_to_counts('public', gen_random_uuid(), 1, 0, NULL)");
like($granted, qr/ERROR:  permission denied for function discovery_add_to_counts/, 'and sets none');
$node->safe_psql('managed', 'DROP SCHEMA other CASCADE');
# A client that may write notebooks cannot write counts, whatever it sets.
$node->safe_psql('managed', "GRANT SELECT, UPDATE ON notebooks TO stranger");
$node->safe_psql('managed', "SET ROLE stranger;
	SET discovery_internal.counting = '00000000-0000-4000-8000-000000000004';
	UPDATE notebooks SET source_count = 77 WHERE id = '00000000-0000-4000-8000-000000000004'");
is(value($node, 'managed', $counts), '', 'a client does not write counts');
copy('managed_before', 'managed');
# Tables that are handed to another role: an error that says what to do, until the functions follow.
$node->safe_psql('managed', 'ALTER TABLE notebooks OWNER TO stranger');
my (undef, undef, $handed) = try_psql($node, 'managed', "SET ROLE keeper; DELETE FROM sources");
like($handed, qr/does not belong to the owner of the functions of the store\nDETAIL:.*\nHINT:  Use ALTER TABLE/,
	'tables of another owner are not written');
copy('managed_before', 'managed');
# Policies that are forced upon the owner do not make it miscount.
$node->safe_psql('managed', 'ALTER TABLE notebooks ENABLE ROW LEVEL SECURITY;
	ALTER TABLE notebooks FORCE ROW LEVEL SECURITY');
my (undef, undef, $forced) = try_psql($node, 'managed',
	"SET ROLE keeper; DELETE FROM sources WHERE deleted_at IS NULL");
like($forced, qr/ERROR:  query would be affected by row-level security policy for table "notebooks"/,
	'row security that would hide notebooks is an error');
copy('managed_before', 'managed');
# A schema whose owner could put other tables in the place of the store's
$node->safe_psql('managed', 'CREATE SCHEMA other AUTHORIZATION stranger; GRANT ALL ON SCHEMA other TO keeper');
my (undef, undef, $untrusted) = try_psql($node, 'managed', "SET ROLE keeper; SELECT discovery_create_store('other')");
like($untrusted, qr/ERROR:  schema "other" belongs to a role without the rights of the owner of the store\nDETAIL:/,
	'a schema of another role takes no store');
is(value($node, 'managed', "SELECT count(*) FROM pg_class WHERE relnamespace = 'other'::regnamespace"), '0',
	'and nothing is made there');
copy('managed_before', 'managed');

#
# From SQL to native and back, in place
#
run_ok('managed', 'the functions are removed', 'SET ROLE keeper; SELECT discovery_remove_functions()');
is(value($node, 'managed', "SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
	AND proname <> 'own_rating'"), '0', 'none is left');
run_ok('managed', 'the native extension takes over', 'SET ROLE keeper; CREATE EXTENSION discovery');
is(value($node, 'managed', $status), "native|current|$newest", 'the status');
same_stores($node, 'managed_before', 'managed', 'all is as it was', '--except', $own);
is(value($node, 'managed', 'SELECT object, actual, expected FROM discovery_check() WHERE kind <> $$extra$$'), '',
	'and the tables have no difference from the version');
works('managed', 'native');
run_ok('managed', 'the extension is dropped', 'SET ROLE keeper; SET client_min_messages = error;
	DROP EXTENSION discovery CASCADE');
# While nobody counts, a client writes.
run_ok('managed', 'a client writes meanwhile', "INSERT INTO sources (id, notebook_id, name, source_type, content_hash)
	VALUES (gen_random_uuid(), '00000000-0000-4000-8000-000000000004', 'meanwhile', 'file', '');
	INSERT INTO outputs (id, notebook_id, title)
	VALUES (gen_random_uuid(), '00000000-0000-4000-8000-000000000004', 'meanwhile')");
installs('managed', 'and the file is run again');
is(value($node, 'managed', $status), "SQL-only|current|$newest", 'the status');
is(value($node, 'managed', $counts), '', 'what was written meanwhile is counted');
run_ok('managed', 'it is taken back', "DELETE FROM sources WHERE name = 'meanwhile';
	DELETE FROM outputs WHERE title = 'meanwhile'");
same_stores($node, 'managed_before', 'managed', 'all is as at first', '--except', 'rows');
works('managed', 'SQL-only again');

run_ok('native', 'the native extension is dropped', 'SET ROLE keeper; SET client_min_messages = error;
	DROP EXTENSION discovery CASCADE');
installs('native', 'the SQL-only edition takes over');
is(value($node, 'native', $status), "SQL-only|current|$newest", 'the status');
same_stores($node, 'native_before', 'native', 'all is as it was', '--except', $own);
works('native', 'SQL-only');
run_ok('native', 'and back', 'SET ROLE keeper; SELECT discovery_remove_functions(); CREATE EXTENSION discovery');
same_stores($node, 'native_before', 'native', 'all is as at first');
works('native', 'native again');

#
# Dumps
#
$node->safe_psql('postgres', 'CREATE DATABASE restored OWNER keeper');
my @restore = ('pg_restore', '-d');
try_ok($node, 'a dump', '', [ 'keeper' ], 'pg_dump', '-Fc', '-f', "$dir/managed.dump", 'managed_before');
try_ok($node, 'is restored', '', [ 'admin' ], 'pg_restore', '-e', '-d', 'restored', "$dir/managed.dump");
same_stores($node, 'managed_before', 'restored', 'the same store');
is(value($node, 'restored', $status), "SQL-only|current|$newest", 'the status');
works('restored', 'restored');
run_ok('restored', 'and goes to native',
	'SET ROLE keeper; SELECT discovery_remove_functions(); CREATE EXTENSION discovery');
same_stores($node, 'managed_before', 'restored', 'with all it had', '--except', $own);

# A dump of the native extension, where there is the SQL-only edition alone
$node->safe_psql('postgres', 'CREATE DATABASE cloud OWNER keeper');
{
	local $ENV{PGOPTIONS} = '-c discovery.create_store=off';
	installs('cloud', 'the file without a store');
}
is(value($node, 'cloud', $status), 'SQL-only|missing|', 'there is none');
copy('cloud', 'told');
$node->safe_psql('told', 'SET ROLE keeper; SELECT discovery_remove_functions()');
{
	local $ENV{PGOPTIONS} = '-c discovery.create_store=off';
	my (undef, $told) = install('told');
	like($told, qr/^The functions are in schema public, without a store\./, 'and the file says so');
}
try_ok($node, 'a dump of the native extension', '',
	[ 'keeper' ], 'pg_dump', '-Fc', '-f', "$dir/native.dump", 'native_before');
my (undef, undef, $errors) = try($node, [ 'admin' ], 'pg_restore', '-d', 'cloud', "$dir/native.dump");
my @errors = $errors =~ /error: (?:could not execute query: )?ERROR:  (.*)/g;
my $library = qr/discovery_(?:source|output|notebook)_(?:change|statement|delete)\(\)/;
my $expected = qr/(?:$library|extension "discovery") does not exist|already exists/;
is(scalar(grep { !/$expected/ }
	@errors), 0, 'only what is native is not restored') or diag $errors;
is(value($node, 'cloud', $status), "SQL-only|detached|$newest", 'the store is detached');
run_ok('cloud', 'and attached', 'SET ROLE keeper; SELECT discovery_create_store()');
is(value($node, 'cloud', $status), "SQL-only|current|$newest", 'the status');
same_stores($node, 'native_before', 'cloud', 'with all it had', '--except', $own);
works('cloud', 'from native by a dump');

#
# Migrations
#
copy('managed_before', 'managed');
$node->safe_psql('managed', 'DROP VIEW own_view');
copy('managed', 'managed_before');
my (undef, undef, $lossy) = try_psql($node, 'managed', "SET ROLE keeper; SELECT discovery_downgrade('1.0')");
like($lossy, qr/ERROR:  step 1\.2 -> 1\.1 would lose data\nDETAIL:  Table "discovery_trash" has rows: \d+\./,
	'a downgrade that loses data is refused');
same_stores($node, 'managed_before', 'managed', 'and changes nothing');
run_ok('managed', 'it is allowed',
	"SET ROLE keeper; SET discovery.allow_data_loss = on; SELECT discovery_downgrade('1.0')");
is(value($node, 'managed', 'SELECT discovery_version()'), '1.0', 'version 1.0');
is(value($node, 'managed', 'SELECT state FROM discovery_status()'), 'behind', 'is behind');
run_ok('managed', 'and up', 'SET ROLE keeper; SELECT discovery_upgrade()');
is(value($node, 'managed', "SELECT string_agg(direction || ' ' || version, ', ' ORDER BY applied_at)
	FROM discovery_history() WHERE direction IS NOT NULL"),
	'install 1.0, upgrade 1.1, upgrade 1.2, downgrade 1.1, downgrade 1.0, upgrade 1.1, upgrade 1.2', 'the history');
my $steps = "SELECT DISTINCT version, checksum FROM discovery_history() WHERE direction = 'upgrade' ORDER BY 1";
is(value($node, 'managed', $steps), value($node, 'native', $steps), 'both editions ran the same steps');
is(value($node, 'managed', $counts), '', 'counts are right');

#
# pg_tle: for real where it is installed, elsewhere by a stand-in that stores the scripts as the files that
# PostgreSQL runs
#
my $cloud = copied_server('cloud', sub { unlink glob "$_[0]/discovery--* $_[0]/discovery.control" });
$cloud->safe_psql('postgres', 'CREATE ROLE keeper LOGIN; CREATE ROLE reader');
my $has_tle = value($cloud, 'postgres', "SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_tle'");
foreach my $way ('a stand-in', 'pg_tle')
{
  SKIP:
	{
		skip 'pg_tle is not installed', 1 if $way eq 'pg_tle' && !$has_tle;
		if ($way eq 'pg_tle')
		{
			unlink glob extension_directory($cloud) . '/discovery*';
			$cloud->append_conf('postgresql.conf', "shared_preload_libraries = 'pg_tle'\n");
			$cloud->restart;
		}
		$cloud->safe_psql('postgres', 'DROP DATABASE IF EXISTS app');
		$cloud->safe_psql('postgres', 'CREATE DATABASE app OWNER keeper');
		$cloud->safe_psql('app', $way eq 'pg_tle' ? 'CREATE EXTENSION pg_tle; GRANT pgtle_admin TO keeper' : <<'SQL');
CREATE SCHEMA pgtle;
CREATE TABLE pgtle.script (name text PRIMARY KEY, text text);
CREATE FUNCTION pgtle.install_extension(
        name text, version text, description text, ext text, requires text[] DEFAULT NULL)
    RETURNS boolean LANGUAGE sql AS $$ INSERT INTO pgtle.script VALUES ($1 || '--' || $2, $4) RETURNING true $$;
CREATE FUNCTION pgtle.install_update_path(name text, fromvers text, tovers text, ext text) RETURNS boolean
    LANGUAGE sql AS $$ INSERT INTO pgtle.script VALUES (format('%s--%s--%s', $1, $2, $3), $4) RETURNING true $$;
CREATE FUNCTION pgtle.uninstall_extension_if_exists(extname text) RETURNS boolean
    LANGUAGE sql AS $$ WITH gone AS (DELETE FROM pgtle.script RETURNING 1) SELECT count(*) > 0 FROM gone $$;
CREATE FUNCTION pgtle.set_default_version(name text, version text) RETURNS boolean
    LANGUAGE sql AS $$ INSERT INTO pgtle.script VALUES ('default', $2) RETURNING true $$;
GRANT USAGE ON SCHEMA pgtle TO keeper;
GRANT ALL ON pgtle.script TO keeper;
SQL
		try_ok($cloud, "$way: the extension is registered, $_", '', [ 'keeper' ], 'psql', '-Xq', '-o', '/dev/null', '-v',
			'ON_ERROR_STOP=1', '-f', $tle, 'app')
			foreach 'once', 'and again';
		if ($way ne 'pg_tle')
		{
			my $files = extension_directory($cloud);
			append_to_file("$files/$_.sql", value($cloud, 'app', "SELECT text FROM pgtle.script WHERE name = '$_'"))
				foreach grep { $_ ne 'default' } split /\n/, value($cloud, 'app', 'SELECT name FROM pgtle.script');
			append_to_file("$files/discovery.control",
				sprintf "default_version = '%s'\nrelocatable = false\nsuperuser = false\n",
				value($cloud, 'app', "SELECT text FROM pgtle.script WHERE name = 'default'"));
		}
		my $as = 'SET ROLE keeper; SET client_min_messages = error;';
		my $state = 'SELECT edition, state, store_version, extension_version FROM discovery_status()';
		$cloud->safe_psql('app', "$as CREATE EXTENSION discovery VERSION '1.0'");
		is(value($cloud, 'app', $state), 'SQL-only|current|1.0|1.0', "$way: CREATE EXTENSION");
		# As if an earlier release had made the functions
		$cloud->safe_psql('app', "$as CREATE FUNCTION discovery_gone() RETURNS integer LANGUAGE sql RETURN 1;
			CREATE OR REPLACE FUNCTION discovery_signatures() RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
				RETURN ARRAY['discovery_gone()', 'discovery_signatures()'];
			CREATE OR REPLACE FUNCTION discovery_versions() RETURNS text[] LANGUAGE sql STABLE PARALLEL UNSAFE
				SET search_path TO pg_catalog, pg_temp RETURN ARRAY['base', '1.0'];
			ALTER EXTENSION discovery ADD FUNCTION discovery_gone()");
		$cloud->safe_psql('app', "$as ALTER EXTENSION discovery UPDATE");
		is( value($cloud, 'app', "SELECT to_regproc('discovery_gone') IS NULL, cardinality(discovery_signatures()) > 50,
			discovery_versions()"), 't|t|{base,1.0,1.1,1.2}', "$way: the update replaces the functions");
		is(value($cloud, 'app', $state), "SQL-only|current|$newest|$newest", "$way: ALTER EXTENSION UPDATE");
		is(value($cloud, 'app', "SELECT string_agg(objid::regclass::text, ' ' ORDER BY objid) FROM pg_depend
			WHERE classid = 'pg_class'::regclass AND deptype = 'e'
			AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'discovery')"),
			'discovery_calls discovery_own_calls', "$way: no table of the store is a member");
		script($cloud, 'app', '@keeper', 'rows', 'deletions');
		$cloud->safe_psql('app',
			"$as SET discovery.allow_data_loss = on; SELECT discovery_downgrade(); SELECT discovery_upgrade()");
		is(value($cloud, 'app', $state), "SQL-only|current|$newest|$newest", "$way: down and up");
		$cloud->safe_psql('app', "$as CREATE SCHEMA other; SELECT discovery_create_store('other')");
		my (undef, undef, $other) = try_psql($cloud, 'app', "$as SELECT discovery_downgrade()");
		like($other, qr/cannot downgrade the extension to version 1\.1 because some stores .*\n.*"other"/,
			"$way: not below another store");
		$cloud->safe_psql('app', "$as SELECT discovery_drop_store('other')");
		$cloud->safe_psql('app', "$as DROP EXTENSION discovery CASCADE");
		is(value($cloud, 'app', 'SELECT count(*) FROM sources'), '37', "$way: DROP EXTENSION leaves the rows");
		$cloud->safe_psql('app', "$as CREATE EXTENSION discovery");
		is(value($cloud, 'app', $state), "SQL-only|current|$newest|$newest", "$way: and CREATE EXTENSION takes them over");
		is(value($cloud, 'app', $counts), '', "$way: counts are right");
	}
}

done_testing();
