// discovery_write(): keeps why the current statement writes a row until the row trigger asks.
#include "sources/own_write.hpp"

#include "server/arguments.hpp"
#include "server/settings.hpp"
#include "server/statement.hpp"

namespace discovery {
namespace {

enum class Purpose { count, restore, remove, keep };

struct Write {
    core::Uuid row;
    Purpose purpose;

    auto operator<=>(const Write &) const = default;
};
struct Note {
    Oid role;
    const Deletion *deletion;
};

// What an unfinished statement has told of its rows.
OfStatement<std::map<Write, Note>> notes;

// The note on the row, or nullopt; if `takes`, it is then forgotten.
std::optional<Note> find_note(FunctionCallInfo trigger, const Value &id, Purpose purpose, bool takes = true) {
    std::map<Write, Note> *here = notes.find(trigger);
    if (here == nullptr || id.is_null) return std::nullopt;
    auto found = here->find({to_uuid(id.datum), purpose});
    if (found == here->end()) return std::nullopt;
    const Note note = found->second;
    if (takes) here->erase(found);
    return note;
}

Purpose purpose_argument(FunctionCallInfo fcinfo) {
    std::string_view purpose = view_argument(fcinfo, 1).value_or("");
    if (purpose == "count") return Purpose::count;
    if (purpose == "restore") return Purpose::restore;
    if (purpose == "delete" && !PG_ARGISNULL(2)) return Purpose::remove;
    if (purpose == "keep" && !PG_ARGISNULL(2)) return Purpose::keep;
    ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid arguments of discovery_write()"),
            errhint("Only the functions of discovery call it."));
}

}  // namespace

bool writes_count(FunctionCallInfo trigger, Relation table, const Value &id, bool takes) {
    auto note = find_note(trigger, id, Purpose::count, takes);
    return note && note->role == table->rd_rel->relowner;
}

bool writes_restored(FunctionCallInfo trigger, const Value &id) {
    return find_note(trigger, id, Purpose::restore).has_value();
}

const Deletion *deletion_written(FunctionCallInfo trigger, const Value &id) {
    auto note = find_note(trigger, id, Purpose::remove);
    return note ? note->deletion : current_deletion();
}

const Deletion *deletion_keeping(const core::Uuid &row, const core::Uuid &notebook) {
    // The rows of a notebook are deleted by statements inside of that which deletes the notebook.
    for (const core::Uuid &id : {row, notebook}) {
        const Write write{id, Purpose::keep};
        if (const auto *here = notes.find_if([&](const auto &of_statement) { return of_statement.contains(write); }))
            return here->find(write)->second.deletion;
    }
    return settings::keep_deleted ? current_deletion() : nullptr;
}

}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_write) {
    require_argument(fcinfo, 0, "id");
    const Write write{to_uuid(PG_GETARG_DATUM(0)), purpose_argument(fcinfo)};
    Note note{GetUserId(), nullptr};
    if (write.purpose == Purpose::remove || write.purpose == Purpose::keep)
        note.deletion = deletion_of_call(to_uuid(PG_GETARG_DATUM(2)),
                                         PG_ARGISNULL(3) ? nullptr : text_to_cstring(PG_GETARG_TEXT_PP(3)));
    std::map<Write, Note> &here = notes.at(fcinfo);
    in_core([&] { here.insert_or_assign(write, note); });
    PG_RETURN_BOOL(true);
}
