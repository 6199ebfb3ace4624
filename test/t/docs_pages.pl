# Every statement and command that the pages show is run, and prints what they say.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Pages;
use Test::More;

my $top = "$FindBin::RealBin/../..";
my @pages = grep { !m{/(?:migrations|backup|benchmarks)\.md$} } sort glob("$top/docs/*.md");
push @pages, "$top/README.md";
@pages = grep { m{/\Q$ENV{PAGE}\E\.md$} } @pages if $ENV{PAGE};

documentation_server();
foreach my $page (@pages)
{
	my $ran = run_page($page);
	note "$page: $ran blocks";
}
done_testing();
