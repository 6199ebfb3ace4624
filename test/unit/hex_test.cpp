// Tests the conversion of bytes to hex digits.
#include "core/hex.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <string>
#include <vector>

namespace discovery::core {
namespace {

std::string hex(const std::vector<std::uint8_t> &bytes) {
    std::string digits(2 * bytes.size(), '?');
    to_hex(bytes.data(), bytes.size(), digits.data());
    return digits;
}

TEST(Hex, DigitsAreLowerCaseAndLeadingZerosStay) {
    EXPECT_EQ(hex({0x00, 0x01, 0x0f, 0x10, 0x7f, 0x80, 0xab, 0xcd, 0xef, 0xff}), "00010f107f80abcdefff");
}

TEST(Hex, EveryByte) {
    for (int byte = 0; byte < 256; ++byte) {
        std::array<char, 3> printed;
        std::snprintf(printed.data(), printed.size(), "%02x", byte);
        EXPECT_EQ(hex({static_cast<std::uint8_t>(byte)}), printed.data());
    }
}

TEST(Hex, NothingIsWrittenBehindTheDigits) {
    const std::uint8_t bytes[] = {0xde, 0xad};
    std::string digits = "??????";
    to_hex(bytes, sizeof bytes, digits.data() + 1);
    EXPECT_EQ(digits, "?dead?");
}

TEST(Hex, NoBytesNoDigits) {
    char untouched = '?';
    to_hex(nullptr, 0, &untouched);
    EXPECT_EQ(untouched, '?');
}

}  // namespace
}  // namespace discovery::core
