// Finds code of users that runs inside a statement.
#include "server/user_code.hpp"

extern "C" {
#include "access/genam.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/planner.h"
#include "rewrite/prs2lock.h"
#include "utils/array.h"
#include "utils/fmgroids.h"
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

// Functions that are built in and run a query of the user, with the snapshot of the statement. A plan does
// not name the built-in functions that it calls, nor the domains: where it has one of either, the hook of
// the planner adds the first of these functions.
constexpr Oid hidden_functions[] = {
    F_QUERY_TO_XML,  F_QUERY_TO_XML_AND_XMLSCHEMA,    F_CURSOR_TO_XML,     F_TABLE_TO_XML,
    F_SCHEMA_TO_XML, F_TABLE_TO_XML_AND_XMLSCHEMA,    F_DATABASE_TO_XML,   F_SCHEMA_TO_XML_AND_XMLSCHEMA,
    F_TS_STAT_TEXT,  F_DATABASE_TO_XML_AND_XMLSCHEMA, F_TS_STAT_TEXT_TEXT, F_TS_REWRITE_TSQUERY_TEXT,
};

uint32 hash_of(Oid function) { return GetSysCacheHashValue1(PROCOID, ObjectIdGetDatum(function)); }

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
        uint32 hash = hash_of(form->oid);
        bool found;
        auto *function = static_cast<Function *>(hash_search(read, &hash, HASH_ENTER, &found));
        function->is_stable = (found && function->is_stable) || form->provolatile != PROVOLATILE_VOLATILE;
    }
    systable_endscan(scan);
    table_close(relation, AccessShareLock);
    uint32 hidden = hash_of(hidden_functions[0]);
    static_cast<Function *>(hash_search(read, &hidden, HASH_ENTER, nullptr))->is_stable = true;
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

