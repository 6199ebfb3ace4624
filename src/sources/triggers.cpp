// What the triggers of a store have in common.
#include "sources/triggers.hpp"

#include "store/catalog.hpp"

#include <algorithm>

extern "C" {
#include "storage/lmgr.h"
#include "commands/trigger.h"
#include "parser/parse_coerce.h"
#include "utils/datum.h"
}

namespace discovery {

TriggerData *row_call(FunctionCallInfo fcinfo, const char *function) {
    auto *trigger = reinterpret_cast<TriggerData *>(fcinfo->context);
    if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
        !TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
        !(TRIGGER_FIRED_BY_INSERT(trigger->tg_event) || TRIGGER_FIRED_BY_UPDATE(trigger->tg_event)))
        ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                errmsg("function \"%s\" must be called as a trigger before each row of INSERT or UPDATE", function));
    return trigger;
}

TriggerData *after_call(FunctionCallInfo fcinfo, const char *function, bool for_each_row) {
    auto *trigger = reinterpret_cast<TriggerData *>(fcinfo->context);
    if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) ||
        static_cast<bool>(TRIGGER_FIRED_FOR_ROW(trigger->tg_event)) != for_each_row)
        ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                errmsg("function \"%s\" must be called as a trigger after each %s", function,
                       for_each_row ? "row" : "statement"));
    return trigger;
}

AttrNumber column_number(Relation relation, const char *name, Oid type) {
    int number = SPI_fnumber(RelationGetDescr(relation), name);
    if (number <= 0)
        ereport(ERROR, errcode(ERRCODE_UNDEFINED_COLUMN),
                errmsg("table \"%s\" has no column \"%s\", which the store requires", RelationGetRelationName(relation),
                       name),
                errtable(relation));
    Oid actual = TupleDescAttr(RelationGetDescr(relation), number - 1)->atttypid;
    if (actual != type && !IsBinaryCoercible(actual, type))
        ereport(ERROR, errcode(ERRCODE_DATATYPE_MISMATCH),
                errmsg("column \"%s\" of table \"%s\" has type %s, but the store requires %s", name,
                       RelationGetRelationName(relation), format_type_be(actual), format_type_be(type)),
                errtablecol(relation, number));
    return static_cast<AttrNumber>(number);
}

Session act_as_owner_of(Relation table) {
    Oid owner = table->rd_rel->relowner;
    return act_as(owner, safe_search_path(RelationGetNamespace(table), owner), Deferred::allowed);
}

const char *hold_beside(Relation table, const char *name, const char *what) {
    Oid schema = RelationGetNamespace(table);
    hold_schema(schema, table->rd_rel->relowner);
    Oid other = get_relname_relid(name, schema);
    if (OidIsValid(other)) LockRelationOid(other, RowExclusiveLock);
    if (!OidIsValid(other) || get_relname_relid(name, schema) != other || why_no_plain_table(other) != nullptr ||
        owner_of(other) != table->rd_rel->relowner)
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("schema \"%s\" has no %s for table \"%s\"", get_namespace_name(schema), what,
                       RelationGetRelationName(table)),
                errdetail("It must have a table \"%s\" of the same owner.", name));
    return quote_qualified_identifier(get_namespace_name(schema), name);
}

bool is_same(const Value &a, const Value &b, Form_pg_attribute attribute) {
    if (a.is_null || b.is_null) return a.is_null && b.is_null;
    return datumIsEqual(a.datum, b.datum, attribute->attbyval, attribute->attlen);
}

void set_updated_at(RowChanges &changes, HeapTuple before, HeapTuple after, Relation relation, AttrNumber updated_at,
                    std::initializer_list<AttrNumber> kept_by_us) {
    TupleDesc descriptor = RelationGetDescr(relation);
    auto is_kept = [&](AttrNumber column) {
        Form_pg_attribute attribute = TupleDescAttr(descriptor, column - 1);
        Value old_value = value_of(before, column, relation), new_value = value_of(after, column, relation);
        if (is_same(old_value, new_value, attribute)) return true;
        return !old_value.is_null && !new_value.is_null &&
               datum_image_eq(old_value.datum, new_value.datum, attribute->attbyval, attribute->attlen);
    };
    if (!is_kept(updated_at)) return;
    for (int column = 1; column <= descriptor->natts; ++column) {
        Form_pg_attribute attribute = TupleDescAttr(descriptor, column - 1);
        // Generated columns are not computed yet. They depend only on the other columns.
        if (column == updated_at || attribute->attisdropped || attribute->attgenerated || is_kept(column)) continue;
        if (std::find(kept_by_us.begin(), kept_by_us.end(), column) != kept_by_us.end()) continue;
        changes.set(updated_at, utc_now());
        return;
    }
}

}  // namespace discovery
