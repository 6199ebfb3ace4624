# Random calls of every function of the extension, with valid and with hostile values of its arguments, by an owner,
# by a superuser, and by a role that has few rights (see HostileStore).
package HostileCalls;
use strict;
use warnings;
use Exporter 'import';
use RandomSql qw(pick);

our @EXPORT = qw(functions hostile_call hostile_trigger %never);

sub uuid { return "'$_[0]'::pg_catalog.uuid"; }
sub some_notebook { return uuid(sprintf '00000000-0000-4000-8000-00000000000%d', 1 + int rand 3); }
sub some_source { return uuid(sprintf '00000000-0000-4000-9000-0000000000%02d', 1 + int rand 13); }
sub some_deletion { return uuid(sprintf '00000000-0000-4000-a000-00000000000%d', 1 + int rand 4); }
sub some_output { return uuid(sprintf '00000000-0000-4000-b000-00000000000%d', 1 + int rand 3); }
# What has moved to the trash
sub some_trash { return uuid(sprintf '00000000-0000-4000-a000-00000000000%d', 3 + int rand 2); }
sub some_content { return sprintf "'content %d'", int rand 12; }

# The functions of the extension: name, kind (f, p, a), whether it is a trigger function, the input arguments with
# their types, how many of these have a default.
sub functions
{
	my ($node, $database) = @_;
	return map { my ($name, $kind, $trigger, $defaults, @arguments) = split /\|/;
		{ name => $name, kind => $kind, trigger => $trigger eq 't', defaults => $defaults,
			arguments => [ map { [ split / / ] } @arguments ] } } split /\n/, $node->safe_psql($database, <<'END');
SELECT concat_ws('|', proname, prokind, prorettype = 'trigger'::regtype, pronargdefaults,
	(SELECT string_agg(coalesce(nullif(proargnames[n], ''), '?') || ' ' || (proargtypes::oid[])[n - 1]::regtype,
		'|' ORDER BY n)
		FROM generate_series(1, pronargs) AS n))
FROM pg_proc JOIN pg_depend ON classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e'
JOIN pg_extension ON refclassid = 'pg_extension'::regclass AND refobjid = pg_extension.oid AND extname = 'discovery'
ORDER BY pg_proc.oid::regprocedure::text COLLATE "C"
END
}

# Those that no call by SQL gets into, and why: all of their calls must fail.
our %never = (
	content_hash_step => 'PostgreSQL refuses a value of type internal; content_hash_agg() calls it',
	content_hash_final => 'PostgreSQL refuses a value of type internal; content_hash_agg() calls it',
	discovery_install_store => 'only CREATE EXTENSION may call it',
	discovery_run_step => 'only ALTER EXTENSION UPDATE may call it');

my @texts = ('NULL', "''", "' '", "E'\\t\\n'", "pg_catalog.repeat('x', 300)", "pg_catalog.repeat('x', 1000000)",
	"pg_catalog.repeat('\"', 64)", "'; DROP TABLE sources; --'", "'\$\$'", "'\$discovery\$'", "''''", "'\"'", "'a\"b''c'",
	"E'\\\\'", "'%s %n %I'", "'{}'", "'NULL'", "'\@store\@'", "'\@extschema\@.x'", "'/* record: */'", "U&'\\+01F600'",
	"U&'\\202E'", "U&'\\00E9'", "'0'", "'-1'", "'+1'", "'1e999'", "'head'", "'base'", "'1.1'", "'\\x00'", "'pg_catalog'",
	"pg_catalog.repeat('1.', 5000)", "'+99999999999999999999'", "'-2147483649'", "'1.1 '", "pg_catalog.chr(1)",
	"pg_catalog.repeat('/', 2000)", "'http://'", "pg_catalog.repeat(U&'\\+01F600', 501)");
