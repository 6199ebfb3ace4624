// Finds code of users that runs inside a statement.
#include "server/user_code.hpp"

extern "C" {
#include "access/genam.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "nodes/nodeFuncs.h"
#include "rewrite/prs2lock.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
}

namespace discovery {
namespace {

bool is_of_this_library(HeapTuple function) {
    auto *form = reinterpret_cast<Form_pg_proc>(GETSTRUCT(function));
    if (form->prolang != ClanguageId) return false;
    bool is_null;
    Datum library = SysCacheGetAttr(PROCOID, function, Anum_pg_proc_probin, &is_null);
    return !is_null && view_of(DatumGetTextPP(library)) == "$libdir/discovery";
}

bool is_of_user(Oid function) {
    if (function < FirstNormalObjectId) return false;
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple)) return true;
    bool is_ours = is_of_this_library(tuple);
    ReleaseSysCache(tuple);
    return !is_ours;
}

HTAB *make_cache(const char *name, Size key, Size entry) {
    HASHCTL control = {};
    control.keysize = key;
    control.entrysize = entry;
    control.hcxt = TopMemoryContext;
    return hash_create(name, 256, &control, HASH_ELEM | HASH_BLOBS);
}

// The functions of users, by the hash of their row in the catalog cache, by which a plan names the
// functions that it calls. Those that share a hash are one.
struct Function {
    uint32 hash;
    bool is_stable;
};
HTAB *functions;

void read_functions() {
    HTAB *read = make_cache("discovery functions", sizeof(uint32), sizeof(Function));
    Relation relation = table_open(ProcedureRelationId, AccessShareLock);
    SysScanDesc scan = systable_beginscan(relation, InvalidOid, false, nullptr, 0, nullptr);
    for (HeapTuple tuple; HeapTupleIsValid(tuple = systable_getnext(scan));) {
        auto *form = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
        if (form->oid < FirstNormalObjectId || is_of_this_library(tuple)) continue;
        uint32 hash = GetSysCacheHashValue1(PROCOID, ObjectIdGetDatum(form->oid));
        bool found;
        auto *function = static_cast<Function *>(hash_search(read, &hash, HASH_ENTER, &found));
        function->is_stable = (found && function->is_stable) || form->provolatile != PROVOLATILE_VOLATILE;
    }
    systable_endscan(scan);
    table_close(relation, AccessShareLock);
    // Reading may have processed invalidations, which forget what was read before.
    if (functions != nullptr) hash_destroy(functions);
    functions = read;
}

struct Table {
    Oid oid;
    UserCode code;
};
HTAB *tables;

// The caches are dropped when they are next used, as an invalidation may arrive during a look.
bool has_stale_functions, has_stale_tables;

void drop_stale() {
    if (std::exchange(has_stale_functions, false) && functions != nullptr)
        hash_destroy(std::exchange(functions, nullptr));
    if (std::exchange(has_stale_tables, false) && tables != nullptr) hash_destroy(std::exchange(tables, nullptr));
}

void note_function(Oid function, UserCode *code) {
    if (!is_of_user(function)) return;
    code->runs_on_update = true;
    if (func_volatile(function) != PROVOLATILE_VOLATILE) code->shares_snapshot = true;
}

bool note_functions(Node *node, UserCode *code) {
    if (node == nullptr) return false;
    auto note = [](Oid function, void *found) {
        note_function(function, static_cast<UserCode *>(found));
        return false;
    };
    check_functions_in_node(node, note, code);
    // PostgreSQL 15 declares its walkers without parameters.
    auto *walker = reinterpret_cast<bool (*)()>(reinterpret_cast<void (*)()>(note_functions));
    return expression_tree_walker(node, walker, code);
}

void note_expression(const char *expression, UserCode *code) {
    if (expression != nullptr) note_functions(static_cast<Node *>(stringToNode(expression)), code);
}

void note_indexes(Relation relation, UserCode *code) {
    List *indexes = RelationGetIndexList(relation);
    ListCell *cell;
    foreach (cell, indexes) {
        HeapTuple index = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(cell)));
        if (!HeapTupleIsValid(index)) continue;
        for (AttrNumber column : {Anum_pg_index_indexprs, Anum_pg_index_indpred}) {
            bool is_null;
            Datum expressions = SysCacheGetAttr(INDEXRELID, index, column, &is_null);
            if (!is_null) note_expression(TextDatumGetCString(expressions), code);
        }
        ReleaseSysCache(index);
    }
    list_free(indexes);
}

UserCode read_user_code(Relation relation) {
    UserCode code = {};
    const TriggerDesc *triggers = relation->trigdesc;
    for (int number = 0; triggers != nullptr && number < triggers->numtriggers; ++number) {
        const Trigger &trigger = triggers->triggers[number];
        if (trigger.tgisinternal || trigger.tgenabled == TRIGGER_DISABLED || !is_of_user(trigger.tgfoid)) continue;
        if (TRIGGER_FOR_UPDATE(trigger.tgtype)) code.runs_on_update = true;
        if (func_volatile(trigger.tgfoid) != PROVOLATILE_VOLATILE) code.shares_snapshot = true;
        note_expression(trigger.tgqual, &code);
    }
    const RuleLock *rules = relation->rd_rules;
    for (int number = 0; rules != nullptr && number < rules->numLocks; ++number)
        if (rules->rules[number]->event == CMD_UPDATE) code.runs_on_update = true;
    TupleDesc descriptor = RelationGetDescr(relation);
    if (const TupleConstr *constraints = descriptor->constr) {
        for (int number = 0; number < constraints->num_check; ++number)
            note_expression(constraints->check[number].ccbin, &code);
        // The other defaults are part of the plan.
        for (int number = 0; number < constraints->num_defval; ++number)
            if (TupleDescAttr(descriptor, constraints->defval[number].adnum - 1)->attgenerated)
                note_expression(constraints->defval[number].adbin, &code);
    }
    note_indexes(relation, &code);
    return code;
}

}  // namespace

UserFunctions user_functions_of(const PlannedStmt *plan) {
    UserFunctions found = UserFunctions::none;
    ListCell *cell;
    foreach (cell, plan->invalItems) {
        auto *item = lfirst_node(PlanInvalItem, cell);
        // A domain, whose constraints may call anything.
        if (item->cacheId == TYPEOID) return UserFunctions::some_stable;
        if (item->cacheId != PROCOID) continue;
        drop_stale();
        if (functions == nullptr) read_functions();
        auto *function = static_cast<Function *>(hash_search(functions, &item->hashValue, HASH_FIND, nullptr));
        if (function == nullptr) continue;
        if (function->is_stable) return UserFunctions::some_stable;
        found = UserFunctions::only_volatile;
    }
    return found;
}

UserCode user_code_of(Oid table) {
    drop_stale();
    if (tables != nullptr)
        if (auto *known = static_cast<Table *>(hash_search(tables, &table, HASH_FIND, nullptr))) return known->code;
    Relation relation = table_open(table, NoLock);
    UserCode code = read_user_code(relation);
    table_close(relation, NoLock);
    if (tables == nullptr) tables = make_cache("discovery tables", sizeof(Oid), sizeof(Table));
    bool found;
    static_cast<Table *>(hash_search(tables, &table, HASH_ENTER, &found))->code = code;
    return code;
}

void watch_user_code() {
    CacheRegisterSyscacheCallback(
        PROCOID, [](Datum, int, uint32) { has_stale_functions = has_stale_tables = true; }, Datum{});
    CacheRegisterRelcacheCallback([](Datum, Oid) { has_stale_tables = true; }, Datum{});
}

}  // namespace discovery
