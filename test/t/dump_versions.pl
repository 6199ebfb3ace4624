# A dump of an older store restores under a newer extension, says 'behind', and is brought up; a dump of a newer store
# under an older extension ends in errors that are seen, and leaves no table with a part of its rows.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Utils;
use Stores;
use Test::More;

my $node = new_server('main');
my $old = older_server('old', '1.0') or plan skip_all => 'the installed server cannot be copied';
my $dir = $PostgreSQL::Test::Utils::tmp_check;
$_->safe_psql('postgres', 'CREATE ROLE keeper LOGIN CREATEDB; CREATE ROLE reader') foreach $node, $old;
# What 1.0 has no functions for stands in deletions.sql; the user's own objects but the view over a view of 1.1.
my $additions = slurp_file("$FindBin::RealBin/lib/additions.sql") =~ s/, live_sources TO reader/ TO reader/r
	=~ s/JOIN live_sources/JOIN sources/r;

# A store as the older server makes it, and one in which the application's race left its marks.
$old->safe_psql('postgres', 'CREATE DATABASE kept OWNER keeper');
$old->safe_psql('kept', 'SET ROLE keeper; CREATE EXTENSION discovery');
is(value($old, 'kept', 'SELECT extversion FROM pg_extension WHERE extname = $$discovery$$'), '1.0',
	'the older server makes version 1.0');
