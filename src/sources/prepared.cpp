// discovery_prepared(): the trigger function of a store that is prepared for an upgrade. Its argument names the
// trigger function of the version after the step, which the extension may not have yet, or one of the
// preparation's own: discovery_twin and discovery_spoilt.
#include "server/queries.hpp"
#include "sources/triggers.hpp"
#include "store/preparation.hpp"

extern "C" {
#include "access/genam.h"
#include "access/table.h"
#include "catalog/pg_am.h"
#include "commands/trigger.h"
#include "storage/lmgr.h"
#include "storage/predicate.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"

Datum discovery_notebook_row(PG_FUNCTION_ARGS);
Datum discovery_notebook_change(PG_FUNCTION_ARGS);
Datum discovery_source_row(PG_FUNCTION_ARGS);
Datum discovery_source_change(PG_FUNCTION_ARGS);
Datum discovery_source_statement(PG_FUNCTION_ARGS);
Datum discovery_lost_file(PG_FUNCTION_ARGS);
Datum discovery_output_count(PG_FUNCTION_ARGS);
Datum discovery_output_row(PG_FUNCTION_ARGS);
Datum discovery_output_change(PG_FUNCTION_ARGS);
Datum discovery_output_statement(PG_FUNCTION_ARGS);
}

#include "core/source.hpp"

