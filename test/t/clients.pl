# The example clients of test/clients against a server, found by DATABASE_URL alone: each goes through the same walk and
# prints the same (expected.txt). An Alembic project goes on beside the store.
use strict;
use warnings;
use File::Copy qw(copy);
use File::Path qw(make_path);
use FindBin;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $clients = "$FindBin::RealBin/../clients";
my $scratch = PostgreSQL::Test::Utils::tempdir();
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--locale=C.UTF-8', '--encoding=UTF8' ]);
$node->append_conf('postgresql.conf', "fsync = off\nlisten_addresses = '127.0.0.1'\n");
$node->append_conf('pg_hba.conf', "host all all 127.0.0.1/32 scram-sha-256\n");
$node->start;
$node->safe_psql('postgres', "CREATE ROLE discovery_user LOGIN PASSWORD 'discovery_pass'");
# Settings of the caller's interpreters may make them write to stderr.
delete $ENV{$_} foreach grep { /^PYTHON/ } keys %ENV;
$ENV{PYTHONDONTWRITEBYTECODE} = 1;
$ENV{npm_config_cache} = "$scratch/npm";
$ENV{npm_config_update_notifier} = 'false';

# A database with its DATABASE_URL set, and a store unless told otherwise.
sub use_database
{
	my ($database, $statement) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $database OWNER discovery_user");
	$ENV{DATABASE_URL} = 'postgresql://discovery_user:discovery_pass@127.0.0.1:' . $node->port . "/$database";
	run_ok('psql', '-Xq', $ENV{DATABASE_URL}, '-c', $statement // 'CREATE EXTENSION discovery');
	return;
}

sub run_in
{
	my ($folder, @command) = @_;
	my ($out, $err) = ('', '');
	my @init = $folder ? (init => sub { chdir $folder or die }) : ();
	IPC::Run::run(\@command, '<', \undef, '>', \$out, '2>', \$err, @init);
	return ($? >> 8, $out, $err);
}

sub run_ok
{
	my ($status, $out, $err) = run_in('', @_);
	is($status, 0, "$_[0] $_[1]: $err") if $status;
	return $out;
}

# Debian's python3, for which it packages the drivers; a python3 of somebody's own may come first in PATH.
sub python_with
{
	my ($module) = @_;
	return (grep { system("$_ -c 'import $module' 2>/dev/null") == 0 } '/usr/bin/python3', 'python3')[0];
}

# Leaves the test as a skip that names the missing package.
sub walk
{
	my ($name, $missing, @command) = @_;
  SKIP:
	{
		skip("$name: $missing", 2) if $missing;
		use_database($name);
		my ($status, $out, $err) = run_in('', @command);
		is("$status$err", '0', "$name: goes through");
		is($out, slurp_file("$clients/expected.txt"), "$name: sees what it should");
	}
	return;
}

my %package = (orm => [ 'sqlalchemy, psycopg2', 'python3-sqlalchemy and python3-psycopg2' ],
	with_psycopg2 => [ 'psycopg2', 'python3-psycopg2' ], with_asyncpg => [ 'asyncpg', 'python3-asyncpg' ]);
foreach my $name (sort keys %package)
{
	my ($modules, $packages) = @{ $package{$name} };
	my $python = python_with($modules);
	walk($name, $python ? '' : "needs $packages", $python // '', '-W', 'error', "$clients/python/$name.py");
}

# npm takes the driver from its registry, or from its cache; else it is Debian's, whose own modules lie beside it.
my $missing = 'needs nodejs, and npm or node-pg';
if (system('command -v node >/dev/null') == 0)
{
	copy("$clients/node/$_", "$scratch/$_") or die "$_: $!" foreach 'package.json', 'package-lock.json', 'example.mjs';
	my ($status, undef, $err) = (1, '', '');
	if (system('command -v npm >/dev/null') == 0)
	{
		($status, undef, $err) =
		  run_in($scratch, 'timeout', '100', 'npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--fetch-retries=1');
		$missing = "npm ci could not install pg: " . (($err =~ /(?:error|code) (.*)/)[0] // 'no reason given');
	}
	if ($status && -d '/usr/share/nodejs/pg')
	{
		make_path("$scratch/node_modules");
		unlink("$scratch/node_modules/pg");
		$status = symlink('/usr/share/nodejs/pg', "$scratch/node_modules/pg") ? 0 : 1;
		$ENV{NODE_PATH} = '/usr/share/nodejs';
	}
	$missing = '' unless $status;
}
# npm may need them for its registry.
delete $ENV{$_} foreach grep { /^NODE_(?!PATH$)/ } keys %ENV;
walk('node_postgres', $missing, 'node', "$scratch/example.mjs");
unlike(slurp_file("$clients/node/package-lock.json"), qr/"resolved"/, 'the lock file names no registry');

# An upgrade is prepared.
SKIP:
{
	my $python = python_with('psycopg2');
	skip('preparing an upgrade: needs python3-psycopg2', 3) unless $python;
	use_database('prepared', "CREATE EXTENSION discovery VERSION '1.0'");
	my ($status, $out, $err) = run_in('', $python, '-W', 'error', "$clients/python/prepare_upgrade.py");
	is("$status$err", '0', 'prepare_upgrade.py runs');
	like($out, qr/^adds columns.*\nupdates rows of sources, in batches.*(\nscans sources.*){6}$/s,
		'and says what it does');
	is($node->safe_psql('prepared', 'SELECT state FROM discovery_status()'), 'prepared', 'the store is prepared');
}

# Alembic, side by side.
my $python = python_with('alembic, sqlalchemy, psycopg2');
SKIP:
{
	skip('Alembic: needs python3-alembic and python3-psycopg2', 1) unless $python;
	make_path("$scratch/clients");
	system('cp', '-r', "$clients/alembic", "$clients/python", "$scratch/clients/") == 0 or die;
	my $project = "$scratch/clients/alembic";
	my $alembic = sub {
		my ($status, $out, $err) = run_in($project, $python, '-W', 'ignore', '-m', 'alembic.config', @_);
		is($status, 0, "alembic @_: $err");
		return $out;
	};
	use_database('with_alembic', 'SELECT');
	$alembic->('upgrade', 'head');
	my $state = 'SELECT state FROM discovery_status()';
	is($node->safe_psql('with_alembic', $state), 'current', 'a migration of Alembic makes the store');
	my ($tables) = slurp_file("$project/env.py") =~ /^(STORE_TABLES = \{.*?\}\n)/ms;
	is(join(' ', sort $tables =~ /"(\w+)"/g), $node->safe_psql('with_alembic', "SELECT string_agg(tablename, ' '
		ORDER BY tablename) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"),
		'the recipe names every table of the store');
	like(slurp_file("$clients/../../docs/clients.md"), qr/^\Q$tables\E/m, 'and so does the page');
	$alembic->('revision', '--autogenerate', '-m', 'comments');
	my ($file) = glob("$project/versions/*_comments.py");
	my $script = slurp_file($file);
	like($script, qr/create_table\('comments'/, 'autogenerate makes the other table');
	unlike($script, qr/drop_(?!table\('comments'\))|'(?:notebooks|sources|outputs|discovery_\w+)',|\bix_sources/,
		'and leaves the store alone');
	$alembic->('upgrade', 'head');
	$alembic->('revision', '--autogenerate', '-m', 'nothing');
	($file) = glob("$project/versions/*_nothing.py");
	is(() = slurp_file($file) =~ /^    pass$/mg, 2, 'then there is nothing to do');
	$alembic->('upgrade', 'head');
	# A column of the application's own on a table of the store, with an index
	open(my $models, '>>', "$project/application_models.py") or die;
	print $models "\n\nfrom models import Source\n\nSource.rating = Column(Integer, index=True)\n";
	close $models;
	$alembic->('revision', '--autogenerate', '-m', 'column');
	($file) = glob("$project/versions/*_column.py");
	my ($upgrade) = slurp_file($file) =~ /^def upgrade.*?\n(.*?)^def /ms;
	is_deeply([ $upgrade =~ /op\.(\w+\([^,]*, )/g ],
		[ "add_column('sources', ", "create_index(op.f('ix_sources_rating'), " ],
		"autogenerate adds the application's own column to a table of the store, and nothing else");
	$alembic->('upgrade', 'head');
	$alembic->('revision', '--autogenerate', '-m', 'again');
	($file) = glob("$project/versions/*_again.py");
	is(() = slurp_file($file) =~ /^    pass$/mg, 2, 'and then there is nothing to do');
	is($node->safe_psql('with_alembic', "SELECT count(*) FROM discovery_check() WHERE kind <> 'extra'"), '0',
		'the store is whole');
	$alembic->('downgrade', 'base');
	is($node->safe_psql('with_alembic', "SELECT to_regclass('comments'), to_regclass('sources')"), '|sources',
		'and Alembic takes its own away, not the store');

	# Without include_object it would drop what it does not know: that the recipe is what helps.
	my $env = slurp_file("$project/env.py");
	$env =~ s/, include_object=include_object//;
	open(my $handle, '>', "$project/env.py") or die;
	print $handle $env;
	close $handle;
	use_database('without_recipe', 'SELECT');
	$alembic->('upgrade', 'head');
	$alembic->('revision', '--autogenerate', '-m', 'bad');
	($file) = glob("$project/versions/*_bad.py");
	like(slurp_file($file), qr/drop_table\('discovery_deletions'\)/,
		'without the recipe it would drop the store\'s own tables');
}
done_testing();
