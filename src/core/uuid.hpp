// UUIDs of version 7 (RFC 9562, section 5.7). The caller provides the time and the random bytes.
#pragma once

#include <array>
#include <cstdint>

namespace discovery::core {

using Uuid = std::array<std::uint8_t, 16>;

/// The number of random bytes that each UUID needs.
inline constexpr int uuid_random_bytes = 10;

/// Makes strictly increasing UUIDs, even within one millisecond and when the clock goes back. The
/// layout follows RFC 9562, section 6.2, method 1: 48 bits of Unix time in milliseconds, a 12-bit
/// counter, and 62 random bits. In each millisecond the counter starts at a random value in its
/// lower half.
class UuidSequence {
public:
    /// Returns the next UUID. `milliseconds` counts from 1970-01-01 UTC. `random` points to
    /// uuid_random_bytes bytes.
    Uuid next(std::uint64_t milliseconds, const std::uint8_t *random);

private:
    std::uint64_t last_milliseconds_ = 0;
    std::uint32_t counter_ = 0;
};

/// Returns the lowest UUID of version 7 of a millisecond (since 1970-01-01 UTC). All UUIDs with an
/// earlier time compare lower.
Uuid first_uuid_of(std::uint64_t milliseconds);

}  // namespace discovery::core
