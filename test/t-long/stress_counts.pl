# Counts stay right while 16 clients write the sources of few notebooks in every way: adds, deletes, restores, moves,
# permanent deletes, purges, notebooks that go, savepoints and rollbacks. Single statements in key order meet no
# deadlock; those of other transactions are counted, and leave no wrong count.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/../t/lib";
use Stress;
use Test::More;

stress_counts(16, 60);
done_testing();
