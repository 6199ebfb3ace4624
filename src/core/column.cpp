// Takes definitions apart, and alters columns.
#include "core/column.hpp"

#include <algorithm>
#include <map>

#include "core/tokens.hpp"

namespace discovery::core {
namespace {

using TokenKind = Token::Kind;

constexpr std::string_view not_null = " NOT NULL", not_valid = " NOT VALID", invalid = " INVALID",
                           identity = " AS IDENTITY";

// Calls `visit` for each token outside brackets, with its position, until it returns true.
template <class Visit>
void each_outside_brackets(std::string_view sql, Visit visit) {
    int depth = 0;
    for (std::size_t at = 0; at < sql.size();) {
        Token token = first_token(sql.substr(at));
        bool is_other = token.kind == TokenKind::other;
        if (is_other && (token.text == ")" || token.text == "]")) --depth;
        if (depth == 0 && visit(token, at)) return;
        if (is_other && (token.text == "(" || token.text == "[")) ++depth;
        at += token.text.size();
    }
}

// The position and length of " WITH (...)" in the definition of an index; length 0 if it has none.
std::pair<std::size_t, std::size_t> find_parameters(std::string_view definition) {
    std::size_t begin = definition.npos, end = definition.npos;
    each_outside_brackets(definition, [&](const Token &token, std::size_t at) {
        if (token.kind == TokenKind::word && token.text == "WITH" && begin == definition.npos) begin = at;
        if (begin != definition.npos && token.text == ")") end = at + 1;
        return end != definition.npos || (token.kind == TokenKind::word && token.text == "WHERE");
    });
    if (end == definition.npos || begin == 0) return {definition.size(), 0};
    return {begin - 1, end - begin + 1};
}

// The name of a type without its length, precision, collation and array bounds.
std::string_view base_of(std::string_view type) {
    if (type.ends_with("[]")) return type;
    type = type.substr(0, type.find(" COLLATE "));
    if (type.starts_with("timestamp")) return type.ends_with("with time zone") ? "timestamptz" : "timestamp";
    return type.substr(0, type.find('('));
}

// The USING clause that a change of the type needs; empty if PostgreSQL converts the values by itself.
std::string using_clause(const std::string &column, const std::string &from, const std::string &to) {
    constexpr std::string_view texts[] = {"text", "character varying", "character"};
    constexpr std::string_view numbers[] = {"smallint", "integer", "bigint", "numeric", "real", "double precision"};
    auto is_of = [](const auto &family, std::string_view type) {
        return std::find(std::begin(family), std::end(family), type) != std::end(family);
    };
    std::string_view before = base_of(from), after = base_of(to);
    if (before == after || is_of(texts, after) || (is_of(numbers, before) && is_of(numbers, after))) return {};
    bool is_time = before.starts_with("timestamp") && after.starts_with("timestamp");
    if (is_time) return " USING " + column + " AT TIME ZONE 'UTC'";
    return " USING " + column + "::" + to.substr(0, to.find(" COLLATE "));
}

// The options of an identity column, by their keywords.
std::map<std::string, std::string> identity_options(std::string_view generated) {
    std::map<std::string, std::string> options;
    auto open = generated.find('(');
    if (open == generated.npos) return options;
    std::string_view list = generated.substr(open + 1, generated.size() - open - 2);
    auto next_word = [&] {
        std::string_view word = list.substr(0, list.find(' '));
        list.remove_prefix(std::min(list.size(), word.size() + 1));
        return std::string(word);
    };
    while (!list.empty()) {
        std::string name = next_word();
        if (name == "START" || name == "INCREMENT" || name == "SEQUENCE") name += " " + next_word();
        std::string value = name == "CYCLE" ? "" : next_word();
        options[name] = value.empty() ? name : name + " " + value;
    }
    return options;
}

// The words after ALTER COLUMN c that turn one identity into another.
std::string change_identity(std::string_view from, std::string_view to) {
    const std::map<std::string, std::string> usual = {
        {"START WITH", "START WITH 1"}, {"INCREMENT BY", "INCREMENT BY 1"},
        {"MINVALUE", "NO MINVALUE"},    {"MAXVALUE", "NO MAXVALUE"},
        {"CACHE", "CACHE 1"},           {"CYCLE", "NO CYCLE"}};
    auto kind = [](std::string_view generated) { return generated.substr(0, generated.find(identity)); };
    std::string words;
    if (kind(from) != kind(to)) words += " SET " + std::string(kind(to));
    auto before = identity_options(from), after = identity_options(to);
    for (const auto &[name, text] : usual) {
        auto old = before.contains(name) ? before[name] : text, now = after.contains(name) ? after[name] : text;
        if (old != now) words += " SET " + now;
    }
    return words.empty() ? words : words.substr(1);
}

}  // namespace

bool Column::is_identity() const { return generated.find(identity) != generated.npos; }

Column take_apart(std::string_view definition) {
    Column column;
    std::size_t end = definition.size();
    each_outside_brackets(definition, [&](const Token &token, std::size_t at) {
        bool is_default = token.text == "DEFAULT", is_generated = token.text == "GENERATED";
        if (token.kind != TokenKind::word || at == 0 || !(is_default || is_generated)) return false;
        end = at - 1;
        if (is_default)
            column.default_value = definition.substr(std::min(definition.size(), at + token.text.size() + 1));
        else
            column.generated = definition.substr(at);
        return true;
    });
    definition = definition.substr(0, end);
    if (definition.ends_with(not_valid)) {
        column.is_valid = false;
        definition.remove_suffix(not_valid.size());
    }
    if (definition.ends_with(not_null)) {
        column.is_not_null = true;
        definition.remove_suffix(not_null.size());
    }
    column.type = definition;
    return column;
}

Stated without_state(std::string_view definition) {
    for (std::string_view state : {"DISABLED", "ENABLED REPLICA", "ENABLED ALWAYS"})
        if (definition.size() > state.size() && definition.ends_with(state) &&
            definition[definition.size() - state.size() - 1] == ' ')
            return {definition.substr(0, definition.size() - state.size() - 1), state};
    return {definition, {}};
}

Owned without_owner(std::string_view definition) {
    constexpr std::string_view mark = " OWNER ", instead = " INSTEAD OF ";
    auto at = definition.rfind(mark);
    if (at == definition.npos) return {definition, {}};
    auto of = definition.find(instead, at);
    if (of == definition.npos) return {definition, {}};
    return {definition.substr(0, at), definition.substr(of + instead.size())};
}

std::string_view without_invalid(std::string_view definition) {
    if (definition.ends_with(invalid)) definition.remove_suffix(invalid.size());
    return definition;
}

std::string without_parameters(std::string_view definition) {
    std::string text(without_invalid(definition));
    auto [at, length] = find_parameters(text);
    text.erase(at, length);
    return text;
}

std::string parameters_of(std::string_view index) {
    auto [at, length] = find_parameters(index);
    if (length == 0) return {};
    std::string_view words = index.substr(at, length);
    auto open = words.find('(');
    return std::string(words.substr(open + 1, words.size() - open - 2));
}

std::vector<std::string> split_list(std::string_view list) {
    std::vector<std::string> items;
    std::size_t begin = 0;
    auto add = [&](std::size_t end) {
        while (begin < end && list[begin] == ' ') ++begin;
        if (end > begin) items.emplace_back(list.substr(begin, end - begin));
    };
    each_outside_brackets(list, [&](const Token &token, std::size_t at) {
        if (token.kind == TokenKind::other && token.text == ",") {
            add(at);
            begin = at + 1;
        }
        return false;
    });
    add(list.size());
    return items;
}

std::string opposite_of_security(std::string_view actions) {
    std::string opposite;
    for (const std::string &action : split_list(actions))
        opposite += (opposite.empty() ? "" : ", ") +
                    std::string(action.starts_with("ENABLE") ? "DISABLE" : "NO FORCE") + " ROW LEVEL SECURITY";
    return opposite;
}

std::vector<Repair> change_column(const Object &is, const Object &should_be) {
    Column from = take_apart(is.definition), to = take_apart(should_be.definition);
    bool was_identity = from.is_identity(), is_identity = to.is_identity();
    if (from.generated != to.generated && !to.generated.empty() && !is_identity) return {};
    // The type of a generated column can be changed, but a cast of its values makes no sense.
    bool is_computed = !to.generated.empty() && !is_identity;
    if (is_computed && from.type != to.type) return {};
    std::string column = "ALTER COLUMN " + part_of(is) + " ", actions, comment;
    auto add = [&](const std::string &action) { actions += (actions.empty() ? "" : ", ") + column + action; };
    if (was_identity && !is_identity) add("DROP IDENTITY");
    if (!was_identity && !from.generated.empty() && from.generated != to.generated) add("DROP EXPRESSION");
    if (was_identity && is_identity && from.generated != to.generated)
        if (std::string words = change_identity(from.generated, to.generated); !words.empty()) add(words);
    bool has_default = !from.default_value.empty();
    bool is_retyped = from.type != to.type;
    if (is_retyped) {
        std::string conversion = using_clause(part_of(is), from.type, to.type);
        // The old default may not be valid for the new type, or becomes another expression.
        if (has_default && (from.default_value != to.default_value || !conversion.empty())) add("DROP DEFAULT");
        add("TYPE " + to.type + conversion);
        if (!conversion.empty())
            comment = "Taken for a plain conversion of the values: write another USING if it is not.";
        has_default = has_default && from.default_value == to.default_value && conversion.empty();
    }
    if (from.default_value != to.default_value || (is_retyped && !to.default_value.empty() && !has_default))
        add(to.default_value.empty() ? "DROP DEFAULT" : "SET DEFAULT " + to.default_value);
    if (from.is_not_null != to.is_not_null || (to.is_not_null && !from.is_valid && to.is_valid))
        add(to.is_not_null ? "SET NOT NULL" : "DROP NOT NULL");
    if (is_identity && !was_identity) add("ADD " + to.generated);
    if (actions.empty()) return {};
    return {{"ALTER TABLE " + on_store(is.relation()) + " " + actions, comment}};
}

}  // namespace discovery::core
