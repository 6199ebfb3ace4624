// Turns C++ exceptions into PostgreSQL errors.
#include "server/guard.hpp"

#include <cstring>
#include <exception>

namespace discovery {
namespace {

// A copy of an exception that outlives the catch block. It has no destructor and uses no heap
// memory, so ereport() may longjmp past it.
struct Failure {
    int sqlstate;
    char message[1024];
    char detail[4096];
    char hint[1024];
};

// Returns the SQLSTATE of an error of the core. Only this function defines them.
int sqlstate_of(core::ErrorKind kind) {
    switch (kind) {
        case core::ErrorKind::invalid_argument:
            return ERRCODE_INVALID_PARAMETER_VALUE;
        case core::ErrorKind::unknown_version:
            return ERRCODE_INVALID_PARAMETER_VALUE;
        case core::ErrorKind::newer_than_code:
            return ERRCODE_FEATURE_NOT_SUPPORTED;
        case core::ErrorKind::malformed_script:
            return ERRCODE_CONFIG_FILE_ERROR;
    }
    return ERRCODE_INTERNAL_ERROR;
}

// Copies `text` and truncates it to the whole UTF-8 characters that fit.
template <size_t Size>
void copy_clipped(char (&target)[Size], const char *text) {
    size_t length = strlen(text);
    if (length >= Size) {
        length = Size - 1;
        while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80) --length;
    }
    memcpy(target, text, length);
    target[length] = '\0';
}

void record(Failure &failure, int sqlstate, const char *message, const char *detail = "", const char *hint = "") {
    failure.sqlstate = sqlstate;
    copy_clipped(failure.message, message);
    copy_clipped(failure.detail, detail);
    copy_clipped(failure.hint, hint);
}

}  // namespace

void guarded(void (*body)(void *), void *argument) {
    Failure failure;
    try {
        return body(argument);
    } catch (const core::Error &error) {
        record(failure, sqlstate_of(error.kind), error.message.c_str(), error.detail.c_str(), error.hint.c_str());
    } catch (const std::bad_alloc &) {
        record(failure, ERRCODE_OUT_OF_MEMORY, "out of memory");
    } catch (const std::exception &error) {
        record(failure, ERRCODE_INTERNAL_ERROR, "unexpected C++ exception", error.what());
    } catch (...) {
        record(failure, ERRCODE_INTERNAL_ERROR, "unexpected C++ exception of unknown type");
    }
    ereport(ERROR, errcode(failure.sqlstate), errmsg("%s", failure.message),
            failure.detail[0] ? errdetail("%s", failure.detail) : 0, failure.hint[0] ? errhint("%s", failure.hint) : 0);
}

Datum guarded(EntryPoint body, FunctionCallInfo fcinfo) {
    struct Call {
        EntryPoint body;
        FunctionCallInfo fcinfo;
        Datum result;
    } call{body, fcinfo, Datum{}};
    guarded(
        [](void *argument) {
            auto *made = static_cast<Call *>(argument);
            made->result = made->body(made->fcinfo);
        },
        &call);
    return call.result;
}

}  // namespace discovery
