// Returns the rows of a query as the result of a set-returning function.
#include "server/result.hpp"

namespace discovery {

Datum return_rows(FunctionCallInfo fcinfo, const char *sql, std::initializer_list<Argument> arguments) {
    const Rows rows = begin_result(fcinfo);
    SPI_connect();
    query(sql, arguments, false, rows);
    SPI_finish();
    return Datum{};
}

}  // namespace discovery
