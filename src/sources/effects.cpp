// What the unfinished statements of this backend have done to a store's tables so far.
#include "sources/effects.hpp"

extern "C" {
#include "utils/memutils.h"
}

namespace discovery {
namespace {

// The effects of an unfinished statement on one table. `statement` is the memory context from which all
// triggers of the statement are called. It identifies the statement, and its end frees the effects.
struct Pending {
    MemoryContext statement;
    Oid table;
    Effects *effects;
    MemoryContext memory;
    MemoryContextCallback callback;
    Pending *outer;
    bool is_taken;
};
Pending *all_pending;

void remove_pending(void *gone) {
    for (Pending **link = &all_pending; *link != nullptr; link = &(*link)->outer) {
        if (*link != gone) continue;
        *link = (*link)->outer;
        return;
    }
}

Oid table_of(FunctionCallInfo fcinfo) {
    return RelationGetRelid(reinterpret_cast<TriggerData *>(fcinfo->context)->tg_relation);
}

Pending *find_pending(FunctionCallInfo fcinfo) {
    for (Pending *pending = all_pending; pending != nullptr; pending = pending->outer)
        if (!pending->is_taken && pending->statement == fcinfo->flinfo->fn_mcxt && pending->table == table_of(fcinfo))
            return pending;
    return nullptr;
}

Pending *add_pending(FunctionCallInfo fcinfo) {
    MemoryContext statement = fcinfo->flinfo->fn_mcxt;
    MemoryContext memory = AllocSetContextCreate(statement, "discovery statement", ALLOCSET_SMALL_SIZES);
    MemoryContext caller = MemoryContextSwitchTo(memory);
    auto *pending = static_cast<Pending *>(palloc(sizeof(Pending)));
    Effects *effects = in_core([] { return Effects{}; });
    *pending = {statement, table_of(fcinfo), effects, memory, {remove_pending, pending, nullptr}, all_pending, false};
    MemoryContextRegisterResetCallback(memory, &pending->callback);
    all_pending = pending;
    MemoryContextSwitchTo(caller);
    return pending;
}

}  // namespace

Effects &effects_here(FunctionCallInfo fcinfo) {
    Pending *pending = find_pending(fcinfo);
    if (pending == nullptr) pending = add_pending(fcinfo);
    return *pending->effects;
}

Effects *take_effects(FunctionCallInfo fcinfo) {
    Pending *pending = find_pending(fcinfo);
    if (pending == nullptr) return nullptr;
    pending->is_taken = true;
    return pending->effects;
}

void free_effects(Effects *effects) {
    for (Pending *pending = all_pending; pending != nullptr; pending = pending->outer) {
        if (pending->effects != effects) continue;
        MemoryContextDelete(pending->memory);
        return;
    }
}

}  // namespace discovery
