# A store is prepared for an upgrade while clients of the old version write, and after every kind of interruption the
# preparation continues where it was; the step then reads no table, and the store is the same as one that was upgraded
# at once.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use IPC::Run;
use PostgreSQL::Test::Utils;
use Stores;
use Test::More;

my $node = new_server('main', conf => "wal_level = logical\nmax_wal_senders = 4\nmax_replication_slots = 4\n"
	. "max_prepared_transactions = 5\nautovacuum = off\n");
my $dir = $PostgreSQL::Test::Utils::tmp_check;

my $alter = "ALTER EXTENSION discovery UPDATE TO '1.1'";
my $upgrade = "SET client_min_messages = error; $alter";

# A database of the old version, with copies, hashes in capitals and wrong counts; its rows are the same each time.
sub old_store
{
	my ($database, $rows) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, "CREATE EXTENSION discovery VERSION '1.0';
		INSERT INTO notebooks (id, name, source_count) SELECT md5('n' || n)::uuid, 'notebook ' || n, n
			FROM generate_series(1, 50) AS n;
		INSERT INTO sources (id, notebook_id, name, source_type, content_hash, created_at, file_path)
			SELECT md5('s' || n)::uuid, md5('n' || 1 + n % 50)::uuid, 'source ' || n, 'text',
				CASE WHEN n % 7 = 0 THEN upper(encode(sha256((n / 1000)::text::bytea), 'hex'))
					ELSE encode(sha256(n::text::bytea), 'hex') END,
				timestamp '2024-01-01' + make_interval(secs => n), CASE WHEN n % 2 = 0 THEN '/files/' || n END
			FROM generate_series(1, $rows) AS n");
}
# The statements that are left; those of discovery_cancel_upgrade() too.
sub statements
{
	my ($database, $function) = @_;
	my $out = $node->safe_psql($database, 'SELECT statement FROM ' . ($function // 'discovery_prepare_upgrade()'),
		extra_params => [ '-R', "\x1e" ]);
	return split /\x1e/, $out;
}
# Runs what is left of a preparation, as psql's \gexec does; returns the errors.
sub prepare
{
	my ($database, %options) = @_;
	my ($status, $out, $error) = $node->psql($database, ($options{before} // '') .
		"SET client_min_messages = error;\nSELECT statement FROM discovery_prepare_upgrade()\n\\gexec\n",
		on_error_stop => 0);
	return $error;
}
sub state { return value($node, $_[0], 'SELECT state FROM discovery_status()'); }
# What must hold after the upgrade.
sub is_upgraded
{
	my ($database, $name, $version) = @_;
	is(value($node, $database, 'SELECT store_version, state FROM discovery_status()'), ($version // '1.1') . '|current',
		"$name: version");
	is(value($node, $database, 'SELECT count(*) FROM discovery_check()'), '0', "$name: shape");
	is(value($node, $database, 'SELECT count(*) FROM check_source_counts()'), '0', "$name: counts");
	is(value($node, $database, "SELECT count(*) FROM (SELECT FROM sources WHERE deleted_at IS NULL AND content_hash <> ''
		GROUP BY notebook_id, lower(content_hash) HAVING count(*) > 1) AS x"), '0', "$name: no duplicates");
	is(value($node, $database, "SELECT count(*) FROM sources WHERE deletion_id IS NOT NULL AND NOT EXISTS
		(SELECT FROM discovery_deletions d WHERE d.id = deletion_id)"), '0', "$name: its deletions are in the log");
	is(value($node, $database, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace
		AND relname ~ '__|preparation'"), '0', "$name: nothing of the preparation is left");
}
sub dump_of
{
	my ($database) = @_;
	system('pg_dump', '-s', '-f', "$dir/dump.sql", $node->connstr($database)) == 0 or die;
	return slurp_file("$dir/dump.sql") =~ s/^(--.*|\\(un)?restrict.*)?\n//mgr;
}
sub rows_of
{
	my ($database) = @_;
	return $node->safe_psql($database, "SELECT id, notebook_id, name, content_hash, deleted_at IS NULL FROM sources
		ORDER BY 1; SELECT id, source_count, updated_at = created_at FROM notebooks ORDER BY 1;
		SELECT sum(sources) FROM discovery_deletions");
}

# Each statement of a preparation is interrupted: by a lock that it does not get, a timeout, and a crash.
sub interrupt
{
	my ($database) = @_;
	while (my @left = statements($database))
	{
		my $statement = $left[0];
		my $short = $statement =~ s/\n.*//sr;
		# It waits for somebody who uses the tables, and fails.
		if ($node->can('background_psql'))
		{
			my $user = $node->background_psql($database);
			# So that CREATE INDEX CONCURRENTLY and ALTER TABLE wait; a batch waits for rows.
			$user->query_safe('BEGIN; UPDATE notebooks SET name = name; UPDATE sources SET name = name');
			my ($status, $out, $error) = $node->psql($database,
				"SET client_min_messages = error;\nSET lock_timeout = '300ms';\nSET statement_timeout = '2s';\n$statement",
				on_error_stop => 1);
			like($error, qr/lock|timeout/, "$short: it does not get its locks") if $status != 0;
			$user->query_safe('ROLLBACK');
			$user->quit;
		}
		# The server crashes while it runs.
		my $running = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr($database), '-c', $statement ],
			'>', \my $out, '2>', \my $error);
		$node->stop('immediate');
		eval { $running->finish };
		$node->start;
		# Continued.
		@left = statements($database);
		if (@left && $left[0] =~ /^DROP INDEX/)
		{
			$node->safe_psql($database, $left[0]);
			@left = statements($database);
		}
		$node->safe_psql($database, "SET client_min_messages = error;\n$left[0]") if @left && $left[0] eq $statement;
		my @now = statements($database);
		isnt($now[0] // '', $statement, "$short: it is done after interruptions");
		last if @now && $now[0] eq $statement;
	}
	is(state($database), 'prepared', 'the preparation was continued to its end');
	return;
}

# At once, and prepared: the same.
old_store($_, 5000) foreach qw(at_once ahead);
$node->safe_psql('at_once', $upgrade);
is_upgraded('at_once', 'at once');
is(prepare('ahead'), '', 'the statements run');
is(state('ahead'), 'prepared', 'the store is prepared');
$node->safe_psql('ahead', 'VACUUM ANALYZE');
# The step reads no table: it has only what takes constant time.
my $scans = "SELECT sum(seq_scan + coalesce(idx_scan, 0)), sum(n_tup_upd + n_tup_ins) FROM pg_stat_xact_user_tables
	WHERE relname IN ('sources', 'notebooks')";
is($node->safe_psql('ahead', "SET client_min_messages = error; BEGIN; $alter; $scans;
	COMMIT"), '0|0', 'the step of a prepared store reads and writes no row');
is_upgraded('ahead', 'prepared');
is(dump_of('ahead'), dump_of('at_once'), 'both ways lead to the same schema');
is(rows_of('ahead'), rows_of('at_once'), 'and to the same rows');

# Progress: the statements with their times at client_min_messages = info, from ALTER EXTENSION too, and not else.
old_store('told', 10);
foreach my $level (qw(info notice))
{
	my ($status, $out, $error) = $node->psql('told', "SET client_min_messages = $level; BEGIN; $alter; ROLLBACK");
	my $told = () = $error =~ /^psql:<stdin>:\d+: INFO:  step 1\.0 -> 1\.1: statement \d+ of \d+: [\d.]+ ms: /mg;
	ok($level eq 'info' ? $told > 20 : $told == 0, "client_min_messages = $level: $told statements are told");
}
# In pg_stat_activity, another session sees the statement that runs.
{
	my $reader = $node->background_psql('told') if $node->can('background_psql');
  SKIP:
	{
		skip 'no background_psql in this PostgreSQL', 2 unless $reader;
		$node->safe_psql('told', "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
			'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END';
			CREATE TRIGGER wait BEFORE UPDATE ON notebooks FOR EACH STATEMENT EXECUTE FUNCTION wait()");
		$reader->query_safe('SELECT pg_advisory_lock(1)');
		my $running = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('told'), '-c',
			'SET client_min_messages = error', '-c', $alter, '-c', 'SELECT pg_sleep(0)' ]);
		$node->poll_query_until('postgres', "SELECT count(*) > 0 FROM pg_stat_activity
			WHERE query ~ '^step 1\\.0 -> 1\\.1: statement \\d+ of \\d+: UPDATE public.notebooks'");
		ok(1, 'pg_stat_activity shows the statement');
		$reader->query_safe('SELECT pg_advisory_unlock(1)');
		$running->finish;
		is(value($node, 'told', 'SELECT store_version FROM discovery_status()'), '1.1', 'the upgrade ends');
		$reader->quit;
	}
}

# Interrupted everywhere.
old_store('stopped', 3000);
interrupt('stopped');
$node->safe_psql('stopped', $upgrade);
is_upgraded('stopped', 'interrupted');

# Clients of the old version write all the time: they add, also what is there, read and cache counts, delete, restore,
# move; two sessions prepare; then the upgrade, beside the clients.
old_store('busy', 20000);
# A script of pgbench ends with the first error of a client; here each client begins again.
my $stop = "$dir/stop";
my @clients = map {
	IPC::Run::start([ 'sh', '-c', "while [ ! -e '$stop' ]; do pgbench -n -c 1 -t 200"
			. " -f '$FindBin::RealBin/lib/old_client.pgbench' '" . $node->connstr('busy') . "' 2>&1; done" ],
		'>', "$dir/client$_")
} 1 .. 4;
my $other = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('busy'), '-c', 'SET client_min_messages = error',
		'-f', '-' ], '<', \"SELECT statement FROM discovery_prepare_upgrade() LIMIT 4\n\\gexec\n", '>', "$dir/other", '2>&1');
my ($rounds, $errors) = (0, '');
while (state('busy') ne 'prepared' && $rounds++ < 20)
{
	$errors .= prepare('busy', before => "SET lock_timeout = '1min';\n");
}
$other->finish;
is(state('busy'), 'prepared', "prepared beside clients, in $rounds rounds") or diag($errors);
my ($status, $out, $error) = $node->psql('busy',
	"SET client_min_messages = error; SET lock_timeout = '1min'; SELECT count(*) FROM discovery_plan('1.1')
		WHERE effect ~ 'updates|scans'; $alter");
is("$status$out", '00', 'the upgrade beside clients has nothing to scan') or diag($error);
append_to_file($stop, '');
$_->finish foreach @clients;
is_upgraded('busy', 'beside clients');
my %told;
foreach my $n (1 .. 4)
{
	my $output = slurp_file("$dir/client$n");
	$told{$1}++ while $output =~ /ERROR:  (.*)/g;
}
# The clients learn of duplicates, and of nothing else; each plan of theirs is made anew after the new column.
is(join(', ', grep { !/^duplicate key value|deadlock detected/ } sort keys %told), '', 'errors of the clients');

# Half a preparation in a dump, and a copy of the database.
old_store('half', 1000);
$node->safe_psql('half', "SET client_min_messages = error; $_") foreach (statements('half'))[0 .. 5];
system('pg_dump', '-Fc', '-f', "$dir/half.dump", $node->connstr('half')) == 0 or die;
$node->safe_psql('postgres', 'CREATE DATABASE restored');
system('pg_restore', '-d', $node->connstr('restored'), "$dir/half.dump") == 0 or die;
is(state('restored'), 'preparing, 2 of 10', 'a restored preparation: its indexes count, its proof does not');
is(value($node, 'restored', 'SELECT count(*) FROM discovery_check()'), '0', 'the restored store has the old shape');
$node->safe_psql('postgres', 'CREATE DATABASE copied TEMPLATE half');
is(state('copied'), 'preparing, 6 of 10', 'a copied preparation stands');
# A restored dump has the functions of the newest version.
my $newest = value($node, 'restored', 'SELECT newest_version FROM discovery_status()');
$node->safe_psql('restored', 'SET client_min_messages = error; SELECT discovery_upgrade()');
is_upgraded('restored', 'restored half-way, upgraded at once', $newest);
is(prepare('copied'), '', 'the copy is prepared');
$node->safe_psql('copied', "SET client_min_messages = error; SELECT discovery_upgrade('1.1')");
is_upgraded('copied', 'copied half-way');

# Rows that come by logical replication pass by the triggers, and void the proof.
old_store('subscriber', 100);
is(prepare('subscriber'), '', 'the subscriber is prepared');
$node->safe_psql('postgres', 'CREATE DATABASE publisher');
$node->safe_psql('publisher', "CREATE TABLE sources (id uuid PRIMARY KEY, notebook_id uuid, name varchar(500),
	source_type varchar(20), content_hash varchar(64)); CREATE PUBLICATION p FOR TABLE sources;
	SELECT pg_create_logical_replication_slot('s', 'pgoutput')");
$node->safe_psql('subscriber', sprintf("CREATE SUBSCRIPTION s CONNECTION 'host=%s port=%s dbname=publisher'
	PUBLICATION p WITH (create_slot = false, slot_name = 's', copy_data = false)", $node->host, $node->port));
$node->safe_psql('publisher', "INSERT INTO sources VALUES (md5('replica')::uuid, md5('n1')::uuid, 'x', 'text', 'r')");
$node->poll_query_until('subscriber', "SELECT count(*) = 1 FROM sources WHERE content_hash = 'r'");
is(state('subscriber'), 'preparing, 6 of 10', 'a row that was replicated voids the proof');
$node->safe_psql('subscriber', 'ALTER SUBSCRIPTION s DISABLE; ALTER SUBSCRIPTION s SET (slot_name = NONE);
	DROP SUBSCRIPTION s');
$node->safe_psql('subscriber', $upgrade);
is_upgraded('subscriber', 'with replicated rows');

# A transaction from before the preparation, prepared for a two-phase commit: the first statement waits for its end.
old_store('twophase', 100);
$node->safe_psql('twophase', "BEGIN; INSERT INTO sources (id, notebook_id, name, source_type, content_hash)
	VALUES (gen_random_uuid(), md5('n1')::uuid, 'x', 'text', 'two'); PREPARE TRANSACTION 'two'");
like(prepare('twophase', before => "\\set ON_ERROR_STOP on\nSET lock_timeout = '300ms';\n"),
	qr/could not lock table "sources" within lock_timeout/, 'a prepared transaction holds the tables');
$node->safe_psql('twophase', "COMMIT PREPARED 'two'");
is(prepare('twophase'), '', 'after its end, the statements run');
$node->safe_psql('twophase', $upgrade);
is_upgraded('twophase', 'after a prepared transaction');

# From 1.1 to 1.2: a store with the application's table of outputs, as create_all() makes it, or with none. The client
# has kept output_count, wrongly.
sub store_of_1_1
{
	my ($database, $has_outputs) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, "CREATE EXTENSION discovery VERSION '1.1';
		INSERT INTO notebooks (id, name, output_count, created_at, updated_at) SELECT md5('n' || n)::uuid,
			'notebook ' || n, n, '2025-01-01', '2025-01-01' FROM generate_series(1, 20) AS n;
		INSERT INTO sources (id, notebook_id, name, source_type, extracted_text, created_at) SELECT md5('s' || n)::uuid,
			md5('n' || 1 + n % 20)::uuid, 'source ' || n, 'text', 'text ' || n, '2024-01-01'
			FROM generate_series(1, 1000) AS n");
	return if !$has_outputs;
	$node->safe_psql($database, "CREATE TABLE outputs (id uuid PRIMARY KEY,
			notebook_id uuid NOT NULL REFERENCES notebooks (id) ON DELETE CASCADE, title varchar(500) NOT NULL,
			content text NOT NULL, output_type varchar(50) NOT NULL, status varchar(20) NOT NULL, prompt text,
			template_name varchar(100), output_metadata json NOT NULL, source_references varchar[] NOT NULL,
			word_count integer NOT NULL, created_at timestamp NOT NULL, updated_at timestamp NOT NULL,
			completed_at timestamp, created_by varchar(255) NOT NULL);
		CREATE INDEX ix_outputs_notebook_id ON outputs (notebook_id);
		CREATE INDEX ix_outputs_created_by ON outputs (created_by);
		INSERT INTO outputs SELECT md5('o' || n)::uuid, md5('n' || 1 + n % 7)::uuid, 'output ' || n, 'text', 'podcast',
			'draft', NULL, NULL, '{}', '{}', 1, '2025-01-01', '2025-01-01', NULL, 'ann' FROM generate_series(1, 500) AS n");
	return;
}
my $later = "SET client_min_messages = error; ALTER EXTENSION discovery UPDATE TO '1.2'";
sub is_later
{
	my ($database, $name) = @_;
	is_upgraded($database, $name, '1.2');
	is(value($node, $database, 'SELECT count(*) FROM check_output_counts()'), '0', "$name: counts of outputs");
	return;
}
sub outputs_of
{
	my ($database) = @_;
	return $node->safe_psql($database, 'SELECT id, source_count, output_count, updated_at, created_by FROM notebooks
		ORDER BY 1; TABLE outputs ORDER BY id; SELECT id, created_by FROM sources ORDER BY 1');
}
foreach my $has (0, 1)
{
	my ($name, $plain, $ahead) = ($has ? 'with outputs' : 'without outputs', "plain_$has", "ahead_$has");
	store_of_1_1($_, $has) foreach $plain, $ahead;
	$node->safe_psql($plain, $later);
	is_later($plain, "$name, at once");
	my $before = $node->safe_psql($ahead, 'SELECT sum(output_count) FROM notebooks');
	is(prepare($ahead), '', "$name: the statements run");
	is(state($ahead), 'prepared', "$name: prepared");
	# What 1.1 promises holds meanwhile.
	is($node->safe_psql($ahead, "BEGIN; INSERT INTO notebooks (name) VALUES ('new');
		SELECT FROM add_source((SELECT id FROM notebooks WHERE name = 'new'), 's', 'text', extracted_text => 's');
		SELECT source_count, output_count FROM notebooks WHERE name = 'new'; ROLLBACK"), '1|0', "$name: 1.1 works on");
	$node->safe_psql($ahead, 'VACUUM ANALYZE');
	is($node->safe_psql($ahead, "SET client_min_messages = error; BEGIN; $later;
		SELECT sum(seq_scan + coalesce(idx_scan, 0)), sum(n_tup_upd + n_tup_ins) FROM pg_stat_xact_user_tables
			WHERE relname IN ('sources', 'notebooks', 'outputs');
		COMMIT"), '0|0', "$name: the step of a prepared store reads and writes no row");
	is_later($ahead, "$name, prepared");
	is(dump_of($ahead), dump_of($plain), "$name: both ways lead to the same schema");
	is(outputs_of($ahead), outputs_of($plain), "$name: and to the same rows");
}

# Interrupted, given up, and begun again.
store_of_1_1('cut', 1);
my ($old_shape, $old_rows) = (dump_of('cut'), $node->safe_psql('cut', 'TABLE outputs ORDER BY id'));
interrupt('cut');
while (my @left = statements('cut', 'discovery_cancel_upgrade()'))
{
	$node->safe_psql('cut', "SET client_min_messages = error;\n$left[0]");
}
is(dump_of('cut'), $old_shape, 'given up: the shape as before, with the table of the application');
is($node->safe_psql('cut', 'TABLE outputs ORDER BY id'), $old_rows, 'given up: its rows');
is(prepare('cut'), '', 'prepared again');
$node->safe_psql('cut', $later);
is_later('cut', 'interrupted, given up, and prepared again');

# Beside clients that write outputs and count them; and rows where the triggers do not fire void the proof.
store_of_1_1('writing', 1);
unlink $stop;
@clients = map {
	IPC::Run::start([ 'sh', '-c', "while [ ! -e '$stop' ]; do pgbench -n -c 1 -t 100"
			. " -f '$FindBin::RealBin/lib/output_client.pgbench' '" . $node->connstr('writing') . "' 2>&1; done" ],
		'>', "$dir/writer$_")
} 1 .. 3;
($rounds, $errors) = (0, '');
while (state('writing') ne 'prepared' && $rounds++ < 20)
{
	$errors .= prepare('writing', before => "SET lock_timeout = '1min';\n");
}
is(state('writing'), 'prepared', "prepared beside clients, in $rounds rounds") or diag($errors);
$node->safe_psql('writing', "SET session_replication_role = replica; INSERT INTO outputs SELECT gen_random_uuid(),
	md5('n1')::uuid, title, content, output_type, status, prompt, template_name, output_metadata, source_references,
	word_count, created_at, updated_at, completed_at, created_by FROM outputs LIMIT 10");
isnt(state('writing'), 'prepared', 'rows that no trigger has seen void the proof');
while (state('writing') ne 'prepared' && $rounds++ < 40)
{
	$errors .= prepare('writing', before => "SET lock_timeout = '1min';\n");
}
($status, $out, $error) = $node->psql('writing', "SET lock_timeout = '1min'; $later");
is($status, 0, 'the upgrade beside clients') or diag($error);
append_to_file($stop, '');
$_->finish foreach @clients;
is_later('writing', 'beside clients');
%told = ();
foreach my $n (1 .. 3)
{
	my $output = slurp_file("$dir/writer$n");
	$told{$1}++ while $output =~ /ERROR:  (.*)/g;
}
is(join(', ', grep { !/deadlock detected/ } sort keys %told), '', 'errors of the clients');
done_testing();
