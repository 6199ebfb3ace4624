// A source that is given as a JSON object.
#pragma once

#include "sources/new_source.hpp"

extern "C" {
#include "utils/jsonb.h"
}

namespace discovery {

/// Reads an object whose keys are the names of add_source()'s arguments. `content` is a string: \x and hex
/// digits, or base64. A value of null counts as not given. Adds a sentence to `broken` for each key that
/// does not exist, and for each value that has another type.
GivenSource read_source(JsonbContainer *object, const Argument &notebook_id, Violations &broken);

}  // namespace discovery
