# A store goes through every way of pg_dump and its restores whole: rows, the user's own objects, ownership, privileges,
# version and history; as superuser and as the database's owner. What cannot go says so.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Utils;
use Stores;
use Test::More;

my $node = new_server('main');
my $dir = $PostgreSQL::Test::Utils::tmp_check;
$node->safe_psql('postgres', 'CREATE ROLE keeper LOGIN CREATEDB; CREATE ROLE reader');

# Of `kept`, all is the database owner's; in `managed`, the extension is the superuser's and the store the owner's.
$node->safe_psql('postgres', 'CREATE DATABASE kept OWNER keeper');
$node->safe_psql('postgres', 'CREATE DATABASE managed OWNER keeper');
$node->safe_psql('kept', 'SET ROLE keeper; CREATE EXTENSION discovery');
$node->safe_psql('managed',
	"SET discovery.create_store = off; CREATE EXTENSION discovery; SET ROLE keeper; SELECT discovery_create_store()");
script($node, $_, '@keeper', 'rows', 'deletions', 'additions') foreach 'kept', 'managed';
my $counts = 'SELECT * FROM check_source_counts()';
is(value($node, 'kept', $counts), '', 'the counts are right before');
is(value($node, 'kept',
	'SELECT count(*), count(deletion_id), count(hold_reason), max(length(extracted_text)) FROM sources'), '37|3|1|1048576',
	'there are rows of each kind');

my $number = 0;
my $said = 'did not create a store';

