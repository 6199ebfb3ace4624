// Fuzzes mark_schemas() and place_schemas(). The first part of the input is the schema, the second
// is a name in it, and the third is the text.
#include "check.hpp"

#include "core/shape.hpp"

#include <algorithm>

using namespace discovery::core;

namespace {

// Quotes a name like PostgreSQL's quote_identifier(), except that it ignores keywords.
std::string quoted(std::string_view name) {
    bool is_safe = !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
                   std::all_of(name.begin(), name.end(),
                               [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
    if (is_safe) return std::string(name);
    std::string result = "\"";
    for (char c : name) {
        if (c == '"') result += c;
        result += c;
    }
    return result + "\"";
}

std::size_t count(std::string_view text, std::string_view part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++found;
    return found;
}

void check_marks(const std::string &schema, const std::string &name, std::string_view text) {
    const Namespace namespaces[] = {{schema, std::string(store_mark), {name, "t"}}};
    std::string marked = mark_schemas(text, namespaces);
    if (text.find(schema + ".") == text.npos) CHECK(marked == text);
    CHECK(mark_schemas(text, {}) == text);
    // Placing is the opposite, unless the text has marks of its own.
    if (text.find('@') == text.npos && schema.find('@') == std::string::npos) {
        CHECK(place_schemas(marked, schema, "e") == text);
        CHECK(unmarked(marked).size() + count(marked, store_mark) * (store_mark.size() + 1) == marked.size());
    }
    // A name that PostgreSQL has qualified is marked, nobody else's is.
    std::string qualified = schema + "." + name, mark = std::string(store_mark) + ".";
    CHECK(mark_schemas(qualified, namespaces) == mark + name);
    CHECK(mark_schemas("REFERENCES " + qualified + "(id) ", namespaces) == "REFERENCES " + mark + name + "(id) ");
    std::string other = schema + ".other ";
    if (name != "other") CHECK(mark_schemas(other, namespaces) == other);
    std::string plain = unmarked(text);
    CHECK(plain.size() <= text.size());
}

void check_place(const std::string &schema, std::string_view text) {
    CHECK(place_schemas(text, "@store@", "@functions@") == text);
    std::string placed = place_schemas(text, schema, "e");
    if (text.find("@store@") == text.npos && text.find("@functions@") == text.npos) CHECK(placed == text);
    // What is put in is not looked at again.
    CHECK(place_schemas("@store@@functions@", "@functions@", "@store@") == "@functions@@store@");
    CHECK(place_schemas("a @store@.b", schema, "e") == "a " + schema + ".b");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    auto text = as_text(data, size);
    auto schema = take_part(text), name = take_part(text);
    if (schema.empty() || name.empty()) return 0;  // PostgreSQL has no empty names
    check_marks(quoted(schema), quoted(name), text);
    check_place(quoted(schema), text);
    return 0;
}
