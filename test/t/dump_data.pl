# Data alone, restored into a store that CREATE EXTENSION made: with triggers switched off, as a superuser may, and with
# the store's triggers at work, which then must not spoil what the dump says.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Utils;
use Stores;
use Test::More;

my $node = new_server('main');
my $dump = "$PostgreSQL::Test::Utils::tmp_check/dump";
$node->safe_psql('postgres', 'CREATE ROLE keeper LOGIN CREATEDB; CREATE ROLE reader');
$node->safe_psql('postgres', 'CREATE DATABASE kept OWNER keeper');
$node->safe_psql('kept', 'SET ROLE keeper; CREATE EXTENSION discovery');
script($node, 'kept', '@keeper', 'rows', 'deletions', 'additions');
my $counts = 'SELECT * FROM check_source_counts()';

my $number = 0;
# The objects are compared too: so the target gets the user's own before.
sub way
{
	my ($user, $name, $allowed, @commands) = @_;
	my $to = 'to' . ++$number;
	$node->safe_psql('postgres', "CREATE DATABASE $to OWNER keeper");
	$node->safe_psql($to, 'SET ROLE keeper; CREATE EXTENSION discovery');
	script($node, $to, '@keeper', 'additions');
	try_ok($node, "$user: $name", $allowed, [$user], map { s/\{to\}/$to/r } @$_) foreach @commands;
	same_stores($node, 'kept', $to, "$user: $name: the same objects and rows", '--except', 'history');
	is(value($node, $to, $counts), '', "$user: $name: right counts");
	is( value($node, $to, "SELECT count(*) FROM discovery_migrations"),
		2 * value($node, 'kept', 'SELECT count(*) FROM discovery_migrations'),
		"$user: $name: both histories");
	is(value($node, $to, 'SELECT state FROM discovery_status()'), 'current', "$user: $name: status");
	return;
}
try_ok($node, 'dump', '', 'pg_dump', '-Fc', '-f', $dump, 'kept');
try_ok($node, 'dump with inserts', '', 'pg_dump', '--data-only', '--inserts', '-f', "$dump.inserts", 'kept');
way('postgres', 'triggers disabled', '',
	[ 'pg_restore', '-e', '--data-only', '--disable-triggers', '-d', '{to}', $dump ]);
way('postgres', 'replication role', '',
	[ 'bash', '-c', "PGOPTIONS='-c session_replication_role=replica' pg_restore -e --data-only -d {to} '$dump'" ]);
foreach my $user ('postgres', 'keeper')
{
	way($user, 'data only', '', [ 'pg_restore', '-e', '--data-only', '-d', '{to}', $dump ]);
	way($user, 'section data', '', [ 'pg_restore', '-e', '-1', '--section=data', '-d', '{to}', $dump ]);
	way($user, 'inserts', '', [ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', "$dump.inserts", '-d', '{to}' ]);
	# The tables of the user's data alone, without the store's record.
	my $to = $number + 1;
	$node->safe_psql('postgres', "CREATE DATABASE tables$to OWNER keeper");
	$node->safe_psql("tables$to", 'SET ROLE keeper; CREATE EXTENSION discovery');
	script($node, "tables$to", '@keeper', 'additions');
	try_ok($node, "$user: by table", '', [$user], 'bash', '-c',
		'pg_dump -a -t notebooks -t sources -t outputs -t discovery_deletions -t discovery_trash kept'
		. " | psql -Xq -o /dev/null -v ON_ERROR_STOP=1 tables$to");
	same_stores($node, 'kept', "tables$to", "$user: by table: the same objects and rows", '--except', 'history');
}

# Into a store without the user's own column: an error, and with -1 nothing half done.
$node->safe_psql('postgres', 'CREATE DATABASE bare');
$node->safe_psql('bare', 'CREATE EXTENSION discovery');
my ($status, $out, $err) = try($node, 'pg_restore', '-1', '--data-only', '-d', 'bare', $dump);
isnt($status, 0, 'data without the column they have: refused');
like($err, qr/column "rating" of relation "sources" does not exist/, 'and says so');
is(value($node, 'bare', 'SELECT count(*) FROM notebooks'), '0', 'nothing half done');
($status, $out, $err) = try($node, 'pg_restore', '--data-only', '-d', 'bare', $dump);
isnt($status, 0, 'without -1: refused too');
is(value($node, 'bare', 'SELECT count(*), sum(source_count) FROM notebooks'), '4|0',
	'notebooks are there, with the counts of what is there');
is(value($node, 'bare', 'SELECT count(*) FROM sources'), '0', 'and sources are not there in part');

# Into a store that has the rows already.
($status, $out, $err) = try($node, 'pg_restore', '--data-only', '-d', 'kept', $dump);
like($err, qr/duplicate key value violates unique constraint/, 'twice the same data: refused');
is(value($node, 'kept', $counts), '', 'and the counts are still right');

# The trigger gives a content hash to sources that have none, so the dump is restored to the letter only with triggers
# off.
$node->safe_psql('postgres', 'CREATE DATABASE blank');
$node->safe_psql('blank', "CREATE EXTENSION discovery VERSION '1.0';
	INSERT INTO notebooks (id, name) VALUES (gen_random_uuid(), 'n');
	INSERT INTO sources (id, notebook_id, name, source_type, content_hash, extracted_text)
		SELECT gen_random_uuid(), id, 's', 'text', '', 'abc' FROM notebooks;
	ALTER EXTENSION discovery UPDATE");
foreach my $how ([ '', '0' ], [ '--disable-triggers', '1' ])
{
	$node->safe_psql('postgres', 'DROP DATABASE IF EXISTS blank2');
	$node->safe_psql('postgres', 'CREATE DATABASE blank2');
	$node->safe_psql('blank2', 'CREATE EXTENSION discovery');
	try_ok($node, "blank hashes, data only $how->[0]", '', 'bash', '-c',
		"pg_dump -Fc blank | pg_restore -e --data-only $how->[0] -d blank2");
	is(value($node, 'blank2', "SELECT count(*) FROM sources WHERE content_hash = ''"), $how->[1],
		"blank hashes $how->[0]");
	is(value($node, 'blank2', $counts), '', 'right counts');
}

done_testing();
