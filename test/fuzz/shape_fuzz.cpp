// Fuzzes reading, writing and comparing shapes. The input consists of two descriptions.
#include "check.hpp"

#include "core/shape.hpp"

#include <algorithm>
#include <set>

using namespace discovery::core;

namespace {

std::string text(const Shape &shape) {
    std::string lines;
    for (const Object &object : shape) lines += describe(object) + "\n";
    return lines;
}

using Key = std::pair<std::string, std::string>;

std::set<Key> keys(const Shape &shape) {
    std::set<Key> all;
    for (const Object &object : shape) all.insert({object.kind, object.name});
    return all;
}

void check_reading(const Shape &shape) {
    CHECK(keys(shape).size() == shape.size());
    Shape again = shape;
    std::reverse(again.begin(), again.end());
    sort(again);
    CHECK(again == shape);
    auto parsed = parse_shape(text(shape));
    CHECK(parsed && *parsed == shape);
    CHECK(compare(shape, shape, Detail::all).empty());
    CHECK(losses(shape, shape).empty());
}

void check_difference(const Shape &is, const Shape &should_be) {
    auto there = keys(is), wanted = keys(should_be);
    auto differences = compare(is, should_be, Detail::all);
    std::size_t missing = 0, extra = 0;
    Shape in_order;
    for (const Difference &difference : differences) {
        const Object &object = difference.object();
        in_order.push_back(object);
        Key key = {object.kind, object.name};
        CHECK(there.contains(key) == (difference.kind != Difference::Kind::missing));
        CHECK(wanted.contains(key) == (difference.kind != Difference::Kind::extra));
        missing += difference.kind == Difference::Kind::missing;
        extra += difference.kind == Difference::Kind::extra;
        if (difference.kind == Difference::Kind::different)
            CHECK(difference.is.definition != difference.should_be.definition);
    }
    Shape sorted = in_order;
    sort(sorted);
    CHECK(sorted == in_order);

    // Every extra object is told, and every missing one by itself or by its relation.
    CHECK(extra == static_cast<std::size_t>(std::count_if(is.begin(), is.end(), [&](const Object &object) {
              return !wanted.contains({object.kind, object.name});
          })));
    auto is_gone = [&](const char *kind, std::string_view name) {
        Key key = {kind, std::string(name)};
        return wanted.contains(key) && !there.contains(key);
    };
    for (const Object &object : should_be) {
        if (there.contains({object.kind, object.name})) continue;
        bool told = std::any_of(differences.begin(), differences.end(), [&](const Difference &difference) {
            return difference.kind == Difference::Kind::missing && difference.should_be == object;
        });
        bool swallowed = is_gone("table", object.relation()) || is_gone("view", object.relation()) ||
                         is_gone("matview", object.relation());
        CHECK(told || swallowed);
    }
    auto broken = violations(differences);
    // Neither an extra object nor a comment is a violation.
    auto comments = static_cast<std::size_t>(
        std::count_if(differences.begin(), differences.end(), [](const Difference &difference) {
            return difference.kind != Difference::Kind::extra && is_text(difference.object());
        }));
    CHECK(broken.size() == differences.size() - extra - comments);
    CHECK(missing + extra <= differences.size());
    auto listed = list(differences);
    CHECK(std::count(listed.begin(), listed.end(), '\n') + !listed.empty() ==
          static_cast<std::ptrdiff_t>(differences.size()));
}

void check_losses(const Shape &from, const Shape &to) {
    auto before = keys(from), after = keys(to);
    auto lost = losses(from, to);
    CHECK(std::set<Loss>(lost.begin(), lost.end()).size() == lost.size());
    for (const Loss &loss : lost) {
        // Any byte may stand between the table and the column of a name that PostgreSQL does not have.
        CHECK(std::any_of(before.begin(), before.end(), [&](const Key &key) {
            bool is_it = key.first == "table" ? key.second == loss.table && loss.column.empty()
                                              : key.first == "column" && key.second.starts_with(loss.table) &&
                                                    key.second.ends_with(loss.column);
            return is_it && !after.contains(key);
        }));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    auto rest = as_text(data, size);
    auto first = parse_shape(take_part(rest)), second = parse_shape(rest);
    for (auto *shape : {&first, &second}) {
        if (*shape) {
            check_reading(**shape);
        } else {
            CHECK(shape->error().kind == ErrorKind::malformed_script);
            CHECK(shape->error().message.find("line ") != std::string::npos);
        }
    }
    if (first && second) {
        check_difference(*first, *second);
        check_difference(*second, *first);
        check_losses(*first, *second);
        check_losses(*second, *first);
    }
    return 0;
}
