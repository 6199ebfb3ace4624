// Reads and checks the arguments of SQL functions.
#include "server/arguments.hpp"

namespace discovery {

Argument argument(FunctionCallInfo fcinfo, int number, Oid type) {
    return {type, PG_ARGISNULL(number) ? Datum{} : PG_GETARG_DATUM(number), PG_ARGISNULL(number)};
}

const char *name_argument(FunctionCallInfo fcinfo, int number) {
    return PG_ARGISNULL(number) ? nullptr : NameStr(*PG_GETARG_NAME(number));
}

std::optional<std::string_view> view_argument(FunctionCallInfo fcinfo, int number) {
    if (PG_ARGISNULL(number)) return std::nullopt;
    return view_of(PG_GETARG_TEXT_PP(number));
}

void require_argument(FunctionCallInfo fcinfo, int number, const char *name) {
    if (PG_ARGISNULL(number))
        ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", name));
}

bool is_second_word(FunctionCallInfo fcinfo, int number, const char *name, const char *first, const char *second) {
    require_argument(fcinfo, number, name);
    const char *word = text_to_cstring(PG_GETARG_TEXT_PP(number));
    if (strcmp(word, first) == 0) return false;
    if (strcmp(word, second) == 0) return true;
    ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid value for %s: \"%s\"", name, word),
            errhint("It must be %s or %s.", first, second));
}

}  // namespace discovery
