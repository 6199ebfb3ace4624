# Every way into the extension, as a statement that works on a store of a hundred sources, for tests that let it fail.
package Entries;
use strict;
use warnings;
use Exporter 'import';

our @EXPORT = qw(%entries make_entries in_order);

my $live = 'SELECT id FROM live_sources ORDER BY id LIMIT';
my $allow = 'SET LOCAL discovery.allow_data_loss = on;';
my $gone = "INSERT INTO notebooks (name) VALUES ('gone ' || random());
	INSERT INTO sources (notebook_id, name, source_type, extracted_text, file_path)
		SELECT id, 's', 'text', n::text, '/gone/' || n FROM notebooks, generate_series(1, 20) AS n WHERE name LIKE 'gone %'
		ON CONFLICT DO NOTHING;";
our %entries = (
	'add a text' => "SELECT * FROM add_source(book(1), 's', 'text', extracted_text => repeat(random()::text, 20000))",
	'add a file' => "SELECT * FROM add_source(book(1), 's', 'file', content => decode(repeat('00', 300000), 'hex'),
		on_deleted => 'add')",
	'add fifty' => "SELECT * FROM add_sources(book(2), (SELECT jsonb_agg(jsonb_build_object('name', 's',
		'source_type', 'text',
		'extracted_text', random()::text)) FROM generate_series(1, 50)))",
	'insert' => "INSERT INTO sources (notebook_id, name, source_type, extracted_text) SELECT book(1 + n % 5), 's', 'text',
		random()::text FROM generate_series(1, 100) AS n",
	'delete' => "SELECT * FROM delete_sources(ARRAY($live 20), 'entry')",
	'insert outputs' => "INSERT INTO outputs (notebook_id, title, content, status)
		SELECT book(1 + n % 5), 'o', random()::text, 'generating' FROM generate_series(1, 50) AS n",
	'delete a notebook' => "$gone SELECT * FROM (SELECT id FROM notebooks WHERE name LIKE 'gone %' LIMIT 1) AS n,
		delete_notebook(n.id, 'entry')",
	'delete an output' => "SELECT delete_output(id, 'entry') FROM (SELECT id FROM outputs LIMIT 1) AS o",
	'delete and keep' => "$gone SET LOCAL discovery.keep_deleted = on; DELETE FROM notebooks WHERE name LIKE 'gone %'",
	'restore from the trash' => "SELECT * FROM (SELECT deletion_id FROM discovery_trash ORDER BY 1 DESC LIMIT 1) AS d,
		restore_deletion(d.deletion_id, 'keep_deleted', 'rename')",
	'preview a deletion' => 'SELECT * FROM (SELECT id FROM notebooks LIMIT 1) AS n, preview_delete_notebook(n.id)',
	'hold a deletion' => "SELECT hold_deletion(deletion_id, 'held'), release_deletion(deletion_id)
		FROM (SELECT deletion_id FROM discovery_trash LIMIT 1) AS d",
	'purge the trash' => "SELECT * FROM purge_trash('0', 1)",
	'erase' => "SELECT * FROM erase_data(created_by => 'nobody')",
	'stale outputs' => "SELECT * FROM fail_stale_outputs('0', 'entry')",
	'output counts' => 'SELECT * FROM check_output_counts(); SELECT repair_output_counts()',
	'delete by UPDATE' => "UPDATE sources SET deleted_at = now() WHERE id = ANY (ARRAY($live 20))",
	'restore' => "SELECT * FROM (SELECT id FROM discovery_deletions ORDER BY id DESC LIMIT 1) AS d,
		restore_sources(d.id, 'keep_deleted')",
	'restore by UPDATE' => "UPDATE sources SET deleted_at = NULL WHERE id = ANY (ARRAY(SELECT id
		FROM deleted_sources LIMIT 5))",
	'preview' => 'SELECT * FROM (SELECT id FROM discovery_deletions ORDER BY id LIMIT 1) AS d, preview_restore(d.id)',
	'move' => "UPDATE sources SET notebook_id = book(3) WHERE id = ANY (ARRAY($live 20))",
	'remove' => "DELETE FROM sources WHERE id = ANY (ARRAY($live 5))",
	'purge' => "SELECT * FROM purge_deleted_sources('0', 5)",
	'hold and release' => "SELECT hold_source(id, 'held'), release_source(id) FROM ($live 5) AS s",
	'replace a notebook' => 'WITH gone AS (DELETE FROM notebooks WHERE id = book(5) RETURNING id, name)
		INSERT INTO notebooks (id, name) SELECT id, name FROM gone',
	'repair' => 'SELECT repair_source_counts()',
	'check counts' => 'SELECT * FROM check_source_counts()',
	'check hashes' => 'SELECT * FROM check_source_hashes()',
	'duplicates' => 'SELECT * FROM find_duplicate_sources()',
	'deletions' => 'SELECT * FROM list_source_deletions()',
	'hash' => "SELECT content_hash(repeat('x', 3000000)), (SELECT content_hash_agg(n::text::bytea)
		FROM generate_series(1, 1000) AS n)",
	'status' => 'SELECT * FROM discovery_status()',
	'check' => 'SELECT * FROM discovery_check()',
	'shape' => 'SELECT * FROM discovery_shape()',
	'history' => 'SELECT * FROM discovery_history()',
	'plan' => "SELECT * FROM discovery_plan('base')",
	'autogenerate' => 'SELECT * FROM discovery_autogenerate()',
	'create and drop a store' => "CREATE SCHEMA made; SELECT discovery_create_store('made');
		SELECT discovery_drop_store('made'); DROP SCHEMA made",
	'drop the store' => "$allow SELECT discovery_drop_store(); SELECT discovery_create_store()",
	'down and up' => "$allow SELECT discovery_downgrade('1.0'); SELECT discovery_upgrade()",
	'prepare' => "$allow SELECT discovery_downgrade('1.0'); SELECT * FROM discovery_prepare_upgrade();
		SELECT discovery_upgrade('1.1'); SELECT * FROM discovery_prepare_upgrade(); SELECT discovery_upgrade()",
	'create the extension' => "$allow DROP EXTENSION discovery CASCADE; CREATE EXTENSION discovery",
);

# Those that make what others take come first.
sub in_order { return sort { ($b =~ /^(?:add|insert|delete)/) <=> ($a =~ /^(?:add|insert|delete)/)
	|| $a cmp $b } keys %entries; }

# make_entries($node, 'database'): a store in which they work
sub make_entries
{
	my ($node, $database) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, <<'END');
SET client_min_messages = error;
CREATE EXTENSION discovery;
CREATE FUNCTION book(n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT lpad(n::text, 32, '0')::uuid $$;
-- Calls itself, so that the stack has grown before memory is short.
CREATE FUNCTION deep(n int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN CASE WHEN n = 0 THEN 0 ELSE deep(n - 1)
	END; END';
INSERT INTO notebooks (id, name) SELECT book(n), 'notebook ' || n FROM generate_series(1, 5) AS n;
INSERT INTO sources (notebook_id, name, source_type, extracted_text, file_path) SELECT book(1 + n % 5), 's', 'text',
	'first ' || n,
	'/files/' || n FROM generate_series(1, 100) AS n;
END
	return;
}

1;
