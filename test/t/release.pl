# `make release` records the checksums of scripts and shapes in sql/RELEASED, once, and only what may be released; from
# then on test/lint/released sees every change of them. And test/lint/version-graph sees each way in which scripts can
# go wrong. On copies of the tree's files; no server.
use strict;
use warnings;
use FindBin;
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use IPC::Run;
use Test::More;

my $top = "$FindBin::RealBin/../..";

# A copy of what these programs read and write; its own change logs.
sub tree
{
	my $tree = tempdir(CLEANUP => 1);
	system('cp', '-a', "$top/discovery.control", $tree) == 0 or die;
	make_path("$tree/test", "$tree/sql", "$tree/debian");
	system('cp', '-a', "$top/test/tools", "$top/test/lint", "$tree/test") == 0 or die;
	system("cp -a '$top'/sql/discovery--*.sql '$top'/sql/discovery--*.shape '$tree/sql'") == 0 or die;
	write_file("$tree/sql/RELEASED", "# nothing yet\n");
	write_file("$tree/CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- **1.1**: much.\n");
	write_file("$tree/debian/changelog", "postgresql-discovery (0.9) unstable; urgency=medium\n\n  * Version 0.9.\n\n"
		. " -- A packager <packager\@example.org>  Fri, 27 Nov 2026 19:45:00 +0000\n");
	return $tree;
}
sub write_file
{
	my ($path, $text) = @_;
	open(my $file, '>', $path) or die "$path: $!";
	print $file $text;
	close $file;
	return;
}
sub read_file { my ($path) = @_; open(my $file, '<', $path) or die "$path: $!"; local $/; return <$file>; }
sub change { my ($path, $change) = @_; local $_ = read_file($path); $change->(); write_file($path, $_); return; }
sub run_in
{
	my ($tree, $program) = @_;
	my $out = '';
	IPC::Run::run([ "$tree/test/$program" ], '<', \undef, '>', \$out, '2>&1');
	return ($? >> 8, $out);
}
sub passes
{
	my ($tree, $program, $name) = @_;
	my ($status, $out) = run_in($tree, $program);
	is("$status $out", '0 ', $name);
	return;
}
sub fails
{
	my ($tree, $program, $said, $name) = @_;
	my ($status, $out) = run_in($tree, $program);
	ok($status != 0 && $out =~ $said, $name) or diag("status $status: $out");
	return;
}

my $tree = tree();
passes($tree, 'lint/released', 'nothing is released, and nothing is wrong');
passes($tree, 'lint/version-graph', 'the scripts join neighbours');
my ($status, $out) = run_in($tree, 'tools/release');
is($status, 0, 'the version in the control file is released') or diag($out);
my $newest = read_file("$tree/discovery.control") =~ /default_version = '(.*)'/ ? $1 : die;
my $released = read_file("$tree/sql/RELEASED");
my %listed = map { my ($sum, $file) = split; $file => $sum } grep { /^\w/ } split /\n/, $released;
my %is = map { my ($sum, $file) = split; $file => $sum }
	`cd $tree/sql && sha256sum discovery--*.sql discovery--*.shape`;
