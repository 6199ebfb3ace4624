// State that belongs to an unfinished statement of this backend.
#pragma once

#include "server/guard.hpp"

extern "C" {
#include "utils/memutils.h"
}

namespace discovery {

/// A value for each unfinished statement. The first use in a statement makes it, and the end of the statement's
/// memory destroys it. `T` is C++ that calls no PostgreSQL; a variable of this class is static. The statement is
/// identified by the memory from which its conditions and its triggers are called: fn_mcxt of the call. A statement
/// inside of it, as of a user's trigger, has another one.
template <class T>
class OfStatement {
public:
    /// The value of the statement that makes the call.
    T &at(FunctionCallInfo call) {
        if (T *value = find(call)) return *value;
        MemoryContext statement = call->flinfo->fn_mcxt;
        MemoryContext caller = MemoryContextSwitchTo(statement);
        auto *made = static_cast<Entry *>(palloc(sizeof(Entry)));
        T *value = in_core([] { return T{}; });
        *made = {statement, value, {remove, made, nullptr}, entries_};
        MemoryContextRegisterResetCallback(statement, &made->callback);
        entries_ = made;
        MemoryContextSwitchTo(caller);
        return *value;
    }
    /// The same, or null if the statement has none.
    T *find(FunctionCallInfo call) const {
        for (const Entry *entry = entries_; entry != nullptr; entry = entry->outer)
            if (entry->statement == call->flinfo->fn_mcxt) return entry->value;
        return nullptr;
    }
    /// The first value, from the innermost unfinished statement on, that `is_wanted`; null if none is.
    template <class Wanted>
    T *find_if(Wanted is_wanted) const {
        for (const Entry *entry = entries_; entry != nullptr; entry = entry->outer)
            if (is_wanted(*entry->value)) return entry->value;
        return nullptr;
    }

private:
    struct Entry {
        MemoryContext statement;
        T *value;
        MemoryContextCallback callback;
        Entry *outer;
    };
    // One list for each T.
    static inline Entry *entries_ = nullptr;

    static void remove(void *gone) {
        for (Entry **link = &entries_; *link != nullptr; link = &(*link)->outer) {
            if (*link != gone) continue;
            *link = (*link)->outer;
            return;
        }
    }
};

}  // namespace discovery
