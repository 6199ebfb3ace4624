// Tests how bytes that are written as text are told.
#include "core/encoded.hpp"

#include <gtest/gtest.h>

namespace discovery::core {
namespace {

TEST(IsBase64, Texts) {
    for (const char *text : {"", "TQ==", "TWE=", "TWFu", "TWFuTWFu", "TW\nFu", " TQ == ", "+/+/", "AAAA"})
        EXPECT_TRUE(is_base64(text)) << text;
    for (const char *text : {"T", "TQ", "TWE", "TQ=", "TQ===", "T===", "====", "=", "TQ==TQ==", "TWF-", "TW.u", "\\x00",
                             "TWFuT", "TW\xc3\xa4u"})
        EXPECT_FALSE(is_base64(text)) << text;
}

TEST(IsHexBytea, Texts) {
    for (const char *text : {"\\x", "\\x00", "\\xAbCdEf09"}) EXPECT_TRUE(is_hex_bytea(text)) << text;
    for (const char *text : {"", "\\", "x00", "\\x0", "\\xGG", "\\x0 0", "\\X00"})
        EXPECT_FALSE(is_hex_bytea(text)) << text;
}

}  // namespace
}  // namespace discovery::core
