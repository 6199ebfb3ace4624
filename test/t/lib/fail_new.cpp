// Preloaded into a server, lets the n-th allocation by C++ from then on fail, once: SELECT fail_new(n). It returns how
// many allocations there were since the last call.
#include <cstdlib>
#include <new>

extern "C" {
#include "postgres.h"

#include "fmgr.h"

PG_MODULE_MAGIC;
PG_FUNCTION_INFO_V1(fail_new);
}

static int done = 0;
static int fails = -1;

void *operator new(std::size_t size) {
    if (done++ == fails) throw std::bad_alloc();
    if (void *memory = std::malloc(size == 0 ? 1 : size)) return memory;
    throw std::bad_alloc();
}
void operator delete(void *memory) noexcept { std::free(memory); }
void operator delete(void *memory, std::size_t) noexcept { std::free(memory); }

extern "C" Datum fail_new(PG_FUNCTION_ARGS) {
    int before = done;
    done = 0;
    fails = PG_GETARG_INT32(0);
    PG_RETURN_INT32(before);
}
