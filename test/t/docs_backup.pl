# docs/backup.md: every command of the page is run, prints what the page says, and leaves the same store.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Pages;
use Stores;
use PostgreSQL::Test::Utils;
use Test::More;

my $page = "$FindBin::RealBin/../../docs/backup.md";
my $node = documentation_server();
# The page's superuser is `postgres`, whoever runs this.
$node->safe_psql('postgres',
	"DO \$\$ BEGIN CREATE ROLE postgres SUPERUSER LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END \$\$");
$node->safe_psql('postgres', 'CREATE ROLE other_user LOGIN');
$node->append_conf('postgresql.conf', "wal_level = logical\nmax_wal_senders = 4");
$node->restart;
# The files that it writes lie here.
chdir $PostgreSQL::Test::Utils::tmp_check;
run_page($page);

my @but_history = ('--except', 'history');
same_stores($node, 'discovery_db', 'restored_db', 'restored: the same store');
same_stores($node, 'discovery_db', 'plain_db', 'restored by psql: the same store');
same_stores($node, 'discovery_db', 'try_db', 'copied, dropped and back: the same store');
same_stores($node, 'discovery_db', 'schema_db', 'one schema: the same store');
same_stores($node, 'discovery_db', 'data_db', 'data alone: the same store', @but_history);
same_stores($node, 'discovery_db', 'subscriber_db', 'replicated: the same store', @but_history);
same_stores($node, 'discovery_db', 'other_db', 'another owner: the same store', '--except', 'owner,privileges');
is(value($node, 'other_db', 'SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = $$public$$'), 'other_user',
	'all is the other owner\'s');
is(value($node, 'other_db', 'SELECT extowner::regrole FROM pg_extension WHERE extname = $$discovery$$'), 'other_user',
	'the extension too');

# What the table at its end says that one sees stands in the tests that provoke it.
my $tests = join '', map { slurp_file("$FindBin::RealBin/$_.pl") } qw(dump_restore dump_data dump_versions);
like($tests, qr/\Q$_\E/, "provoked elsewhere: $_") foreach
	'function public\.uuid_v7\(\) does not exist', 'already exists', 'permission denied: "RI_ConstraintTrigger',
	'query would be affected by row-level security policy', 'column "rating" of relation "sources" does not exist';

done_testing();
