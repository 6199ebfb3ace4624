\echo Use "ALTER EXTENSION discovery UPDATE TO '@FROM@'" to load this file. \quit
SET LOCAL search_path TO pg_catalog, pg_temp;

-- Review; delete each line once it is so. The tests fail while one is here.
-- [ ] It undoes the step up whole, in the opposite order.
-- [ ] Every statement was read, also the generated ones; a rename is a rename.
-- [ ] Rows that @TO@ allowed and @FROM@ does not have their answer.

/* step @TO@ -> @FROM@: takes back: @MESSAGE@

@STATEMENTS@
*/

SELECT @extschema@.discovery_run_step('@TO@', '@FROM@');

-- Functions that are new in @TO@ go here, after the step; changed ones come back.
