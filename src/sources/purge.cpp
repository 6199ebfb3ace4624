// purge_deleted_sources(), and what it shares with purge_trash().
#include "server/arguments.hpp"
#include "server/progress.hpp"
#include "server/queries.hpp"
#include "server/result.hpp"
#include "server/session.hpp"
#include "server/subtransaction.hpp"
#include "sources/purge.hpp"
#include "sources/uuid.hpp"
#include "store/current_store.hpp"

extern "C" {
#include "access/table.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/fmgrprotos.h"
#include "utils/rls.h"
}

namespace discovery {
namespace {

// Sources that were deleted before $1. A client can set deleted_at to a time in the past, so
// deletion_id is checked, too: no deletion at $1 or later has an id below $3.
constexpr const char *is_removable =
    "deleted_at OPERATOR(pg_catalog.<) pg_catalog.timezone('UTC', $1)"
    " AND deleted_at OPERATOR(pg_catalog.>) '-infinity'::pg_catalog.timestamp"
    " AND hold_reason IS NULL AND (deletion_id IS NULL OR deletion_id OPERATOR(pg_catalog.<) $3)";

// A statement that removes the removable rows that also satisfy `is_chosen`.
const char *removal(const Store &store, const char *is_chosen) {
    return placed(psprintf("DELETE FROM @store@.sources WHERE %s%s"
                           " RETURNING id, notebook_id, content_hash::pg_catalog.text, file_path",
                           is_removable, is_chosen),
                  store);
}

// Selects the $2 oldest rows that nobody has locked. Selecting by ctid avoids a second index
// lookup. The order is that of the index alone, because sorting would cost more than the whole
// DELETE. A row that changed after the statement began is left for the next purge.
const char *oldest_unlocked() {
    return psprintf(
        " AND ctid OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT ctid FROM @store@.sources WHERE %s"
        " ORDER BY deleted_at LIMIT $2 FOR UPDATE SKIP LOCKED))",
        is_removable);
}

// Whether another session may have locked a removable row, or has done so before: xmax is the
// transaction that locked or changed the row. A look is much cheaper than locking the rows.
bool may_be_locked(const Store &store, Datum cutoff, Datum floor) {
    const char *sql = placed(psprintf("SELECT FROM @store@.sources WHERE %s"
                                      " AND xmax OPERATOR(pg_catalog.<>) '0'::pg_catalog.xid LIMIT 1",
                                      is_removable),
                             store);
    return run_saved(sql, {{TIMESTAMPTZOID, cutoff}, {INT4OID, Datum{}, true}, uuid_argument(floor)},
                     "ix_sources_deleted_at") > 0;
}

// Whether to try a plain DELETE first, which gives up at a locked row. It is not tried if user
// triggers run, because they would see our lock_timeout and could run twice. It is also not tried
// if privileges or policies may prevent the caller from locking some rows that it may remove: the
// set of removed rows would then depend on whether another session has locked a row.
bool may_try_without_locks(const Store &store) {
    if (pg_class_aclcheck(store.sources, GetUserId(), ACL_UPDATE) != ACLCHECK_OK ||
        check_enable_rls(store.sources, InvalidOid, true) == RLS_ENABLED)
        return false;
    Relation sources = table_open(store.sources, RowExclusiveLock);
    const TriggerDesc *triggers = sources->trigdesc;
    bool is_ours_alone = true;
    for (int number = 0; triggers != nullptr && number < triggers->numtriggers; ++number) {
        const Trigger &trigger = triggers->triggers[number];
        if (TRIGGER_FOR_DELETE(trigger.tgtype) && strcmp(trigger.tgname, "discovery_trash") != 0 &&
            strcmp(trigger.tgname, "discovery_statement") != 0)
            is_ours_alone = false;
    }
    table_close(sources, NoLock);
    return is_ours_alone;
}

void purge(FunctionCallInfo fcinfo, const Store &store, Datum cutoff) {
    const Rows removed = begin_result(fcinfo);
    // What was deleted long ago does not move to the trash.
    pin("discovery.keep_deleted", "off");
    SPI_connect();
    Datum floor = to_datum(uuid_floor(DatumGetTimestampTz(cutoff)));
    auto remove = [&](const char *sql) {
        run_saved(sql, {{TIMESTAMPTZOID, cutoff}, argument(fcinfo, 1, INT4OID), uuid_argument(floor)},
                  "ix_sources_deleted_at", removed);
    };
    // Usually nobody has locked any of the rows. Locking each row first would take a third more
    // time. A session that locks a row after the look costs the DELETE its short wait.
    bool is_done = false;
    if (PG_ARGISNULL(1) && may_try_without_locks(store) && !may_be_locked(store, cutoff, floor))
        as_part("removing deleted sources", nullptr,
                [&] { is_done = unless_locked([&] { remove(removal(store, "")); }); });
    if (!is_done)
        as_part("removing deleted sources that nobody has locked", nullptr, [&] {
            tuplestore_clear(removed.store);
            remove(removal(store, oldest_unlocked()));
        });
    as_part("removing finished deletions from the log", nullptr, [&] { drop_finished_deletions(store, cutoff); });
    SPI_finish();
}

}  // namespace

Datum purge_cutoff(FunctionCallInfo fcinfo, int number) {
    require_argument(fcinfo, number, "older_than");
    Datum older_than = PG_GETARG_DATUM(number);
    Interval none = {};
    bool is_negative = DatumGetBool(DirectFunctionCall2(interval_lt, older_than, IntervalPGetDatum(&none)));
#ifdef INTERVAL_NOT_FINITE
    is_negative = is_negative || INTERVAL_NOT_FINITE(DatumGetIntervalP(older_than));
#endif
    if (is_negative)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("older_than must be finite and not negative"));
    return DirectFunctionCall2(timestamptz_mi_interval, TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()),
                               older_than);
}

void drop_finished_deletions(const Store &store, Datum cutoff) {
    const char *not_in_trash = "";
    if (OidIsValid(get_relname_relid("discovery_trash", store.schema))) {
        hold_table(store, "discovery_trash", AccessShareLock);
        not_in_trash =
            " AND NOT EXISTS (SELECT FROM @store@.discovery_trash AS trash WHERE trash.deletion_id = deletion.id)"
            " AND NOT EXISTS (SELECT FROM @store@.discovery_trash AS trash WHERE trash.source_deletion_id = "
            "deletion.id)";
    }
    hold_table(store, "sources", AccessShareLock);
    hold_table(store, "discovery_deletions", RowExclusiveLock);
    Session session = enter_as(store.owner);
    query(
        placed(psprintf("DELETE FROM @store@.discovery_deletions WHERE id = ANY (ARRAY("
                        " SELECT deletion.id FROM @store@.discovery_deletions AS deletion"
                        " WHERE deletion.deleted_at < $1"
                        " AND NOT EXISTS (SELECT FROM @store@.sources AS source WHERE source.deletion_id = deletion.id)"
                        "%s FOR UPDATE SKIP LOCKED))",
                        not_in_trash),
               store),
        {{TIMESTAMPTZOID, cutoff}}, false);
    leave(session);
}

}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_purge_deleted_sources) {
    PreventCommandIfReadOnly("purge_deleted_sources()");
    require_argument(fcinfo, 0, "older_than");
    if (!PG_ARGISNULL(1) && PG_GETARG_INT32(1) <= 0)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("max_rows must be positive"));
    Datum cutoff = purge_cutoff(fcinfo, 0);
    Store store = current_store();
    with_rights(store, [&] {
        Session session = save_session();
        purge(fcinfo, store, cutoff);
        leave(session);
        return true;
    });
    return Datum{};
}
