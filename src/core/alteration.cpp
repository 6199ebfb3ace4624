// Chooses what of an altered store becomes a migration.
#include "core/alteration.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "core/column.hpp"
#include "core/dependence.hpp"
#include "core/repair.hpp"

namespace discovery::core {
namespace {

// Why the object cannot be brought along; empty if it can.
std::string why_not(const Object &object) {
    if (object.kind != "table") return {};
    std::string_view words = without_owner(object.definition).definition;
    if (words.ends_with(" partitioned")) return "it is a partitioned table";
    if (words.starts_with("partition of ")) return "it is a partition";
    if (words.ends_with(" foreign")) return "it is a foreign table";
    if (words.starts_with("inheritance child of ")) return "it inherits from another table";
    return {};
}

std::string bare(const Object &object) {
    bool has_arguments = object.kind == "function" || object.kind == "procedure";
    return has_arguments ? object.name.substr(0, object.name.find('(')) : object.name;
}

class Choice {
public:
    Choice(const Shape &version, const Shape &is) : version_(version), is_(is) {
        for (const Object &object : is) names_.push_back(names_of(object));
        for (const Object &object : version)
            if (is_relation(object)) taken_.insert(object.name);
        while (take_more()) {
        }
    }

    bool takes(std::string_view relation) const { return taken_.contains(std::string(relation)); }
    const std::vector<std::string> &notes() const { return notes_; }

    // The shape that the migration leads to.
    Shape shape() {
        Shape shape;
        for (const Names &names : names_) {
            if (!taken_.contains(names.relation)) continue;
            Object object = *names.object;
            if (std::string what = mentions_left_out(names); !what.empty()) {
                note(object.kind + " " + object.name, "it needs " + what);
                if (const Object *before = find(version_, object)) shape.push_back(*before);
                continue;
            }
            if (settle(object)) shape.push_back(std::move(object));
        }
        sort(shape);
        return shape;
    }

private:
    const Shape &version_, &is_;
    std::vector<Names> names_;
    std::set<std::string> taken_, left_out_;
    std::vector<std::string> notes_;

    void note(const std::string &what, const std::string &why) {
        notes_.push_back("Not brought along: " + what + ", because " + why + ". Make it by hand.");
    }

    static const Object *find(const Shape &shape, const Object &wanted) {
        auto at = std::find_if(shape.begin(), shape.end(), [&](const Object &object) {
            return object.kind == wanted.kind && object.name == wanted.name;
        });
        return at == shape.end() ? nullptr : &*at;
    }

    std::string mentions_left_out(const Names &names) const {
        for (const std::string &name : names.mentioned)
            if (left_out_.contains(name) && name != names.relation) return unmarked(name);
        return {};
    }

    // Whether something that is taken mentions the name.
    bool is_needed(const std::string &name) const {
        return std::any_of(names_.begin(), names_.end(), [&](const Names &names) {
            return taken_.contains(names.relation) && names.mentioned.contains(name);
        });
    }

    // Whether the object hangs on a relation that is taken: a table that refers to it, a view over it.
    bool refers_to_taken(const Object &object) const {
        return std::any_of(names_.begin(), names_.end(), [&](const Names &names) {
            if (names.relation != object.name) return false;
            bool counts = (object.kind == "table" && !names.target.empty()) || object.kind == "view" ||
                          object.kind == "matview" || names.object->kind == "ownership" ||
                          (object.kind == "table" && names.object->kind == "table");
            return counts && std::any_of(names.mentioned.begin(), names.mentioned.end(), [&](const std::string &name) {
                       return name != object.name && is_relation_taken(name);
                   });
        });
    }
    bool is_relation_taken(const std::string &name) const {
        bool is_there = std::any_of(is_.begin(), is_.end(),
                                    [&](const Object &object) { return is_relation(object) && object.name == name; });
        return is_there && (taken_.contains(name) || left_out_.contains(name));
    }

    bool take_more() {
        for (const Object &object : is_) {
            if (!stands_alone(object) || taken_.contains(object.name) || left_out_.contains(bare(object))) continue;
            if (!is_needed(bare(object)) && !refers_to_taken(object)) continue;
            std::string why = why_not(object);
            for (const Names &names : names_)
                if (names.object == &object && why.empty())
                    if (std::string what = mentions_left_out(names); !what.empty()) why = "it needs " + what;
            if (why.empty()) {
                taken_.insert(object.name);
            } else {
                left_out_.insert(bare(object));
                note(object.kind + " " + object.name, why);
            }
            return true;
        }
        return false;
    }

