// No part of the extension: errors that a tool must report before its silence counts. SELECT planted(n):
//   0   a number is shifted too far (PostgreSQL's flags let integers wrap around)
//   1   a byte is read behind an allocation by C++
//   2   a byte is read behind an allocation by PostgreSQL
#include "server/guard.hpp"

extern "C" {
PG_FUNCTION_INFO_V1(planted);

PGDLLEXPORT Datum planted(PG_FUNCTION_ARGS) {
    volatile int bits = 40, number = 4000;
    switch (PG_GETARG_INT32(0)) {
        case 0:
            PG_RETURN_INT32(1 << bits);
        case 1: {
            char *volatile bytes = new char[4000]();  // volatile: the compiler does not know its size
            PG_RETURN_INT32(bytes[number]);
        }
        default: {
            auto *bytes = static_cast<char *>(palloc0(4000));
            PG_RETURN_INT32(bytes[number] == 0 ? 0 : 1);
        }
    }
}
}
