// Writes the deletion log.
#include "sources/deletion_log.hpp"

#include "server/queries.hpp"
#include "sources/deletions.hpp"
#include "sources/triggers.hpp"

namespace discovery {

void log_deletions(Relation table, const std::map<core::Uuid, Deleted> &deleted) {
    if (deleted.empty()) return;
    SPI_connect();
    Session session = act_as_owner_of(table);
    const char *log = hold_beside(table, "discovery_deletions", "deletion log");
    // Version 1.1 has no trash, so no numbers of notebooks and outputs.
    const char *of_sources = psprintf(
        "INSERT INTO %s AS known (id, login_role, acting_role, reason, sources)"
        " VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (id) DO UPDATE SET sources = known.sources OPERATOR(pg_catalog.+) excluded.sources",
        log);
    const char *of_all = psprintf(
        "INSERT INTO %s AS known (id, login_role, acting_role, reason, sources, notebooks, outputs)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)"
        " ON CONFLICT (id) DO UPDATE SET sources = known.sources OPERATOR(pg_catalog.+) excluded.sources,"
        " notebooks = known.notebooks OPERATOR(pg_catalog.+) excluded.notebooks,"
        " outputs = known.outputs OPERATOR(pg_catalog.+) excluded.outputs",
        log);
    for (const auto &[id, rows] : deleted) {
        const Deletion *deletion = find_deletion(id);
        if (deletion == nullptr) continue;
        const Argument key = uuid_argument(to_datum(id)),
                       login_role = text_argument(GetUserNameFromId(GetSessionUserId(), false)),
                       acting_role = text_argument(GetUserNameFromId(deletion->role, false)),
                       reason = text_argument(deletion->reason), sources{INT8OID, Int64GetDatum(rows.sources)};
        const Argument notebooks{INT8OID, Int64GetDatum(rows.notebooks)}, outputs{INT8OID, Int64GetDatum(rows.outputs)};
        uint64 written = rows.notebooks == 0 && rows.outputs == 0
                             ? run_saved(of_sources, {key, login_role, acting_role, reason, sources})
                             : run_saved(of_all, {key, login_role, acting_role, reason, sources, notebooks, outputs});
        if (written == 0) raise_unlogged(key.value);
    }
    leave(session);
    SPI_finish();
}

void raise_unlogged(Datum deletion) {
    ereport(ERROR, errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION), errmsg("cannot log deletion %s", uuid_text(deletion)),
            errdetail("A trigger or rule on table \"discovery_deletions\" prevents it."));
}

}  // namespace discovery
