// Tells where a long piece of work is.
#pragma once

#include "server/pg.hpp"

extern "C" {
#include "datatype/timestamp.h"
}

namespace discovery {

/// One part of the work.
struct Progress {
    const char *part;
    const char *statement;
    TimestampTz start;
};

/// Shows `part` and the first line of `statement`, which may be null, as the query of this session in
/// pg_stat_activity, until end_progress() or show_query_of_client().
Progress begin_progress(const char *part, const char *statement = nullptr);

/// Shows the query of the client again, after an error too.
void show_query_of_client();

/// The same; and if client_min_messages is info or lower, tells the client the part, the time that it took
/// in milliseconds, and the statement.
void end_progress(const Progress &progress);

}  // namespace discovery
