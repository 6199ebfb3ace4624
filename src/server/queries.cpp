// Runs the extension's own statements through SPI, and caches and controls their plans.
#include "server/queries.hpp"

extern "C" {
#include "common/hashfn.h"
#include "executor/tstoreReceiver.h"
#include "optimizer/cost.h"
#include "optimizer/plancat.h"
#include "utils/plancache.h"
#include "utils/snapmgr.h"
}

namespace discovery {
namespace {

// Returns the SPI options for the arguments and the destination of the rows.
SPIExecuteOptions options_of(std::initializer_list<Argument> arguments, bool read_only, Tuplestorestate *rows) {
    SPIExecuteOptions options = {};
    options.params = makeParamList(static_cast<int>(arguments.size()));
    ParamExternData *parameter = options.params->params;
    for (const Argument &argument : arguments)
        *parameter++ = {argument.value, argument.is_null, PARAM_FLAG_CONST, argument.type};
    options.read_only = read_only;
    if (rows != nullptr) {
        options.dest = CreateTuplestoreDestReceiver();
        SetTuplestoreDestReceiverParams(options.dest, rows, CurrentMemoryContext, false, nullptr, nullptr);
    }
    return options;
}

struct SavedPlan {
    uint32 key;  // hash of the statement's text
    SPIPlanPtr plan;
    char *sql;
};

HTAB *saved_plans;

// The statement without the newline that begins a raw string literal: it would split a line of the
// server's log.
const char *trimmed(const char *sql) { return sql + strspn(sql, "\n"); }

// Returns the plan of a statement, and keeps it until the backend ends.
SPIPlanPtr saved_plan(const char *sql, std::initializer_list<Argument> arguments) {
    if (saved_plans == nullptr) {
        HASHCTL control = {};
        control.keysize = sizeof(uint32);
        control.entrysize = sizeof(SavedPlan);
        saved_plans = hash_create("discovery plans", 32, &control, HASH_ELEM | HASH_BLOBS);
    }
    uint32 key = hash_bytes(reinterpret_cast<const unsigned char *>(sql), static_cast<int>(strlen(sql)));
    bool found;
    auto *saved = static_cast<SavedPlan *>(hash_search(saved_plans, &key, HASH_FIND, &found));
    if (found && strcmp(saved->sql, sql) == 0) return saved->plan;

    constexpr size_t most = 16;
    Assert(arguments.size() <= most);
    Oid types[most];
    int count = 0;
    for (const Argument &argument : arguments) types[count++] = argument.type;
    SPIPlanPtr plan = SPI_prepare_cursor(sql, count, types, CURSOR_OPT_GENERIC_PLAN);
    if (plan == nullptr) elog(ERROR, "SPI_prepare_cursor failed: %s", SPI_result_code_string(SPI_result));
    if (found) return plan;  // a hash collision, too rare for a list: do not keep it
    char *copy = MemoryContextStrdup(TopMemoryContext, sql);
    saved = static_cast<SavedPlan *>(hash_search(saved_plans, &key, HASH_ENTER, &found));
    saved->plan = plan;
    saved->sql = copy;
    SPI_keepplan(plan);
    return plan;
}

// The only index that the planner may use for its table; null for no restriction.
const char *wanted_index;
get_relation_info_hook_type next_hook;

// Planner hook. Hides the other indexes of the table that has the wanted index.
void hide_other_indexes(PlannerInfo *root, Oid table, bool is_parent, RelOptInfo *relation) {
    if (next_hook != nullptr) next_hook(root, table, is_parent, relation);
    if (wanted_index == nullptr) return;
    ListCell *cell;
    foreach (cell, relation->indexlist) {
        const char *name = get_rel_name(static_cast<IndexOptInfo *>(lfirst(cell))->indexoid);
        if (name == nullptr || strcmp(name, wanted_index) != 0) continue;
        relation->indexlist = list_make1(lfirst(cell));
        return;
    }
}

// Plans a saved statement unless it has a valid plan. While the table is small, the planner would
// choose a sequential scan, or an index that also finds rows of other notebooks. This plan would
// stay in use after the table has grown to ten thousand rows. Therefore this function forces an
// index scan regardless of the present size of the table, and a nested loop, which keeps the order
// of the first table.
void plan_by_index(SPIPlanPtr plan, const char *index) {
    bool seqscan = enable_seqscan, bitmapscan = enable_bitmapscan, hashjoin = enable_hashjoin,
         mergejoin = enable_mergejoin;
    enable_seqscan = enable_bitmapscan = enable_hashjoin = enable_mergejoin = false;
    wanted_index = index;
    PG_TRY();
    {
        CachedPlan *planned = SPI_plan_get_cached_plan(plan);
        if (planned != nullptr) ReleaseCachedPlan(planned, CurrentResourceOwner);
    }
    PG_FINALLY();
    {
        wanted_index = nullptr;
        enable_seqscan = seqscan;
        enable_bitmapscan = bitmapscan;
        enable_hashjoin = hashjoin;
        enable_mergejoin = mergejoin;
    }
    PG_END_TRY();
}

}  // namespace

void watch_planning() {
    next_hook = get_relation_info_hook;
    get_relation_info_hook = hide_other_indexes;
}

Argument oid_argument(Oid value) { return {OIDOID, ObjectIdGetDatum(value)}; }

Argument uuid_argument(Datum value) { return {UUIDOID, value}; }

Argument text_argument(std::string_view value) { return {TEXTOID, to_text(value)}; }

Argument text_argument(const char *value) { return {TEXTOID, value ? to_text(value) : Datum{}, value == nullptr}; }

uint64 query(const char *sql, std::initializer_list<Argument> arguments, bool read_only, Tuplestorestate *rows) {
    SPIExecuteOptions options = options_of(arguments, read_only, rows);
    // Use the newest snapshot, like the catalog caches, even at REPEATABLE READ and after our own
    // DDL in the same statement.
    if (read_only) PushActiveSnapshot(GetLatestSnapshot());
    int result = SPI_execute_extended(trimmed(sql), &options);
    if (read_only) PopActiveSnapshot();
    if (result < 0) elog(ERROR, "SPI_execute_extended failed: %s", SPI_result_code_string(result));
    return SPI_processed;
}

uint64 run_saved(const char *sql, std::initializer_list<Argument> arguments, const char *index, Tuplestorestate *rows) {
    SPIPlanPtr plan = saved_plan(trimmed(sql), arguments);
    plan_by_index(plan, index);
    SPIExecuteOptions options = options_of(arguments, false, rows);
    int result = SPI_execute_plan_extended(plan, &options);
    if (result < 0) elog(ERROR, "SPI_execute_plan_extended failed: %s", SPI_result_code_string(result));
    return SPI_processed;
}

const char *result_text(uint64 row, int column) {
    return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column + 1);
}

Datum result_datum(uint64 row, int column, bool *is_null) {
    return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column + 1, is_null);
}

}  // namespace discovery
