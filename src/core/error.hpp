// Errors of the core, as plain values. src/server/guard.cpp maps each kind to an SQLSTATE.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace discovery::core {

enum class ErrorKind {
    invalid_argument,  // 22023: the caller's value is malformed
    unknown_version,   // 22023: the release does not exist, or no path leads to it
    newer_than_code,   // 0A000: the library does not know the version of the store
    malformed_script,  // F0000: a file shipped with the extension is invalid
};

/// An error in the style of PostgreSQL's messages. `detail` and `hint` may be empty.
struct Error {
    ErrorKind kind;
    std::string message;
    std::string detail = {};
    std::string hint = {};
};

/// A value or an Error. It converts to true if it holds a value.
template <class T>
class Result {
public:
    Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}

    explicit operator bool() const { return content_.index() == 0; }
    T &operator*() { return std::get<0>(content_); }
    T *operator->() { return &std::get<0>(content_); }
    Error &error() { return std::get<1>(content_); }

private:
    std::variant<T, Error> content_;
};

}  // namespace discovery::core
