// The deletions of the transaction under way: which batch a row that dies now
// belongs to.
#pragma once

#include "server/guard.hpp"
#include "sources/uuid.hpp"

namespace discovery {

struct Deletion {
    core::Uuid id;
    const char *reason;  // null if none was given
    bool is_call;        // one call of a function, not the transaction's plain SQL
};

/// The deletion that rows which die now belong to: the function call's, or the
/// transaction's with the reason in discovery.reason.
const Deletion *current_deletion();

/// The deletion of that id in this transaction; null if there is none.
const Deletion *find_deletion(const core::Uuid &id);

/// From here to end_call() all deletions are one batch with one reason of its
/// own. Errors that pass in between must be caught, to end it. Calls may nest:
/// a trigger of the user's may delete what belongs to the row.
struct Call {
    const Deletion *deletion, *outer;
};
Call begin_call(const char *reason);
void end_call(const Call &call);

}  // namespace discovery
