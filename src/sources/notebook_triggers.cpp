// The triggers on notebooks. Before each row of INSERT and UPDATE: discards a source_count that a client
// writes, and sets updated_at when the row's own data changes. After each statement that may give a
// notebook a new id: counts the sources that refer to it.
#include "server/session.hpp"
#include "sources/counts.hpp"
#include "sources/effects.hpp"
#include "sources/triggers.hpp"

extern "C" {
#include "commands/trigger.h"
}

namespace discovery {
namespace {

void note_written(FunctionCallInfo fcinfo, const Value &id) {
    if (id.is_null) return;
    Effects *effects = &effects_here(fcinfo);
    in_core([&] { effects->written.insert(to_uuid(id.datum)); });
}

}  // namespace
}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_notebook_row) {
    TriggerData *trigger = row_call(fcinfo, "discovery_notebook_row");
    Relation relation = trigger->tg_relation;
    AttrNumber source_count = column_number(relation, "source_count", INT4OID);
    AttrNumber id = column_number(relation, "id", UUIDOID);
    RowChanges changes;
    if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event)) {
        // Sources may refer to it already: a notebook of this id may have been deleted just now.
        note_written(fcinfo, value_of(trigger->tg_trigtuple, id, relation));
        changes.set(source_count, Int32GetDatum(0));
        return PointerGetDatum(changes.apply(trigger->tg_trigtuple, relation));
    }
    HeapTuple before = trigger->tg_trigtuple, after = trigger->tg_newtuple;
    Value old_id = value_of(before, id, relation), new_id = value_of(after, id, relation);
    if (is_counting(relation, old_id)) return PointerGetDatum(after);
    if (!is_same(old_id, new_id, TupleDescAttr(RelationGetDescr(relation), id - 1))) {
        note_written(fcinfo, old_id);
        note_written(fcinfo, new_id);
    }
    Value count = value_of(before, source_count, relation);
    changes.set(source_count, count.datum, count.is_null);
    set_updated_at(changes, before, after, relation, column_number(relation, "updated_at", TIMESTAMPOID), source_count);
    return PointerGetDatum(changes.apply(after, relation));
}

DISCOVERY_FUNCTION(discovery_notebook_statement) {
    TriggerData *trigger = after_call(fcinfo, "discovery_notebook_statement", false);
    Relation notebooks = trigger->tg_relation;
    // They stay for the statement's triggers on sources, which may fire later.
    const Effects *effects = find_effects(fcinfo);
    if (effects == nullptr) return PointerGetDatum(nullptr);
    SPI_connect();
    Session session = act_as_owner_of(notebooks);
    count_anew(notebooks, effects->written);
    leave(session);
    SPI_finish();
    return PointerGetDatum(nullptr);
}
