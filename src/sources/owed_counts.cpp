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

// Where counts were written: the number of the command before and after, and of the first one that owed.
struct Writing {
    CommandId before, after, oldest;
};

struct Ledger {
    core::OwedCounts owed;
    std::set<Oid> tables;
    // In the order of their commands.
    std::vector<Writing> writings;
};
OfTransaction<Ledger> ledger;

// At the end of a transaction statement_timeout no longer runs. What is owed to notebooks that do not exist
// is left.
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

void owe_count(const core::Counted &counted, const core::Change &change) {
    int level = GetCurrentTransactionNestLevel();
    CommandId command = GetCurrentCommandId(true);
    Ledger *here = &*ledger;
    in_core([&] {
        here->tables.insert(counted.table);
        here->owed.add(level, counted, change, command);
    });
}

void owe_counts(const core::Debts &debts) {
    for (const auto &[counted, change] : debts) owe_count(counted, change);
    CommandCounterIncrement();
}

void write_owed_counts() {
    if (!ledger.exists() || ledger->owed.is_empty()) return;
    MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "discovery counts", ALLOCSET_DEFAULT_SIZES);
    MemoryContext caller = MemoryContextSwitchTo(memory);
    int level = GetCurrentTransactionNestLevel();
    const core::Debts *debts = in_core([&] { return ledger->owed.pay(level); });
    // The user may have set the transaction READ ONLY since it changed sources. After an error, the abort
    // of the (sub)transaction restores it.
    bool is_read_only = std::exchange(XactReadOnly, false);
    write_counts(*debts);
    XactReadOnly = is_read_only;
    MemoryContextSwitchTo(caller);
    MemoryContextDelete(memory);
}

void forget_owed_counts(Oid notebooks, std::int64_t core::Change::*count) {
    if (!ledger.exists() || ledger->owed.is_empty()) return;
    int level = GetCurrentTransactionNestLevel();
    const core::Debts *debts = in_core([&] { return ledger->owed.pay(level); });
    for (const auto &[counted, owed] : *debts) {
        core::Change rest = owed;
        if (counted.table == notebooks) rest.*count = 0;
        if (!rest.is_none()) owe_count(counted, rest);
    }
}

CommandId settle_counts(CommandId snapshot, bool reads) {
    CommandId oldest = ledger->owed.oldest();
    if (reads && oldest < snapshot) {
        CommandId before = GetCurrentCommandId(false);
        write_owed_counts();
        CommandId after = GetCurrentCommandId(false);
        in_core([&] { ledger->writings.push_back({before, after, oldest}); });
        return after;
    }
    // Counts that were owed before the snapshot have been written after it.
    const auto &writings = ledger->writings;
    for (auto writing = writings.rbegin(); writing != writings.rend() && writing->before >= snapshot; ++writing)
        if (writing->oldest < snapshot) return writing->after;
    return snapshot;
}

bool is_anything_owed() { return ledger.exists(); }

bool has_owed(Oid notebooks) { return ledger.exists() && ledger->tables.contains(notebooks); }

void watch_transactions() {
    RegisterXactCallback(on_transaction, nullptr);
    RegisterSubXactCallback(on_subtransaction, nullptr);
}

}  // namespace discovery
