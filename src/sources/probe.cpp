// Looks into an index of sources without a statement.
#include "sources/probe.hpp"

#include "sources/add.hpp"
#include "store/citus.hpp"

extern "C" {
#include "access/genam.h"
#include "access/relscan.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/ruleutils.h"
#include "utils/snapmgr.h"
}

namespace discovery {
namespace {

// The two indexes of the table that was looked into last; invalid if they are not as expected. It is forgotten when one
// of the three changes.
struct {
    Oid sources;
    Oid live, deleted;
} known;

void forget(Datum, Oid relation) {
    if (!OidIsValid(relation) || relation == known.sources || relation == known.live || relation == known.deleted)
        known = {};
}

// The index of the table by that name, if its definition goes on like this, and it has all rows; or InvalidOid.
Oid find_index(Relation sources, const char *name, const char *definition) {
    Oid found = get_relname_relid(name, RelationGetNamespace(sources));
    if (!list_member_oid(RelationGetIndexList(sources), found)) return InvalidOid;
    Relation index = index_open(found, AccessShareLock);
    bool is_usable = index->rd_index->indisvalid && index->rd_index->indisready;
    index_close(index, NoLock);
    const char *is = strstr(pg_get_indexdef_string(found), " USING ");
    return is_usable && is != nullptr && strcmp(is, definition) == 0 ? found : Oid{InvalidOid};
}

void look_up(Relation sources) {
    static bool is_registered = false;
    if (!is_registered) CacheRegisterRelcacheCallback(forget, Datum{});
    is_registered = true;
    constexpr const char *live =
        " USING btree (notebook_id, content_hash)"
        " WHERE ((deleted_at IS NULL) AND ((content_hash)::text <> ''::text))";
    constexpr const char *deleted =
        " USING btree (notebook_id, content_hash)"
        " WHERE ((deleted_at IS NOT NULL) AND ((content_hash)::text <> ''::text))";
    known = {RelationGetRelid(sources), InvalidOid, InvalidOid};
    // The rows may be on another server.
    if (has_citus()) return;
    Session session = enter();
    const Oid of_live = find_index(sources, live_index, live), of_deleted = find_index(sources, deleted_index, deleted);
    leave(session);
    known = {RelationGetRelid(sources), of_live, of_deleted};
}

}  // namespace

bool is_absent(const Store &store, const char *index, const Argument &notebook_id, const Argument &content_hash) {
    if (pg_class_aclcheck(store.sources, GetUserId(), ACL_SELECT) != ACLCHECK_OK) return false;
    // It may be gone by the time it is locked; then the query says so.
    Relation sources = try_table_open(store.sources, AccessShareLock);
    if (sources == nullptr) return false;
    if (known.sources != store.sources) look_up(sources);
    const Oid which = strcmp(index, live_index) == 0 ? known.live : known.deleted;
    bool is_none = false;
    if (OidIsValid(which)) {
        // As SPI does before a statement
        CommandCounterIncrement();
        PushActiveSnapshot(GetTransactionSnapshot());
        Relation keys_index = index_open(which, AccessShareLock);
        ScanKeyData keys[2];
        ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_UUID_EQ, notebook_id.value);
        ScanKeyEntryInitialize(&keys[1], 0, 2, BTEqualStrategyNumber, InvalidOid, keys_index->rd_indcollation[1],
                               F_TEXTEQ, content_hash.value);
#if PG_VERSION_NUM >= 180000
        IndexScanDesc scan = index_beginscan(sources, keys_index, GetActiveSnapshot(), nullptr, 2, 0);
#else
        IndexScanDesc scan = index_beginscan(sources, keys_index, GetActiveSnapshot(), 2, 0);
#endif
        index_rescan(scan, keys, 2, nullptr, 0);
        is_none = index_getnext_tid(scan, ForwardScanDirection) == nullptr;
        index_endscan(scan);
        index_close(keys_index, NoLock);
        PopActiveSnapshot();
    }
    table_close(sources, NoLock);
    return is_none;
}

}  // namespace discovery
