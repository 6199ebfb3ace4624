// Makes UUIDs of version 7.
#include "core/uuid.hpp"

#include <algorithm>

namespace discovery::core {
namespace {

constexpr std::uint32_t counter_end = 1 << 12;

// Returns a UUID with this time and counter, and zeros for the random bits.
Uuid assemble(std::uint64_t milliseconds, std::uint32_t counter) {
    Uuid uuid{};
    for (int i = 0; i < 6; ++i) uuid[i] = static_cast<std::uint8_t>(milliseconds >> (40 - 8 * i));
    uuid[6] = static_cast<std::uint8_t>(0x70 | counter >> 8);
    uuid[7] = static_cast<std::uint8_t>(counter);
    uuid[8] = 0x80;
    return uuid;
}

}  // namespace

Uuid UuidSequence::next(std::uint64_t milliseconds, const std::uint8_t *random) {
    if (milliseconds > last_milliseconds_) {
        last_milliseconds_ = milliseconds;
        counter_ = (random[8] << 8 | random[9]) % (counter_end / 2);
    } else if (++counter_ == counter_end) {
        // The counter is exhausted: borrow the next millisecond.
        ++last_milliseconds_;
        counter_ = 0;
    }
    Uuid uuid = assemble(last_milliseconds_, counter_);
    std::copy(random, random + 8, uuid.begin() + 8);
    uuid[8] = static_cast<std::uint8_t>(0x80 | (uuid[8] & 0x3f));
    return uuid;
}

Uuid first_uuid_of(std::uint64_t milliseconds) { return assemble(milliseconds, 0); }

}  // namespace discovery::core
