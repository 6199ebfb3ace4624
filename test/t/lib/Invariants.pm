# What holds in every store of version 1.2 between transactions, whatever was done to it.
package Invariants;
use strict;
use warnings;
use Exporter 'import';

our @EXPORT = qw(broken $broken_rows $broken_sources);

# A query with one line for each thing that does not hold of sources and notebooks; the store is the first in
# search_path. It reads nothing else, so that a store of version 1.0 can be looked at too.
our $broken_sources = <<'END';
SELECT format('%s live copies in notebook %s of %s', count(*), notebook_id, content_hash) FROM sources
	WHERE deleted_at IS NULL AND content_hash <> '' GROUP BY notebook_id, content_hash HAVING count(*) > 1
UNION ALL
SELECT format('notebook %s counts %s of %s', id, source_count, live.sources) FROM notebooks,
	LATERAL (SELECT count(*) AS sources FROM sources WHERE notebook_id = notebooks.id AND deleted_at IS NULL) AS live
	WHERE source_count <> live.sources
UNION ALL
SELECT format('source %s has no notebook', id) FROM sources WHERE notebook_id NOT IN (SELECT id FROM notebooks)
UNION ALL
SELECT format('source %s is live, and deleted by %s', id, deletion_id) FROM sources
	WHERE deleted_at IS NULL AND deletion_id IS NOT NULL
END

# The same, with what does not hold of the rest.
our $broken_rows = $broken_sources . <<'END';
UNION ALL
SELECT format('notebook %s counts %s outputs of %s', id, output_count, has.outputs) FROM notebooks,
	LATERAL (SELECT count(*) AS outputs FROM outputs WHERE notebook_id = notebooks.id) AS has
	WHERE output_count <> has.outputs
UNION ALL
SELECT format('check_output_counts() says %s instead of %s', output_count, actual_count) FROM check_output_counts()
UNION ALL
SELECT format('%s %s in the trash is deleted by %s, which is not in the log', table_name, row_id, deletion_id)
	FROM discovery_trash WHERE deletion_id NOT IN (SELECT id FROM discovery_deletions)
UNION ALL
SELECT format('check_source_counts() says %s instead of %s', source_count, actual_count) FROM check_source_counts()
UNION ALL
SELECT format('source %s is deleted by %s, which is not in the log', id, deletion_id) FROM sources
	WHERE deletion_id IS NOT NULL AND deletion_id NOT IN (SELECT id FROM discovery_deletions)
UNION ALL
SELECT format('deletion %s deleted %s sources, of which %s are still deleted', log.id, log.sources, count(*))
	FROM discovery_deletions AS log JOIN sources ON deletion_id = log.id GROUP BY log.id,
		log.sources HAVING count(*) > log.sources
END

# broken($node, 'database', 'schema'): those lines, and those of what does not hold of the tables
sub broken
{
	my ($node, $database, $schema) = @_;
	my $path = defined $schema ? "SET search_path = $schema, public;\n" : '';
	return split /\n/, $node->safe_psql($database, "SET client_min_messages = error;\n$path$broken_rows" . <<'END');
UNION ALL
SELECT format('%s %s: %s instead of %s', object, kind, actual, expected) FROM discovery_check() WHERE kind <> 'extra'
UNION ALL
SELECT format('the store is %s, version %s', state, store_version) FROM discovery_status()
	WHERE schema = current_schema AND state <> 'current'
END
}

1;
