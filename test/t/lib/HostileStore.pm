# Stores for the hostile calls, and the spies that a role of few rights has planted beside them: functions, operators,
# triggers and indexes that tell if they run as anybody else.
package HostileStore;
use strict;
use warnings;
use Exporter 'import';

our @EXPORT = qw(make_hostile_store $rights);

# Stores of one database: `public` and `secret` are the owner's, `old` is that of the version before, `own` is the low
# role's. What the low role must not see has the word SECRET in it.
sub rows_of
{
	my ($schema) = @_;
	my $secret = $schema eq 'secret' ? 'SECRET ' : '';
	return <<"END";
INSERT INTO $schema.notebooks (id, name, source_count)
	SELECT ('00000000-0000-4000-8000-00000000000' || n)::uuid, '${secret}notebook ' || n, CASE WHEN n < 3 THEN 5 ELSE 0 END
	FROM generate_series(1, 3) AS n;
INSERT INTO $schema.sources (id, notebook_id, name, source_type, extracted_text, content_hash, file_path)
	SELECT ('00000000-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid,
		('00000000-0000-4000-8000-00000000000' || 1 + n % 2)::uuid,
		CASE WHEN n IN (5, 6) THEN 'SECRET ' ELSE '$secret' END || 'source ' || n, 'text',
		CASE WHEN n IN (5, 6) THEN 'SECRET ' ELSE '$secret' END || 'content ' || n,
		encode(sha256(convert_to(CASE WHEN n IN (5, 6) THEN 'SECRET ' ELSE '$secret' END || 'content ' || n, 'UTF8')), 'hex'),
		'/files/' || n
	FROM generate_series(1, 10) AS n;
END
}
sub deletions_of
{
	my ($schema) = @_;
	return <<"END";
ALTER TABLE $schema.sources ADD COLUMN added_by text DEFAULT 'nobody', ADD COLUMN pages int;
INSERT INTO $schema.discovery_deletions (id, login_role, acting_role, reason, sources)
	VALUES ('00000000-0000-4000-a000-000000000001', 'owner', 'owner', 'tidying up', 2),
		('00000000-0000-4000-a000-000000000002', 'owner', 'owner', 'SECRET reason', 1);
INSERT INTO $schema.sources (id, notebook_id, name, source_type, extracted_text, deleted_at)
	VALUES ('00000000-0000-4000-9000-000000000011', '00000000-0000-4000-8000-000000000001', 'deleted 11', 'text',
		'content 11', '2020-01-01'),
		('00000000-0000-4000-9000-000000000012', '00000000-0000-4000-8000-000000000002', 'deleted 12', 'text',
			'content 4', '2020-01-01'),
		('00000000-0000-4000-9000-000000000013', '00000000-0000-4000-8000-000000000002', 'SECRET 13', 'text',
			'SECRET', '2020-01-01');
UPDATE $schema.sources SET deletion_id = '00000000-0000-4000-a000-000000000001' WHERE name LIKE 'deleted %';
UPDATE $schema.sources SET deletion_id = '00000000-0000-4000-a000-000000000002' WHERE name LIKE '% 13';
INSERT INTO $schema.notebooks (id, name, created_by)
	SELECT ('00000000-0000-4000-8000-00000000000' || n)::uuid, 'SECRET trash ' || n, 'ann' FROM generate_series(4, 5) AS n;
INSERT INTO $schema.sources (notebook_id, name, source_type, extracted_text, file_path)
	SELECT id, 'SECRET source', 'text', 'SECRET content', '/files/trash' FROM $schema.notebooks WHERE name LIKE '%trash%';
INSERT INTO $schema.outputs (id, notebook_id, title, content, status)
	SELECT ('00000000-0000-4000-b000-00000000000' || n)::uuid, ('00000000-0000-4000-8000-00000000000' || n)::uuid,
		'output ' || n, 'content ' || n, 'generating' FROM generate_series(1, 5) AS n;
SET discovery.keep_deleted = on;
DELETE FROM $schema.notebooks WHERE name LIKE '%trash 4';
SET discovery.reason = 'SECRET trash';
DELETE FROM $schema.notebooks WHERE name LIKE '%trash 5';
RESET discovery.reason;
RESET discovery.keep_deleted;
UPDATE $schema.discovery_deletions SET id = '00000000-0000-4000-a000-000000000003'
	WHERE notebooks > 0 AND reason IS NULL;
UPDATE $schema.discovery_deletions SET id = '00000000-0000-4000-a000-000000000004'
	WHERE notebooks > 0 AND reason IS NOT NULL;
UPDATE $schema.discovery_trash SET deletion_id = ('00000000-0000-4000-a000-00000000000'
	|| CASE WHEN notebook_id::text LIKE '%4' THEN 3 ELSE 4 END)::uuid;
END
}

# What the low role plants: it tells when it runs as somebody else. Sequences keep what a rollback undoes.
my $spy = "'BEGIN PERFORM spies.tell(); RETURN %s; END'";
my @spied_functions = map { [ /^(.*?) RETURNS (\w+): (.*)$/ ] } split /\n/, <<'END';
lower(text) RETURNS text: $1
lower(varchar) RETURNS text: $1::text
now() RETURNS timestamptz: pg_catalog.now()
clock_timestamp() RETURNS timestamptz: pg_catalog.clock_timestamp()
timezone(text, timestamptz) RETURNS timestamp: '2000-01-01'
gen_random_uuid() RETURNS uuid: pg_catalog.gen_random_uuid()
isfinite(timestamp) RETURNS boolean: true
sha256(bytea) RETURNS bytea: $1
convert_to(text, name) RETURNS bytea: ''::bytea
quote_ident(text) RETURNS text: $1
format(text, text) RETURNS text: $1
to_regclass(text) RETURNS regclass: NULL
pg_get_userbyid(oid) RETURNS name: 'postgres'
cardinality(uuid[]) RETURNS int: 1
octet_length(text) RETURNS int: 1
length(text) RETURNS int: 1
btrim(text) RETURNS text: $1
END
my @spied_operators = map { [ split ] } split /\n/, <<'END';
= uuid uuid
= text text
= varchar varchar
= name name
= name text
= oid oid
<> text text
<> varchar text
<> int4 int8
< timestamp timestamp
> uuid uuid
~ text text
END
my $spies = join '', "CREATE SEQUENCE spies.ran MINVALUE 0; GRANT ALL ON spies.ran TO PUBLIC;\n",
	"CREATE FUNCTION spies.tell() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS \$\$ BEGIN IF current_user <> 'low' THEN ",
	"PERFORM nextval('spies.ran'); RAISE WARNING 'SPIED as %', current_user; END IF; RETURN true; END \$\$;\n",
	"SELECT nextval('spies.ran');\n",
	(map { "CREATE FUNCTION spies.$_->[0] RETURNS $_->[1] LANGUAGE plpgsql AS " . sprintf($spy, $_->[2] =~ s/'/''/gr)
		. ";\n" } @spied_functions),
	(map { my ($name, @types) = @{ $spied_operators[$_] };
		"CREATE FUNCTION spies.operator_$_($types[0], $types[1]) RETURNS boolean LANGUAGE plpgsql AS "
		. sprintf($spy, 'true') . ";\nCREATE OPERATOR spies.$name (LEFTARG = $types[0], RIGHTARG = $types[1], FUNCTION = "
		. "spies.operator_$_);\n" } 0 .. $#spied_operators),
	"CREATE FUNCTION spies.row() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN PERFORM spies.tell(); ",
	"RETURN coalesce(NEW, OLD); END \$\$;\n";
# In its own store, it may see everything.
my $own = (rows_of('own') . deletions_of('own')) =~ s/SECRET/hidden/gr . <<'END';
CREATE TRIGGER spy BEFORE INSERT OR UPDATE OR DELETE ON own.sources FOR EACH ROW EXECUTE FUNCTION spies.row();
CREATE TRIGGER spy AFTER INSERT OR UPDATE OR DELETE ON own.notebooks FOR EACH ROW EXECUTE FUNCTION spies.row();
CREATE INDEX spy ON own.sources ((spies.tell()));
CREATE INDEX spy_log ON own.discovery_deletions ((spies.tell()));
CREATE INDEX spy_record ON own.discovery_migrations ((spies.tell()));
CREATE TABLE own.rows (LIKE public.sources INCLUDING DEFAULTS);
CREATE TABLE own.odd (id text, notebook_id int, content_hash uuid, deleted_at text, extracted_text int,
	source_count text);
-- A store that is none: its record is a view with a spy in it.
CREATE VIEW evil.discovery_migrations AS SELECT gen_random_uuid() AS id, '1.1'::text AS version, ''::text AS direction
	WHERE spies.tell();
-- What refers to others' notebooks, by an index whose predicate the planner evaluates
CREATE TABLE evil.remarks (notebook uuid REFERENCES public.notebooks ON DELETE CASCADE,
	output uuid REFERENCES public.outputs ON DELETE SET NULL);
CREATE INDEX ON evil.remarks (notebook) WHERE spies.tell();
GRANT SELECT ON evil.remarks TO PUBLIC;
CREATE TABLE evil.notebooks (id uuid DEFAULT spies.gen_random_uuid(), name text CHECK (spies.tell()));
CREATE VIEW evil.sources AS SELECT * FROM own.sources WHERE spies.tell();
END

# make_hostile_store($node, 'database')
sub make_hostile_store
{
	my ($node, $database) = @_;
	$node->safe_psql('postgres', "CREATE ROLE owner LOGIN CREATEROLE; CREATE ROLE low LOGIN;
		CREATE DATABASE $database OWNER owner");
	my @as = map { [ '-U', $_ ] } 'owner', 'low';
	my $quiet = "SET client_min_messages = error;\n";
	$node->safe_psql($database, $quiet . "CREATE EXTENSION discovery VERSION '1.0';\n"
		. "CREATE SCHEMA old; SELECT discovery_create_store('old');\n" . rows_of('old')
		. "ALTER EXTENSION discovery UPDATE;\nCREATE SCHEMA secret; SELECT discovery_create_store('secret');\n"
		. join('', map { rows_of($_) . deletions_of($_) } 'public', 'secret') . <<'END', extra_params => $as[0]);
GRANT SELECT, INSERT, UPDATE (deleted_at, extracted_text) ON sources TO low;
GRANT UPDATE (source_count) ON notebooks TO low;
GRANT SELECT ON notebooks, outputs, discovery_deletions, discovery_migrations, discovery_trash, live_sources,
	deleted_sources, deleted_notebooks, deleted_outputs TO low;
GRANT INSERT ON outputs TO low;
GRANT REFERENCES ON notebooks, outputs TO low;
ALTER TABLE sources ENABLE ROW LEVEL SECURITY;
ALTER TABLE discovery_deletions ENABLE ROW LEVEL SECURITY;
CREATE POLICY low ON sources USING (name NOT LIKE '%SE%CRET%');
CREATE POLICY low_writes ON sources AS RESTRICTIVE FOR UPDATE TO low USING (id::text NOT LIKE '00000000-%');
CREATE POLICY low ON discovery_deletions USING (reason NOT LIKE '%SE%CRET%');
CREATE SCHEMA own AUTHORIZATION owner;
CREATE SCHEMA tables;
CREATE TABLE tables.rows (LIKE public.sources INCLUDING ALL);
END
	$node->safe_psql($database, 'CREATE SCHEMA spies AUTHORIZATION low; CREATE SCHEMA evil AUTHORIZATION low;
		CREATE SCHEMA fresh AUTHORIZATION low; ALTER SCHEMA own OWNER TO low;
		GRANT ALL ON SCHEMA own, spies, evil TO PUBLIC');
	$node->safe_psql($database, $quiet . "$spies; SELECT public.discovery_create_store('own');\n$own",
		extra_params => $as[1]);
	return;
}

# What the low role may never change: the rights of all, whom objects belong to, the rows it has no right to write, and
# its own rights on what is not its own.
our $rights = <<'END';
SET search_path = pg_catalog;
SELECT 'role', r.* FROM pg_roles AS r ORDER BY rolname;
SELECT 'member', roleid::regrole, member::regrole FROM pg_auth_members ORDER BY 2, 3;
SELECT 'setting', s::text FROM pg_db_role_setting AS s ORDER BY 2;
SELECT 'default acl', s::text FROM pg_default_acl AS s ORDER BY 2;
SELECT 'schema', nspname, nspowner::regrole, nspacl FROM pg_namespace
	WHERE nspowner <> 'low'::regrole AND nspname !~ '^pg_(toast_)?temp_' ORDER BY 2;
SELECT 'class', oid::regclass, relkind, relowner::regrole, relacl, relrowsecurity, relforcerowsecurity, reloptions,
	relhastriggers, has_table_privilege('low', oid, 'SELECT'), has_table_privilege('low', oid, 'INSERT'),
	has_table_privilege('low', oid, 'UPDATE'), has_table_privilege('low', oid, 'DELETE'),
	has_table_privilege('low', oid, 'TRIGGER'), has_any_column_privilege('low', oid, 'UPDATE')
	FROM pg_class WHERE relowner <> 'low'::regrole AND relnamespace <> 'pg_toast'::regnamespace AND relkind <> 'S'
	AND relnamespace::regnamespace::text !~ '^pg_(toast_)?temp_' ORDER BY oid;
SELECT 'function', oid::regprocedure, proowner::regrole, proacl, prosecdef, proconfig, md5(prosrc), probin,
	has_function_privilege('low', oid, 'EXECUTE') FROM pg_proc WHERE proowner <> 'low'::regrole ORDER BY oid;
SELECT 'trigger', tgrelid::regclass, tgname, tgfoid::regproc, tgenabled
	FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = tgrelid
	WHERE relowner <> 'low'::regrole ORDER BY t.oid;
SELECT 'policy', polrelid::regclass, polname FROM pg_policy AS p JOIN pg_class AS c ON c.oid = polrelid
	WHERE relowner <> 'low'::regrole ORDER BY p.oid;
SELECT 'constraint', conrelid::regclass, conname FROM pg_constraint AS t JOIN pg_class AS c ON c.oid = conrelid
	WHERE relowner <> 'low'::regrole ORDER BY t.oid;
SELECT 'large object', oid FROM pg_largeobject_metadata ORDER BY 2;
SELECT 'extension', extname, extowner::regrole, extversion FROM pg_extension ORDER BY 2;
SELECT 'member of extension', classid::regclass, count(*) FROM pg_depend WHERE deptype = 'e' GROUP BY 2
	ORDER BY 2::text;
SELECT 'row', s::text FROM public.sources AS s WHERE id::text LIKE '00000000-%' ORDER BY id;
SELECT 'row', id, name, description, tags, output_count FROM public.notebooks ORDER BY id;
SELECT 'row', s::text FROM public.discovery_deletions AS s
	WHERE id::text LIKE '00000000-%' OR acting_role <> 'low' ORDER BY id;
SELECT 'row', s::text FROM public.discovery_lost_files AS s ORDER BY id;
SELECT 'row', s::text FROM public.discovery_trash AS s ORDER BY 2;
SELECT 'row', s::text FROM public.outputs AS s ORDER BY id;
SELECT 'row', s::text FROM secret.discovery_trash AS s ORDER BY 2;
SELECT 'row', s::text FROM secret.outputs AS s ORDER BY id;
SELECT 'row', s::text FROM public.discovery_migrations AS s ORDER BY id;
SELECT 'row', s::text FROM secret.sources AS s ORDER BY id;
SELECT 'row', s::text FROM secret.notebooks AS s ORDER BY id;
SELECT 'row', s::text FROM secret.discovery_deletions AS s ORDER BY id;
SELECT 'row', s::text FROM old.sources AS s ORDER BY id;
SELECT 'row', s::text FROM old.notebooks AS s ORDER BY id;
SELECT 'row', s::text FROM old.discovery_migrations AS s ORDER BY id;
END

1;
