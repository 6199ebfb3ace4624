// Reads, writes and compares shapes.
#include "core/shape.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <tuple>

#include "core/definition.hpp"
#include "core/tokens.hpp"

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

// Removes the table aliases before the columns of a view. For a view of a single table, PostgreSQL
// 15 prints them and PostgreSQL 16 does not.
std::string without_aliases(std::string_view definition) {
    std::string text;
    auto is_name = [](const Token &token) {
        return token.kind == Token::Kind::word || token.kind == Token::Kind::quoted;
    };
    while (!definition.empty()) {
        Token token = first_token(definition);
        std::string_view rest = definition.substr(token.text.size());
        bool is_alias =
            is_name(token) && rest.size() > 1 && rest.front() == '.' && is_name(first_token(rest.substr(1)));
        if (!is_alias) text += token.text;
        definition.remove_prefix(token.text.size() + (is_alias ? 1 : 0));
    }
    return text;
}

bool is_same(const Object &a, const Object &b, Detail detail) {
    if (a.kind == "index" && detail == Detail::store)
        return without_parameters(a.definition) == without_parameters(b.definition) &&
               (without_invalid(a.definition) == a.definition) == (without_invalid(b.definition) == b.definition);
    if (a.kind == "view") return without_aliases(a.definition) == without_aliases(b.definition);
    return a.definition == b.definition;
}

// Escapes newlines and backslashes, so that an object is one line.
std::string escaped(std::string_view text) {
    std::string result;
    for (char c : text) {
        if (c == '\n')
            result += "\\n";
        else if (c == '\r')
            result += "\\r";
        else if (c == '\\')
            result += "\\\\";
        else
            result += c;
    }
    return result;
}

// The opposite of escaped(). Returns nullopt if a backslash has another byte after it.
std::optional<std::string> unescaped(std::string_view text) {
    std::string result;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '\\') {
            result += text[at];
            continue;
        }
        char c = ++at < text.size() ? text[at] : '\0';
        if (c != 'n' && c != 'r' && c != '\\') return std::nullopt;
        result += c == 'n' ? '\n' : c == 'r' ? '\r' : c;
    }
    return result;
}

// Returns the position of the ": " after the name of an object, which may be quoted and then may
// contain anything. A quote that is not closed is a byte like any other.
std::size_t end_of_name(std::string_view line) {
    for (std::size_t at = 0; at < line.size();) {
        if (line.substr(at, 2) == ": ") return at;
        std::size_t length = line[at] == '"' ? length_of_name(line.substr(at)) : 1;
        bool is_closed = length > 1 && line[at + length - 1] == '"';
        at += is_closed ? length : 1;
    }
    return line.npos;
}

}  // namespace

std::string_view Object::relation() const {
    std::string_view whole = name;
    if (stands_alone(*this)) return whole;
    return whole.substr(0, length_of_name(whole));
}

bool is_text(const Object &object) { return object.kind.starts_with("comment"); }

void sort(Shape &shape) { std::sort(shape.begin(), shape.end(), before); }

Result<Shape> parse_shape(std::string_view description) {
    Shape shape;
    std::set<std::string_view> seen;  // "kind name"
    for (int number = 1; !description.empty(); ++number) {
        auto line = description.substr(0, description.find('\n'));
        description.remove_prefix(std::min(description.size(), line.size() + 1));
        if (line.empty()) continue;
        auto space = line.find(' ');
        auto colon = space == line.npos ? line.npos : end_of_name(line.substr(space));
        if (colon != line.npos) colon += space;
        auto name = colon == line.npos ? std::nullopt : unescaped(line.substr(space + 1, colon - space - 1));
        auto definition = colon == line.npos ? std::nullopt : unescaped(line.substr(colon + 2));
        if (!name || !definition || space == 0 || colon <= space + 1)
            return Error{ErrorKind::malformed_script, "line " + std::to_string(number) + " of a shape is not an object",
                         "The line is \"" + std::string(line) + "\"."};
        if (!seen.insert(line.substr(0, colon)).second)
            return Error{ErrorKind::malformed_script, "line " + std::to_string(number) + " of a shape has " +
                                                          std::string(line.substr(0, colon)) + " twice"};
        shape.push_back({std::string(line.substr(0, space)), std::move(*name), std::move(*definition)});
    }
    sort(shape);
    return shape;
}

std::string describe(const Object &object) {
    return object.kind + " " + escaped(object.name) + ": " + escaped(object.definition);
}

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
        if (definition.empty()) break;
        // Skip literals, quoted names and comments: they do not contain schemas.
        Token token = first_token(definition);
        definition.remove_prefix(token.text.size());
        if (is_name_literal(token, definition))
            result += literal_of(mark_schemas(content_of(token.text), namespaces));
        else
            result += token.text;
    }
    return result;
}

