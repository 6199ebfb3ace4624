# docs/schema.svg is what test/tools/schema-diagram draws of a fresh store.
use strict;
use warnings;
use FindBin;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = "$FindBin::RealBin/../..";
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres',
	'CREATE SCHEMA store; CREATE EXTENSION discovery SCHEMA store; CREATE TABLE store.unrelated (id integer)');

my $drawn = '';
my $connection = $node->connstr('postgres') . " options='-c search_path=store'";
ok(IPC::Run::run([ "$top/test/tools/schema-diagram", $connection ], '>', \$drawn), 'the diagram is drawn');
ok($drawn eq slurp_file("$top/docs/schema.svg"),
	'docs/schema.svg is up to date (else: test/tools/schema-diagram CONNECTION >docs/schema.svg, with a fresh store)');

# The comparison sees a change.
$node->safe_psql('postgres', 'ALTER TABLE store.sources ADD COLUMN rating integer');
my $altered = '';
IPC::Run::run([ "$top/test/tools/schema-diagram", $connection ], '>', \$altered);
isnt($altered, $drawn, 'a column more is another diagram');
like($altered, qr/>rating</, 'that has the column');

my $error = '';
ok(!IPC::Run::run([ "$top/test/tools/schema-diagram", $node->connstr('postgres') ], '>', \$altered, '2>', \$error),
	'no store, no diagram');
like($error, qr/no store in search_path/, 'and it says why');
done_testing();
