-- The statements that the functions run begin with their first word: a newline
-- before it would split the lines of the server's log, of pgaudit and of auto_explain.
SET client_min_messages = warning;
CREATE SCHEMA discovery_texts;
SET search_path = discovery_texts;
CREATE EXTENSION discovery SCHEMA discovery_texts;
CREATE TABLE seen (statement text);
CREATE FUNCTION note_statement() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    context text;
BEGIN
    GET DIAGNOSTICS context = PG_CONTEXT;
    INSERT INTO seen SELECT left(statement[1], 12) FROM regexp_matches(context, 'SQL statement "(.*)"') AS statement;
    RETURN coalesce(new, old);
END $$;
CREATE TRIGGER note_statement BEFORE INSERT OR UPDATE OR DELETE ON sources
    FOR EACH ROW EXECUTE FUNCTION note_statement();
INSERT INTO notebooks (name) VALUES ('A') RETURNING id AS notebook \gset
SELECT id AS source FROM add_source(:'notebook', 'A', 'text', extracted_text => 'a') \gset
SELECT deleted FROM delete_source(:'source');
SELECT outcome FROM add_source(:'notebook', 'A', 'text', extracted_text => 'a');
SELECT deleted FROM delete_source(:'source');
SELECT outcome FROM restore_source(:'source');
SELECT statement, count(*) FROM seen GROUP BY 1 ORDER BY 1;
DROP SCHEMA discovery_texts CASCADE;
