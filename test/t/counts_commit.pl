# The end of a transaction that owes counts: a crash between PREPARE TRANSACTION and COMMIT PREPARED, timeouts, an
# error there, and what is left of it for the next transaction of the session.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Stores;
use Test::More;

my $node = new_server('main', conf => "max_prepared_transactions = 5\n");
$node->safe_psql('postgres', <<'END');
CREATE EXTENSION discovery;
INSERT INTO notebooks (id, name)
	SELECT format('00000000-0000-4000-8000-00000000000%s', n)::uuid, 'n' || n FROM generate_series(1, 4) AS n;
INSERT INTO sources (notebook_id, name, source_type) SELECT id, 'first', 'file' FROM notebooks;
END
my $counts = 'SELECT name, source_count FROM notebooks ORDER BY 1';
my $wrong = 'SELECT * FROM check_source_counts()';
sub add { return "INSERT INTO sources (notebook_id, name, source_type) SELECT id, 'new', 'file' FROM "
	. "notebooks WHERE name = 'n$_[0]';\n"; }

# Prepared, and the server crashes.
$node->safe_psql('postgres', "BEGIN;\n" . add(1) . add(2) . "UPDATE sources SET deleted_at = now() WHERE name = 'first'"
	. " AND notebook_id = '00000000-0000-4000-8000-000000000003'; PREPARE TRANSACTION 'kept'");
$node->safe_psql('postgres', "BEGIN;\n" . add(4) . "SELECT sum(source_count) FROM notebooks; PREPARE "
	. "TRANSACTION 'undone'");
is(value($node, 'postgres', $wrong), '', 'while transactions are prepared, the counts are right');
$node->stop('immediate');
$node->start;
is(value($node, 'postgres', 'SELECT count(*) FROM pg_prepared_xacts'), '2', 'they are there after the crash');
$node->safe_psql('postgres', "ROLLBACK PREPARED 'undone'");
$node->safe_psql('postgres', "COMMIT PREPARED 'kept'");
is(value($node, 'postgres', $counts), "n1|2\nn2|2\nn3|0\nn4|1", 'the counts are those of the prepared transaction');
is(value($node, 'postgres', $wrong), '', 'and right');

# What it needs until its end is locked: the notebook of a prepared transaction cannot go.
$node->safe_psql('postgres', "BEGIN; UPDATE sources SET deleted_at = NULL WHERE deleted_at IS NOT NULL;"
	. " PREPARE TRANSACTION 'restored'");
my ($status, $out, $err) = try_psql($node, 'postgres',
	"SET lock_timeout = '100ms'; DELETE FROM notebooks WHERE name = 'n3'");
like($err, qr/canceling statement due to lock timeout/, 'a notebook of a prepared transaction is locked');
$node->safe_psql('postgres', "COMMIT PREPARED 'restored'");
is(value($node, 'postgres', $counts), "n1|2\nn2|2\nn3|1\nn4|1", 'and its count comes with it');

# COMMIT waits for another session's notebook: it ends by statement_timeout, lock_timeout or a cancel, and the
# transaction fails whole. The next one owes nothing of it.
$node->safe_psql('postgres', "BEGIN; UPDATE notebooks SET description = 'held' WHERE name = 'n2'; PREPARE "
	. "TRANSACTION 'holder'");
foreach my $case (
	[ "SET statement_timeout = '200ms'", qr/ERROR:  57014: canceling statement due to statement timeout/ ],
	[ "SET lock_timeout = '200ms'", qr/ERROR:  55P03: canceling statement due to lock timeout/ ])
{
	my ($set, $expected) = @$case;
	($status, $out, $err) = try_psql($node, 'postgres',
		"BEGIN;\n" . add(1) . add(2) . "$set;\nCOMMIT;\nRESET statement_timeout; RESET lock_timeout;\n"
		. "SELECT 'after', count(*) FROM sources;\nBEGIN;\n" . add(1) . "ROLLBACK;\n$counts;",
		on_error_stop => 0, extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	like($err, $expected, "$set: COMMIT ends");
	is(() = $err =~ /ERROR/g, 1, "$set: and nothing else fails");
	like($out, qr/^after\|6\nn1\|2\nn2\|2\nn3\|1\nn4\|1$/m, "$set: nothing of the transaction is left");
	is(value($node, 'postgres', $wrong), '', "$set: the counts are right");
}
# A read that must write waits, too.
($status, $out, $err) = try_psql($node, 'postgres',
	"BEGIN;\n" . add(2) . "SET LOCAL lock_timeout = '200ms';\nSAVEPOINT s;\nSELECT source_count FROM notebooks "
		. "WHERE name = 'n2';\n"
	. "ROLLBACK TO s;\nSELECT 'lives', count(*) FROM sources;\nROLLBACK;", on_error_stop => 0);
like($err, qr/canceling statement due to lock timeout/, 'a SELECT waits for the row that it must write');
like($out, qr/^lives\|7$/m, 'and the transaction goes on from its savepoint');
$node->safe_psql('postgres', "COMMIT PREPARED 'holder'");

# Above READ COMMITTED, the count of a notebook that another has changed since is an error at COMMIT.
foreach my $level ('REPEATABLE READ', 'SERIALIZABLE')
{
	($status, $out, $err) = try_psql($node, 'postgres', "BEGIN ISOLATION LEVEL $level;\n" . add(1)
		. "\\! psql -Xqc \"" . (add(1) =~ s/\n//r) . "\" postgres\nCOMMIT;\n", on_error_stop => 0,
		extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	like($err, qr/ERROR:  40001: could not serialize access due to concurrent update/, "$level: COMMIT fails");
	is(value($node, 'postgres', $wrong), '', "$level: the counts are right");
}

# A procedure that commits in the middle.
$node->safe_psql('postgres', <<'END');
CREATE PROCEDURE load() LANGUAGE plpgsql AS $$
BEGIN
	FOR n IN 1..3 LOOP
		INSERT INTO sources (notebook_id, name, source_type) SELECT id, 'loaded', 'file' FROM notebooks;
		IF n = 2 THEN ROLLBACK; ELSE COMMIT; END IF;
		IF EXISTS (SELECT FROM check_source_counts()) THEN RAISE 'wrong counts'; END IF;
	END LOOP;
END $$;
END
my $before = value($node, 'postgres', 'SELECT sum(source_count) FROM notebooks');
$node->safe_psql('postgres', 'CALL load()');
is(value($node, 'postgres', 'SELECT sum(source_count) FROM notebooks'), $before + 8, 'a procedure that commits');
is(value($node, 'postgres', $wrong), '', 'the counts are right');

# A crash of a server with open transactions: those that had ended are counted.
$node->stop('immediate');
$node->start;
is(value($node, 'postgres', $wrong), '', 'the counts are right after a crash');
$node->stop;
done_testing();
