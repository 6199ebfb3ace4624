// The library: its magic block, and its settings.
#include "guard.hpp"
#include "settings.hpp"

extern "C" {

PG_MODULE_MAGIC;

void _PG_init(void);
void _PG_init(void) { discovery::define_settings(); }

}
