-- Rows as the application writes them, in plain SQL, so that a store of any version takes them: notebooks, one of them
-- without a source, live and deleted sources of each type, texts that are not ASCII, one of a megabyte. Counts are
-- right.
INSERT INTO notebooks (id, name, description, tags, created_at, updated_at, source_count)
    SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
           'Notizbuch ' || n || ' – ноутбук 筆記 𝔑 "q" \ ''',
           CASE WHEN n % 2 = 0 THEN E'zwei\nZeilen\tund ein Tab' END,
           ARRAY['größe', 'tag,' || n, NULL, '{}']::varchar[],
           '2024-01-01'::timestamp + n * interval '1 hour', '2030-01-01'::timestamp + n * interval '1 second',
           CASE WHEN n = 4 THEN 0 ELSE 8 END
    FROM generate_series(1, 4) AS n;
INSERT INTO sources (id, notebook_id, name, source_type, file_type, url, file_path, file_size, content_hash,
                     extracted_text, source_metadata, created_at, updated_at, deleted_at)
    SELECT ('00000000-0000-4000-9000-' || lpad((notebook * 100 + n)::text, 12, '0'))::uuid,
           ('00000000-0000-4000-8000-' || lpad(notebook::text, 12, '0'))::uuid, 'Quelle №' || n || ' 源',
           (ARRAY['file', 'url', 'text'])[1 + n % 3], CASE WHEN n % 3 = 0 THEN 'pdf' END,
           CASE WHEN n % 3 = 1 THEN 'https://example.org/ä?b=' || n END,
           CASE WHEN n % 3 = 0 THEN '/data/' || n || '.pdf' END,
           CASE WHEN n % 3 = 0 THEN 1000 + n END, encode(sha256(convert_to(text, 'UTF8')), 'hex'), text,
           '{"a":  1, "a": "zweimal ü", "b": [null, 1.50]}', '2024-02-01'::timestamp + n * interval '1 minute',
           '2024-02-02'::timestamp + n * interval '1 minute 1 microsecond',
           CASE WHEN n > 8 THEN '2024-03-01'::timestamp + n * interval '1 day' END
    FROM generate_series(1, 3) AS notebook, generate_series(1, 12) AS n,
         LATERAL (SELECT CASE WHEN n = 1
                  THEN (SELECT string_agg(md5((notebook * k)::text), '') FROM generate_series(1, 32768) AS k)
                  ELSE 'Text ' || notebook || '/' || n || E': Ünïcödé, 文字, 🙂, \\N, \\. and a tab\t.'
                  END AS text) AS t;
