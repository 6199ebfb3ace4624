# The purge as a job of pg_cron, which the owner of the store schedules, as the docs show it: it removes what is old
# enough and leaves the rest.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

chomp(my $library = `pg_config --pkglibdir`);
plan skip_all => "pg_cron is not installed for this server (Debian: postgresql-15-cron)"
	unless -e "$library/pg_cron.so";

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
# pg_cron connects like any client: by the socket of the test's own server, where everybody is trusted.
my $socket = $node->host;
$node->append_conf('postgresql.conf', <<"END");
fsync = off
shared_preload_libraries = 'pg_cron'
cron.database_name = 'postgres'
cron.host = '$socket'
cron.log_statement = off
END
$node->start;
$node->safe_psql('postgres', <<'END');
CREATE EXTENSION pg_cron;
CREATE ROLE keeper LOGIN;
GRANT USAGE ON SCHEMA cron TO keeper;
GRANT CREATE ON DATABASE postgres TO keeper;
GRANT CREATE ON SCHEMA public TO keeper;
SET ROLE keeper;
CREATE EXTENSION discovery;
INSERT INTO notebooks (name) VALUES ('a');
INSERT INTO sources (notebook_id, name, source_type)
    SELECT id, 'source ' || number, 'text' FROM notebooks, generate_series(1, 3) AS number;
-- Deleted long ago, just now, and not at all: deleted_at alone would be the client's word, and is not believed of the
-- first.
INSERT INTO sources (notebook_id, name, source_type, deleted_at) SELECT id, 'old', 'text', '2020-01-01' FROM notebooks;
SELECT delete_source(id) FROM sources WHERE name = 'source 1';
END

# The first minute comes within a minute; newer versions of pg_cron know seconds, too.
my $schedule = $node->safe_psql('postgres', q{
	SELECT string_to_array(substring(extversion FROM '^\d+\.\d+'), '.')::int[] >= '{1,5}'
	FROM pg_extension WHERE extname = 'pg_cron'})
  eq 't' ? '1 seconds' : '* * * * *';
$node->safe_psql('postgres',
	qq{SET ROLE keeper; SELECT cron.schedule('purge', '$schedule', 'SELECT count(*) FROM purge_deleted_sources()')});
ok($node->poll_query_until('postgres',
	q{SELECT count(*) > 0 FROM cron.job_run_details WHERE status IN ('succeeded', 'failed')}),
	'the job has run');
is($node->safe_psql('postgres', q{SELECT DISTINCT status FROM cron.job_run_details WHERE end_time IS NOT NULL}),
	'succeeded', 'and went well');
is($node->safe_psql('postgres', q{SELECT string_agg(name, ', ' ORDER BY name) FROM sources}),
	'source 1, source 2, source 3', 'what was old is gone, what is young or alive is there');
is($node->safe_psql('postgres', 'SELECT count(*) FROM check_source_counts()'), '0', 'the counts are right');
$node->stop;
done_testing();
