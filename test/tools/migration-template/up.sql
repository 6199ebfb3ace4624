\echo Use "ALTER EXTENSION discovery UPDATE TO '@TO@'" to load this file. \quit
SET LOCAL search_path TO pg_catalog, pg_temp;

-- Review; delete each line once it is so. The tests fail while one is here.
-- [ ] One change: what could be taken back by itself is a version of its own.
-- [ ] Every statement was read, also the generated ones; a rename is a rename.
-- [ ] Each name in the step has @store@ or @functions@ before it, in no literal.
-- [ ] Rows that are there already fit: NOT NULL, CHECK, UNIQUE, shorter types.
-- [ ] discovery_plan() was read: which locks, what is scanned or rewritten.
-- [ ] What may run ahead is marked -- @ahead@; an index's operators are qualified.
-- [ ] Nothing is lost on the way up; what the way down loses is refused there.
-- [ ] What is not plain from the statements is said in a comment beside them.

-- Functions that are new or changed in @TO@ stand here, before the step, which
-- may use them; the script before this one shows how.

/* step @FROM@ -> @TO@: @MESSAGE@

@STATEMENTS@
*/

SELECT @extschema@.discovery_run_step('@FROM@', '@TO@');
