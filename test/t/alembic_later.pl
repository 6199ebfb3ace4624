# A database of any revision of the application becomes a store of the newest version in place: its rows stay to the
# byte, the counts become right, users and refresh_tokens stay the application's, and the schema is that of a new store
# beside which Alembic goes on. What has another shape is named, and nothing is changed.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Alembic;
use PostgreSQL::Test::Utils;
use Stores;
use Test::More;

need_alembic();
my $node = new_server('main');
my $dir = $PostgreSQL::Test::Utils::tmp_check;
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN');
my @revisions = qw(913390ba554c 91f6c7ffafc4 add_created_by_001 add_users_001);

# What clients write while the application is at a revision, as it does: the count of outputs is its own, and wrong.
my $output = 'id, notebook_id, title, content, output_type, status, prompt, template_name, output_metadata,
	source_references, word_count, created_at, updated_at, completed_at';
my $some_outputs = q{md5('output ' || n)::uuid, ('00000000-0000-4000-8000-' || lpad((1 + n % 3)::text, 12, '0'))::uuid,
	'Ausgabe №' || n || ' 源', repeat(E'Text ö\t\\\\.\n', n * n), (ARRAY['blog_post', 'podcast'])[1 + n % 2],
	(ARRAY['draft', 'generating', 'strange'])[1 + n % 3], CASE WHEN n % 2 = 0 THEN 'prompt ' || n END,
	CASE WHEN n % 3 = 0 THEN 'template' END, '{"a":  1, "a": [null, 1.50], "ü": "\u0041"}'::json,
	ARRAY['00000000-0000-4000-9000-000000000101', NULL, '', '{"x", y}']::varchar[], n, '2025-01-01'::timestamp + n *
	interval '1 hour 1 microsecond', '2025-01-02', CASE WHEN n % 2 = 0 THEN '2025-01-03'::timestamp END};
