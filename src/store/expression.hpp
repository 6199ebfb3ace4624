// What PostgreSQL makes of an expression that it has printed.
#pragma once

#include "server/guard.hpp"

namespace discovery {

/// Returns the expression over the columns of `relation`, or the query if `relation` is InvalidOid, as
/// PostgreSQL prints it after it has read the text. Some expressions have two spellings: `name IN ('a',
/// 'b')` over varchar is printed in another way after a dump and its restore. Neither runs code of a
/// user nor needs a privilege. Call between enter() and leave().
/// Errors: those of PostgreSQL's parser; XX000 if an object is gone.
const char *printed_again(Oid relation, const char *text);

/// The same for the WHEN of a trigger, whose columns are those of "old" and "new".
const char *condition_again(Oid relation, const char *text);

}  // namespace discovery
