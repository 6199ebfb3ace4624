// Finds what an object needs by the tokens of its definition.
#include "core/dependence.hpp"

#include <algorithm>

#include "core/column.hpp"
#include "core/tokens.hpp"

namespace discovery::core {
namespace {

using TokenKind = Token::Kind;

void collect(std::string_view sql, Names &names) {
    bool is_in_store = false;  // whether "@store@." comes just before
    while (!sql.empty()) {
        if (sql.starts_with(store_mark) && sql.substr(store_mark.size(), 1) == ".") {
            sql.remove_prefix(store_mark.size() + 1);
            is_in_store = true;
            continue;
        }
        Token token = first_token(sql);
        sql.remove_prefix(token.text.size());
        if (token.kind == TokenKind::word || token.kind == TokenKind::quoted) {
            if (is_in_store) names.mentioned.emplace(token.text);
            names.words.emplace(token.text);
        } else if (is_name_literal(token, sql)) {
            collect(content_of(token.text), names);
        }
        is_in_store = false;
    }
}

// Returns the items between the first brackets from `from` on, sorted.
std::vector<std::string> list_in_brackets(std::string_view sql, std::size_t from) {
    auto open = from > sql.size() ? sql.npos : sql.find('(', from);
    if (open == sql.npos) return {};
    int depth = 0;
    std::size_t end = open;
    while (end < sql.size()) {
        Token token = first_token(sql.substr(end));
        if (token.text == "(") ++depth;
        if (token.text == ")" && --depth == 0) break;
        end += token.text.size();
    }
    auto items = split_list(sql.substr(open + 1, std::min(end, sql.size()) - open - 1));
    std::sort(items.begin(), items.end());
    return items;
}

bool is_unique(const Object &object) {
    if (object.kind == "index") return object.definition.starts_with("CREATE UNIQUE INDEX");
    return object.kind == "constraint" &&
           (object.definition.starts_with("PRIMARY KEY") || object.definition.starts_with("UNIQUE"));
}

bool is_setting_of_column(const Object &object) {
    constexpr std::string_view kinds[] = {"comment", "storage", "compression", "target", "sampling"};
    return std::find(std::begin(kinds), std::end(kinds), object.kind) != std::end(kinds);
}

}  // namespace

Names names_of(const Object &object) {
    Names names;
    names.object = &object;
    names.part = part_of(object);
    names.relation = object.relation();
    if (stands_alone(object)) names.relation = object.name;
    const std::string &definition = object.definition;
    if (is_text(object) || object.kind == "order") return names;
    if (object.kind == "column") {
        // The type and the default name no column; only the expression of a generated column does.
        Column column = take_apart(definition);
        Names rest;
        collect(definition, rest);
        names.mentioned = rest.mentioned;
        collect(column.generated, names);
        return names;
    }
    collect(definition, names);
    constexpr std::string_view foreign_key = "FOREIGN KEY", references = "REFERENCES @store@.", usings = " USING ";
    if (object.kind == "constraint") names.columns = list_in_brackets(definition, 0);
    if (object.kind == "index") names.columns = list_in_brackets(definition, definition.find(usings));
    auto at = definition.find(references);
    if (object.kind == "constraint" && definition.starts_with(foreign_key) && at != definition.npos) {
        std::string_view rest = std::string_view(definition).substr(at + references.size());
        if (!rest.empty()) names.target = first_token(rest).text;
        names.referenced = list_in_brackets(definition, at);
    }
    return names;
}

bool needs(const Names &a, const Names &b) {
    const Object &one = *a.object, &other = *b.object;
    if (stands_alone(other)) {
        bool is_on_it =
            !stands_alone(one) && (one.name == other.name || (is_relation(other) && a.relation == b.relation));
        std::string_view bare = b.relation;
        if (other.kind == "function" || other.kind == "procedure") bare = bare.substr(0, bare.find('('));
        return is_on_it || a.mentioned.contains(std::string(bare));
    }
    if (one.kind == "order" || other.kind == "order") return false;
    if (other.kind == "column") {
        if (is_setting_of_column(one)) return one.name == other.name;
        if (is_text(one)) return false;
        return (a.relation == b.relation || a.mentioned.contains(b.relation)) && a.words.contains(b.part);
    }
    if (one.kind.starts_with("comment-") || one.kind == "parameters") return one.name == other.name;
    if (is_unique(other) && a.target == b.relation && !a.target.empty()) {
        if (other.kind == "index" && other.definition.find(" WHERE ") != std::string::npos) return false;
        return a.referenced == b.columns;
    }
    if (other.kind == "constraint" || other.kind == "index")
        return (one.kind == "cluster" || one.kind == "replication") && a.relation == b.relation &&
               a.words.contains(b.part);
    return false;
}

}  // namespace discovery::core
