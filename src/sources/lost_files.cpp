// The list of lost files. A trigger on sources collects the paths of files that sources lose, because
// they are removed or get another path; the statement's trigger writes them. The files are not in the
// database: without the list, nobody would know of a file that no longer belongs to a source.
#include "server/queries.hpp"
#include "sources/effects.hpp"
#include "sources/lost_files.hpp"
#include "store/catalog.hpp"

extern "C" {
#include "utils/array.h"
#include "utils/datum.h"
}

namespace discovery {
namespace {

struct Columns {
    AttrNumber file_path;
};

Value path_of(TupleTableSlot *slot, const Columns &columns) {
    Value path;
    path.datum = slot_getattr(slot, columns.file_path, &path.is_null);
    return path;
}

// Several paths, by as few statements as values can be large.
void list_many(const char *list, const std::vector<std::string> &paths) {
    const char *sql =
        psprintf("INSERT INTO %s (id, file_path) SELECT %s.discovery_new_id(), path FROM pg_catalog.unnest($1) AS path",
                 list, quoted_schema(read_extension().schema));
    // An array of them all could be larger than a value can be.
    constexpr size_t most = 10000;
    auto *values = static_cast<Datum *>(palloc(sizeof(Datum) * Min(most, paths.size())));
    for (size_t begin = 0; begin < paths.size(); begin += most) {
        CHECK_FOR_INTERRUPTS();
        int count = static_cast<int>(Min(most, paths.size() - begin));
        for (int number = 0; number < count; ++number) values[number] = to_text(paths[begin + number]);
        ArrayType *array = construct_array(values, count, TEXTOID, -1, false, TYPALIGN_INT);
        // Not by a saved plan: Citus can distribute this statement only if it knows the values.
        query(sql, {{TEXTARRAYOID, PointerGetDatum(array)}}, false);
    }
}

}  // namespace

void list_lost_files(Relation sources, const std::vector<std::string> &paths) {
    if (paths.empty()) return;
    SPI_connect();
    Session session = act_as_owner_of(sources);
    const char *list = hold_beside(sources, "discovery_lost_files", "list of lost files");
    if (paths.size() == 1)
        run_saved(psprintf("INSERT INTO %s (id, file_path) VALUES ($1, $2)", list),
                  {uuid_argument(to_datum(new_uuid())), text_argument(paths[0])});
    else
        list_many(list, paths);
    leave(session);
    SPI_finish();
}

void lose_file(FunctionCallInfo trigger, const Value &path) {
    Effects *effects = &effects_here(trigger);
    std::string_view bytes = view_of(DatumGetTextPP(path.datum));
    in_core([&] { effects->lost_files.emplace_back(bytes); });
}

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

    lose_file(fcinfo, path);
    return PointerGetDatum(nullptr);
}
