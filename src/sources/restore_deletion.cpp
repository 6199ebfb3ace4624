// restore_deletion(): brings back what a deletion has deleted, from the trash and where it was soft-deleted.
#include "server/arguments.hpp"
#include "server/result.hpp"
#include "server/subtransaction.hpp"
#include "sources/owed_counts.hpp"
#include "sources/restore.hpp"
#include "sources/soft_delete.hpp"
#include "sources/trash.hpp"

extern "C" {
#include "access/table.h"
#include "executor/tuptable.h"
#include "mb/pg_wchar.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"
}

namespace discovery {
namespace {

struct Options {
    bool keeps_duplicates, renames, leaves_out;
};

// A row of the trash.
struct Trashed {
    const char *table;
    Datum id, notebook;
    const char *name;
    Datum names, values, content;
    bool has_content;
};

// How rows of a table with these columns are inserted.
struct Insertion {
    const char *table;
    Datum names;
    int count;            // of the columns in the trash
    AttrNumber *columns;  // their numbers in the table; invalid: left out
    AttrNumber content;   // the column of the long text, invalid if there is none
    Oid *types;           // of the parameters
    int parameters;
    SPIPlanPtr plan;
};

constexpr const char *notebooks_name = "notebooks", *sources_name = "sources", *outputs_name = "outputs";

bool is_table(const Trashed &row, const char *name) { return strcmp(row.table, name) == 0; }

// Locks the rows of the deletion in the trash and returns their number; they are in SPI_tuptable. Notebooks come
// first, then the sources, in the order of the unique index, as all writers of many rows insert them.
uint64 lock_trash(const Store &store, Datum deletion) {
    hold_table(store, "discovery_trash", RowExclusiveLock);
    Session session = act_as_owner(store, Deferred::allowed);
    uint64 rows =
        query(placed(psprintf("SELECT table_name, row_id, notebook_id, name, column_names, column_values, content"
                              " FROM @store@.discovery_trash WHERE deletion_id OPERATOR(pg_catalog.=) $1"
                              " ORDER BY %s FOR UPDATE",
                              trash_order),
                     store),
              {uuid_argument(deletion)}, false);
    leave(session);
    return rows;
}

// Errors: 42501 the caller does not see all rows of the tables, so none of the trash.
void refuse_hidden(const Store &store) {
    Oid table = table_with_hidden_rows(store.schema);
    if (!OidIsValid(table)) return;
    ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied for the trash"),
            errdetail("Row security of table \"%s\" applies to the role, and the trash has rows of everybody.",
                      get_rel_name(table)),
            errhint("The owner of the table, or a role with BYPASSRLS, can restore the deletion."));
}

Trashed read_row(SPITupleTable *found, uint64 row) {
    bool has_no_content;
    auto value = [&](int column, Oid type) {
        bool is_null;
        Datum datum = result_datum(found, row, column, type, &is_null);
        if (is_null)
            ereport(
                ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                errmsg("cannot restore a row of the trash that has no \"%s\"", SPI_fname(found->tupdesc, column + 1)));
        return datum;
    };
    Trashed read{TextDatumGetCString(value(0, TEXTOID)),
                 value(1, UUIDOID),
                 value(2, UUIDOID),
                 TextDatumGetCString(value(3, TEXTOID)),
                 value(4, TEXTARRAYOID),
                 value(5, TEXTARRAYOID),
                 result_datum(found, row, 6, TEXTOID, &has_no_content),
                 false};
    read.has_content = !has_no_content;
    return read;
}

// Whoever may insert nothing into the table learns nothing of the row.
// Errors: 42501.
void require_right_to_insert(Oid table, const char *name) {
    AclResult whole = pg_class_aclcheck(table, GetUserId(), ACL_INSERT);
    if (whole != ACLCHECK_OK && pg_attribute_aclcheck_all(table, GetUserId(), ACL_INSERT, ACLMASK_ANY) != ACLCHECK_OK)
        aclcheck_error(whole, OBJECT_TABLE, name);
}

// Errors: 42501 the caller may not insert; 42703 some of the columns are gone, unless they are to be left out.
Insertion make_insertion(const Store &store, const Trashed &row, const Options &options) {
    if (!is_table(row, notebooks_name) && !is_table(row, sources_name) && !is_table(row, outputs_name))
        ereport(ERROR, errcode(ERRCODE_UNDEFINED_TABLE),
                errmsg("cannot restore rows of table \"%s\", which is not a table of the store", row.table));
    Oid oid = hold_table(store, row.table, RowExclusiveLock);
    require_right_to_insert(oid, row.table);
    Relation table = table_open(oid, NoLock);
    TupleDesc descriptor = RelationGetDescr(table);
    Datum *names;
    ArrayType *array = DatumGetArrayTypePCopy(row.names);
    Insertion made{row.table, PointerGetDatum(array), 0, nullptr, text_column(table, row.table), nullptr, 0, nullptr};
    deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &names, nullptr, &made.count);
    made.columns = static_cast<AttrNumber *>(palloc(sizeof(AttrNumber) * static_cast<size_t>(made.count)));
    made.types = static_cast<Oid *>(palloc(sizeof(Oid) * static_cast<size_t>(made.count + 1)));
    StringInfoData columns, values, missing;
    initStringInfo(&columns);
    initStringInfo(&values);
    initStringInfo(&missing);
    auto add = [&](AttrNumber number) {
        Form_pg_attribute attribute = TupleDescAttr(descriptor, number - 1);
        made.types[made.parameters++] = attribute->atttypid;
        appendStringInfo(&columns, "%s%s", made.parameters > 1 ? ", " : "", quoted(NameStr(attribute->attname)));
        appendStringInfo(&values, "%s$%d", made.parameters > 1 ? ", " : "", made.parameters);
    };
    for (int number = 0; number < made.count; ++number) {
        const char *name = TextDatumGetCString(names[number]);
        int column = SPI_fnumber(descriptor, name);
        bool is_there = column > 0 && TupleDescAttr(descriptor, column - 1)->attgenerated == '\0';
        made.columns[number] = is_there ? static_cast<AttrNumber>(column) : AttrNumber{InvalidAttrNumber};
        if (is_there)
            add(made.columns[number]);
        else
            appendStringInfo(&missing, "%s\"%s\"", missing.len > 0 ? ", " : "", name);
    }
    if (missing.len > 0 && !options.leaves_out)
        ereport(
            ERROR, errcode(ERRCODE_UNDEFINED_COLUMN),
            errmsg("cannot restore \"%s\" because table \"%s\" no longer has all of its columns", row.name, row.table),
            errdetail("It has values of columns that are gone: %s.", missing.data),
            errhint("Add the columns again, or use on_missing_column => 'leave_out' to lose these values."),
            errtable(table));
    if (made.content != InvalidAttrNumber) add(made.content);
    const char *conflict = "";
    if (is_table(row, notebooks_name)) conflict = " ON CONFLICT (name) DO NOTHING";
    if (is_table(row, sources_name) && options.keeps_duplicates)
        conflict =
            " ON CONFLICT (notebook_id, content_hash) WHERE deleted_at IS NULL"
            " AND content_hash OPERATOR(pg_catalog.<>) '' DO NOTHING";
    // Without marks, which a column of the user's may have in its name.
    const char *sql = psprintf("INSERT INTO %s.%s (%s) OVERRIDING SYSTEM VALUE VALUES (%s)%s",
                               quoted_schema(store.schema), row.table, columns.data, values.data, conflict);
    made.plan = SPI_prepare(sql, made.parameters, made.types);
    if (made.plan == nullptr) elog(ERROR, "could not prepare \"%s\": %s", sql, SPI_result_code_string(SPI_result));
    table_close(table, NoLock);
    return made;
}

