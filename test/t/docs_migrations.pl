# docs/migrations.md: each statement and command on it is run in its order, in a copy of the checkout, and prints what
# the page says; and the recipe that tries again does, when a lock is in its way.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Cwd qw(abs_path);
use File::Temp qw(tempdir);
use IPC::Run;
use Pages;
use Test::More;

my $top = abs_path("$FindBin::RealBin/../..");
# `make migration` writes into the checkout; what it was before is in checkout.tar.
my $copy = tempdir(CLEANUP => 1);
system("cd '$top' && tar -cf '$copy/checkout.tar' --exclude='*.o' --exclude='*.bc' --exclude='*.so'"
	. " --exclude=./.git --exclude=./src/store/scripts.inc . && cd '$copy' && tar -xf checkout.tar") == 0
	or die 'no copy of the checkout';
chdir $copy or die;

my $node = documentation_server();
my $page = "$top/docs/migrations.md";
my $ran = run_page($page);
cmp_ok($ran, '>', 20, 'the page has been run');

# The recipe for a busy database, while somebody reads: others read and write meanwhile, and then it succeeds.
my ($text) = map { $_->{text} }
	grep { $_->{kind} eq 'console' && $_->{text} =~ /lock_timeout = '10min'/ } blocks_of(scalar `cat '$page'`);
my ($recipe) = $text =~ /^\$ ((?:.*\\\n)*.*)\n/;
fresh_database();
$node->safe_psql('discovery_db', "SET ROLE discovery_user; CREATE EXTENSION discovery VERSION '1.0'");
my $reader = $node->background_psql('discovery_db');
$reader->query_safe('BEGIN; SELECT FROM notebooks');
my ($out, $handle) = ('');
{
	local %ENV = (%ENV,
		DATABASE_URL => 'host=' . $node->host . ' port=' . $node->port . ' user=discovery_user dbname=discovery_db');
	$handle = IPC::Run::start([ 'bash', '-c', $recipe ], '<', \undef, '>', \$out, '2>&1', IPC::Run::timer(120));
}
$node->poll_query_until('discovery_db', "SELECT count(*) > 0 FROM pg_stat_activity
	WHERE query = 'SELECT discovery_upgrade()' AND wait_event_type IN ('Lock', 'Extension')");
foreach my $number (1 .. 5)
{
	is($node->safe_psql('discovery_db', "INSERT INTO notebooks (id, name) VALUES (gen_random_uuid(), 'n$number')
		RETURNING name"), "n$number", 'others do not wait for the end of the reader');
}
$reader->query_safe('COMMIT');
$reader->quit;
$handle->finish;
like($out, qr/\A(?:SET\n)? discovery_upgrade \n.*\n +\d+\.\d+\n\(1 row\)\n+\z/, 'then the upgrade succeeds');
is($node->safe_psql('discovery_db',
	'SELECT discovery_version() = max(version) FROM pg_available_extension_versions WHERE name = \'discovery\''), 't',
	'the store is at the newest version');
done_testing();