    // Takes out of the definition what a migration does not bring along. Returns false if the whole
    // object is left out.
    bool settle(Object &object) {
        const Object *before = find(version_, object);
        std::string &definition = object.definition;
        if (is_text(object)) return true;
        // Owners and the state of constraints' triggers belong to the single store.
        if (is_relation(object)) definition = without_owner(definition).definition;
        if (object.kind == "constraint") definition = without_state(definition).definition;
        if (object.kind == "table") {
            if (std::string why = why_not(object); !why.empty() && before != nullptr)
                notes_.push_back("Not brought along: of table " + object.name + ", that " + why +
                                 ". Change it by hand.");
            definition = definition.ends_with("unlogged") ? "unlogged" : "permanent";
        }
        if (object.kind == "index" && without_invalid(definition) != definition) {
            definition = without_invalid(definition);
            if (before == nullptr) note("index " + object.name, "it is invalid");
            return before != nullptr;
        }
        if (object.kind == "column" && !take_apart(definition).is_valid) {
            note("NOT NULL of column " + object.name, "PostgreSQL has not validated it");
            definition.replace(definition.find(" NOT NULL NOT VALID"), std::string_view(" NOT NULL NOT VALID").size(),
                               "");
        }
        if (object.kind == "function" || object.kind == "procedure")
            notes_.push_back("The body of " + object.kind + " " + object.name +
                             " is brought along as it is: names of schemas in it are not replaced.");
        return true;
    }
};

std::vector<std::string> order_of(const Shape &shape, const std::string &table) {
    for (const Object &object : shape)
        if (object.kind == "order" && object.name == table) return split_list(object.definition);
    return {};
}

// Says where the columns of a table will stand in another order than in `to`, because PostgreSQL adds
// columns at the end.
void note_orders(std::vector<Repair> &statements, const Shape &from, const Shape &to) {
    auto differences = compare(from, to, Detail::all);
    auto renames = find_renames(differences);
    for (const Object &object : to) {
        if (object.kind != "order") continue;
        auto wanted = split_list(object.definition), order = order_of(from, object.name);
        if (order.empty()) continue;
        for (const Rename &rename : renames)
            if (rename.from->relation() == object.name)
                std::replace(order.begin(), order.end(), part_of(*rename.from), part_of(*rename.to));
        std::erase_if(order, [&](const std::string &name) {
            return std::find(wanted.begin(), wanted.end(), name) == wanted.end();
        });
        for (const Difference &difference : differences)
            if (difference.kind == Difference::Kind::different && difference.is.kind == "column" &&
                difference.is.relation() == object.name && change(difference.is, difference.should_be, to).empty())
                std::erase(order, part_of(difference.is));
        for (const std::string &name : wanted)
            if (std::find(order.begin(), order.end(), name) == order.end()) order.push_back(name);
        if (order != wanted)
            statements.push_back({"", "Not brought along: the order of the columns of table " + object.name +
                                          ", because PostgreSQL adds columns at the end. It should be " +
                                          object.definition + "."});
    }
}

}  // namespace

Migration migration(const Shape &version, const Shape &is, const std::vector<Surrounding> &surroundings) {
    Choice choice(version, is);
    Shape altered = choice.shape();
    Migration result{repair(version, altered, true), repair(altered, version, true)};
    for (const std::string &note : choice.notes()) result.up.push_back({"", note});
    note_orders(result.up, version, altered);
    note_orders(result.down, altered, version);
    // What the statements need comes before them.
    std::vector<Repair> first;
    for (const Surrounding &one : surroundings) {
        if (!choice.takes(one.relation)) continue;
        bool is_needed = one.what.starts_with("needs ");
        (is_needed ? first : result.up)
            .push_back({"", "Not brought along: " + one.relation + " " + one.what +
                                (is_needed ? ". Make it by hand first." : ". Make it by hand.")});
    }
    result.up.insert(result.up.begin(), first.begin(), first.end());
    return result;
}

}  // namespace discovery::core
