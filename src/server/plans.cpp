// Keeps the plans of the extension's own statements, and controls how they are planned.
#include "server/plans.hpp"

extern "C" {
#include "common/hashfn.h"
#include "optimizer/cost.h"
#include "optimizer/plancat.h"
#include "utils/plancache.h"
}

namespace discovery {
namespace {

// About twenty statements for each of a dozen stores, of some 20 kB each.
constexpr long most_plans = 256;

HTAB *saved_plans;  // of SavedPlan, by the text of the statement
uint64 uses;

uint32 hash_text(const void *key, Size) {
    const char *sql = *static_cast<const char *const *>(key);
    return hash_bytes(reinterpret_cast<const unsigned char *>(sql), static_cast<int>(strlen(sql)));
}

int compare_text(const void *a, const void *b, Size) {
    return strcmp(*static_cast<const char *const *>(a), *static_cast<const char *const *>(b));
}

void make_table() {
    if (saved_plans != nullptr) return;
    HASHCTL control = {};
    control.keysize = sizeof(const char *);
    control.entrysize = sizeof(SavedPlan);
    control.hash = hash_text;
    control.match = compare_text;
    saved_plans = hash_create("discovery plans", 64, &control, HASH_ELEM | HASH_FUNCTION | HASH_COMPARE);
}

void drop_plan(SavedPlan *saved) {
    SPIPlanPtr plan = saved->plan;
    auto *sql = const_cast<char *>(saved->sql);
    hash_search(saved_plans, &saved->sql, HASH_REMOVE, nullptr);
    pfree(sql);
    SPI_freeplan(plan);
}

// Whether a rule has turned the statement into nothing. Such a plan depends on no table, so PostgreSQL does not
// notice when the rule is dropped.
bool is_nothing(SPIPlanPtr plan) {
    return static_cast<CachedPlanSource *>(linitial(SPI_plan_get_plan_sources(plan)))->query_list == NIL;
}

// Makes room for one more plan: drops the plans that are not valid, as those of dropped stores, and
// the one that was not used for longest if there are still too many.
void make_room() {
    SavedPlan *oldest = nullptr;
    HASH_SEQ_STATUS scan;
    hash_seq_init(&scan, saved_plans);
    while (auto *saved = static_cast<SavedPlan *>(hash_seq_search(&scan))) {
        if (saved->users > 0) continue;
        if (!SPI_plan_is_valid(saved->plan))
            drop_plan(saved);
        else if (oldest == nullptr || saved->last_used < oldest->last_used)
            oldest = saved;
    }
    if (oldest != nullptr && hash_get_num_entries(saved_plans) >= most_plans) drop_plan(oldest);
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
    const char *outer = wanted_index;
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
        wanted_index = outer;
        enable_seqscan = seqscan;
        enable_bitmapscan = bitmapscan;
        enable_hashjoin = hashjoin;
        enable_mergejoin = mergejoin;
    }
    PG_END_TRY();
}

}  // namespace

SavedPlan *hold_plan(const char *sql, const Oid *types, int count, const char *index) {
    make_table();
    auto *saved = static_cast<SavedPlan *>(hash_search(saved_plans, &sql, HASH_FIND, nullptr));
    if (saved != nullptr && saved->users == 0 && is_nothing(saved->plan)) {
        drop_plan(saved);
        saved = nullptr;
    }
    if (saved == nullptr) {
        make_room();
        SPIPlanPtr plan = SPI_prepare_cursor(sql, count, const_cast<Oid *>(types), CURSOR_OPT_GENERIC_PLAN);
        if (plan == nullptr) elog(ERROR, "SPI_prepare_cursor failed: %s", SPI_result_code_string(SPI_result));
        const char *copy = MemoryContextStrdup(TopMemoryContext, sql);
        bool found;
        // Planning may have run code of the user's, and that this same statement.
        saved = static_cast<SavedPlan *>(hash_search(saved_plans, &copy, HASH_ENTER, &found));
        if (found) {
            pfree(const_cast<char *>(copy));
        } else {
            *saved = {copy, plan, 0, 0};
            SPI_keepplan(plan);
        }
    }
    saved->last_used = ++uses;
    ++saved->users;
    PG_TRY();
    { plan_by_index(saved->plan, index); }
    PG_CATCH();
    {
        release_plan(saved);
        PG_RE_THROW();
    }
    PG_END_TRY();
    return saved;
}

void release_plan(SavedPlan *plan) { --plan->users; }

void watch_planning() {
    next_hook = get_relation_info_hook;
    get_relation_info_hook = hide_other_indexes;
}

}  // namespace discovery
