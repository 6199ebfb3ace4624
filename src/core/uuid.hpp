// UUIDs of version 7 (RFC 9562, section 5.7), from an injected clock and
// injected random bytes.
#pragma once

#include <array>
#include <cstdint>

namespace discovery::core {

using Uuid = std::array<std::uint8_t, 16>;

/// How many random bytes each UUID takes.
inline constexpr int uuid_random_bytes = 10;

/// Makes UUIDs that increase strictly, also inside one millisecond and when the
/// clock steps back. The layout is that of RFC 9562, section 6.2, method 1: 48
/// bits of Unix time in milliseconds, a counter of 12 bits that begins anywhere
/// in its lower half each millisecond, 62 random bits.
class UuidSequence {
public:
    /// `milliseconds` since 1970; `random` are uuid_random_bytes bytes.
    Uuid next(std::uint64_t milliseconds, const std::uint8_t *random);

private:
    std::uint64_t last_milliseconds_ = 0;
    std::uint32_t counter_ = 0;
};

/// The least UUID of version 7 of that millisecond: all that were made before
/// it compare below.
Uuid first_uuid_of(std::uint64_t milliseconds);

}  // namespace discovery::core
