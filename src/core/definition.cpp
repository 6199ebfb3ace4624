// Writes the statements that create, change and drop an object.
#include "core/definition.hpp"

#include <algorithm>
#include <array>

#include "core/column.hpp"
#include "core/tokens.hpp"

namespace discovery::core {
namespace {

std::string alter(const Object &object) { return "ALTER TABLE " + on_store(object.relation()) + " "; }

std::string alter_column(const Object &object) { return alter(object) + "ALTER COLUMN " + part_of(object) + " "; }

bool has(const Shape &shape, std::string_view kind, std::string_view name) {
    return std::any_of(shape.begin(), shape.end(),
                       [&](const Object &object) { return object.kind == kind && object.name == name; });
}

std::string upper(std::string_view word) {
    std::string result;
    for (char c : word) result += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return result;
}

std::string comment_on(const Object &object, const Shape &shape, const std::string &text) {
    std::string part = part_of(object), relation = on_store(object.relation()), target;
    constexpr std::string_view mark = "comment-";
    if (object.kind.starts_with(mark)) {
        std::string kind = upper(std::string_view(object.kind).substr(mark.size()));
        target = kind + " ";
        if (part.empty())
            target += on_store(object.name);
        else if (kind == "INDEX" || kind == "STATISTICS")
            target += on_store(part);
        else
            target += part + " ON " + relation;
    } else if (!part.empty()) {
        target = "COLUMN " + relation + "." + part;
    } else {
        target = (has(shape, "view", object.name)      ? "VIEW "
                  : has(shape, "matview", object.name) ? "MATERIALIZED VIEW "
                                                       : "TABLE ") +
                 relation;
    }
    return "COMMENT ON " + target + " IS " + text;
}

// Creates a table with its columns only. Other statements create the other objects on it.
std::string create_table(const Object &table, const Shape &shape) {
    std::vector<const Object *> columns;
    std::vector<std::string> order;
    for (const Object &object : shape) {
        if (object.relation() != table.name) continue;
        if (object.kind == "column") columns.push_back(&object);
        if (object.kind == "order") order = split_list(object.definition);
    }
    auto position = [&](const Object *column) { return std::find(order.begin(), order.end(), part_of(*column)); };
    std::stable_sort(columns.begin(), columns.end(),
                     [&](const Object *a, const Object *b) { return position(a) < position(b); });
    std::string list;
    for (const Object *column : columns)
        list += (list.empty() ? "" : ", ") + part_of(*column) + " " + column->definition;
    bool is_unlogged = without_owner(table.definition).definition.ends_with("unlogged");
    return (is_unlogged ? "CREATE UNLOGGED TABLE " : "CREATE TABLE ") + on_store(table.name) + " (" + list + ")";
}

// "ALTER TABLE ... ENABLE ALWAYS TRIGGER ..." for a trigger or rule; empty for the usual state.
std::string set_state(const Object &object, std::string_view state, bool is_usual_too) {
    if (state.empty() && !is_usual_too) return {};
    std::string_view word = state.empty()                ? "ENABLE"
                            : state == "DISABLED"        ? "DISABLE"
                            : state == "ENABLED REPLICA" ? "ENABLE REPLICA"
                                                         : "ENABLE ALWAYS";
    return alter(object) + std::string(word) + " " + upper(object.kind) + " " + part_of(object);
}

// Returns the names in "a='1', b='2'".
std::string names_of_options(std::string_view options) {
    std::string names;
    for (const std::string &option : split_list(options))
        names += (names.empty() ? "" : ", ") + option.substr(0, option.find('='));
    return names;
}

// What is set on a table, column or index: the statement before the value, and the one that undoes it.
struct Setting {
    std::string set;
    std::string undo;
};

Setting setting(const Object &object) {
    constexpr std::string_view instead = " INSTEAD OF ";
    const std::string &value = object.definition;
    if (object.kind == "storage") {
        auto at = value.find(instead);
        std::string usual = at == value.npos ? "EXTENDED" : value.substr(at + instead.size());
        return {alter_column(object) + "SET STORAGE " + value.substr(0, at),
                alter_column(object) + "SET STORAGE " + usual};
    }
    if (object.kind == "compression")
        return {alter_column(object) + "SET COMPRESSION " + value, alter_column(object) + "SET COMPRESSION DEFAULT"};
    if (object.kind == "target")
        return {alter_column(object) + "SET STATISTICS " + value, alter_column(object) + "SET STATISTICS -1"};
    std::string reset = "RESET (" + names_of_options(value) + ")", set = "SET (" + value + ")";
    if (object.kind == "sampling") return {alter_column(object) + set, alter_column(object) + reset};
    if (object.kind == "options") return {alter(object) + set, alter(object) + reset};
    if (object.kind == "parameters") {
        std::string index = "ALTER INDEX " + on_store(part_of(object)) + " ";
        return {index + set, index + reset};
    }
    if (object.kind == "cluster") return {alter(object) + "CLUSTER ON " + value, alter(object) + "SET WITHOUT CLUSTER"};
    if (object.kind == "replication")
        return {alter(object) + "REPLICA IDENTITY " + value, alter(object) + "REPLICA IDENTITY DEFAULT"};
    if (object.kind == "security") return {alter(object) + value, alter(object) + opposite_of_security(value)};
    if (object.kind == "ownership") {
        std::string sequence = "ALTER SEQUENCE " + on_store(object.name) + " OWNED BY ";
        return {sequence + value, sequence + "NONE"};
    }
    return {};
}

// Changes what a table is as a whole: its owner, whether it is logged, its parents.
std::vector<Repair> change_table(const Object &is, const Object &should_be) {
    std::vector<Repair> statements;
    auto [from, owner] = without_owner(is.definition);
    std::string_view to = without_owner(should_be.definition).definition;
    if (!owner.empty()) statements.push_back({alter(is) + "OWNER TO " + std::string(owner)});
    for (auto [word, action] : {std::pair{"inheritance child of ", "NO INHERIT "}, std::pair{"partition of ", ""}}) {
        if (!from.starts_with(word) || to.starts_with(word)) continue;
        from.remove_prefix(std::string_view(word).size());
        // The last word says whether the table is logged; before it stand the parents.
        auto at = from.rfind(' ');
        if (at == from.npos) return {};
        for (const std::string &parent : split_list(from.substr(0, at)))
            statements.push_back({*action ? alter(is) + action + parent
                                          : "ALTER TABLE " + parent + " DETACH PARTITION " + on_store(is.name)});
        from.remove_prefix(at + 1);
    }
    if (from == "unlogged" && to == "permanent")
        statements.push_back({alter(is) + "SET LOGGED"});
    else if (from == "permanent" && to == "unlogged")
        statements.push_back({alter(is) + "SET UNLOGGED"});
    else if (from != to)
        return {};
    return statements;
}

std::vector<Repair> change_index(const Object &is, const Object &should_be) {
    if (without_parameters(is.definition) != without_parameters(should_be.definition) ||
        without_invalid(is.definition) != is.definition)
        return {};
    std::vector<Repair> statements;
    std::string index = "ALTER INDEX " + on_store(part_of(is)) + " ";
    if (auto old = parameters_of(is.definition); !old.empty())
        statements.push_back({index + "RESET (" + names_of_options(old) + ")"});
    if (auto now = parameters_of(should_be.definition); !now.empty())
        statements.push_back({index + "SET (" + now + ")"});
    return statements;
}

}  // namespace

bool is_relation(const Object &object) {
    return object.kind == "table" || object.kind == "view" || object.kind == "matview";
}

bool stands_alone(const Object &object) {
    constexpr std::string_view kinds[] = {"type", "domain", "sequence", "function", "procedure"};
    return is_relation(object) || std::find(std::begin(kinds), std::end(kinds), object.kind) != std::end(kinds);
}

std::string on_store(std::string_view name) { return std::string(store_mark) + "." + std::string(name); }

std::string part_of(const Object &object) {
    if (stands_alone(object)) return {};
    std::string_view relation = object.relation();
    bool is_whole = relation.size() == object.name.size() || object.name[relation.size()] != '.';
    return is_whole ? std::string{} : object.name.substr(relation.size() + 1);
}

std::vector<Repair> create(const Object &object, const Shape &shape) {
    const std::string &definition = object.definition, &kind = object.kind;
    if (kind == "table") return {{create_table(object, shape)}};
    if (kind == "column") return {{alter(object) + "ADD COLUMN " + part_of(object) + " " + definition}};
    if (kind == "constraint")
        return {{alter(object) + "ADD CONSTRAINT " + part_of(object) + " " +
                 std::string(without_state(definition).definition)}};
    if (kind == "index") return {{std::string(without_invalid(definition))}};
    if (kind == "trigger" || kind == "rule") {
        auto [statement, state] = without_state(definition);
        std::vector<Repair> statements = {{std::string(statement)}};
        if (std::string set = set_state(object, state, false); !set.empty()) statements.push_back({set});
        return statements;
    }
    if (is_text(object)) return {{comment_on(object, shape, literal_of(definition))}};
    std::string words = std::string(without_owner(definition).definition);
    if (kind == "view") return {{"CREATE VIEW " + on_store(object.name) + " " + words}};
    if (kind == "matview") return {{"CREATE MATERIALIZED VIEW " + on_store(object.name) + " " + words}};
    if (kind == "type" || kind == "domain" || kind == "sequence")
        return {{"CREATE " + upper(kind) + " " + on_store(object.name) + " " + words}};
    if (kind == "function" || kind == "procedure" || kind == "statistics") return {{definition}};
    if (kind == "policy")
        return {{"CREATE POLICY " + part_of(object) + " ON " + on_store(object.relation()) + " " + definition}};
    if (std::string set = setting(object).set; !set.empty()) return {{set}};
    return {};
}

std::string drop(const Object &object, const Shape &shape) {
    const std::string &kind = object.kind;
    if (kind == "table") return "DROP TABLE " + on_store(object.name);
    if (kind == "matview") return "DROP MATERIALIZED VIEW " + on_store(object.name);
    if (stands_alone(object)) return "DROP " + upper(kind) + " " + on_store(object.name);
    if (kind == "column" || kind == "constraint") return alter(object) + "DROP " + upper(kind) + " " + part_of(object);
    if (kind == "index" || kind == "statistics") return "DROP " + upper(kind) + " " + on_store(part_of(object));
    if (kind == "trigger" || kind == "rule" || kind == "policy")
        return "DROP " + upper(kind) + " " + part_of(object) + " ON " + on_store(object.relation());
    if (is_text(object)) return comment_on(object, shape, "NULL");
    return setting(object).undo;
}

std::vector<Repair> change(const Object &is, const Object &should_be, const Shape &shape) {
    const std::string &kind = is.kind;
    if (kind == "column") return change_column(is, should_be);
    if (is_text(is) || kind == "function" || kind == "procedure") return create(should_be, shape);
    if (kind == "table") return change_table(is, should_be);
    if (kind == "index") return change_index(is, should_be);
    if (kind == "view" && without_owner(is.definition).definition == without_owner(should_be.definition).definition)
        return {{"ALTER VIEW " + on_store(is.name) + " OWNER TO " + std::string(without_owner(is.definition).owner)}};
    if (kind == "trigger" || kind == "rule") {
        auto [definition, state] = without_state(should_be.definition);
        if (without_state(is.definition).definition != definition) return {};
        return {{set_state(is, state, true)}};
    }
    if (kind == "constraint" && is.definition == should_be.definition + " NOT VALID")
        return {{alter(is) + "VALIDATE CONSTRAINT " + part_of(is)}};
    if (kind == "type" || kind == "domain" || kind == "sequence")
        return {{"", "Change " + kind + " " + is.name + " by hand: it should be " + unmarked(should_be.definition)}};
    Setting now = setting(should_be);
    if (now.set.empty()) return {};
    bool is_list = kind == "sampling" || kind == "options" || kind == "parameters" || kind == "security";
    if (!is_list) return {{now.set}};
    return {{setting(is).undo}, {now.set}};
}

}  // namespace discovery::core
