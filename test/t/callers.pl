# The SQL-only edition: functions with the rights of the store's owner do only what their caller may do, whoever has
# logged in; and nobody can pretend to be another caller. Code of another role that runs in the session of a superuser
# or of the owner gets none of their rights.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Managed;
use Stores;
use Test::More;

my $node = managed_server();
my $a = '00000000-0000-4000-8000-00000000000a';
my $setup = "INSERT INTO notebooks (id, name) VALUES ('$a', 'a');
	INSERT INTO sources (notebook_id, name, source_type, file_path) VALUES ('$a', 's', 'file', '/s');
	INSERT INTO outputs (notebook_id, title) VALUES ('$a', 'o')";
as($node, 'keeper', $setup);

# All functions with the rights of the owner that anybody may call, but for three that tell or lock next to nothing
my $all = value($node, 'managed', "SELECT string_agg(proname, ' ' ORDER BY proname) FROM pg_proc
	WHERE pronamespace = 'public'::regnamespace AND prosecdef AND has_function_privilege('stranger', oid, 'EXECUTE')");
is($all, 'discovery_deletion_of discovery_drop_finished_deletions discovery_has_sources discovery_lock_notebooks'
	. ' discovery_lose_files discovery_refuse_losing_references discovery_repair_counts discovery_require_deletion'
	. ' discovery_restore_trash',
	'the functions that have the rights of the owner');

# evil calls them by any proof.
as($node, 'evil', <<'SQL');
CREATE TABLE evil.log (number integer GENERATED ALWAYS AS IDENTITY, message text);
GRANT SELECT ON evil.log TO PUBLIC;
CREATE FUNCTION evil.try(call text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	attempt text;
	message text;
	detail text;
BEGIN
	FOREACH attempt IN ARRAY ARRAY[
		'discovery_deletion_of(%s, ''public'', ''notebooks'', gen_random_uuid(), gen_random_uuid())',
		'discovery_drop_finished_deletions(%s, ''public'', ''sources'', now())',
		'discovery_lose_files(%s, ''public'', ''{/forged}'')',
		'discovery_refuse_losing_references(%s, ''public'', ''notebooks'', gen_random_uuid())',
		'discovery_repair_counts(%s, ''public'', ''sources'')',
		'discovery_restore_trash(%s, ''public'', (SELECT id FROM evil.deletion), false, false, false)']
	LOOP
		message := format('done as %s: %s', current_user, attempt);
		BEGIN
			EXECUTE 'SELECT FROM public.'
				|| format(attempt, replace(call, '@', quote_literal(split_part(attempt, '(', 1))));
		EXCEPTION WHEN insufficient_privilege THEN
			GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
			message := concat_ws('; ', message, nullif(detail, ''));
		END;
		INSERT INTO evil.log (message) VALUES (message);
	END LOOP;
	RETURN 1;
END $$;
CREATE FUNCTION evil.own() RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT evil.try('public.discovery_call()') $$;
CREATE FUNCTION evil.given(call uuid) RETURNS integer LANGUAGE sql SECURITY DEFINER AS $$
	SELECT evil.try(coalesce(quote_literal(call), 'NULL')) $$;
CREATE FUNCTION evil.definer() RETURNS integer LANGUAGE sql SECURITY DEFINER AS $$ SELECT evil.own() $$;
CREATE TABLE evil.deletion (id uuid);
CREATE TABLE evil.bait (n integer);
INSERT INTO evil.bait VALUES (1);
SQL
my ($deletion) = (as($node, 'keeper', "SELECT deletion_id FROM delete_notebook('$a')"))[1] =~ /([0-9a-f-]{36})/;
$node->safe_psql('managed', "INSERT INTO evil.deletion VALUES ('$deletion')");

my $tables = join "\n", map { "permission denied for table $_" }
	qw(notebooks sources discovery_trash notebooks sources notebooks);
my $refused = qr/permission denied for an internal function; Only the functions of discovery call it\.(?:\n|$)/;
sub log_of_evil { return value($node, 'managed', 'SELECT message FROM evil.log ORDER BY number; TRUNCATE evil.log') }
sub unharmed
{
	my ($name) = @_;
	is( value($node, 'managed', "SELECT (SELECT count(*) FROM discovery_lost_files), (SELECT count(*) FROM notebooks),
		(SELECT count(*) FROM discovery_trash), (SELECT count(*) FROM discovery_deletions),
		(SELECT count(*) FROM discovery_calls)"),
		'0|0|3|1|0', "$name: nothing is done");
}

# As itself, and in sessions of a superuser and of the owner
as($node, 'evil', 'SELECT evil.own()');
is(log_of_evil(), $tables, 'evil has no rights');
unharmed('as itself');
as($node, 'evil', 'CREATE INDEX baited ON evil.bait ((evil.own() + n))');
log_of_evil();
foreach my $command ('ANALYZE evil.bait', 'REINDEX INDEX evil.baited', 'SELECT evil.definer()')
{
	my ($code, undef, $err) = as($node, 'admin', $command);
	is("$code $err", '0 ', "$command by a superuser");
	my $log = log_of_evil();
	like($log, qr/^$tables/, "$command: evil still has none");
	unlike($log, qr/done as/, "$command: whatever it calls");
	unharmed($command);
}
as($node, 'keeper', 'SELECT evil.definer()');
is(log_of_evil(), $tables, 'nor in the session of the owner');
unharmed('in the session of the owner');

# No proof, one that is used up, and the name of another role
foreach my $call ('SELECT evil.given(NULL)', 'SELECT evil.given(gen_random_uuid())',
	'SELECT discovery_call() AS call \gset
	SELECT discovery_repair_counts(:\'call\', \'public\', \'sources\'); SELECT evil.given(:\'call\')')
{
	my (undef, $out, $err) = as($node, 'keeper', "BEGIN; $call; SELECT message FROM evil.log ORDER BY number; ROLLBACK");
	is($err, '', "$call: no error");
	like(join("\n", grep { /^(permission|done)/ } split /\n/, $out), qr/^(?:$refused){6}$/, "$call: proves nothing");
}
fails($node, 'evil', "INSERT INTO discovery_own_calls VALUES (gen_random_uuid(), 'keeper')",
	qr/ERROR:  new row violates check option for view "discovery_own_calls"/, 'nobody writes another name');
fails($node, 'evil', "INSERT INTO discovery_calls VALUES (gen_random_uuid(), 'keeper')",
	qr/ERROR:  permission denied for table discovery_calls/, 'nor into the table');
fails($node, 'evil', 'SELECT * FROM discovery_own_calls', qr/ERROR:  permission denied for view discovery_own_calls/,
	'nor reads what others have written');

# What runs while a function works with the rights of the owner finds no proof of its caller.
as($node, 'evil', "CREATE TABLE evil.teams (id integer PRIMARY KEY, call uuid);
	CREATE FUNCTION evil.ok() RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT evil.own() = 1';
	INSERT INTO evil.teams VALUES (1); GRANT REFERENCES ON evil.teams TO keeper");
as($node, 'keeper', 'ALTER TABLE sources ADD COLUMN team integer DEFAULT 1 REFERENCES evil.teams');
as($node, 'evil', 'CREATE INDEX ON evil.teams (id) WHERE evil.ok()');
log_of_evil();
as($node, 'keeper', "SELECT count(*) FROM restore_deletion('$deletion')");
unlike(log_of_evil(), qr/done as/, 'in a check of a foreign key');
as($node, 'keeper', 'ALTER TABLE sources DROP COLUMN team');
($deletion) = (as($node, 'keeper', "SELECT deletion_id FROM delete_notebook('$a')"))[1] =~ /([0-9a-f-]{36})/;

# The other way round: a function that its owner lends has its owner's rights, no less and no more.
$node->safe_psql('managed', "GRANT DELETE ON notebooks, outputs TO clerk; GRANT CREATE ON SCHEMA public TO clerk;
	GRANT INSERT, UPDATE ON notebooks, sources, outputs TO clerk");
as($node, 'clerk', "CREATE FUNCTION public.lent_delete(uuid) RETURNS uuid LANGUAGE sql SECURITY DEFINER
		AS 'SELECT deletion_id FROM public.delete_notebook(\$1)';
	CREATE FUNCTION public.lent_restore(uuid) RETURNS bigint LANGUAGE sql SECURITY DEFINER
		AS 'SELECT count(*) FROM public.restore_deletion(\$1)'");
my ($code, $out, $err) = as($node, 'stranger', "SELECT lent_restore('$deletion')");
is("$code|$out|$err", '0|3|', 'a function that is lent restores');
fails($node, 'stranger', "SELECT * FROM delete_notebook('$a')", qr/ERROR:  permission denied for table notebooks/,
	'what who calls it may not');
($code, $out, $err) = as($node, 'stranger', "SELECT lent_delete('$a') IS NOT NULL");
is("$code|$out|$err", '0|t|', 'and deletes');
$node->safe_psql('managed', 'REVOKE DELETE, INSERT ON notebooks FROM clerk');
fails($node, 'keeper', "SELECT lent_restore((SELECT deletion_id FROM deleted_notebooks))",
	qr/ERROR:  permission denied for table notebooks/, 'not if its owner has no right to, whoever calls it');
as($node, 'keeper', 'SELECT outcome FROM restore_deletion((SELECT deletion_id FROM deleted_notebooks))');
is(value($node, 'managed', 'SELECT source_count, output_count FROM notebooks'), '1|1', 'the owner restores all');
is(value($node, 'managed', "SELECT count(*) FROM discovery_calls WHERE role <> 'evil'"), '0', 'no proof is left');

# Rows of another role's table: the owner does not read it, as its indexes could run that role's code.
$node->safe_psql('managed', 'GRANT REFERENCES ON notebooks TO evil; GRANT DELETE ON notebooks TO clerk');
as($node, 'evil', "CREATE SEQUENCE evil.runs_as_other; GRANT ALL ON SEQUENCE evil.runs_as_other TO PUBLIC;
	CREATE FUNCTION evil.who() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS \$\$ BEGIN
		IF current_user <> 'evil' THEN PERFORM nextval('evil.runs_as_other'); END IF;
		RETURN true; END \$\$;
	CREATE TABLE evil.remarks (notebook uuid REFERENCES notebooks ON DELETE CASCADE);
	CREATE INDEX ON evil.remarks (notebook) WHERE evil.who();
	INSERT INTO evil.remarks VALUES ('$a');
	GRANT SELECT ON evil.remarks TO keeper");
my $ran = 'SELECT is_called FROM evil.runs_as_other';
my $preview = "SELECT table_name, rows FROM preview_delete_notebook('$a') WHERE effect ~ 'key'";
($code, $out, $err) = as($node, 'clerk', "BEGIN READ ONLY; $preview; COMMIT");
is("$code|$out|$err", '0|evil.remarks||', 'a preview counts as its caller, also where nothing can be written');
fails($node, 'clerk', "SELECT * FROM delete_notebook('$a')",
	qr/ERROR:  cannot move the notebook .* table "evil.remarks" refer to it\nDETAIL:  The owner of the store may not read/,
	'a notebook that such rows may refer to does not move to the trash');
is(value($node, 'managed', $ran), 'f', 'none of that role\'s code has run as another');
# A table of the owner's, with a partition that is not
as($node, 'keeper', "CREATE TABLE public.parts (notebook uuid REFERENCES notebooks ON DELETE CASCADE)
		PARTITION BY LIST (notebook);
	CREATE TABLE public.part PARTITION OF public.parts DEFAULT");
$node->safe_psql('managed', 'GRANT CREATE ON SCHEMA public TO evil; DROP TABLE evil.remarks');
as($node, 'clerk', $preview);
($code, $out, $err) = as($node, 'keeper', "BEGIN; SELECT sources FROM delete_notebook('$a'); ROLLBACK");
is("$code|$out|$err", '0|1|', 'tables of the owner are read, with their partitions');
$node->safe_psql('managed', 'ALTER TABLE public.part OWNER TO evil');
as($node, 'evil', 'CREATE INDEX ON public.part (notebook) WHERE evil.who(); GRANT ALL ON public.part TO keeper');
fails($node, 'keeper', "SELECT * FROM delete_notebook('$a')",
	qr/ERROR:  cannot move the notebook .* table "public.parts" refer to it\nDETAIL:  The owner of the store may not/,
	'unless one belongs to another role');
is(value($node, 'managed', $ran), 'f', 'whose code has not run');

done_testing();
