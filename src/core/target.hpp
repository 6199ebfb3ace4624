// Resolves the target that a user gives for an upgrade or downgrade to a version.
#pragma once

#include <string_view>

#include "core/migrations.hpp"

namespace discovery::core {

/// Returns the version that `target` means for an upgrade from `current`: "head", "+N" or a
/// version. Errors: invalid_argument (22023) if `target` has no such form or is below `current`;
/// unknown_version (22023) if the version does not exist; newer_than_code (0A000) if "head" is
/// below `current`.
Result<Version> resolve_upgrade(const Migrations &migrations, Version current, std::string_view target);

/// Returns the version that `target` means for a downgrade from `current`: "-N", "base" or a
/// version. Errors: invalid_argument (22023) if `target` has no such form or is not below
/// `current`; unknown_version (22023) if the version does not exist.
Result<Version> resolve_downgrade(const Migrations &migrations, Version current, std::string_view target);

/// Resolves "-N" and versions below `current` like resolve_downgrade(), and everything else like
/// resolve_upgrade(). Errors: those of the two functions.
Result<Version> resolve_target(const Migrations &migrations, Version current, std::string_view target);

}  // namespace discovery::core
