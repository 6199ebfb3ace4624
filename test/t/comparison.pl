# Stores of one version are the same whichever way they came there: made by CREATE EXTENSION, brought up from any older
# version, dumped and restored, taken down and up again; held by test/tools/compare-stores over their objects, rows and
# functions. And that program does print each kind of difference there is.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Utils;
use Stores;
use Test::More;

my $node = new_server('main');
$node->safe_psql('postgres', 'CREATE ROLE reader; CREATE ROLE other');
my @versions = map { s/.*--//r } map { s/\.sql$//r }
	map { s/.*\///r } glob "$FindBin::RealBin/../../sql/discovery--*.sql";
my %seen;
@versions = sort {
	my @a = split /\./, $a;
	my @b = split /\./, $b;
	$a[0] <=> $b[0] || $a[1] <=> $b[1]
} grep { !$seen{$_}++ } @versions;
cmp_ok(scalar @versions, '>=', 2, 'there are versions to compare');
# How a store came to its version is told by its history alone.
my @but_history = ('--except', 'history');

sub database
{
	my ($name, $sql) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE \"$name\"");
	$node->safe_psql($name, $sql);
	script($node, $name, 'rows');
}

foreach my $version (@versions)
{
	database("fresh $version", "CREATE EXTENSION discovery VERSION '$version'");

	my $dump = "$PostgreSQL::Test::Utils::tmp_check/$version.sql";
	try_ok($node, "a store of $version is dumped", '', 'pg_dump', '-f', $dump, '-d', "fresh $version");
	$node->safe_psql('postgres', "CREATE DATABASE \"restored $version\"");
	# A dump does not say the version of an extension; where there is one already, it is kept.
	$node->safe_psql("restored $version",
		"SET discovery.create_store = off; CREATE EXTENSION discovery VERSION '$version'");
	try_ok($node, "and restored", 'already exists, skipping', 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $dump, '-d',
		"restored $version");
	same_stores($node, "fresh $version", "restored $version", "$version: restored and fresh are the same");
}
foreach my $high (1 .. $#versions)
{
	foreach my $low (0 .. $high - 1)
	{
		my ($from, $to) = @versions[ $low, $high ];
		database("$from to $to", "CREATE EXTENSION discovery VERSION '$from'");
		$node->safe_psql("$from to $to", "ALTER EXTENSION discovery UPDATE TO '$to'");
		same_stores($node, "fresh $to", "$from to $to", "$from to $to: upgraded and fresh are the same", @but_history);
		$node->safe_psql("$from to $to", "ALTER EXTENSION discovery UPDATE TO '$from'");
		same_stores($node, "fresh $from", "$from to $to", "$to to $from: downgraded and fresh are the same", @but_history);
		$node->safe_psql("$from to $to", "ALTER EXTENSION discovery UPDATE TO '$to'");
		same_stores($node, "fresh $to", "$from to $to", "$from to $to: downgraded, upgraded and fresh are the same",
			@but_history);
	}
}

# Each kind of difference, planted in a copy of a store with everything in it, and the lines that are printed for it:
# their kind and name.
database('all', 'CREATE EXTENSION discovery');
script($node, 'all', 'deletions', 'additions');
$node->safe_psql('all', "CREATE RULE own_rule AS ON INSERT TO own_view DO INSTEAD NOTHING; CREATE SEQUENCE own_sequence;
	CREATE MATERIALIZED VIEW own_matview AS SELECT name FROM notebooks");
my $s = 'public.sources';
my $n = 'public.notebooks';
my @planted = (
	[ 'a column', "ALTER TABLE sources ADD planted int", "+column $s.planted", "+storage $s.planted", "-rows $s",
		"+rows $s" ],
	[ 'order of columns', "ALTER TABLE notebooks DROP description; ALTER TABLE notebooks ADD description text",
		(map { ("-column $n.$_", "+column $n.$_") } qw(created_at created_by description output_count source_count tags
			updated_at)),
		"-comment $n.description", "-privileges $n.description", "-rows $n", "+rows $n" ],
	[ 'a type', "ALTER TABLE notebooks ALTER output_count TYPE bigint", "-column $n.output_count",
		"+column $n.output_count" ],
	[ 'a length', "ALTER TABLE notebooks ALTER name TYPE varchar(256)", "-column $n.name", "+column $n.name",
		'before: DROP VIEW own_view; DROP MATERIALIZED VIEW own_matview', undef ],
	[ 'NOT NULL', "ALTER TABLE notebooks ALTER tags DROP NOT NULL", "-column $n.tags", "+column $n.tags" ],
	[ 'a default', "ALTER TABLE notebooks ALTER tags SET DEFAULT '{x}'", "-column $n.tags", "+column $n.tags" ],
	[ 'a collation', "ALTER TABLE sources ALTER hold_reason TYPE text COLLATE \"C\"",
		"-column $s.hold_reason", "+column $s.hold_reason",
		"before: DROP VIEW own_view, live_sources, deleted_sources", undef ],
	[ 'compression', "ALTER TABLE notebooks ALTER description SET COMPRESSION pglz", "-storage $n.description",
		"+storage $n.description" ],
	[ 'storage', "ALTER TABLE notebooks ALTER description SET STORAGE MAIN", "-storage $n.description",
		"+storage $n.description" ],
	[ 'a statistics target', "ALTER TABLE notebooks ALTER description SET STATISTICS 7", "-storage $n.description",
		"+storage $n.description" ],
	[ 'an option of a column', "ALTER TABLE notebooks ALTER id SET (n_distinct = 7)", "-storage $n.id", "+storage $n.id" ],
	[ 'an index', "DROP INDEX own_index", "-index $s.own_index" ],
	[ 'what an index is', "ALTER INDEX own_index SET (fillfactor = 81)", "-index $s.own_index", "+index $s.own_index" ],
	[ 'a clustering index', "ALTER TABLE sources SET WITHOUT CLUSTER", "-index $s.ix_sources_notebook_id",
		"+index $s.ix_sources_notebook_id" ],
	[ 'a constraint', "ALTER TABLE sources DROP CONSTRAINT own_check", "-constraint $s.own_check" ],
	[ 'an action of a foreign key', "ALTER TABLE sources DROP CONSTRAINT sources_notebook_id_fkey,
		ADD CONSTRAINT sources_notebook_id_fkey FOREIGN KEY (notebook_id) REFERENCES notebooks NOT VALID",
		"-constraint $s.sources_notebook_id_fkey", "+constraint $s.sources_notebook_id_fkey" ],
	[ 'a trigger', "DROP TRIGGER own_trigger ON sources", "-trigger $s.own_trigger" ],
	[ 'a disabled trigger', "ALTER TABLE sources DISABLE TRIGGER discovery_row", "-trigger $s.discovery_row",
		"+trigger $s.discovery_row" ],
	[ 'disabled foreign keys', "ALTER TABLE notebooks DISABLE TRIGGER ALL", "+trigger $n",
		map { ("-trigger $n.$_", "+trigger $n.$_") } qw(discovery_row discovery_trash discovery_update) ],
	[ 'a rule', "DROP RULE own_rule ON own_view", "-rule public.own_view.own_rule" ],
	[ 'a view', "DROP VIEW live_sources CASCADE", (map { "-column public.live_sources.$_" }
			qw(content_hash created_at created_by extracted_text file_path file_size file_type id name notebook_id
				source_metadata source_type updated_at url)),
		(map { "-column public.own_view.$_" } qw(live name)), "-comment public.live_sources", "-comment public.own_view",
		"-definition public.live_sources", "-definition public.own_view",
		"-owner public.live_sources", "-owner public.own_view",
		"-parameters public.live_sources", "-parameters public.own_view",
		"-privileges public.live_sources", "-privileges public.own_view",
		"-rule public.own_view.own_rule", "-view public.live_sources", "-view public.own_view" ],
	[ 'the query of a view',
		"CREATE OR REPLACE VIEW own_view WITH (security_barrier) AS SELECT name, 1::bigint AS live FROM notebooks",
		"-definition public.own_view", "+definition public.own_view" ],
	[ 'an option of a view', "ALTER VIEW live_sources SET (security_invoker = off)", "-parameters public.live_sources",
		"+parameters public.live_sources" ],
	[ 'a policy', "DROP POLICY own_policy ON sources", "-policy $s.own_policy" ],
	[ 'what a policy says', "ALTER POLICY own_policy ON sources TO other", "-policy $s.own_policy",
		"+policy $s.own_policy" ],
	[ 'row security', "ALTER TABLE sources DISABLE ROW LEVEL SECURITY", "-table $s", "+table $s" ],
	[ 'forced row security', "ALTER TABLE sources FORCE ROW LEVEL SECURITY", "-table $s", "+table $s" ],
	[ 'replica identity', "ALTER TABLE sources REPLICA IDENTITY FULL", "-table $s", "+table $s" ],
	[ 'an unlogged table', "ALTER TABLE discovery_deletions SET UNLOGGED", "-table public.discovery_deletions",
		"+table public.discovery_deletions" ],
	[ 'privileges on a table', "REVOKE SELECT ON sources FROM reader", "-privileges $s", "+privileges $s" ],
	[ 'privileges on a column', "REVOKE GRANT OPTION FOR UPDATE (description) ON notebooks FROM reader",
		"-privileges $n.description", "+privileges $n.description" ],
	[ 'privileges on a function', "REVOKE EXECUTE ON FUNCTION uuid_v7() FROM public", "-privileges public.uuid_v7()",
		"+privileges public.uuid_v7()" ],
	[ 'privileges on a schema', "GRANT CREATE ON SCHEMA public TO other", "-privileges public", "+privileges public" ],
	[ 'a function', "DROP FUNCTION own_rating() CASCADE", "-function public.own_rating()", "-owner public.own_rating()",
		"-privileges public.own_rating()", "-trigger $s.own_trigger" ],
	[ 'the source of a function',
		"CREATE OR REPLACE FUNCTION own_rating() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN  NEW; END'",
		"-function public.own_rating()", "+function public.own_rating()" ],
	[ 'the volatility of a function', "ALTER FUNCTION own_rating() STABLE", "-function public.own_rating()",
		"+function public.own_rating()" ],
	[ 'the C symbol of a function', "CREATE OR REPLACE FUNCTION uuid_v7() RETURNS uuid LANGUAGE C PARALLEL SAFE
			AS '\$libdir/discovery', 'discovery_version'", "-function public.uuid_v7()", "+function public.uuid_v7()" ],
	[ 'membership of a function', "ALTER EXTENSION discovery ADD FUNCTION own_rating()", "+member public.own_rating()" ],
	[ 'membership of a table', "ALTER EXTENSION discovery ADD TABLE notebooks", "+member $n" ],
	[ 'a comment on a column', "COMMENT ON COLUMN sources.rating IS 'x'", "-comment $s.rating", "+comment $s.rating" ],
	[ 'a comment on a function', "COMMENT ON FUNCTION uuid_v7() IS 'x'", "-comment public.uuid_v7()",
		"+comment public.uuid_v7()" ],
	[ 'a comment on an index', "COMMENT ON INDEX own_index IS 'x'", "+comment $s.own_index" ],
	[ 'a comment on a trigger', "COMMENT ON TRIGGER own_trigger ON sources IS 'x'", "+comment $s.own_trigger" ],
	[ 'statistics', "DROP STATISTICS own_statistics", "-owner public.own_statistics",
		"-statistics public.own_statistics" ],
	[ 'a target of statistics', "ALTER STATISTICS own_statistics SET STATISTICS 9", "-statistics public.own_statistics",
		"+statistics public.own_statistics" ],
	[ 'a storage parameter', "ALTER TABLE sources RESET (autovacuum_vacuum_scale_factor)", "-parameters $s",
		"+parameters $s" ],
	[ 'a storage parameter of TOAST', "ALTER TABLE sources RESET (toast.autovacuum_enabled)", "-parameters $s",
		"+parameters $s" ],
	[ 'an owner', "ALTER TABLE discovery_deletions OWNER TO other",
		"-owner public.discovery_deletions", "+owner public.discovery_deletions",
		"-privileges public.discovery_deletions", "+privileges public.discovery_deletions" ],
	[ 'an owner of a function', "ALTER FUNCTION own_rating() OWNER TO other",
		"-owner public.own_rating()", "+owner public.own_rating()",
		"-privileges public.own_rating()", "+privileges public.own_rating()" ],
	[ 'a missing row', "DELETE FROM discovery_deletions WHERE reason LIKE 'auf%'", "-rows public.discovery_deletions",
		"+rows public.discovery_deletions" ],
	[ 'one value', "UPDATE notebooks SET tags = '{}', updated_at = updated_at + interval '1 us' WHERE name LIKE '%1 %'",
		"-rows $n", "+rows $n" ],
	[ 'a microsecond', "SET session_replication_role = replica;
		UPDATE sources SET created_at = created_at + interval '1 us' WHERE name LIKE '%7 %'", "-rows $s", "+rows $s" ],
	[ 'what is only spelt otherwise',
		"SET session_replication_role = replica; UPDATE sources SET source_metadata = '{}' WHERE name LIKE '%7 %'",
		"-rows $s", "+rows $s" ],
	[ 'the history', "UPDATE discovery_migrations SET applied_by = 'x'", "-history public.discovery_migrations",
		"+history public.discovery_migrations" ],
	[ 'the version of the store', "ALTER TABLE discovery_migrations ALTER version SET DEFAULT '9.9'",
		(map { ("-$_", "+$_") } 'column public.discovery_migrations.version', 'version public.discovery_migrations') ],
	[ 'a table', "CREATE TABLE planted (); REVOKE ALL ON planted FROM postgres", "+owner public.planted",
		"+rows public.planted", "+table public.planted" ],
	[ 'a sequence', "DROP SEQUENCE own_sequence", "-owner public.own_sequence", "-privileges public.own_sequence",
		"-sequence public.own_sequence" ],
	[ 'rows of a materialized view', "INSERT INTO notebooks (name) VALUES ('x'); REFRESH MATERIALIZED VIEW own_matview",
		"-rows $n", "+rows $n", "-rows public.own_matview", "+rows public.own_matview" ],
);
foreach my $case (@planted)
{
	my ($what, $sql, @lines) = @$case;
	# What stands in the way of a change goes in both databases.
	my $before = '';
	if (!defined $lines[-1]) { pop @lines; $before = pop(@lines) =~ s/^before: //r; }
	$node->safe_psql('postgres', 'DROP DATABASE IF EXISTS one; CREATE DATABASE one TEMPLATE "all"') if $before;
	$node->safe_psql('one', $before) if $before;
	my $from = $before ? 'one' : 'all';
	$node->safe_psql('postgres', 'DROP DATABASE IF EXISTS planted');
	$node->safe_psql('postgres', "CREATE DATABASE planted TEMPLATE \"$from\"");
	$node->safe_psql('planted', $sql);
	my $printed = differences($node->connstr($from), $node->connstr('planted'));
	$printed = join "\n", sort map { s/^(\S+ [^ (:]+(?:\(\))?).*/$1/r } split /\n/, $printed;
	is($printed, join("\n", sort @lines), "printed: $what");
}
$node->safe_psql('postgres', 'DROP DATABASE planted; CREATE DATABASE planted TEMPLATE "all"; CREATE DATABASE empty');
same_stores($node, 'all', 'planted', 'nothing is printed for a copy');

# Another schema, an extension of another version, none.
my $one = "fresh $versions[0]";
like(differences($node->connstr($one), $node->connstr("fresh $versions[1]")),
	qr/^-extension discovery: version \Q$versions[0]\E.*^\+extension discovery: version \Q$versions[1]\E/ms,
	'printed: the version of the extension');
like(differences($node->connstr($one), $node->connstr('empty')), qr/^-table public\.notebooks:(?!.*^\+)/ms,
	'printed: all, where the other has no store');
like(differences($node->connstr('empty'), $node->connstr('empty')), qr/neither database has a store/,
	'two without a store are no match');
like(differences($node->connstr($one), $node->connstr('no such')), qr/could not read both/,
	'a database that cannot be read is no match');
isnt((try($node, "$FindBin::RealBin/../tools/compare-stores", $node->connstr($one), $node->connstr('no such')))[0], 0,
	'and an exit code says so');
is((try($node, "$FindBin::RealBin/../tools/compare-stores", $node->connstr('all'), $node->connstr('planted')))[0], 0,
	'exit code of no difference');
is((try($node, "$FindBin::RealBin/../tools/compare-stores", $node->connstr($one), $node->connstr('all')))[0], 1,
	'exit code of a difference');

done_testing();
