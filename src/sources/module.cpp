// The entry point of the shared library: defines the settings and installs the hooks.
#include "server/plans.hpp"
#include "server/settings.hpp"
#include "server/user_code.hpp"
#include "sources/owed_counts.hpp"
#include "sources/readers.hpp"

extern "C" {

PG_MODULE_MAGIC;

void _PG_init(void);
void _PG_init(void) {
    discovery::define_settings();
    discovery::watch_planning();
    discovery::watch_user_code();
    discovery::watch_transactions();
    discovery::watch_readers();
}
}