// The values of the row, as the parameters of its insertion. The name replaces the row's own.
ParamListInfo parameters_of(const Store &store, const Insertion &insertion, const Trashed &row, const char *name) {
    Relation table = table_open(get_relname_relid(row.table, store.schema), NoLock);
    TupleDesc descriptor = RelationGetDescr(table);
    ParamListInfo list = makeParamList(insertion.parameters);
    Datum *values;
    bool *nulls;
    int count, next = 0;
    deconstruct_array(DatumGetArrayTypeP(row.values), TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &count);
    if (count != insertion.count)
        ereport(ERROR, errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR), errmsg("cannot restore \"%s\"", row.name),
                errdetail("The trash has %d values for %d columns of the row.", count, insertion.count));
    Session session = enter();
    for (int number = 0; number < count; ++number) {
        AttrNumber column = insertion.columns[number];
        if (column == InvalidAttrNumber) continue;
        Form_pg_attribute attribute = TupleDescAttr(descriptor, column - 1);
        Oid input, parameter;
        getTypeInputInfo(attribute->atttypid, &input, &parameter);
        bool is_name = name != nullptr && strcmp(NameStr(attribute->attname), "name") == 0;
        char *value_text = is_name ? pstrdup(name) : nulls[number] ? nullptr : TextDatumGetCString(values[number]);
        Datum value{};
        if (value_text != nullptr) value = OidInputFunctionCall(input, value_text, parameter, attribute->atttypmod);
        list->params[next++] = {value, value_text == nullptr, PARAM_FLAG_CONST, attribute->atttypid};
    }
    leave(session);
    if (insertion.content != InvalidAttrNumber)
        list->params[next] = {row.content, !row.has_content, PARAM_FLAG_CONST, insertion.types[next]};
    table_close(table, NoLock);
    return list;
}

