// Taking schemas out of a definition, and putting them into a script. The
// input's first part is the schema, the second the text.
#include "check.hpp"

#include "core/migrations.hpp"
#include "core/shape.hpp"

#include <algorithm>

using namespace discovery::core;

namespace {

// As PostgreSQL's quote_identifier() does it, but for its keywords.
std::string quoted(std::string_view name) {
    bool is_safe = !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
                   std::all_of(name.begin(), name.end(), [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
                   });
    if (is_safe) return std::string(name);
    std::string result = "\"";
    for (char c : name) {
        if (c == '"') result += c;
        result += c;
    }
    return result + "\"";
}

bool is_subsequence(std::string_view part, std::string_view whole) {
    std::size_t found = 0;
    for (char c : whole)
        if (found < part.size() && part[found] == c) ++found;
    return found == part.size();
}

void check_unqualify(const std::string &schema, std::string_view text) {
    const std::string_view schemas[] = {schema};
    std::string once = unqualify(text, schemas);
    CHECK(is_subsequence(once, text));
    CHECK((text.size() - once.size()) % (schema.size() + 1) == 0);
    CHECK(unqualify(once, schemas) == once);
    if (text.find(schema + ".") == text.npos) CHECK(once == text);
    CHECK(unqualify(text, {}) == text);
    // A name that PostgreSQL has qualified is as the name alone.
    CHECK(unqualify("REFERENCES " + schema + ".t(id) ", schemas) == "REFERENCES t(id) ");
    CHECK(unqualify(schema + ".t" + std::string(text), schemas) == unqualify("t" + std::string(text), schemas));
}

void check_place(const std::string &schema, std::string_view text) {
    CHECK(place_schemas(text, "@store@", "@extschema@") == text);
    std::string placed = place_schemas(text, schema, "e");
    if (text.find("@store@") == text.npos && text.find("@extschema@") == text.npos) CHECK(placed == text);
    // What is put in is not looked at again.
    CHECK(place_schemas("@store@@extschema@", "@extschema@", "@store@") == "@extschema@@store@");
    CHECK(place_schemas("a @store@.b", schema, "e") == "a " + schema + ".b");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    auto text = as_text(data, size);
    auto name = take_part(text);
    if (name.empty()) return 0;  // PostgreSQL has no empty names
    check_unqualify(quoted(name), text);
    check_place(quoted(name), text);
    return 0;
}
