// Keeps what this transaction owes to counts, and writes it when it must.
#include "sources/owed_counts.hpp"

#include "server/transaction.hpp"
#include "sources/counts.hpp"

extern "C" {
#include "storage/proc.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"
}

namespace discovery {
namespace {

struct Ledger {
    core::OwedCounts owed;
    std::set<Oid> tables;
    // Where counts were written: the number of the command before, and after. In ascending order.
    std::vector<std::pair<CommandId, CommandId>> writings;
};
OfTransaction<Ledger> ledger;

// At the end of a transaction statement_timeout no longer runs, and the user may have set the transaction
// READ ONLY since it changed sources.
void write_at_end() {
    if (!ledger.exists() || ledger->owed.is_empty()) return;
    bool starts_timeout = StatementTimeout > 0 && !get_timeout_active(STATEMENT_TIMEOUT);
    if (starts_timeout) enable_timeout_after(STATEMENT_TIMEOUT, StatementTimeout);
    PushActiveSnapshot(GetTransactionSnapshot());
    write_owed_counts();
    PopActiveSnapshot();
    if (starts_timeout) disable_timeout(STATEMENT_TIMEOUT, false);
}

void on_transaction(XactEvent event, void *) {
    if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE) guarded([](void *) { write_at_end(); });
}

void on_subtransaction(SubXactEvent event, SubTransactionId, SubTransactionId, void *) {
    if (!ledger.exists()) return;
    if (event == SUBXACT_EVENT_COMMIT_SUB) ledger->owed.release(GetCurrentTransactionNestLevel());
    if (event == SUBXACT_EVENT_ABORT_SUB) ledger->owed.roll_back(GetCurrentTransactionNestLevel());
}

}  // namespace

void owe_count(Oid notebooks, const core::Uuid &id, const core::Change &change) {
    int level = GetCurrentTransactionNestLevel();
    CommandId command = GetCurrentCommandId(true);
    Ledger *here = &*ledger;
    in_core([&] {
        here->tables.insert(notebooks);
        here->owed.add(level, {notebooks, id}, change, command);
    });
}

void end_owing() { CommandCounterIncrement(); }

void write_owed_counts() {
    if (!ledger.exists() || ledger->owed.is_empty()) return;
    MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "discovery counts", ALLOCSET_DEFAULT_SIZES);
    MemoryContext caller = MemoryContextSwitchTo(memory);
    int level = GetCurrentTransactionNestLevel();
    const core::Debts *debts = in_core([&] { return ledger->owed.pay(level); });
    bool is_read_only = XactReadOnly;
    XactReadOnly = false;
    PG_TRY();
    { write_counts(*debts); }
    PG_FINALLY();
    { XactReadOnly = is_read_only; }
    PG_END_TRY();
    MemoryContextSwitchTo(caller);
    MemoryContextDelete(memory);
}

CommandId settle_counts(CommandId snapshot, bool reads) {
    if (reads && ledger->owed.oldest() < snapshot) {
        CommandId before = GetCurrentCommandId(false);
        write_owed_counts();
        CommandId after = GetCurrentCommandId(false);
        in_core([&] { ledger->writings.emplace_back(before, after); });
        return after;
    }
    // A snapshot of before a writing, in which nothing else changed, counts as one of after it.
    const auto &writings = ledger->writings;
    auto writing = std::lower_bound(writings.begin(), writings.end(), std::pair<CommandId, CommandId>(snapshot, 0));
    for (; writing != writings.end() && writing->first == snapshot; ++writing) snapshot = writing->second;
    return snapshot;
}

bool is_anything_owed() { return ledger.exists(); }

bool has_owed(Oid notebooks) { return ledger.exists() && ledger->tables.contains(notebooks); }

void watch_transactions() {
    RegisterXactCallback(on_transaction, nullptr);
    RegisterSubXactCallback(on_subtransaction, nullptr);
}

}  // namespace discovery