my %rows = (
	'913390ba554c' => slurp_file("$FindBin::RealBin/lib/rows.sql"),
	'91f6c7ffafc4' => "INSERT INTO outputs ($output) SELECT $some_outputs FROM generate_series(1, 50) AS n;
		UPDATE notebooks SET output_count = 39",
	'add_created_by_001' => "INSERT INTO notebooks (id, name, source_count, output_count, created_by)
			VALUES (md5('notebook of ann')::uuid, 'Ann', 1, 0, 'ann\@example.org');
		INSERT INTO sources (id, notebook_id, name, source_type, content_hash, deleted_at, created_by)
			SELECT md5('source of ann ' || n)::uuid, md5('notebook of ann')::uuid, 's', 'url', repeat(n::text, 64),
				CASE WHEN n = 2 THEN '2025-02-03'::timestamp END, 'ann\@example.org' FROM generate_series(1, 2) AS n;
		INSERT INTO outputs ($output, created_by) SELECT $some_outputs, 'ann\@example.org'
			FROM generate_series(51, 60) AS n",
	'add_users_001' => "INSERT INTO users (id, email, password_hash, roles) SELECT md5('user ' || n)::uuid,
			n || '\@example.org', md5(n::text), ARRAY['user', 'größe'] FROM generate_series(1, 3) AS n;
		INSERT INTO refresh_tokens (id, user_id, token_hash, expires_at, replaced_by)
			SELECT md5('token ' || id)::uuid, id, md5(email), '2030-01-01', id FROM users");

sub database
{
	my ($name, $template) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE \"$name\" TEMPLATE \"$template\" OWNER app");
	return;
}
sub alembic_of
{
	my ($name, @command) = @_;
	return alembic_ok($node, url_of($node, $name, 'app'), 'public', $name, @command);
}
sub as_app
{
	my ($name, $sql) = @_;
	return $node->safe_psql($name, "SET ROLE app; SET client_min_messages = warning; $sql");
}
# Runs SQL that may fail, error by error; returns the errors.
sub errors_of
{
	my ($name, $sql) = @_;
	return (try_psql($node, $name, "\\set VERBOSITY verbose\nSET ROLE app;\n$sql", on_error_stop => 0))[2];
}
# The whole database but for what each dump has anew.
sub dump_of
{
	my ($name) = @_;
	system('pg_dump', '-f', "$dir/dump.sql", $node->connstr($name)) == 0 or die;
	return slurp_file("$dir/dump.sql") =~ s/^(--.*|\\(un)?restrict.*)?\n//mgr;
}
# The columns of the application's tables, but for the count that it keeps wrong; and all rows in these columns, JSON as
# it was written.
sub columns_of
{
	my ($name) = @_;
	return map { [ split /:/ ] } split /\n/, value($node, $name, "SELECT attrelid::regclass || ':' ||
			string_agg(quote_ident(attname), ', ' ORDER BY attnum)
		FROM pg_attribute WHERE attrelid IN (SELECT to_regclass(t) FROM
				unnest(ARRAY['notebooks', 'sources', 'outputs', 'users', 'refresh_tokens', 'alembic_version']) AS t)
			AND attnum > 0 AND NOT attisdropped AND attname <> 'output_count'
		GROUP BY attrelid ORDER BY attrelid::regclass::text");
}
sub rows_of
{
	my ($name, @columns) = @_;
	return join "\n", map { my ($table, $list) = @$_; value($node, $name, "SELECT '$table'::regclass::oid, '$table',
		count(*), md5(string_agg(row_to_json(t)::text, E'\n' ORDER BY row_to_json(t)::text COLLATE \"C\"))
		FROM (SELECT $list FROM $table) AS t") } @columns;
}
# In what two stores differ, wherever in its table a column is: the application's own come before those of 1.1.
sub difference
{
	my ($one, $two) = @_;
	my %lines;
	foreach (split /\n/, differences($node->connstr($one), $node->connstr($two), '--except', 'rows,history'))
	{
		my ($sign, $line) = /^([-+])(.*)/ or return $_;
		$line =~ s/^(column [^:]*: )#\d+ /$1/;
		$lines{$line} += $sign eq '+' ? 1 : -1;
	}
	return join "\n", map { ($lines{$_} > 0 ? '+' : '-') . $_ } grep { $lines{$_} } sort keys %lines;
}
my $wrong = 'SELECT count(*) FROM notebooks AS n
	WHERE output_count <> (SELECT count(*) FROM outputs WHERE notebook_id = n.id)';

# A new store, beside which Alembic goes on from where the extension takes it.
sub new_store
{
	my ($name, $revision) = @_;
	database($name, 'template0');
	as_app($name, 'CREATE EXTENSION discovery');
	alembic_of($name, 'stamp', $revision) if $revision;
	return;
}
new_store("new $_", $_) foreach @revisions[ 0 .. 2 ];
database('new add_users_001', 'new add_created_by_001');
alembic_of('new add_users_001', 'upgrade', 'head');
my @made = split /\n/, difference('new add_created_by_001', 'new add_users_001');
is(join("\n", grep { !/^\+\w+ public\.(?:users|refresh_tokens)\b/ } @made), '',
	'upgrade head makes nothing but users and refresh_tokens');
is(join(' ', map { /^\+(?:table|index|constraint) public\.(\S+):/ } @made),
	'refresh_tokens.refresh_tokens_pkey refresh_tokens.refresh_tokens_user_id_fkey '
	. 'refresh_tokens.uq_refresh_tokens_token_hash users.uq_users_email users.users_pkey '
	. 'refresh_tokens.ix_refresh_tokens_token_hash refresh_tokens.ix_refresh_tokens_user_id '
	. 'refresh_tokens.refresh_tokens_pkey refresh_tokens.uq_refresh_tokens_token_hash users.ix_users_email '
	. 'users.uq_users_email users.users_pkey refresh_tokens users', 'with their indexes and constraints');
like(alembic_of('new add_users_001', 'current'), qr/^add_users_001 \(head\)$/m, 'and Alembic is at its head');
is(value($node, 'new add_users_001', "SELECT state, store_version FROM discovery_status()"), "current|$newest",
	'the store is what it was');

# A database that has lived through the revisions, by each way to a store of the newest version.
my $prepare = "SELECT statement FROM discovery_prepare_upgrade('+1') \\gexec\n";
my %ways = (
	'version by version' => "CREATE EXTENSION discovery VERSION '1.0'; ALTER EXTENSION discovery UPDATE TO '1.1';
		ALTER EXTENSION discovery UPDATE TO '1.2'; SET client_min_messages = warning;
		ALTER EXTENSION discovery UPDATE;",
	'at once' => "CREATE EXTENSION discovery VERSION '1.0'; ALTER EXTENSION discovery UPDATE;",
	'by the function' => 'CREATE EXTENSION discovery; SELECT discovery_upgrade();',
	'prepared' => "CREATE EXTENSION discovery;\n$prepare; SELECT discovery_upgrade('+1');\n$prepare;
		SELECT discovery_upgrade();");
sub becomes_store
{
	my ($old, $like, $tables, $expected) = @_;
	foreach my $way (sort keys %ways)
	{
		my $name = "$old, $way";
		database($name, $old);
		my @columns = columns_of($name);
		my $rows = rows_of($name, @columns);
		is(join(' ', map { $_->[0] } @columns), $tables, "$name: the tables of the application");
		is(errors_of($name, $ways{$way}), '', "$name: upgraded, and nothing is said of what is there already");
		is(value($node, $name, 'SELECT state, store_version FROM discovery_status()'), "current|$newest", "$name: status");
		is(rows_of($name, @columns), $rows, "$name: the tables and their rows are what they were");
		is(difference($like, $name), $expected // '', "$name: the schema is that of a new store");
		is(value($node, $name, $wrong), '0', "$name: counts of outputs are right");
		is(value($node, $name, 'SELECT * FROM check_output_counts(); SELECT * FROM check_source_counts()'), '',
			"$name: and so the store says");
		is(value($node, $name, "SELECT count(*) FROM pg_depend WHERE refclassid = 'pg_extension'::regclass
			AND classid = 'pg_class'::regclass AND objid::regclass::text IN ('users', 'refresh_tokens', 'notebooks',
				'sources', 'outputs', 'alembic_version')"), '0', "$name: no table is the extension's");
	}
	return;
}
my %tables = (
	'913390ba554c' => 'alembic_version notebooks sources',
	'91f6c7ffafc4' => 'alembic_version notebooks outputs sources',
	'add_created_by_001' => 'alembic_version notebooks outputs sources',
	'add_users_001' => 'alembic_version notebooks outputs refresh_tokens sources users');
database('application', 'template0');
foreach my $revision (@revisions)
{
	alembic_of('application', 'upgrade', $revision);
	as_app('application', $rows{$revision});
	database($revision, 'application');
	cmp_ok(value($node, $revision, $wrong), '>', 0, "$revision: counts of outputs are wrong")
		if $tables{$revision} =~ /outputs/;
	becomes_store($revision, "new $revision", $tables{$revision});
}

# Outputs that SQLAlchemy's create_all() made from today's models: no defaults, two of the indexes, columns in another
# order; beside tables of the first revision, and in a database that never saw Alembic.
my $by_model = "INSERT INTO outputs ($output, created_by) SELECT $some_outputs, 'ann\@example.org'
	FROM generate_series(1, 9) AS n; UPDATE notebooks SET output_count = 39";
sub create_all
{
	my ($name) = @_;
	my ($code, $out, $err) = python($node, 'models.py', url_of($node, $name, 'app'));
	is($code, 0, "$name: create_all(): $err");
	is(value($node, $name, "SELECT count(*), count(column_default) FROM information_schema.columns
		WHERE table_name = 'outputs'; SELECT indexname FROM pg_indexes WHERE tablename = 'outputs' ORDER BY 1"),
		"15|0\nix_outputs_created_by\nix_outputs_notebook_id\noutputs_pkey", "$name: outputs without defaults");
	return;
}
database('create_all beside Alembic', '913390ba554c');
create_all('create_all beside Alembic');
as_app('create_all beside Alembic', $by_model);
becomes_store('create_all beside Alembic', 'new 913390ba554c', 'alembic_version notebooks outputs sources');

# Here notebooks and sources are not of 1.0 as they are: discovery_check() brings them there, as docs/stores.md says.
database('create_all', 'template0');
create_all('create_all');
as_app('create_all', "INSERT INTO notebooks
			(id, name, tags, created_at, updated_at, source_count, output_count, created_by)
		SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'n' || n, '{}', '2025-01-01', '2025-01-01',
			CASE n WHEN 1 THEN 1 ELSE 0 END, 0, 'bob' FROM generate_series(1, 3) AS n;
	INSERT INTO sources (id, notebook_id, name, source_type, content_hash, extracted_text, source_metadata, created_at,
			updated_at, created_by)
		SELECT md5(name)::uuid, id, 's', 'url', repeat('a', 64), '', '{\"a\":  1}', created_at, updated_at, 'bob'
			FROM notebooks WHERE name = 'n1'; $by_model");
like(errors_of('create_all', 'CREATE EXTENSION discovery'),
	qr/^\S+ ERROR:  42P17: the tables in schema "public" do not match any version .*^missing index sources\./sm,
	'create_all: what differs from 1.0 is named');
as_app('create_all', "SET discovery.create_store = off; CREATE EXTENSION discovery;
	SELECT fix FROM discovery_check('public') WHERE kind <> 'extra'\n\\gexec\nDROP EXTENSION discovery");
new_store('new store');
becomes_store('create_all', 'new store', 'notebooks outputs sources',
	"+constraint public.notebooks.notebooks_name_key: UNIQUE (name)\n"
	. '+index public.notebooks.notebooks_name_key: CREATE UNIQUE INDEX notebooks_name_key ON public.notebooks '
	. 'USING btree (name)');

# What has another shape: before anything is done, the error lists all that differs; and nothing is changed.
database('at 1.1', 'add_users_001');
as_app('at 1.1', "CREATE EXTENSION discovery VERSION '1.0'; ALTER EXTENSION discovery UPDATE TO '1.1'");
my $created_by = q(should be character varying(255) NOT NULL DEFAULT 'system@discovery.local'::character varying);
my $cascade = 'FOREIGN KEY (notebook_id) REFERENCES notebooks(id) ON DELETE CASCADE';
my @odd = (
	[ 'created_by of another type', 'ALTER TABLE notebooks ALTER created_by TYPE text;
		ALTER TABLE sources ALTER created_by TYPE varchar(100)',
		"different column notebooks.created_by: text NOT NULL, $created_by",
		"different column sources.created_by: character varying(100) NOT NULL, $created_by" ],
	[ 'created_by that may be NULL', 'ALTER TABLE outputs ALTER created_by DROP NOT NULL',
		"different column outputs.created_by: character varying(255), $created_by" ],
	[ 'a column that is missing', 'ALTER TABLE outputs DROP prompt', 'missing column outputs.prompt: text' ],
	[ 'a column of another type', 'ALTER TABLE outputs ALTER output_metadata DROP DEFAULT,
		ALTER output_metadata TYPE jsonb USING output_metadata::jsonb',
		"different column outputs.output_metadata: jsonb NOT NULL, should be json NOT NULL DEFAULT '{}'::json" ],
	[ 'a foreign key of another action', 'ALTER TABLE outputs DROP CONSTRAINT outputs_notebook_id_fkey, ADD FOREIGN KEY
		(notebook_id) REFERENCES notebooks ON DELETE SET NULL', 'different constraint outputs.outputs_notebook_id_fkey: '
		. "FOREIGN KEY (notebook_id) REFERENCES notebooks(id) ON DELETE SET NULL, should be $cascade" ],
	[ 'no foreign key and no primary key', 'ALTER TABLE outputs DROP CONSTRAINT outputs_notebook_id_fkey, DROP CONSTRAINT
		outputs_pkey', "missing constraint outputs.outputs_notebook_id_fkey: $cascade",
		'missing constraint outputs.outputs_pkey: PRIMARY KEY (id)' ],
	[ 'an index of another column', 'DROP INDEX ix_outputs_status; CREATE INDEX ix_outputs_status ON outputs (title)',
		'different index outputs.ix_outputs_status: CREATE INDEX ix_outputs_status ON outputs USING btree (title), '
		. 'should be CREATE INDEX ix_outputs_status ON outputs USING btree (status)' ],
	[ 'a table that is not logged', 'ALTER TABLE outputs SET UNLOGGED',
		'different table outputs: unlogged, should be permanent' ],
	[ 'a table of another owner', 'RESET ROLE; ALTER TABLE outputs OWNER TO postgres',
		'different table outputs: permanent OWNER postgres INSTEAD OF app, should be permanent' ]);
foreach my $case (@odd)
{
	my ($name, $alter, @differences) = @$case;
	database($name, 'at 1.1');
	as_app($name, $alter);
	my $before = dump_of($name);
	foreach my $upgrade ("ALTER EXTENSION discovery UPDATE TO '1.2'", 'SELECT discovery_upgrade()')
	{
		my $error = errors_of($name, $upgrade);
		is($error =~ s/^psql:<stdin>:\d+: |^(?:LOCATION|CONTEXT): .*\n?|^(?:SQL statement|extension script file) .*\n?//mgr
				=~ s/\s+\z//r,
			join("\n", 'ERROR:  42P17: step 1.1 -> 1.2 cannot use what schema "public" has already',
				'DETAIL:  ' . join("\n", @differences),
				'HINT:  Rename these tables and columns, or give them the expected shape, and try again.'),
			"$name: $upgrade names it");
	}
	ok(dump_of($name) eq $before, "$name: nothing is changed");
}

# An upgrade waits for who uses outputs, and holds up nobody meanwhile: not even him who writes to notebooks then.
database('in use', 'at 1.1');
my $user = $node->background_psql('in use');
$user->query_safe('BEGIN; SELECT FROM outputs');
my ($said, $complaint) = ('', '');
my $upgrade = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('in use'), '-c', "SET lock_timeout = '10min'",
	'-c', 'SET ROLE app', '-c', 'SELECT discovery_upgrade()' ], '<', \undef, '>', \$said, '2>', \$complaint);
$node->poll_query_until('postgres', "SELECT count(*) > 0 FROM pg_stat_activity
	WHERE query = 'SELECT discovery_upgrade()' AND wait_event_type IN ('Lock', 'Extension')") or die;
is(value($node, 'in use', "SET statement_timeout = '60s'; UPDATE notebooks SET description = 'other' WHERE name = 'Ann'
	RETURNING description"), 'other', 'others write meanwhile');
is($user->query_safe("UPDATE notebooks SET description = 'same' WHERE name = 'Ann' RETURNING description; COMMIT"),
	'same', 'and so does who uses outputs');
$user->quit;
$upgrade->finish;
is("$said$complaint", "$newest\n", 'then the upgrade succeeds');

# Down again: refused where rows or creators would be lost; where that is allowed, all else stays, and up again it is a
# store like others. users and refresh_tokens are no business of it.
database('down', 'add_users_001, at once');
my @first = (columns_of('913390ba554c'), grep { $_->[0] =~ /users|tokens/ } columns_of('down'));
my ($rows, $before) = (rows_of('down', @first), dump_of('down'));
my $lost = "Table \"outputs\" has rows: 60.\nColumn \"created_by\" of table \"notebooks\" has values: 1.\n"
	. 'Column "created_by" of table "sources" has values: 2.';
foreach my $down ("ALTER EXTENSION discovery UPDATE TO '1.1'", "SELECT discovery_downgrade('1.1')",
	"ALTER EXTENSION discovery UPDATE TO '1.0'", "SELECT discovery_downgrade('1.0')")
{
	my $error = errors_of('down', $down);
	like($error, qr/ERROR:  55000: step 1\.2 -> 1\.1 would lose data\n/, "$down is refused");
	is(join("\n", sort $error =~ /^(?:DETAIL:  )?((?:Table|Column) .*)/mg), join("\n", sort split /\n/, $lost),
		"$down: what would be lost is named");
}
ok(dump_of('down') eq $before, 'and nothing is changed');
my $allow = 'SET discovery.allow_data_loss = on;';
foreach my $version ('1.1', '1.0')
{
	as_app('down', "$allow SELECT discovery_downgrade('$version')");
	is(value($node, 'down', 'SELECT store_version, extension_version FROM discovery_status()'), "$version|$version",
		"down at $version");
	is(rows_of('down', @first), $rows, "$version: the other rows are what they were");
}
is(value($node, 'down', "SELECT to_regclass('outputs') IS NULL AND to_regclass('ix_sources_created_by') IS NULL"), 't',
	'outputs and creators are gone');
as_app('down', 'SELECT discovery_upgrade()');
is(rows_of('down', @first), $rows, 'up again: the rows are what they were');
is(difference('new add_users_001', 'down'), '', 'up again: the schema is that of a new store');
is(value($node, 'down', 'SELECT * FROM check_output_counts(); SELECT * FROM check_source_counts()'), '',
	'up again: counts are right');

# Nothing is lost where there is nothing but what the upgrade has added.
database('down without loss', '913390ba554c, at once');
as_app('down without loss', "SELECT discovery_downgrade('1.1'); SELECT discovery_downgrade('1.0')");
is(rows_of('down without loss', columns_of('913390ba554c')) =~ s/^\d+//mgr,
	rows_of('913390ba554c', columns_of('913390ba554c')) =~ s/^\d+//mgr, 'down without loss: the rows are what they were');
done_testing();