// Inserts the row. Returns false if another row is in its way, and the insertion allows for that.
// Errors: 23505 a live source with the same content.
bool insert(const Store &store, const Insertion &insertion, const Trashed &row, const char *name) {
    ParamListInfo parameters = parameters_of(store, insertion, row, name);
    const core::Uuid id = to_uuid(row.id);
    MemoryContext context = CurrentMemoryContext;
    int result = 0;
    PG_TRY();
    {
        bring_back(id, [&] { result = SPI_execute_plan_with_paramlist(insertion.plan, parameters, false, 0); });
    }
    PG_CATCH();
    {
        MemoryContextSwitchTo(context);
        ErrorData *error = CopyErrorData();
        if (!is_duplicate(*error)) PG_RE_THROW();
        FlushErrorState();
        raise_identical(row.name, error->detail ? error->detail : error->message);
    }
    PG_END_TRY();
    if (result < 0) elog(ERROR, "could not insert a row: %s", SPI_result_code_string(result));
    return SPI_processed > 0;
}

// The name with an addition that tells it from others, not longer than the column allows.
const char *other_name(const char *name, int attempt) {
    constexpr int longest = 255;
    const char *addition = attempt == 1 ? " (restored)" : psprintf(" (restored %d)", attempt);
    int room = longest - static_cast<int>(strlen(addition));
    int length = pg_mbcharcliplen(name, static_cast<int>(strlen(name)), room);
    return psprintf("%.*s%s", length, name, addition);
}

[[noreturn]] void raise_prevented(const Trashed &row) {
    ereport(ERROR, errcode(ERRCODE_TRIGGERED_ACTION_EXCEPTION), errmsg("cannot restore \"%s\"", row.name),
            errdetail("A trigger or rule on table \"%s\" prevents it.", row.table));
}

// Inserts the notebook. Returns false if another one has the name.
// Errors: 09000 a trigger prevents it.
bool insert_named(const Store &store, const Insertion &insertion, const Trashed &row, const char *other_name) {
    if (insert(store, insertion, row, other_name)) return true;
    Session session = act_as_owner(store, Deferred::allowed);
    bool is_taken = run_saved(placed("SELECT FROM @store@.notebooks WHERE name OPERATOR(pg_catalog.=) $1", store),
                              {text_argument(other_name ? other_name : row.name)}) > 0;
    leave(session);
    if (!is_taken) raise_prevented(row);
    return false;
}

const char *insert_notebook(const Store &store, const Insertion &insertion, const Trashed &row,
                            const Options &options) {
    if (insert_named(store, insertion, row, nullptr)) return "restored";
    if (!options.renames)
        ereport(ERROR, errcode(ERRCODE_UNIQUE_VIOLATION),
                errmsg("cannot restore notebook \"%s\" because another notebook has its name", row.name),
                errhint("Rename that notebook, or use on_name_taken => 'rename'."));
    for (int attempt = 1;; ++attempt) {
        CHECK_FOR_INTERRUPTS();
        if (insert_named(store, insertion, row, other_name(row.name, attempt))) return "renamed";
    }
}

// Errors: 23503 the notebook of the row is gone.
void require_notebook(const Store &store, const Trashed &row) {
    hold_table(store, "notebooks", AccessShareLock);
    Session session = act_as_owner(store, Deferred::allowed);
    const Argument id = uuid_argument(row.notebook);
    bool is_there =
        run_saved(placed("SELECT FROM @store@.notebooks WHERE id OPERATOR(pg_catalog.=) $1", store), {id}) > 0;
    const char *deletion = nullptr;
    if (!is_there && run_saved(placed("SELECT deletion_id FROM @store@.discovery_trash"
                                      " WHERE row_id OPERATOR(pg_catalog.=) $1"
                                      " AND notebook_id OPERATOR(pg_catalog.=) $1"
                                      " ORDER BY deletion_id DESC LIMIT 1",
                                      store),
                               {id}) > 0)
        deletion = result_text(0, 0);
    leave(session);
    if (is_there) return;
    ereport(ERROR, errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
            errmsg("cannot restore \"%s\" because its notebook does not exist", row.name),
            deletion ? errdetail("The notebook is in the trash.") : 0,
            deletion ? errhint("Restore deletion %s first.", deletion) : 0);
}

