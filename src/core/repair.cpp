// Plans the statements between two shapes: what is dropped, created and changed, and in which order.
#include "core/repair.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "core/dependence.hpp"
#include "core/tokens.hpp"

namespace discovery::core {
namespace {

using Kind = Difference::Kind;

// The position of an object in the order of creation, where its definition does not decide. Objects are
// dropped in the reverse order.
int rank(const Object &object) {
    if (object.kind == "table") return 0;
    if (stands_alone(object) && !is_relation(object)) return 0;
    if (object.kind == "column") return 1;
    if (object.kind == "constraint") return object.definition.starts_with("FOREIGN KEY") ? 3 : 2;
    if (object.kind == "index") return 4;
    if (is_text(object)) return 6;
    return 5;
}

enum class Act { keep, drop, create, change, remake };

// An object of either shape or both, and what happens to it.
struct Node {
    std::optional<Names> is, to;
    Act act = Act::keep;
    const Rename *rename = nullptr;

    const Object &object() const { return is ? *is->object : *to->object; }
    bool goes() const { return act == Act::drop || act == Act::remake; }
    bool comes() const { return act == Act::create || act == Act::remake; }
};

// Whether the objects that use the column stand in the way of its change. PostgreSQL does not change
// the type of a column that a view, a rule, a trigger, a policy or a generated column uses.
bool is_retyped(const Node &node) {
    return node.act == Act::change && node.object().kind == "column" &&
           take_apart(node.is->object->definition).type != take_apart(node.to->object->definition).type;
}

bool blocks_type(const Object &object) {
    constexpr std::string_view kinds[] = {"view", "matview", "rule", "trigger", "policy", "storage", "compression"};
    return std::find(std::begin(kinds), std::end(kinds), object.kind) != std::end(kinds) ||
           (object.kind == "column" && !take_apart(object.definition).generated.empty());
}

class Plan {
public:
    Plan(const Shape &is, const Shape &should_be, bool drops_relations)
        : is_(is),
          to_(should_be),
          differences_(compare(is, should_be, Detail::all)),
          renames_(find_renames(differences_)) {
        add_nodes();
        choose(drops_relations);
        spread();
    }

    std::vector<Repair> statements() {
        drop_all();
        rename_all();
        create_all();
        return std::move(statements_);
    }

private:
    const Shape &is_, &to_;
    std::vector<Difference> differences_;
    std::vector<Rename> renames_;
    std::vector<Node> nodes_;
    std::vector<Repair> statements_;

    void add_nodes() {
        std::map<std::pair<std::string_view, std::string_view>, std::size_t> known;
        auto node = [&](const Object &object) -> Node & {
            auto [at, is_new] = known.try_emplace({object.kind, object.name}, nodes_.size());
            if (is_new) nodes_.emplace_back();
            return nodes_[at->second];
        };
        for (const Object &object : is_)
            if (object.kind != "order") node(object).is = names_of(object);
        for (const Object &object : to_)
            if (object.kind != "order") node(object).to = names_of(object);
        // Shape's order, and within the columns of a new table or several new columns, theirs.
        std::stable_sort(nodes_.begin(), nodes_.end(), [&](const Node &a, const Node &b) {
            const Object &one = a.to ? *a.to->object : *a.is->object, &other = b.to ? *b.to->object : *b.is->object;
            if (rank(one) != rank(other)) return rank(one) < rank(other);
            if (one.kind == "column" && other.kind == "column" && one.relation() == other.relation())
                return position(one) < position(other);
            return false;
        });
    }

    std::size_t position(const Object &column) const {
        for (const Shape *shape : {&to_, &is_})
            for (const Object &object : *shape)
                if (object.kind == "order" && object.name == column.relation()) {
                    auto order = split(object.definition);
                    auto at = std::find(order.begin(), order.end(), part_of(column));
                    if (at != order.end()) return static_cast<std::size_t>(at - order.begin());
                }
        return 0;
    }
    static std::vector<std::string> split(std::string_view list);

