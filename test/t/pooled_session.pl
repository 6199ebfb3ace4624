# What a session of a connection pool may bring along in its start packet, and what it keeps while it serves one
# store after another.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stores;
use Test::More;

my $node = new_server('main');
$node->safe_psql('postgres', "CREATE DATABASE app ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER libc
	TEMPLATE template0");
$node->safe_psql('app', 'CREATE EXTENSION discovery');
$node->safe_psql('app', "INSERT INTO notebooks (name) VALUES ('n');
	INSERT INTO sources (notebook_id, name, source_type) SELECT id, s, 'text'
	FROM notebooks, unnest('{a,b}'::text[]) AS s");

# The server takes a setting in the start packet before it knows the database's encoding. The log must not have bytes
# that are no text there: its dump would not be restored.
{
	local $ENV{PGOPTIONS} = "-c discovery.reason=caf\xe9";
	foreach my $statement ("UPDATE sources SET deleted_at = now() WHERE name = 'a'",
		"SELECT delete_source(id) FROM sources WHERE name = 'a'")
	{
		my ($status, $out, $err) = try_psql($node, 'app', $statement, extra_params => [ '-v', 'VERBOSITY=verbose' ]);
		isnt($status, 0, "$statement: fails with a reason that is not in the database's encoding");
		like($err, qr/ERROR:  22021: invalid value for parameter "discovery\.reason"/, 'and says why');
	}
	is(value($node, 'app', 'SELECT count(*) FROM live_sources'), '2', 'nothing is deleted');
	is(value($node, 'app', 'SELECT name FROM sources ORDER BY 1'), "a\nb", 'what needs no reason works');
}
{
	local $ENV{PGOPTIONS} = "-c discovery.reason=caf\xc3\xa9";
	$node->safe_psql('app', "UPDATE sources SET deleted_at = now() WHERE name = 'a'");
	is(value($node, 'app', "SELECT reason = U&'caf\\00e9' FROM discovery_deletions"), 't', 'a right one is logged');
}

# One session serves many stores, one after another, which are dropped again. What it keeps is bounded.
my $serve = '';
foreach my $number (1 .. 60)
{
	$serve .= <<"END";
CREATE SCHEMA tenant_$number;
SELECT discovery_create_store('tenant_$number');
SET search_path = tenant_$number, public;
INSERT INTO notebooks (name) VALUES ('n') RETURNING id AS notebook \\gset
SELECT id AS source FROM add_source(:'notebook', 's', 'text', extracted_text => 't') \\gset
SELECT deletion_id AS deletion FROM delete_source(:'source') \\gset
SELECT restore_sources(:'deletion');
SELECT delete_source(:'source');
SELECT add_source(:'notebook', 's', 'text', extracted_text => 't');
SELECT hold_source(:'source', 'x');
SELECT release_source(:'source');
SELECT purge_deleted_sources('0');
SET search_path = public;
DROP SCHEMA tenant_$number CASCADE;
SELECT 'plans', count(*) FROM pg_backend_memory_contexts WHERE name = 'CachedPlanSource';
END
}
my ($status, $out, $err) = try_psql($node, 'app', "SET client_min_messages = error;
	SET discovery.allow_data_loss = on; $serve");
is($err, '', 'sixty stores served');
my @plans = $out =~ /^plans\|(\d+)$/mg;
is(scalar @plans, 60, 'and looked at after each');
diag("plans after each store: @plans");
cmp_ok($plans[0], '>', 5, 'the statements for a store are kept');
cmp_ok((sort { $a <=> $b } @plans)[-1], '<', 300, 'but not more of them than a bound');
cmp_ok($plans[-1], '<', 300, 'at the end too');

# Downgrades and upgrades in one session keep no memory, but for what PostgreSQL keeps of its catalogs. A context grows
# by blocks of twice the size, so what is in use is measured.
$node->safe_psql('postgres', 'CREATE DATABASE cycles');
my $cycle = "ALTER EXTENSION discovery UPDATE TO '1.0'; ALTER EXTENSION discovery UPDATE TO '1.1';\n";
my $memory = "SELECT 'memory', sum(used_bytes) FROM pg_backend_memory_contexts;\n";
($status, $out, $err) = try_psql($node, 'cycles', "SET client_min_messages = error; CREATE EXTENSION discovery;\n"
	. $cycle x 10 . $memory . $cycle x 30 . $memory);
is($err, '', 'forty downgrades and upgrades');
my ($before, $after) = $out =~ /^memory\|(\d+)$/mg;
diag("memory after 10 and 40 cycles: $before, $after");
cmp_ok($after - $before, '<', 30 * 20 * 1024, 'a cycle keeps less than 20 kB');

$node->stop;
done_testing();
