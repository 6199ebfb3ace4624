// Moves rows to the trash.
#include "sources/trash.hpp"

#include "server/queries.hpp"
#include "store/citus.hpp"

extern "C" {
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
}

namespace discovery {
namespace {

Argument column_argument(HeapTuple row, AttrNumber column, Relation table, Oid type) {
    if (column == InvalidAttrNumber) return {type, Datum{}, true};
    Value value = value_of(row, column, table);
    return {type, value.datum, value.is_null};
}

Argument text_array(Datum *values, bool *nulls, int count) {
    int lower = 1;
    return {TEXTARRAYOID,
            PointerGetDatum(construct_md_array(values, nulls, 1, &count, &lower, TEXTOID, -1, false, TYPALIGN_INT))};
}

}  // namespace

const core::Uuid *row_coming_back = nullptr;

Oid table_with_hidden_rows(Oid schema) {
    for (const char *name : {"notebooks", "sources", "outputs"}) {
        Oid table = get_relname_relid(name, schema);
        if (OidIsValid(table) && check_enable_rls(table, InvalidOid, true) == RLS_ENABLED) return table;
    }
    return InvalidOid;
}

AttrNumber text_column(Relation table, const char *name) {
    const char *column = strcmp(name, "sources") == 0   ? "extracted_text"
                         : strcmp(name, "outputs") == 0 ? "content"
                                                        : nullptr;
    return column != nullptr ? column_number(table, column, TEXTOID) : AttrNumber{InvalidAttrNumber};
}

bool is_coming_back(const Value &id) {
    return row_coming_back != nullptr && !id.is_null && to_uuid(id.datum) == *row_coming_back;
}

bool is_coming_back(HeapTuple row, Relation table) {
    return row_coming_back != nullptr && is_coming_back(value_of(row, column_number(table, "id", UUIDOID), table));
}

bool comes_back_by_citus(Relation sources, HeapTuple row) {
    if (!is_session_of_citus()) return false;
    auto of_row = [&](const char *name, Oid type) {
        return column_argument(row, column_number(sources, name, type), sources, type);
    };
    const char *trash = hold_beside(sources, "discovery_trash", "trash");
    SPI_connect();
    Session session = act_as_owner_of(sources);
    bool is_there = query(psprintf("SELECT FROM %s WHERE row_id OPERATOR(pg_catalog.=) $1"
                                   " AND notebook_id OPERATOR(pg_catalog.=) $2"
                                   " AND table_name OPERATOR(pg_catalog.=) 'sources'"
                                   " AND content_hash OPERATOR(pg_catalog.=) $3"
                                   " AND source_deletion_id IS NOT DISTINCT FROM $4"
                                   " AND content IS NOT DISTINCT FROM $5 LIMIT 1",
                                   trash),
                          {of_row("id", UUIDOID), of_row("notebook_id", UUIDOID), of_row("content_hash", TEXTOID),
                           of_row("deletion_id", UUIDOID), of_row("extracted_text", TEXTOID)}) > 0;
    leave(session);
    SPI_finish();
    return is_there;
}

const Deletion *move_to_trash(Relation table, const char *name, HeapTuple row, const Deletion *deletion) {
    const char *trash = hold_beside(table, "discovery_trash", "trash");
    TupleDesc descriptor = RelationGetDescr(table);
    // A column of one's own can have a name that another table of the store has.
    const bool is_notebook = strcmp(name, "notebooks") == 0, is_source = strcmp(name, "sources") == 0;
    auto of_source = [&](const char *column, Oid type) {
        return is_source ? column_number(table, column, type) : AttrNumber{InvalidAttrNumber};
    };
    AttrNumber id = column_number(table, "id", UUIDOID),
               notebook = is_notebook ? id : column_number(table, "notebook_id", UUIDOID),
               title = column_number(table, is_notebook || is_source ? "name" : "title", TEXTOID),
               text = text_column(table, name), hash = of_source("content_hash", TEXTOID),
               path = of_source("file_path", TEXTOID), deleted_by = of_source("deletion_id", UUIDOID),
               held = of_source("hold_reason", TEXTOID);
    const size_t most = sizeof(Datum) * static_cast<size_t>(descriptor->natts);
    auto *names = static_cast<Datum *>(palloc(most)), *values = static_cast<Datum *>(palloc(most));
    auto *nulls = static_cast<bool *>(palloc0(sizeof(bool) * static_cast<size_t>(descriptor->natts)));
    int count = 0;
    // As pg_dump writes values, so that they are read again whatever the settings are.
    Session session = enter();
    for (int number = 1; number <= descriptor->natts; ++number) {
        Form_pg_attribute attribute = TupleDescAttr(descriptor, number - 1);
        if (attribute->attisdropped || attribute->attgenerated != '\0' || number == text) continue;
        Value value = value_of(row, static_cast<AttrNumber>(number), table);
        names[count] = to_text(NameStr(attribute->attname));
        if (value.is_null) {
            nulls[count++] = true;
            continue;
        }
        Oid output;
        bool is_varlena;
        getTypeOutputInfo(attribute->atttypid, &output, &is_varlena);
        values[count++] = to_text(OidOutputFunctionCall(output, value.datum));
    }
    leave(session);

    SPI_connect();
    session = act_as_owner_of(table);
    const char *insertion = psprintf(
        "INSERT INTO %s (deletion_id, table_name, row_id, notebook_id, name, created_by, content_hash, file_path,"
        " source_deletion_id, hold_reason, column_names, column_values, content)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING",
        trash);
    auto insert = [&] {
        return run_saved(
            insertion,
            {uuid_argument(to_datum(deletion->id)), text_argument(name), column_argument(row, id, table, UUIDOID),
             column_argument(row, notebook, table, UUIDOID), column_argument(row, title, table, TEXTOID),
             column_argument(row, column_number(table, "created_by", TEXTOID), table, TEXTOID),
             column_argument(row, hash, table, TEXTOID), column_argument(row, path, table, TEXTOID),
             column_argument(row, deleted_by, table, UUIDOID), column_argument(row, held, table, TEXTOID),
             text_array(names, nullptr, count), text_array(values, nulls, count),
             // As it is stored: what is compressed stays so.
             column_argument(row, text, table, TEXTOID)});
    };
    // A row that has got the id of one that this deletion has moved before
    if (insert() == 0) {
        deletion = another_deletion(deletion);
        if (insert() == 0)
            ereport(ERROR, errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION),
                    errmsg("cannot move a row of table \"%s\" to the trash", name),
                    errdetail("A trigger or rule on table \"discovery_trash\" prevents it."));
    }
    leave(session);
    SPI_finish();
    return deletion;
}

}  // namespace discovery
