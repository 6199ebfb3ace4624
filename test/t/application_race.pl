# The application's own statements, not one of them changed, from four processes that import the same 200 documents into
# one notebook: it reads whether the content is there, and then writes. At 1.0 that leaves duplicates (if not, this test
# shows nothing), which the upgrade puts away without losing a row; at 1.1 exactly 200 live, and a source_count of 200.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Utils;
use Stores;
use Test::More;

# A commit takes as long as on a disk of its own, however fast this machine's is.
my $node = new_server('main', conf => "fsync = on\ncommit_delay = 2000\ncommit_siblings = 0\n");
my $notebook = '00000000-0000-4000-8000-000000000001';
my ($workers, $documents) = (4, 200);

# One import, statement by statement; the client's own decisions stand in the \if. It takes an error of its INSERT as
# any error of the database: ROLLBACK, and the import is refused.
my $import = <<~'END';
	SELECT encode(sha256(convert_to(:'text', 'UTF8')), 'hex') AS hash, gen_random_uuid() AS id,
	    timezone('UTC', clock_timestamp()) AS now \gset
	BEGIN;
	SELECT id, name, description, tags, created_at, updated_at, source_count, output_count
	    FROM notebooks WHERE id = :'notebook';
	SELECT count(*) > 0 AS is_there FROM (SELECT id, name FROM sources
	    WHERE notebook_id = :'notebook' AND content_hash = :'hash' AND deleted_at IS NULL) AS found \gset
	\if :is_there
	    ROLLBACK;
	    \echo refused
	\else
	    SELECT id, name, content_hash, deleted_at FROM sources WHERE id = :'id';
	    INSERT INTO sources (id, notebook_id, name, source_type, file_type, url, file_path, file_size,
	                         content_hash, extracted_text, source_metadata, created_at, updated_at, deleted_at)
	        VALUES (:'id', :'notebook', :'text', 'text', NULL, NULL, NULL, NULL,
	                :'hash', :'text', '{}', :'now', :'now', NULL);
	    \if :ERROR
	        ROLLBACK;
	        \echo conflict
	    \else
	        COMMIT;
	        \echo imported
	        BEGIN;
	        SELECT id, name, content_hash FROM sources WHERE id = :'id';
	        SELECT name, tags, source_count + 1 AS source_count, output_count FROM notebooks WHERE id = :'notebook' \gset
	        UPDATE notebooks SET name = :'name', description = NULL, tags = :'tags', updated_at = :'now',
	            source_count = :source_count, output_count = :output_count WHERE id = :'notebook';
	        COMMIT;
	        SELECT id, name, source_count FROM notebooks WHERE id = :'notebook';
	    \endif
	\endif
	END
my $script = "$PostgreSQL::Test::Utils::tmp_check/imports.sql";
append_to_file($script, "\\set VERBOSITY sqlstate\n\\set notebook $notebook\n"
	  . join '', map { "\\set text 'document $_'\n$import" } 1 .. $documents);

# Runs the imports in a database; returns how often each outcome was, and the errors.
sub race
{
	my ($database) = @_;
	$node->safe_psql($database, "INSERT INTO notebooks (id, name) VALUES ('$notebook', 'raced')");
	my @sessions = map { { out => '', err => '' } } 1 .. $workers;
	# Whoever comes later finds all that is there and catches up with the first, and then they run side by side.
	$_->{run} = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr($database), '-f', $script ],
		'<', \undef, '>', \$_->{out}, '2>', \$_->{err}) foreach @sessions;
	my %outcomes = (imported => 0, refused => 0, conflict => 0);
	my $errors = '';
	foreach my $session (@sessions)
	{
		$session->{run}->finish;
		$outcomes{$_}++ foreach $session->{out} =~ /^(refused|conflict|imported)$/mg;
		$errors .= $session->{err};
	}
	note("$database: ", join ', ', map { "$outcomes{$_} $_" } sort keys %outcomes);
	is($outcomes{imported} + $outcomes{refused} + $outcomes{conflict}, $workers * $documents,
		"$database: every import ended in one way");
	$errors =~ s/^psql:.*: ERROR:  //mg;
	return (\%outcomes, $errors);
}

my $live = 'SELECT count(*) FROM sources WHERE deleted_at IS NULL';
my $contents = 'SELECT count(DISTINCT content_hash) FROM sources WHERE deleted_at IS NULL';
my $count = 'SELECT source_count FROM notebooks';
my $rows = q{SELECT md5(string_agg(row, '' ORDER BY row))
	FROM (SELECT concat_ws('|', id, notebook_id, name, content_hash, extracted_text, created_at)
		FROM sources) AS each (row)};

# At 1.0.
$node->safe_psql('postgres', 'CREATE DATABASE old');
$node->safe_psql('old', "CREATE EXTENSION discovery VERSION '1.0'");
my ($outcomes, $errors) = race('old');
my $raced = value($node, 'old', $live);
note("1.0: $raced live sources, source_count ", value($node, 'old', $count));
is($errors, '', '1.0: no error tells anybody');
is(value($node, 'old', $contents), $documents, '1.0: every content is there');
cmp_ok($raced, '>', $documents, '1.0: and there are duplicates: the race is one');
is($outcomes->{imported}, $raced, '1.0: each of which was reported as imported');

# What it left goes to 1.1.
my $before = value($node, 'old', $rows);
my $duplicates = $raced - $documents;
my ($status, $out, $err) = try_psql($node, 'old', "ALTER EXTENSION discovery UPDATE TO '1.1'");
is($status, 0, 'upgrade: done');
like($err, qr/WARNING:  duplicate sources were soft-deleted: $duplicates\n/,
	'upgrade: the WARNING has the number of the duplicates');
is(value($node, 'old', $live), $documents, 'upgrade: 200 live');
is(value($node, 'old', $contents), $documents, 'upgrade: one of each content');
is(value($node, 'old', $count), $documents, 'upgrade: source_count is right');
is(value($node, 'old', $rows), $before, 'upgrade: no row is lost');
is(value($node, 'old', 'SELECT sources FROM discovery_deletions'), $duplicates, 'upgrade: the log says how many');
is(value($node, 'old', 'SELECT count(*) FROM sources AS dead JOIN sources AS kept USING (notebook_id, content_hash)
	WHERE dead.deletion_id IS NOT NULL AND kept.deleted_at IS NULL
		AND (dead.created_at, dead.id) < (kept.created_at, kept.id)'), 0,
	'upgrade: the oldest of each stays');

# At 1.1.
$node->safe_psql('postgres', 'CREATE DATABASE new');
$node->safe_psql('new', "CREATE EXTENSION discovery VERSION '1.1'");
($outcomes, $errors) = race('new');
is(value($node, 'new', $live), $documents, '1.1: exactly 200 live sources');
is(value($node, 'new', $contents), $documents, '1.1: of 200 contents');
is(value($node, 'new', $count), $documents, '1.1: and a source_count of 200');
is($outcomes->{imported}, $documents, '1.1: each was reported as imported once');
is($errors, "23505\n" x $outcomes->{conflict}, '1.1: the only error is the INSERT that met a duplicate: 23505');
is(value($node, 'new', 'SELECT count(*) FROM check_source_counts()'), 0, '1.1: check_source_counts() agrees');

done_testing();
