// discovery_history(): lists every version, and every time that it was applied to the store.
#include "server/arguments.hpp"
#include "server/queries.hpp"
#include "server/result.hpp"
#include "store/record.hpp"
#include "store/scripts.hpp"

extern "C" {
#include "utils/acl.h"
#include "utils/array.h"
}

namespace discovery {
namespace {

Argument text_array(Datum *texts, int count) {
    return {TEXTARRAYOID, PointerGetDatum(construct_array(texts, count, TEXTOID, -1, false, TYPALIGN_INT))};
}

}  // namespace
}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_history) {
    Store store = require_store(name_argument(fcinfo, 0));
    const core::Migrations *migrations = shipped_migrations();
    int count = static_cast<int>(migrations->releases.size());
    auto *versions = static_cast<Datum *>(palloc0(sizeof(Datum) * count));
    auto *descriptions = static_cast<Datum *>(palloc0(sizeof(Datum) * count));
    for (int i = 0; i < count; ++i) {
        core::Version version = migrations->releases[i].version;
        versions[i] = to_text(text_of(version));
        for (const core::Step &step : migrations->steps)
            if (step.is_up() && step.to == version) descriptions[i] = to_text(step.description);
    }
    const char *current = text_of(store.version);
    if (!may_read_record(store)) aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, record_table);
    Session session = enter_record(store);
    return_rows(fcinfo,
                placed(R"sql(
        SELECT coalesce(release.version, applied.version),
               concat_ws(', ', CASE WHEN coalesce(release.version, applied.version) = $3 THEN 'current' END,
                         CASE WHEN release.number = cardinality($1) THEN 'newest' END),
               coalesce(applied.description, release.description), applied.direction, applied.previous_version,
               applied.applied_by, applied.applied_at, applied.duration, applied.checksum
        FROM unnest($1, $2) WITH ORDINALITY AS release (version, description, number)
        FULL JOIN @store@.discovery_migrations AS applied ON applied.version = release.version
        ORDER BY applied.applied_at NULLS LAST, release.number)sql",
                       store),
                {text_array(versions, count), text_array(descriptions, count), text_argument(current)});
    leave(session);
    return Datum{};
}