script($old, 'kept', '@keeper', 'rows');
$old->safe_psql('kept', "SET ROLE keeper; $additions");
$old->safe_psql('postgres', 'CREATE DATABASE raced TEMPLATE kept OWNER keeper');
$old->safe_psql('raced', "ALTER TABLE sources DISABLE TRIGGER own_trigger;
	INSERT INTO sources (id, notebook_id, name, source_type, content_hash, created_at)
		SELECT gen_random_uuid(), notebook_id, 'duplicate', 'text', content_hash, now()
			FROM sources WHERE deleted_at IS NULL;
	UPDATE notebooks SET source_count = 7; ALTER TABLE sources ENABLE TRIGGER own_trigger");

foreach my $user ('postgres', 'keeper')
{
	foreach my $how (
		[ 'plain', [ 'pg_dump', '-f', "$dir/dump" ],
			[ 'psql', '-Xq', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1', '-1', '-f', "$dir/dump", '-d' ] ],
		[ 'directory', [ 'pg_dump', '-Fd', '-j2', '-f', "$dir/dump.d" ], [ 'pg_restore', '-e', '-j2', "$dir/dump.d", '-d' ] ])
	{
		my ($format, $dump, $restore) = @$how;
		my $name = "$user, $format";
		foreach my $from ('kept', 'raced')
		{
			try_ok($old, "$name: $from at 1.0 is dumped", '', [$user], @$dump, $from);
			$node->safe_psql('postgres', "DROP DATABASE IF EXISTS $from");
			$node->safe_psql('postgres', "CREATE DATABASE $from OWNER keeper");
			try_ok($node, "$name: and restored under a newer extension", 'did not create a store', [$user], @$restore, $from);
			unlink "$dir/dump";
			system('rm', '-rf', "$dir/dump.d");
			# All that is the store's, and not the extension's.
			is(differences($old->connstr($from), $node->connstr($from), '--except',
				'extension,function,member,owner,privileges,comment'), '', "$name: the store is the same");
			is(value($node, $from, 'SELECT state, store_version FROM discovery_status()'), 'behind|1.0', "$name: status");
			is(value($node, $from, 'SELECT object, kind, actual FROM discovery_check() WHERE kind <> $$extra$$'), '',
				"$name: as 1.0 should be");
			# The application goes on meanwhile.
			$node->safe_psql($from, "SET ROLE keeper; UPDATE notebooks SET description = 'x' WHERE name LIKE '%1 %';
				UPDATE notebooks SET description = NULL WHERE name LIKE '%1 %'");
		}
		# What the hint of discovery_status() says, by the store's owner.
		my $next = value($node, 'kept', 'SELECT next_step FROM discovery_status()');
		like($next, qr/^upgrade the store: SELECT public\.discovery_upgrade\('head', 'public'\)$/, "$name: the next step");
		$next =~ s/^.*?: //;
		foreach my $from ('kept', 'raced')
		{
			my ($status, $out, $err) = try_psql($node, $from, "SET ROLE keeper; $next");
			is($status, 0, "$name: $from brought up: $err");
		}
		is(value($node, 'kept', 'SELECT state FROM discovery_status()'), 'current', "$name: status");
		is(value($node, $_, 'SELECT * FROM check_source_counts()'), '', "$name: right counts in $_") foreach 'kept', 'raced';
		is(value($node, 'raced', 'SELECT count(*) FILTER (WHERE deleted_at IS NULL), count(deletion_id) FROM sources'),
			'24|24', "$name: the oldest of each copy stays");
		is(value($node, 'kept', 'SELECT direction FROM discovery_migrations ORDER BY applied_at'),
			"install\nupgrade\nupgrade", "$name: history");
		# As if it had been brought up where it was.
		$node->safe_psql('postgres', 'DROP DATABASE IF EXISTS straight');
		$node->safe_psql('postgres', 'CREATE DATABASE straight OWNER keeper');
		$node->safe_psql('straight', "CREATE EXTENSION discovery VERSION '1.0'") if $user eq 'postgres';
		$node->safe_psql('straight', "SET ROLE keeper; CREATE EXTENSION discovery VERSION '1.0'") if $user eq 'keeper';
		$node->safe_psql('straight', "DO \$\$ DECLARE t regclass; BEGIN
			FOREACH t IN ARRAY '{notebooks,sources,discovery_migrations}'::regclass[] LOOP
				EXECUTE format('ALTER TABLE %s OWNER TO keeper', t);
			END LOOP; END \$\$");
		script($node, 'straight', '@keeper', 'rows');
		$node->safe_psql('straight', "SET ROLE keeper; $additions");
		$node->safe_psql('straight', 'ALTER EXTENSION discovery UPDATE');
		same_stores($node, 'straight', 'kept', "$name: the same as one brought up without a dump", '--except', 'history');
	}
}

# A dump without comments, as managed servers make it: a lost comment stops neither the upgrade nor the way back.
try_ok($old, 'dumped without comments', '', 'pg_dump', '--no-comments', '-Fc', '-f', "$dir/bare", 'kept');
$node->safe_psql('postgres', 'CREATE DATABASE bare OWNER keeper');
try_ok($node, 'and restored', 'did not create a store', 'pg_restore', '-e', '-d', 'bare', "$dir/bare");
is(value($node, 'bare', 'SET ROLE keeper; SELECT discovery_upgrade()'), '1.2', 'a store without comments is upgraded');
is(value($node, 'bare',
	'SELECT object, kind FROM discovery_check() WHERE kind <> $$extra$$ AND object NOT LIKE $$comment %$$'), '',
	'to the shape of 1.2, but for the comments that were lost');
try_ok($node, 'the upgraded one is dumped without comments', '', 'pg_dump', '--no-comments', '-Fc', '-f', "$dir/bare2",
	'bare');
$node->safe_psql('postgres', 'CREATE DATABASE bare2 OWNER keeper');
try_ok($node, 'and restored', 'did not create a store', 'pg_restore', '-e', '-d', 'bare2', "$dir/bare2");
is(value($node, 'bare2', 'SELECT state FROM discovery_status()'), 'current', 'its comments are no part of its state');
is(value($node, 'bare2', "SET ROLE keeper; SELECT discovery_downgrade('1.0')"), '1.0', 'and it goes back to 1.0');
unlink "$dir/bare", "$dir/bare2";

# Newer under older: nothing is lost that one does not hear of.
$node->safe_psql('postgres', 'CREATE DATABASE newer OWNER keeper');
$node->safe_psql('newer', 'SET ROLE keeper; CREATE EXTENSION discovery');
script($node, 'newer', '@keeper', 'rows', 'deletions', 'additions');
try_ok($node, 'a newer store is dumped', '', 'pg_dump', '-Fc', '-f', "$dir/newer", 'newer');
try_ok($node, 'as plain text', '', 'pg_dump', '-f', "$dir/newer.sql", 'newer');
my %rows = map { $_ => value($node, 'newer', "SELECT count(*) FROM $_") } qw(notebooks sources discovery_deletions);
foreach my $how (
	[ 'pg_restore', 'pg_restore', '-d', 'newer', "$dir/newer" ],
	[ 'pg_restore in one transaction', 'pg_restore', '-1', '-d', 'newer', "$dir/newer" ],
	[ 'pg_restore with jobs', 'pg_restore', '-j2', '-d', 'newer', "$dir/newer" ],
	[ 'pg_restore as owner', 'pg_restore', '-U', 'keeper', '-d', 'newer', "$dir/newer" ],
	[ 'psql that goes on', 'psql', '-Xq', '-f', "$dir/newer.sql", 'newer' ],
	[ 'psql that stops', 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/newer.sql", 'newer' ])
{
	my ($name, @command) = @$how;
	$old->safe_psql('postgres', 'DROP DATABASE IF EXISTS newer');
	$old->safe_psql('postgres', 'CREATE DATABASE newer OWNER keeper');
	my ($status, $out, $err) = try($old, @command);
	isnt($status, 0, "$name: fails") unless $name eq 'psql that goes on';
	like($err, qr/ERROR:  function public\.uuid_v7\(\) does not exist/, "$name: says so");
	foreach my $table (sort keys %rows)
	{
		my $is = value($old, 'newer', "SELECT to_regclass('$table') IS NOT NULL") eq 't'
			? value($old, 'newer', "SELECT count(*) FROM $table") : 'none';
		like($is, qr/^(?:none|0|$rows{$table})$/, "$name: $table is whole, empty or not there ($is)");
		unlike($is, qr/^[1-9]/, "$name: $table is not there") if $table ne 'discovery_deletions';
	}
}
# Data alone, into the older store: of sources there is a column that it has not.
$old->safe_psql('postgres', 'DROP DATABASE newer');
$old->safe_psql('postgres', 'CREATE DATABASE newer OWNER keeper');
$old->safe_psql('newer', 'CREATE EXTENSION discovery');
my ($status, $out, $err) = try($old, 'pg_restore', '-a', '-d', 'newer', "$dir/newer");
isnt($status, 0, 'newer data into an older store: fails');
like($err, qr/column "deletion_id" of relation "sources" does not exist/, 'says so');
is(value($old, 'newer', 'SELECT count(*) FROM sources'), '0', 'no part of the sources');

# The version is the store's, wherever its record comes from: a record of 1.1 beside tables of the older extension.
$old->safe_psql('postgres', 'DROP DATABASE newer');
$old->safe_psql('postgres', 'CREATE DATABASE newer OWNER keeper');
try($old, 'pg_restore', '-d', 'newer', "$dir/newer");
is(value($old, 'newer', 'SELECT store_version, extension_version, state FROM discovery_status()'),
	"$newest|1.0|missing", 'status of what is left of it');
($status, $out, $err) = try_psql($old, 'newer', 'SELECT discovery_create_store()');
like($err, qr/the store in schema "public" is not complete\nDETAIL:  "notebooks" is missing\. "sources" is missing\./,
	'and no store is made over it');

# The remedy: the newer extension, then the restore.
$node->safe_psql('postgres', 'CREATE DATABASE again OWNER keeper');
$node->safe_psql('again',
	"SET ROLE keeper; SET discovery.create_store = off; CREATE EXTENSION discovery VERSION '1.0'");
($status, $out, $err) = try($node, 'pg_restore', '-1', '-U', 'keeper', '-d', 'again', "$dir/newer");
like($err, qr/function public\.uuid_v7\(\) does not exist/, 'the extension is there, but older');
$node->safe_psql('again', 'SET ROLE keeper; ALTER EXTENSION discovery UPDATE');
try_ok($node, 'and restores after ALTER EXTENSION', 'already exists, skipping',
	'pg_restore', '-1', '-U', 'keeper', '-d', 'again', "$dir/newer");
same_stores($node, 'newer', 'again', 'the same store');

done_testing();