my @json = ('NULL', "'null'", "'[]'", "'{}'", "'1'", "'\"x\"'", "'true'", "'[[]]'", "'[null]'", "'[1, 2]'",
	"'[{}, {}]'",
	"pg_catalog.concat(pg_catalog.repeat('[', 3000), pg_catalog.repeat(']', 3000))::pg_catalog.jsonb",
	"pg_catalog.concat(pg_catalog.repeat('{\"a\":', 3000), '1', pg_catalog.repeat('}', 3000))::pg_catalog.jsonb",
	"'{\"name\": null}'", "'{\"\": \"\"}'", "'{\"added_by\": {\"a\": [1]}, \"pages\": \"x\"}'", "'{\"pages\": 1e100}'",
	"'{\"ctid\": \"(0,1)\", \"tableoid\": 1}'", "'{\"deleted_at\": \"now\"}'", "'{\"a\\\"b\": 1}'",
	"pg_catalog.jsonb_build_object(pg_catalog.repeat('k', 100000), 1)",
	"'[{\"name\": 1, \"source_type\": [], \"content\": {}, \"file_size\": 1e1000}]'",
	"'[{\"name\": \"x\", \"source_type\": \"file\", \"content\": \"\\\\xz\"}]'",
	"'[{\"name\": \"x\", \"source_type\": \"file\", \"content\": \"not base64!\"}]'",
	"'[{\"name\": \"x\", \"source_type\": \"file\", \"file_size\": -9223372036854775809, \"id\": 1}]'",
	"'[{\"name\": \"x\", \"source_type\": \"text\", \"columns\": [], \"source_metadata\": null}]'",
	"'[{\"name\": \"x\", \"source_type\": \"text\", \"columns\": {\"added_by\": {}}}]'",
	"(SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', n, 'source_type',
		'page')) FROM pg_catalog.generate_series(1, 2000) AS n)");
my %hostile = (
	text => \@texts,
	name => [ @texts, "'nowhere'", "'pg_temp'", "'pg_toast'", "'information_schema'", "'evil'", "'spies'", "'tables'",
		"'Public'", "'secret'", "'own'", "'fresh'" ],
	uuid => [ 'NULL', uuid('00000000-0000-0000-0000-000000000000'), uuid('ffffffff-ffff-ffff-ffff-ffffffffffff'),
		'pg_catalog.gen_random_uuid()', uuid('00000000-0000-4000-8000-000000000001'),
		uuid('00000000-0000-4000-9000-000000000005'), uuid('00000000-0000-4000-9000-000000000013'),
		uuid('00000000-0000-4000-a000-000000000002') ],
	'uuid[]' => [ 'NULL', "'{}'", "'{NULL}'", "'[7:8]={00000000-0000-4000-9000-000000000001,NULL}'",
		"'{{00000000-0000-4000-9000-000000000001},{00000000-0000-4000-9000-000000000002}}'",
		"'[-5:-4]={00000000-0000-4000-9000-000000000001,00000000-0000-4000-9000-000000000001}'",
		"'{00000000-0000-4000-9000-000000000005,00000000-0000-4000-9000-000000000013}'",
		'(SELECT pg_catalog.array_agg(pg_catalog.gen_random_uuid()) FROM pg_catalog.generate_series(1, 20000))',
		"(SELECT pg_catalog.array_agg('00000000-0000-4000-9000-000000000001'::pg_catalog.uuid)
			FROM pg_catalog.generate_series(1, 20000))" ],
	boolean => [ 'NULL', 'true', 'false' ],
	integer => [ 'NULL', '0', '-1', '1', '2147483647', '(-2147483648)' ],
	bigint => [ 'NULL', '0', '-1', '1', '9223372036854775807', '(-9223372036854775808)' ],
	interval => [ 'NULL', "'0'", "'-1 day'", "'178000000 years'", "'-178000000 years'", "'1 month -31 days'",
		"'1 microsecond'", "'-1 month 31 days'", "'2147483647 days'" ],
	'timestamp with time zone' => [ 'NULL', "'infinity'", "'-infinity'", "'4713-01-01 BC'", "'294276-12-31'", "'now'" ],
	bytea => [ 'NULL', "''", "'\\x00'", "'\\xff'", "pg_catalog.decode(pg_catalog.repeat('00', 1000000), 'hex')" ],
	json => [ map { s/::pg_catalog\.jsonb\z/::pg_catalog.json/r } grep { !/jsonb_/ } @json ],
	jsonb => \@json,
	internal => [ 'NULL', "''", "'1'" ]);

