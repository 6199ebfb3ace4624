// PostgreSQL's headers that nearly every file of the server side needs, for C++.
// Only server/guard.hpp includes this, before anything else; src/core/ never does.
// A file that alone needs another header includes it itself, in extern "C".
#pragma once
#pragma GCC system_header  // our warnings are not meant for them

// Before PostgreSQL's macros, which rename parts of the C library.
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
