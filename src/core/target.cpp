// Resolves the target of an upgrade or downgrade to a version.
#include "core/target.hpp"

#include <charconv>

namespace discovery::core {
namespace {

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

Error malformed(std::string_view target, const char *hint) {
    return {ErrorKind::invalid_argument, "invalid target: " + quoted(target), "", hint};
}

// Returns N of "+N" or "-N", or 0 if N is not a positive integer.
int count_of(std::string_view target) {
    if (target.size() < 2 || target[1] < '0' || target[1] > '9') return 0;
    int count = 0;
    auto [end, failure] = std::from_chars(target.data() + 1, target.data() + target.size(), count);
    return failure == std::errc{} && end == target.data() + target.size() ? count : 0;
}

// Moves `version` up or down by `count` steps. Returns false if there are fewer steps.
bool walk(const Migrations &migrations, Version &version, int count, bool is_up) {
    for (; count > 0; --count) {
        const Step *next = nullptr;
        for (const Step &step : migrations.steps)
            if (step.from == version && step.is_up() == is_up) next = &step;
        if (next == nullptr) return false;
        version = next->to;
    }
    return true;
}

// Parses a version and checks that it is base or a release.
Result<Version> known(const Migrations &migrations, std::string_view target) {
    auto version = parse_version(target);
    if (!version) return version.error();
    if (!version->is_base() && migrations.release(*version) == nullptr)
        return Error{ErrorKind::unknown_version, "version " + quoted(target) + " does not exist", "",
                     "The newest version is " + migrations.newest().text() + "."};
    return version;
}

}  // namespace

Result<Version> resolve_upgrade(const Migrations &migrations, Version current, std::string_view target) {
    if (target == "head") {
        if (current > migrations.newest())
            return Error{ErrorKind::newer_than_code,
                         "the store has version " + current.text() + ", which this discovery does not know", "",
                         "The newest version that it knows is " + migrations.newest().text() + "."};
        return migrations.newest();
    }
    if (target.starts_with('+')) {
        int count = count_of(target);
        if (count == 0) return malformed(target, "Use head, +1, or a version.");
        Version version = current;
        if (walk(migrations, version, count, true)) return version;
        return Error{ErrorKind::unknown_version,
                     "there are fewer than " + std::to_string(count) + " versions above " + current.text(), "",
                     "The newest version is " + migrations.newest().text() + "."};
    }
    if (target.empty() || target.starts_with('-') || target == "base")
        return malformed(target, "Use head, +1, or a version. Use discovery_downgrade() to go down.");
    auto version = known(migrations, target);
    if (version && *version < current)
        return Error{ErrorKind::invalid_argument,
                     "version " + quoted(target) + " is older than the version of the store, " + current.text(), "",
                     "Use discovery_downgrade()."};
    return version;
}

Result<Version> resolve_downgrade(const Migrations &migrations, Version current, std::string_view target) {
    if (target.starts_with('-')) {
        int count = count_of(target);
        if (count == 0) return malformed(target, "Use -1, a version, or base.");
        Version version = current;
        if (walk(migrations, version, count, false)) return version;
        return Error{ErrorKind::unknown_version,
                     "there are fewer than " + std::to_string(count) + " versions below " + current.text()};
    }
    if (target.empty() || target.starts_with('+') || target == "head")
        return malformed(target, "Use -1, a version, or base. Use discovery_upgrade() to go up.");
    auto version = known(migrations, target);
    if (version && *version >= current)
        return Error{ErrorKind::invalid_argument,
                     "version " + quoted(target) + " is not older than the version of the store, " + current.text(), "",
                     *version > current ? "Use discovery_upgrade()." : ""};
    return version;
}

Result<Version> resolve_target(const Migrations &migrations, Version current, std::string_view target) {
    auto version = parse_version(target);
    bool is_down = target.starts_with('-') || (version && *version < current);
    return is_down ? resolve_downgrade(migrations, current, target) : resolve_upgrade(migrations, current, target);
}

}  // namespace discovery::core
