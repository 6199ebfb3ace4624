// hold_source() and release_source(), hold_deletion() and release_deletion(): what is held stays when others purge.
#include "server/arguments.hpp"
#include "server/queries.hpp"
#include "sources/soft_delete.hpp"
#include "sources/trash.hpp"
#include "sources/uuid.hpp"

extern "C" {
#include "tcop/utility.h"
}

namespace discovery {
namespace {

// The reason for a hold, argument 1. Errors: 22004 it is NULL; 22023 it is empty.
const char *hold_reason(FunctionCallInfo fcinfo) {
    require_argument(fcinfo, 1, "reason");
    const char *reason = text_to_cstring(PG_GETARG_TEXT_PP(1));
    if (reason[0] == '\0') ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("reason must not be empty"));
    return reason;
}

// Sets the reason for the hold of a source, or null.
void hold_source(FunctionCallInfo fcinfo, const Store &store, const char *reason) {
    require_argument(fcinfo, 0, "id");
    require_source(store, PG_GETARG_DATUM(0));
    SPI_connect();
    uint64 rows =
        run_saved(placed("UPDATE @store@.sources SET hold_reason = $2 WHERE id OPERATOR(pg_catalog.=) $1", store),
                  {argument(fcinfo, 0, UUIDOID), text_argument(reason)});
    if (rows == 0) {
        // Either another session removed the source while we waited, or a policy prevents the
        // update.
        require_source(store, PG_GETARG_DATUM(0));
        ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied for some of the sources"));
    }
    SPI_finish();
}

// The same for what a deletion has moved to the trash.
void hold_deletion(FunctionCallInfo fcinfo, const Store &store, const char *reason) {
    require_argument(fcinfo, 0, "deletion_id");
    require_deletion(store, PG_GETARG_DATUM(0));
    SPI_connect();
    // In the order of all who lock rows of the trash
    run_saved(placed(psprintf("SELECT FROM @store@.discovery_trash WHERE deletion_id OPERATOR(pg_catalog.=) $1"
                              " ORDER BY %s FOR UPDATE",
                              trash_order),
                     store),
              {argument(fcinfo, 0, UUIDOID)});
    uint64 rows = run_saved(placed("UPDATE @store@.discovery_trash SET hold_reason = $2"
                                   " WHERE deletion_id OPERATOR(pg_catalog.=) $1",
                                   store),
                            {argument(fcinfo, 0, UUIDOID), text_argument(reason)});
    if (rows == 0)
        ereport(ERROR, errcode(ERRCODE_NO_DATA_FOUND), errmsg("the trash has nothing of this deletion"),
                errhint("A source that was soft-deleted is held by hold_source()."));
    SPI_finish();
}

enum class Hold { set, removed };

Datum change_hold(FunctionCallInfo fcinfo, const char *function, Hold hold,
                  void change(FunctionCallInfo fcinfo, const Store &store, const char *reason)) {
    PreventCommandIfReadOnly(function);
    const char *reason = hold == Hold::set ? hold_reason(fcinfo) : nullptr;
    Store store = current_store();
    with_rights(store, [&] {
        change(fcinfo, store, reason);
        return true;
    });
    PG_RETURN_VOID();
}

}  // namespace
}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_hold_source) { return change_hold(fcinfo, "hold_source()", Hold::set, hold_source); }

DISCOVERY_FUNCTION(discovery_release_source) {
    return change_hold(fcinfo, "release_source()", Hold::removed, hold_source);
}

DISCOVERY_FUNCTION(discovery_hold_deletion) { return change_hold(fcinfo, "hold_deletion()", Hold::set, hold_deletion); }

DISCOVERY_FUNCTION(discovery_release_deletion) {
    return change_hold(fcinfo, "release_deletion()", Hold::removed, hold_deletion);
}
