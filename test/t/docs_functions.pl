# docs/functions.md has each function of the extension under a heading of its own, with its signature and its COMMENT as
# the database has them, and no others. (What the page shows at work, docs_pages.pl runs.)
use strict;
use warnings;
use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $page = slurp_file("$FindBin::RealBin/../../docs/functions.md");
utf8::decode($page);
my %section = $page =~ /^### (\w+)\n(.*?)(?=^##|\z)/msg;
my ($internal) = $page =~ /^## Internal\n(.*)/ms;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION discovery');
my @functions = split /\n/, $node->safe_psql('postgres', q{
	SELECT concat_ws(E'\t', proname, pg_get_function_arguments(f.oid), coalesce(pg_get_function_result(f.oid), ''),
	                 obj_description(f.oid, 'pg_proc'),
	                 -- what nobody calls by hand: triggers, procedures, the aggregate's parts, the scripts' own
	                 prokind = 'p' OR prorettype = 'trigger'::regtype OR 'internal'::regtype = ANY (proargtypes::oid[])
	                     OR NOT has_function_privilege('pg_read_all_data', f.oid, 'EXECUTE'))
	FROM pg_proc AS f JOIN pg_depend AS d ON d.objid = f.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
	WHERE d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'discovery')
	ORDER BY proname});
cmp_ok(scalar @functions, '>', 30, 'the extension has functions');

my (%there, @undocumented, @other_signature, @other_comment);
foreach (@functions)
{
	my ($name, $arguments, $result, $comment, $is_internal) = split /\t/;
	$there{$name} = 1;
	if ($is_internal eq 't')
	{
		push @undocumented, $name unless $internal =~ /`$name`/;
		next;
	}
	my $text = $section{$name};
	if (!defined $text) { push @undocumented, $name; next; }
	(my $signature = "$name($arguments) \x{2192} $result") =~ s/(DEFAULT (?:NULL|'[^']*'))::[a-z ]+/$1/g;
	# A long signature has one argument a line.
	my ($code) = $text =~ /^```text\n(.*?)^```/ms;
	$code =~ s/\(\n\s+/(/g;
	$code =~ s/\n\)/)/g;
	$code =~ s/,\n\s+/, /g;
	push @other_signature, $signature unless grep { $_ eq $signature } split /\n/, $code;
	$text =~ s/\s+/ /g;
	push @other_comment, "$name: $comment" unless index($text, ucfirst($comment) . '.') >= 0;
}
is("@undocumented", '', 'every function is on the page');
is(join("\n", @other_signature), '', 'with its signature');
is(join("\n", @other_comment), '', 'and its comment');
is(join(' ', grep { !$there{$_} } sort keys %section), '', 'and nothing else is');
is($node->safe_psql('postgres', q{
	SELECT coalesce(string_agg(pg_describe_object(classid, objid, objsubid), ', '), '') FROM pg_depend
	WHERE deptype = 'e' AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'discovery')
	  AND obj_description(objid, (SELECT relname FROM pg_class WHERE oid = classid)) IS NULL}), '',
	'every member has a comment, so that \dx+ and \df+ read like a table of contents');
done_testing();
