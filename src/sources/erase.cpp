// erase_data(): removes for good what a request to be forgotten asks for.
#include "server/arguments.hpp"
#include "server/progress.hpp"
#include "server/result.hpp"
#include "sources/trash.hpp"
#include "store/current_store.hpp"
#include "store/store.hpp"

extern "C" {
#include "tcop/utility.h"
}

namespace discovery {
namespace {

// Conditions on $1: which rows of each table go, and which notebooks lose rows. The notebooks go last, so that what is
// in them is counted as what it is.
struct Erasure {
    const char *sources, *outputs, *trash, *notebooks, *touched;
};
constexpr Erasure of_notebook{"row.notebook_id = $1", "row.notebook_id = $1", "row.notebook_id = $1", "row.id = $1",
                              "row.id = $1"};
// A notebook of the creator goes with all that others have put into it.
constexpr const char *inside_of_creator =
    "row.created_by = $1 OR row.notebook_id IN (SELECT id FROM @store@.notebooks WHERE created_by = $1)";
constexpr Erasure of_creator{
    inside_of_creator, inside_of_creator,
    "row.created_by = $1 OR row.notebook_id IN (SELECT id FROM @store@.notebooks WHERE created_by = $1"
    " UNION SELECT row_id FROM @store@.discovery_trash WHERE table_name = 'notebooks' AND created_by = $1)",
    "row.created_by = $1",
    "row.created_by = $1 OR row.id IN (SELECT notebook_id FROM @store@.sources WHERE created_by = $1"
    " UNION SELECT notebook_id FROM @store@.outputs WHERE created_by = $1)"};

void put(FunctionCallInfo fcinfo, const char *table, uint64 rows) {
    Datum values[] = {to_text(table), Int64GetDatum(static_cast<int64>(rows))};
    bool nulls[] = {false, false};
    put_row(fcinfo, values, nulls);
}

// Runs as the owner of the store. What a deletion was for may say who or what it was: the reasons of all deletions of
// these rows go, too.
void erase(FunctionCallInfo fcinfo, const Store &store, const Erasure &erasure, Argument which) {
    for (const char *table :
         {"sources", "notebooks", "outputs", "discovery_trash", "discovery_deletions", "discovery_lost_files"})
        hold_table(store, table, RowExclusiveLock);
    SPI_connect();
    Session session = act_as_owner(store, deferred_of_caller(store));
    pin("search_path", "pg_catalog, pg_temp");
    pin("discovery.keep_deleted", "off");
    auto run = [&](const char *what, const char *table, const char *sql) {
        uint64 rows = 0;
        as_part(what, nullptr, [&] { rows = query(placed(sql, store), {which}, false); });
        put(fcinfo, table, rows);
    };
    auto remove = [&](const char *table, const char *condition) {
        run(psprintf("erasing rows of %s", table), table,
            psprintf("DELETE FROM @store@.%s AS row WHERE %s", table, condition));
        const char *rest = psprintf("SELECT FROM @store@.%s AS row WHERE %s LIMIT 1", table, condition);
        if (query(placed(rest, store), {which}, false) > 0)
            ereport(ERROR, errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
                    errmsg("cannot erase all rows of table \"%s\"", table),
                    errdetail("A trigger or rule of the table keeps some, or another session has added some"
                              " meanwhile."));
    };
    // Whoever is moving a row to the trash, or back, has done so before the erasing begins. The trash comes first, as
    // in restore_deletion(), and notebooks come before what is in them, as in DELETE of a notebook.
    auto lock = [&](const char *table, const char *condition) {
        const char *sql =
            psprintf("SELECT count(*) FROM (SELECT FROM @store@.%s AS row WHERE %s ORDER BY %s FOR UPDATE) AS locked",
                     table, condition, strcmp(table, "discovery_trash") == 0 ? trash_order : "row.id");
        as_part(psprintf("locking rows of %s", table), nullptr, [&] { query(placed(sql, store), {which}, false); });
    };
    lock("discovery_trash", erasure.trash);
    lock("notebooks", erasure.touched);
    lock("sources", erasure.sources);
    lock("outputs", erasure.outputs);
    run("erasing reasons of deletions", "discovery_deletions",
        psprintf("UPDATE @store@.discovery_deletions SET reason = NULL WHERE reason IS NOT NULL AND id IN ("
                 "SELECT row.deletion_id FROM @store@.sources AS row WHERE %s"
                 " UNION SELECT unnest(ARRAY[row.deletion_id, row.source_deletion_id])"
                 " FROM @store@.discovery_trash AS row WHERE %s)",
                 erasure.sources, erasure.trash));
    // The trash keeps files as sources do; deleting the sources lists theirs.
    query(placed(psprintf("INSERT INTO @store@.discovery_lost_files (id, file_path)"
                          " SELECT @functions@.discovery_new_id(), row.file_path FROM @store@.discovery_trash AS row"
                          " WHERE row.file_path IS NOT NULL AND (%s)",
                          erasure.trash),
                 store),
          {which}, false);
    remove("sources", erasure.sources);
    remove("outputs", erasure.outputs);
    remove("discovery_trash", erasure.trash);
    remove("notebooks", erasure.notebooks);
    leave(session);
    SPI_finish();
}

}  // namespace
}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_erase_data) {
    PreventCommandIfReadOnly("erase_data()");
    if (PG_ARGISNULL(0) == PG_ARGISNULL(1))
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                errmsg("either notebook_id or created_by must be given"));
    require_read_committed("erase data");
    Store store = current_store();
    require_ownership(store, GetUserId());
    begin_result(fcinfo);
    if (PG_ARGISNULL(1))
        erase(fcinfo, store, of_notebook, argument(fcinfo, 0, UUIDOID));
    else
        erase(fcinfo, store, of_creator, argument(fcinfo, 1, TEXTOID));
    return Datum{};
}
