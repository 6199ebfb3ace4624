-- Files the documents in the table `documents` (notebook, name, path, is_text, bytes) as sources.
INSERT INTO notebooks (id, name) SELECT gen_random_uuid(), notebook FROM documents GROUP BY notebook;

INSERT INTO sources (id, notebook_id, name, source_type, file_type, file_path, file_size, content_hash, extracted_text)
SELECT gen_random_uuid(), n.id, left(d.name, 500), 'file',
       CASE WHEN ending IN ('pdf', 'docx', 'doc', 'txt', 'md') THEN ending WHEN d.is_text THEN 'txt' END,
       d.path, length(d.bytes), content_hash(d.bytes),
       CASE WHEN d.is_text THEN convert_from(d.bytes, 'UTF8') ELSE '' END
FROM documents d
JOIN notebooks n ON n.name = d.notebook
CROSS JOIN lower(substring(d.name FROM '\.([^./]*)$')) ending;

-- At version 1.0 the cached count is the client's to keep.
UPDATE notebooks n SET source_count = (SELECT count(*) FROM sources s WHERE s.notebook_id = n.id AND s.deleted_at IS NULL);
