// Statements that read or write notebooks while counts are owed.
#pragma once

namespace discovery {

/// Installs the hooks. Call once, when the library is loaded.
void watch_readers();

}  // namespace discovery
