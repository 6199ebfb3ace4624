-- The id of the notebook with a name, and the counts of all notebooks: 'a 3' is right; 'a 3, not 2' is wrong.
CREATE FUNCTION book(text) RETURNS uuid LANGUAGE sql STABLE RETURN (SELECT id FROM notebooks WHERE name = $1);
CREATE VIEW counts AS
    SELECT string_agg(notebook.name || ' ' || source_count ||
                      CASE WHEN source_count = live.sources THEN '' ELSE ', not ' || live.sources END,
                      '; ' ORDER BY notebook.name) AS counts
    FROM notebooks AS notebook, LATERAL (
        SELECT count(*) AS sources FROM sources WHERE notebook_id = notebook.id AND deleted_at IS NULL) AS live;
