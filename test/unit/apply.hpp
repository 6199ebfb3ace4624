// Simulates PostgreSQL for the tests of core/repair.hpp: applies the statements of repair() to the
// shape of a store. The simulation suffices to check that the statements can run in their order and
// give the expected shape.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/shape.hpp"

namespace discovery::core::testing_ground {

/// The reason why a statement cannot run.
struct Refused : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class Store {
public:
    explicit Store(Shape shape) : shape_(std::move(shape)) {}

    Shape shape() const {
        Shape sorted = shape_;
        sort(sorted);
        return sorted;
    }

    /// Runs one statement, without a semicolon at its end. Throws Refused if it cannot run.
    void run(std::string_view statement) {
        rest_ = whole_ = statement;
        if (take("CREATE TABLE "))
            create_table("permanent");
        else if (take("CREATE UNLOGGED TABLE "))
            create_table("unlogged");
        else if (take("DROP TABLE "))
            drop_relation("table", name_in_store());
        else if (take("CREATE VIEW "))
            create_view();
        else if (take("DROP VIEW "))
            drop_relation("view", name_in_store());
        else if (take("ALTER TABLE "))
            alter_table();
        else if (starts("CREATE INDEX ") || starts("CREATE UNIQUE INDEX "))
            create_part("index", "INDEX ", " ON ");
        else if (starts("CREATE TRIGGER ") || starts("CREATE CONSTRAINT TRIGGER "))
            create_part("trigger", "TRIGGER ", " ON ");
        else if (starts("CREATE RULE "))
            create_part("rule", "RULE ", " TO ");
        else if (take("DROP INDEX "))
            drop_index(name_in_store());
        else if (take("DROP TRIGGER "))
            drop_part("trigger");
        else if (take("DROP RULE "))
            drop_part("rule");
        else if (take("COMMENT ON "))
            comment();
        else
            refuse("is no statement of repair()");
    }

private:
    [[noreturn]] void refuse(const std::string &why) const { throw Refused(std::string(whole_) + ": " + why); }
    bool starts(std::string_view words) const { return rest_.starts_with(words); }
    bool take(std::string_view words) {
        if (!starts(words)) return false;
        rest_.remove_prefix(words.size());
        return true;
    }
    void need(std::string_view words) {
        if (!take(words)) refuse("expected '" + std::string(words) + "' before '" + std::string(rest_) + "'");
    }
    std::string name() {
        std::size_t length = 0;
        if (rest_.starts_with('"')) {
            for (length = 1; length < rest_.size(); ++length)
                if (rest_[length] == '"') {
                    if (rest_.substr(length + 1, 1) != "\"") break;
                    ++length;
                }
            ++length;
        } else {
            auto fits = [](char c) {
                return c == '_' || c == '$' || std::isalnum(static_cast<unsigned char>(c)) || (c & 0x80);
            };
            while (length < rest_.size() && fits(rest_[length])) ++length;
        }
        if (length == 0) refuse("no name at '" + std::string(rest_) + "'");
        std::string found(rest_.substr(0, length));
        rest_.remove_prefix(std::min(length, rest_.size()));
        return found;
    }
    std::string name_in_store() {
        need("@store@.");
        return name();
    }
    std::string all_the_rest() { return std::string(std::exchange(rest_, {})); }
    // Takes the text up to the next comma outside brackets and quotes.
    std::string item() {
        int depth = 0;
        char quote = 0;
        std::size_t length = 0;
        for (; length < rest_.size(); ++length) {
            char c = rest_[length];
            if (quote)
                quote = c == quote ? 0 : quote;
            else if (c == '\'' || c == '"')
                quote = c;
            else if (c == '(' || c == '[')
                ++depth;
            else if ((c == ')' || c == ']') && --depth < 0)
                break;
            else if (c == ',' && depth == 0)
                break;
        }
        std::string found(rest_.substr(0, length));
        rest_.remove_prefix(length);
        return found;
    }

