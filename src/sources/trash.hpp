// The trash: rows that were deleted and can be restored.
#pragma once

#include "sources/deletions.hpp"
#include "sources/triggers.hpp"

namespace discovery {

/// Copies a row that is being deleted into the trash beside its table, as the owner of the table. All columns come
/// along but generated ones, which are computed again. `name` is that of the table in the store; where Citus keeps the
/// rows, the table has another. Returns the deletion that it is part of: another one than `deletion` if that has moved
/// a row with this id before.
/// Errors: 55000 the schema has no trash of the same owner; 42703 and 42804 the table is none of a store; 09000 a
/// trigger or rule keeps the row out of the trash.
const Deletion *move_to_trash(Relation table, const char *name, HeapTuple row, const Deletion *deletion);

/// The order in which rows of the trash are locked.
inline constexpr const char *trash_order =
    "deletion_id, table_name OPERATOR(pg_catalog.<>) 'notebooks'::pg_catalog.text, table_name DESC, notebook_id,"
    " content_hash COLLATE pg_catalog.\"C\", row_id";

/// The column of the long text of a row, which the trash keeps apart; invalid for notebooks.
AttrNumber text_column(Relation table, const char *name);

/// The table of the schema that has rows which row security keeps from the current role, or InvalidOid. Such a role
/// sees nothing of the trash, which has rows of all tables.
Oid table_with_hidden_rows(Oid schema);

/// Whether the row with this id is being inserted from the trash: then it stays as it was.
bool is_coming_back(const Value &id);
bool is_coming_back(HeapTuple row, Relation table);

/// The same in a session of Citus, which knows nothing of the session that restores: whether the trash beside the table
/// has this source, with the same text, hash and deletion.
bool comes_back_by_citus(Relation sources, HeapTuple row);

/// The row of which bring_back() is called, or null.
extern const core::Uuid *row_coming_back;

/// Calls `insert`, which inserts the row with this id from the trash.
template <class Insert>
void bring_back(const core::Uuid &id, Insert insert) {
    const core::Uuid *outer = row_coming_back;
    row_coming_back = &id;
    PG_TRY();
    { insert(); }
    PG_FINALLY();
    { row_coming_back = outer; }
    PG_END_TRY();
}

}  // namespace discovery
