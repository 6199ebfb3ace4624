// Locks and checks that soft delete, restore and purge share.
#include "sources/soft_delete.hpp"

#include "server/queries.hpp"
#include "server/session.hpp"
#include "sources/uuid.hpp"

namespace discovery {

void raise_unknown(const char *ids) {
    ereport(ERROR, errcode(ERRCODE_NO_DATA_FOUND), errmsg("some sources do not exist"),
            errdetail("Unknown IDs: %s.", ids));
}

void raise_identical(const char *name, const char *detail) {
    ereport(ERROR, errcode(ERRCODE_UNIQUE_VIOLATION),
            errmsg("cannot restore source \"%s\" because an identical source already exists in the notebook", name),
            errdetail("%s", detail), errhint("Use on_duplicate => 'keep_deleted' to leave such sources deleted."));
}

void lock_notebooks(const Store &store, Argument ids) {
    // As in foreign keys, the caller needs no privilege on notebooks.
    hold_table(store, "notebooks", RowShareLock);
    Session session = act_as_owner(store, Deferred::allowed);
    run_saved(placed("SELECT FROM @store@.notebooks WHERE id OPERATOR(pg_catalog.=) ANY ($1)"
                     " ORDER BY id USING OPERATOR(pg_catalog.<) FOR KEY SHARE",
                     store),
              {ids});
    leave(session);
}

void lock_notebooks_where(const Store &store, const char *table, const char *condition, Argument which) {
    run_saved(placed(psprintf("SELECT coalesce(pg_catalog.array_agg(DISTINCT notebook_id), '{}')"
                              " FROM @store@.%s WHERE %s",
                              table, condition),
                     store),
              {which});
    lock_notebooks(store, {UUIDARRAYOID, result_datum(0, 0, UUIDARRAYOID, &which.is_null)});
}

void require_new_snapshot() {
    if (IsolationUsesXactSnapshot())
        ereport(ERROR, errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                errmsg("could not serialize access due to concurrent update"),
                errdetail("Another transaction has added a source with the same content."));
}

void require_deletion(const Store &store, Datum deletion) {
    hold_table(store, "discovery_deletions", AccessShareLock);
    SPI_connect();
    Session session = enter_as(store.owner);
    bool is_known = query(placed("SELECT FROM @store@.discovery_deletions WHERE id = $1", store),
                          {uuid_argument(deletion)}, false) > 0;
    leave(session);
    if (!is_known)
        ereport(ERROR, errcode(ERRCODE_NO_DATA_FOUND), errmsg("deletion %s does not exist", uuid_text(deletion)));
    SPI_finish();
}

void require_source(const Store &store, Datum id) {
    SPI_connect();
    if (run_saved(placed("SELECT FROM @store@.sources WHERE id OPERATOR(pg_catalog.=) $1", store),
                  {uuid_argument(id)}) == 0)
        raise_unknown(uuid_text(id));
    SPI_finish();
}

}  // namespace discovery
