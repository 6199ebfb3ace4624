// fail_stale_outputs(): ends what a client that is gone has begun.
#include "server/arguments.hpp"
#include "server/result.hpp"
#include "sources/purge.hpp"
#include "store/current_store.hpp"

extern "C" {
#include "tcop/utility.h"
}

using namespace discovery;

DISCOVERY_FUNCTION(discovery_fail_stale_outputs) {
    PreventCommandIfReadOnly("fail_stale_outputs()");
    Datum cutoff = purge_cutoff(fcinfo, 0);
    require_argument(fcinfo, 1, "reason");
    Store store = current_store();
    return with_rights(store, [&] {
        return return_rows(
            fcinfo,
            placed("UPDATE @store@.outputs AS output SET status = 'failed', output_metadata ="
                   // As text: jsonb does not take all that json takes, and one such row would keep all from ending.
                   " pg_catalog.concat(CASE WHEN pg_catalog.json_typeof(output.output_metadata)"
                   " OPERATOR(pg_catalog.<>) 'object'"
                   " OR stale.metadata OPERATOR(pg_catalog.~) '^[[:space:]]*{[[:space:]]*}' THEN '{'"
                   " ELSE pg_catalog.regexp_replace(stale.metadata, '[[:space:]]*}[[:space:]]*$', ', ') END,"
                   " '\"error\": ', pg_catalog.to_json($2), '}')::pg_catalog.json"
                   " FROM (SELECT id, updated_at, output_metadata::pg_catalog.text AS metadata FROM @store@.outputs"
                   " WHERE status OPERATOR(pg_catalog.=) 'generating'"
                   " AND updated_at OPERATOR(pg_catalog.<) pg_catalog.timezone('UTC', $1)"
                   " ORDER BY id FOR UPDATE SKIP LOCKED) AS stale"
                   " WHERE output.id OPERATOR(pg_catalog.=) stale.id"
                   " RETURNING output.id, output.notebook_id, output.title::pg_catalog.text, stale.updated_at",
                   store),
            {{TIMESTAMPTZOID, cutoff}, argument(fcinfo, 1, TEXTOID)});
    });
}