    Node *find(const Object &object) {
        auto at = std::find_if(nodes_.begin(), nodes_.end(), [&](const Node &node) {
            return node.object().kind == object.kind && node.object().name == object.name;
        });
        return at == nodes_.end() ? nullptr : &*at;
    }

    void choose(bool drops_relations) {
        for (Node &node : nodes_) {
            if (!node.is)
                node.act = Act::create;
            else if (!node.to)
                node.act = Act::drop;
        }
        for (const Difference &difference : differences_) {
            Node *node = find(difference.object());
            if (node == nullptr || difference.kind != Kind::different) continue;
            bool can_change =
                node->object().kind == "table" || !change(difference.is, difference.should_be, to_).empty();
            node->act = can_change ? Act::change : Act::remake;
        }
        for (const Rename &rename : renames_) {
            find(*rename.from)->rename = &rename;
            find(*rename.to)->rename = &rename;
            find(*rename.from)->act = find(*rename.to)->act = Act::keep;
        }
        if (drops_relations) return;
        for (Node &node : nodes_)
            if (node.act == Act::drop && stands_alone_in(node)) node.act = Act::keep;
    }
    // Whether the object is, or stands on, a relation that `should_be` does not have.
    bool stands_alone_in(const Node &node) const {
        return std::none_of(to_.begin(), to_.end(), [&](const Object &object) {
            return stands_alone(object) && names_of(object).relation == node.is->relation;
        });
    }

    // What needs an object that goes must go as well, and come again if it should be there.
    void spread() {
        for (bool again = true; again;) {
            again = false;
            for (const Node &node : nodes_) {
                bool is_type = is_retyped(node);
                if (!node.is || !(node.goes() || is_type)) continue;
                for (Node &other : nodes_) {
                    if (&other == &node || !other.is || !other.to || other.goes() || other.rename) continue;
                    const Object &object = other.object();
                    if (object.kind == "table" || (object.kind == "column" && !is_computed(other))) continue;
                    if ((is_type && !blocks_type(object)) || !needs(*other.is, *node.is)) continue;
                    other.act = Act::remake;
                    again = true;
                }
            }
        }
    }
    static bool is_computed(const Node &node) {
        Column column = take_apart(node.is->object->definition);
        return !column.generated.empty() && !column.is_identity();
    }

    // Whether the object goes with another one that is dropped.
    bool goes_by_itself(const Node &node) {
        const Object &object = node.object();
        if (!stands_alone(object))
            for (const Node &other : nodes_)
                if (other.goes() && is_relation(other.object()) && other.object().name == node.is->relation)
                    return !is_tie(node);
        if (is_text(object) || is_setting(object))
            for (const Node &other : nodes_)
                if (&other != &node && other.is && other.goes() && needs(*node.is, *other.is)) return true;
        return false;
    }
    static bool is_setting(const Object &object) {
        return object.kind != "ownership" && !drop(object, {}).starts_with("DROP") &&
               !drop(object, {}).starts_with("ALTER TABLE " + on_store(object.relation()) + " DROP");
    }
    // A foreign key to another relation that changes is dropped by a statement of its own, before that
    // relation changes.
    bool is_tie(const Node &node) const {
        if (node.is->target.empty() || node.is->target == node.is->relation) return false;
        return std::any_of(nodes_.begin(), nodes_.end(), [&](const Node &other) {
            return other.is && other.act != Act::keep && other.is->relation == node.is->target &&
                   (other.object().kind == "table" || other.object().kind == "column" ||
                    other.object().kind == "constraint" || other.object().kind == "index");
        });
    }

    void add(const Repair &one) {
        if (one.statement.empty() && one.comment.empty()) return;
        statements_.push_back({shielded(one.statement), one.comment});
    }

