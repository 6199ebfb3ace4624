// Returns the rows of a query as the result of a set-returning function.
#include "server/result.hpp"

#include "server/session.hpp"

namespace discovery {

Datum return_rows(FunctionCallInfo fcinfo, const char *sql, std::initializer_list<Argument> arguments) {
    Tuplestorestate *rows = begin_result(fcinfo);
    SPI_connect();
    Session session = enter();
    query(sql, arguments, false, rows);
    leave(session);
    SPI_finish();
    return Datum{};
}

}  // namespace discovery
