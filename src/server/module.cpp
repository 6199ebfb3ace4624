// The entry point of the shared library: defines the settings and installs the planner hook.
#include "server/plans.hpp"
#include "server/settings.hpp"

extern "C" {

PG_MODULE_MAGIC;

void _PG_init(void);
void _PG_init(void) {
    discovery::define_settings();
    discovery::watch_planning();
}
}
