# A store on a streaming standby, read and looked at while the primary works, and after promotion; and its tables under
# logical replication into another database with the extension, where rows and counts come out equal.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Utils;
use Stores;
use Test::More;

my $counts = 'SELECT * FROM check_source_counts()';
my $status = 'SELECT store_version, state FROM discovery_status()';
my $add = "INSERT INTO sources (notebook_id, name, source_type, extracted_text, content_hash)
	SELECT id, 'mehr', 'text', 'Inhalt ' || n, ''
	FROM notebooks, generate_series(1, 50) AS n";

# Streaming
my $primary = new_server('primary', allows_streaming => 1, conf => "hot_standby_feedback = on\n");
$primary->safe_psql('postgres', 'CREATE ROLE reader; CREATE ROLE looker; CREATE DATABASE app');
$primary->safe_psql('app', 'CREATE EXTENSION discovery');
script($primary, 'app', 'rows', 'deletions', 'additions');
$primary->safe_psql('app', 'ANALYZE');
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
sub caught_up { $primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert')); }

caught_up();
is(differences($primary->connstr('app'), $standby->connstr('app')), '', 'the standby has the same store');
is(value($standby, 'app', $status), "$newest|current", 'discovery_status() there');
is(value($standby, 'app', 'SELECT notebooks, sources FROM discovery_status()'), '4|37',
	'with rows as ANALYZE counted them');
is(value($standby, 'app', "SELECT object FROM discovery_check() WHERE kind <> 'extra'"), '', 'discovery_check() there');
is(value($standby, 'app', $counts), '', 'check_source_counts() there');
is(value($standby, 'app', 'SELECT count(*) FROM discovery_shape()'),
	value($primary, 'app', 'SELECT count(*) FROM discovery_shape()'), 'discovery_shape() there');
is(value($standby, 'app', 'SELECT version, mark FROM discovery_history() WHERE mark <> $$$$'),
	"$newest|current, newest",
	'discovery_history() there');
is(value($standby, 'app', 'SELECT count(*) FROM discovery_plan($$1.0$$)') > 0, 1, 'discovery_plan() there');
my $reports = 'SELECT count(*) FROM find_duplicate_sources(), check_source_hashes(), list_source_deletions()';
is(value($standby, 'app', $reports), value($primary, 'app', $reports), 'reports there');
is(value($standby, 'app', 'SET ROLE looker; ' . $status), "$newest|current",
	'discovery_status() there by a role without rights');

# What writes is refused as a standby refuses it, by the name of what was called.
foreach my $call ("add_source((SELECT id FROM notebooks LIMIT 1), 'x', 'text')", 'delete_sources(ARRAY[]::uuid[])',
	'repair_source_counts()', 'purge_deleted_sources()', "discovery_create_store('public')", 'discovery_drop_store()',
	'discovery_upgrade()', "discovery_downgrade('1.0')", "discovery_stamp('1.1')",
	"hold_source(gen_random_uuid(), 'x')", 'release_source(gen_random_uuid())', 'restore_sources(gen_random_uuid())',
	'restore_source(gen_random_uuid())', 'delete_source(gen_random_uuid())')
{
	my ($code, $out, $err) = try_psql($standby, 'app', "\\set VERBOSITY verbose\nSELECT $call");
	my $name = $call =~ s/\(.*//sr;
	my $what = qr/\Q$name\E\(\)|nextval|INSERT|UPDATE|DELETE|ALTER EXTENSION|SELECT FOR \w+/;
	like($err, qr/ERROR:  25006: cannot execute (?:$what) (?:in a read-only transaction|during recovery)/,
		"$name() is refused there");
}

# The primary works; every look at the standby sees counts that fit.
my $writer = $primary->background_psql('app', on_error_stop => 0);
$writer->query_safe($add);
foreach my $batch (1 .. 5)
{
	$writer->query_safe("BEGIN; INSERT INTO sources (notebook_id, name, source_type, content_hash)
		SELECT id, 'b', 'text', 'batch $batch' FROM notebooks");
	is(value($standby, 'app', $counts), '', "counts on the standby, with a transaction open ($batch)");
	is(value($standby, 'app', $status), "$newest|current", "status ($batch)");
	$writer->query_safe('COMMIT');
}
# Also while an update, which needs the tables for itself, is under way on the primary: looking takes no lock on them.
$writer->query_safe('BEGIN; SET discovery.allow_data_loss = on; DROP VIEW own_view;
	ALTER EXTENSION discovery UPDATE TO $$1.0$$');
$primary->safe_psql('postgres', 'SELECT pg_switch_wal()');
caught_up();
foreach my $node ($primary, $standby)
{
	my ($code, $out, $err) = try_psql($node, 'app', "SET lock_timeout = '2s'; SET statement_timeout = '10s'; $status");
	is("$out $err", "$newest|current ", $node->name . ': discovery_status() waits for no update of the primary');
}
$writer->query_safe('ROLLBACK');
$writer->quit;
caught_up();
is(value($standby, 'app', $counts), '', 'counts after the work');
is(value($standby, 'app', 'SELECT sum(source_count) FROM notebooks'),
	value($primary, 'app', 'SELECT sum(source_count) FROM notebooks'), 'as many as on the primary');

# An update on the primary is one on the standby.
$primary->safe_psql('postgres', 'CREATE DATABASE old');
$primary->safe_psql('old', "CREATE EXTENSION discovery VERSION '1.0'");
script($primary, 'old', 'rows');
caught_up();
is(value($standby, 'old', $status), '1.0|current', 'a store of 1.0 there');
is(value($standby, 'old', 'SELECT notebooks IS NULL, sources IS NULL FROM discovery_status()'), 't|t',
	'with rows that nobody has counted');
$primary->safe_psql('old', 'ALTER EXTENSION discovery UPDATE');
caught_up();
is(value($standby, 'old', $status), "$newest|current", 'and at the newest version after the update of the primary');

# Promotion
$primary->stop('immediate');
$standby->promote;
is(value($standby, 'app', $status), "$newest|current", 'promoted: status');
is(value($standby, 'app', $counts), '', 'promoted: counts are right');
$standby->safe_psql('app', 'DELETE FROM sources WHERE name = $$mehr$$');
$standby->safe_psql('app',
	"SELECT delete_sources(array_agg(id), 'nach dem Schwenk') FROM live_sources WHERE content_hash LIKE 'batch%'");
is(value($standby, 'app', $counts), '', 'promoted: it works, and the counts stay right');
$standby->safe_psql('app', 'DROP VIEW own_view; SET discovery.allow_data_loss = on;
	ALTER EXTENSION discovery UPDATE TO $$1.0$$; ALTER EXTENSION discovery UPDATE');
is(value($standby, 'app', $status), "$newest|current", 'promoted: and is taken down and up');
$standby->stop;

# Logical
my $from = new_server('publisher', allows_streaming => 'logical');
my $to = new_server('subscriber');
sub subscribe
{
	my ($database, $publication, $sql) = @_;
	$_->safe_psql('postgres', "CREATE DATABASE $database") foreach $from, $to;
	$from->safe_psql($database, 'CREATE EXTENSION discovery');
	script($from, $database, 'rows', 'deletions');
	$from->safe_psql($database, "CREATE PUBLICATION $database $publication");
	$to->safe_psql($database, $sql);
	$to->safe_psql($database, "CREATE SUBSCRIPTION $database CONNECTION '" . ($from->connstr($database) =~ s{'}{''}gr)
		. "' PUBLICATION $database");
	$to->wait_for_subscription_sync($from, $database, $database);
}
sub same_rows
{
	my ($database, $name, $tables) = @_;
	$from->wait_for_catchup($database);
	foreach my $table (@$tables)
	{
		my $rows = "SELECT count(*), md5(string_agg(t, '' ORDER BY t)) FROM (SELECT md5(t::text) FROM $table AS t) AS t (t)";
		is(value($to, $database, $rows), value($from, $database, $rows), "$name: $table");
	}
	is(value($to, $database, $counts), '', "$name: right counts");
	is(value($to, $database, $status), "$newest|current", "$name: status");
}
sub work
{
	my ($database) = @_;
	$from->safe_psql($database, "$add;
		UPDATE sources SET deleted_at = now() WHERE name = 'mehr' AND extracted_text LIKE '%7';
		DELETE FROM sources WHERE extracted_text LIKE '%8';
		UPDATE sources SET notebook_id = '00000000-0000-4000-8000-000000000004'
			WHERE id = '00000000-0000-4000-9000-000000000107';
		SELECT restore_sources(id) FROM discovery_deletions WHERE reason LIKE 'auf%';
		INSERT INTO outputs (notebook_id, title) VALUES ('00000000-0000-4000-8000-000000000001', 'neu');
		SELECT delete_notebook('00000000-0000-4000-8000-000000000002');
		SELECT restore_deletion(deletion_id) FROM deleted_notebooks WHERE name LIKE '%2 %';
		SELECT delete_output((SELECT id FROM outputs ORDER BY id LIMIT 1));
		SELECT purge_deleted_sources('0 days'); DELETE FROM notebooks WHERE name LIKE '%3 %'");
}
my @data = qw(notebooks sources outputs discovery_deletions discovery_trash);
subscribe('listed', 'FOR TABLE ' . join(', ', @data), 'CREATE EXTENSION discovery');
same_rows('listed', 'the tables listed, copied', \@data);
work('listed');
same_rows('listed', 'the tables listed, after work', \@data);
is(value($to, 'listed', 'SELECT count(*) FROM discovery_migrations'),
	value($from, 'listed', 'SELECT count(*) FROM discovery_migrations'), 'each side has its own history');

# A publication of all tables takes the history along, which is no matter: the version is not data.
subscribe('everything', 'FOR ALL TABLES', 'CREATE EXTENSION discovery');
work('everything');
same_rows('everything', 'all tables, after work', \@data);
is(value($to, 'everything', 'SELECT count(*) FROM discovery_migrations'),
	2 * value($from, 'everything', 'SELECT count(*) FROM discovery_migrations'), 'the history has both');
# Nor does it become one when the publisher's store changes its version.
$from->safe_psql('everything', 'SET discovery.allow_data_loss = on; TRUNCATE discovery_deletions');
$from->wait_for_catchup('everything');
$from->safe_psql('everything', 'SET discovery.allow_data_loss = on; ALTER EXTENSION discovery UPDATE TO $$1.0$$');
$from->wait_for_catchup('everything');
is(value($to, 'everything', $status), "$newest|current", 'the publisher at 1.0: the subscriber keeps its version');
$from->safe_psql('everything', "INSERT INTO notebooks (id, name) VALUES (gen_random_uuid(), 'von 1.0');
	INSERT INTO sources (id, notebook_id, name, source_type, content_hash)
		SELECT gen_random_uuid(), id, 's', 'text', 'von 1.0' FROM notebooks WHERE name = 'von 1.0';
	UPDATE notebooks SET source_count = 1 WHERE name = 'von 1.0'");
$from->wait_for_catchup('everything');
is(value($to, 'everything', "SELECT count(*) FROM live_sources WHERE content_hash = 'von 1.0'"), 1,
	'and takes the rows of the older store');
is(value($to, 'everything', $counts), '', 'right counts');

# When the publisher is upgraded first, the subscription stops, with the reason in the log, and goes on when the
# subscriber follows.
$_->safe_psql('postgres', 'CREATE DATABASE behind') foreach $from, $to;
$_->safe_psql('behind', "CREATE EXTENSION discovery VERSION '1.0'") foreach $from, $to;
script($from, 'behind', 'rows');
$from->safe_psql('behind', 'CREATE PUBLICATION behind FOR TABLE notebooks, sources');
$to->safe_psql('behind', "CREATE SUBSCRIPTION behind CONNECTION '" . ($from->connstr('behind') =~ s{'}{''}gr)
	. "' PUBLICATION behind");
$to->wait_for_subscription_sync($from, 'behind', 'behind');
my $log = -s $to->logfile;
$from->safe_psql('behind', "ALTER EXTENSION discovery UPDATE;
	SELECT delete_sources(array_agg(id), 'oben') FROM live_sources WHERE name LIKE '%№2 %'");
$to->wait_for_log(qr/"public\.sources" is missing replicated columns?: "deletion_id", "hold_reason"/, $log);
is(value($to, 'behind', 'SELECT count(*) FROM sources WHERE deleted_at IS NULL'), 24,
	'publisher newer, subscriber 1.0: stopped, nothing half done');
$to->safe_psql('behind', 'ALTER EXTENSION discovery UPDATE');
$from->wait_for_catchup('behind');
is(value($to, 'behind',
	'SELECT count(*), count(deletion_id) FROM sources WHERE deleted_at IS NULL OR deletion_id IS NOT NULL'), '24|3',
	'brought up: it goes on');
is(value($to, 'behind', $counts), '', 'right counts');

# A subscriber that becomes the main one: its triggers work for its own writers, and count from what came.
$to->safe_psql('listed', 'DROP SUBSCRIPTION listed');
$to->safe_psql('listed', ($add =~ s{Inhalt}{Eigenes}r)
	. "; DELETE FROM sources WHERE extracted_text LIKE '%9'; SELECT delete_source(id) FROM live_sources LIMIT 3");
is(value($to, 'listed', $counts), '', 'the subscriber on its own: right counts');

done_testing();
