// The trigger on sources that lists the paths of files that a source loses, because it is removed
// or gets another path. The bytes of files are not in the database: without the list, nobody would
// know of a file that no source has any more.
#include "server/queries.hpp"
#include "server/session.hpp"
#include "store/catalog.hpp"
#include "sources/triggers.hpp"

extern "C" {
#include "access/table.h"
#include "catalog/pg_class.h"
#include "utils/datum.h"
}

namespace discovery {
namespace {

constexpr const char *list_name = "discovery_lost_files";

struct Columns {
    AttrNumber file_path;
};

// Opens the list in the schema of `sources`. The owner of the schema may have replaced it with
// another object, whose code must not run as the owner of sources.
// Errors: 55000 there is no such table of the same owner.
Relation open_list(Relation sources) {
    Oid schema = RelationGetNamespace(sources);
    Oid list = get_relname_relid(list_name, schema);
    Relation relation = OidIsValid(list) ? try_table_open(list, RowExclusiveLock) : nullptr;
    if (relation == nullptr || relation->rd_rel->relkind != RELKIND_RELATION ||
        relation->rd_rel->relowner != sources->rd_rel->relowner)
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("schema \"%s\" has no list of lost files for table \"%s\"", get_namespace_name(schema),
                       RelationGetRelationName(sources)),
                errdetail("It must have a table \"%s\" of the same owner.", list_name));
    return relation;
}

Value path_of(TupleTableSlot *slot, const Columns &columns) {
    Value path;
    path.datum = slot_getattr(slot, columns.file_path, &path.is_null);
    return path;
}

}  // namespace
}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_lost_file) {
    TriggerData *trigger = after_call(fcinfo, "discovery_lost_file", true);
    Relation sources = trigger->tg_relation;
    if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event)) return PointerGetDatum(nullptr);
    const Columns &columns =
        once_a_statement(fcinfo, [&] { return Columns{column_number(sources, "file_path", TEXTOID)}; });
    Value path = path_of(trigger->tg_trigslot, columns);
    if (path.is_null) return PointerGetDatum(nullptr);
    if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event)) {
        Value now = path_of(trigger->tg_newslot, columns);
        if (!now.is_null && datum_image_eq(path.datum, now.datum, false, -1)) return PointerGetDatum(nullptr);
    }

    SPI_connect();
    Identity identity = act_as(sources->rd_rel->relowner);
    Relation list = open_list(sources);
    run_saved(psprintf("INSERT INTO %s.%s (id, file_path) VALUES ($1, $2)",
                       quoted_schema(RelationGetNamespace(sources)), list_name),
              {uuid_argument(to_datum(new_uuid())), {TEXTOID, path.datum}});
    table_close(list, NoLock);
    stop_acting(identity);
    SPI_finish();
    return PointerGetDatum(nullptr);
}
