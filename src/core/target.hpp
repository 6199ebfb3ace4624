// Where an upgrade or a downgrade is to go, as people say it.
#pragma once

#include <string_view>

#include "core/migrations.hpp"

namespace discovery::core {

/// "head", "+N" or a version, from `current` up. Errors: invalid_argument for
/// words of no such form and for what lies below; unknown_version.
Result<Version> resolve_upgrade(const Migrations &migrations, Version current, std::string_view target);

/// "-N", "base" or a version, from `current` down. Errors: likewise.
Result<Version> resolve_downgrade(const Migrations &migrations, Version current, std::string_view target);

/// Either: what is no "+N" or "head" and not above the current version goes down.
Result<Version> resolve_target(const Migrations &migrations, Version current, std::string_view target);

}  // namespace discovery::core