std::string place_marks(std::string_view sql, std::span<const Mark> values) {
    std::string placed;
    while (!sql.empty()) {
        auto found =
            std::find_if(values.begin(), values.end(), [&](const Mark &mark) { return sql.starts_with(mark.name); });
        if (found != values.end()) {
            placed += found->value;
            sql.remove_prefix(found->name.size());
            continue;
        }
        Token token = first_token(sql);
        sql.remove_prefix(token.text.size());
        if (is_name_literal(token, sql)) {
            placed += literal_of(place_marks(content_of(token.text), values));
        } else if (std::size_t tag = length_of_dollar_tag(token.text);
                   tag > 0 && token.text.size() >= 2 * tag && token.text.ends_with(token.text.substr(0, tag))) {
            // The body of a DO or a function is SQL.
            std::string_view body = token.text.substr(tag, token.text.size() - 2 * tag);
            (placed += token.text.substr(0, tag)) += place_marks(body, values);
            placed += token.text.substr(0, tag);
        } else {
            placed += token.text;
        }
    }
    return placed;
}

std::string place_schemas(std::string_view sql, std::string_view store, std::string_view extension) {
    const Mark values[] = {{store_mark, store}, {extension_mark, extension}};
    return place_marks(sql, values);
}

std::string unmarked(std::string_view definition) {
    std::string text;
    while (!definition.empty()) {
        std::size_t marked = 0;
        for (std::string_view mark : {store_mark, extension_mark})
            if (definition.starts_with(mark) && definition.substr(mark.size(), 1) == ".") marked = mark.size() + 1;
        if (marked > 0) {
            definition.remove_prefix(marked);
            continue;
        }
        Token token = first_token(definition);
        definition.remove_prefix(token.text.size());
        text +=
            is_name_literal(token, definition) ? literal_of(unmarked(content_of(token.text))) : std::string(token.text);
    }
    return text;
}

Object unmarked(const Object &object) {
    return {object.kind, object.name, is_text(object) ? object.definition : unmarked(object.definition)};
}

std::string Difference::text() const {
    switch (kind) {
        case Kind::missing:
            return "missing " + describe(unmarked(should_be));
        case Kind::extra:
            return "extra " + describe(unmarked(is));
        case Kind::different:
            break;
    }
    return "different " + describe(unmarked(is)) + ", should be " + escaped(unmarked(should_be).definition);
}

namespace {

std::vector<Difference> compare_all(const Shape &is, const Shape &should_be, Detail detail) {
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
            if (!is_same(*left, *right, detail)) differences.push_back({Difference::Kind::different, *left, *right});
            ++left;
            ++right;
        }
    }
    return differences;
}

}  // namespace

bool is_tuning(const Object &object) {
    constexpr std::string_view kinds[] = {"order",       "storage",   "compression", "target",   "sampling",
                                          "options",     "cluster",   "parameters",  "security", "policy",
                                          "replication", "ownership", "statistics"};
    return object.kind.starts_with("comment-") ||
           std::find(std::begin(kinds), std::end(kinds), object.kind) != std::end(kinds);
}

std::vector<Difference> compare(const Shape &is, const Shape &should_be, Detail detail) {
    if (detail == Detail::store) {
        auto without_tuning = [](Shape shape) {
            std::erase_if(shape, is_tuning);
            return shape;
        };
        return compare_all(without_tuning(is), without_tuning(should_be), detail);
    }
    return compare_all(is, should_be, detail);
}

namespace {

const Object *find_object(const Shape &shape, std::string_view kind, std::string_view name) {
    for (const Object &object : shape)
        if (object.kind == kind && object.name == name) return &object;
    return nullptr;
}

std::string_view without_default(std::string_view definition) {
    return definition.substr(0, definition.find(" DEFAULT "));
}

}  // namespace

std::vector<Difference> conflicts(const Shape &is, const Shape &before, const Shape &after,
                                  const std::set<std::string, std::less<>> &added_columns) {
    std::vector<Difference> found;
    for (Difference &difference : compare(is, after)) {
        if (difference.kind == Difference::Kind::extra) continue;
        const Object &wanted = difference.should_be;
        if (find_object(before, wanted.kind, wanted.name) != nullptr) continue;
        bool is_different = difference.kind == Difference::Kind::different;
        // Missing from a table that the step would make, but somebody has made otherwise.
        bool is_lacking = !is_different && find_object(before, "table", wanted.relation()) == nullptr;
        if (wanted.kind == "table" && !is_different) {
            for (std::string_view kind : {"view", "matview"})
                if (const Object *other = find_object(is, kind, wanted.name))
                    found.push_back({Difference::Kind::different, *other, wanted});
        } else if (wanted.kind == "column") {
            if (is_different ? without_default(difference.is.definition) != without_default(wanted.definition)
                             : is_lacking && !added_columns.contains(wanted.name))
                found.push_back(std::move(difference));
        } else if (wanted.kind == "table" || wanted.kind == "constraint" || wanted.kind == "index") {
            if (is_different || (is_lacking && wanted.kind == "constraint")) found.push_back(std::move(difference));
        }
    }
    return found;
}

std::vector<Difference> violations(std::vector<Difference> differences) {
    std::erase_if(differences, [](const Difference &difference) {
        return difference.kind == Difference::Kind::extra || is_text(difference.object());
    });
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
            lost.push_back({std::string(object.relation()),
                            object.name.substr(std::min(object.name.size(), object.relation().size() + 1))});
        }
    }
    return lost;
}

}  // namespace discovery::core
