// Includes, for C++, the PostgreSQL headers that nearly every file outside src/core/ needs. Only
// server/guard.hpp includes this file, before any other header. Files in src/core/ never include
// it. A file that needs another PostgreSQL header includes that header itself, in extern "C".
#pragma once
#pragma GCC system_header  // suppresses our warnings in PostgreSQL's headers

// The C++ headers must come first, because PostgreSQL's macros redefine parts of the C library.
#include <algorithm>
#include <compare>
#include <map>
#include <new>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

extern "C" {
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif
}
