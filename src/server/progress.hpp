// Tells where a long piece of work is.
#pragma once

#include "server/guard.hpp"

namespace discovery {

namespace detail {
void begin_part(const char *part, const char *line);
void end_part(const char *part, const char *line, TimestampTz start);
void show_query_of_client();
}  // namespace detail

/// Returns the first line of a statement, after the comments and blanks before it.
const char *first_line(const char *statement);

/// Runs `work`, which may not call in_core(), as a part of a long piece of work. While it runs,
/// pg_stat_activity shows "`part`: `line`" as the query of this session; `line` may be null. Afterwards, if
/// client_min_messages is info or lower, tells the client the part, the time that it took in milliseconds,
/// and the line.
template <class Work>
void as_part(const char *part, const char *line, Work work) {
    TimestampTz start = GetCurrentTimestamp();
    detail::begin_part(part, line);
    PG_TRY();
    { work(); }
    PG_FINALLY();
    { detail::show_query_of_client(); }
    PG_END_TRY();
    detail::end_part(part, line, start);
}

}  // namespace discovery
