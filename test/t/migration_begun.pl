# `make migration` begins the next version: what it writes without FROM, and what it refuses, leaving every file as it
# was. (What it makes of a store altered by hand, and that this runs: test/long/migration.)
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use File::Temp qw(tempdir);
use IPC::Run;
use Stores;
use Test::More;

my $top = "$FindBin::RealBin/../..";

# What it reads and writes, and the Makefile.
sub tree
{
	my $tree = tempdir(CLEANUP => 1);
	system("cd '$top' && cp -a --parents Makefile discovery.control META.json CHANGELOG.md docs/migrations.md"
		. " test/tools test/lint sql/discovery--1.*.sql sql/discovery--1.*.shape '$tree'"
		. " && mkdir '$tree/test/sql'") == 0 or die;
	return $tree;
}
sub read_file { my ($path) = @_; open(my $file, '<:raw', $path) or die "$path: $!"; local $/; return <$file>; }
sub all_files { my ($tree) = @_; return scalar `cd '$tree' && find . -type f | sort | xargs sha256sum`; }
sub migration
{
	my ($tree, %variables) = @_;
	my $out = '';
	IPC::Run::run([ 'make', '-s', '-C', $tree, 'migration', map { "$_=$variables{$_}" } sort keys %variables ],
		'<', \undef, '>', \$out, '2>&1');
	return ($? >> 8, $out);
}

my $tree = tree();
my $current = read_file("$tree/discovery.control") =~ /default_version = '(\d+)\.(\d+)'/ ? "$1.$2" : die;
my ($major, $minor) = split /\./, $current;
my ($next, $leap) = ("$major." . ($minor + 1), ($major + 1) . '.0');

# A server with databases that are no use as FROM.
my $node = new_server('main');
$node->safe_psql('postgres', "CREATE DATABASE $_") foreach qw(plain storeless old unaltered);
$node->safe_psql('storeless', 'SET discovery.create_store = off; CREATE EXTENSION discovery');
$node->safe_psql('old', "CREATE EXTENSION discovery VERSION '1.0'; ALTER TABLE sources ADD COLUMN language text");
$node->safe_psql('unaltered', 'CREATE EXTENSION discovery; CREATE TABLE own (id integer)');
sub from { return sprintf('host=%s port=%s dbname=%s', $node->host, $node->port, $_[0]); }

my $before = all_files($tree);
foreach my $case (
	[ 'no message', qr/MESSAGE is empty/, VERSION => $next ],
	[ 'an empty message', qr/MESSAGE is empty/, VERSION => $next, MESSAGE => '' ],
	[ 'a message of blanks', qr/MESSAGE is empty/, VERSION => $next, MESSAGE => " \t " ],
	[ 'a message of two lines', qr/must be one line/, VERSION => $next, MESSAGE => "one\ntwo" ],
	[ 'the end of a comment', qr{must not have /\* or \*/}, VERSION => $next, MESSAGE => 'one */ DROP TABLE x; /*' ],
	[ 'a message with a mark', qr/must not have \@/, VERSION => $next, MESSAGE => 'for @extschema@' ],
	[ 'a message that is not ASCII', qr/must be plain ASCII/, VERSION => $next, MESSAGE => "\xc3\xa4" ],
	[ 'no version', qr/VERSION must be written like|exists already/, MESSAGE => 'more' ],
	(map { [ "the version '$_'", qr/VERSION must be written like MAJOR\.MINOR, not '\Q$_\E'/, VERSION => $_,
			MESSAGE => 'more' ] }
		'', '1', 'v1.2', '1.2.0', '01.2', '1.02', '1.2 ', '-1.2', '1.2/../3', 'base', '1.x', '1.1234567'),
	[ 'the current version', qr/version \Q$current\E exists already; the next is \Q$next\E or \Q$leap\E/,
		VERSION => $current, MESSAGE => 'more' ],
	[ 'the first version', qr/version 1\.0 exists already/, VERSION => '1.0', MESSAGE => 'more' ],
	[ 'a version left out', qr/does not follow \Q$current\E; the next is \Q$next\E or \Q$leap\E/,
		VERSION => "$major." . ($minor + 2), MESSAGE => 'more' ],
	[ 'a version below', qr/does not follow/, VERSION => '0.9', MESSAGE => 'more' ],
	[ 'a server that is not there', qr/FROM cannot be reached/, VERSION => $next, MESSAGE => 'more',
		FROM => 'postgresql://localhost:1/nowhere' ],
	[ 'a database that is not there', qr/FROM cannot be reached/, VERSION => $next, MESSAGE => 'more',
		FROM => from('nowhere') ],
	[ 'what is no connection', qr/FROM cannot be reached/, VERSION => $next, MESSAGE => 'more',
		FROM => 'mysql://localhost' ],
	[ 'a database without the extension', qr/FROM has no extension discovery/, VERSION => $next, MESSAGE => 'more',
		FROM => from('plain') ],
	[ 'a database without a store', qr/FROM has no store/, VERSION => $next, MESSAGE => 'more',
		FROM => from('storeless') ],
	[ 'a store of an older version', qr/has version 1\.0, not \Q$current\E/, VERSION => $next, MESSAGE => 'more',
		FROM => from('old') ],
	[ 'a store that was not altered', qr/nothing was altered/, VERSION => $next, MESSAGE => 'more',
		FROM => from('unaltered') ])
{
	my ($name, $said, %variables) = @$case;
	my ($status, $out) = migration($tree, %variables);
	ok($status != 0 && $out =~ $said, "refused: $name") or diag("status $status: $out");
}
is(all_files($tree), $before, 'after all that every file is as it was');

