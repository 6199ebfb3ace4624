"""Soft delete, restore and purge of a tenth of the sources, against the UPDATE or DELETE that does it by hand"""
import itertools

import harness
import stores

NOW = "timezone('UTC', now())"


def trash(bench):
    """100,000 of 1,000,000 sources are soft-deleted, restored as a batch, and purged, against two plain
    UPDATEs and a DELETE … RETURNING

    The purge returns what it removes, so that the files can be unlinked. The DELETE does the same,
    except in the row that names a DELETE that returns nothing. There, the purge does more work
    """
    sources, notebooks = bench.amount(1_000_000), 1000
    with stores.pair(notebooks=notebooks, sources=sources) as (ours, theirs):
        def delete(number):
            chosen = f"""SELECT {stores.NOTEBOOK.format(n='n')}
                FROM generate_series({number * 100 + 1}, {number * 100 + 100}) n"""
            return f"""UPDATE sources SET deleted_at = {NOW}, updated_at = {NOW}
                WHERE notebook_id IN ({chosen}) AND deleted_at IS NULL"""

        def timed(side, sql):
            side.settle()
            return side.seconds(sql)

        def rounds(side, restore, *purges):
            numbers = itertools.count()

            def one():
                number = next(numbers)
                deleted = timed(side, delete(number))
                restored = timed(side, restore())
                purged = []
                for purge in purges:
                    side.run(delete(number))
                    purged.append(timed(side, purge))
                    number += 5
                return deleted, restored, purged[0], purged[-1]
            return one

        # The newest of two deletions of this round is the one that is still in force.
        plain = f"DELETE FROM sources WHERE deleted_at <= {NOW}"
        pairs = bench.turns(
            rounds(ours, lambda: f"""SELECT count(*) FROM restore_sources('{ours.run(
                "SELECT id FROM discovery_deletions ORDER BY deleted_at DESC LIMIT 1")}')""",
                "SELECT count(*) FROM purge_deleted_sources('0 days')"),
            rounds(theirs,
                   lambda: f"UPDATE sources SET deleted_at = NULL, updated_at = {NOW} WHERE deleted_at IS NOT NULL",
                   f"""WITH gone AS ({plain} RETURNING id, notebook_id, content_hash, file_path)
                       SELECT count(*) FROM gone""", plain), 4)
        left = [side.run("SELECT count(*), count(*) FILTER (WHERE deleted_at IS NULL) FROM sources")
                for side in (ours, theirs)]
        assert left == [f"{sources // 2}|{sources // 2}", "0|0"], left
        goals = (("delete-batch", "<= 1.25"), ("restore-batch", "<= 1.25"), ("purge", "<= 1.30"),
                 ("purge, against a DELETE that returns nothing", ""))
        for position, (name, goal) in enumerate(goals):
            yield harness.row(name, [(a[position], b[position]) for a, b in pairs], goal, harness.seconds)
        yield harness.row("restore-batch against our own delete-batch", [(a[1], a[0]) for a, b in pairs], "<= 1.00",
                          harness.seconds)


BENCHMARKS = {"delete-batch, restore-batch, purge": trash}