sub schema_of { my ($caller) = @_; return $caller eq 'low' ? "'own'" : pick("'public'", "'secret'", "'old'"); }
sub reason { return pick("'a reason'", 'NULL', "'it''s over'"); }
# Values that belong together, for a source that may be added.
sub added
{
	my $type = pick(qw(text text url file));
	my %values = (name => "'source " . int(rand 100) . "'", source_type => "'$type'",
		on_duplicate => pick("'return'", "'error'"),
		on_deleted => pick("'restore'", "'add'"), source_metadata => pick("'{\"pages\": 2}'", "'{}'"),
		columns => pick("'{\"added_by\": \"anna\"}'", "'{\"pages\": 7}'", "'{}'", 'NULL'));
	$values{extracted_text} = some_content() if $type ne 'file' || rand() < 0.5;
	$values{content} = some_content() if $type eq 'file';
	@values{ 'file_type', 'file_path' } = ("'pdf'", "'/files/x'") if $type eq 'file';
	$values{file_size} = '9' if $type eq 'file' && !$values{content};
	$values{url} = "'https://example.org/'" if $type eq 'url';
	return %values;
}
sub as_json
{
	my %values = added();
	delete @values{qw(on_duplicate on_deleted)};
	$values{content} = "'Y29udGVudCAx'" if $values{content};
	$values{$_} .= '::pg_catalog.jsonb' foreach grep { $values{$_} } qw(columns source_metadata);
	return 'pg_catalog.jsonb_build_object(' . join(', ', map { "'$_', $values{$_}" } sort keys %values) . ')';
}
# The valid values of a function's arguments, of those that have any.
sub valid
{
	my ($name, $caller) = @_;
	my %values = (notebook_id => some_notebook(), id => some_source(), deletion_id => some_deletion(), reason => reason(),
		ids => 'ARRAY[' . join(', ', map { some_source() } 1 .. 1 + rand 4) . ']', max_rows => 1 + int rand 5,
		max_deletions => 1 + int rand 2, created_by => "'ann'", on_name_taken => pick("'error'", "'rename'"),
		on_missing_column => pick("'error'", "'leave_out'"),
		older_than => pick("'0'", "'30 days'", "'1 hour'"), since => "'2020-01-01'", after => some_source(),
		on_duplicate => pick("'error'", "'keep_deleted'"), schema => schema_of($caller), content => some_content(),
		piece => some_content(), purpose => pick("'count'", "'restore'", "'delete'"), call => some_source(),
		sources => 'pg_catalog.jsonb_build_array(' . join(', ', map { as_json() } 0 .. rand 4) . ')');
	$values{reason} = "'hold'" if $name =~ /^hold_/;
	$values{id} = some_notebook() if $name =~ /notebook/;
	$values{id} = some_output() if $name =~ /output/;
	$values{deletion_id} = some_trash() if $name =~ /_deletion$/;
	delete $values{ pick('notebook_id', 'created_by') } if $name eq 'erase_data';
	$values{id} = uuid('00000000-0000-4000-9000-00000000001' . (1 + int rand 3)) if $name eq 'restore_source'
		&& rand() < 0.95;
	%values = (%values, added()) if $name eq 'add_source';
	@values{qw(on_duplicate on_deleted)} = (pick("'return'", "'error'"), pick("'restore'", "'add'"))
	  if $name eq 'add_sources';
	$values{schema} = pick("'fresh'", "'made'") if $name eq 'discovery_create_store';
	$values{target} = pick("'head'", "'1.1'", "'+1'");
	$values{target} = pick("'1.0'", "'-1'", "'base'", "'-2'") if $name =~ /downgrade/;
	$values{target} = pick("'head'", "'1.0'", "'-1'", "'base'") if $name =~ /plan/;
	$values{version} = pick("'1.1'", "'1.0'") if $name =~ /stamp/;
	@values{qw(from_version to_version)} = ("'1.0'", "'1.1'");
	if ($name =~ /prepare_upgrade|cancel_upgrade|run_ahead/)
	{
		@values{qw(target number schema)} = ("'1.1'", pick(0, 9, 10, 11, int rand 40),
			$caller eq 'low' ? "'own'" : "'old'");
	}
	return %values;
}