// As PostgreSQL 15 declares the functions that its walkers call: without parameters.
template <class Context>
auto walker_of(bool (*visit)(Node *, Context *)) {
    return reinterpret_cast<bool (*)()>(reinterpret_cast<void (*)()>(visit));
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
    // Its constraints may call anything.
    if (IsA(node, CoerceToDomain)) code->runs_on_update = code->shares_snapshot = true;
    return expression_tree_walker(node, walker_of(note_functions), code);
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

// Whether an internal trigger does anything at an UPDATE that leaves the primary key as it is: the check
// of a deferrable unique constraint, and the actions of a foreign key that refers to other columns.
bool may_be_deferred(Relation relation, const Trigger &trigger) {
    if (!TRIGGER_FOR_UPDATE(trigger.tgtype)) return false;
    HeapTuple constraint = SearchSysCache1(CONSTROID, ObjectIdGetDatum(trigger.tgconstraint));
    if (!HeapTupleIsValid(constraint)) return true;
    auto *form = reinterpret_cast<Form_pg_constraint>(GETSTRUCT(constraint));
    bool may = form->contype != CONSTRAINT_FOREIGN;
    // The other foreign keys are the table's own, on columns that are not written.
    if (!may && form->confrelid == RelationGetRelid(relation)) {
        bool is_null;
        ArrayType *columns =
            DatumGetArrayTypeP(SysCacheGetAttr(CONSTROID, constraint, Anum_pg_constraint_confkey, &is_null));
        Bitmapset *key = RelationGetIndexAttrBitmap(relation, INDEX_ATTR_BITMAP_PRIMARY_KEY);
        auto *numbers = reinterpret_cast<int16 *>(ARR_DATA_PTR(columns));
        for (int number = 0; number < ARR_DIMS(columns)[0]; ++number)
            if (!bms_is_member(numbers[number] - FirstLowInvalidHeapAttributeNumber, key)) may = true;
    }
    ReleaseSysCache(constraint);
    return may;
}

UserCode read_user_code(Relation relation) {
    UserCode code = {};
    // A copy: any catalog lookup may rebuild the relation and free its own list. What else is read here stays as long
    // as it is the same.
    const TriggerDesc *triggers = CopyTriggerDesc(relation->trigdesc);
    for (int number = 0; triggers != nullptr && number < triggers->numtriggers; ++number) {
        const Trigger &trigger = triggers->triggers[number];
        if (trigger.tgisinternal && may_be_deferred(relation, trigger)) code.runs_on_update = true;
        if (trigger.tgisinternal || trigger.tgenabled == TRIGGER_DISABLED || !is_of_user(trigger.tgfoid)) continue;
        if (TRIGGER_FOR_UPDATE(trigger.tgtype)) code.runs_on_update = true;
        if (func_volatile(trigger.tgfoid) != PROVOLATILE_VOLATILE) code.shares_snapshot = true;
        note_expression(trigger.tgqual, &code);
    }
    const RuleLock *rules = relation->rd_rules;
    for (int number = 0; rules != nullptr && number < rules->numLocks; ++number)
        if (rules->rules[number]->event == CMD_UPDATE) code.runs_on_update = true;
    TupleDesc descriptor = RelationGetDescr(relation);
    for (int number = 0; number < descriptor->natts; ++number) {
        Form_pg_attribute column = TupleDescAttr(descriptor, number);
        if (!column->attisdropped && get_typtype(column->atttypid) == TYPTYPE_DOMAIN) code.runs_on_update = true;
    }
    if (const TupleConstr *constraints = descriptor->constr) {
        for (int number = 0; number < constraints->num_check; ++number)
            note_expression(constraints->check[number].ccbin, &code);
        // The other defaults are part of the plan.
        for (int number = 0; number < constraints->num_defval; ++number)
            if (TupleDescAttr(descriptor, constraints->defval[number].adnum - 1)->attgenerated)
                note_expression(constraints->defval[number].adbin, &code);
    }
    note_indexes(relation, &code);
    // INSERT finds the partition of a row while it runs.
    if (relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE) {
        List *partitions = find_inheritance_children(RelationGetRelid(relation), AccessShareLock);
        ListCell *cell;
        foreach (cell, partitions) {
            Relation partition = table_open(lfirst_oid(cell), NoLock);
            if (read_user_code(partition).shares_snapshot) code.shares_snapshot = true;
            table_close(partition, NoLock);
        }
    }
    return code;
}

planner_hook_type next_planner;

bool is_hidden(Oid function, void *) {
    return std::find(std::begin(hidden_functions), std::end(hidden_functions), function) != std::end(hidden_functions);
}

bool has_hidden(Node *node, void *context) {
    if (node == nullptr) return false;
    if (IsA(node, Query)) return query_tree_walker(castNode(Query, node), walker_of(has_hidden), context, 0);
    if (IsA(node, CoerceToDomain) && castNode(CoerceToDomain, node)->resulttype >= FirstNormalObjectId) return true;
    return check_functions_in_node(node, is_hidden, nullptr) ||
           expression_tree_walker(node, walker_of(has_hidden), context);
}

// The parameters are those of standard_planner().
PlannedStmt *on_planning(Query *query, const char *text, int options, ParamListInfo parameters) {
    bool adds = has_hidden(reinterpret_cast<Node *>(query), nullptr);
    auto *next = next_planner != nullptr ? next_planner : standard_planner;
    PlannedStmt *plan = next(query, text, options, parameters);
    if (adds) {
        auto *item = makeNode(PlanInvalItem);
        item->cacheId = PROCOID;
        item->hashValue = hash_of(hidden_functions[0]);
        plan->invalItems = lappend(plan->invalItems, item);
    }
    return plan;
}

}  // namespace

UserFunctions user_functions_of(const PlannedStmt *plan) {
    UserFunctions found = UserFunctions::none;
    ListCell *cell;
    foreach (cell, plan->invalItems) {
        auto *item = lfirst_node(PlanInvalItem, cell);
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
    next_planner = std::exchange(planner_hook, on_planning);
    CacheRegisterSyscacheCallback(
        PROCOID, [](Datum, int, uint32) { has_stale_functions = has_stale_tables = true; }, Datum{});
    CacheRegisterRelcacheCallback([](Datum, Oid) { has_stale_tables = true; }, Datum{});
}

}  // namespace discovery
