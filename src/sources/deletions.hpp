// The deletions of the current transaction. A deletion is a batch of rows that were deleted together: sources
// that were soft-deleted, and rows that were moved to the trash.
#pragma once

#include "server/guard.hpp"
#include "sources/uuid.hpp"

namespace discovery {

struct Deletion {
    core::Uuid id;
    Oid role;            // whose privileges were used
    const char *reason;  // null if none was given
};

/// The deletion to which a row that is soft-deleted now belongs: that of the current function call,
/// or else the transaction's deletion by the current role with the reason in discovery.reason.
const Deletion *current_deletion();

/// A new deletion with the same role and reason.
const Deletion *another_deletion(const Deletion *deletion);

/// The deletion with this id in the current transaction, or null.
const Deletion *find_deletion(const core::Uuid &id);

/// The deletion of a function call, which made it in this session, or called from another one. Two calls
/// are two deletions, even with the same reason. The caller of the function does not choose the deletion's id.
const Deletion *deletion_of_call(const core::Uuid &call, const char *reason);

/// Between begin_call() and end_call(), all deletions form one batch with its own reason (null or empty: the
/// reason in discovery.reason). Calls may nest, because a user's trigger may delete other sources. The caller must also
/// call end_call() on error.
struct Call {
    core::Uuid id;
    const Deletion *deletion, *outer;
};
Call begin_call(const char *reason);
void end_call(const Call &call);

}  // namespace discovery
