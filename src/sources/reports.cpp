// Read-only functions that report duplicates, hashes, counts and deletions, and
// the functions that repair counts. Each report is one query on the store, with the caller's privileges.
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

// The hash of a source. Version 1.0 leaves capital letters in it.
const char *hash_of(const Store &store, const char *source) {
    if (core::Version{1, 0} < store.version) return psprintf("%s.content_hash::pg_catalog.text", source);
    return psprintf(
        "CASE WHEN %s.content_hash OPERATOR(pg_catalog.~) '^[0-9A-Fa-f]{64}$'::pg_catalog.text"
        " THEN pg_catalog.lower(%s.content_hash::pg_catalog.text)"
        " ELSE %s.content_hash::pg_catalog.text END",
        source, source, source);
}

Datum check_counts(FunctionCallInfo fcinfo, const Count &count) {
    Store store = current_store();
    return with_rights(store, [&] {
        // If row security hides rows, their number would not be the count.
        Session session = save_session();
        set_row_security_off();
        const char *sql = psprintf(R"sql(SELECT notebook.id, notebook.name::pg_catalog.text,
               notebook.%s, actual.rows
        FROM @store@.notebooks AS notebook
        LEFT JOIN (SELECT notebook_id, pg_catalog.count(*) AS rows FROM @store@.%s AS counted WHERE true%s
                   GROUP BY notebook_id) AS found ON found.notebook_id OPERATOR(pg_catalog.=) notebook.id,
             LATERAL (SELECT coalesce(found.rows, 0)) AS actual (rows)
        WHERE notebook.%s OPERATOR(pg_catalog.<>) actual.rows
        ORDER BY notebook.id)sql",
                                   count.column, count.table, count.condition, count.column);
        Datum result = return_rows(fcinfo, placed(sql, store), {});
        leave(session);
        return result;
    });
}

// Runs as the owner, from whom row security hides nothing, and for whose triggers the caller must not
// stand in. The caller needs the privileges that doing it by hand would need.
int64 repair(const Count &count) {
    require_read_committed("repair counts");
    Store store = current_store();
    require_right(hold_table(store, count.table, AccessShareLock), ACL_SELECT);
    require_right(hold_table(store, "notebooks", RowExclusiveLock), ACL_UPDATE);
    SPI_connect();
    Session session = act_as_owner(store, deferred_of_caller(store));
    int64 repaired = repair_counts(store, count);
    leave(session);
    SPI_finish();
    return repaired;
}

}  // namespace
}  // namespace discovery

using namespace discovery;

// Also works on a store that is still at version 1.0, where one notebook may have duplicates. Of sources without a
// duplicate, it reads no text.
DISCOVERY_FUNCTION(discovery_find_duplicate_sources) {
    Store store = require_store(nullptr);
    return with_rights(store, [&] {
        const char *sql = psprintf(R"sql(SELECT twice.hash, pg_catalog.count(*),
               pg_catalog.count(DISTINCT source.notebook_id),
               pg_catalog.array_agg(source.id ORDER BY source.created_at, source.id),
               (pg_catalog.sum(pg_catalog.octet_length(source.extracted_text)) OPERATOR(pg_catalog.-)
                pg_catalog.max(pg_catalog.octet_length(source.extracted_text)))::pg_catalog.int8
        FROM (SELECT %s AS hash FROM @store@.sources AS each
              WHERE each.deleted_at IS NULL AND each.content_hash OPERATOR(pg_catalog.<>) ''::pg_catalog.text
                AND ($1 IS NULL OR each.notebook_id OPERATOR(pg_catalog.=) $1)
              GROUP BY hash HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 1) AS twice
        JOIN @store@.sources AS source ON %s OPERATOR(pg_catalog.=) twice.hash
        WHERE source.deleted_at IS NULL AND source.content_hash OPERATOR(pg_catalog.<>) ''::pg_catalog.text
          AND ($1 IS NULL OR source.notebook_id OPERATOR(pg_catalog.=) $1)
        GROUP BY twice.hash
        ORDER BY pg_catalog.count(*) DESC, twice.hash)sql",
                                   hash_of(store, "each"), hash_of(store, "source"));
        return return_rows(fcinfo, placed(sql, store), {argument(fcinfo, 0, UUIDOID)});
    });
}

DISCOVERY_FUNCTION(discovery_check_source_hashes) {
    if (!PG_ARGISNULL(1) && PG_GETARG_INT32(1) <= 0)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("max_rows must be positive"));
    Store store = current_store();
    // content_hash() is the extension's, in its own schema.
    const char *functions = quoted_schema(read_extension().schema);
    return with_rights(store, [&] {
        return return_rows(fcinfo,
                           psprintf(R"sql(SELECT looked_at.id, looked_at.notebook_id,
               looked_at.content_hash::pg_catalog.text, hashed.content_hash
        FROM (SELECT id, notebook_id, content_hash, extracted_text FROM %s.sources
              WHERE deleted_at IS NULL AND source_type OPERATOR(pg_catalog.=) ANY ('{url,text}'::pg_catalog.text[])
                AND extracted_text OPERATOR(pg_catalog.<>) ''::pg_catalog.text
                AND ($1 IS NULL OR id OPERATOR(pg_catalog.>) $1)
              ORDER BY id OFFSET 0) AS looked_at,
             LATERAL %s.content_hash(looked_at.extracted_text) AS hashed (content_hash)
        WHERE looked_at.content_hash OPERATOR(pg_catalog.<>) hashed.content_hash
        ORDER BY looked_at.id LIMIT $2)sql",
                                    quoted_schema(store.schema), functions),
                           {argument(fcinfo, 0, UUIDOID), argument(fcinfo, 1, INT4OID)});
    });
}

DISCOVERY_FUNCTION(discovery_check_source_counts) { return check_counts(fcinfo, source_count); }

DISCOVERY_FUNCTION(discovery_check_output_counts) { return check_counts(fcinfo, output_count); }

DISCOVERY_FUNCTION(discovery_repair_source_counts) {
    PreventCommandIfReadOnly("repair_source_counts()");
    PG_RETURN_INT64(repair(source_count));
}

DISCOVERY_FUNCTION(discovery_repair_output_counts) {
    PreventCommandIfReadOnly("repair_output_counts()");
    PG_RETURN_INT64(repair(output_count));
}

DISCOVERY_FUNCTION(discovery_list_source_deletions) {
    Store store = current_store();
    return with_rights(store, [&] {
        return return_rows(fcinfo,
                           placed(R"sql(SELECT deletion.id, deletion.deleted_at, deletion.login_role,
               deletion.acting_role, deletion.reason, deletion.sources, still.sources
        FROM @store@.discovery_deletions AS deletion,
             LATERAL (SELECT pg_catalog.count(*),
                             pg_catalog.count(*) FILTER (WHERE source.notebook_id OPERATOR(pg_catalog.=) $1)
                      FROM @store@.sources AS source WHERE source.deletion_id OPERATOR(pg_catalog.=) deletion.id)
                 AS still (sources, here)
        WHERE ($1 IS NULL OR still.here OPERATOR(pg_catalog.>) 0)
          AND ($2 IS NULL OR deletion.deleted_at OPERATOR(pg_catalog.>=) $2)
        ORDER BY deletion.deleted_at DESC, deletion.id DESC)sql",
                                  store),
                           {argument(fcinfo, 0, UUIDOID), argument(fcinfo, 1, TIMESTAMPTZOID)});
    });
}
