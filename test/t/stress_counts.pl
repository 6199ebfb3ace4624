# Counts stay right while many clients write the sources of few notebooks in every way: the short form of
# test/t-long/stress_counts.pl.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stress;
use Test::More;

stress_counts(8, 6);
done_testing();
