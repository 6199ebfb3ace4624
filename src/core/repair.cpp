// Generates the SQL statements between two shapes.
#include "core/repair.hpp"

#include <algorithm>
#include <optional>
#include <set>

namespace discovery::core {
namespace {

using Kind = Difference::Kind;

// The parts of a column definition as PostgreSQL prints it.
struct Column {
    std::string type;  // includes the collation
    bool is_not_null = false;
    std::string generated;      // the GENERATED clause, or empty
    std::string default_value;  // the DEFAULT expression, or empty
};

Column take_apart(std::string_view definition) {
    Column column;
    constexpr std::string_view default_mark = " DEFAULT ", generated_mark = " GENERATED ", not_null = " NOT NULL";
    // A type contains neither of the keywords, so the first one found ends the type.
    auto generated = definition.find(generated_mark), at = definition.find(default_mark);
    if (generated != definition.npos && generated < at) {
        column.generated = definition.substr(generated + 1);
        definition = definition.substr(0, generated);
    } else if (at != definition.npos) {
        column.default_value = definition.substr(at + default_mark.size());
        definition = definition.substr(0, at);
    }
    if (definition.ends_with(not_null)) {
        column.is_not_null = true;
        definition.remove_suffix(not_null.size());
    }
    column.type = definition;
    return column;
}

bool is_relation(const Object &object) { return object.kind == "table" || object.kind == "view"; }

std::string on_store(std::string_view relation) { return std::string(store_mark) + "." + std::string(relation); }

// Returns the name without the relation; empty for a relation.
std::string part_of(const Object &object) {
    std::size_t length = object.relation().size();
    return length == object.name.size() ? std::string{} : object.name.substr(length + 1);
}

std::string alter(const Object &object) { return "ALTER TABLE " + on_store(object.relation()) + " "; }

std::string quoted_text(std::string_view text) {
    std::string result = "'";
    for (char c : text) {
        if (c == '\'') result += c;
        result += c;
    }
    return result + "'";
}

std::string comment_on(const Object &object, const Shape &shape, const std::string &text) {
    auto is_view = [&](const Object &other) { return other.kind == "view" && other.name == object.relation(); };
    std::string part = part_of(object);
    std::string target = !part.empty() ? "COLUMN " + on_store(object.relation()) + "." + part
                         : std::any_of(shape.begin(), shape.end(), is_view) ? "VIEW " + on_store(object.relation())
                                                                            : "TABLE " + on_store(object.relation());
    return "COMMENT ON " + target + " IS " + text;
}

std::string drop(const Object &object, const Shape &shape) {
    if (object.kind == "table") return "DROP TABLE " + on_store(object.name);
    if (object.kind == "view") return "DROP VIEW " + on_store(object.name);
    if (object.kind == "column") return alter(object) + "DROP COLUMN " + part_of(object);
    if (object.kind == "constraint") return alter(object) + "DROP CONSTRAINT " + part_of(object);
    if (object.kind == "index") return "DROP INDEX " + on_store(part_of(object));
    if (object.kind == "trigger") return "DROP TRIGGER " + part_of(object) + " ON " + on_store(object.relation());
    if (object.kind == "rule") return "DROP RULE " + part_of(object) + " ON " + on_store(object.relation());
    if (object.kind == "comment") return comment_on(object, shape, "NULL");
    return {};
}

// Creates a table with its columns only. Other statements create the other objects on it.
std::string create_table(const Object &table, const Shape &shape) {
    std::string columns;
    for (const Object &object : shape)
        if (object.kind == "column" && object.relation() == table.name)
            columns += (columns.empty() ? "" : ", ") + part_of(object) + " " + object.definition;
    return (table.definition == "unlogged" ? "CREATE UNLOGGED TABLE " : "CREATE TABLE ") + on_store(table.name) + " (" +
           columns + ")";
}

std::string create(const Object &object, const Shape &shape) {
    if (object.kind == "table") return create_table(object, shape);
    if (object.kind == "column") return alter(object) + "ADD COLUMN " + part_of(object) + " " + object.definition;
    if (object.kind == "constraint")
        return alter(object) + "ADD CONSTRAINT " + part_of(object) + " " + object.definition;
    if (object.kind == "index" || object.kind == "trigger" || object.kind == "rule") return object.definition;
    if (object.kind == "comment") return comment_on(object, shape, quoted_text(object.definition));
    if (object.kind == "view") return "CREATE VIEW " + on_store(object.name) + " " + object.definition;
    return {};
}

// Alters an existing column. Returns an empty string if the column must become a generated column:
// an expression computes its values then, so the present values cannot be kept.
std::string alter_column(const Object &is, const Object &should_be) {
    constexpr std::string_view identity = " AS IDENTITY";
    Column from = take_apart(is.definition), to = take_apart(should_be.definition);
    bool was_identity = from.generated.ends_with(identity), is_identity = to.generated.ends_with(identity);
    if (from.generated != to.generated && !to.generated.empty() && !is_identity) return {};
    std::string column = "ALTER COLUMN " + part_of(is) + " ", actions;
    auto add = [&](const std::string &action) { actions += (actions.empty() ? "" : ", ") + column + action; };
    if (was_identity && !is_identity) add("DROP IDENTITY");
    if (!was_identity && !from.generated.empty() && from.generated != to.generated) add("DROP EXPRESSION");
    if (was_identity && is_identity && from.generated != to.generated)
        add("SET " + to.generated.substr(0, to.generated.size() - identity.size()));
    bool has_default = !from.default_value.empty();
    if (from.type != to.type) {
        // The old default may not be valid for the new type.
        if (has_default && from.default_value != to.default_value) add("DROP DEFAULT");
        add("TYPE " + to.type);
    }
    if (from.default_value != to.default_value)
        add(to.default_value.empty() ? "DROP DEFAULT" : "SET DEFAULT " + to.default_value);
    if (from.is_not_null != to.is_not_null) add(to.is_not_null ? "SET NOT NULL" : "DROP NOT NULL");
    if (is_identity && !was_identity) add("ADD " + to.generated);
    return alter(is) + actions;
}

// Alters an existing object in place. Returns an empty string if this is not possible.
std::string change(const Difference &difference, const Shape &should_be) {
    if (difference.is.kind == "column") return alter_column(difference.is, difference.should_be);
    if (difference.is.kind == "comment") return create(difference.should_be, should_be);
    if (difference.is.kind == "table" && difference.is.definition == "unlogged" &&
        difference.should_be.definition == "permanent")
        return alter(difference.is) + "SET LOGGED";
    if (difference.is.kind == "table" && difference.is.definition == "permanent" &&
        difference.should_be.definition == "unlogged")
        return alter(difference.is) + "SET UNLOGGED";
    return {};
}

// Whether the object must be dropped and created again. Never true for a table: it has rows.
bool is_remade(const Difference &difference, const Shape &should_be) {
    return difference.kind == Kind::different && difference.is.kind != "table" && change(difference, should_be).empty();
}

// The position of an object in the order of creation. Objects are dropped in the reverse order.
int rank(const Object &object) {
    if (object.kind == "table") return 0;
    if (object.kind == "column") return 1;
    if (object.kind == "constraint") return object.definition.starts_with("FOREIGN KEY") ? 3 : 2;
    if (object.kind == "index") return 4;
    return object.kind == "comment" ? 6 : 5;
}

// Whether the difference can only be repaired while no view uses the column. PostgreSQL does not
// drop a column that a view uses, and does not change its type.
bool disturbs_views(const Difference &difference) {
    if (difference.object().kind != "column") return false;
    if (difference.kind == Kind::different)
        return take_apart(difference.is.definition).type != take_apart(difference.should_be.definition).type ||
               alter_column(difference.is, difference.should_be).empty();
    return difference.kind == Kind::extra;
}

// Returns the views of both shapes that must be dropped and created again because they block the
// repair of another difference. add_companions() adds their comments.
std::vector<Difference> views_in_the_way(const std::vector<Difference> &differences, const Shape &is,
                                         const Shape &should_be) {
    std::vector<Difference> views;
    for (const Object &view : is) {
        if (view.kind != "view") continue;
        auto same = std::find_if(should_be.begin(), should_be.end(),
                                 [&](const Object &other) { return other.kind == "view" && other.name == view.name; });
        bool is_disturbed = std::any_of(differences.begin(), differences.end(), [&](const Difference &difference) {
            auto has = [&](const std::string &text) { return view.definition.find(text) != std::string::npos; };
            return disturbs_views(difference) && has(on_store(difference.object().relation())) &&
                   has(part_of(difference.object()));
        });
        bool is_listed = std::any_of(differences.begin(), differences.end(), [&](const Difference &difference) {
            return difference.object().kind == "view" && difference.object().name == view.name;
        });
        if (same != should_be.end() && is_disturbed && !is_listed) views.push_back({Kind::different, view, *same});
    }
    return views;
}

// Adds the objects that must be created together with another object. For a relation that is
// created or recreated, these are all objects on it except columns. For a recreated column, these
// are its comment and the keys, CHECK constraints and indexes that name it.
void add_companions(std::vector<Difference> &differences, const Shape &should_be) {
    std::set<std::string> relations, columns;
    for (const Difference &difference : differences) {
        if (difference.kind == Kind::extra) continue;
        bool is_made = difference.kind == Kind::missing || is_remade(difference, should_be);
        if (is_made && is_relation(difference.should_be)) relations.insert(difference.should_be.name);
        if (is_remade(difference, should_be) && difference.is.kind == "column") columns.insert(difference.is.name);
    }
    auto names_column = [&](const Object &object) {
        return std::any_of(columns.begin(), columns.end(), [&](const std::string &name) {
            Object column{"column", name, {}};
            return object.relation() == column.relation() &&
                   object.definition.find(part_of(column)) != std::string::npos;
        });
    };
    auto put = [&](Kind kind, const Object &is, const Object &object) {
        std::erase_if(differences, [&](const Difference &other) {
            return other.object().kind == object.kind && other.object().name == object.name;
        });
        differences.push_back({kind, is, object});
    };
    for (const Object &object : should_be) {
        bool stands =
            !is_relation(object) && object.kind != "column" && relations.contains(std::string(object.relation()));
        if (stands || (object.kind == "comment" && columns.contains(object.name))) {
            put(Kind::missing, {}, object);
        } else if ((object.kind == "constraint" || object.kind == "index") && names_column(object)) {
            bool is_listed = std::any_of(differences.begin(), differences.end(), [&](const Difference &other) {
                return other.object().kind == object.kind && other.object().name == object.name;
            });
            if (!is_listed) put(Kind::different, object, object);
        }
    }
}

struct Rename {
    const Object *from;
    const Object *to;
};

// Pairs a dropped column with an added column of the same table, type and GENERATED clause, if
// there is exactly one of each.
std::vector<Rename> find_renames(const std::vector<Difference> &differences) {
    std::vector<Rename> renames;
    auto matches = [](const Object &a, const Object &b) {
        if (a.kind != "column" || b.kind != "column" || a.relation() != b.relation()) return false;
        Column one = take_apart(a.definition), other = take_apart(b.definition);
        return one.type == other.type && one.generated == other.generated;
    };
    for (const Difference &gone : differences) {
        if (gone.kind != Kind::extra || gone.is.kind != "column") continue;
        std::vector<const Object *> candidates;
        int rivals = 0;
        for (const Difference &other : differences) {
            if (other.kind == Kind::missing && matches(gone.is, other.should_be))
                candidates.push_back(&other.should_be);
            if (other.kind == Kind::extra && matches(gone.is, other.is)) ++rivals;
        }
        if (candidates.size() == 1 && rivals == 1) renames.push_back({&gone.is, candidates.front()});
    }
    return renames;
}

}  // namespace

std::vector<Repair> repair(const Shape &is, const Shape &should_be, bool drops_relations) {
    auto differences = compare(is, should_be);
    // Dropping a relation also drops the objects on it.
    std::set<std::string> dropped;
    for (const Difference &difference : differences)
        if (difference.kind == Kind::extra && is_relation(difference.is)) dropped.insert(difference.is.name);
    // The exception is a foreign key to another relation that is dropped or altered. It is dropped
    // by a statement of its own, before that relation changes.
    auto is_tie = [&](const Object &object) {
        return object.definition.starts_with("FOREIGN KEY") &&
               std::any_of(differences.begin(), differences.end(), [&](const Difference &other) {
                   return other.kind != Kind::missing &&
                          (is_relation(other.is) || other.is.kind == "column" || other.is.kind == "constraint") &&
                          other.is.relation() != object.relation() &&
                          object.definition.find("REFERENCES " + on_store(other.is.relation()) + "(") !=
                              std::string::npos;
               });
    };
    auto ties = differences;
    std::erase_if(
        ties, [&](const Difference &difference) { return difference.kind != Kind::extra || !is_tie(difference.is); });
    std::erase_if(differences, [&](const Difference &difference) {
        if (difference.kind != Kind::extra || !dropped.contains(std::string(difference.is.relation()))) return false;
        bool is_kept = is_relation(difference.is) || std::any_of(ties.begin(), ties.end(), [&](const Difference &tie) {
                           return tie.is == difference.is;
                       });
        return !drops_relations || !is_kept;
    });
    for (Difference &view : views_in_the_way(differences, is, should_be)) differences.push_back(std::move(view));
    add_companions(differences, should_be);
    auto renames = find_renames(differences);
    auto is_renamed = [&](const Object &object) {
        return std::any_of(renames.begin(), renames.end(),
                           [&](const Rename &rename) { return *rename.from == object || *rename.to == object; });
    };

    std::stable_sort(differences.begin(), differences.end(),
                     [](const Difference &a, const Difference &b) { return rank(a.object()) < rank(b.object()); });
    std::vector<Repair> statements;
    auto add = [&](std::string statement, std::string comment = {}) {
        if (!statement.empty()) statements.push_back({std::move(statement), std::move(comment)});
    };
    for (auto at = differences.rbegin(); at != differences.rend(); ++at)
        if ((at->kind == Kind::extra || is_remade(*at, should_be)) && !is_renamed(at->is)) add(drop(at->is, is));
    for (const Rename &rename : renames) {
        std::string other = drop(*rename.from, is) + "; " + create(*rename.to, should_be);
        add(alter(*rename.from) + "RENAME COLUMN " + part_of(*rename.from) + " TO " + part_of(*rename.to),
            "Taken for a rename. If it is another column: " + other + ";");
        Object renamed = *rename.from;
        renamed.name = rename.to->name;
        if (renamed.definition != rename.to->definition) add(alter_column(renamed, *rename.to));
    }
    for (const Difference &difference : differences) {
        if (difference.kind == Kind::extra || is_renamed(difference.object())) continue;
        bool is_made = difference.kind == Kind::missing || is_remade(difference, should_be);
        add(is_made ? create(difference.should_be, should_be) : change(difference, should_be));
    }
    return statements;
}

std::string repair(const Difference &difference, const Shape &is, const Shape &should_be) {
    if (difference.kind == Kind::extra) return {};
    // The target is the present shape without this difference.
    const Object &object = difference.should_be;
    Shape target = is;
    auto put = [&](const Object &added) {
        std::erase_if(target,
                      [&](const Object &other) { return other.kind == added.kind && other.name == added.name; });
        target.push_back(added);
    };
    put(object);
    if (difference.kind == Kind::missing && is_relation(object))
        for (const Object &companion : should_be)
            if (!is_relation(companion) && companion.relation() == object.name) put(companion);
    sort(target);
    std::string statements;
    for (const Repair &one : repair(is, target, false)) statements += (statements.empty() ? "" : "; ") + one.statement;
    return statements;
}

bool is_detached(const Shape &should_be, const std::set<std::string, std::less<>> &there) {
    return std::any_of(should_be.begin(), should_be.end(), [&](const Object &object) {
        bool calls_ours =
            object.kind == "trigger" ||
            (object.kind == "column" && take_apart(object.definition).default_value.starts_with(extension_mark));
        return calls_ours && !there.contains(object.kind + " " + object.name);
    });
}

std::vector<std::string> repair_lost_functions(const std::vector<Difference> &differences) {
    std::vector<std::string> statements;
    for (const Difference &difference : differences) {
        const Object &object = difference.should_be;
        if (difference.kind == Kind::missing && object.kind == "trigger") {
            statements.push_back(object.definition);
        } else if (difference.kind == Kind::different && object.kind == "column") {
            // Only the default is missing, and it called a function of the extension.
            Column is = take_apart(difference.is.definition), to = take_apart(object.definition);
            if (is.type == to.type && is.is_not_null == to.is_not_null && is.default_value.empty() &&
                to.default_value.starts_with(extension_mark))
                statements.push_back(alter_column(difference.is, object));
        }
    }
    return statements;
}

}  // namespace discovery::core