# The commands of one way have {dump}, {from} and {to} in them.
sub way
{
	my ($user, $from, $name, @commands) = @_;
	my $to = 'to' . ++$number;
	$node->safe_psql('postgres', "CREATE DATABASE $to OWNER keeper");
	foreach my $command (@commands)
	{
		if (ref $command eq 'CODE') { $command->($to); next; }
		my @words = map { s/\{dump\}/$dir\/dump$number/r =~ s/\{from\}/$from/r =~ s/\{to\}/$to/r } @$command;
		try_ok($node, "$user: $name: " . join(' ', map { s/\Q$dir\E\///r } @words), "$said|already exists, skipping",
			[$user], @words);
	}
	same_stores($node, $from, $to, "$user: $name: the same store");
	is(value($node, $to, $counts), '', "$user: $name: right counts");
	is(value($node, $to, 'SELECT state FROM discovery_status()'), 'current', "$user: $name: status");
	# It is a store that works, not only looks like one.
	is( value($node, $to, "SET ROLE keeper; BEGIN;
		SELECT outcome FROM add_source('00000000-0000-4000-8000-000000000004', 'x', 'text', extracted_text => 'neu');
		SELECT outcome
			FROM add_source('00000000-0000-4000-8000-000000000004', 'x', 'text', extracted_text => 'noch neuer');
		SELECT source_count FROM notebooks WHERE id = '00000000-0000-4000-8000-000000000004';
		SELECT count(*) FROM restore_sources((SELECT id FROM discovery_deletions WHERE reason LIKE 'auf%')); ROLLBACK"),
		"duplicate\nadded\n2\n2", "$user: $name: and it works");
	$node->safe_psql('postgres', "DROP DATABASE $to") unless $name =~ /^template/;
	return;
}

my @plain = ([ 'pg_dump', '-f', '{dump}', '{from}' ]);
my @custom = ([ 'pg_dump', '-Fc', '-f', '{dump}', '{from}' ]);
foreach my $case ([ 'postgres', 'managed' ], [ 'keeper', 'kept' ])
{
	my ($user, $from) = @$case;
	my @psql = ('psql', '-Xq', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1', '-f', '{dump}');
	my @restore = ('pg_restore', '-e');
	way($user, $from, 'plain', @plain, [ @psql, '{to}' ]);
	way($user, $from, 'plain in one transaction', @plain, [ @psql, '-1', '{to}' ]);
	way($user, $from, 'plain with inserts', [ 'pg_dump', '--column-inserts', '-f', '{dump}', '{from}' ],
		[ @psql, '{to}' ]);
	way($user, $from, 'custom', @custom, [ @restore, '-d', '{to}', '{dump}' ]);
	way($user, $from, 'custom in one transaction', @custom, [ @restore, '-1', '-d', '{to}', '{dump}' ]);
	way($user, $from, 'custom with two jobs', @custom, [ @restore, '-j2', '-d', '{to}', '{dump}' ]);
	way($user, $from, 'directory with two jobs', [ 'pg_dump', '-Fd', '-j2', '-f', '{dump}', '{from}' ],
		[ @restore, '-j2', '-d', '{to}', '{dump}' ]);
	way($user, $from, 'tar', [ 'pg_dump', '-Ft', '-f', '{dump}', '{from}' ], [ @restore, '-d', '{to}', '{dump}' ]);
	way($user, $from, 'section by section', @custom,
		map { [ @restore, "--section=$_", '-d', '{to}', '{dump}' ] } qw(pre-data data post-data));
	way($user, $from, 'schema, then data with triggers off', @custom,
		[ @restore, '--schema-only', '-d', '{to}', '{dump}' ],
		[ @restore, '--data-only', '--disable-triggers', '-d', '{to}', '{dump}' ]) if $user eq 'postgres';
	way($user, $from, 'with row security on', [ 'pg_dump', '--enable-row-security', '-f', '{dump}', '{from}' ],
		[ @psql, '{to}' ]);
	way($user, $from, 'list', @custom, sub {
			my ($status, $list, $err) = try($node, 'pg_restore', '-l', "$dir/dump$number");
			append_to_file("$dir/list", $list);
		}, [ @restore, '-L', "$dir/list", '-d', '{to}', '{dump}' ]);
	unlink "$dir/list";

	# Over a database that has a store with other rows in it, and over one where the extension is there without one.
	my $fill = $from eq 'kept' ? 'SET ROLE keeper; CREATE EXTENSION discovery;'
	  : 'SET discovery.create_store = off; CREATE EXTENSION discovery; SET ROLE keeper; SELECT discovery_create_store();';
	my @clean = ([ 'pg_dump', '--clean', '--if-exists', '-f', '{dump}', '{from}' ], [ @psql, '{to}' ]);
	my $fills = sub { $node->safe_psql(shift, "$fill INSERT INTO notebooks (name) VALUES ('other')") };
	way($user, $from, 'clean over a store', $fills, @clean);
	way($user, $from, 'clean over nothing', @clean);
	way($user, $from, 'clean, custom', $fills, @custom,
		[ @restore, '--clean', '--if-exists', '-1', '-d', '{to}', '{dump}' ]);
	my $alone = ($from eq 'kept' ? 'SET ROLE keeper; ' : '')
		. 'SET discovery.create_store = off; CREATE EXTENSION discovery';
	my $creates = sub { $node->safe_psql(shift, $alone) };
	way($user, $from, 'over the extension alone', $creates, @plain, [ @psql, '{to}' ]);
	# One schema: its dump is without the extension, which must be there first; and pg_restore -n leaves out CREATE SCHEMA.
	way($user, $from, 'one schema', $creates, [ 'pg_dump', '-n', 'public', '-Fc', '-f', '{dump}', '{from}' ],
		[ @restore, '-n', 'public', '-d', '{to}', '{dump}' ]);
	way($user, $from, 'template', [ 'psql', '-Xq', '-d', 'postgres',
		'-c', 'DROP DATABASE {to}', '-c', 'CREATE DATABASE {to} OWNER keeper TEMPLATE {from}' ]);
}
way('postgres', 'kept', 'as another role', @custom,
	[ 'pg_restore', '-e', '--no-owner', '--role=keeper', '-d', '{to}', '{dump}' ]);

# A superuser's restore makes the extension the superuser's: pg_dump knows no owner of an extension.
$node->safe_psql('postgres', 'CREATE DATABASE superuser OWNER keeper');
try_ok($node, 'a dump of the owner is restored by the superuser', $said, 'bash', '-c',
	'pg_dump -Fc kept | pg_restore -e -d superuser');
is(differences($node->connstr('kept'), $node->connstr('superuser')),
	"-owner discovery: keeper\n+owner discovery: postgres\n", 'and the owner of the extension is all that differs');

# What does not belong together ends in errors that are seen.
sub refused
{
	my ($name, $message, $sql, $check, $expected, @command) = @_;
	$node->safe_psql('postgres', 'DROP DATABASE IF EXISTS bad');
	$node->safe_psql('postgres', 'CREATE DATABASE bad OWNER keeper');
	$node->safe_psql('bad', $sql) if $sql;
	my ($status, $out, $err) = try($node, @command);
	isnt($status, 0, "$name: refused");
	like($err, $message, "$name: says so");
	is(value($node, 'bad', $check), $expected, "$name: nothing half done");
}
my $dump = "$dir/custom";
try($node, 'pg_dump', '-Fc', '-f', $dump, 'kept');
try($node, 'pg_dump', '-Fc', '-n', 'public', '-f', "$dump.schema", 'kept');
try($node, 'pg_dump', '--column-inserts', '-f', "$dump.sql", 'kept');
refused('one schema without the extension', qr/function public\.uuid_v7\(\) does not exist/, '',
	"SELECT to_regclass('sources') IS NULL", 't', 'pg_restore', '-d', 'bad', "$dump.schema");
refused('over a store without --clean', qr/relation "discovery_deletions" already exists/, "CREATE EXTENSION discovery",
	"SELECT count(*) FROM notebooks", '0', 'pg_restore', '-1', '-d', 'bad', $dump);
refused('a list without the extension', qr/function public\.uuid_v7\(\) does not exist/, '',
	"SELECT to_regclass('sources') IS NULL", 't',
	'bash', '-c', "pg_restore -l '$dump' | grep -v EXTENSION > '$dir/part'; pg_restore -L '$dir/part' -d bad '$dump'");
refused('forced row security and its owner',
	qr/query would be affected by row-level security policy for table "sources"/,
	'SET ROLE keeper; CREATE EXTENSION discovery;
		ALTER TABLE sources ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY',
	"SELECT 1", '1', 'pg_dump', '-U', 'keeper', '-f', "$dir/none", 'bad');
refused('triggers disabled by no superuser', qr/permission denied: "RI_ConstraintTrigger/,
	'SET ROLE keeper; CREATE EXTENSION discovery', "SELECT count(*) FROM sources", '0',
	'pg_restore', '-U', 'keeper', '-1', '--data-only', '--disable-triggers', '-d', 'bad', $dump);

# The store was left to the dump, and the dump has none: said by a WARNING, and made by the command that it names.
$node->safe_psql('postgres', 'CREATE DATABASE without');
$node->safe_psql('postgres', 'CREATE DATABASE target');
$node->safe_psql('without', 'SET discovery.create_store = off; CREATE EXTENSION discovery');
my ($status, $out, $err) = try($node, 'bash', '-c', 'pg_dump without | psql -Xq -v ON_ERROR_STOP=1 target');
my $create = qr/SELECT public\.discovery_create_store\('public'\);/;
like($err,
	qr/^WARNING:  did not create a store.*\nDETAIL:.*\nHINT:  If no dump is being restored, run: ($create)\n\z/m,
	'a dump without a store: a warning');
is(value($node, 'target', 'SELECT state FROM discovery_status()'), 'missing', 'and status says it');
$err =~ /(SELECT public.*)/;
isnt(value($node, 'target', $1), '', 'the command of the hint');
is(value($node, 'target', 'SELECT state FROM discovery_status()'), 'current', 'and there is a store');

# The whole cluster, roles with it.
my $other = new_server('other');
try_ok($node, 'pg_dumpall', '', 'pg_dumpall', '-l', 'kept', '-f', "$dir/all");
$node->safe_psql('postgres', "DROP DATABASE to$_") foreach split /\n/,
	value($node, 'postgres', "SELECT substr(datname, 3) FROM pg_database WHERE datname ~ '^to[0-9]'");
$node->safe_psql('postgres', "DROP DATABASE $_") foreach qw(bad without target superuser);
try_ok($node, 'pg_dumpall', '', 'pg_dumpall', '-f', "$dir/all");
try_ok($other, 'restored into another cluster', 'did not create a store|role "\w+" already exists',
	'psql', '-Xq', '-o', '/dev/null', '-d', 'postgres', '-f', "$dir/all");
foreach my $database ('kept', 'managed')
{
	# The superuser that restored it owns the extension.
	is(differences($node->connstr($database), $other->connstr($database)),
		$database eq 'kept' ? "-owner discovery: keeper\n+owner discovery: postgres\n" : '',
		"$database: the same store there");
	is(value($other, $database, $counts), '', "$database: right counts there");
}

done_testing();
