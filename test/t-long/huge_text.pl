# A text and a file of 900 MB: the trigger and add_source() hash them right, and a cancel ends the hashing at once.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/../t/lib";
use PostgreSQL::Test::Utils;
use Digest::SHA;
use Stores;
use Test::More;
use Time::HiRes qw(time);

my $megabytes = 900;
# The text once as given and once as stored in a row, with what the server copies on the way.
my $needed = 6 * 1024;
my ($memory) = slurp_file('/proc/meminfo') =~ /^MemAvailable:\s+(\d+)/m;
plan skip_all => "this needs $needed MB of memory" if $memory / 1024 < $needed;

my $node = new_server('main', conf => "shared_buffers = 64MB\nmax_wal_size = 4GB\nautovacuum = off\n");
$node->safe_psql('postgres', <<~'END');
	CREATE EXTENSION discovery;
	ALTER TABLE sources ALTER extracted_text SET STORAGE EXTERNAL;
	INSERT INTO notebooks (id, name) VALUES ('00000000-0000-4000-8000-000000000001', 'huge');
	END
my $digest = Digest::SHA->new(256);
my $piece = 'huge' x (256 * 1024);
$digest->add($piece) foreach 1 .. $megabytes;
my $hash = $digest->hexdigest;
my $huge = "repeat('huge', $megabytes * 256 * 1024)";
my $row = "INSERT INTO sources (notebook_id, name, source_type, extracted_text)
	SELECT id, 'huge', 'text', $huge FROM notebooks";
my $look = 'SELECT content_hash, octet_length(extracted_text) FROM sources';
my $size = $megabytes * 1024 * 1024;

$node->safe_psql('postgres', $row);
is(value($node, 'postgres', $look), "$hash|$size", 'INSERT: the hash of a text of 900 MB');
is(value($node, 'postgres', 'SELECT count(*) FROM check_source_hashes()'), 0,
	'check_source_hashes() reads it the same');
is(value($node, 'postgres', "UPDATE sources SET name = 'renamed' RETURNING content_hash"), $hash,
	'UPDATE of another column');
is(value($node, 'postgres',
	"SELECT outcome FROM notebooks, add_source(notebooks.id, 'x', 'file', content => convert_to($huge, 'UTF8'))"),
	'duplicate', 'add_source(): bytes of the same content');
is(value($node, 'postgres',
	"SELECT outcome FROM notebooks, add_source(notebooks.id, 'x', 'text', extracted_text => $huge)"),
	'duplicate', 'add_source(): the same text');

# A time limit of a twentieth of what the whole takes ends it long before the value is hashed to its end.
foreach my $case (
	[ 'content_hash()', 'SELECT content_hash(extracted_text) FROM sources' ],
	[ 'the trigger', "UPDATE sources SET content_hash = ''" ],
	[ 'add_source()',
		"SELECT outcome FROM sources, add_source(notebook_id, 'y', 'text', extracted_text => sources.extracted_text)" ],
	[ 'check_source_hashes()', 'SELECT * FROM check_source_hashes()' ])
{
	my ($name, $statement) = @$case;
	my $start = time;
	$node->safe_psql('postgres', $statement);
	my $whole = time - $start;
	my $limit = int($whole * 1000 / 20) + 1;
	$start = time;
	my ($status, $out, $err) = try_psql($node, 'postgres', "SET statement_timeout = $limit; $statement");
	my $part = time - $start;
	note(sprintf('%s: %.2f s, cancelled after %.2f s', $name, $whole, $part));
	like($err, qr/canceling statement due to statement timeout/, "$name: is cancelled");
	cmp_ok($part, '<', $whole / 2, "$name: at once");
}
is(value($node, 'postgres', $look), "$hash|$size", 'nothing is changed by that');

done_testing();
