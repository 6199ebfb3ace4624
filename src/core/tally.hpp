// What a statement changes in the counts of notebooks, added up row by row.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>

#include "core/uuid.hpp"

namespace discovery::core {

struct Change {
    std::int64_t sources = 0;         // net
    std::int64_t newest = INT64_MIN;  // of the rows' timestamps
};

/// Net changes by notebook, in the order of ids: the order in which every
/// statement locks notebooks.
class Tally {
public:
    Tally() = default;
    Tally(Tally &&) = default;  // a copy would point into the other's map

    void add(const Uuid &notebook, int sources, std::int64_t timestamp) {
        // Rows of one notebook come together more often than not.
        if (last_ == nullptr || last_->first != notebook) last_ = &*changes_.try_emplace(notebook).first;
        last_->second.sources += sources;
        last_->second.newest = std::max(last_->second.newest, timestamp);
    }

    auto begin() const { return changes_.begin(); }
    auto end() const { return changes_.end(); }

private:
    std::map<Uuid, Change> changes_;
    std::pair<const Uuid, Change> *last_ = nullptr;
};

}  // namespace discovery::core
