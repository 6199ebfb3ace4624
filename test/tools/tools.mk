# The targets for people, each a script of its own. `make help` prints the lines that begin with two hashes.

## all           build the extension (what plain `make` does); PG_CONFIG=… chooses the server, as for every target
## install       install it
## uninstall     remove it
## installcheck  run the regression and isolation tests against a running server
## clean         remove what was built
ifeq ($(PGXS),)
all install uninstall installcheck clean:
	@echo "No PostgreSQL server headers: '$(PG_CONFIG) --pgxs' names no file. Set PG_CONFIG=/path/to/pg_config, or" \
	  "run 'make setup', which installs what is missing." >&2; exit 1
.PHONY: all install uninstall installcheck clean
endif

## help          print this
help:
	@sed -n 's/^## /  make /p' test/tools/tools.mk

## setup         install by apt what building and testing need and this machine lacks
setup:
	@test/tools/prepare test

## demo          show the extension at work on a private server; DOCS=folder files your own documents
demo:
	@test/tools/demo

## demo-stop     stop the demo's server and delete its data
demo-stop:
	@test/tools/demo stop

## test          run the tests on private servers; ONLY=name runs one file
test:
	@test/run

## test-long     also the tests that take longer
test-long:
	@LONG=1 test/run

## test-majors   run the tests on PostgreSQL 17 and 18, each in a Debian tree of its own (root only)
test-majors:
	@test/tools/majors

## fuzz-sql      CALLS=20000 random transactions, then so many hostile calls of all functions, of the seed SEED=1
fuzz-sql:
	@CALLS=$(or $(CALLS),20000) SEED=$(or $(SEED),1) LONG=1 ONLY="random_sql hostile_calls" test/run

## torture       kill the server KILLS=50 times while clients write and stores go up and down
torture:
	@KILLS=$(or $(KILLS),50) ONLY=torture test/run

## faults        let memory, locks, the disk and connections fail in every function
faults:
	@ONLY="faults faults_disk" test/run

## soak          mixed work of 16 clients for MINUTES=30: times, errors, deadlocks, memory, growth
soak:
	@MINUTES=$(or $(MINUTES),30) ONLY=soak test/run

## test-assertions  run the tests on a server built with assertions, some with debug_discard_caches = 1
test-assertions:
	@test/tools/assertions || [ $$? = 77 ]

## test-sanitizers  run the tests under UBSan, valgrind, and on 17 ASan, each after an error that is planted
test-sanitizers:
	@test/tools/sanitizers || [ $$? = 77 ]
	@COMMAND="test/tools/sanitizers preloaded" test/tools/majors 17 || [ $$? = 77 ]

## test-locales  run the regression tests in clusters of other locales and encodings
test-locales:
	@test/tools/locales

## lint-static   check the sources by cppcheck and clang-tidy, and those of the SQL-only edition by plpgsql_check
lint-static:
	@test/tools/static || [ $$? = 77 ]
	@test/tools/plpgsql || [ $$? = 77 ]

## coverage      run the tests and write the line coverage of core and extension to coverage/index.html
coverage:
	@COVERAGE=1 test/run

## bench         measure the speed
bench:
	@test/bench/run

## shapes        write sql/discovery--*.shape from what the scripts make
shapes:
	@test/tools/shapes

## migration     begin the next version: VERSION=X.Y MESSAGE="what it does"; FROM=URL takes the changes made there
migration:
	@test/tools/migration

## release       record the checksums of this version's scripts in sql/RELEASED: from then on they never change
release:
	@test/tools/release

## installer     write the SQL-only edition, for servers that take no library, into dist/: for psql and for pg_tle
installer:
	@test/tools/installer

## dist          pack the last commit for PGXN, with the SQL-only edition, as dist/discovery-VERSION.zip
dist:
	@test/tools/dist

## deb           build the Debian packages, one for each major whose headers are installed, into dist/
deb:
	@test/tools/deb

## docker-test   build the image and run the commands of docs/docker.md; skips where there is no engine
docker-test:
	@test/long/docker || [ $$? = 77 ]

.PHONY: help setup demo demo-stop test test-long test-majors coverage bench shapes migration release installer dist deb
.PHONY: test-locales docker-test fuzz-sql torture faults soak test-assertions test-sanitizers lint-static
