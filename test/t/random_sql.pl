# Random statements over few ids: CTEs that write several times, MERGE, ON CONFLICT, cascades, moves, soft deletes,
# restores, our functions, savepoints and errors. After each transaction every count is right, and no content is live
# twice.
#   CALLS=n   how many transactions; SEED=n   which ones: the same seed runs the same statements again
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $calls = $ENV{CALLS} || 500;
my $seed = $ENV{SEED} || 20261126;
srand($seed);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--locale=C.UTF-8', '--encoding=UTF8' ]);
$node->append_conf('postgresql.conf', "fsync = off\n");
$node->start;
my $has_merge = $node->safe_psql('postgres', 'SHOW server_version_num') >= 150000;
$node->safe_psql('postgres', 'CREATE EXTENSION discovery');

sub pick { return $_[ int rand @_ ]; }
sub notebook { return sprintf "'00000000-0000-4000-8000-00000000000%d'::uuid", 1 + int rand 4; }
sub source { return sprintf "'00000000-0000-4000-9000-0000000000%02d'::uuid", 1 + int rand 8; }
sub hash { return pick("'a'", "'b'", "'c'", "''"); }
sub deleted { return pick('NULL', 'NULL', 'now()'); }

# Parts of statements: each writes, and returns something.
my @parts = (
	sub { 'INSERT INTO notebooks (id, name) VALUES (' . notebook() . ", 'n' || " . int(rand 1e9) . ') RETURNING id' },
	sub {
		'INSERT INTO notebooks (id, name) VALUES (' . notebook() . ", 'n' || " . int(rand 1e9) .
		  ') ON CONFLICT (id) DO ' . pick('NOTHING', 'UPDATE SET description = excluded.name') . ' RETURNING id';
	},
	sub { 'DELETE FROM notebooks WHERE id = ' . notebook() . ' RETURNING id' },
	sub { 'UPDATE notebooks SET id = ' . notebook() . ' WHERE id = ' . notebook() . ' RETURNING id' },
	sub { 'UPDATE notebooks SET source_count = 99, description = random() WHERE id = ' . notebook() . ' RETURNING id' },
	sub {
		'INSERT INTO sources (id, notebook_id, name, source_type, content_hash, deleted_at) VALUES (' .
		  join(', ', source(), notebook(), "'s'", "'file'", hash(), deleted()) . ') RETURNING id';
	},
	sub {
		'INSERT INTO sources (id, notebook_id, name, source_type, content_hash) SELECT id, ' . notebook() .
		  ", 's', 'file', '' FROM (VALUES (" . source() . '), (' . source() .
		  ')) AS v (id) GROUP BY id ON CONFLICT (id) DO ' .
		  pick('NOTHING', 'UPDATE SET notebook_id = excluded.notebook_id', 'UPDATE SET deleted_at = now()',
			'UPDATE SET deleted_at = NULL') . ' RETURNING id';
	},
	sub { 'UPDATE sources SET notebook_id = ' . notebook() . ' WHERE id = ' . source() . ' RETURNING id' },
	sub { 'UPDATE sources SET notebook_id = ' . notebook() . ' WHERE notebook_id = ' . notebook() . ' RETURNING id' },
	sub {
		'UPDATE sources SET deleted_at = ' . deleted() . ' WHERE id IN (' . source() . ', ' . source() . ') RETURNING id';
	},
	sub { 'UPDATE sources SET deleted_at = ' . deleted() . ' WHERE notebook_id = ' . notebook() . ' RETURNING id' },
	sub { 'DELETE FROM sources WHERE id = ' . source() . ' RETURNING id' },
	sub { 'DELETE FROM sources WHERE notebook_id = ' . notebook() . ' RETURNING id' },
);
my @statements = (
	(sub { pick(@parts)->() }) x 3,
	# Several of them in one statement.
	(   sub {
			my @with = map { "p$_ AS (" . pick(@parts)->() . ')' } 1 .. 1 + rand 3;
			'WITH ' . join(', ', @with) . ' ' . pick(@parts)->();
		}) x 4,
	# A notebook is replaced, or changes places with another.
	sub {
		my $id = notebook();
		"WITH gone AS (DELETE FROM notebooks WHERE id = $id RETURNING id, name) " .
		  'INSERT INTO notebooks (id, name) SELECT id, name FROM gone';
	},
	sub {
		my ($from, $to) = (notebook(), notebook());
		"WITH moved AS (UPDATE sources SET notebook_id = $to WHERE notebook_id = $from) " .
		  "UPDATE notebooks SET id = $to WHERE id = $from";
	},
	sub {
		my ($from, $to) = (notebook(), notebook());
		"UPDATE notebooks SET id = CASE id WHEN $from THEN $to ELSE $from END WHERE id IN ($from, $to)";
	},
	sub {
		my $id = notebook();
		"WITH renamed AS (UPDATE notebooks SET id = gen_random_uuid() WHERE id = $id) " .
		  "INSERT INTO notebooks (id, name) VALUES ($id, 'r' || " . int(rand 1e9) . ')';
	},
	sub {
		'MERGE INTO sources AS s USING (VALUES (' . source() . '), (' . source() . ')) AS v (id) ON s.id = v.id ' .
		  'WHEN MATCHED AND s.deleted_at IS NULL THEN ' .
		  pick('DELETE', 'UPDATE SET deleted_at = now()', 'UPDATE SET notebook_id = ' . notebook()) .
		  " WHEN NOT MATCHED THEN INSERT (id, notebook_id, name, source_type, content_hash) VALUES (v.id, " . notebook() .
		  ", 'm', 'file', '')";
	},
	sub {
		'MERGE INTO notebooks AS n USING (VALUES (' . notebook() . ')) AS v (id) ON n.id = v.id WHEN MATCHED THEN ' .
		  pick('DELETE', 'UPDATE SET source_count = 7') . " WHEN NOT MATCHED THEN INSERT (id, name) VALUES (v.id, 'm' || " .
		  int(rand 1e9) . ')';
	},
	sub { 'SELECT * FROM add_source(' . notebook() . ", 's', 'file', content_hash => " . hash() . ')' },
	sub { 'SELECT * FROM delete_source(' . source() . ')' },
	sub { 'SELECT * FROM restore_source(' . source() . ", '" . pick('error', 'keep_deleted') . "')" },
	sub { 'SELECT restore_sources(deletion_id) FROM deleted_sources WHERE id = ' . source() },
	sub { "SELECT * FROM purge_deleted_sources('0')" },
	sub { 'TRUNCATE sources' x (rand() < 0.05) },
);