# The call as SQL; `past` is more often true the more of its values are valid.
sub arguments_of
{
	my ($function, $caller) = @_;
	my %valid = valid($function->{name}, $caller);
	my @arguments = @{ $function->{arguments} };
	my $mode = rand();
	my $one = int rand(@arguments || 1);
	my @given;
	foreach my $number (0 .. $#arguments)
	{
		my ($name, $type) = ($arguments[$number][0], join ' ', @{ $arguments[$number] }[ 1 .. $#{ $arguments[$number] } ]);
		my $hostile = $mode < 0.2 || $mode < 0.45 && $number == $one;
		# What a valid call needs is given, the rest by chance.
		my $optional = $number >= @arguments - $function->{defaults};
		next if $optional && !$hostile && (!defined $valid{$name} || rand() < 0.2 && $function->{name} ne 'add_source');
		next if $optional && $hostile && rand() < 0.3;
		my $value = $hostile || !defined $valid{$name} ? pick(@{ $hostile{$type} or die "no values of type $type" })
			: $valid{$name};
		# Only what has to be cast: an unknown literal chooses content_hash(text).
		$value .= "::pg_catalog.$type" if $type eq 'bytea' && $value !~ /^pg_catalog/;
		push @given, $function->{kind} eq 'a' || $name eq '?' ? $value : "$name => $value";
	}
	return join ', ', @given;
}

# How a function is called: alone, in a FROM, from PL/pgSQL with and without a handler, through a cursor, row by row, …
my @ways = (
	(sub { "SELECT $_[0]" }) x 3,
	(sub { "SELECT * FROM $_[0] AS called" }) x 3,
	sub { "DO \$do\$ BEGIN PERFORM $_[0]; END \$do\$" },
	sub { "DO \$do\$ BEGIN BEGIN PERFORM $_[0]; RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN NULL;
		END; PERFORM $_[0]; END \$do\$" },
	sub { "DECLARE c SCROLL CURSOR FOR SELECT $_[0]\\; FETCH 1 FROM c\\; SAVEPOINT s\\; FETCH ALL FROM c\\;
		ROLLBACK TO s\\; CLOSE c" },
	sub { "SELECT called.* FROM pg_catalog.generate_series(1, 3) AS n, LATERAL (SELECT $_[0]) AS called" },
	sub { "EXPLAIN (ANALYZE, VERBOSE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT $_[0]" },
	sub { "DEALLOCATE ALL\\; PREPARE p AS SELECT $_[0]\\; EXECUTE p\\; EXECUTE p" },
	sub { "SAVEPOINT s\\; SELECT $_[0]\\; ROLLBACK TO s\\; SELECT $_[0]" },
	sub { "CREATE TEMP TABLE made ON COMMIT DROP AS SELECT * FROM $_[0] AS called" },
	sub { "CREATE TEMP VIEW made AS SELECT * FROM $_[0] AS called\\; SELECT * FROM made\\; DROP VIEW made" },
	sub { "WITH a AS (SELECT $_[0]), b AS (SELECT $_[0]) SELECT * FROM a, b" },
	sub { "SELECT CASE WHEN pg_catalog.random() < 2 THEN ($_[0]) IS NULL END" },
	sub { "SELECT pg_catalog.query_to_xml(\$hostile\$SELECT $_[0]\$hostile\$, true, true, '')" },
);
my @settings = split /\n/, <<'END';
SET LOCAL search_path = public
SET LOCAL search_path = secret, public
SET LOCAL search_path = spies, pg_catalog, public
SET LOCAL search_path = own, spies, pg_catalog, public
SET LOCAL search_path = evil, public
SET LOCAL search_path = ''
SET LOCAL search_path = old, public
SET LOCAL discovery.allow_data_loss = on
SET LOCAL discovery.counts = statement
SET LOCAL discovery.keep_deleted = on
SET LOCAL discovery.reason = 'because'
SET LOCAL discovery.adopt_foreign = on
SET LOCAL row_security = off
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE
SET TRANSACTION READ ONLY
SET LOCAL lock_timeout = '50ms'
SET LOCAL work_mem = '64kB'
SET LOCAL jit = on
SET LOCAL standard_conforming_strings = off
SET LOCAL DateStyle = 'German, DMY'
SET LOCAL IntervalStyle = iso_8601
SET LOCAL TimeZone = 'Pacific/Chatham'
SET LOCAL client_encoding = 'LATIN1'
SET LOCAL extra_float_digits = 0
SET LOCAL plan_cache_mode = force_generic_plan
SET LOCAL quote_all_identifiers = on
SET LOCAL bytea_output = escape
SET CONSTRAINTS ALL DEFERRED
SET LOCAL backslash_quote = off
SET LOCAL transform_null_equals = on
SET LOCAL constraint_exclusion = on
END

# One call, in a transaction of its own: SQL for psql, which echoes a line with the number and the SQLSTATE.
sub hostile_call
{
	my ($number, $function, $caller) = @_;
	return hostile_trigger($number, $function, $caller) if $function->{trigger} && rand() < 0.95;
	return hostile_write($number, $caller) if $function->{name} eq 'discovery_write' && rand() < 0.9;
	my $call = "public.$function->{name}(" . arguments_of($function, $caller) . ')';
	my $echo = "\\echo '#' $number :SQLSTATE\n";
	# A procedure commits on its way, so it stands alone, or it fails in a transaction.
	if ($function->{kind} eq 'p')
	{
		my $alone = rand() < 0.9;
		return ($alone ? '' : "BEGIN;\n") . "CALL $call;\n$echo" . ($alone ? '' : "ROLLBACK;\n");
	}
	my $aggregate = $function->{kind} eq 'a';
	$call = $call =~ s/\)\z/pick(')', " ORDER BY 1)", ") FILTER (WHERE true)", ') OVER ()')/er if $aggregate;
	# Whoever reads a table of another role runs that role's code, as in every SELECT. Superusers are protected.
	my @set = grep { $caller ne 'owner' || !/own,/ } map { pick(@settings) . ";\n" } 1 .. rand 3;
	my $rolls_back = rand() < ($function->{name} =~ /drop_store|downgrade|upgrade|stamp|create_store/ ? 0.85 : 0.4);
	# A store with rows, or beside newer ones, does not go down.
	if ($function->{name} =~ /drop_store|downgrade/ && rand() < 0.7)
	{
		push @set, "SET LOCAL discovery.allow_data_loss = on;\n";
		push @set, "DROP SCHEMA secret, own, evil CASCADE;\n" if $caller eq 'postgres' && $rolls_back;
	}
	my $way = $aggregate ? sub { "SELECT $_[0]" } : pick(@ways);
	return join '', "BEGIN;\n", @set, $way->($call), ";\n", $echo, $rolls_back ? 'ROLLBACK' : 'COMMIT', ";\n";
}

# Statements that call discovery_write() as if they were the extension's own, and write: in the condition, in what is
# returned, before the statement, around it. Whoever owns the table may set a count by that, so it is undone.
sub hostile_write
{
	my ($number, $caller) = @_;
	my $schema = $caller eq 'low' ? pick('own', ('public') x 3) : pick('public', 'secret');
	my $delete = "'delete', " . some_deletion() . ', ' . reason();
	my $keep = "'keep', " . some_trash() . ', ' . reason();
	my ($table, $purpose, $set) = pick([ 'notebooks', "'count'", 'source_count = -99' ],
		[ 'sources', $delete, 'deleted_at = pg_catalog.now()' ],
		[ 'sources', "'restore'", pick('', 'deleted_at = NULL, ') . "extracted_text = 'other'" ])->@*;
	$purpose = pick("'count'", "'restore'", $delete, $keep) if rand() < 0.2;
	$table = "$schema.$table";
	my $told = sub { "public.discovery_write($_[0], $purpose)" };
	my $write = pick(
		"UPDATE $table AS t SET $set WHERE " . $told->('t.id'),
		"UPDATE $table AS t SET $set RETURNING " . $told->('t.id'),
		"UPDATE $table AS t SET $set FROM $table AS o WHERE t.id = o.id AND " . $told->('o.id'),
		"WITH told AS MATERIALIZED (SELECT id FROM $table WHERE " . $told->('id') . ')
			UPDATE ' . "$table AS t SET $set FROM told WHERE t.id = told.id",
		"MERGE INTO $table AS t USING (SELECT id FROM $table) AS o ON t.id = o.id
			WHEN MATCHED AND " . $told->('t.id') . " THEN UPDATE SET $set",
		'SELECT ' . $told->('id') . " FROM $table\\; UPDATE $table SET $set",
		"DELETE FROM $table AS t WHERE t.name LIKE 'written%' AND public.discovery_write(t.id, $keep)",
		"DO \$do\$ DECLARE i uuid; BEGIN FOR i IN SELECT id FROM $table WHERE " . $told->('id') . "
			LOOP UPDATE $table SET $set WHERE id = i; END LOOP; END \$do\$",
		"DECLARE c CURSOR FOR SELECT FROM $table WHERE " . $told->('id') . " FOR UPDATE\\; FETCH 1 FROM c\\;
			UPDATE $table SET $set WHERE CURRENT OF c",
		"INSERT INTO $schema.sources (notebook_id, name, source_type, deleted_at)
			SELECT id, 'written', 'file', pg_catalog.now() FROM $schema.notebooks WHERE " . $told->('id'),
		"WITH told AS (SELECT " . $told->('id') . " FROM $schema.notebooks)
			INSERT INTO $schema.sources (notebook_id, name, source_type, extracted_text)
			SELECT " . some_notebook() . ", 'written', 'text', 'told ' || pg_catalog.count(*) FROM told");
	# There is something that the low role may change. Its count is looked at here, as a later call may repair it.
	my $ends = $schema eq 'public' && $caller eq 'low'
	  ? "COMMIT;\nSELECT 'WRONG: it has set a count' FROM public.notebooks WHERE source_count < 0" : 'ROLLBACK';
	return "BEGIN;\nINSERT INTO $schema.sources (notebook_id, name, source_type, extracted_text) VALUES ("
	  . some_notebook() . ", 'written', 'text', 'written $number');\n$write;\n\\echo '#' $number :SQLSTATE\n$ends;\n";
}

# The triggers for which the functions are made: when, level, events, table.
my %fits = (
	discovery_source_row => [ 'BEFORE', 'ROW', 'sources', 'INSERT', 'UPDATE' ],
	discovery_source_change => [ 'AFTER', 'ROW', 'sources', 'INSERT', 'UPDATE', 'DELETE' ],
	discovery_source_statement => [ 'AFTER', 'STATEMENT', 'sources', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE' ],
	discovery_lost_file => [ 'AFTER', 'ROW', 'sources', 'UPDATE', 'DELETE' ],
	discovery_notebook_row => [ 'BEFORE', 'ROW', 'notebooks', 'INSERT', 'UPDATE' ],
	discovery_source_delete => [ 'AFTER', 'ROW', 'sources', 'DELETE' ],
	discovery_notebook_change => [ 'AFTER', 'ROW', 'notebooks', 'UPDATE', 'DELETE' ],
	discovery_notebook_delete => [ 'AFTER', 'ROW', 'notebooks', 'DELETE' ],
	discovery_output_row => [ 'BEFORE', 'ROW', 'outputs', 'UPDATE' ],
	discovery_output_change => [ 'AFTER', 'ROW', 'outputs', 'INSERT', 'UPDATE', 'DELETE' ],
	discovery_output_statement => [ 'AFTER', 'STATEMENT', 'outputs', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE' ],
	discovery_prepared => [ 'AFTER', 'ROW', 'sources', 'INSERT', 'UPDATE', 'DELETE' ]);

# A trigger function is called by a trigger: of any kind, on tables of the shape of sources and on others.
sub hostile_trigger
{
	my ($number, $function, $caller) = @_;
	my $schema = $caller eq 'low' ? 'own' : 'tables';
	my ($when, $level, $fitting, @events) = @{ $fits{ $function->{name} } };
	my $fits = rand() < 0.5;
	my @others = $caller eq 'low' ? ('own.odd', 'own.sources', 'own.notebooks', 'own.outputs')
	  : ('secret.sources', 'secret.notebooks', 'secret.outputs');
	my @schemas = $caller eq 'low' ? 'own' : $fitting eq 'outputs' ? 'secret' : ('secret', 'old');
	my $table = $fits ? pick(@schemas) . ".$fitting" : pick("$schema.rows", @others);
	($when, $level) = (pick('BEFORE', 'AFTER'), pick('ROW', 'STATEMENT')) if !$fits;
	my $argument = pick('', '', "'discovery_twin'", "'discovery_spoilt'", "'discovery_prepared'", "'content_hash'",
		"'output_count'", "'discovery_output_count'",
		"'\"'", "''", "'a', 'b'");
	my $new = 'pg_catalog.gen_random_uuid()';
	my ($columns, $row) = $table =~ /notebooks/ ? ('id, name', "$new, $new")
	  : $table =~ /outputs/ ? ('id, notebook_id, title', "$new, " . some_notebook() . ", 'o'")
	  : $table =~ /odd/ ? ('id, notebook_id', "'x', 1")
	  : ('id, notebook_id, name, source_type, content_hash', "$new, " . some_notebook() . ", 's', 'text', "
		. pick("''", "'h'"));
	my %writes = (INSERT => "INSERT INTO $table ($columns) VALUES ($row)", UPDATE => "UPDATE $table SET id = id",
		DELETE => "DELETE FROM $table", TRUNCATE => "TRUNCATE $table CASCADE");
	my $event = $fits ? pick(@events) : pick('INSERT', 'INSERT', 'UPDATE', 'DELETE', $level eq 'ROW' ? () : 'TRUNCATE');
	my $constraint = $level eq 'ROW' && rand() < 0.1;
	my $made = $constraint ? "CREATE CONSTRAINT TRIGGER planted AFTER $event ON $table DEFERRABLE INITIALLY DEFERRED"
	  : "CREATE TRIGGER planted $when $event ON $table";
	my $writes = "$writes{INSERT}\\; " x ($event ne 'INSERT') . $writes{$event};
	$writes .= '\; SET CONSTRAINTS ALL IMMEDIATE' if $constraint;
	my $ends = $table =~ /rows/ && rand() < 0.3 ? "DROP TRIGGER planted ON $table;\nCOMMIT" : 'ROLLBACK';
	return "BEGIN;\n$made FOR EACH $level EXECUTE FUNCTION public.$function->{name}($argument)\\; $writes;\n"
	  . "\\echo '#' $number :SQLSTATE\n$ends;\n";
}

1;