namespace discovery {
namespace {

constexpr const char *unique_index = "ix_sources_notebook_hash";

// What the search for a twin needs.
struct Search {
    AttrNumber id, notebook_id, content_hash, deleted_at;
    Oid index;  // on notebook_id and content_hash
};

// The source that is checked.
struct Added {
    Value id, notebook, hash;
    bool is_live;
};

// The index with which sources are found by notebook and hash.
// Errors: 55000 there is none.
Oid find_index(Relation sources, AttrNumber notebook_id, AttrNumber content_hash) {
    ListCell *cell;
    foreach (cell, RelationGetIndexList(sources)) {
        Relation index = index_open(lfirst_oid(cell), AccessShareLock);
        Form_pg_index form = index->rd_index;
        bool is_it = index->rd_rel->relam == BTREE_AM_OID && form->indisvalid && form->indnkeyatts >= 2 &&
                     form->indkey.values[0] == notebook_id && form->indkey.values[1] == content_hash &&
                     RelationGetIndexPredicate(index) == NIL;
        index_close(index, AccessShareLock);
        if (is_it) return lfirst_oid(cell);
    }
    ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
            errmsg("table \"%s\" has no index on (notebook_id, content_hash)", RelationGetRelationName(sources)),
            errdetail("The preparation of the upgrade finds duplicates by this index."),
            errhint("Use discovery_check() to list what was changed by hand and the statements that repair it."),
            errtable(sources));
}

Search search_in(Relation sources) {
    AttrNumber notebook_id = column_number(sources, "notebook_id", UUIDOID);
    AttrNumber content_hash = column_number(sources, "content_hash", TEXTOID);
    return {column_number(sources, "id", UUIDOID), notebook_id, content_hash,
            column_number(sources, "deleted_at", TIMESTAMPOID), find_index(sources, notebook_id, content_hash)};
}

// Waits until the transaction that has written a row, or is deleting it, ends.
void wait_for_writer(Relation sources, const SnapshotData &dirty, ItemPointer row) {
    TransactionId other = TransactionIdIsValid(dirty.xmin) ? dirty.xmin : dirty.xmax;
    if (dirty.speculativeToken != 0)
        SpeculativeInsertionWait(dirty.xmin, dirty.speculativeToken);
    else
        XactLockTableWait(other, sources, row, XLTW_RecheckExclusionConstr);
}

Added added_by(HeapTuple row, Relation sources, const Search &search) {
    return {value_of(row, search.id, sources), value_of(row, search.notebook_id, sources),
            value_of(row, search.content_hash, sources), value_of(row, search.deleted_at, sources).is_null};
}

bool is_same_uuid(const Value &a, const Value &b) {
    return !a.is_null && !b.is_null && memcmp(DatumGetUUIDP(a.datum), DatumGetUUIDP(b.datum), UUID_LEN) == 0;
}

// The source as it is now: a trigger of a user may have changed or removed it since it was added.
Added current_version(Relation sources, const Search &search, Added added) {
#if PG_VERSION_NUM >= 180000
    Oid key = RelationGetPrimaryKeyIndex(sources, false);
#else
    Oid key = RelationGetPrimaryKeyIndex(sources);
#endif
    if (!OidIsValid(key) || added.id.is_null) return added;
    ScanKeyData by_id;
    ScanKeyInit(&by_id, search.id, BTEqualStrategyNumber, F_UUID_EQ, added.id.datum);
    SysScanDesc scan = systable_beginscan(sources, key, true, SnapshotSelf, 1, &by_id);
    HeapTuple now = systable_getnext(scan);
    added.is_live = added.is_live && HeapTupleIsValid(now);
    if (HeapTupleIsValid(now)) added = added_by(heap_copytuple(now), sources, search);
    systable_endscan(scan);
    return added;
}

// Looks for another live source of the same content, as the unique index of the next version will. Returns
// false if it had to wait: the search begins again.
// Errors: 23505, as of that index.
bool refuse_twin(Relation sources, const Search &search, const Added &added) {
    if (!added.is_live || added.notebook.is_null || added.hash.is_null) return true;
    Datum notebook = added.notebook.datum, hash = added.hash.datum;
    if (view_of(DatumGetTextPP(hash)).empty()) return true;
    Oid collation = TupleDescAttr(RelationGetDescr(sources), search.content_hash - 1)->attcollation;
    ScanKeyData keys[2];
    ScanKeyInit(&keys[0], search.notebook_id, BTEqualStrategyNumber, F_UUID_EQ, notebook);
    ScanKeyEntryInitialize(&keys[1], 0, search.content_hash, BTEqualStrategyNumber, InvalidOid, collation, F_TEXTEQ,
                           hash);
    // Sees what others have not committed, and by whom.
    SnapshotData dirty;
    InitDirtySnapshot(dirty);
    SysScanDesc scan = systable_beginscan(sources, search.index, true, &dirty, 2, keys);
    bool is_twin = false, must_wait = false;
    ItemPointerData row{};
    while (HeapTuple tuple = systable_getnext(scan)) {
        CHECK_FOR_INTERRUPTS();
        // Another version of the same source is no twin.
        Added found = added_by(tuple, sources, search);
        if (!found.is_live || is_same_uuid(found.id, added.id)) continue;
        is_twin = true;
        must_wait = TransactionIdIsValid(dirty.xmin) || TransactionIdIsValid(dirty.xmax);
        row = tuple->t_self;
        break;
    }
    systable_endscan(scan);
    if (!is_twin) return true;
    if (must_wait) {
        wait_for_writer(sources, dirty, &row);
        return false;
    }
    const char *key = uuid_text(notebook);
    ereport(ERROR, errcode(ERRCODE_UNIQUE_VIOLATION),
            errmsg("duplicate key value violates unique constraint \"%s\"", unique_index),
            errdetail("Key (notebook_id, content_hash)=(%s, %s) already exists.", key, TextDatumGetCString(hash)),
            errtableconstraint(sources, unique_index));
}

// Whether the update has only written a live source's hash in lower case, as the row trigger does with each row
// that it sees. It may have had a twin before; that is for the preparation to put right.
bool is_folded(const Added &before, const Added &after) {
    if (!before.is_live || before.hash.is_null || after.hash.is_null || !is_same_uuid(before.notebook, after.notebook))
        return false;
    std::string_view was = view_of(DatumGetTextPP(before.hash.datum)), is = view_of(DatumGetTextPP(after.hash.datum));
    return core::is_sha256(was) && *in_core([&] { return core::fold_hash(was); }) == is;
}

void check_twin(FunctionCallInfo fcinfo) {
    TriggerData *trigger = after_call(fcinfo, "discovery_prepared", true);
    Relation sources = trigger->tg_relation;
    if (TRIGGER_FIRED_BY_DELETE(trigger->tg_event)) return;
    const Search &search = once_a_statement(fcinfo, [&] { return search_in(sources); });
    Added added = added_by(trigger->tg_trigtuple, sources, search);
    if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event)) {
        const Added before = added;
        added = added_by(trigger->tg_newtuple, sources, search);
        if (is_folded(before, added)) return;
    }
    added = current_version(sources, search, added);
    while (!refuse_twin(sources, search, added)) CHECK_FOR_INTERRUPTS();
}

