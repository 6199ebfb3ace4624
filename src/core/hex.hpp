// Conversion of bytes to hexadecimal digits.
#pragma once

#include <cstddef>
#include <cstdint>

namespace discovery::core {

/// Writes `size` bytes to `digits` as 2 * `size` lower-case hex digits, without a terminator.
inline void to_hex(const std::uint8_t *bytes, std::size_t size, char *digits) {
    constexpr char alphabet[] = "0123456789abcdef";
    for (std::size_t i = 0; i < size; ++i) {
        *digits++ = alphabet[bytes[i] >> 4];
        *digits++ = alphabet[bytes[i] & 0x0f];
    }
}

}  // namespace discovery::core