my $script = '';
foreach my $call (1 .. $calls)
{
	$script .= "\\echo transaction $call\nBEGIN;\n";
	foreach my $part (1 .. 1 + rand 4)
	{
		# An error undoes the statement alone, or the transaction.
		my $keeps = rand() < 0.8;
		my $statement = pick(@statements)->();
		$script .= "SAVEPOINT s;\n" if $keeps;
		$script .= "$statement;\n";
		my $ends = "\\if :ERROR\nROLLBACK TO s;\n\\else\nRELEASE s;\n\\endif\n";
		$script .= pick("ROLLBACK TO s;\n", ($ends) x 4) if $keeps;
		$script .= pick('', "SELECT sum(source_count) FROM notebooks;\n");
	}
	$script .= pick(('COMMIT') x 5, 'ROLLBACK') . ";\n";
	$script .= "SELECT 'WRONG transaction $call: ' || c::text FROM check_source_counts() AS c;\n";
	$script .= "SELECT 'WRONG transaction $call: duplicate' FROM live_sources WHERE content_hash <> ''"
	  . " GROUP BY notebook_id, content_hash HAVING count(*) > 1;\n";
}
my ($out, $err) = ('', '');
$node->psql('postgres', $script, stdout => \$out, stderr => \$err, on_error_stop => 0,
	extra_params => [ '-v', 'VERBOSITY=verbose' ]);
my @wrong = grep { /WRONG/ } split /\n/, $out;
splice @wrong, 3 if @wrong > 3;
is("@wrong", '', "$calls random transactions of seed $seed: counts are right, nothing is live twice");
my %states;
$states{$1}++ while $err =~ /ERROR:  ([0-9A-Z]{5}):/g;
my @unexpected = grep { !/^(22004|23503|23505|21000|25P02|P0002|3B001|27000)$/ } sort keys %states;
is("@unexpected", '', 'the only errors are those of the statements');
diag(join(', ', map { "$_ x $states{$_}" } sort keys %states));
is($node->safe_psql('postgres', 'SELECT count(*) > 0 FROM notebooks'), 't', 'there is something left to be counted');
done_testing();
