# discovery: a PGXS extension. `make help` lists the targets.

EXTENSION  = discovery
VERSION   := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" discovery.control)

MODULE_big = discovery
SCRIPTS_IN = $(sort $(wildcard sql/discovery--*.sql sql/discovery--*.shape))
DATA       = $(filter %.sql,$(SCRIPTS_IN))
OBJS       = $(patsubst %.cpp,%.o,$(sort $(wildcard src/*/*.cpp)))

REGRESS        = $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS   = --inputdir=test
ISOLATION      = $(patsubst test/specs/%.spec,%,$(sort $(wildcard test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test
PROVE_TESTS   ?= $(sort $(wildcard test/t/*.pl))

WERROR      ?= -Werror
PG_CXXFLAGS  = -std=c++20 -Wno-register -Wall -Wextra $(WERROR) $(INSTRUMENT)
PG_CPPFLAGS  = -I$(CURDIR)/src -isystem $(includedir_server)
SHLIB_LINK   = -lstdc++ $(INSTRUMENT)
EXTRA_CLEAN  = src/store/scripts.inc coverage build

PG_CONFIG ?= pg_config
PGXS      := $(wildcard $(shell $(PG_CONFIG) --pgxs 2>/dev/null))
ifeq ($(PGXS),)
# Without a server only the targets that install one can work.
-include test/tools/tools.mk
else
# LLVM bitcode only where the clang that the server was configured with is there.
CLANG_OF_SERVER := $(shell sed -n 's/^CLANG *= *//p' $(PGXS:/makefiles/pgxs.mk=/Makefile.global))
ifeq ($(shell command -v $(or $(CLANG_OF_SERVER),none)),)
override with_llvm = no
endif
include $(PGXS)
override BITCODE_CXXFLAGS += -std=c++20 -Wno-register
include test/tools/tools.mk
endif

# The scripts and shapes, compiled into the library: src/store/scripts.cpp says why.
src/store/scripts.inc: $(SCRIPTS_IN) Makefile
	for file in $(SCRIPTS_IN); do \
	  printf '{"%s", R"__script__(' "$${file#sql/}"; cat "$$file"; printf ')__script__"},\n'; \
	done > $@

$(OBJS) $(OBJS:.o=.bc): $(wildcard src/*/*.hpp)
src/store/scripts.o src/store/scripts.bc: src/store/scripts.inc