// The updated_at that a notebook had. What comes back into it counts as a change of it.
struct Changed {
    Datum notebook;
    Argument updated_at;
};

// The ids of rows of a table that came back.
struct Restored {
    const char *table;
    Datum *ids;
    int count;
};

// Removes what came back from the trash. A trigger of the user's may have moved more there meanwhile, as part of the
// same deletion.
void leave_trash(const Store &store, Datum deletion, const Restored &restored) {
    if (restored.count == 0) return;
    Session session = act_as_owner(store, Deferred::allowed);
    ArrayType *ids = construct_array(restored.ids, restored.count, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR);
    query(placed("DELETE FROM @store@.discovery_trash WHERE deletion_id OPERATOR(pg_catalog.=) $1"
                 " AND table_name OPERATOR(pg_catalog.=) $2 AND row_id OPERATOR(pg_catalog.=) ANY ($3)",
                 store),
          {uuid_argument(deletion), text_argument(restored.table), {UUIDARRAYOID, PointerGetDatum(ids)}}, false);
    leave(session);
}

// Gives the notebooks that came back their updated_at.
void put_back_times(const Store &store, const Changed *changed, int count) {
    if (count == 0) return;
    write_owed_counts();
    Session session = act_as_owner(store, Deferred::allowed);
    for (int number = 0; number < count; ++number)
        run_saved(placed("UPDATE @store@.notebooks SET updated_at = $2::pg_catalog.timestamp"
                         " WHERE id OPERATOR(pg_catalog.=) $1"
                         " AND (updated_at OPERATOR(pg_catalog.<>) $2::pg_catalog.timestamp) IS NOT FALSE",
                         store),
                  {uuid_argument(changed[number].notebook), changed[number].updated_at});
    leave(session);
}

// The value of updated_at, as text.
Argument updated_at_of(const Trashed &row) {
    Datum *names, *values;
    bool *nulls;
    int count;
    deconstruct_array(DatumGetArrayTypeP(row.names), TEXTOID, -1, false, TYPALIGN_INT, &names, nullptr, &count);
    deconstruct_array(DatumGetArrayTypeP(row.values), TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &count);
    for (int number = 0; number < count; ++number)
        if (strcmp(TextDatumGetCString(names[number]), "updated_at") == 0)
            return {TEXTOID, values[number], nulls[number]};
    return {TEXTOID, Datum{}, true};
}

void put(FunctionCallInfo fcinfo, const Trashed &row, const char *outcome) {
    Datum values[] = {to_text(row.table), row.id, to_text(outcome)};
    bool nulls[3] = {};
    put_row(fcinfo, values, nulls);
}

void restore_trash(FunctionCallInfo fcinfo, const Store &store, Datum deletion, const Options &options) {
    uint64 rows = lock_trash(store, deletion);
    if (rows == 0) return;
    refuse_hidden(store);
    SPITupleTable *found = SPI_tuptable;
    auto *ids = static_cast<Datum *>(palloc_extended(sizeof(Datum) * rows, MCXT_ALLOC_HUGE));
    auto *changed = static_cast<Changed *>(palloc_extended(sizeof(Changed) * rows, MCXT_ALLOC_HUGE));
    int changed_count = 0;
    Restored restored{nullptr, ids, 0};
    Insertion insertion{};
    Datum notebook{};
    MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "discovery row", ALLOCSET_DEFAULT_SIZES);
    for (uint64 number = 0; number < rows; ++number) {
        CHECK_FOR_INTERRUPTS();
        const Trashed row = read_row(found, number);
        if (restored.table == nullptr || !is_table(row, restored.table)) {
            leave_trash(store, deletion, restored);
            restored = {row.table, ids + number, 0};
        }
        MemoryContext outer = MemoryContextSwitchTo(memory);
        if (insertion.plan == nullptr || !is_table(row, insertion.table) ||
            !datumIsEqual(insertion.names, PointerGetDatum(DatumGetArrayTypeP(row.names)), false, -1)) {
            MemoryContextSwitchTo(outer);
            insertion = make_insertion(store, row, options);
            MemoryContextSwitchTo(memory);
        }
        const char *outcome = "restored";
        if (is_table(row, notebooks_name)) {
            outcome = insert_notebook(store, insertion, row, options);
        } else {
            if (notebook == Datum{} || !DatumGetBool(DirectFunctionCall2(uuid_eq, notebook, row.notebook)))
                require_notebook(store, row);
            if (!insert(store, insertion, row, nullptr)) {
                if (!is_table(row, sources_name) || !options.keeps_duplicates) raise_prevented(row);
                outcome = "kept_deleted";
            }
        }
        MemoryContextSwitchTo(outer);
        MemoryContextReset(memory);
        notebook = row.notebook;
        if (is_table(row, notebooks_name)) changed[changed_count++] = {row.id, updated_at_of(row)};
        if (strcmp(outcome, "kept_deleted") != 0) restored.ids[restored.count++] = row.id;
        put(fcinfo, row, outcome);
    }
    leave_trash(store, deletion, restored);
    put_back_times(store, changed, changed_count);
}

