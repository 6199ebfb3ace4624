// Reads the rows of discovery_migrations, the record of a store.
#include "store/record.hpp"

extern "C" {
#include "utils/acl.h"
#include "utils/rls.h"
}

namespace discovery {

bool may_read_record(const Store &store) {
    return pg_class_aclcheck(store.record, GetUserId(), ACL_SELECT) == ACLCHECK_OK;
}

Session enter_record(const Store &store) {
    hold_table(store, record_table, AccessShareLock);
    return check_enable_rls(store.record, InvalidOid, true) == RLS_ENABLED ? enter() : enter_as(store.owner);
}

}  // namespace discovery