    // Puts `nodes` in an order in which each comes after those that it needs. Where a ring has no such
    // order, the present one decides.
    template <class NamesOf>
    static void order(std::vector<Node *> &nodes, NamesOf names) {
        std::vector<Node *> ordered, rest = std::move(nodes);
        while (!rest.empty()) {
            auto is_free = [&](const Node *node) {
                return std::none_of(rest.begin(), rest.end(), [&](const Node *other) {
                    return other != node && needs(names(*node), names(*other)) && !needs(names(*other), names(*node));
                });
            };
            auto at = std::find_if(rest.begin(), rest.end(), is_free);
            if (at == rest.end()) at = rest.begin();
            ordered.push_back(*at);
            rest.erase(at);
        }
        nodes = std::move(ordered);
    }

    void drop_all() {
        std::vector<Node *> going;
        for (Node &node : nodes_)
            if (node.goes() && !goes_by_itself(node)) going.push_back(&node);
        // What stands on a table that is dropped needs what it needs, on behalf of the table.
        std::map<const Node *, Names> all;
        for (Node *node : going) {
            Names names = *node->is;
            if (is_relation(node->object()))
                for (const Node &other : nodes_)
                    if (other.is && other.is->relation == names.relation && !stands_alone(other.object()) &&
                        !is_tie(other)) {
                        names.mentioned.insert(other.is->mentioned.begin(), other.is->mentioned.end());
                        names.words.insert(other.is->words.begin(), other.is->words.end());
                    }
            names.mentioned.erase(names.relation);
            all.emplace(node, std::move(names));
        }
        order(going, [&](const Node &node) -> const Names & { return all.at(&node); });
        for (auto at = going.rbegin(); at != going.rend(); ++at) add({drop((*at)->object(), is_)});
    }

    void rename_all() {
        for (const Rename &rename : renames_) {
            std::string alter = "ALTER TABLE " + on_store(rename.from->relation()) + " ";
            std::string other = drop(*rename.from, is_) + "; " + create(*rename.to, to_).front().statement;
            add({alter + "RENAME COLUMN " + part_of(*rename.from) + " TO " + part_of(*rename.to),
                 "Taken for a rename. If it is another column: " + other + ";"});
            Object renamed = *rename.from;
            renamed.name = rename.to->name;
            if (renamed.definition != rename.to->definition)
                for (const Repair &one : change(renamed, *rename.to, to_)) add(one);
        }
    }

