// Fuzzes parse_version(): text() must give the input back, or the input must be an error.
#include "check.hpp"

#include "core/version.hpp"

using namespace discovery::core;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    auto text = as_text(data, size);
    auto version = parse_version(text);
    if (version) {
        CHECK(version->text() == text);
        CHECK(version->major >= 0 && version->minor >= 0);
        CHECK(version->is_base() == (text == "base"));
        CHECK(version->is_base() || Version{} < *version);
    } else {
        CHECK(version.error().kind == ErrorKind::invalid_argument);
        CHECK(version.error().message.find(text) != std::string::npos);
    }
    return 0;
}