    Object *find(std::string_view kind, std::string_view name) {
        auto found = std::find_if(shape_.begin(), shape_.end(),
                                  [&](const Object &o) { return o.kind == kind && o.name == name; });
        return found == shape_.end() ? nullptr : &*found;
    }
    Object &require(std::string_view kind, const std::string &name) {
        Object *found = find(kind, name);
        if (found == nullptr) refuse("there is no " + std::string(kind) + " " + name);
        return *found;
    }
    void put(const std::string &kind, const std::string &name, const std::string &definition) {
        if (find(kind, name)) refuse(kind + " " + name + " is there already");
        shape_.push_back({kind, name, definition});
    }
    void require_relation(const std::string &name) {
        if (!find("table", name) && !find("view", name)) refuse("there is no relation " + name);
    }
    // Throws Refused if a view uses the column of the table. An empty `column` means any column.
    void refuse_under_views(const std::string &table, const std::string &column) {
        for (const Object &view : shape_)
            if (view.kind == "view" && view.definition.find("@store@." + table) != std::string::npos &&
                view.definition.find(column) != std::string::npos)
                refuse("view " + view.name + " stands in the way");
    }

    static bool names(const Object &object, std::string_view what) {
        auto is_letter = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
        const std::string &text = object.definition;
        for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1))
            if ((at == 0 || !is_letter(text[at - 1])) &&
                (at + what.size() == text.size() || !is_letter(text[at + what.size()])))
                return true;
        return false;
    }

    void create_table(const std::string &persistence) {
        std::string table = name_in_store();
        if (find("view", table)) refuse("there is a view of that name");
        put("table", table, persistence);
        need(" (");
        while (!rest_.empty() && !starts(")")) {
            std::string column = name();
            need(" ");
            put("column", table + "." + column, item());
            take(", ");
        }
        need(")");
    }
    void create_view() {
        std::string view = name_in_store();
        if (find("table", view)) refuse("there is a table of that name");
        need(" ");
        put("view", view, all_the_rest());
    }
    void drop_relation(const std::string &kind, const std::string &name) {
        require(kind, name);
        for (const Object &other : shape_) {
            if (other.relation() == name) continue;
            if (other.kind == "constraint" &&
                other.definition.find("REFERENCES @store@." + name + "(") != std::string::npos)
                refuse(other.name + " refers to it");
        }
        refuse_under_views(name + " ", "");
        std::erase_if(shape_, [&](const Object &object) { return object.relation() == name; });
    }
    void create_part(const std::string &kind, std::string_view mark, std::string_view before_table) {
        std::string definition(whole_);
        rest_.remove_prefix(rest_.find(mark) + mark.size());
        std::string part = name();
        auto at = rest_.find(std::string(before_table) + "@store@.");
        if (at == rest_.npos) refuse("stands on no table");
        rest_.remove_prefix(at + before_table.size());
        std::string table = name_in_store();
        require_relation(table);
        put(kind, table + "." + part, definition);
    }
    void drop_part(const std::string &kind) {
        std::string part = name();
        need(" ON ");
        std::string whole = name_in_store() + "." + part;
        require(kind, whole);
        std::erase_if(shape_, [&](const Object &object) { return object.kind == kind && object.name == whole; });
    }
    void drop_index(const std::string &index) {
        auto is_it = [&](const Object &object) {
            return object.kind == "index" && object.name.substr(object.relation().size() + 1) == index;
        };
        if (std::erase_if(shape_, is_it) == 0) refuse("there is no index " + index);
    }
    void comment() {
        bool is_column = take("COLUMN ");
        bool is_view = !is_column && take("VIEW ");
        if (!is_column && !is_view) need("TABLE ");
        std::string on = name_in_store();
        if (!is_column) require(is_view ? "view" : "table", on);
        if (take(".")) {
            on += "." + name();
            if (is_column && !find("view", on.substr(0, on.find('.')))) require("column", on);
        }
        need(" IS ");
        std::erase_if(shape_, [&](const Object &object) { return object.kind == "comment" && object.name == on; });
        if (take("NULL")) return;
        need("'");
        std::string text;
        for (; !rest_.empty(); rest_.remove_prefix(1)) {
            if (rest_[0] == '\'') {
                if (rest_.size() == 1) break;
                if (rest_[1] != '\'') refuse("a quote ends the text early");
                rest_.remove_prefix(1);
            }
            text += rest_[0];
        }
        need("'");
        put("comment", on, text);
    }

    void alter_table() {
        std::string table = name_in_store();
        Object &its = require("table", table);
        need(" ");
        if (take("SET LOGGED"))
            its.definition = "permanent";
        else if (take("SET UNLOGGED"))
            its.definition = "unlogged";
        else if (take("ADD COLUMN ")) {
            std::string column = name();
            need(" ");
            put("column", table + "." + column, all_the_rest());
        } else if (take("DROP COLUMN ")) {
            std::string column = name();
            std::string whole = table + "." + column;
            require("column", whole);
            refuse_under_views(table, column);
            for (const Object &object : shape_)
                if (object.kind == "constraint" && object.relation() != table &&
                    names(object, "@store@." + table + "(" + column + ")"))
                    refuse(object.name + " refers to it");
            // What names it goes with it, and nobody is asked.
            std::erase_if(shape_, [&](const Object &object) {
                return ((object.kind == "column" || object.kind == "comment") && object.name == whole) ||
                       ((object.kind == "constraint" || object.kind == "index") && object.relation() == table &&
                        names({object.kind, object.name,
                               object.definition.substr(0, object.definition.find(" REFERENCES "))},
                              column));
            });
        } else if (take("RENAME COLUMN ")) {
            std::string from = name();
            need(" TO ");
            std::string to = name();
            if (find("column", table + "." + to)) refuse("there is a column of that name");
            require("column", table + "." + from).name = table + "." + to;
            if (Object *comment = find("comment", table + "." + from)) comment->name = table + "." + to;
        } else if (take("ADD CONSTRAINT ")) {
            std::string constraint = name();
            need(" ");
            add_constraint(table, constraint, all_the_rest());
        } else if (take("DROP CONSTRAINT ")) {
            std::string constraint = table + "." + name();
            require("constraint", constraint);
            std::erase_if(
                shape_, [&](const Object &object) { return object.kind == "constraint" && object.name == constraint; });
        } else {
            while (take("ALTER COLUMN ")) {
                std::string column = name();
                need(" ");
                alter_column(table, column, item());
                take(", ");
            }
        }
        if (!rest_.empty()) refuse("too much: '" + std::string(rest_) + "'");
    }
    void add_constraint(const std::string &table, const std::string &constraint, const std::string &definition) {
        constexpr std::string_view mark = "REFERENCES @store@.";
        auto at = definition.find(mark);
        if (definition.starts_with("FOREIGN KEY") && at != definition.npos) {
            rest_ = std::string_view(definition).substr(at + mark.size());
            require("table", name());
            rest_ = {};
        }
        put("constraint", table + "." + constraint, definition);
    }
    // A definition has the form: type [NOT NULL] [GENERATED ... | DEFAULT ...]
    void alter_column(const std::string &table, const std::string &column, std::string_view action) {
        std::string &definition = require("column", table + "." + column).definition;
        std::string type = definition, not_null, tail;
        for (std::string_view mark : {" GENERATED ", " DEFAULT "}) {
            auto at = type.find(mark);
            if (at == type.npos) continue;
            tail = type.substr(at);
            type.resize(at);
        }
        if (type.ends_with(" NOT NULL")) {
            not_null = " NOT NULL";
            type.resize(type.size() - not_null.size());
        }
        bool has_default = tail.starts_with(" DEFAULT ");
        if (action.starts_with("TYPE ")) {
            action = action.substr(0, action.find(" USING "));
            refuse_under_views(table, column);
            type = action.substr(5);
        } else if (action == "SET NOT NULL")
            not_null = " NOT NULL";
        else if (action == "DROP NOT NULL")
            not_null.clear();
        else if (action.starts_with("SET DEFAULT ") && (tail.empty() || has_default))
            tail = " " + std::string(action.substr(4));
        else if (action == "DROP DEFAULT" && (tail.empty() || has_default))
            tail.clear();
        else if (action == "DROP IDENTITY" && tail.ends_with(" AS IDENTITY"))
            tail.clear();
        else if (action == "DROP EXPRESSION" && tail.starts_with(" GENERATED ALWAYS AS ("))
            tail.clear();
        else if (action.starts_with("SET GENERATED ") && tail.ends_with(" AS IDENTITY"))
            tail = " " + std::string(action.substr(4)) + " AS IDENTITY";
        else if (action.starts_with("ADD GENERATED ") && tail.empty() && !not_null.empty())
            tail = " " + std::string(action.substr(4));
        else
            refuse("a column '" + definition + "' takes no '" + std::string(action) + "'");
        definition = type + not_null + tail;
    }

    Shape shape_;
    std::string_view whole_, rest_;
};

}  // namespace discovery::core::testing_ground
