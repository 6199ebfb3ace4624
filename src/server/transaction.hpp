// State that belongs to the current transaction.
#pragma once

#include "server/guard.hpp"

namespace discovery {

/// Returns the ID of the current transaction, which is unique within this backend.
LocalTransactionId this_transaction();

/// A value of the current transaction, which its first use makes and its end destroys. `T` is C++
/// that calls no PostgreSQL; a variable of this class is static.
template <class T>
class OfTransaction {
public:
    T &operator*() {
        if (!exists()) {
            MemoryContext caller = MemoryContextSwitchTo(TopTransactionContext);
            value_ = in_core([] { return T{}; });
            MemoryContextSwitchTo(caller);
            transaction_ = this_transaction();
        }
        return *value_;
    }
    T *operator->() { return &**this; }

    /// Whether the current transaction has used it.
    bool exists() const { return value_ != nullptr && transaction_ == this_transaction(); }

private:
    T *value_ = nullptr;
    LocalTransactionId transaction_ = 0;  // no transaction has this
};

}  // namespace discovery
