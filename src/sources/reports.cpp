// Read-only functions that report duplicates, hashes, counts and deletions, and
// repair_source_counts(). Each report is one query on the store, with the caller's privileges.
#include "server/arguments.hpp"
#include "server/result.hpp"
#include "server/session.hpp"
#include "store/current_store.hpp"
#include "sources/counts.hpp"

extern "C" {
#include "tcop/utility.h"
#include "utils/acl.h"
}

namespace discovery {
namespace {

void require_right(Oid table, AclMode right) {
    AclResult result = pg_class_aclcheck(table, GetUserId(), right);
    if (result != ACLCHECK_OK) aclcheck_error(result, OBJECT_TABLE, get_rel_name(table));
}

}  // namespace
}  // namespace discovery

using namespace discovery;

// Also works on a store at version 1.0, where a notebook can have duplicates.
DISCOVERY_FUNCTION(discovery_find_duplicate_sources) {
    return return_rows(fcinfo,
                       placed(R"sql(
        SELECT hash, count(*), count(DISTINCT notebook_id), array_agg(id ORDER BY created_at, id),
               (sum(octet_length(extracted_text)) - max(octet_length(extracted_text)))::bigint
        FROM @store@.sources,
             LATERAL (SELECT CASE WHEN content_hash ~ '^[0-9A-Fa-f]{64}$' THEN lower(content_hash)
                                  ELSE content_hash::text END) AS folded (hash)
        WHERE deleted_at IS NULL AND content_hash <> '' AND ($1 IS NULL OR notebook_id = $1)
        GROUP BY hash HAVING count(*) > 1
        ORDER BY count(*) DESC, hash)sql",
                              require_store(nullptr)),
                       {argument(fcinfo, 0, UUIDOID)});
}

DISCOVERY_FUNCTION(discovery_check_source_hashes) {
    if (!PG_ARGISNULL(1) && PG_GETARG_INT32(1) <= 0)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("max_rows must be positive"));
    Store store = current_store();
    // content_hash() is in the extension's schema, which can differ from the store's.
    const char *functions = quoted_schema(read_extension().schema);
    return return_rows(fcinfo,
                       psprintf(R"sql(
        SELECT looked_at.id, looked_at.notebook_id, looked_at.content_hash::text, hashed.content_hash
        FROM (SELECT id, notebook_id, content_hash, extracted_text FROM %s.sources
              WHERE deleted_at IS NULL AND source_type IN ('url', 'text') AND extracted_text <> ''
                AND ($1 IS NULL OR id > $1)
              ORDER BY id OFFSET 0) AS looked_at,
             LATERAL %s.content_hash(looked_at.extracted_text) AS hashed (content_hash)
        WHERE looked_at.content_hash <> hashed.content_hash
        ORDER BY looked_at.id LIMIT $2)sql",
                                quoted_schema(store.schema), functions),
                       {argument(fcinfo, 0, UUIDOID), argument(fcinfo, 1, INT4OID)});
}

DISCOVERY_FUNCTION(discovery_check_source_counts) {
    Store store = current_store();
    // If row security hid sources, the counts would be wrong. Raise an error instead.
    Session session = enter();
    set_row_security_off();
    Datum result = return_rows(fcinfo,
                               placed(R"sql(
        SELECT notebook.id, notebook.name::text, notebook.source_count, counted.sources
        FROM @store@.notebooks AS notebook
        LEFT JOIN (SELECT notebook_id, count(*) AS sources FROM @store@.sources WHERE deleted_at IS NULL
                   GROUP BY notebook_id) AS live ON live.notebook_id = notebook.id,
             LATERAL (SELECT coalesce(live.sources, 0)) AS counted (sources)
        WHERE notebook.source_count <> counted.sources
        ORDER BY notebook.id)sql",
                                      store),
                               {});
    leave(session);
    return result;
}

// Runs as the owner of the store, because row security must not hide rows. The caller needs the
// privileges that the same statements would need.
DISCOVERY_FUNCTION(discovery_repair_source_counts) {
    PreventCommandIfReadOnly("repair_source_counts()");
    Store store = current_store();
    hold_table(store, "sources", AccessShareLock);
    hold_table(store, "notebooks", RowExclusiveLock);
    require_right(get_relname_relid("sources", store.schema), ACL_SELECT);
    require_right(get_relname_relid("notebooks", store.schema), ACL_UPDATE);
    SPI_connect();
    Identity identity = act_as(store.owner);
    int64 repaired = repair_counts(store);
    stop_acting(identity);
    SPI_finish();
    PG_RETURN_INT64(repaired);
}

DISCOVERY_FUNCTION(discovery_list_source_deletions) {
    return return_rows(fcinfo,
                       placed(R"sql(
        SELECT deletion.id, deletion.deleted_at, deletion.login_role, deletion.acting_role, deletion.reason,
               deletion.sources, still.sources
        FROM @store@.discovery_deletions AS deletion,
             LATERAL (SELECT count(*), count(*) FILTER (WHERE source.notebook_id = $1)
                      FROM @store@.sources AS source WHERE source.deletion_id = deletion.id) AS still (sources, here)
        WHERE ($1 IS NULL OR still.here > 0) AND ($2 IS NULL OR deletion.deleted_at >= $2)
        ORDER BY deletion.deleted_at DESC, deletion.id DESC)sql",
                              current_store()),
                       {argument(fcinfo, 0, UUIDOID), argument(fcinfo, 1, TIMESTAMPTZOID)});
}
