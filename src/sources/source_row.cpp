// The row trigger on sources, before INSERT and UPDATE. It sets content_hash if the client gave
// none, updated_at if the update did not change it, and deletion_id while the source is
// soft-deleted.
#include "sources/hash.hpp"
#include "sources/own_write.hpp"
#include "sources/trash.hpp"

extern "C" {
#include "access/detoast.h"
#include "commands/trigger.h"
#include "utils/acl.h"
#include "utils/datum.h"
}

#include "core/source.hpp"

namespace discovery {
namespace {

struct Columns {
    AttrNumber id, source_type, extracted_text, content_hash, updated_at, deleted_at, deletion_id;
};

Columns columns_of(Relation relation) {
    return {column_number(relation, "id", UUIDOID),
            column_number(relation, "source_type", TEXTOID),
            column_number(relation, "extracted_text", TEXTOID),
            column_number(relation, "content_hash", TEXTOID),
            column_number(relation, "updated_at", TIMESTAMPOID),
            column_number(relation, "deleted_at", TIMESTAMPOID),
            column_number(relation, "deletion_id", UUIDOID)};
}

// A row of the table, indexed by column number.
struct Row {
    HeapTuple tuple;
    Relation relation;

    Value operator[](AttrNumber column) const { return value_of(tuple, column, relation); }
};

std::string_view view_of(const Value &value) {
    struct varlena *packed = PG_DETOAST_DATUM_PACKED(value.datum);
    return {VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed)};
}

bool is_blank(const Value &value) { return value.is_null || toast_raw_datum_size(value.datum) == VARHDRSZ; }

// The hash that the store can compute itself: that of the text, unless the source is a file. For a
// file, the store has the extracted text but not the bytes, so the result is empty.
Datum hash_of_text(const Row &row, const Columns &columns) {
    Value type = row[columns.source_type], text = row[columns.extracted_text];
    bool has_content = !type.is_null && view_of(type) != "file" && !is_blank(text);
    return has_content ? PointerGetDatum(sha256_hex_of_text(text.datum)) : to_text("");
}

bool is_new_text(const Row &before, const Row &after, const Columns &columns) {
    Value old_text = before[columns.extracted_text], new_text = after[columns.extracted_text];
    if (old_text.is_null || new_text.is_null) return old_text.is_null != new_text.is_null;
    // Equal texts can be stored differently, for example if a client writes the whole row.
    Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(after.relation), columns.extracted_text - 1);
    return !is_same(old_text, new_text, attribute) &&
           !datum_image_eq(old_text.datum, new_text.datum, attribute->attbyval, attribute->attlen);
}

// Whether add_source() restores the row. It keeps its hash, that of the content which add_source() was called with,
// whatever the text.
bool is_added_again(FunctionCallInfo fcinfo, const Row &before, const Row &after, const Columns &columns) {
    return !before[columns.deleted_at].is_null && after[columns.deleted_at].is_null &&
           writes_restored(fcinfo, before[columns.id]);
}

void set_hash(FunctionCallInfo fcinfo, RowChanges &changes, const Row *before, const Row &after,
              const Columns &columns) {
    Value hash = after[columns.content_hash];
    if (is_blank(hash)) {
        // A row that 1.0 stored without a hash keeps none while its hash and text do not change.
        // Otherwise renaming it could fail because of a duplicate.
        if (before != nullptr && is_blank((*before)[columns.content_hash]) && !is_new_text(*before, after, columns)) {
            if (hash.is_null) changes.set(columns.content_hash, to_text(""));
            return;
        }
        Datum found = hash_of_text(after, columns);
        if (hash.is_null || !is_blank({found, false})) changes.set(columns.content_hash, found);
        return;
    }
    std::string_view given = view_of(hash);
    if (before != nullptr && !is_added_again(fcinfo, *before, after, columns)) {
        Value old_hash = (*before)[columns.content_hash];
        if (!is_blank(old_hash) && view_of(old_hash) == given && is_new_text(*before, after, columns) &&
            view_of({hash_of_text(*before, columns), false}) == given) {
            // The old hash was that of the old text, so set the hash of the new text.
            changes.set(columns.content_hash, hash_of_text(after, columns));
            return;
        }
    }
    if (core::is_sha256(given)) {
        auto *folded = in_core([&] { return core::fold_hash(given); });
        if (*folded != given) changes.set(columns.content_hash, to_text(*folded));
    }
}

// A client cannot choose deletion_id. The owner can, in INSERT, so that a dump restores the
// deletion_id of soft-deleted rows.
void set_deletion(FunctionCallInfo fcinfo, RowChanges &changes, const Row *before, const Row &after,
                  const Columns &columns) {
    Value given = after[columns.deletion_id];
    bool is_live = after[columns.deleted_at].is_null;
    if (is_live) {
        if (!given.is_null) changes.set(columns.deletion_id, Datum{}, true);
    } else if (before != nullptr && (*before)[columns.deleted_at].is_null) {
        changes.set(columns.deletion_id, to_datum(deletion_written(fcinfo, (*before)[columns.id])->id));
    } else if (before == nullptr) {
        if (!given.is_null && !has_privs_of_role(GetUserId(), after.relation->rd_rel->relowner))
            changes.set(columns.deletion_id, Datum{}, true);
    } else {
        Value old = (*before)[columns.deletion_id];
        Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(after.relation), columns.deletion_id - 1);
        if (!is_same(old, given, attribute)) changes.set(columns.deletion_id, old.datum, old.is_null);
    }
}

}  // namespace
}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_source_row) {
    TriggerData *trigger = row_call(fcinfo, "discovery_source_row");
    Relation relation = trigger->tg_relation;
    const Columns &columns = once_a_statement(fcinfo, [&] { return columns_of(relation); });
    RowChanges changes;
    if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event)) {
        Row after{trigger->tg_trigtuple, relation};
        if (is_coming_back(after[columns.id])) return PointerGetDatum(after.tuple);
        if ((is_blank(after[columns.content_hash]) || !after[columns.deletion_id].is_null) &&
            comes_back_by_citus(relation, after.tuple))
            return PointerGetDatum(after.tuple);
        set_hash(fcinfo, changes, nullptr, after, columns);
        set_deletion(fcinfo, changes, nullptr, after, columns);
        return PointerGetDatum(changes.apply(after.tuple, relation));
    }
    Row before{trigger->tg_trigtuple, relation}, after{trigger->tg_newtuple, relation};
    set_hash(fcinfo, changes, &before, after, columns);
    set_deletion(fcinfo, changes, &before, after, columns);
    set_updated_at(changes, before.tuple, after.tuple, relation, columns.updated_at, {columns.deletion_id});
    return PointerGetDatum(changes.apply(after.tuple, relation));
}