// Restores the sources that the deletion has soft-deleted. If there are none, the caller needs no rights on sources.
void restore_soft_deleted(FunctionCallInfo fcinfo, const Store &store, Datum deletion, const Options &options) {
    // Others may have purged it while we waited.
    require_deletion(store, deletion);
    hold_table(store, "sources", AccessShareLock);
    Session session = enter_as(store.owner);
    bool is_any =
        query(placed("SELECT FROM @store@.sources WHERE deletion_id = $1 AND deleted_at IS NOT NULL LIMIT 1", store),
              {uuid_argument(deletion)}, false) > 0;
    leave(session);
    if (!is_any) return;
    TupleDesc columns = CreateTemplateTupleDesc(2);
    TupleDescInitEntry(columns, 1, "id", UUIDOID, -1, 0);
    TupleDescInitEntry(columns, 2, "outcome", TEXTOID, -1, 0);
    const Rows outcomes{tuplestore_begin_heap(false, false, work_mem), columns};
    restore_sources(outcomes, store, deletion, options.keeps_duplicates);
    TupleTableSlot *slot = MakeSingleTupleTableSlot(columns, &TTSOpsMinimalTuple);
    while (tuplestore_gettupleslot(outcomes.store, true, false, slot)) {
        CHECK_FOR_INTERRUPTS();
        slot_getallattrs(slot);
        Datum values[] = {to_text(sources_name), slot->tts_values[0], slot->tts_values[1]};
        bool nulls[3] = {};
        put_row(fcinfo, values, nulls);
    }
    ExecDropSingleTupleTableSlot(slot);
    tuplestore_end(outcomes.store);
}

// Sources that the deletion has soft-deleted and another one has moved to the trash since, as far as the caller may
// see them there
void report_in_trash(const Store &store, Datum deletion, const Rows &result) {
    Oid trash = hold_table(store, "discovery_trash", AccessShareLock);
    if (pg_class_aclcheck(trash, GetUserId(), ACL_SELECT) != ACLCHECK_OK) return;
    query(placed("SELECT table_name, row_id, 'in_trash'::pg_catalog.text FROM @store@.discovery_trash"
                 " WHERE source_deletion_id OPERATOR(pg_catalog.=) $1 ORDER BY row_id",
                 store),
          {uuid_argument(deletion)}, false, result);
}

}  // namespace
}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_restore_deletion) {
    PreventCommandIfReadOnly("restore_deletion()");
    require_argument(fcinfo, 0, "deletion_id");
    const Options options{is_second_word(fcinfo, 1, "on_duplicate", "error", "keep_deleted"),
                          is_second_word(fcinfo, 2, "on_name_taken", "error", "rename"),
                          is_second_word(fcinfo, 3, "on_missing_column", "error", "leave_out")};
    const Rows result = begin_result(fcinfo);
    Store store = current_store();
    return with_rights(store, [&] {
        Datum deletion = PG_GETARG_DATUM(0);
        require_deletion(store, deletion);
        SPI_connect();
        restore_trash(fcinfo, store, deletion, options);
        restore_soft_deleted(fcinfo, store, deletion, options);
        report_in_trash(store, deletion, result);
        SPI_finish();
        return Datum{};
    });
}
