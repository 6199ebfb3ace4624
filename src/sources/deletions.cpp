// The deletions of the current transaction.
#include "sources/deletions.hpp"

#include "server/session.hpp"
#include "server/settings.hpp"

namespace discovery {
namespace {

// The deletions of one transaction, in its memory context. They are valid while `transaction` is
// the current one.
struct {
    LocalTransactionId transaction;
    List *all;             // of Deletion
    const Deletion *call;  // the current function call's, or null
} state;

bool is_same_reason(const char *a, const char *b) { return a == nullptr || b == nullptr ? a == b : strcmp(a, b) == 0; }

void forget_other_transactions() {
    if (state.transaction == this_transaction()) return;
    state = {};
    state.transaction = this_transaction();
}

// The newest deletion of this transaction that satisfies `is_wanted`, or null.
template <class IsWanted>
const Deletion *newest(IsWanted is_wanted) {
    for (int number = list_length(state.all); number > 0; --number) {
        auto *deletion = static_cast<const Deletion *>(list_nth(state.all, number - 1));
        if (is_wanted(*deletion)) return deletion;
    }
    return nullptr;
}

Deletion *add_deletion(const char *reason, bool is_call) {
    MemoryContext caller = MemoryContextSwitchTo(TopTransactionContext);
    auto *deletion = static_cast<Deletion *>(palloc(sizeof(Deletion)));
    deletion->id = new_uuid();
    deletion->reason = reason ? pstrdup(reason) : nullptr;
    deletion->is_call = is_call;
    state.all = lappend(state.all, deletion);
    MemoryContextSwitchTo(caller);
    return deletion;
}

}  // namespace

const Deletion *current_deletion() {
    forget_other_transactions();
    if (state.call != nullptr) return state.call;
    const char *reason = settings::reason && settings::reason[0] ? settings::reason : nullptr;
    const Deletion *known =
        newest([&](const Deletion &deletion) { return !deletion.is_call && is_same_reason(deletion.reason, reason); });
    return known != nullptr ? known : add_deletion(reason, false);
}

const Deletion *find_deletion(const core::Uuid &id) {
    forget_other_transactions();
    return newest([&](const Deletion &deletion) { return deletion.id == id; });
}

Call begin_call(const char *reason) {
    forget_other_transactions();
    Call call{add_deletion(reason, true), state.call};
    state.call = call.deletion;
    return call;
}

void end_call(const Call &call) { state.call = call.outer; }

}  // namespace discovery
