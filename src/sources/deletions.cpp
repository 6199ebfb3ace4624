// The deletions of the current transaction.
#include "sources/deletions.hpp"

#include "server/settings.hpp"
#include "server/transaction.hpp"

extern "C" {
#include "mb/pg_wchar.h"
}

namespace discovery {
namespace {

// The deletions of a transaction, by id, those of its plain SQL by role and reason, and those of function calls by
// the call. A std::nullopt is no reason.
struct Deletions {
    std::map<core::Uuid, Deletion> by_id;
    std::map<std::pair<Oid, std::optional<std::string>>, const Deletion *> by_reason;
    std::map<core::Uuid, const Deletion *> by_call;
    const Deletion *call = nullptr;   // the current function call's
    const Deletion *plain = nullptr;  // the one that plain SQL used last
};
constinit OfTransaction<Deletions> deletions;

bool is_same_reason(const char *a, const char *b) { return a == nullptr || b == nullptr ? a == b : strcmp(a, b) == 0; }

const Deletion *add_deletion(const char *reason, Oid role) {
    const char *copy = reason ? MemoryContextStrdup(TopTransactionContext, reason) : nullptr;
    core::Uuid id = new_uuid();
    const Deletion *added;
    Deletions *all = &*deletions;
    in_core([&] { added = &(all->by_id[id] = {id, role, copy}); });
    return added;
}

// A setting from the start packet of a session comes without a check of its encoding. It must not get
// into the log, whose dump could not be restored.
const char *reason_setting() {
    const char *reason = settings::reason;
    if (reason == nullptr || reason[0] == '\0') return nullptr;
    if (!pg_verifymbstr(reason, static_cast<int>(strlen(reason)), true))
        ereport(ERROR, errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
                errmsg("invalid value for parameter \"discovery.reason\""),
                errdetail("It is not valid in encoding \"%s\".", GetDatabaseEncodingName()));
    return reason;
}

}  // namespace

const Deletion *current_deletion() {
    Deletions *all = &*deletions;
    if (all->call != nullptr) return all->call;
    const char *reason = reason_setting();
    // A foreign key deletes rows as the owner of the table.
    const Oid role = InNoForceRLSOperation() ? GetOuterUserId() : GetUserId();
    if (all->plain != nullptr && all->plain->role == role && is_same_reason(all->plain->reason, reason))
        return all->plain;
    const Deletion **known;
    in_core([&] { known = &all->by_reason[{role, reason ? std::optional<std::string>(reason) : std::nullopt}]; });
    if (*known == nullptr) *known = add_deletion(reason, role);
    return all->plain = *known;
}

const Deletion *another_deletion(const Deletion *deletion) { return add_deletion(deletion->reason, deletion->role); }

const Deletion *find_deletion(const core::Uuid &id) {
    auto found = deletions->by_id.find(id);
    return found == deletions->by_id.end() ? nullptr : &found->second;
}

const Deletion *deletion_of_call(const core::Uuid &call, const char *reason) {
    const Deletion **known;
    Deletions *all = &*deletions;
    in_core([&] { known = &all->by_call[call]; });
    if (*known == nullptr) *known = add_deletion(reason, GetUserId());
    return *known;
}

Call begin_call(const char *reason) {
    core::Uuid id = new_uuid();
    if (reason == nullptr || reason[0] == '\0') reason = reason_setting();
    Call call{id, deletion_of_call(id, reason), deletions->call};
    deletions->call = call.deletion;
    return call;
}

void end_call(const Call &call) { deletions->call = call.outer; }

}  // namespace discovery
