// Runs the extension's own statements through SPI.
#include "server/queries.hpp"

#include "server/plans.hpp"

extern "C" {
#include "executor/tstoreReceiver.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
}

namespace discovery {
namespace {

// Returns the SPI options for the arguments and the destination of the rows.
SPIExecuteOptions options_of(std::span<const Argument> arguments, bool read_only, const Rows &rows) {
    SPIExecuteOptions options = {};
    // A list without elements is not what the executor expects; nor do other extensions' hooks.
    if (arguments.size() > 0) {
        options.params = makeParamList(static_cast<int>(arguments.size()));
        ParamExternData *parameter = options.params->params;
        for (const Argument &argument : arguments)
            *parameter++ = {argument.value, argument.is_null, PARAM_FLAG_CONST, argument.type};
    }
    options.read_only = read_only;
    if (rows.store != nullptr) {
        options.dest = CreateTuplestoreDestReceiver();
        SetTuplestoreDestReceiverParams(options.dest, rows.store, CurrentMemoryContext, false, rows.columns,
                                        "a table of the store has a column of another type");
    }
    return options;
}

// The statement without the newline that begins a raw string literal: it would split a line of the
// server's log.
const char *trimmed(const char *sql) { return sql + strspn(sql, "\n"); }

HeapTuple result_row(const SPITupleTable *rows, uint64 row) {
    if (rows == nullptr || row >= rows->numvals) elog(ERROR, "a query returned too few rows");
    return rows->vals[row];
}

}  // namespace

Argument oid_argument(Oid value) { return {OIDOID, ObjectIdGetDatum(value)}; }

Argument uuid_argument(Datum value) { return {UUIDOID, value}; }

Argument text_argument(std::string_view value) { return {TEXTOID, to_text(value)}; }

Argument text_argument(const char *value) { return {TEXTOID, value ? to_text(value) : Datum{}, value == nullptr}; }

uint64 query(const char *sql, std::span<const Argument> arguments, bool read_only, const Rows &rows) {
    SPIExecuteOptions options = options_of(arguments, read_only, rows);
    // Use the newest snapshot, like the catalog caches, even at REPEATABLE READ and after our own
    // DDL in the same statement.
    if (read_only) PushActiveSnapshot(GetLatestSnapshot());
    int result = SPI_execute_extended(trimmed(sql), &options);
    if (read_only) PopActiveSnapshot();
    if (result < 0) elog(ERROR, "SPI_execute_extended failed: %s", SPI_result_code_string(result));
    return SPI_processed;
}

uint64 run_saved(const char *sql, std::initializer_list<Argument> arguments, const char *index, const Rows &rows) {
    constexpr size_t most = 16;
    Assert(arguments.size() <= most);
    Oid types[most];
    int count = 0;
    for (const Argument &argument : arguments) types[count++] = argument.type;
    SPIExecuteOptions options = options_of(std::span(arguments.begin(), arguments.size()), false, rows);
    SavedPlan *saved = hold_plan(trimmed(sql), types, count, index);
    PG_TRY();
    {
        int result = SPI_execute_plan_extended(saved->plan, &options);
        if (result < 0) elog(ERROR, "SPI_execute_plan_extended failed: %s", SPI_result_code_string(result));
    }
    PG_FINALLY();
    { release_plan(saved); }
    PG_END_TRY();
    return SPI_processed;
}

const char *result_text(uint64 row, int column) {
    return SPI_getvalue(result_row(SPI_tuptable, row), SPI_tuptable->tupdesc, column + 1);
}

Datum result_datum(uint64 row, int column, Oid type, bool *is_null) {
    return result_datum(SPI_tuptable, row, column, type, is_null);
}

Datum result_datum(const SPITupleTable *rows, uint64 row, int column, Oid type, bool *is_null) {
    HeapTuple tuple = result_row(rows, row);
    Oid actual = SPI_gettypeid(rows->tupdesc, column + 1);
    if (actual != type && !IsBinaryCoercible(actual, type))
        ereport(ERROR, errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("a table of the store has a column of another type"),
                errdetail("Column \"%s\" of a query has type %s, not %s.", SPI_fname(rows->tupdesc, column + 1),
                          format_type_be(actual), format_type_be(type)));
    return SPI_getbinval(tuple, rows->tupdesc, column + 1, is_null);
}

}  // namespace discovery