# A message that shell, sed and awk could trip over.
my $message = q(it's "quoted", 100% \1 & \n; `ls` | {x} * ~ #5 <b>);
my ($status, $out) = migration($tree, VERSION => $next, MESSAGE => $message);
is($status, 0, 'a migration is begun') or diag($out);
my $test = 'test/sql/version_' . ($next =~ s/\./_/r) . '.sql';
my ($up, $down) = ("sql/discovery--$current--$next.sql", "sql/discovery--$next--$current.sql");
like($out, qr/^written: \Q$_\E$/m, "it says that it wrote $_") foreach $up, $down, $test,
	qw(discovery.control META.json CHANGELOG.md docs/migrations.md);
my %places = (
	$up => "/* step $current -> $next: $message\n\n",
	$down => "/* step $next -> $current: takes back: $message\n\n",
	$test => "-- From version $current to $next and back: $message\n",
	'discovery.control' => "\ndefault_version = '$next'\n",
	'META.json' => qq("version": "$next.0"),
	'CHANGELOG.md' => "### Added\n\n- [ ] **$next**: $message\n",
	'docs/migrations.md' => "\n| $next | $message |\n");
ok(index(read_file("$tree/$_"), $places{$_}) >= 0, "$_ has its part") or diag(read_file("$tree/$_"))
	foreach sort keys %places;
unlike(read_file("$tree/META.json"), qr/"version": "\Q$current\E/, 'the version before is nowhere left in META.json');
my $guard = qr/\\echo Use "ALTER EXTENSION discovery UPDATE TO '[\d.]+'" to load this file\. \\quit/;
foreach my $script ($up, $down)
{
	my $text = read_file("$tree/$script");
	like($text, qr/\A$guard\nSET LOCAL search_path TO pg_catalog, pg_temp;\n\n-- Review/,
		"$script opens with its guard, the fixed search_path and the checklist");
	like($text, qr/^SELECT \@extschema\@\.discovery_run_step\('[\d.]+', '[\d.]+'\);$/m, "$script runs its step");
	unlike($text, qr/\@(?!store\@|functions\@|extschema\@|ahead\@)\w+\@/, "$script has no mark of the template left");
}
my ($left, $complaint) = (system("'$tree/test/lint/version-graph' >'$tree/complaint' 2>&1"),
	read_file("$tree/complaint"));
ok($left != 0 && $complaint =~ /\Q$_\E is not finished/, "the tests fail until $_ is finished")
	foreach $up =~ s/^sql.//r, $down =~ s/^sql.//r, $test, 'CHANGELOG.md';
like($complaint, qr/discovery--\Q$next\E\.shape is missing/, 'and until there is a shape') or diag($complaint);

# It cannot be begun twice.
$before = all_files($tree);
($status, $out) = migration($tree, VERSION => $next, MESSAGE => 'again');
ok($status != 0 && $out =~ /exists already/, 'the same version is not begun again') or diag($out);
is(all_files($tree), $before, 'and nothing is written over');

# A major version follows as well, and after a release the change log gets its section again.
my $other = tree();
open(my $log, '>', "$other/CHANGELOG.md") or die;
print $log "# Changelog\n\n## [Unreleased]\n\n## [$current] - 2026-01-01\n\n### Added\n\n- **$current**: much.\n";
close $log;
($status, $out) = migration($other, VERSION => $leap, MESSAGE => 'all new');
is($status, 0, 'a major version is begun') or diag($out);
is(read_file("$other/CHANGELOG.md"), "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- [ ] **$leap**: all new\n\n"
	. "## [$current] - 2026-01-01\n\n### Added\n\n- **$current**: much.\n",
	'with its entry above what is released');
done_testing();