// A row was written where the other triggers do not fire (session_replication_role = replica, a subscription):
// nothing is proven any more.
void spoil(FunctionCallInfo fcinfo) {
    auto *trigger = reinterpret_cast<TriggerData *>(fcinfo->context);
    if (!TRIGGER_FIRED_AFTER(trigger->tg_event))
        ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                errmsg("function \"%s\" must be called as a trigger after each %s", "discovery_prepared", "row"));
    SPI_connect();
    Session session = act_as_owner_of(trigger->tg_relation);
    const char *sql = psprintf("DELETE FROM %s WHERE step OPERATOR(pg_catalog.!~~) '%% made'",
                               hold_beside(trigger->tg_relation, preparation_table, "preparation"));
    SPIPlanPtr plan = SPI_prepare(sql, 0, nullptr);
    // The snapshot of the transaction may be older than the preparation.
    int result = plan == nullptr ? SPI_result
                                 : SPI_execute_snapshot(plan, nullptr, nullptr, GetLatestSnapshot(), InvalidSnapshot,
                                                        false, false, 0);
    if (result < 0) elog(ERROR, "could not run \"%s\": %s", sql, SPI_result_code_string(result));
    leave(session);
    SPI_finish();
}

constexpr struct {
    const char *name;
    PGFunction function;
} functions[] = {
    {"discovery_notebook_row", discovery_notebook_row},
    {"discovery_notebook_change", discovery_notebook_change},
    {"discovery_source_row", discovery_source_row},
    {"discovery_source_change", discovery_source_change},
    {"discovery_source_statement", discovery_source_statement},
    {"discovery_lost_file", discovery_lost_file},
    {"discovery_output_count", discovery_output_count},
    {"discovery_output_row", discovery_output_row},
    {"discovery_output_change", discovery_output_change},
    {"discovery_output_statement", discovery_output_statement},
};

}  // namespace
}  // namespace discovery

using namespace discovery;

DISCOVERY_FUNCTION(discovery_prepared) {
    if (!CALLED_AS_TRIGGER(fcinfo))
        ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                errmsg("function \"%s\" must be called as a trigger", "discovery_prepared"));
    auto *trigger = reinterpret_cast<TriggerData *>(fcinfo->context);
    const char *name = trigger->tg_trigger->tgnargs == 1 ? trigger->tg_trigger->tgargs[0] : "";
    // The statements of the preparation know what they do.
    if (is_in_batch()) {
        bool is_before_row = TRIGGER_FIRED_BEFORE(trigger->tg_event) && TRIGGER_FIRED_FOR_ROW(trigger->tg_event);
        if (!is_before_row) return PointerGetDatum(nullptr);
        return PointerGetDatum(TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple
                                                                          : trigger->tg_trigtuple);
    }
    if (strcmp(name, "discovery_twin") == 0) {
        check_twin(fcinfo);
        return PointerGetDatum(nullptr);
    }
    if (strcmp(name, "discovery_spoilt") == 0) {
        spoil(fcinfo);
        return PointerGetDatum(nullptr);
    }
    for (const auto &one : functions)
        if (strcmp(name, one.name) == 0) return one.function(fcinfo);
    ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
            errmsg("\"%s\" is not the name of a trigger function of the store", name));
}