is_deeply(\%listed, \%is, 'every script and shape is there, with its checksum');
like($released, qr/^# \Q$newest\E, \d{4}-\d\d-\d\d$/m, 'under the version and the day');
is(system("cd $tree/sql && sha256sum --check --quiet RELEASED"), 0, 'which sha256sum checks, too');
like(read_file("$tree/CHANGELOG.md"),
	qr/\A# Changelog\n\n## \[Unreleased\]\n\n## \[\Q$newest\E\] - \d{4}-\d\d-\d\d\n\n### Added\n/,
	'the change log has its heading');
like(read_file("$tree/debian/changelog"), qr/\Apostgresql-discovery\ \(\Q$newest\E\)\ unstable;\ urgency=medium\n\n
	\ \ \*\ .*\n\n\ --\ A\ packager\ <packager\@example\.org>\ \ \w{3},\ \d\d\ .*\ \+0000\n\n
	postgresql-discovery\ \(0\.9\).*\+0000\n\z/sx, 'and so has the one of the package');
passes($tree, 'lint/released', 'what is released is unchanged');
fails($tree, 'tools/release', qr/released already/, 'a version is released once');
is(read_file("$tree/sql/RELEASED"), $released, 'and then nothing is written');

# The next version comes beside what is released.
foreach my $pair ([ "discovery--$newest--7.0.sql", $newest, '7.0' ], [ "discovery--7.0--$newest.sql", '7.0', $newest ])
{
	my ($name, $from, $to) = @$pair;
	write_file("$tree/sql/$name", qq(\\echo Use "ALTER EXTENSION discovery UPDATE TO '$to'" to load this file. \\quit\n\n)
		. "/* step $from -> $to: planted\n\nSELECT 1;\n*/\n\nSELECT \@extschema\@.discovery_run_step('$from', '$to');\n");
}
write_file("$tree/sql/discovery--7.0.shape", "table a: permanent\n");
change("$tree/discovery.control", sub { s/^default_version.*/default_version = '7.0'/m });
passes($tree, 'lint/released', 'what is not released may come and change');
($status, $out) = run_in($tree, 'tools/release');
is($status, 0, 'and be released') or diag($out);
like(read_file("$tree/sql/RELEASED"), qr/\A\Q$released\E\n# 7\.0, .*\n(?:[0-9a-f]{64}  discovery--.*7\.0.*\n){3}\z/,
	'below what was there');

# Each way to break a promise, on a released tree.
foreach my $case (
	[ 'a changed script', sub { change("$_[0]/sql/discovery--1.0.sql", sub { $_ .= "-- a better comment\n" }) },
		qr/discovery--1\.0\.sql is released and was changed/ ],
	[ 'a changed shape', sub { change("$_[0]/sql/discovery--1.1.shape", sub { s/^table/tables/ }) },
		qr/discovery--1\.1\.shape is released and was changed/ ],
	[ 'a script that is gone', sub { unlink "$_[0]/sql/discovery--1.1--1.0.sql" },
		qr/discovery--1\.1--1\.0\.sql is released and gone/ ],
	[ 'a script that came later', sub { write_file("$_[0]/sql/discovery--1.0--7.0.sql", '') },
		qr/discovery--1\.0--7\.0\.sql came after the release/ ],
	[ 'a checksum that was edited', sub { change("$_[0]/sql/RELEASED", sub { s/^[0-9a-f]{10}/0123456789/m }) },
		qr/was changed/ ],
	[ 'a line that was removed', sub { change("$_[0]/sql/RELEASED", sub { s/^.*discovery--1\.0\.sql\n//m }) },
		qr/discovery--1\.0\.sql came after the release/ ],
	[ 'a line twice', sub { change("$_[0]/sql/RELEASED", sub { s/^(.*discovery--1\.0\.sql\n)/$1$1/m }) },
		qr/is there twice/ ],
	[ 'a line that is none', sub { change("$_[0]/sql/RELEASED", sub { $_ .= "1.1\n" }) }, qr/not a line of sha256sum/ ],
	[ 'a file elsewhere', sub { change("$_[0]/sql/RELEASED", sub { $_ .= ('0' x 64) . "  ../discovery.control\n" }) },
		qr/not a line of sha256sum/ ],
	[ 'a package of another version', sub { change("$_[0]/debian/changelog", sub { s/\(7\.0\)/(6.9)/ }) },
		qr/debian\/changelog does not begin with the version that was released last, 7\.0/ ],
	[ 'no list', sub { unlink "$_[0]/sql/RELEASED" }, qr/RELEASED is missing/ ])
{
	my ($name, $break, $said) = @$case;
	system("rm -rf '$tree.copy' && cp -a '$tree' '$tree.copy'") == 0 or die;
	$break->("$tree.copy");
	fails("$tree.copy", 'lint/released', $said, "seen: $name");
	fails("$tree.copy", 'tools/release', $said, "not released: $name");
}
system("rm -rf '$tree.copy'");

# The graph of the versions, in a tree without releases.
foreach my $case (
	[ 'a shortcut', sub { write_file("$_[0]/discovery--1.0--9.0.sql", '') },
		qr/discovery--1\.0--9\.0\.sql does not join neighbours/ ],
	[ 'a shortcut that turns ways round',
		sub {
			write_file("$_[0]/$_", '')
				foreach 'discovery--9.0.shape', 'discovery--1.0--9.0.sql', 'discovery--9.0--1.1.sql';
		},
		qr/the way from 1\.0 to 9\.0|turns round/ ],
	[ 'a second base', sub { write_file("$_[0]/discovery--1.1.sql", '') },
		qr/discovery--1\.1\.sql does not join neighbours/ ],
	[ 'no way down', sub { unlink "$_[0]/discovery--1.1--1.0.sql" },
		qr/discovery--1\.1--1\.0\.sql is missing.*no way from 1\.1 to 1\.0/s ],
	[ 'no way up', sub { unlink "$_[0]/discovery--1.0--1.1.sql" }, qr/discovery--1\.0--1\.1\.sql is missing/ ],
	[ 'no shape', sub { unlink "$_[0]/discovery--1.1.shape" }, qr/discovery--1\.1\.shape is missing/ ],
	[ 'another default',
		sub { change("$_[0]/../discovery.control", sub { s/^default_version.*/default_version = '1.0'/m }) },
		qr/control says 1\.0, the newest is/ ],
	[ 'a step of another version',
		sub { change("$_[0]/discovery--1.0--1.1.sql", sub { s/step 1\.0 -> 1\.1/step 1.0 -> 1.2/ }) },
		qr/discovery--1\.0--1\.1\.sql has the steps '1\.0 -> 1\.2'/ ],
	[ 'a call of another step',
		sub { change("$_[0]/discovery--1.1--1.0.sql", sub { s/run_step\('1\.1', '1\.0'\)/run_step('1.0', '1.1')/ }) },
		qr/discovery--1\.1--1\.0\.sql calls/ ],
	[ 'no call', sub { change("$_[0]/discovery--1.1--1.0.sql", sub { s/^SELECT .*run_step.*\n//m }) },
		qr/discovery--1\.1--1\.0\.sql calls ''/ ],
	[ 'no guard', sub { change("$_[0]/discovery--1.0--1.1.sql", sub { s/\A.*\n// }) },
		qr/does not begin with its guard line/ ],
	[ 'an item left of the checklist',
		sub { change("$_[0]/discovery--1.0--1.1.sql", sub { $_ .= "-- [ ] Every statement was read.\n" }) },
		qr/is not finished/ ],
	[ 'an entry left in the change log', sub { change("$_[0]/../CHANGELOG.md", sub { $_ .= "- [ ] **1.2**: to come\n" }) },
		qr/CHANGELOG\.md is not finished/ ])
{
	my ($name, $break, $said) = @$case;
	my $broken = tree();
	$break->("$broken/sql");
	fails($broken, 'lint/version-graph', $said, "seen: $name");
	fails($broken, 'tools/release', $said, "not released: $name");
	is(read_file("$broken/sql/RELEASED"), "# nothing yet\n", "and nothing is written: $name");
}
done_testing();
