// Divides a long value into slices. The whole value then need not be in memory, and work on it can
// be interrupted between two slices.
#pragma once

#include <algorithm>
#include <cstddef>

namespace discovery::core {

/// The size of a slice in bytes (1 MB). SHA-256 takes less than a millisecond for it, and the
/// overhead per slice is negligible.
inline constexpr std::size_t slice_size = std::size_t{1} << 20;

/// A part of a value, in bytes.
struct Slice {
    std::size_t offset;
    std::size_t length;
};

/// `for (Slice slice : Slices{size})` visits [0, size) in order, without gaps. It visits nothing if
/// `size` is 0.
struct Slices {
    struct Iterator {
        std::size_t offset;
        std::size_t size;

        Slice operator*() const { return {offset, std::min(slice_size, size - offset)}; }
        Iterator &operator++() {
            offset += std::min(slice_size, size - offset);
            return *this;
        }
        bool operator!=(const Iterator &other) const { return offset != other.offset; }
    };

    std::size_t size;

    Iterator begin() const { return {0, size}; }
    Iterator end() const { return {size, size}; }
};

}  // namespace discovery::core
