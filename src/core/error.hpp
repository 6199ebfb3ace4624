// Errors of the core, as plain values. The server side maps each kind to one
// SQLSTATE (src/server/guard.cpp).
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace discovery::core {

enum class ErrorKind {
    invalid_argument,  // the caller's value is malformed
    unknown_version,   // no such release, or no way to it
    newer_than_code,   // the store has a version that the library does not know
    malformed_script,  // the files shipped with the extension contradict themselves
};

/// Worded like PostgreSQL's own messages; detail and hint may be empty.
struct Error {
    ErrorKind kind;
    std::string message;
    std::string detail = {};
    std::string hint = {};
};

/// A value, or the error that there is in its place.
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
