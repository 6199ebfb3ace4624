// Reads, writes and compares shapes.
#include "core/shape.hpp"

#include <algorithm>
#include <functional>
#include <tuple>

namespace discovery::core {
namespace {

// The position of a kind in a shape: tables, the objects on them, views, comments, then unknown
// kinds. A person would read and create the objects in this order.
int rank(std::string_view kind) {
    constexpr std::string_view order[] = {"table",   "column", "constraint", "index",
                                          "trigger", "rule",   "view",       "comment"};
    return static_cast<int>(std::find(std::begin(order), std::end(order), kind) - std::begin(order));
}

bool before(const Object &a, const Object &b) {
    return std::make_tuple(rank(a.kind), std::cref(a.kind), std::cref(a.name)) <
           std::make_tuple(rank(b.kind), std::cref(b.kind), std::cref(b.name));
}

bool is_relation(const Object &object) { return object.kind == "table" || object.kind == "view"; }

bool in_identifier(char c) {
    return c == '_' || c == '$' || c == '"' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}

// Returns the length of the name at the start of `text`, in bytes.
std::size_t length_of_name(std::string_view text) {
    std::size_t length = 0;
    if (!text.starts_with('"')) {
        while (length < text.size() && in_identifier(text[length])) ++length;
        return length;
    }
    // A quote inside a quoted name is doubled.
    for (length = 1; length < text.size(); ++length) {
        if (text[length] != '"') continue;
        if (text.substr(length + 1, 1) != "\"") break;
        ++length;
    }
    return std::min(length + 1, text.size());
}

// Returns the length of the literal, quoted name or comment at the start of `sql`, or 0 if there is
// none.
std::size_t length_of_opaque(std::string_view sql) {
    auto to = [&](std::string_view end) {
        auto at = sql.find(end, 1);
        return at == sql.npos ? sql.size() : at + end.size();
    };
    if (sql.starts_with('\'')) return to("'");
    if (sql.starts_with('"')) return to("\"");
    if (sql.starts_with("--")) return to("\n");
    return 0;
}

// Removes the table aliases before the columns of a view. For a view of a single table, PostgreSQL
// 15 prints them and PostgreSQL 16 does not.
std::string without_aliases(std::string_view definition) {
    std::string text;
    while (!definition.empty()) {
        std::size_t length = 0;
        while (length < definition.size() && in_identifier(definition[length])) ++length;
        bool is_alias = length > 0 && length + 1 < definition.size() && definition[length] == '.' &&
                        in_identifier(definition[length + 1]);
        if (!is_alias) text += definition.substr(0, std::max<std::size_t>(length, 1));
        definition.remove_prefix(is_alias ? length + 1 : std::max<std::size_t>(length, 1));
    }
    return text;
}

bool is_same(const Object &a, const Object &b) {
    if (a.kind == "view") return without_aliases(a.definition) == without_aliases(b.definition);
    return a.definition == b.definition;
}

}  // namespace

std::string_view Object::relation() const {
    std::string_view whole = name;
    if (is_relation(*this)) return whole;
    return whole.substr(0, length_of_name(whole));
}

void sort(Shape &shape) { std::sort(shape.begin(), shape.end(), before); }

Result<Shape> parse_shape(std::string_view description) {
    Shape shape;
    std::set<std::string_view> seen;  // "kind name"
    for (int number = 1; !description.empty(); ++number) {
        auto line = description.substr(0, description.find('\n'));
        description.remove_prefix(std::min(description.size(), line.size() + 1));
        if (line.empty()) continue;
        auto space = line.find(' ');
        auto colon = line.find(": ");
        if (space == line.npos || colon == line.npos || space == 0 || colon <= space + 1)
            return Error{ErrorKind::malformed_script, "line " + std::to_string(number) + " of a shape is not an object",
                         "The line is \"" + std::string(line) + "\"."};
        if (!seen.insert(line.substr(0, colon)).second)
            return Error{ErrorKind::malformed_script, "line " + std::to_string(number) + " of a shape has " +
                                                          std::string(line.substr(0, colon)) + " twice"};
        shape.push_back({std::string(line.substr(0, space)), std::string(line.substr(space + 1, colon - space - 1)),
                         std::string(line.substr(colon + 2))});
    }
    sort(shape);
    return shape;
}

std::string describe(const Object &object) { return object.kind + " " + object.name + ": " + object.definition; }

std::string mark_schemas(std::string_view definition, std::span<const Namespace> namespaces) {
    // Whether the text starts with "schema.name", where `space` has the schema and the name.
    auto is_qualified_here = [&](const Namespace &space) {
        std::string_view rest = definition;
        if (!rest.starts_with(space.schema) || rest.substr(space.schema.size(), 1) != ".") return false;
        rest.remove_prefix(space.schema.size() + 1);
        std::size_t length = length_of_name(rest);
        return space.names.contains(rest.substr(0, length)) &&
               (!space.is_of_functions || rest.substr(length, 1) == "(");
    };
    std::string result;
    while (!definition.empty()) {
        // A name after a dot is part of a longer name: in "x.s.t", s is not a schema.
        if (result.empty() || !(in_identifier(result.back()) || result.back() == '.')) {
            auto found = std::find_if(namespaces.begin(), namespaces.end(), is_qualified_here);
            if (found != namespaces.end()) {
                definition.remove_prefix(found->schema.size());
                result += found->mark;
            }
        }
        // Skip literals, quoted names and comments: they do not contain schemas.
        std::size_t length = std::max<std::size_t>(length_of_opaque(definition), 1);
        result += definition.substr(0, length);
        definition.remove_prefix(length);
    }
    return result;
}

std::string place_schemas(std::string_view sql, std::string_view store, std::string_view extension) {
    std::string placed;
    while (!sql.empty()) {
        if (sql.starts_with(store_mark)) {
            placed += store;
            sql.remove_prefix(store_mark.size());
        } else if (sql.starts_with(extension_mark)) {
            placed += extension;
            sql.remove_prefix(extension_mark.size());
        } else {
            std::size_t length = std::max<std::size_t>(length_of_opaque(sql), 1);
            placed += sql.substr(0, length);
            sql.remove_prefix(length);
        }
    }
    return placed;
}

std::string unmarked(std::string_view definition) {
    std::string text;
    while (!definition.empty()) {
        std::size_t marked = 0;
        for (std::string_view mark : {store_mark, extension_mark})
            if (definition.starts_with(mark) && definition.substr(mark.size(), 1) == ".") marked = mark.size() + 1;
        if (marked == 0) text += definition.front();
        definition.remove_prefix(std::max<std::size_t>(marked, 1));
    }
    return text;
}

std::string Difference::text() const {
    switch (kind) {
        case Kind::missing:
            return "missing " + unmarked(describe(should_be));
        case Kind::extra:
            return "extra " + unmarked(describe(is));
        case Kind::different:
            break;
    }
    return "different " + unmarked(describe(is)) + ", should be " + unmarked(should_be.definition);
}

std::vector<Difference> compare(const Shape &is, const Shape &should_be) {
    std::vector<Difference> differences;
    std::set<std::string_view> missing_relations;
    for (const Object &object : should_be)
        if (is_relation(object) && !std::binary_search(is.begin(), is.end(), object, before))
            missing_relations.insert(object.relation());
    auto left = is.begin();
    auto right = should_be.begin();
    while (left != is.end() || right != should_be.end()) {
        if (right == should_be.end() || (left != is.end() && before(*left, *right))) {
            differences.push_back({Difference::Kind::extra, *left, {}});
            ++left;
        } else if (left == is.end() || before(*right, *left)) {
            if (is_relation(*right) || !missing_relations.contains(right->relation()))
                differences.push_back({Difference::Kind::missing, {}, *right});
            ++right;
        } else {
            if (!is_same(*left, *right)) differences.push_back({Difference::Kind::different, *left, *right});
            ++left;
            ++right;
        }
    }
    return differences;
}

std::vector<Difference> violations(std::vector<Difference> differences) {
    std::erase_if(differences, [](const Difference &difference) { return difference.kind == Difference::Kind::extra; });
    return differences;
}

std::string list(const std::vector<Difference> &differences) {
    std::string lines;
    for (const Difference &difference : differences) {
        if (!lines.empty()) lines += '\n';
        lines += difference.text();
    }
    return lines;
}

std::vector<Loss> losses(const Shape &from, const Shape &to) {
    std::vector<Loss> lost;
    std::set<std::string_view> lost_tables;
    for (const Difference &difference : compare(to, from)) {
        // An object that only `from` has is missing from `to`.
        if (difference.kind != Difference::Kind::missing) continue;
        const Object &object = difference.should_be;
        if (object.kind == "table") {
            lost_tables.insert(object.relation());
            lost.push_back({object.name, {}});
        } else if (object.kind == "column" && !lost_tables.contains(object.relation())) {
            lost.push_back({std::string(object.relation()), object.name.substr(object.relation().size() + 1)});
        }
    }
    return lost;
}

}  // namespace discovery::core
