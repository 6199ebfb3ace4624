// purge_trash().
#include "server/arguments.hpp"
#include "server/progress.hpp"
#include "server/result.hpp"
#include "sources/lost_files.hpp"
#include "sources/purge.hpp"
#include "store/current_store.hpp"

extern "C" {
#include "access/table.h"
#include "executor/tuptable.h"
#include "tcop/utility.h"
}

namespace discovery {
namespace {

// Lists the files of the removed rows, whose last column is the path.
void list_files_of(const Store &store, const Rows &removed) {
    auto *paths = in_core([] { return std::vector<std::string>{}; });
    TupleTableSlot *slot = MakeSingleTupleTableSlot(removed.columns, &TTSOpsMinimalTuple);
    while (tuplestore_gettupleslot(removed.store, true, false, slot)) {
        CHECK_FOR_INTERRUPTS();
        bool is_null;
        Datum path = slot_getattr(slot, 5, &is_null);
        if (is_null) continue;
        std::string_view bytes = view_of(DatumGetTextPP(path));
        in_core([&] { paths->emplace_back(bytes); });
    }
    ExecDropSingleTupleTableSlot(slot);
    tuplestore_rescan(removed.store);
    if (paths->empty()) return;
    Relation sources = table_open(hold_table(store, "sources", RowExclusiveLock), NoLock);
    list_lost_files(sources, *paths);
    table_close(sources, NoLock);
}

// Removes the rows of whole deletions, so that what is left of the trash can be restored. It locks the rows, as
// restore_deletion() does, and then looks again whether they are held.
void purge(FunctionCallInfo fcinfo, const Store &store, Datum cutoff) {
    const Rows removed = begin_result(fcinfo);
    SPI_connect();
    as_part("removing deletions from the trash", nullptr, [&] {
        run_saved(placed("WITH old AS ("
                         "  SELECT DISTINCT trash.deletion_id FROM @store@.discovery_trash AS trash"
                         "  JOIN @store@.discovery_deletions AS deletion"
                         "    ON deletion.id OPERATOR(pg_catalog.=) trash.deletion_id"
                         "  WHERE deletion.deleted_at OPERATOR(pg_catalog.<) $1"
                         "    AND NOT EXISTS (SELECT FROM @store@.discovery_trash AS held"
                         "                    WHERE held.deletion_id OPERATOR(pg_catalog.=) trash.deletion_id"
                         "                      AND held.hold_reason IS NOT NULL)"
                         "  ORDER BY trash.deletion_id LIMIT $2"
                         "), locked AS MATERIALIZED ("
                         "  SELECT deletion_id, table_name, row_id FROM @store@.discovery_trash"
                         "  WHERE deletion_id OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT deletion_id FROM old))"
                         "    AND hold_reason IS NULL"
                         "  FOR UPDATE SKIP LOCKED"
                         "), whole AS MATERIALIZED ("
                         "  SELECT deletion_id FROM locked GROUP BY deletion_id"
                         "  HAVING pg_catalog.count(*) OPERATOR(pg_catalog.=)"
                         "    (SELECT pg_catalog.count(*) FROM @store@.discovery_trash AS counted"
                         "     WHERE counted.deletion_id OPERATOR(pg_catalog.=) locked.deletion_id)"
                         ")"
                         " DELETE FROM @store@.discovery_trash"
                         " WHERE deletion_id OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT deletion_id FROM whole))"
                         " RETURNING table_name, row_id, notebook_id, content_hash, file_path",
                         store),
                  {{TIMESTAMPTZOID, cutoff}, argument(fcinfo, 1, INT4OID)}, nullptr, removed);
    });
    list_files_of(store, removed);
    as_part("removing finished deletions from the log", nullptr, [&] { drop_finished_deletions(store, cutoff); });
    SPI_finish();
}

}  // namespace
}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_purge_trash) {
    PreventCommandIfReadOnly("purge_trash()");
    Datum cutoff = purge_cutoff(fcinfo, 0);
    if (!PG_ARGISNULL(1) && PG_GETARG_INT32(1) <= 0)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("max_deletions must be positive"));
    Store store = current_store();
    with_rights(store, [&] {
        purge(fcinfo, store, cutoff);
        return true;
    });
    return Datum{};
}
