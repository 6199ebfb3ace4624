// Statements that read or write notebooks while counts are owed: the counts are written before they start,
// and they see them. This is done by hooks of the executor and of utility statements.
#include "sources/readers.hpp"

#include "server/guard.hpp"
#include "server/user_code.hpp"
#include "sources/owed_counts.hpp"

extern "C" {
#include "access/parallel.h"
#include "catalog/namespace.h"
#include "executor/executor.h"
#include "parser/parse_relation.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
}

namespace discovery {
namespace {

ExecutorStart_hook_type next_start;
ExecutorRun_hook_type next_run;
ExecutorFinish_hook_type next_finish;
ProcessUtility_hook_type next_utility;

// The columns that a range table entry reads, and whose rights its reads have. Returns false if it has no
// entry for rights, as the children of an inheritance tree: it may read all.
bool columns_of(const PlannedStmt *plan, RangeTblEntry *entry, Bitmapset **columns, Oid *user) {
#if PG_VERSION_NUM >= 160000
    if (entry->perminfoindex == 0) return false;
    const RTEPermissionInfo *rights = getRTEPermissionInfo(plan->permInfos, entry);
#else
    (void)plan;
    if (entry->requiredPerms == 0) return false;
    const RangeTblEntry *rights = entry;
#endif
    *columns = rights->selectedCols;
    *user = OidIsValid(rights->checkAsUser) ? rights->checkAsUser : GetUserId();
    return true;
}

// Whether a statement that selects these columns of notebooks depends on a count. What identifies a
// version of the row does, too, and so do the whole row and generated columns.
bool depends_on_count(Oid notebooks, Bitmapset *columns) {
    constexpr int offset = FirstLowInvalidHeapAttributeNumber;
    for (int member = -1; (member = bms_next_member(columns, member)) >= 0;) {
        auto column = static_cast<AttrNumber>(member + offset);
        if (column <= 0 ? column != TableOidAttributeNumber : get_attgenerated(notebooks, column) != '\0') return true;
    }
    for (const char *name : {"source_count", "output_count", "updated_at"})
        if (bms_is_member(get_attnum(notebooks, name) - offset, columns)) return true;
    return false;
}

bool reads_notebooks(const PlannedStmt *plan, RangeTblEntry *entry) {
    Bitmapset *columns;
    Oid user;
    if (!columns_of(plan, entry, &columns, &user)) return true;
    // Policies may read every column.
    return depends_on_count(entry->relid, columns) || check_enable_rls(entry->relid, user, true) == RLS_ENABLED;
}

// Whether the statement locks rows of the range table entry: a row that is written while the statement is
// under way can no longer be locked by it. Foreign keys lock rows, too, and so do our functions; they do
// it at once, and only the key.
bool locks_rows(const PlannedStmt *plan, int number) {
    if (InNoForceRLSOperation()) return false;
    ListCell *cell;
    foreach (cell, plan->rowMarks) {
        auto *mark = lfirst_node(PlanRowMark, cell);
        if (static_cast<int>(mark->rti) == number && RowMarkRequiresRowShareLock(mark->markType)) return true;
    }
    return false;
}

// Whether the statement reads a count, writes notebooks, or calls code that may read a count with the
// snapshot of the statement. In a parallel plan no code can write, so there it may be any code of users.
bool reads_counts(const PlannedStmt *plan) {
    ListCell *cell;
    int number = 0;
    foreach (cell, plan->rtable) {
        auto *entry = lfirst_node(RangeTblEntry, cell);
        ++number;
        if (entry->rtekind != RTE_RELATION) continue;
        bool is_target = list_member_int(plan->resultRelations, number);
        if (has_owed(entry->relid) && (is_target || locks_rows(plan, number) || reads_notebooks(plan, entry)))
            return true;
        if (is_target && user_code_of(entry->relid).shares_snapshot) return true;
    }
    UserFunctions called = user_functions_of(plan);
    return called == UserFunctions::some_stable || (called == UserFunctions::only_volatile && plan->parallelModeNeeded);
}

// Gives the statement a copy of its snapshot that sees all before the command. Others may hold the snapshot
// itself.
void advance(QueryDesc *query, CommandId command) {
    PushCopiedSnapshot(query->snapshot);
    Snapshot copy = GetActiveSnapshot();
    copy->curcid = command;
    copy = RegisterSnapshot(copy);
    UnregisterSnapshot(query->snapshot);
    query->snapshot = copy;
    PopActiveSnapshot();
}

void prepare(QueryDesc *query) {
    Snapshot snapshot = query->snapshot;
    if (snapshot == InvalidSnapshot || snapshot->snapshot_type != SNAPSHOT_MVCC || IsInParallelMode()) return;
    CommandId command = settle_counts(snapshot->curcid, reads_counts(query->plannedstmt));
    if (command != snapshot->curcid) advance(query, command);
}

void on_start(QueryDesc *query, int flags) {
    // Plain EXPLAIN reads nothing.
    if (is_anything_owed() && (flags & EXEC_FLAG_EXPLAIN_ONLY) == 0)
        guarded([](void *argument) { prepare(static_cast<QueryDesc *>(argument)); }, query);
    if (next_start != nullptr)
        next_start(query, flags);
    else
        standard_ExecutorStart(query, flags);
}

// Whether the statement has got a copy of its snapshot. Functions that it calls, and the workers of a
// parallel plan, read with the active snapshot, so that must be the copy.
bool has_copy(const QueryDesc *query) {
    return is_anything_owed() && query->snapshot != InvalidSnapshot && ActiveSnapshotSet() &&
           query->snapshot->curcid > GetActiveSnapshot()->curcid;
}

#if PG_VERSION_NUM >= 180000
void on_run(QueryDesc *query, ScanDirection direction, uint64 count) {
#else
void on_run(QueryDesc *query, ScanDirection direction, uint64 count, bool once) {
#endif
    bool pushes = has_copy(query);
    if (pushes) PushActiveSnapshot(query->snapshot);
#if PG_VERSION_NUM >= 180000
    if (next_run != nullptr)
        next_run(query, direction, count);
    else
        standard_ExecutorRun(query, direction, count);
#else
    if (next_run != nullptr)
        next_run(query, direction, count, once);
    else
        standard_ExecutorRun(query, direction, count, once);
#endif
    if (pushes) PopActiveSnapshot();
}

void on_finish(QueryDesc *query) {
    bool pushes = has_copy(query);
    if (pushes) PushActiveSnapshot(query->snapshot);
    if (next_finish != nullptr)
        next_finish(query);
    else
        standard_ExecutorFinish(query);
    if (pushes) PopActiveSnapshot();
}

bool is_owed(const RangeVar *name) {
    Oid table = name == nullptr ? InvalidOid : RangeVarGetRelid(name, NoLock, true);
    return OidIsValid(table) && has_owed(table);
}

// Whether a utility statement reads counts without the executor, or changes what writing them does.
bool reads_counts(Node *statement) {
    switch (nodeTag(statement)) {
        case T_CopyStmt:
            return !castNode(CopyStmt, statement)->is_from && is_owed(castNode(CopyStmt, statement)->relation);
        case T_AlterTableStmt:
            return is_owed(castNode(AlterTableStmt, statement)->relation);
        case T_CreateTrigStmt:
            return is_owed(castNode(CreateTrigStmt, statement)->relation);
        case T_RuleStmt:
            return is_owed(castNode(RuleStmt, statement)->relation);
        case T_RenameStmt:
            return is_owed(castNode(RenameStmt, statement)->relation);
        case T_IndexStmt:
            return is_owed(castNode(IndexStmt, statement)->relation);
        // With CASCADE, of whatever table
        case T_TruncateStmt:
        case T_AlterExtensionStmt:
        case T_AlterExtensionContentsStmt:
            return true;
        case T_DropStmt:
            return castNode(DropStmt, statement)->removeType == OBJECT_EXTENSION ||
                   castNode(DropStmt, statement)->removeType == OBJECT_TRIGGER;
        default:
            return false;
    }
}

// The parameters are those of standard_ProcessUtility().
void on_utility(PlannedStmt *plan, const char *text, bool is_read_only, ProcessUtilityContext context,
                ParamListInfo parameters, QueryEnvironment *environment, DestReceiver *receiver,
                QueryCompletion *completion) {
    bool pushes = is_anything_owed() && !IsInParallelMode() && reads_counts(plan->utilityStmt);
    if (pushes) {
        guarded([](void *) { write_owed_counts(); });
        pushes = ActiveSnapshotSet();
        if (pushes) {
            PushCopiedSnapshot(GetActiveSnapshot());
            UpdateActiveSnapshotCommandId();
        }
    }
    auto *next = next_utility != nullptr ? next_utility : standard_ProcessUtility;
    next(plan, text, is_read_only, context, parameters, environment, receiver, completion);
    if (pushes) PopActiveSnapshot();
}

}  // namespace

void watch_readers() {
    next_start = std::exchange(ExecutorStart_hook, on_start);
    next_run = std::exchange(ExecutorRun_hook, on_run);
    next_finish = std::exchange(ExecutorFinish_hook, on_finish);
    next_utility = std::exchange(ProcessUtility_hook, on_utility);
}

}  // namespace discovery
