// Tells the transactions of a backend apart.
#include "server/transaction.hpp"

extern "C" {
#include "storage/proc.h"
}

namespace discovery {

LocalTransactionId this_transaction() {
#if PG_VERSION_NUM >= 170000
    return MyProc->vxid.lxid;
#else
    return MyProc->lxid;
#endif
}

}  // namespace discovery