    void create_all() {
        std::vector<Node *> coming;
        std::set<std::string> tables;
        for (const Node &node : nodes_)
            if (node.comes() && node.object().kind == "table") tables.insert(node.object().name);
        for (Node &node : nodes_) {
            bool is_in_table = node.to && node.to->object->kind == "column" && tables.contains(node.to->relation);
            if (node.to && node.act != Act::keep && node.act != Act::drop && !is_in_table) coming.push_back(&node);
        }
        // A table needs what its columns need.
        std::map<const Node *, Names> all;
        for (Node *node : coming) {
            Names names = *node->to;
            if (node->object().kind == "table" && node->comes())
                for (const Node &other : nodes_)
                    if (other.to && other.to->object->kind == "column" && other.to->relation == names.relation)
                        names.mentioned.insert(other.to->mentioned.begin(), other.to->mentioned.end());
            names.mentioned.erase(names.relation);
            all.emplace(node, std::move(names));
        }
        order(coming, [&](const Node &node) -> const Names & { return all.at(&node); });
        for (const Node *node : coming)
            for (const Repair &one :
                 node->comes() ? create(*node->to->object, to_) : change(*node->is->object, *node->to->object, to_))
                add(one);
    }
};

std::vector<std::string> Plan::split(std::string_view list) {
    std::vector<std::string> items;
    while (!list.empty()) {
        Token token = first_token(list);
        if (token.kind == Token::Kind::word || token.kind == Token::Kind::quoted) items.emplace_back(token.text);
        list.remove_prefix(token.text.size());
    }
    return items;
}

// The object that has the name among tables, views, sequences, indexes and the constraints with an
// index. In a schema, each name is taken once.
const Object *holder_of(const Shape &is, const Object &wanted) {
    auto name_there = [](const Object &object) -> std::string {
        if (is_relation(object) || object.kind == "sequence") return object.name;
        bool has_index = object.kind == "index" ||
                         (object.kind == "constraint" &&
                          (object.definition.starts_with("PRIMARY KEY") || object.definition.starts_with("UNIQUE") ||
                           object.definition.starts_with("EXCLUDE")));
        return has_index ? part_of(object) : std::string{};
    };
    std::string name = name_there(wanted);
    if (name.empty()) return nullptr;
    auto at = std::find_if(is.begin(), is.end(), [&](const Object &object) {
        return name_there(object) == name && !(object.kind == wanted.kind && object.name == wanted.name);
    });
    return at == is.end() ? nullptr : &*at;
}

// Whether the index can become the constraint.
bool can_use(const Object &index, const Object &constraint) {
    auto open = constraint.definition.find('(');
    if (index.kind != "index" || open == constraint.definition.npos) return false;
    std::string name = part_of(index), columns = constraint.definition.substr(open);
    std::string_view words = std::string_view(constraint.definition).substr(0, open);
    return (words == "UNIQUE " || words == "PRIMARY KEY ") &&
           without_parameters(index.definition) ==
               "CREATE UNIQUE INDEX " + name + " ON " + on_store(index.relation()) + " USING btree " + columns &&
           without_invalid(index.definition) == index.definition;
}

}  // namespace

std::vector<Rename> find_renames(const std::vector<Difference> &differences) {
    std::vector<Rename> renames;
    // Pairs a dropped column with an added column of the same table, type and GENERATED clause, if
    // there is exactly one of each.
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

std::vector<Repair> repair(const Shape &is, const Shape &should_be, bool drops_relations) {
    return Plan(is, should_be, drops_relations).statements();
}

std::string repair(const Difference &difference, const Shape &is, const Shape &should_be) {
    if (difference.kind == Kind::extra) return {};
    // The target is the present shape without this difference.
    const Object &object = difference.should_be;
    Shape target = is;
    auto remove = [&](const Object &removed) {
        std::erase_if(target,
                      [&](const Object &other) { return other.kind == removed.kind && other.name == removed.name; });
    };
    auto put = [&](const Object &added) {
        remove(added);
        target.push_back(added);
    };
    const Object *holder = difference.kind == Kind::missing ? holder_of(is, object) : nullptr;
    if (holder != nullptr && can_use(*holder, object)) {
        std::string key(object.definition.substr(0, object.definition.find(" (")));
        return "ALTER TABLE " + on_store(object.relation()) + " ADD CONSTRAINT " + part_of(object) + " " + key +
               " USING INDEX " + part_of(object);
    }
    if (holder != nullptr && (stands_alone(*holder) || holder->relation() != object.relation()))
        return "-- In the way is " + holder->kind + " " + unmarked(holder->name) +
               ", which has the same name: rename or drop it first.";
    if (holder != nullptr) remove(*holder);
    put(object);
    if (difference.kind == Kind::missing && is_relation(object))
        for (const Object &companion : should_be)
            if (!stands_alone(companion) && companion.relation() == object.name) put(companion);
    sort(target);
    std::string statements;
    for (const Repair &one : repair(is, target, false))
        if (!one.statement.empty()) statements += (statements.empty() ? "" : "; ") + one.statement;
    return statements;
}

bool is_guarded(const Shape &should_be, const std::set<std::string, std::less<>> &there) {
    return std::all_of(should_be.begin(), should_be.end(), [&](const Object &object) {
        bool guards =
            object.kind == "table" || object.kind == "constraint" || object.kind == "trigger" ||
            (object.kind == "index" && object.definition.starts_with("CREATE UNIQUE")) ||
            (object.kind == "column" && take_apart(object.definition).default_value.starts_with(extension_mark));
        return !guards || there.contains(object.kind + " " + object.name);
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
                statements.push_back(change(difference.is, object, {}).front().statement);
        }
    }
    return statements;
}

}  // namespace discovery::core
